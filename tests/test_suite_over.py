"""`over:` in suites: what is swept in the place of a point."""

from __future__ import annotations

import json

import pytest
from suites import written

CASES = (
    "{id: near, expr: sigmoid(x), over: {x: '-4:-1'}, dtype: [float16, bfloat16], expect: agree}",
    "{id: line, expr: x*y, over: {x: '-1:1:100'}, at: {y: 2}}",
    "{id: pairs, expr: sin(x*y), over: {x: '-1:1:6', y: '0:1:5'}, wrt: [y, x]}",
    "{id: edge, expr: relu(x), over: {x: '-1:1'}, dtype: float16, expect: kink}",
    "{id: lost, expr: sigmoid(x), over: {x: '8:20'}, dtype: bfloat16, expect: agree}",
)


def swept(tool, folder, *cases, options=()):
    """The exit code, and the records by their ids."""
    written(folder, *cases)
    code, out, _ = tool.ran(folder, "run", ".", "-f", "json", "-j1", *options)
    return code, {record["id"].rpartition("::")[2]: record for record in json.loads(out)["cases"]}


def test_each_part_is_a_check(tool, tmp_path):
    """One for each dtype and partial; what is expected is held against the worst point."""
    code, records = swept(tool, tmp_path, *CASES)
    assert code == 1
    assert {name: record["status"] for name, record in records.items()} == {
        "near:float16": "pass",
        "near:bfloat16": "pass",
        "line": "pass",
        "pairs:1": "pass",
        "pairs:2": "pass",
        "edge": "pass",
        "lost": "fail",
    }
    sweeps = {name: record["sweep"] for name, record in records.items()}
    assert sweeps["line"]["outcomes"] == {"agree": 100}
    assert sweeps["line"]["over"] == {"x": "-1:1:100"}
    assert [sweeps[f"pairs:{k}"]["variable"] for k in (1, 2)] == ["y", "x"]
    assert [sweeps[f"pairs:{k}"]["points"] for k in (1, 2)] == [30, 30]
    # At 0 and at -0.
    assert sweeps["edge"]["outcomes"] == {"kink": 2, "agree": sweeps["edge"]["points"] - 2}
    assert records["lost"]["unmet"] == ["the outcome is imprecise, expected is agree"]


def test_a_part_runs_again_by_itself(tool, tmp_path):
    """By the command of its record."""
    _, records = swept(tool, tmp_path, *CASES)
    assert records["lost"]["reproduce"] == "gradcheck run suite.gradcheck.yaml -k ::lost"
    code, again = swept(tool, tmp_path, *CASES, options=("-k", "::lost"))
    assert (code, [*again]) == (1, ["lost"])
    assert again["lost"]["sweep"] == records["lost"]["sweep"]


@pytest.mark.parametrize(
    ("case", "message"),
    [
        ("{expr: x*y, over: {x: '4:-4'}, at: {y: 2}}", "error[bad-range]: a range goes from low to high"),
        ("{expr: x*y, over: {x: '-4:4'}}", "error[missing-value]: `at` gives no value for `y`"),
        ("{expr: x, over: {x: '-4:4'}, at: {x: 1}}", "error[duplicate-value]: `x` is swept and fixed"),
        ("{expr: x*y, over: {x: '-4:4'}, at: {y: [1, 2]}}", "error[bad-point]: `y` is fixed in a sweep: it takes one number"),
        ("{expr: x*y, over: {x: '-4:4'}, at: {y: {tensor: [1, 2]}}}", "error[bad-point]: `y` is fixed in a sweep: it takes one number"),
        ("{expr: x*y, over: {x: '-4:4'}, at: [{y: 1}, {y: 2}]}", "error[bad-point]: a sweep has one point beside it"),
        ("{expr: x, over: {x: '-4:4'}, tol: 1}", "error[conflicting-options]: `over` sweeps, which `tol` has no part in"),
        ("{expr: x, over: {x: '-4:4'}, order: 2}", "error[conflicting-options]: `over` sweeps, which `order` has no part in"),
        ("{expr: sum(x), over: {x: '-4:4'}}", "error[not-elementwise]: `sum(x)` is no program of numbers"),
        ("{expr: x, over: {x: 3}}", "error[wrong-type]: `x` must be a text such as -4:4, 0:1:1000 or all, not the number 3"),
        ("{expr: x, over: {x: all}}", "error[too-large]: float64 has 18,437,736,874,454,810,624 numbers: they cannot all be swept"),
        ("{expr: x, over: {x: '1:1e400'}, dtype: float32, wrt: [y]}", "error[unknown-input]: `wrt` names `y`, which is not an input of the program"),
    ],
)  # fmt: skip
def test_what_cannot_be_swept_is_told(tool, tmp_path, case, message):
    """At its place in the file, by `lint` too."""
    written(tmp_path, case)
    for command in ("run", "lint"):
        code, out, err = tool.ran(tmp_path, command, "suite.gradcheck.yaml")
        assert (code, out) == (2, "")
        assert message in [line.split(", for case")[0] for line in err.splitlines()]
        assert "--> suite.gradcheck.yaml:" in err
