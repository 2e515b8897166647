"""JUnit and GitHub's annotations, and the names and findings that all formats for CI services
share.
"""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from ci_readers import commands, junit_faults, tree
from shared_report import SUITE, by_name, shared_report, suite_records

from gradcheck_cli.records.report import Report
from gradcheck_cli.reports import github, gitlab, junit, sarif, tap
from gradcheck_cli.reports.findings import (
    MAX_TEXT,
    NOT_GREEN,
    findings,
    lines_of,
    rule_of,
    with_names,
)


def test_every_check_has_a_name_of_its_own() -> None:
    """GitLab drops a test case whose name another one has; the id alone is kept where it is enough."""
    records = [*shared_report().records, *shared_report().records, *suite_records()]
    assert len(dict(with_names(records))) == len(records)
    assert {record["id"] for record in suite_records()} <= set(by_name())
    # One that is already called what another would be called.
    twins = [suite_records()[0] | {"id": name} for name in ("a\x1b", "a\\x1b", "a\\x1b (2)")]
    assert [name for name, _ in with_names(twins)] == ["a\\x1b", "a\\x1b (2)", "a\\x1b (2) (2)"]


def test_findings_are_what_is_not_as_it_should_be() -> None:
    """One for each input and outcome; an expected kink is none, and what passes has none."""
    found = {
        name: [(f.rule, f.variable) for f in findings(record)] for name, record in by_name().items()
    }
    assert found[f"{SUITE}::kink"] == []
    assert found["cancelled"] == []
    assert found[f"{SUITE}::unmet"] == [("unexpected", ""), ("kink", "x")]
    assert found[f"{SUITE}::foreseen"] == [("wrong", "x")]
    assert found[f"{SUITE}::mended"] == [("unexpected", "")]
    assert found[f"{SUITE}::skipped"] == [("skipped", "")]
    assert found[f"{SUITE}::slow"] == [("error", "")]
    assert found["cut"] == [("detached", "x")]
    tensor = by_name()["tensor"]
    lost = tensor | {
        "status": "fail",
        "partials": [p | {"outcome": "wrong", "reason": "no"} for p in tensor["partials"]],
    }
    assert [f.text for f in findings(lost)] == ["∂f/∂W[0,0] and 3 elements more: wrong: no"]


def test_fingerprints_tell_inputs_and_kinds_of_failure_apart() -> None:
    """A path that is missing where it matters, and where it does not."""
    cut = by_name()["cut"]
    both = cut | {
        "partials": [
            p | {"variable": "x", "outcome": "detached", "failed": failed}
            for p, failed in zip(cut["partials"], (True, False), strict=True)
        ]
    }
    assert len({finding.fingerprint("name") for finding in findings(both)}) == 2


def test_a_command_is_whole_or_not_there() -> None:
    """Cut short it would check something else."""
    record = suite_records()[1] | {"reproduce": "x" * (MAX_TEXT + 1)}
    assert (
        lines_of(record)[-1]
        == "reproduce: a command of 4,001 characters, which stands in the JSON report"
    )
    assert lines_of(record | {"reproduce": "x" * MAX_TEXT})[-1] == f"reproduce: {'x' * MAX_TEXT}"


def test_junit_is_valid_and_tells_every_check() -> None:
    """Children by status, types by outcome, the place as attributes, and with the command in the
    text.
    """
    text = junit.render(shared_report())
    assert junit_faults(text) == []
    cases = {case.get("name"): case for case in tree(text).iter("testcase")}
    assert {name.removeprefix(f"{SUITE}::") for name in by_name()} == set(cases)
    told = {
        name: (
            next((child.tag for child in case), ""),
            next((child.get("type") for child in case), None),
        )
        for name, case in cases.items()
    }
    places = {
        name: (case.get("file"), case.get("line"))
        for name, case in cases.items()
        if case.get("classname") == SUITE
    }
    assert places == {
        name: (SUITE, str(3 + 4 * k))
        for k, name in enumerate(("kink", "unmet", "foreseen", "mended", "skipped", "slow"))
    }
    assert told["kink"] == told["cancelled"] == ("", None)
    assert told["unmet"] == ("failure", "kink")
    assert told["mended"] == ("failure", "unexpected")
    assert told["outside"] == ("failure", "undefined")
    assert told["slow"] == ("error", "error")
    assert told["foreseen"] == told["skipped"] == ("skipped", None)
    assert (
        cases["foreseen"][0].get("message")
        == "expected to fail: relu(0) is 0 in torch; 50 % off \\ # known"
    )
    assert (cases["slow"][0].text or "").split("\n") == [
        f"{SUITE}:23:5",
        "error: no answer within 120 s (given up)",
        "reproduce: gradcheck 'abs(x)*y' --at x=0.0,y=0.5",
    ]
    folded = junit.render(Report(records=[suite_records()[4] | {"reason": 'too\n"slow"'}]))
    assert [skipped.get("message") for skipped in tree(folded).iter("skipped")] == ['too\n"slow"']
    assert [error.text for error in tree(text).iter("system-err")] == [
        "`lost`: the worker ended without an answer"
    ]


