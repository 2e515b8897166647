"""The report as GitHub workflow commands: annotations at the lines of the suite, worst first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradcheck_cli.records.outcome import Status
from gradcheck_cli.reports.findings import NOT_GREEN, file_of, lines_of, rule_of, with_names
from gradcheck_cli.reports.format import escape_controls, unmarked
from gradcheck_cli.reports.tally import summary
from gradcheck_cli.reports.wrap import one_line

if TYPE_CHECKING:
    from gradcheck_cli.records.record import Record
    from gradcheck_cli.records.report import Report

RANK = 7
SUFFIXES = ()

# GitHub shows no more annotations of one kind for one step.
MAX_ANNOTATIONS = 10


def render(report: Report) -> str:
    """`::error` for what has no verdict or fails, `::warning` for what is not verified and for
    problems; then what there is in all.
    """
    serious = "error" if report.interrupted or report.incomplete else "warning"
    notes: dict[str, list[str]] = {status: [] for status in NOT_GREEN}
    for name, record in with_names(report.records):
        if len(notes.get(record["status"], range(MAX_ANNOTATIONS))) < MAX_ANNOTATIONS:
            notes[record["status"]].append(_annotation(name, record))
    lines: dict[str, list[str]] = {"error": [], "warning": []}
    lines[serious] += [
        _command(serious, one_line(problem), title="gradcheck: problem")
        for problem in report.problems[:MAX_ANNOTATIONS]
    ]
    for status in NOT_GREEN:
        lines[status.level] += notes[status]
    kept = [line for kind in lines.values() for line in kind[:MAX_ANNOTATIONS]]
    number = len(report.problems) + sum(report.statuses.get(status, 0) for status in NOT_GREEN)
    rest = summary(report)
    if number > len(kept):
        rest += f"; {number - len(kept):,} more"
        rest += f", since GitHub shows only {MAX_ANNOTATIONS} annotations of a kind"
    return "\n".join([*kept, _command("notice", rest, title="gradcheck")]) + "\n"


def _annotation(name: str, record: Record) -> str:
    source, file = record["source"], file_of(record)
    place = {} if file is None else {"file": escape_controls(file)}
    if source is not None:
        place |= {"line": str(source["line"]), "col": str(source["column"])}
    kind, title = Status(record["status"]).level, f"{rule_of(record)}: {name}"
    return _command(kind, "\n".join(lines_of(record)), **place, title=title)


def _command(kind: str, message: str, **properties: str) -> str:
    settings = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{kind} {settings}::{_data(message)}"


def _data(text: str) -> str:
    """A message as the runner reads it back; the percent sign first, or it is escaped twice. In it
    stands no command to any other server.
    """
    return unmarked(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """A property, which also ends at a colon or a comma."""
    return _data(text).replace(":", "%3A").replace(",", "%2C")
