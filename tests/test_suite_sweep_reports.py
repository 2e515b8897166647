"""Reports of suites that sweep: what is shown, what is told of the worst point, what is read again."""

from __future__ import annotations

import json

import pytest
from suites import written

AGREES = "{id: near, expr: sigmoid(x), over: {x: '-4:-1'}, dtype: [float16, bfloat16]}"
FAILS = "{id: lost, expr: sigmoid(x), over: {x: '8:20'}, dtype: bfloat16, expect: agree}"
BESIDE = "{id: beside, expr: hardsigmoid(x)*y, over: {x: '-1:1:20'}, at: {y: 2}}"


def test_a_sweep_that_agrees_is_plainly_good(tool, tmp_path):
    """Its summary alone is shown, unless more is asked for."""
    written(tmp_path, AGREES)
    assert tool.ran(tmp_path, "run", ".", "-j1") == (0, "2 cases: 2 agree\n", "")
    _, out, _ = tool.ran(tmp_path, "run", ".", "-j1", "-v")
    assert "the worst of 257 points: 257 agree" in out


@pytest.mark.parametrize("form", ["junit", "github", "gitlab", "tap", "sarif"])
def test_formats_for_machines_tell_which_point_it_is(tool, tmp_path, form):
    """The inputs that are swept, and what is said of all points where all is said of a check."""
    written(tmp_path, FAILS, BESIDE)
    code, out, err = tool.ran(tmp_path, "run", ".", "-j1", "-f", form)
    assert code == 1
    assert "∂f/∂x at x = 15.25: imprecise: torch answers 0" in out
    assert "∂f/∂x at x = -1: wrong: torch answers" in out
    if form not in ("gitlab", "sarif"):
        assert "the worst of 161 points: 161 imprecise" in out
        assert "the worst of 20 points: 20 wrong" in out
    assert "beside: wrong: ∂f/∂x at x = -1: torch answers" in err


def test_the_lines_of_a_suite_are_read_again_as_a_suite(tool, tmp_path):
    """Where all cases sweep, too: with their ids and what is expected of them."""
    written(tmp_path, AGREES, FAILS)
    words = ("-j1", "-v")
    code, table, _ = tool.ran(tmp_path, "run", ".", *words)
    tool.ran(tmp_path, "run", ".", "-j1", "--export", "lines.jsonl")
    assert code == 1
    assert tool.ran(tmp_path, "report", "lines.jsonl", "-v") == (1, table, "")
    assert "not as expected: the outcome is imprecise, expected is agree" in table


def differences(tool, folder, *edits):
    """What `diff` says of a suite that agrees and of one whose first check was changed."""
    written(folder, AGREES)
    tool.ran(folder, "run", ".", "-j1", "--export", "old.jsonl")
    first, *rest = map(json.loads, (folder / "old.jsonl").read_text().splitlines())
    for edit in edits:
        edit(first)
    lines = [json.dumps(record) + "\n" for record in (first, *rest)]
    (folder / "new.jsonl").write_text("".join(lines))
    there = tool.ran(folder, "diff", "old.jsonl", "new.jsonl", "-f", "json")
    back = tool.ran(folder, "diff", "new.jsonl", "old.jsonl", "-f", "json")
    return [(code, json.loads(out)) for code, out, _ in (there, back)]


def moved(record):
    """The worst point is another one."""
    record["at"] = {"x": -2.5}


def lost(record):
    """Five points have lost digits."""
    record["sweep"]["outcomes"] = {"imprecise": 5, "agree": 2044}


def open_points(record):
    """Of five nothing is known."""
    record["sweep"]["outcomes"] = {"agree": 2044, "not settled": 5}


def test_another_worst_point_is_the_same_check(tool, tmp_path):
    """Nothing has vanished, and nothing is new."""
    for code, document in differences(tool, tmp_path, moved):
        assert (code, document["compared"]) == (0, 2)
        assert document["regressions"] == document["new"] == []


@pytest.mark.parametrize("edit", [lost, open_points])
def test_points_that_are_worse_are_a_regression(tool, tmp_path, edit):
    """Though the worst one is not, or is another; the other way round they are an improvement."""
    there, back = differences(tool, tmp_path, moved, edit)
    (change,) = there[1]["regressions"]
    counts = "5 imprecise, 2,044 agree" if edit is lost else "2,044 agree, 5 not settled"
    assert (there[0], change["kind"], change["partial"]) == (1, "points", "")
    assert change["text"] == f"2,049 agree → {counts}"
    (change,) = back[1]["improvements"]
    assert (back[0], change["text"]) == (0, f"{counts} → 2,049 agree")


def test_a_sweep_of_the_command_line_stands_in_no_file(tool, tmp_path):
    """No format gives it a place in one."""
    words = ("sweep", "hardsigmoid(x)", "--over", "x=-1:1:20", "-j1")
    _, out, _ = tool.ran(tmp_path, *words, "-f", "jsonl")
    assert json.loads(out)["source"] is None
    (tmp_path / "lines.jsonl").write_text(out)
    _, out, _ = tool.ran(tmp_path, *words, "-f", "junit")
    assert '<testcase classname="gradcheck" name="sweep::x"><failure type="wrong"' in out
    assert ">∂f/∂x at x = -1: wrong: torch answers" in out
    _, out, _ = tool.ran(tmp_path, *words, "-f", "tap")
    assert '"line"' not in out
    _, out, _ = tool.ran(tmp_path, *words, "-f", "sarif")
    assert "physicalLocation" not in out
    code, table, _ = tool.ran(tmp_path, *words)
    assert tool.ran(tmp_path, "report", "lines.jsonl") == (code, table, "")


def test_a_part_without_a_verdict_is_one_of_a_sweep(tool, tmp_path):
    """Its lines are read again as those of a sweep, and it is told."""
    words = ("sweep", "hardsigmoid(x)", "--over", "x=-1:1:2000000", "-j1", "-f", "jsonl")
    _, out, _ = tool.ran(tmp_path, *words)
    first, last = map(json.loads, out.splitlines())
    last |= {"outcome": "error", "status": "error", "sweep": None, "partials": []}
    last["reason"] = "the check has taken longer than 0.3 s"
    (tmp_path / "lines.jsonl").write_text("".join(json.dumps(r) + "\n" for r in (first, last)))
    code, out, _ = tool.ran(tmp_path, "report", "lines.jsonl")
    assert code == 3
    assert "float64 numbers, 1,048,576 of 2,000,000 points" in out
    assert "problem: sweep::x:2, float64: the check has taken longer than 0.3 s" in out
