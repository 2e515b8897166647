"""The command that a suite's report gives for a check fails as the check did, and a whole id selects
one check.
"""

from __future__ import annotations

import json
import shlex
from dataclasses import replace

import pytest
from suites import made, ran, written

from gradcheck_cli.records.outcome import Status
from gradcheck_cli.runs.plan import Selection, plan, selected_cases
from gradcheck_cli.runs.task import fingerprint

# Whatever makes a check fail, with cases beside it whose ids begin as its own does and that pass,
# or end otherwise.
FAILING = (
    "{id: wrong, expr: sqrt(x**2), at: {x: 0}}",
    "{id: unmet, expr: relu(x), at: {x: [1, 0, 2]}, expect: kink}",
    "{id: unmet-else, expr: log(x), at: {x: [1, -1]}, dtype: [float64, float32]}",
    "{id: unmet-elsewhere, expr: x, at: {x: 1}}",
    "{id: another, expr: sqrt(x**2), at: {x: 0}, expect: {outcome: [agree, kink]}}",
    "{id: numbers, expr: x*y, at: {x: 3, y: 2}, wrt: x, tags: slow, expect: {partials: {x: 7}}}",
    "{id: float, expr: x**2, at: {x: 3}, dtype: [float64, float32], expect: {value: 8}}",
    "{id: mended, expr: x, at: {x: 1}, xfail: not so}",
    "{id: strict, expr: relu(x), at: {x: 0}, strict: true}",
    "{id: cut, expr: detach(x)*y, at: {x: 2, y: 0}}",
    "{id: left, expr: detach(x), at: {x: 3}}",
    "{id: drawn, expr: x**2, at: {x: {sample: normal, count: 2}}, expect: kink}",
    "{id: foreseen, expr: sqrt(x**2), at: {x: 0}, xfail: known}",
)
BAD = ("fail", "error", "unverified")


def bad_checks(text):
    """Of a JSON report the checks that are not well."""
    return [case for case in json.loads(text)["cases"] if case["status"] in BAD]


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("--strict", "--seed", "4", "-t", "!fast"),
        ("--dtype", "float32,float64", "--rtol", "1e-3", "--timeout", "60"),
        ("--no-strict", "--lf"),
    ],
    ids=" ".join,
)
def test_every_command_that_is_given_fails_as_its_check_did(tool, tmp_path, words):
    """With the same exit code, though nothing else of the suite is made again; among them checks
    whose gradients are good.
    """
    written(tmp_path, *FAILING)
    bad = bad_checks(tool.ran(tmp_path, "run", ".", "-f", "json", *words)[1])
    assert len(bad) >= 12
    for case in bad:
        program, *command = shlex.split(case["reproduce"])
        again = tool.ran(tmp_path, *command)
        assert (program, again[0]) == ("gradcheck", Status(case["status"]).exit_code), case["id"]
    runs = [case for case in bad if case["reproduce"].startswith("gradcheck run ")]
    assert {case["id"].split("::")[1].split(":")[0] for case in runs} >= {"unmet", "mended"}
    for case in runs[:4]:
        command = shlex.split(case["reproduce"])[1:]
        (same,) = json.loads(tool.ran(tmp_path, *command, "-f", "json")[1])["cases"]
        assert {**same, "position": case["position"]} == case


def test_the_program_alone_would_not_fail(tool, tmp_path):
    """Which is why the suite is named: the test above can fail."""
    written(tmp_path, FAILING[1])
    (case, *_) = bad_checks(tool.ran(tmp_path, "run", ".", "-f", "json")[1])
    assert tool.ran(tmp_path, case["expression"], "--at", "x=1")[0] == 0
    assert case["reproduce"] == "gradcheck run suite.gradcheck.yaml -k ::unmet:1"


def test_harm_is_reproduced_in_a_worker(tmp_path):
    """A crash would take the command on the program alone with it, and nobody waits 120 s for a
    check that its suite gives less.
    """
    hang, crash = "{expr: x + 7001, at: {x: 1}, timeout: 1.5}", "{expr: x + 7002, at: {x: 1}}"
    written(tmp_path, hang, crash)
    for case in bad_checks(ran(tmp_path, "run", ".", "-f", "json", faults=True)[1]):
        command = shlex.split(case["reproduce"])[1:]
        assert command[:2] == ["run", "suite.gradcheck.yaml"]
        code, out, _ = ran(tmp_path, *command, "-f", "json", faults=True)
        (again,) = bad_checks(out)
        assert (code, again["reason"]) == (3, case["reason"])


