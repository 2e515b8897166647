"""A report as a piece of a page, for notebooks: no scripts, nothing from elsewhere, every text
escaped. It takes the page's own colours, and an outcome brings both of its own, so that it can be
read on light and on dark.
"""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING, TypeAlias

from gradcheck_cli.records.outcome import Outcome
from gradcheck_cli.reports.chain_rule import NUMBERS
from gradcheck_cli.reports.facts import (
    FORESEEN,
    MAX_FORMULAS,
    UNEXPECTED,
    commands,
    groups,
    phrase_of,
    sentences,
)
from gradcheck_cli.reports.format import MAX_LINE, count_of, escape_controls
from gradcheck_cli.reports.header import formulas
from gradcheck_cli.reports.rows import Detail, titles_of
from gradcheck_cli.reports.tally import summary
from gradcheck_cli.reports.traced_cases import chain_tables, chains_left
from gradcheck_cli.reports.values import value_text
from gradcheck_cli.reports.wrap import one_line, shorten

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from gradcheck_cli.records.report import Report
    from gradcheck_cli.reports.facts import Group, Sentence
    from gradcheck_cli.reports.rows import FactRow

# (`∂f/∂x`, its formula) to an element that says so; None where there is no drawing of it.
Draw: TypeAlias = "Callable[[str, str], str | None]"

# What a page shows unless asked for more; the rest is counted.
MAX_PROGRAMS, MAX_LISTED = 20, 20
# By Rich's style of an outcome. White on each has a contrast above 4.5, whatever the page is like.
BADGES = {
    "green": "#1a7f37",
    "yellow": "#8a5a00",
    "magenta": "#8e2a8e",
    "bold red": "#b3261e",
}
_STYLES = {
    **{str(outcome): outcome.style for outcome in Outcome},
    UNEXPECTED: "bold red",
    FORESEEN: "yellow",
}
# A notebook looks for formulas between dollars, where a text may have some.
_CLASSES = "tex2jax_ignore mathjax_ignore"
_CELL = "padding:2px 8px;white-space:nowrap;background:transparent;color:inherit;text-align:"
_RULE = ";border-bottom:1px solid #888"
_TABLE = '<table style="border-collapse:collapse;margin:4px 0">'


def fragment(report: Report, draw: Draw, *, verbose: bool = False, quiet: bool = False) -> str:
    """A report as one `div`: for each program its formulas, its table and what is said of it."""
    page = _Page(draw, verbose, quiet)
    some = [group for group in groups(report, verbose=verbose) if not quiet or group.unsettled]
    most = len(some) if verbose else MAX_PROGRAMS
    blocks = [page.group(group) for group in some[:most]]
    if len(some) > most:
        blocks.append(_line(f"… and {count_of(len(some) - most, 'program')} more"))
    blocks += [_line(_prose(f"problem: {one_line(problem)}")) for problem in report.problems]
    if quiet or len(report.records) != 1:
        blocks.append(_line(_prose(summary(report))))
    return f'<div class="{_CLASSES}">{"".join(blocks)}</div>'


