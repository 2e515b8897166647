"""The report in SARIF 2.1.0, which code scanning services and editors read."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from gradcheck_cli.records.json_text import json_text
from gradcheck_cli.records.outcome import OUTCOMES, Outcome, Status
from gradcheck_cli.reports.findings import (
    UNEXPECTED_RULE,
    Finding,
    command_of,
    findings,
    outcome_text,
    with_names,
)
from gradcheck_cli.reports.format import escape_controls
from gradcheck_cli.reports.wrap import one_line

if TYPE_CHECKING:
    from gradcheck_cli.records.record import Record, SuitePlace
    from gradcheck_cli.records.report import Report

RANK = 9
SUFFIXES = (".sarif",)
FORMULAS = False

_WORST, *_OTHERS = Outcome
# What a result may be filed under, with what it means; each is a rule.
RULES: dict[str, str] = {
    _WORST: _WORST.meaning,
    UNEXPECTED_RULE: "What was found is not what the suite expects.",
    **{outcome: outcome.meaning for outcome in _OTHERS},
}


def render(report: Report) -> str:
    """A log with one run: the rules, and a result for everything that does not simply pass."""
    environment = report.environment
    driver = {
        "name": "gradcheck",
        **({"version": environment["gradcheck"]} if "gradcheck" in environment else {}),
        "rules": [_rule(name, meaning) for name, meaning in RULES.items()],
    }
    results = [
        _result(name, record, finding)
        for name, record in with_names(report.records)
        for finding in findings(record)
    ]
    run = {
        "tool": {"driver": driver},
        "invocations": [_invocation(report)],
        "columnKind": "unicodeCodePoints",
        "results": results,
    }
    return json_text({"version": "2.1.0", "runs": [run]}, indent=1) + "\n"


def _rule(name: str, meaning: str) -> dict[str, Any]:
    page = f" `gradcheck explain {name}` tells more." if name in OUTCOMES else ""
    return {
        "id": name,
        "shortDescription": {"text": meaning},
        "fullDescription": {"text": meaning},
        "help": {"text": f"{meaning}{page}"},
    }


def _invocation(report: Report) -> dict[str, Any]:
    """How the run itself went; a run that reports a wrong gradient has done its work."""
    whole = not report.interrupted and not report.incomplete
    notes = [
        {"level": "warning", "message": {"text": one_line(problem)}} for problem in report.problems
    ]
    return {
        **({"commandLine": escape_controls(shlex.join(report.command))} if report.command else {}),
        "exitCode": report.exit_code,
        "executionSuccessful": whole and Status.ERROR not in report.statuses,
        "toolExecutionNotifications": notes,
    }


def _result(name: str, record: Record, finding: Finding) -> dict[str, Any]:
    status, source = Status(record["status"]), record["source"]
    reason = one_line(record["reason"] or outcome_text(record))
    place = {} if source is None else {"locations": [{"physicalLocation": _place(source)}]}
    return {
        "ruleId": finding.rule,
        "ruleIndex": list(RULES).index(finding.rule),
        "kind": "notApplicable" if status is Status.SKIP else "fail",
        "level": status.level,
        "message": {"text": f"{name}: {finding.text}\nreproduce: {command_of(record)}"},
        **place,
        "partialFingerprints": {"gradcheck/v1": finding.fingerprint(name)},
        # For all results or for none, says the standard. Without a `status` it is accepted; the
        # first schemas called that key `state`.
        "suppressions": [{"kind": "external", "justification": reason}] if status.is_well else [],
    }


def _place(source: SuitePlace) -> dict[str, Any]:
    return {
        "artifactLocation": {"uri": _uri(source["file"])},
        "region": {"startLine": source["line"], "startColumn": source["column"]},
    }


def _uri(file: str) -> str:
    """A path as a URI reference; a relative one stays relative, with nothing in it that could be
    taken for a scheme.
    """
    path = quote(file.replace("\\", "/"), errors="replace")
    return f"file://{path}" if path.startswith("/") else path
