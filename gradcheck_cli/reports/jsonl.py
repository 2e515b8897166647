"""JSON lines: one case a line, so that a line can be written as soon as its case is done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradcheck_cli.records.record import line_of

if TYPE_CHECKING:
    from gradcheck_cli.records.report import Report

RANK = 3
SUFFIXES = (".jsonl", ".ndjson")


def render(report: Report) -> str:
    """A line for each case."""
    return "".join(map(line_of, report.records))
