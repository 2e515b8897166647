"""The report for people: a table that a glance is enough for, and below it a sentence for what a
glance is not enough for.
"""

from __future__ import annotations

from io import StringIO
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from gradcheck_cli.reports.facts import (
    MAX_FORMULAS,
    commands,
    formulas,
    groups,
    phrase_of,
    sentences,
    summary,
)
from gradcheck_cli.reports.format import MAX_LINE, escape_controls
from gradcheck_cli.reports.wrap import shorten, wrap, wrap_command

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gradcheck_cli.records.report import Report
    from gradcheck_cli.reports.facts import FactRow, Group

STYLES = {
    "agree": "green",
    "wrong": "bold red",
    "imprecise": "yellow",
    "kink": "yellow",
    "undefined": "magenta",
    "detached": "magenta",
    "inconclusive": "magenta",
    "error": "bold red",
    "skipped": "yellow",
    "not as expected": "bold red",
    "expected to fail": "yellow",
}
TITLES = {
    "reference": "reference",
    "analytic": "analytic",
    "autograd": "autograd",
    "numeric": "numeric ± bar",
    "error": "error",
    "tolerance": "tolerance (abs)",
}
_GAP = "  "


def render(
    report: Report,
    *,
    width: int | None = None,
    color: bool = False,
    verbose: bool = False,
    quiet: bool = False,
) -> str:
    """The report as a table, or as `name: value` lines where a table is wider than `width`.

    Args:
        width: columns of the terminal; None for as many as it takes.
        verbose: nothing shortened: whole formulas and arrays, every sentence, the proved digits.
        quiet: only what is not plainly good, and the summary.
    """
    page = _Page(width, verbose, quiet)
    blocks = [
        page.group(group)
        for group in groups(report, verbose=verbose)
        if not quiet or group.unsettled
    ]
    blocks += [
        wrap(Text(f"problem: {escape_controls(problem)}"), width, 2) for problem in report.problems
    ]
    if quiet or len(report.records) != 1:
        blocks.append(wrap(Text(summary(report)), width, 2))
    lines = Text("\n").join(
        line for k, block in enumerate(blocks) for line in ([Text()] * bool(k) + block)
    )
    return written(lines, color=color)


def written(text: Text, *, color: bool) -> str:
    """Text with its styles as escape sequences, or without; Rich wraps, cuts and highlights
    nothing, and never sees the environment.
    """
    if not color:
        return "\n".join(line.rstrip() for line in text.plain.split("\n")) + "\n"
    stream = StringIO()
    console = Console(
        file=stream,
        force_terminal=True,
        color_system="standard",
        no_color=False,
        legacy_windows=False,
        highlight=False,
        markup=False,
        emoji=False,
        _environ={},
    )
    console.print(text, soft_wrap=True)
    return stream.getvalue()


class _Page:
    """How a report is laid out."""

    def __init__(self, width: int | None, verbose: bool, quiet: bool) -> None:
        self.width, self.verbose, self.quiet = width, verbose, quiet

    def group(self, group: Group) -> list[Text]:
        """Header, table and what is said below it."""
        rows = [row for row in group.rows if not (self.quiet and row.settled)]
        parts = [self._header(group), self._table(group, rows) if rows else [], self._below(group)]
        lines: list[Text] = []
        for part in parts:
            lines += ([Text()] if lines and part else []) + part
        return lines

    def _header(self, group: Group) -> list[Text]:
        """Program, point, dtype, device, cotangent and formulas, as far as all cases share them."""
        lines = [Text(escape_controls(group.records[0]["expression"].strip("\n")), style="bold")]
        asked = [name for name in group.shared if name not in ("dtype", "device", "case", "file")]
        device = f"on {group.shared['device']}" if "device" in group.shared else ""
        kind = f"{group.shared.get('dtype', '')} {device}".strip()
        point = phrase_of(group.shared, asked)
        lines.append(
            Text(
                "; ".join(
                    part
                    for part in (
                        group.shared.get("file", ""),
                        group.shared.get("case", ""),
                        f"at {point}" if point else "",
                        kind,
                    )
                    if part
                )
            )
        )
        found = [] if self.quiet else formulas(group)
        for name, formula in found if self.verbose else found[:MAX_FORMULAS]:
            told = f"{name} = {formula}"
            lines.append(Text(told if self.verbose else shorten(told, MAX_LINE)))
        if not self.verbose and len(found) > MAX_FORMULAS:
            lines.append(Text(f"… and {len(found) - MAX_FORMULAS:,} more, which --verbose shows"))
        return [piece for line in lines if line.plain for piece in wrap(line, self.width, 2)]

    def _table(self, group: Group, rows: Sequence[FactRow]) -> list[Text]:
        columns = [
            name
            for name in TITLES
            if name != "reference" or self.verbose or any(row.needed for row in rows)
        ]
        head = [
            *(name.removesuffix(" =") for name in group.differing),
            "",
            *(TITLES[name] for name in columns),
            "outcome",
        ]
        asked = [
            [group.fields[id(row.record)].get(name, "") for name in group.differing] for row in rows
        ]
        body = [
            [*known, row.name, *(row.cells[name] for name in columns), row.outcome]
            for known, row in zip(asked, rows, strict=True)
        ]
        widths = [max(map(cell_len, column)) for column in zip(head, *body, strict=True)]
        if self.width is not None and sum(widths) + len(_GAP) * (len(widths) - 1) > self.width:
            return self._stacked(group, rows, columns)
        # Numbers stand flush right, the case, the partial and the outcome flush left.
        numbers = range(len(group.differing) + 1, len(head) - 1)
        lines = [
            Text(_line(head, widths, numbers), style="bold"),
            Text(_GAP.join("─" * width for width in widths)),
        ]
        for cells in body:
            line = Text(_line(cells, widths, numbers))
            line.stylize(STYLES[cells[-1]], len(line) - len(cells[-1]))
            lines.append(line)
        return lines

    def _stacked(self, group: Group, rows: Sequence[FactRow], columns: Sequence[str]) -> list[Text]:
        """A block for each partial, a line for each number."""
        lines: list[Text] = []
        for row in rows:
            title = Text.assemble(
                (group.subject(row), "bold"), ": ", (row.outcome, STYLES[row.outcome])
            )
            block = [title, *(Text(f"{TITLES[name]}: {row.cells[name]}") for name in columns)]
            lines += [Text()] * bool(lines) + [
                piece for line in block for piece in wrap(line, self.width, 2)
            ]
        return lines

    def _below(self, group: Group) -> list[Text]:
        lines: list[Text] = []
        for sentence in sentences(group, verbose=self.verbose, quiet=self.quiet):
            subject = f"{sentence.subject}: " if sentence.subject else ""
            if sentence.kind in STYLES:
                line = Text.assemble(
                    subject, (sentence.kind, STYLES[sentence.kind]), f": {sentence.text}"
                )
            else:
                line = Text(
                    f"{sentence.kind}: {subject}{sentence.text}" if sentence.kind else sentence.text
                )
            lines += wrap(line, self.width, 2)
        lead = "reproduce: "
        for command in commands(group, verbose=self.verbose):
            lines += Text(lead + wrap_command(command, self.width, len(lead))).split("\n")
        return lines


def _line(cells: Sequence[str], widths: Sequence[int], numbers: range) -> str:
    padded = []
    for k, (cell, width) in enumerate(zip(cells, widths, strict=True)):
        space = " " * (width - cell_len(cell))
        padded.append(space + cell if k in numbers else cell + space)
    return _GAP.join(padded).rstrip()
