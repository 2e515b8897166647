"""The table of a sweep for a terminal: points by outcome, ulps by binade, and below it what is not
plainly good.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from gradcheck_cli.records.outcome import Outcome
from gradcheck_cli.records.sweep_record import NOT_SETTLED
from gradcheck_cli.reports.format import escape_controls, inline
from gradcheck_cli.reports.sweeps import problems_of, sweeps_of
from gradcheck_cli.reports.sweeps.facts import (
    EDGE_TITLES,
    OutcomeRow,
    commands_of,
    head_of,
    histogram_of,
    outcome_rows,
    sentences_of,
)
from gradcheck_cli.reports.terminal import terminal_text
from gradcheck_cli.reports.wrap import wrap, wrap_command

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gradcheck_cli.records.report import Report
    from gradcheck_cli.reports.sweeps import WholeSweep

_STYLES: dict[str, str] = {**{str(o): o.style for o in Outcome}, NOT_SETTLED: "bold yellow"}
_HEADS = ("outcome", "points", "worst", "at", "between")
_GAP = "  "


def render(
    report: Report,
    *,
    width: int | None = None,
    color: bool = False,
    verbose: bool = False,
    quiet: bool = False,
    brief: bool = False,
) -> str:
    """The sweeps one below the other.

    Args:
        width: columns of the terminal; None for as many as it takes.
        verbose: every stretch and every binade.
        quiet, brief: a line for each sweep.
    """
    blocks = [
        [Text(_brief(sweep))] if brief else _block(sweep, width, verbose=verbose)
        for sweep in sweeps_of(report)
    ]
    blocks += [
        wrap(Text(f"problem: {inline(problem)}"), width, 2) for problem in problems_of(report)
    ]
    apart = [Text()] * (not brief)
    lines = [line for k, block in enumerate(blocks) for line in (apart * bool(k) + block)]
    return terminal_text(Text("\n").join(lines), color=color)


def _brief(sweep: WholeSweep) -> str:
    counts = ", ".join(f"{number:,} {name}" for name, number in sweep["outcomes"].items())
    return f"{inline(sweep['expression'])}: {sweep['dtype']}: {counts}"


def _block(sweep: WholeSweep, width: int | None, *, verbose: bool) -> list[Text]:
    head = [Text(escape_controls(sweep["expression"]), style="bold")]
    if sweep["written"]:
        head = [
            Text(escape_controls(sweep["written"]), style="bold"),
            Text(f"read as {escape_controls(sweep['expression'])}"),
        ]
    head.append(Text(head_of(sweep)))
    parts = [
        _wrapped(head, width),
        _outcomes(outcome_rows(sweep), width),
        _histogram(sweep, width, verbose=verbose),
        _below(sweep, width, verbose=verbose),
    ]
    lines: list[Text] = []
    for part in parts:
        lines += ([Text()] if lines and part else []) + part
    return lines


def _outcomes(rows: Sequence[OutcomeRow], width: int | None) -> list[Text]:
    """A row for each outcome; where the terminal is too narrow without the last columns, which the
    sentences tell.
    """
    for count in (5, 4, 3, 2):
        cells = [row[:count] for row in rows]
        lines = _columns(_HEADS[:count], cells, left={0, 4})
        if width is None or max(len(line.plain) for line in lines) <= width or count == 2:
            break
    for line, row in zip(lines[2:], rows, strict=True):
        line.stylize(_STYLES[row.outcome], 0, len(row.outcome))
    return lines


def _histogram(sweep: WholeSweep, width: int | None, *, verbose: bool) -> list[Text]:
    rows = histogram_of(sweep, verbose=verbose)
    if not rows:
        return []
    used = [k for k in range(len(EDGE_TITLES)) if any(points[k] for _, points in rows)]
    titles = (f"ulp, {next(iter(sweep['over']))} in", *(EDGE_TITLES[k] for k in used))
    cells = [(name, *(f"{points[k]:,}" for k in used)) for name, points in rows]
    lines = _columns(titles, cells, left={0})
    fits = width is None or max(len(line.plain) for line in lines) <= width
    return lines if fits else []


def _columns(heads: Sequence[str], rows: Sequence[Sequence[str]], left: set[int]) -> list[Text]:
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]

    def line(cells: Sequence[str]) -> Text:
        padded = (
            cell.ljust(width) if k in left else cell.rjust(width)
            for k, (cell, width) in enumerate(zip(cells, widths, strict=True))
        )
        return Text(_GAP.join(padded).rstrip())

    return [line(heads), Text(_GAP.join("─" * width for width in widths)), *map(line, rows)]


def _below(sweep: WholeSweep, width: int | None, *, verbose: bool) -> list[Text]:
    lines = []
    for outcome, sentence in sentences_of(sweep, verbose=verbose):
        styled = Text.assemble((outcome, _STYLES.get(outcome, "")), ": ") if outcome else Text()
        lines.append(styled + Text(inline(sentence)))
    found, lead = _wrapped(lines, width), "reproduce: "
    for command in commands_of(sweep):
        found += Text(lead + wrap_command(command, width, len(lead))).split("\n")
    return found


def _wrapped(lines: Iterable[Text], width: int | None) -> list[Text]:
    return [piece for line in lines for piece in wrap(line, width, 2)]
