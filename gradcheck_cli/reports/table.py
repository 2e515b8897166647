"""The table for a terminal: a row that a glance is enough for, and below it a sentence for what a
glance is not enough for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from gradcheck_cli.records.outcome import Outcome
from gradcheck_cli.reports.digest import brief_of, chosen, rest_of, tells_reading
from gradcheck_cli.reports.digits import ALL_DIGITS, SHORT
from gradcheck_cli.reports.facts import (
    FORESEEN,
    MAX_EXPLAINED,
    MAX_FORMULAS,
    UNEXPECTED,
    commands,
    groups,
    place_of,
    programs_of,
    sentences,
)
from gradcheck_cli.reports.format import MAX_LINE, escape_controls, inline
from gradcheck_cli.reports.header import formulas
from gradcheck_cli.reports.layout import detail_of, table_of
from gradcheck_cli.reports.matrix import matrices
from gradcheck_cli.reports.rows import Detail, titles_of
from gradcheck_cli.reports.tally import summary
from gradcheck_cli.reports.terminal import terminal_text
from gradcheck_cli.reports.traced_cases import chain_rules
from gradcheck_cli.reports.values import value_text
from gradcheck_cli.reports.wrap import shorten, wrap, wrap_command

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

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


def render(
    report: Report,
    *,
    width: int | None = None,
    color: bool = False,
    verbose: bool = False,
    quiet: bool = False,
    brief: bool = False,
) -> str:
    """The report as a table, or as `name: value` lines where the terminal is narrow.

    Args:
        width: columns of the terminal; None for as many as it takes.
        verbose: nothing shortened: whole numbers, formulas and arrays, every row and sentence.
        quiet: only what is not plainly good, and the summary.
        brief: that as a line for each program.
    """
    known = [
        group
        for group in groups(report, verbose=verbose)
        if not quiet or group.unsettled or (brief and tells_reading(group))
    ]
    if brief and not verbose:
        blocks = [[Text(brief_of(group))] for group in known]
    else:
        page = _Page(known, width, verbose, quiet)
        blocks = [page.group(k) for k in range(len(known))]
    blocks += [wrap(Text(f"problem: {inline(problem)}"), width, 2) for problem in report.problems]
    is_said = brief and len(known) == 1 and len(known[0].records) == len(report.records)
    if (quiet or len(report.records) != 1) and not is_said:
        blocks.append(wrap(Text(summary(report)), width, 2))
    apart = [Text()] * (not brief)
    lines = [line for k, block in enumerate(blocks) for line in (apart * bool(k) + block)]
    return terminal_text(Text("\n").join(lines), color=color)


class _Page:
    """How a report is laid out."""

    def __init__(
        self, known: Sequence[Group], width: int | None, verbose: bool, quiet: bool
    ) -> None:
        self.groups, self.width, self.verbose, self.quiet = known, width, verbose, quiet
        self.wanted = [
            [row for row in group.rows if not (quiet and row.settled)] for group in known
        ]
        self.rows = self.wanted if verbose else list(map(chosen, self.wanted))
        tables = [(g, rows) for g, rows in zip(known, self.rows, strict=True) if rows]
        self.detail = detail_of(tables, width, verbose=verbose)

    def group(self, k: int) -> list[Text]:
        """Header, table and what is said below it."""
        group, rows = self.groups[k], self.rows[k]
        left = len(rows) < len(self.wanted[k])
        parts = [
            self._header(group),
            self._table(group, rows) if rows else [],
            self._wrap(map(Text, rest_of(group, group.rows, rows))) if left else [],
            self._matrices(group) if self.verbose else [],
            [] if self.quiet else chain_rules(group, self.width, verbose=self.verbose),
            self._below(group, rows[:MAX_EXPLAINED] if left else group.rows, left),
        ]
        lines: list[Text] = []
        for part in parts:
            lines += ([Text()] if lines and part else []) + part
        return lines

    def _header(self, group: Group) -> list[Text]:
        """Program, point, dtype, device, cotangent, value and formulas, as far as all cases share
        them.
        """
        rounds = self.detail is not None and self.detail.digits < ALL_DIGITS
        digits = SHORT if rounds else ALL_DIGITS
        values = {value_text(r, digits, whole=self.verbose) for r in group.records}
        program, *read_as = (escape_controls(text) for text in programs_of(group))
        lines = [
            Text(program, style="bold"),
            *(Text(f"read as {text}") for text in read_as),
            Text(place_of(group)),
            Text(f"f = {values.pop()}" if len(values) == 1 and values != {""} else ""),
        ]
        known = [] if self.quiet else formulas(group.rows)
        for name, formula in known if self.verbose else known[:MAX_FORMULAS]:
            text = f"{name} = {formula}"
            lines.append(Text(text if self.verbose else shorten(text, MAX_LINE)))
        if not self.verbose and len(known) > MAX_FORMULAS:
            lines.append(Text(f"… and {len(known) - MAX_FORMULAS:,} more, which --verbose shows"))
        return self._wrap(line for line in lines if line.plain)

    def _table(self, group: Group, rows: Sequence[FactRow]) -> list[Text]:
        if self.detail is None:
            return self._stack(group, rows)
        return table_of(group, rows, self.detail).lines(rows, STYLES)

    def _stack(self, group: Group, rows: Sequence[FactRow]) -> list[Text]:
        """A block for each partial, a line for each number."""
        lines: list[Text] = []
        detail = Detail(verbose=self.verbose)
        titles = titles_of(rows, detail)
        for row in rows:
            outcome = (row.outcome, STYLES[row.outcome])
            cells = [f"{title}: {row.cell(name, detail)}" for name, title in titles.items()]
            block = [Text.assemble((group.subject(row), "bold"), ": ", outcome), *map(Text, cells)]
            lines += [Text()] * bool(lines) + self._wrap(block)
        return lines

    def _matrices(self, group: Group) -> list[Text]:
        """Answers by a matrix as a matrix, where the terminal has room for it."""
        lines: list[Text] = []
        for block in matrices(group):
            if self.width is None or max(map(len, block)) <= self.width:
                lines += [Text()] * bool(lines) + list(map(Text, block))
        return lines

    def _below(self, group: Group, rows: Sequence[FactRow], left: bool) -> list[Text]:
        lines: list[Text] = []
        for sentence in sentences(group, rows, verbose=self.verbose, quiet=self.quiet):
            kind, text = sentence.kind, sentence.text
            subject = f"{sentence.subject}: " if sentence.subject else ""
            if kind in STYLES:
                lines.append(Text.assemble(subject, (kind, STYLES[kind]), f": {text}"))
            else:
                lines.append(Text(f"{kind}: {subject}{text}" if kind else text))
        lines = self._wrap(lines)
        lead = "reproduce: "
        for command in commands(group, rows if left else None, verbose=self.verbose):
            lines += Text(lead + wrap_command(command, self.width, len(lead))).split("\n")
        return lines

    def _wrap(self, lines: Iterable[Text]) -> list[Text]:
        return [piece for line in lines for piece in wrap(line, self.width, 2)]
