"""A report of sweeps as Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradcheck_cli.reports.format import inert
from gradcheck_cli.reports.markdown import cell, code, fence, prose
from gradcheck_cli.reports.sweeps import problems_of, sweeps_of
from gradcheck_cli.reports.sweeps.facts import (
    EDGE_TITLES,
    commands_of,
    head_of,
    histogram_of,
    outcome_rows,
    sentences_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gradcheck_cli.records.report import Report
    from gradcheck_cli.reports.sweeps import WholeSweep


def render(report: Report) -> str:
    """A heading, two tables and a list for each sweep."""
    lines = [line for sweep in sweeps_of(report) for line in _sweep(sweep)]
    lines += [f"- problem: {prose(problem)}" for problem in problems_of(report)]
    return inert("\n".join(lines).strip() + "\n")


def _sweep(sweep: WholeSweep) -> Iterator[str]:
    yield from (f"### {code(sweep['expression'])}", "", prose(head_of(sweep)), "")
    yield from _table(("outcome", "points", "worst", "at", "between"), outcome_rows(sweep))
    rows = histogram_of(sweep)
    if rows:
        cells = [(name, *(f"{n:,}" for n in points)) for name, points in rows]
        yield from _table((f"ulp, {next(iter(sweep['over']))} in", *EDGE_TITLES), cells)
    for outcome, sentence in sentences_of(sweep):
        yield f"- **{outcome}**: {prose(sentence)}" if outcome else f"- {prose(sentence)}"
    yield ""
    commands = commands_of(sweep)
    if commands:
        yield from (fence("\n".join(commands), "sh"), "")


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield _line(heads)
    yield _line(["---"] * len(heads))
    yield from map(_line, rows)
    yield ""


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(map(cell, cells))} |"
