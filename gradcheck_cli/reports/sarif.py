"""The report in SARIF 2.1.0, which code scanning services and editors read."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from gradcheck_cli.records.outcome import OUTCOMES
from gradcheck_cli.reports.findings import Finding, command_of, findings, one_line, with_names
from gradcheck_cli.reports.format import escape_controls

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gradcheck_cli.records.record import Record
    from gradcheck_cli.records.report import Report

# What a result may be filed under, with what it means; each is a rule.
RULES = {
    "error": "The check has no verdict: it crashed, or ran out of time or memory.",
    "unexpected": "What was found is not what the suite expects.",
    "wrong": "torch's gradient is wrong: rounding does not explain its error.",
    "inconclusive": "Nothing could be shown of the gradient.",
    "undefined": "No finite derivative exists at the point.",
    "detached": "torch has no path from the input to the result.",
    "kink": "There is no derivative at the point: left and right derivatives differ.",
    "imprecise": "More than half the digits of torch's gradient are lost to rounding.",
    "agree": "torch's gradient is right, as far as the dtype can be.",
    "skipped": "The suite says not to check it.",
}
_LEVELS = {
    "error": "error",
    "fail": "error",
    "unverified": "warning",
    "xfail": "error",
    "skip": "none",
}


def render(report: Report) -> str:
    """A log with one run: the rules, and a result for everything that does not simply pass."""
    driver = {
        "name": "gradcheck",
        **(
            {"version": report.environment["gradcheck"]}
            if "gradcheck" in report.environment
            else {}
        ),
        "rules": [_rule(name, told) for name, told in RULES.items()],
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
    return json.dumps({"version": "2.1.0", "runs": [run]}, indent=1, ensure_ascii=False) + "\n"


def _rule(name: str, told: str) -> dict[str, Any]:
    page = f" `gradcheck explain {name}` tells more." if name in OUTCOMES else ""
    return {
        "id": name,
        "shortDescription": {"text": told},
        "fullDescription": {"text": told},
        "help": {"text": f"{told}{page}"},
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
        "executionSuccessful": whole and "error" not in report.statuses,
        "toolExecutionNotifications": notes,
    }


def _result(name: str, record: Record, finding: Finding) -> dict[str, Any]:
    reason = one_line(record["reason"] or f"the outcome is {record['outcome']}")
    suppressed = record["status"] in ("xfail", "skip")
    return {
        "ruleId": finding.rule,
        "ruleIndex": list(RULES).index(finding.rule),
        "kind": "notApplicable" if record["status"] == "skip" else "fail",
        "level": _LEVELS[record["status"]],
        "message": {"text": f"{name}: {finding.text}\nreproduce: {command_of(record)}"},
        **(
            {"locations": [{"physicalLocation": _place(record["source"])}]}
            if record["source"] is not None
            else {}
        ),
        "partialFingerprints": {"gradcheck/v1": finding.fingerprint(name)},
        # For all results or for none, says the standard. Without a `status` it is accepted; the
        # first schemas called that key `state`.
        "suppressions": [{"kind": "external", "justification": reason}] if suppressed else [],
    }


def _place(source: Mapping[str, Any]) -> dict[str, Any]:
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
