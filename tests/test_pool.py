"""Worker processes: a check that comes to harm costs itself, whatever happens to its worker."""

from __future__ import annotations

import json
import os
import signal
import sys

import psutil
import pytest
from clocks import HUNG, until
from orphans import alive, orphaned
from suites import FAULTS, made

from gradcheck_cli.runs.plan import Selection, plan
from gradcheck_cli.runs.pool import GIVE_UP, Limits, StartError, Workers, check_batch
from gradcheck_cli.runs.task import TASK_POINTS, parcels

# Two workers are enough to see that they do not harm each other; the memory is well above what one
# takes at rest, 0.4 GiB.
LIMITS = Limits(HUNG, 1 << 31)
HANG, CRASH, EAT, EXIT = (f"x + {number}" for number in (7001, 7002, 7003, 7004))


@pytest.fixture(scope="module")
def gate(tmp_path_factory):
    """A path beside which a worker that hangs leaves a file with its process id."""
    return tmp_path_factory.mktemp("pool") / "gate"


@pytest.fixture(scope="module")
def workers(gate):
    """Two workers that do what `faults/sitecustomize.py` says."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(FAULTS))
        patch.setenv("GATE", str(gate))
        found = Workers(LIMITS)
        found.start(2)
        yield found
        found.shutdown()


def hanging(gate):
    """The process id of a worker that hangs, as soon as it does."""
    left = until(lambda: list(gate.parent.glob("gate.*")))
    assert len(left) == 1
    left[0].unlink()
    return int(left[0].suffix[1:])


def checked(workers, *cases):
    """(id, status, reason) of every check, all in one batch."""
    tasks = plan(cases, Selection()).tasks
    items = workers.submit(check_batch, tasks, LIMITS).result(timeout=HUNG)
    assert [item.position for item in items] == list(range(len(items)))
    records = [json.loads(item.line) for item in items]
    assert [item.status for item in items] == [record["status"] for record in records]
    return [
        (record["id"].removeprefix("made::"), record["status"], record["reason"])
        for record in records
    ]


def test_what_has_come_of_a_batch_is_there_before_the_rest(workers, gate):
    """Whoever ends a run keeps it."""
    tasks = plan([made("a", "x**2", 1), made("b", "x + 7006", 1)], Selection()).tasks
    answer = workers.submit(check_batch, tasks, LIMITS)
    until(lambda: len(answer.received) == 1)
    assert not answer.done()
    assert json.loads(answer.received[0].line)["id"] == "made::a"
    hanging(gate)
    gate.touch()
    assert answer.result(timeout=HUNG) == answer.received
    assert len(answer.received) == 2
    gate.unlink()


def test_a_batch_comes_back_whole_and_in_order(workers):
    """A status for each check, the suite's own words in each record."""
    assert checked(workers, made("a", "x**2", 1, 2), made("b", "relu(x) - relu(-x)", 0)) == [
        ("a:1", "pass", None),
        ("a:2", "pass", None),
        ("b", "fail", None),
    ]


@pytest.mark.parametrize(
    ("program", "options", "told"),
    [
        (HANG, {"timeout": 1.5}, "taken longer than 1.5 s"),
        (CRASH, {}, "ended its process by SIGSEGV"),
        (EAT, {}, "taken more than 2,048 MiB of memory"),
        (EXIT, {}, "ended its process with exit code 17"),
    ],
)
def test_a_check_that_comes_to_harm_costs_no_other(workers, program, options, told):
    """Those before and behind it in its batch are checked all the same."""
    found = checked(
        workers,
        made("before", "sin(x)"),
        made("harm", program, **options),
        made("behind", "cos(x)"),
    )
    assert found == [
        ("before", "pass", None),
        ("harm", "error", f"the check has {told}"),
        ("behind", "pass", None),
    ]


