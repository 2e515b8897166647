"""JSON lines: one case a line, so that a line can be written as soon as its case is done."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from gradcheck_cli.reports.json import case_document

if TYPE_CHECKING:
    from gradcheck_cli.suite.report import Report, Result


def render(report: Report) -> str:
    """A line for each case."""
    return "".join(line(result) for result in report.results)


def line(result: Result) -> str:
    """One case as one line."""
    return json.dumps(case_document(result), ensure_ascii=False, allow_nan=False) + "\n"