@pytest.mark.parametrize(
    ("true", "lie"),
    [
        ('name="kink"', 'name="k\x1bink"'),
        ('name="kink"', 'name="k<ink"'),
        ('name="kink"', 'name="k&ink"'),
        ('name="kink"', 'name="kink" column="5"'),
        ('name="kink"', 'name="skipped"'),
        (' line="3"/>', ' line="3"><passed/></testcase>'),
        (' line="3"/>', ' line="0"/>'),
        (' line="3"/>', "/>"),
        (f' file="{SUITE}" line="3"', ' line="3"'),
        (f' file="{SUITE}" line="3"', ' file="a" line="3"'),
        ('name="tensor"/>', 'name="tensor" file="a" line="3"/>'),
        ('<testcase classname="gradcheck" name="tensor"/>', ""),
        (' errors="1" skipped', " skipped"),
        (' failures="2"', ' failures="1"'),
        (' message="not as', ' massage="not as'),
    ],
)
def test_a_broken_junit_file_is_seen(true: str, lie: str) -> None:
    """A bare control character or bracket, an attribute that is none of JUnit's, half a place or
    another file, a name that repeats, counts that lie.
    """
    text = junit.render(shared_report())
    assert true in text
    assert junit_faults(text.replace(true, lie, 1))


@pytest.mark.parametrize("ended", ["interrupted", "incomplete"])
def test_checks_that_are_missing_are_seen_in_every_format(ended: str) -> None:
    """Those that are there may all have passed."""
    passed = [record for record in shared_report().records if record["status"] == "pass"]
    report = Report(records=passed, problems=["5 checks were not made"])
    missing = replace(report, **{ended: True})
    assert junit_faults(junit.render(missing)) == []
    assert [error.get("type") for error in tree(junit.render(missing)).iter("error")] == [
        "incomplete"
    ]
    assert tap.render(missing).endswith("\nBail out! checks are missing\n")
    assert github.render(missing).startswith(
        "::error title=gradcheck%3A problem::5 checks were not made\n"
    )
    assert [issue["severity"] for issue in json.loads(gitlab.render(missing))] == [
        "info",
        "blocker",
    ]
    assert (
        json.loads(sarif.render(missing))["runs"][0]["invocations"][0]["executionSuccessful"]
        is False
    )
    assert "<error" not in junit.render(report)
    assert "Bail out!" not in tap.render(report)
    assert "::error" not in github.render(report)
    assert "blocker" not in gitlab.render(report)
    assert (
        json.loads(sarif.render(report))["runs"][0]["invocations"][0]["executionSuccessful"] is True
    )


def test_github_annotations_are_worst_first_at_their_lines() -> None:
    """Errors, then warnings, then a line with what there is in all."""
    found = commands(github.render(shared_report()))
    assert [kind for kind, _, _ in found] == ["error"] * 6 + ["warning"] * 3 + ["notice"]
    assert found[0] == (
        "error",
        {"file": SUITE, "line": "23", "col": "5", "title": f"error: {SUITE}::slow"},
        "error: no answer within 120 s (given up)\nreproduce: gradcheck 'abs(x)*y' --at x=0.0,y=0.5",
    )
    titles = {properties["title"] for _, properties, _ in found} - {
        "gradcheck: problem",
        "gradcheck",
    }
    assert titles == {
        f"{rule_of(record)}: {name}"
        for name, record in by_name().items()
        if record["status"] in NOT_GREEN
    }


@pytest.mark.parametrize(
    ("escape", "lie"),
    [("%2C", ","), ("%3A%3A", "::"), ("100 %25.", "100 %0A."), ("%0A", "\n"), (" %25)", " %)")],
)
def test_an_escape_that_is_left_out_is_seen(escape: str, lie: str) -> None:
    """Percent signs, line ends, and in properties colons and commas: most lies read back as
    something else, all are no GitHub escapes.
    """
    text = github.render(shared_report())
    assert escape in text
    broken = text.replace(escape, lie)
    assert commands(broken) != commands(text) or escapes(broken) != escapes(text)
    assert escapes(text) == {"%25", "%0A", "%3A", "%2C"}


def escapes(text: str) -> set[str]:
    """What stands behind percent signs."""
    return {text[k : k + 3] for k, c in enumerate(text) if c == "%"}


def test_github_says_how_many_are_left_out() -> None:
    """It shows ten of a kind, and drops the rest without a word."""
    bad = [record for record in shared_report().records if record["status"] == "fail"]
    many = [bad[k % len(bad)] | {"id": f"n{k}"} for k in range(25)]
    found = commands(github.render(Report(records=[*many, *suite_records()])))
    assert [kind for kind, _, _ in found] == ["error"] * github.MAX_ANNOTATIONS + ["notice"]
    assert found[0][1]["title"].endswith("::slow")
    assert found[-1][2].endswith("; 18 more, since GitHub shows only 10 annotations of a kind")
    doubtful = [by_name()["outside"] | {"id": f"n{k}"} for k in range(15)]
    found = commands(github.render(Report(records=doubtful, problems=["late"] * 12)))
    assert [kind for kind, _, _ in found] == ["warning"] * github.MAX_ANNOTATIONS + ["notice"]
    assert (
        found[-1][2]
        == "15 cases: 15 undefined; 17 more, since GitHub shows only 10 annotations of a kind"
    )
    assert github.render(Report(records=[])) == "::notice title=gradcheck::0 cases\n"
