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
import time

import psutil
import pytest
from suites import environment, ran, started, written

SLOW = "{{expr: x*y + 7005 + {k}, at: {{x: {{start: 1, stop: 2, count: 3}}, y: 3}}}}"
MIXED = [
    "{expr: x**2, at: {x: {sample: normal, count: 5}}, matrix: {dtype: [float64, float32]}}",
    "{expr: relu(x) - relu(-x), at: {x: [0, 1]}}",
    "{expr: log(x), at: {x: -1}, skip: outside}",
    "{expr: x + 7001, at: {x: 1}, timeout: 1.5}",
    "{expr: x + 7002, at: {x: 1}}",
]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """Address of a scheduler with two workers that have one thread each."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{probe.getsockname()[1]}"
    folder = tmp_path_factory.mktemp("cluster")
    options = {
        "cwd": folder,
        "env": environment(faults=True),
        "stdout": subprocess.DEVNULL,
        "stderr": subprocess.DEVNULL,
        "start_new_session": True,
    }
    dask = [sys.executable, "-m", "distributed.cli"]
    scheduler = subprocess.Popen(
        [
            *dask[:2],
            "distributed.cli.dask_scheduler",
            "--port",
            address.rpartition(":")[2],
            "--no-dashboard",
        ],
        **options,
    )
    workers = subprocess.Popen(
        [
            *dask[:2],
            "distributed.cli.dask_worker",
            address,
            "--nworkers",
            "2",
            "--nthreads",
            "1",
            "--no-dashboard",
        ],
        **options,
    )
    yield address, workers.pid
    for process in (workers, scheduler):
        for child in psutil.Process(process.pid).children(recursive=True):
            child.kill()
        process.kill()
        process.wait()


def test_a_cluster_gives_the_same_report(cluster, tmp_path):
    """Harm included: a check that hangs or crashes costs its own process, not the cluster's worker."""
    written(tmp_path, *MIXED, *(f"{{expr: x**2 + {k}, at: {{x: 3}}}}" for k in range(40)))
    here = ran(tmp_path, "run", ".", "-f", "json", "-j2", faults=True)
    there = ran(tmp_path, "run", ".", "-f", "json", "--cluster", cluster[0])
    assert here[0] == 3
    assert there[:2] == here[:2]


def test_a_worker_killed_in_mid_run_changes_nothing(cluster, tmp_path):
    """The scheduler gives what it held to the other one."""
    written(tmp_path, *(SLOW.format(k=k) for k in range(40)))
    process = started(tmp_path, "run", ".", "-f", "json", "--cluster", cluster[0])
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not any(
        path.read_bytes().count(b"\n") >= 12
        for path in (tmp_path / ".gradcheck_cache").glob("run-*.tsv")
    ):
        time.sleep(0.02)
    victim = next(
        child
        for child in psutil.Process(cluster[1]).children(recursive=True)
        if "suite.worker" in " ".join(child.cmdline())
    )
    os.kill(victim.ppid(), signal.SIGKILL)
    out, err = process.communicate(timeout=100)
    assert process.returncode == 0, err
    assert (len(json.loads(out)["cases"]), json.loads(out)["summary"]) == (120, {"agree": 120})
    assert ran(tmp_path, "run", ".", "-f", "json", "-j2", faults=True)[1] == out


def test_nobody_at_the_address_is_told(tmp_path, monkeypatch):
    """Exit 2, no traceback."""
    from gradcheck_cli.language.errors import UserError
    from gradcheck_cli.runs import cluster

    monkeypatch.setattr(cluster, "PATIENCE", 1)
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
