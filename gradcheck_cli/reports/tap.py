"""The report in the Test Anything Protocol, version 14: one test point a check."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from gradcheck_cli.records.outcome import Status
from gradcheck_cli.reports.findings import command_of, file_of, lines_of, one_line, with_names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gradcheck_cli.records.record import Record
    from gradcheck_cli.records.report import Report


def render(report: Report) -> str:
    """The version, the plan, then a test point for each check, with a YAML block where it is not
    ok; problems are comments.
    """
    checks = len(report.records)
    lines = ["TAP version 14", f"1..{checks}" + ("" if checks else " # nothing was checked")]
    for number, (name, record) in enumerate(with_names(report.records), start=1):
        lines += _point(number, name, record)
    lines += [f"# problem: {one_line(problem)}" for problem in report.problems]
    if report.interrupted or report.incomplete:
        # Every test point that is there may be ok: only this tells a harness that others are
        # missing.
        lines.append("Bail out! checks are missing")
    return "\n".join(lines) + "\n"


def _point(number: int, name: str, record: Record) -> Iterator[str]:
    status = record["status"]
    reason = _escaped(one_line(record["reason"] or f"the outcome is {record['outcome']}"))
    directive = {"skip": f" # SKIP {reason}", "xfail": f" # TODO {reason}"}.get(status, "")
    well = Status(status).is_well and status != "xfail"
    yield f"{'' if well else 'not '}ok {number} - {_escaped(name)}{directive}"
    if not well:
        yield from (
            "  ---",
            *(f"  {key}: {_yaml(value)}" for key, value in _diagnostics(record).items()),
            "  ...",
        )


def _diagnostics(record: Record) -> dict[str, Any]:
    *told, _ = lines_of(record)
    place = (
        {"at": record["source"] | {"file": file_of(record)}} if record["source"] is not None else {}
    )
    return {
        "outcome": record["outcome"],
        "status": record["status"],
        "message": told,
        **place,
        "reproduce": command_of(record),
    }


def _escaped(text: str) -> str:
    """A description or reason: a # would begin a directive."""
    return text.replace("\\", "\\\\").replace("#", "\\#")


def _yaml(value: Any) -> str:
    """A value as JSON, which is YAML as well; what YAML does not print is escaped, as are the line
    ends that JSON leaves alone.
    """
    return re.sub(
        "[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]",
        lambda found: f"\\u{ord(found[0]):04x}",
        json.dumps(value, ensure_ascii=False),
    )