class _Page:
    """How much is shown, and how formulas are drawn."""

    def __init__(self, draw: Draw, verbose: bool, quiet: bool) -> None:
        self.draw, self.verbose, self.quiet = draw, verbose, quiet

    def group(self, group: Group) -> str:
        """A program with all that its cases share, its table and what stands below it."""
        rows = [row for row in group.rows if not (self.quiet and row.settled)]
        program = group.records[0]["expression"].strip("\n")
        said = sentences(group, verbose=self.verbose, quiet=self.quiet)
        again = commands(group, verbose=self.verbose)
        return "".join(
            [
                f'<pre style="margin:0;font-weight:bold">{_text(program)}</pre>',
                _line(_prose(phrase_of(group.shared, group.shared))),
                *([] if self.quiet else map(_line, [*_values(group), *self._formulas(group)])),
                self._table(group, rows) if rows else "",
                *([] if self.quiet else self._chains(group)),
                *(_line(_sentence(sentence)) for sentence in said),
                *(_line(f"reproduce: <code>{_text(command)}</code>") for command in again),
            ]
        )

    def _chains(self, group: Group) -> Iterator[str]:
        """The chain rule of the first few cases, a table for each."""
        for label, head, *rows in chain_tables(group, verbose=self.verbose):
            yield from map(_line, map(_text, label))
            sides = ["right" if title in NUMBERS else "left" for title in head]
            lines = [_row("th", map(_text, head), sides)]
            lines += [_row("td", map(_text, row), sides) for row in rows]
            yield _line(f"{_TABLE}{''.join(lines)}</table>")
        left = chains_left(group, verbose=self.verbose)
        yield _line(left) if left else ""

    def _formulas(self, group: Group) -> list[str]:
        known = formulas(group.rows)
        most = len(known) if self.verbose else MAX_FORMULAS
        lines = [self._formula(name, formula) for name, formula in known[:most]]
        rest = [f"… and {len(known) - most:,} more formulas"] if len(known) > most else []
        return lines + rest

    def _formula(self, name: str, formula: str) -> str:
        """Drawn, or as text where it is too long for that, or has no drawing."""
        drawing = self.draw(name, formula)
        if drawing is not None:
            return drawing
        text = f"{name} = {formula}"
        return f"<code>{_text(text if self.verbose else shorten(text, MAX_LINE))}</code>"

    def _table(self, group: Group, rows: Sequence[FactRow]) -> str:
        most = len(rows) if self.verbose else MAX_LISTED
        some = rows
        if len(rows) > most:
            ranks = {id(row): Outcome(row.outcome).rank for row in rows}
            some = sorted(rows, key=lambda row: (row.settled, ranks[id(row)]))[:most]
        detail = Detail(verbose=self.verbose)
        titles = titles_of(some, detail)
        asked = group.differing
        head = [*(name.removesuffix(" =") for name in asked), "", *titles.values(), "outcome"]
        sides = ["left"] * (len(asked) + 1) + ["right"] * len(titles) + ["left"]
        lines = [_row("th", map(_text, head), sides)]
        for row in some:
            fields = group.fields[id(row.record)]
            cells = [*(fields.get(name, "") for name in asked), row.name]
            cells += [row.cell(name, detail) for name in titles]
            lines.append(_row("td", [*map(_text, cells), _badge(row.outcome)], sides))
        rest = len(rows) - len(some)
        table = f"{_TABLE}{''.join(lines)}</table>"
        return _line(table) + (_line(f"… and {count_of(rest, 'partial')} more") if rest else "")


def _row(tag: str, cells: Iterable[str], sides: Sequence[str]) -> str:
    rule = _RULE if tag == "th" else ""
    pairs = zip(cells, sides, strict=True)
    inner = [f'<{tag} style="{_CELL}{side}{rule}">{cell}</{tag}>' for cell, side in pairs]
    return f"<tr>{''.join(inner)}</tr>"


def _values(group: Group) -> list[str]:
    """The program's value as torch has it, and the true one where that is another; of one case."""
    text = value_text(group.records[0]) if len(group.records) == 1 else ""
    return [_text(f"f = {text}")] if text else []


def _sentence(sentence: Sentence) -> str:
    kind = sentence.kind
    head = _badge(kind) if kind in _STYLES else _prose(f"{kind}:" if kind else "")
    subject = _prose(f"{sentence.subject}:") if sentence.subject else ""
    return " ".join(filter(None, [subject, head, _prose(sentence.text)]))


def _badge(kind: str) -> str:
    style = f"background:{BADGES[_STYLES[kind]]};color:#fff;padding:1px 6px;border-radius:8px"
    return f'<span style="{style}">{_text(kind)}</span>'


def _line(markup: str) -> str:
    return f'<div style="margin:2px 0;overflow-x:auto">{markup}</div>'


def _prose(text: str) -> str:
    """A sentence with its `code`."""
    parts = re.split(r"`([^`]+)`", text)
    return "".join(f"<code>{_text(p)}</code>" if k % 2 else _text(p) for k, p in enumerate(parts))


def _text(text: str) -> str:
    """A text as a page shows it, whoever wrote it."""
    return escape(escape_controls(text))
