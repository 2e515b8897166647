"""The report in the Test Anything Protocol, version 14: one test point a check."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gradcheck_cli.records.json_text import json_text
from gradcheck_cli.records.outcome import Status
from gradcheck_cli.reports.findings import command_of, file_of, lines_of, outcome_text, with_names
from gradcheck_cli.reports.format import inert
from gradcheck_cli.reports.wrap import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gradcheck_cli.records.record import Record
    from gradcheck_cli.records.report import Report

RANK = 10
SUFFIXES = (".tap",)
FORMULAS = False

_DIRECTIVES: dict[str, str] = {Status.SKIP: "SKIP", Status.XFAIL: "TODO"}


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
    return inert("\n".join(lines) + "\n")


def _point(number: int, name: str, record: Record) -> Iterator[str]:
    status = Status(record["status"])
    reason = _escape(one_line(record["reason"] or outcome_text(record)))
    directive = f" # {_DIRECTIVES[status]} {reason}" if status in _DIRECTIVES else ""
    well = status.is_well and status is not Status.XFAIL
    yield f"{'' if well else 'not '}ok {number} - {_escape(name)}{directive}"
    if not well:
        yield "  ---"
        yield from (f"  {key}: {_yaml(value)}" for key, value in _diagnostics(record).items())
        yield "  ..."


def _diagnostics(record: Record) -> dict[str, Any]:
    *texts, _ = lines_of(record)
    source = record["source"]
    return {
        "outcome": record["outcome"],
        "status": record["status"],
        "message": texts,
        **({} if source is None else {"at": source | {"file": file_of(record)}}),
        "reproduce": command_of(record),
    }


def _escape(text: str) -> str:
    """A description or reason: a # would begin a directive."""
    return text.replace("\\", "\\\\").replace("#", "\\#")


def _yaml(value: Any) -> str:
    """A value as JSON, which is YAML as well where everything is escaped that is not printed."""
    return json_text(value)
