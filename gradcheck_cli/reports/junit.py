"""The JUnit report: one test suite a file, one test case a check; what Jenkins, GitLab and most
other CI services read.

A test case of a suite has `file` and `line`, by which GitLab and CircleCI link to it. Jenkins'
built-in JUnit reader takes them; its stricter xUnit plugin does not, and refuses a whole file for
an attribute that it does not know.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from gradcheck_cli.reports.facts import FORESEEN
from gradcheck_cli.reports.findings import file_of, lines_of, one_line, rule_of, with_names
from gradcheck_cli.reports.format import escape_controls

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gradcheck_cli.records.record import Record
    from gradcheck_cli.records.report import Report

# What each status becomes; a test case without a child has passed. Nothing is wrong with what is
# unverified, yet nothing is shown either, and the exit code is not 0: a failure, of the type that
# its outcome names.
_CHILDREN = {
    "error": "error",
    "fail": "failure",
    "unverified": "failure",
    "xfail": "skipped",
    "skip": "skipped",
}
_ALONE = "gradcheck"
_MISSING = '<error type="incomplete" message="checks are missing"/>'


def render(report: Report) -> str:
    """An XML document: <testsuites>, a <testsuite> for each file, a <testcase> for each check."""
    suites: dict[str, list[tuple[str, str]]] = {}
    for name, record in with_names(report.records):
        suites.setdefault(file_of(record) or _ALONE, []).append(
            (record["status"], _case(name, record))
        )
    if report.interrupted or report.incomplete:
        # Every check that was made may have passed: only this shows that others are missing.
        suites.setdefault(_ALONE, []).append(
            (
                "error",
                f"<testcase{_attributes(classname=_ALONE, name='all checks')}>{_MISSING}</testcase>",
            )
        )
    statuses = [status for cases in suites.values() for status, _ in cases]
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f"<testsuites{_attributes(name=_ALONE, **_totals(statuses))}>",
    ]
    for file, cases in suites.items():
        found = [status for status, _ in cases]
        skipped = sum(_CHILDREN.get(status) == "skipped" for status in found)
        place = {} if file == _ALONE else {"file": file}
        lines.append(
            f"<testsuite{_attributes(name=file, **_totals(found), skipped=str(skipped), **place)}>"
        )
        lines += [*(case for _, case in cases), "</testsuite>"]
    if report.problems:
        told = "\n".join(map(one_line, report.problems))
        lines.append(
            f"<testsuite{_attributes(name='problems', **_totals(()))}><system-err>{_text(told)}</system-err></testsuite>"
        )
    return "\n".join([*lines, "</testsuites>"]) + "\n"


def _totals(statuses: Iterable[str]) -> dict[str, str]:
    children = [_CHILDREN.get(status) for status in statuses]
    return {
        "tests": str(len(children)),
        "failures": str(children.count("failure")),
        "errors": str(children.count("error")),
    }


def _case(name: str, record: Record) -> str:
    file = file_of(record)
    place = record["source"]
    linked = {"file": file, "line": str(place["line"])} if file else {}
    start = f"<testcase{_attributes(classname=file or _ALONE, name=name.removeprefix(f'{file}::'), **linked)}"
    child = _CHILDREN.get(record["status"])
    if child is None:
        return f"{start}/>"
    lines = lines_of(record)
    if child == "skipped":
        reason = record["reason"] or f"the outcome is {record['outcome']}"
        return f"{start}><skipped{_attributes(message=f'{FORESEEN}: {reason}' if record['status'] == 'xfail' else reason)}/></testcase>"
    told = (
        lines if place is None else [f"{place['file']}:{place['line']}:{place['column']}", *lines]
    )
    text = _text("\n".join(told))
    return f"{start}><{child}{_attributes(type=rule_of(record), message=lines[0])}>{text}</{child}></testcase>"


def _attributes(**values: str) -> str:
    # A reader turns a bare line end inside an attribute into a space.
    escaped = {
        name: _text(value).replace('"', "&quot;").replace("\n", "&#10;")
        for name, value in values.items()
    }
    return "".join(f' {name}="{value}"' for name, value in escaped.items())


def _text(text: str) -> str:
    """Text for XML 1.0, which has no way at all to hold most control characters: they are written
    as escapes one can read.
    """
    return escape(escape_controls(text), quote=False)
