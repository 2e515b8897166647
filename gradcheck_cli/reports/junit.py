"""The JUnit report: one test suite a file, one test case a check; what Jenkins, GitLab and most
other CI services read.

A test case of a suite has `file` and `line`, by which GitLab and CircleCI link to it. Jenkins'
built-in JUnit reader takes them; its stricter xUnit plugin does not, and refuses a whole file for
an attribute that it does not know.
"""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING

from gradcheck_cli.records.json_text import MARKS
from gradcheck_cli.records.outcome import Status
from gradcheck_cli.reports.facts import FORESEEN
from gradcheck_cli.reports.findings import file_of, lines_of, outcome_text, rule_of, with_names
from gradcheck_cli.reports.format import escape_controls
from gradcheck_cli.reports.wrap import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gradcheck_cli.records.record import Record
    from gradcheck_cli.records.report import Report

RANK = 6
SUFFIXES = (".xml",)
FORMULAS = False

_ALONE = "gradcheck"
_COMMANDS = re.compile(rf"(?<![^\n ]):(?=:)|{MARKS.pattern}")
_MISSING = '<error type="incomplete" message="checks are missing"/>'


def child_of(status: Status) -> str:
    """What stands in the test case of a check; one without a child has passed.

    Nothing is wrong with what is unverified, yet nothing is shown either, and the exit code is not
    0: a failure, of the type that its outcome names.
    """
    if status is Status.PASS:
        return ""
    return "skipped" if status.is_well else "error" if status is Status.ERROR else "failure"


def render(report: Report) -> str:
    """An XML document: <testsuites>, a <testsuite> for each file, a <testcase> for each check."""
    suites: dict[str, list[tuple[str, str]]] = {}
    for name, record in with_names(report.records):
        child = child_of(Status(record["status"]))
        suites.setdefault(file_of(record) or _ALONE, []).append((child, _case(name, record, child)))
    if report.interrupted or report.incomplete:
        # Every check that was made may have passed: only this shows that others are missing.
        start = f"<testcase{_attributes(classname=_ALONE, name='all checks')}>"
        suites.setdefault(_ALONE, []).append(("error", f"{start}{_MISSING}</testcase>"))
    totals = _totals([child for cases in suites.values() for child, _ in cases])
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f"<testsuites{_attributes(name=_ALONE, **totals)}>",
    ]
    for file, cases in suites.items():
        children = [child for child, _ in cases]
        place = {} if file == _ALONE else {"file": file}
        counts = {**_totals(children), "skipped": str(children.count("skipped")), **place}
        lines.append(f"<testsuite{_attributes(name=file, **counts)}>")
        lines += [*(case for _, case in cases), "</testsuite>"]
    if report.problems:
        start = f"<testsuite{_attributes(name='problems', **_totals(()))}>"
        text = _text("\n".join(map(one_line, report.problems)))
        lines.append(f"{start}<system-err>{text}</system-err></testsuite>")
    return "\n".join([*lines, "</testsuites>"]) + "\n"


def _totals(children: Sequence[str]) -> dict[str, str]:
    return {
        "tests": str(len(children)),
        "failures": str(children.count("failure")),
        "errors": str(children.count("error")),
    }


def _case(name: str, record: Record, child: str) -> str:
    file, source, lines = file_of(record), record["source"], lines_of(record)
    about = {"classname": file or _ALONE, "name": name.removeprefix(f"{file}::")}
    if source is not None and file:
        about |= {"file": file, "line": str(source["line"])}
    start = f"<testcase{_attributes(**about)}"
    if not child:
        return f"{start}/>"
    if child == "skipped":
        reason = record["reason"] or outcome_text(record)
        message = f"{FORESEEN}: {reason}" if record["status"] == Status.XFAIL else reason
        return f"{start}><skipped{_attributes(message=message)}/></testcase>"
    head = _attributes(type=rule_of(record), message=lines[0])
    if source is not None:
        lines = [f"{source['file']}:{source['line']}:{source['column']}", *lines]
    text = _text("\n".join(lines))
    return f"{start}><{child}{head}>{text}</{child}></testcase>"


def _attributes(**values: str) -> str:
    # A reader turns a bare line end inside an attribute into a space.
    escapes = {
        name: _text(value).replace('"', "&quot;").replace("\n", "&#10;")
        for name, value in values.items()
    }
    return "".join(f' {name}="{value}"' for name, value in escapes.items())


def _text(text: str) -> str:
    """Text for XML 1.0, which has no way at all to hold most control characters: they are written
    as escapes one can read. What a CI server takes for a command is a reference, the same to a
    reader.
    """
    return _COMMANDS.sub(
        lambda match: f"&#{ord(match[0])};", escape(escape_controls(text), quote=False)
    )