def test_points_that_were_checked_together_are_checked_one_by_one_after_harm(workers):
    """And after some that end alike the rest is given up, told as not checked."""
    found = checked(workers, made("points", CRASH, *range(GIVE_UP + 2)), made("behind", "cos(x)"))
    told = "the check has ended its process by SIGSEGV"
    rest = f"not checked: {GIVE_UP} checks of this case have ended its process by SIGSEGV"
    assert [reason for _, _, reason in found] == [told] * GIVE_UP + [rest] * 2 + [None]


def test_a_worker_that_is_killed_from_outside_costs_the_check_in_its_hands(workers, gate):
    """SIGKILL, as the system sends it when memory runs out."""
    for path in gate.parent.glob("gate.*"):
        path.unlink()
    future = workers.submit(
        check_batch, plan([made("slow", HANG), made("next", "x")], Selection()).tasks, LIMITS
    )
    busy = hanging(gate)
    pids = {
        child.pid
        for child in psutil.Process().children()
        if "gradcheck_cli.runs.worker:items" in child.cmdline()
    }
    # The idle one as well: it is missed by nobody.
    assert busy in pids
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    reasons = [json.loads(item.line)["reason"] for item in future.result(timeout=HUNG)]
    assert reasons == [
        "the check has ended its process by SIGKILL (out of memory, if nobody sent it)",
        None,
    ]


def test_a_point_that_does_not_fit_the_dtype_is_told_and_costs_no_other(workers):
    """Found only when the point is reached; those around it are checked."""
    case = made("wide", "x", 1, "1e30", 2, runs=(("float16", "cpu"),))
    assert [(status, reason) for _, status, reason in checked(workers, case)] == [
        ("pass", None),
        ("error", "error[out-of-range]: `x` = 1e30 is beyond the largest float16, 65504"),
        ("pass", None),
    ]


def test_workers_check_batches_and_nothing_else(workers):
    """A function of somebody else is refused rather than ignored."""
    with pytest.raises(TypeError, match="check batches"):
        workers.submit(print, [], LIMITS)


def test_a_worker_that_cannot_start_is_told(monkeypatch):
    """An interpreter that ends at once."""
    monkeypatch.setenv("PYTHONHOME", "/nowhere")
    found = Workers(LIMITS)
    found.start(1)
    with pytest.raises(
        StartError,
        match="a worker process could not be started: it has ended its process with exit code 1",
    ):
        found.submit(check_batch, plan([made("a", "x")], Selection()).tasks, LIMITS).result(
            timeout=HUNG
        )


SUBMITS = """
import time
from pathlib import Path
from gradcheck_cli.runs.plan import Selection, plan
from gradcheck_cli.runs.pool import Limits, Workers, check_batch
from suites import made
import sys
workers = Workers(Limits(3600.0))
workers.start(1)
workers.submit(check_batch, plan([made("hang", sys.argv[1])], Selection()).tasks, workers.limits)
while not (left := list(Path(sys.argv[2]).parent.glob("gate.*"))): time.sleep(0.01)
print(left[0].suffix[1:], flush=True)
time.sleep(3600)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux promises it")
def test_a_worker_ends_with_its_parent_though_it_hangs(tmp_path, monkeypatch):
    """Else a killed run would leave processes that run for ever."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(FAULTS), str(FAULTS.parent), *sys.path]))
    monkeypatch.setenv("GATE", str(tmp_path / "gate"))
    pid = orphaned(SUBMITS, HANG, str(tmp_path / "gate"))
    until(lambda: not alive(pid))


def test_chunks_do_not_depend_on_parcels():
    """A case of many points is cut at the same places however it is sent."""
    case = made("many", "x", *range(3 * TASK_POINTS + 5))
    tasks = plan([made("one", "x"), case], Selection()).tasks
    assert [len(task) for task in tasks] == [1, TASK_POINTS, TASK_POINTS, TASK_POINTS, 5]
    for size in (1, 16, 10_000):
        assert [task for parcel in parcels(tasks, size) for task in parcel] == list(tasks)
