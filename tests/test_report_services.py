"""GitLab's code quality, SARIF and TAP: the facts of each format; and every format for services
under hostile text.
"""

from __future__ import annotations

import json
import re
from copy import deepcopy
from typing import Any
from urllib.parse import unquote

import pytest
from ci_readers import commands, json_faults, junit_faults, points, tree
from hypothesis import given, settings
from hypothesis import strategies as st
from shared_report import SUITE, by_name, shared_report, suite_records

from gradcheck_cli.manual import pages
from gradcheck_cli.records.outcome import NO_VERDICT, OUTCOMES, Outcome, Status
from gradcheck_cli.records.report import Report
from gradcheck_cli.reports import github, gitlab, junit, sarif, tap
from gradcheck_cli.reports.findings import findings, one_line, with_names
from gradcheck_cli.reports.format import escape_controls

NASTY = "a, b:c=%25 100 % # x \\ \\# y | <z> & \"q\" 'r' ]]> \t\r\n::error::z {0} [a](1) \x00\x1b\x7f\x85\u2028\ufeff\ufffe\ud800 …é漢"


@pytest.mark.parametrize(("name", "form"), [("gitlab", gitlab), ("sarif", sarif)])
def test_json_formats_hold_to_their_facts(name: str, form: Any) -> None:
    """The shared report, an empty one, and one whose ids all repeat."""
    for report in (
        shared_report(),
        Report(records=[]),
        Report(records=[*suite_records(), *suite_records()], problems=["a", "a", "b"]),
    ):
        assert json_faults(name, form.render(report)) == []


def test_what_gitlab_shows() -> None:
    """Severity by outcome, the line of the suite, the same fingerprint whatever else the report
    holds.
    """
    issues = {
        (issue["description"].removeprefix(f"{SUITE}::").split(":")[0], issue["check_name"]): issue
        for issue in json.loads(gitlab.render(shared_report()))
    }
    assert {
        (name, rule.removeprefix("gradcheck/")): issue["severity"]
        for (name, rule), issue in issues.items()
    } == {
        ("wrong | `odd` [red]id[/red]", "wrong"): "critical",
        ("nan", "wrong"): "critical",
        ("outside", "undefined"): "major",
        ("cut", "detached"): "critical",
        ("x*y at x = 3, y = 4, float64, cpu", "inconclusive"): "major",
        ("unmet", "unexpected"): "critical",
        ("unmet", "kink"): "minor",
        ("mended", "unexpected"): "critical",
        ("slow", "error"): "blocker",
        ("gradcheck", "problem"): "info",
    }
    slow = issues["slow", "gradcheck/error"]
    assert slow["location"] == {"path": SUITE, "lines": {"begin": 23}}
    assert slow in json.loads(gitlab.render(Report(records=suite_records()[::-1])))
    assert set(gitlab.SEVERITIES) == {*Outcome, "unexpected", "problem", "incomplete"}


def test_what_sarif_tells() -> None:
    """Rules with a page each, a result for all that does not pass, what is foreseen or skipped
    suppressed with its reason.
    """
    run = json.loads(sarif.render(shared_report()))["runs"][0]
    assert (
        {rule["id"] for rule in run["tool"]["driver"]["rules"]}
        == set(sarif.RULES)
        == {*OUTCOMES, *NO_VERDICT, "unexpected"}
    )
    for topic in re.findall(r"`gradcheck explain (\w+)`", json.dumps(run["tool"])):
        assert pages.section(topic).startswith(f"## {topic}\n")
    assert len(run["results"]) == sum(len(findings(record)) for record in by_name().values())
    told = {
        result["message"]["text"].removeprefix(f"{SUITE}::").split(":")[0]: result
        for result in run["results"]
    }
    levels = {
        name: (
            result["kind"],
            result["level"],
            [s["justification"] for s in result["suppressions"]],
        )
        for name, result in told.items()
    }
    assert levels["slow"] == levels["nan"] == levels["mended"] == ("fail", "error", [])
    assert levels["outside"] == ("fail", "warning", [])
    assert levels["foreseen"] == ("fail", "error", ["relu(0) is 0 in torch; 50 % off \\ # known"])
    assert levels["skipped"] == ("notApplicable", "none", ["too slow # 3 % of it"])
    place = told["slow"]["locations"][0]["physicalLocation"]
    assert (unquote(place["artifactLocation"]["uri"]), place["region"]) == (
        SUITE,
        {"startLine": 23, "startColumn": 5},
    )
    assert run["invocations"][0]["exitCode"] == 3
    assert run["invocations"][0]["commandLine"] == "gradcheck run shared.yaml"
    assert [
        note["message"]["text"] for note in run["invocations"][0]["toolExecutionNotifications"]
    ] == list(shared_report().problems)


