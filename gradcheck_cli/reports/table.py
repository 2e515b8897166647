"""The table for a terminal: a row that a glance is enough for, and below it a sentence for what a
glance is not enough for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.text import Text

from gradcheck_cli.records.outcome import Outcome
from gradcheck_cli.reports.facts import (
    FORESEEN,
    MAX_FORMULAS,
    UNEXPECTED,
    commands,
    formulas,
    groups,
    phrase_of,
    programs_of,
    sentences,
    summary,
)
from gradcheck_cli.reports.format import MAX_LINE, NOTHING, escape_controls, inline
from gradcheck_cli.reports.rows import titles_of
from gradcheck_cli.reports.terminal import terminal_text
from gradcheck_cli.reports.wrap import shorten, wrap, wrap_command

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from gradcheck_cli.records.report import Report
    from gradcheck_cli.reports.facts import Group
    from gradcheck_cli.reports.rows import FactRow

RANK = 1
SUFFIXES = (".txt",)

# By outcome, and by what a suite says of a case.
STYLES: dict[str, str] = {
    **{outcome: outcome.style for outcome in Outcome},
    UNEXPECTED: "bold red",
    FORESEEN: "yellow",
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
    blocks += [wrap(Text(f"problem: {inline(problem)}"), width, 2) for problem in report.problems]
    if quiet or len(report.records) != 1:
        blocks.append(wrap(Text(summary(report)), width, 2))
    lines = [line for k, block in enumerate(blocks) for line in ([Text()] * bool(k) + block)]
    return terminal_text(Text("\n").join(lines), color=color)


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
        shared = group.shared
        point = phrase_of(
            shared, [key for key in shared if key not in ("dtype", "device", "case", "file")]
        )
        device = f"on {shared['device']}" if "device" in shared else ""
        place = (
            shared.get("file", ""),
            shared.get("case", ""),
            f"at {point}" if point else "",
            f"{shared.get('dtype', '')} {device}".strip(),
        )
        program, *read_as = (escape_controls(text) for text in programs_of(group))
        lines = [
            Text(program, style="bold"),
            *(Text(f"read as {text}") for text in read_as),
            Text("; ".join(filter(None, place))),
        ]
        known = [] if self.quiet else formulas(group)
        for name, formula in known if self.verbose else known[:MAX_FORMULAS]:
            text = f"{name} = {formula}"
            lines.append(Text(text if self.verbose else shorten(text, MAX_LINE)))
        if not self.verbose and len(known) > MAX_FORMULAS:
            lines.append(Text(f"… and {len(known) - MAX_FORMULAS:,} more, which --verbose shows"))
        return self._wrap(line for line in lines if line.plain)

    def _table(self, group: Group, rows: Sequence[FactRow]) -> list[Text]:
        titles = titles_of(rows, verbose=self.verbose)
        asked = [name.removesuffix(" =") for name in group.differing]
        head = [*asked, "", *titles.values(), "outcome"]
        body = [
            [
                *(group.fields[id(row.record)].get(name, "") for name in group.differing),
                row.name,
                *(row.cells.get(name, NOTHING) for name in titles),
                row.outcome,
            ]
            for row in rows
        ]
        widths = [max(map(cell_len, column)) for column in zip(head, *body, strict=True)]
        if self.width is not None and sum(widths) + len(_GAP) * (len(widths) - 1) > self.width:
            return self._stack(group, rows, titles)
        # Numbers stand flush right, the case, the partial and the outcome flush left.
        numbers = range(len(asked) + 1, len(head) - 1)
        lines = [
            Text(_line(head, widths, numbers), style="bold"),
            Text(_GAP.join("─" * width for width in widths)),
        ]
        for cells in body:
            line = Text(_line(cells, widths, numbers))
            line.stylize(STYLES[cells[-1]], len(line) - len(cells[-1]))
            lines.append(line)
        return lines

    def _stack(
        self, group: Group, rows: Sequence[FactRow], titles: Mapping[str, str]
    ) -> list[Text]:
        """A block for each partial, a line for each number."""
        lines: list[Text] = []
        for row in rows:
            outcome = (row.outcome, STYLES[row.outcome])
            cells = [f"{title}: {row.cells.get(name, NOTHING)}" for name, title in titles.items()]
            block = [Text.assemble((group.subject(row), "bold"), ": ", outcome), *map(Text, cells)]
            lines += [Text()] * bool(lines) + self._wrap(block)
        return lines

    def _below(self, group: Group) -> list[Text]:
        lines: list[Text] = []
        for sentence in sentences(group, verbose=self.verbose, quiet=self.quiet):
            kind, text = sentence.kind, sentence.text
            subject = f"{sentence.subject}: " if sentence.subject else ""
            if kind in STYLES:
                lines.append(Text.assemble(subject, (kind, STYLES[kind]), f": {text}"))
            else:
                lines.append(Text(f"{kind}: {subject}{text}" if kind else text))
        lines = self._wrap(lines)
        lead = "reproduce: "
        for command in commands(group, verbose=self.verbose):
            lines += Text(lead + wrap_command(command, self.width, len(lead))).split("\n")
        return lines

    def _wrap(self, lines: Iterable[Text]) -> list[Text]:
        return [piece for line in lines for piece in wrap(line, self.width, 2)]


def _line(cells: Sequence[str], widths: Sequence[int], numbers: range) -> str:
    padded = []
    for k, (cell, width) in enumerate(zip(cells, widths, strict=True)):
        space = " " * (width - cell_len(cell))
        padded.append(space + cell if k in numbers else cell + space)
    return _GAP.join(padded).rstrip()
