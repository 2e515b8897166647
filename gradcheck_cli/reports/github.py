"""The report as GitHub workflow commands: annotations at the lines of the suite, worst first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradcheck_cli.reports.facts import summary
from gradcheck_cli.reports.findings import (
    NOT_GREEN,
    file_of,
    lines_of,
    one_line,
    rule_of,
    with_names,
)
from gradcheck_cli.reports.format import escape_controls

if TYPE_CHECKING:
    from gradcheck_cli.records.record import Record
    from gradcheck_cli.records.report import Report

# GitHub shows no more annotations of one kind for one step.
MAX_ANNOTATIONS = 10
_KINDS = dict(zip(NOT_GREEN, ("error", "error", "warning"), strict=True))


def render(report: Report) -> str:
    """`::error` for what has no verdict or fails, `::warning` for what is not verified and for
    problems; then what there is in all.
    """
    serious = "error" if report.interrupted or report.incomplete else "warning"
    found: dict[str, list[str]] = {status: [] for status in NOT_GREEN}
    for name, record in with_names(report.records):
        if len(found.get(record["status"], range(MAX_ANNOTATIONS))) < MAX_ANNOTATIONS:
            found[record["status"]].append(_annotation(_KINDS[record["status"]], name, record))
    lines: dict[str, list[str]] = {"error": [], "warning": []}
    lines[serious] += [
        _command(serious, one_line(problem), title="gradcheck: problem")
        for problem in report.problems[:MAX_ANNOTATIONS]
    ]
    for status in NOT_GREEN:
        lines[_KINDS[status]] += found[status]
    shown = [*lines["error"][:MAX_ANNOTATIONS], *lines["warning"][:MAX_ANNOTATIONS]]
    left = (
        len(report.problems)
        + sum(report.statuses.get(status, 0) for status in NOT_GREEN)
        - len(shown)
    )
    rest = (
        f"; {left:,} more, since GitHub shows only {MAX_ANNOTATIONS} annotations of a kind"
        if left
        else ""
    )
    return (
        "\n".join([*shown, _command("notice", f"{summary(report)}{rest}", title="gradcheck")])
        + "\n"
    )


def _annotation(kind: str, name: str, record: Record) -> str:
    place = record["source"] or {}
    where = {
        key: str(place[field])
        for key, field in (("line", "line"), ("col", "column"))
        if field in place
    }
    return _command(
        kind,
        "\n".join(lines_of(record)),
        **({"file": escape_controls(file)} if (file := file_of(record)) else {}),
        **where,
        title=f"{rule_of(record)}: {name}",
    )


def _command(kind: str, message: str, **properties: str) -> str:
    told = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{kind} {told}::{_data(message)}"


def _data(text: str) -> str:
    """A message as the runner reads it back; the percent sign first, or it would be escaped twice."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """A property, which also ends at a colon or a comma."""
    return _data(text).replace(":", "%3A").replace(",", "%2C")
