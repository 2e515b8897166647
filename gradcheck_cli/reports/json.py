"""The JSON report, format 1: everything, with nulls written and NaN and infinities as strings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gradcheck_cli.records.json_text import json_text

if TYPE_CHECKING:
    from gradcheck_cli.records.report import Report

RANK = 2
SUFFIXES = (".json",)

FORMAT = 1


def render(report: Report) -> str:
    """The whole report as one JSON document, indented."""
    return json_text(document(report), indent=1) + "\n"


def document(report: Report) -> dict[str, Any]:
    """The report as plain data."""
    return {
        "format": FORMAT,
        "command": list(report.command),
        "exit_code": report.exit_code,
        "environment": dict(report.environment),
        "summary": report.summary,
        "cases": list(report.records),
        "problems": list(report.problems),
    }
