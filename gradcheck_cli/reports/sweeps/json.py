"""A report of sweeps as JSON, format 1: each sweep put together, then what the run was."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradcheck_cli.records.json_text import json_text
from gradcheck_cli.records.sweep_record import ULP_EDGES
from gradcheck_cli.reports.json import FORMAT
from gradcheck_cli.reports.sweeps import problems_of, sweeps_of

if TYPE_CHECKING:
    from gradcheck_cli.records.report import Report


def render(report: Report) -> str:
    """One JSON document, indented."""
    whole = {
        "format": FORMAT,
        "command": list(report.command),
        "exit_code": report.exit_code,
        "environment": dict(report.environment),
        "summary": report.summary,
        "ulp_edges": list(ULP_EDGES),
        "sweeps": sweeps_of(report),
        "problems": problems_of(report),
    }
    return json_text(whole, indent=1) + "\n"
