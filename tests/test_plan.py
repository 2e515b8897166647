"""Plans: which checks are selected, and that shards, runs and points make every check exactly once."""

from __future__ import annotations

from dataclasses import replace

import pytest
from suites import made

from gradcheck_cli.runs.plan import Selection, plan
from gradcheck_cli.runs.task import check_id, fingerprint

BOTH = (("float64", "cpu"), ("float32", "cuda:1"))
CASES = [
    made("relu", "relu(x)", 1, 2, tags=("fast", "kinks"), runs=BOTH),
    made("tanh", "tanh(x)", tags=("slow",)),
    made("softmax", "softmax([x, 1], 0)[0]", 1, 2, 3, skip="too slow"),
    made("sum", "x + 1", tags=("fast",)),
]


def ids(found, tasks="tasks"):
    """Ids of the checks of a plan, by position."""
    return {
        task.position + k: check_id(task.case, task.dtype, task.device, task.start + k)
        for task in getattr(found, tasks)
        for k in range(len(task))
    }


def test_every_check_has_its_number_and_its_name():
    """Runs of a case follow each other, each with all points; names tell them apart, and only as
    far as they differ.
    """
    found = plan(CASES, Selection())
    assert ids(found) | ids(found, "skipped") == {
        0: "made::relu:float64:cpu:1",
        1: "made::relu:float64:cpu:2",
        2: "made::relu:float32:cuda1:1",
        3: "made::relu:float32:cuda1:2",
        4: "made::tanh",
        5: "made::softmax:1",
        6: "made::softmax:2",
        7: "made::softmax:3",
        8: "made::sum",
    }
    assert (found.count, found.selected) == (9, 9)
    assert set(ids(found, "skipped")) == {5, 6, 7}


@pytest.mark.parametrize(
    ("wanted", "left"),
    [
        (Selection("RELU"), {"relu"}),
        (Selection("x + 1"), {"sum"}),
        (Selection(tags=("fast",)), {"relu", "sum"}),
        (Selection(tags=("fast", "slow")), {"relu", "tanh", "sum"}),
        (Selection(tags=("!fast",)), {"tanh", "softmax"}),
        (Selection(tags=("fast", "!kinks")), {"sum"}),
        (Selection("nothing"), set()),
        (Selection(failed=frozenset({"made::tanh", "gone"})), {"tanh"}),
        (Selection(failed=frozenset()), set()),
    ],
)
def test_a_selection_keeps_what_it_says(wanted, left):
    """By text, tag and last failure."""
    found = plan(CASES, wanted)
    assert {name.split(":")[2] for name in (ids(found) | ids(found, "skipped")).values()} == left


def test_last_failed_keeps_single_points():
    """Not the whole case."""
    found = plan(CASES, Selection(failed=frozenset({"made::relu:float32:cuda1:2"})))
    assert ids(found) == {3: "made::relu:float32:cuda1:2"}


@pytest.mark.parametrize("shards", [1, 2, 3, 7])
def test_shards_make_every_check_once_under_its_own_number(shards):
    """Together they are the whole, also where there are more shards than cases."""
    whole = ids(plan(CASES, Selection())) | ids(plan(CASES, Selection()), "skipped")
    parts = [plan(CASES, Selection(shard=(k + 1, shards))) for k in range(shards)]
    found = [
        (position, name)
        for part in parts
        for position, name in (ids(part) | ids(part, "skipped")).items()
    ]
    assert sorted(found) == sorted(whole.items())


def test_a_fingerprint_changes_with_everything_that_the_result_depends_on():
    """And with nothing else."""
    (task,) = plan([made("a", "x**2")], Selection()).tasks
    same = plan([made("a", "x**2")], Selection()).tasks[0]
    assert fingerprint(task, "torch 2") == fingerprint(same, "torch 2")
    other = [
        made("a", "x**3"),
        made("b", "x**2"),
        made("a", "x**2", 0.25),
        made("a", "x**2", strict=True),
        made("a", "x**2", xfail="why"),
    ]
    others = [plan([case], Selection()).tasks[0] for case in other] + [
        replace(task, dtype="float32"),
        replace(task, position=1),
    ]
    keys = [fingerprint(found, "torch 2") for found in others] + [fingerprint(task, "torch 3")]
    assert len({fingerprint(task, "torch 2"), *keys}) == len(keys) + 1