@pytest.mark.parametrize(
    ("file", "uri"),
    [
        ("a b/c:d.yaml", "a%20b/c%3Ad.yaml"),
        ("/t/é.yaml", "file:///t/%C3%A9.yaml"),
        ("a\\b.yaml", "a/b.yaml"),
    ],
)
def test_a_path_is_a_uri(file: str, uri: str) -> None:
    """Nothing of a relative path can be taken for a scheme or a host."""
    record = suite_records()[-1] | {"source": {"file": file, "line": 1, "column": 1}}
    (result,) = json.loads(sarif.render(Report(records=[record])))["runs"][0]["results"]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == uri


@pytest.mark.parametrize(
    ("name", "path", "lie"),
    [
        ("gitlab", (0, "fingerprint"), 1), ("gitlab", (0, "fingerprint"), "same"), ("gitlab", (0, "severity"), "bad"), ("gitlab", (0, "location", "lines", "begin"), 0),
        ("gitlab", (0, "location", "path"), None), ("sarif", ("version",), "2.0.0"), ("sarif", ("runs", 0, "results", 0, "level"), "fatal"),
        ("sarif", ("runs", 0, "results", 0, "ruleIndex"), 0), ("sarif", ("runs", 0, "results", 0, "ruleIndex"), 99), ("sarif", ("runs", 0, "results", 0, "ruleId"), "rong"),
        ("sarif", ("runs", 0, "results", 0, "kind"), "pass"), ("sarif", ("runs", 0, "results", 0, "message"), "text"), ("sarif", ("runs", 0, "results", 0, "suppressions"), None),
        ("sarif", ("runs", 0, "results", 0, "partialFingerprints"), "same"), ("sarif", ("runs", 0, "results", -1, "locations", 0, "physicalLocation", "region", "startLine"), 0),
        ("sarif", ("runs", 0, "results", -1, "locations", 0, "physicalLocation", "artifactLocation", "uri"), "c:/a b"), ("sarif", ("runs", 0, "invocations", 0, "executionSuccessful"), "yes"),
    ],
)  # fmt: skip
def test_a_lie_is_seen(name: str, path: tuple[Any, ...], lie: Any) -> None:
    """Types, words that the format does not know, a rule that is another, a fingerprint that
    another result has.
    """
    data = json.loads({"gitlab": gitlab, "sarif": sarif}[name].render(shared_report()))
    assert json_faults(name, json.dumps(data)) == []
    broken = deepcopy(data)
    *way, last = path
    place = broken
    for step in way:
        place = place[step]
    if lie == "same":
        place[last] = (broken[1] if name == "gitlab" else broken["runs"][0]["results"][1])[last]
    else:
        place[last] = lie
    assert json_faults(name, json.dumps(broken))


def test_tap_has_a_point_for_each_check() -> None:
    """In order, with what is not ok explained; what is foreseen is a TODO, what was skipped a SKIP."""
    found = dict(zip(by_name(), points(tap.render(shared_report())), strict=True))
    for (name, record), point in zip(by_name().items(), found.values(), strict=True):
        status = record["status"]
        assert point.description == name
        assert point.ok == (status in ("pass", "skip"))
        assert (point.block is None) == point.ok
        assert point.directive == {"skip": "SKIP", "xfail": "TODO"}.get(status, "")
        assert point.reason == (record["reason"] if point.directive else "")
        assert point.block is None or (point.block["status"], point.block["outcome"]) == (
            status,
            record["outcome"],
        )
    slow = found[f"{SUITE}::slow"].block
    assert slow is not None
    assert slow["at"] == {"file": SUITE, "line": 23, "column": 5}
    assert slow["message"] == ["error: no answer within 120 s (given up)"]
    assert slow["reproduce"] == suite_records()[-1]["reproduce"]
    assert tap.render(Report(records=[])) == "TAP version 14\n1..0 # nothing was checked\n"