def test_a_suite_from_stdin_and_one_that_looks_like_an_option(tool, tmp_path):
    """`-` and `./-x`: what is pasted is read as it was meant."""
    written(tmp_path, FAILING[7], name="-x.gradcheck.yaml")
    (case,) = bad_checks(tool.ran(tmp_path, "run", ".", "-f", "json")[1])
    assert case["reproduce"] == "gradcheck run ./-x.gradcheck.yaml -k ::mended"
    assert tool.ran(tmp_path, *shlex.split(case["reproduce"])[1:])[0] == 1
    text = (tmp_path / "-x.gradcheck.yaml").read_text(encoding="utf-8")
    done = tool.run(["run", "-", "-f", "json"], stdin=text, folder=tmp_path)
    (case,) = bad_checks(done.stdout)
    assert case["reproduce"] == "gradcheck run - -k ::mended"
    assert tool.run(["run", "-", "-k", "::mended"], stdin=text, folder=tmp_path).returncode == 1


CASES = [
    replace(made("root", "sqrt(x)", 1, 4), runs=(("float64", "cpu"), ("float32", "cpu"))),
    made("root-of-square", "sqrt(x**2)", 0),
    replace(made("root", "atan(x)", 1, 2, 3), id="other::root", tags=("slow",)),
]


def selected(keyword, **more):
    """The ids of the checks that are made."""
    chosen = plan(CASES, Selection(keyword, **more))
    return [task.check_id(k) for task in chosen.tasks for k in range(len(task))]


@pytest.mark.parametrize(
    ("keyword", "ids"),
    [
        ("made::root", [f"made::root:{dtype}:{k}" for dtype in ("float64", "float32") for k in (1, 2)]),
        ("made::root:float32:2", ["made::root:float32:2"]),
        ("other::root:3", ["other::root:3"]),
        ("::root-of-square", ["made::root-of-square"]),
        ("::root:2", ["other::root:2"]),
        ("::root:float64:1", ["made::root:float64:1"]),
        ("::root:4", []),
        ("other::root:03", []),
        ("::ROOT-OF", ["made::root-of-square"]),
        ("::root-of", ["made::root-of-square"]),
        ("atan", [f"other::root:{k}" for k in (1, 2, 3)]),
        ("root-of-square", ["made::root-of-square"]),
    ],
)  # fmt: skip
def test_a_whole_id_is_that_alone(keyword, ids):
    """And a text that is none is held in ids and programs, as ever."""
    assert selected(keyword) == ids


def test_a_text_still_means_all_that_hold_it():
    """A name without its colons is a text: `root` is held in three ids."""
    assert len(selected_cases(CASES, Selection("root"))) == 3
    assert len(selected_cases(CASES, Selection("::root"))) == 2
    assert len(selected_cases(CASES, Selection(""))) == 3


def test_a_whole_id_counts_before_tags_and_beside_what_failed():
    """A tag that a configuration leaves out does not hide what is named."""
    assert selected("other::root:2", tags=("!slow",)) == ["other::root:2"]
    assert selected("atan", tags=("!slow",)) == []
    assert selected("other::root", failed=frozenset(("other::root:1",))) == ["other::root:1"]
    assert selected("other::root:2", failed=frozenset(("other::root:1",))) == []


def test_the_words_of_a_command_do_not_part_a_run_from_the_one_before():
    """`--resume --max-memory 4GiB` takes over what a run with less has finished."""
    (task, *_) = plan(CASES, Selection()).tasks
    more = replace(task, case=replace(task.case, again=("--max-memory", "4GiB")))
    assert fingerprint(task, "1") == fingerprint(more, "1")
    assert fingerprint(task, "1") != fingerprint(replace(task, start=1), "1")
    assert "--max-memory 4GiB" in more.command(0)
