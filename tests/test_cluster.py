"""A cluster of dask workers, started as their users start them: the same report as here, also when
a worker is killed in mid-run.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys

import psutil
import pytest
from clocks import HUNG, until
from suites import environment, ran, started, written
from traps import executed, plant

# A worker waits at the gate with the case of this number, and leaves a file with its process id.
GATED = 7006
CASE = "{{expr: x*y + {number}, at: {{x: {{start: 1, stop: 2, count: 3}}, y: 3}}}}"
MIXED = [
    "{expr: x**2, at: {x: {sample: normal, count: 5}}, matrix: {dtype: [float64, float32]}}",
    "{expr: relu(x) - relu(-x), at: {x: [0, 1]}}",
    "{expr: log(x), at: {x: -1}, skip: outside}",
    "{expr: x + 7001, at: {x: 1}, timeout: 1.5}",
    "{expr: x + 7002, at: {x: 1}}",
]


@pytest.fixture(scope="module")
def gate(tmp_path_factory):
    """The path of the gate."""
    return tmp_path_factory.mktemp("gate") / "gate"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory, gate):
    """Address of a scheduler with two workers that have one thread each, the process that started
    those, and the folder they stand in: traps lie there for the workers' own children.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{probe.getsockname()[1]}"
    folder = tmp_path_factory.mktemp("cluster")
    # dask itself imports what lies in its folder, but neither of these.
    plant(folder, "torch.py", "sympy.py")
    options = {
        "cwd": folder,
        "env": environment(faults=True, GATE=str(gate)),
        "stdout": subprocess.DEVNULL,
        "stderr": subprocess.DEVNULL,
        "start_new_session": True,
    }
    commands = (
        f"dask_scheduler --port {address.rpartition(':')[2]}",
        f"dask_worker {address} --nworkers 2 --nthreads 1",
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", *f"distributed.cli.{command} --no-dashboard".split()], **options
        )
        for command in commands
    ]
    yield address, folder
    for process in reversed(processes):
        for child in psutil.Process(process.pid).children(recursive=True):
            child.kill()
        process.kill()
        process.wait()


def test_a_cluster_gives_the_same_report(cluster, tmp_path):
    """Harm included: a check that hangs or crashes costs its own process, not the cluster's worker."""
    written(tmp_path, *MIXED, *(f"{{expr: x**2 + {k}, at: {{x: 3}}}}" for k in range(40)))
    here = ran(tmp_path, "run", ".", "-f", "json", "-j2", faults=True)
    there = ran(tmp_path, "run", ".", "-f", "json", "--cluster", cluster[0])
    assert (here[0], json.loads(here[1])["summary"]["error"]) == (3, 2)
    assert there[:2] == here[:2]
    assert executed(cluster[1]) == []


@pytest.mark.parametrize(
    "asked",
    [
        "tanh(x) --over x=-4:4 --dtype bfloat16",
        "tanh(x*y) --over x=-4:4,y=1:2 --points 1500000 --dtype float32",
    ],
)
def test_a_sweep_on_a_cluster_is_that_of_here(cluster, tmp_path, asked):
    """Parts are tasks like any other: of every number of a dtype, and of drawn points."""
    words = ("sweep", *asked.split(), "-f", "json")
    here, there = (ran(tmp_path, *words, *more) for more in (("-j2",), ("--cluster", cluster[0])))
    assert json.loads(here[1])["sweeps"]
    assert there[:2] == here[:2]


def test_a_worker_killed_in_mid_run_changes_nothing(cluster, gate, tmp_path):
    """The scheduler gives what it held to the other one."""
    written(tmp_path, *(CASE.format(number=GATED if k == 20 else k) for k in range(40)))
    for path in gate.parent.glob("gate.*"):
        path.unlink()
    process = started(tmp_path, "run", ".", "-f", "json", "--cluster", cluster[0])
    (waiting,) = until(lambda: list(gate.parent.glob("gate.*")) or process.poll() is not None)
    os.kill(psutil.Process(int(waiting.suffix[1:])).ppid(), signal.SIGKILL)
    gate.touch()
    out, err = process.communicate(timeout=HUNG)
    assert process.returncode == 0, err
    assert (len(json.loads(out)["cases"]), json.loads(out)["summary"]) == (120, {"agree": 120})
    assert ran(tmp_path, "run", ".", "-f", "json", "-j2")[1] == out


def test_nobody_at_the_address_is_told(tmp_path, monkeypatch):
    """Exit 2, no traceback."""
    from gradcheck_cli.language.errors import UserError
    from gradcheck_cli.runs import cluster

    monkeypatch.setattr(cluster, "CLUSTER_PATIENCE", 1)
    with pytest.raises(
        UserError,
        match=r"error\[unreachable\]: no scheduler with a worker answers at `tcp://127.0.0.1:9`",
    ):
        cluster.connect("tcp://127.0.0.1:9")
    with pytest.raises(
        UserError,
        match=r"error\[unreachable\]: no scheduler with a worker answers at `nonsense://x`",
    ):
        cluster.connect("nonsense://x")


def test_without_the_library_the_way_out_is_told(monkeypatch):
    """It is an extra."""
    from gradcheck_cli.language.errors import UserError
    from gradcheck_cli.runs import cluster

    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(
        UserError, match=r"error\[missing-extra\].*\n.*pip install 'gradcheck-cli\[cluster\]'"
    ):
        cluster.connect("tcp://127.0.0.1:9")


class Asked:
    """A task of dask's, as far as it is asked: `lost` once its answer was fetched."""

    status = "lost"

    def __init__(self, answer):
        self.answer, self.is_cancelled = answer, False

    def add_done_callback(self, call):
        """Done at once, unless there is no answer."""
        if self.answer is not None:
            call(self)

    def result(self):
        """The answer, or what was raised instead."""
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def cancel(self):
        """Remember it."""
        self.is_cancelled = True


@pytest.mark.parametrize("answer", [[1, 2, 3, 4], OSError("gone"), None])
def test_an_answer_counts_whatever_becomes_of_its_worker(answer):
    """dask's executor took the list for what an error is made of."""
    from gradcheck_cli.runs.cluster import Dask

    asked = Asked(answer)
    client = type("Client", (), {"submit": lambda *_, **__: asked})()
    given = Dask(client).submit(len, [])
    if answer is None:
        assert given.cancel()
        assert asked.is_cancelled
    elif isinstance(answer, Exception):
        assert given.exception() is answer
    else:
        assert given.result() == answer