@pytest.mark.parametrize(
    ("true", "lie"),
    [
        ("1..19", "1..18"),
        ("\\#", "#"),
        ("ok 7 - tensor", "ok 8 - tensor"),
        ("  ...\n", ""),
        ("TAP version 14\n", ""),
        ("ok 7 - tensor", "ok 7 - ten\nsor"),
        ("# TODO", "#TODO"),
    ],
)
def test_a_broken_tap_file_is_seen(true: str, lie: str) -> None:
    """A plan that lies, a # or a line end that is not escaped, a block without an end."""
    text = tap.render(shared_report())
    assert true in text
    with pytest.raises(ValueError, match=r".+"):
        points(text.replace(true, lie))


def saying(text: str) -> Report:
    """A report in which everything that a user writes is this text."""
    changed = {
        "id": text,
        "expression": text,
        "reproduce": text,
        "source": {"file": text or "x", "line": 2, "column": 1},
    }
    records = [
        r
        | changed
        | ({} if r["reason"] is None else {"reason": text})
        | ({"unmet": [text]} if r["unmet"] else {})
        for r in suite_records()
    ]
    return Report(records=records, problems=[text], command=["gradcheck", text])


@settings(deadline=None, max_examples=60)
@given(st.one_of(st.text(min_size=1), st.just(NASTY), st.text(st.sampled_from(NASTY), min_size=1)))
def test_no_text_of_a_user_breaks_a_format(text: str) -> None:
    """Every file is valid, and reads back as what it was meant to say."""
    report = saying(text)
    names = [name for name, _ in with_names(report.records)]
    for found in (
        junit.render(report),
        github.render(report),
        gitlab.render(report),
        sarif.render(report),
        tap.render(report),
    ):
        found.encode()
    assert junit_faults(junit.render(report)) == []
    cases = list(tree(junit.render(report)).iter("testcase"))
    assert [case.get("name") for case in cases] == [
        name.removeprefix(f"{text}::") for name in names
    ]
    file = escape_controls(text.encode(errors="backslashreplace").decode())
    assert {(case.get("file"), case.get("line")) for case in cases} == {(file, "2")}
    assert json_faults("gitlab", gitlab.render(report)) == []
    assert json_faults("sarif", sarif.render(report)) == []
    assert [point.description for point in points(tap.render(report))] == names
    lines = github.render(report).removesuffix("\n").split("\n")
    assert (
        len(lines)
        == len(commands("\n".join(lines)))
        == 1 + sum(record["status"] in ("fail", "error") for record in report.records) + 1
    )
    assert all(
        properties["file"] == file
        for _, properties, _ in commands("\n".join(lines))
        if "file" in properties
    )
    assert {one_line(text)} >= {
        message for kind, _, message in commands("\n".join(lines)) if kind == "warning"
    }


def test_every_status_has_its_place_in_every_format() -> None:
    """What is green has no failure anywhere, and what is not has one."""
    children = {status: junit.child_of(status) for status in Status}
    assert children == {
        "error": "error",
        "fail": "failure",
        "unverified": "failure",
        "xfail": "skipped",
        "skip": "skipped",
        "pass": "",
    }
    assert {status: status.level for status in Status} == {
        "error": "error",
        "fail": "error",
        "unverified": "warning",
        "xfail": "error",
        "skip": "none",
        "pass": "none",
    }
    assert {status.level for status in Status if not status.is_well} == {"error", "warning"}
    assert all((children[status] in ("", "skipped")) == status.is_well for status in Status)
