"""The report in GitLab's Code Quality format: what a merge request shows beside the lines of a
suite.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gradcheck_cli.records.json_text import json_text
from gradcheck_cli.records.outcome import Outcome
from gradcheck_cli.reports.findings import (
    NOT_GREEN,
    UNEXPECTED_RULE,
    Finding,
    file_of,
    findings,
    with_names,
)
from gradcheck_cli.reports.wrap import one_line

if TYPE_CHECKING:
    from gradcheck_cli.records.report import Report

RANK = 8
SUFFIXES = ()
FORMULAS = False

SEVERITIES: dict[str, str] = {
    **{outcome: outcome.severity for outcome in Outcome},
    UNEXPECTED_RULE: Outcome.WRONG.severity,
    "problem": "info",
    "incomplete": "blocker",
}
# GitLab wants a file for everything; outside a suite there is none but the project itself.
_NOWHERE = "."


def render(report: Report) -> str:
    """A JSON array: an issue for each input and outcome of each check that is not well, and for
    each problem of the run.
    """
    issues = [
        _issue(
            name,
            finding,
            file_of(record) or _NOWHERE,
            1 if record["source"] is None else record["source"]["line"],
        )
        for name, record in with_names(report.records)
        if record["status"] in NOT_GREEN
        for finding in findings(record)
    ]
    issues += [
        _issue("gradcheck", Finding("problem", text, text))
        for text in dict.fromkeys(map(one_line, report.problems))
    ]
    if report.interrupted or report.incomplete:
        issues.append(_issue("gradcheck", Finding("incomplete", "checks are missing")))
    return json_text(issues, indent=1) + "\n"


def _issue(name: str, finding: Finding, file: str = _NOWHERE, line: int = 1) -> dict[str, Any]:
    return {
        "description": f"{name}: {finding.text}",
        "check_name": f"gradcheck/{finding.rule}",
        "fingerprint": finding.fingerprint(name),
        # No path to a derivative that is not 0 is a wrong gradient.
        "severity": SEVERITIES[Outcome.WRONG if finding.failed else finding.rule],
        "location": {"path": file, "lines": {"begin": line}},
    }
