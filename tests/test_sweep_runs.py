"""Sweeps as runs: the same bytes whatever the workers, shards, what is interrupted and taken up."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys

import pytest

# Seven parts of 2**20 points, in a function that costs next to nothing.
LONG = ["sweep", "3*x", "--over", "x=-4:4", "--points", "7000000"]
SHORT = ["sweep", "x**3", "--over", "x=1:2", "--dtype", "float16"]


def sweeps(text):
    """The sweeps of a JSON report."""
    return json.loads(text)["sweeps"]


def test_the_same_bytes_whatever_the_workers(tool, tmp_path):
    """In parts that several workers make."""
    done = [tool.run([*LONG, "-f", "jsonl", "-j", jobs], folder=tmp_path) for jobs in ("1", "2")]
    assert [each.returncode for each in done] == [0, 0]
    assert done[0].stdout == done[1].stdout
    assert len(done[0].stdout.splitlines()) == 7


def test_shards_are_merged(tool, tmp_path):
    """Their parts are those of the whole, and so are the points of all."""
    whole = tool.run([*LONG, "-f", "jsonl"], folder=tmp_path).stdout
    for k in ("1", "2"):
        words = [*LONG, "--shard", f"{k}/2", "--export", f"jsonl:{k}.jsonl"]
        assert tool.run(words, folder=tmp_path).returncode == 0
    done = tool.run(["merge", "1.jsonl", "2.jsonl", "-f", "jsonl"], folder=tmp_path)
    assert done.returncode == 0, done.stderr
    table = tool.run(["merge", "1.jsonl", "2.jsonl", "-f", "table"], folder=tmp_path).stdout
    assert "float64 numbers, 7,000,000 points, on cpu" in table
    merged = [json.loads(line) for line in done.stdout.splitlines()]
    assert [r["sweep"] for r in merged] == [json.loads(r)["sweep"] for r in whole.splitlines()]


def test_a_sweep_that_was_put_together_is_not_merged(tool, tmp_path):
    """The way out is named."""
    assert tool.run([*SHORT, "--export", "one.json"], folder=tmp_path).returncode == 0
    done = tool.run(["report", "one.json"], folder=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "error[bad-report]: `one.json` is no report that can be read: it is a sweep that was put"
        " together\n  = help: its parts are in its `jsonl` report, which is read\n"
    )


@pytest.mark.parametrize("ended", ["SIGINT", "SIGKILL"])
def test_a_sweep_goes_on_where_it_ended(tmp_path, ended):
    """Interrupted, or killed from outside: the parts that are done are not made again, and the
    report is that of a sweep that nothing happened to.
    """
    words = [*LONG[:-1], "40000000", "-j", "1", "-f", "jsonl"]
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path)}
    start = [sys.executable, "-m", "gradcheck_cli"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    options = {"cwd": tmp_path, "env": environment, **pipes}
    with subprocess.Popen([*start, *words], **options) as process:
        first = process.stdout.readline()
        process.send_signal(getattr(signal, ended))
        process.communicate()
    done = subprocess.run([*start, *words, "--resume"], **options, check=False)
    assert done.returncode == 0
    assert re.match(r"\d+ of 39 checks are taken over from the run before", done.stderr)
    assert done.stdout.splitlines()[0] == first.rstrip("\n")
    assert len(done.stdout.splitlines()) == 39


def test_a_full_disk_is_told(tmp_path):
    """The report that cannot be written, with exit code 2."""
    words = [sys.executable, "-m", "gradcheck_cli", *SHORT, "--export", "json:/dev/full"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "error[unwritable]" in done.stderr


def test_a_shard_tells_that_it_is_one(tool, tmp_path):
    """How many of how many points."""
    done = tool.run([*LONG, "--shard", "1/2"], folder=tmp_path)
    assert "3,854,272 of 7,000,000 points" in done.stdout


def test_an_empty_shard_is_told(tool, tmp_path):
    """Exit code 5."""
    done = tool.run([*SHORT, "--shard", "2/2"], folder=tmp_path)
    assert (done.returncode, done.stdout) == (5, "")
    assert done.stderr == "nothing is selected: no part of the sweep was made\n"


def test_a_shard_without_a_part_is_merged_as_nothing(tool, tmp_path):
    """Its empty stream beside others; not where all are empty, nor beside a report of JSON, where
    an empty file is one that was never written.
    """
    for k, code in (("1", 0), ("2", 5)):
        words = [*SHORT, "--shard", f"{k}/2", "-f", "jsonl"]
        found, out, _ = tool.ran(tmp_path, *words)
        assert found == code
        (tmp_path / f"{k}.jsonl").write_text(out)
    whole = (tmp_path / "1.jsonl").read_text()
    assert tool.ran(tmp_path, "merge", "1.jsonl", "2.jsonl", "-f", "jsonl") == (0, whole, "")
    assert tool.ran(tmp_path, "merge", "2.jsonl", "1.jsonl", "-f", "jsonl") == (0, whole, "")
    assert tool.ran(tmp_path, "check", "x", "--at", "x=1", "--export", "one.json")[0] == 0
    empty = "error[bad-report]: `2.jsonl` is no report that can be read: it is empty\n"
    assert tool.ran(tmp_path, "merge", "2.jsonl") == (2, "", empty)
    assert tool.ran(tmp_path, "merge", "2.jsonl", "2.jsonl") == (2, "", empty * 2)
    assert tool.ran(tmp_path, "merge", "one.json", "2.jsonl") == (2, "", empty)
    assert tool.ran(tmp_path, "report", "2.jsonl") == (2, "", empty)


def test_several_dtypes_are_several_sweeps(tool, tmp_path):
    """One below the other, in the order asked for."""
    words = ["sweep", "x**3", "--over", "x=1:2", "--dtype", "float16,bfloat16", "-f", "json"]
    done = tool.run(words, folder=tmp_path)
    assert [(s["dtype"], s["points"]) for s in sweeps(done.stdout)] == [
        ("float16", 1025),
        ("bfloat16", 129),
    ]


@pytest.mark.parametrize(
    ("words", "code"),
    [(["relu(x)", "--over", "x=-1:1"], 0), (["relu(x)", "--over", "x=-1:1", "--strict"], 1),
     (["sqrt(x)", "--over", "x=-1:1"], 4), (["detach(x)*2", "--over", "x=-1:1:9"], 1), (["x*detach(x)", "--over", "x=1:2"], 1),
     (["3*x", "--over", "x=-1:1"], 0)],
)  # fmt: skip
def test_exit_codes_are_those_of_the_worst_point(tool, tmp_path, words, code):
    """As `check` has them."""
    done = tool.run(["sweep", *words, "--dtype", "bfloat16", "-q"], folder=tmp_path)
    assert done.returncode == code


def test_the_command_that_reproduces_the_worst_point_does(tool, tmp_path):
    """Also where torch's code for one number answers otherwise."""
    words = ["sweep", "gelu(x)", "--over", "x=-7:-6", "--dtype", "bfloat16", "-f", "json"]
    (sweep,) = sweeps(tool.run(words, folder=tmp_path).stdout)
    for outcome, worst in sweep["worst"].items():
        command = shlex.split(worst["reproduce"])[1:]
        told = json.loads(tool.run([*command, "-f", "json"], folder=tmp_path).stdout)
        assert told["cases"][0]["partials"][0]["outcome"] == outcome
        assert told["cases"][0]["partials"][0]["autograd"]["ulps"] == worst["ulps"]
