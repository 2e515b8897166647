"""Memory: a limit for `check` as `run` has one, sizes in words."""

from __future__ import annotations

import json
import subprocess
import sys
import threading

import pytest
from clocks import HUNG, until
from suites import environment, ran, written

from gradcheck_cli.memory import held_by, size_text

# A program that takes memory without end, and one whose results do.
EATS, MANY = "x + 7003", ["exp(x)", "--at", "x=0:1:30000"]


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (1_000, "1 kB"),
        (1, "1 B"),
        (1_001, "1,001 B"),
        (3 << 10, "3 KiB"),
        (5_000_000, "5 MB"),
        (9 << 20, "9 MiB"),
        (500_000_000, "477 MiB"),
        (1_500 << 20, "1,500 MiB"),
        (2 << 30, "2,048 MiB"),
        (25_000_000_001, "23,842 MiB"),
    ],
)
def test_a_size_is_written_as_a_person_would(size, text):
    """Never as 0."""
    assert size_text(size) == text


@pytest.mark.parametrize(("size", "text"), [("1500MiB", "1,500 MiB"), ("1GiB", "1,024 MiB")])
def test_a_check_that_takes_too_much_memory_is_given_up(size, text, tmp_path):
    """The report is written all the same and has the exit code of the process, 3."""
    words = [EATS, "--at", "x=1", "--max-memory", size, "-f", "json", "--export", "a.md"]
    code, out, err = ran(tmp_path, *words, faults=True)
    assert (code, err) == (
        3,
        f"error[out-of-memory]: case 1 took more than {text} of memory and is given up, "
        "with those after it\n",
    )
    report = json.loads(out)
    assert (report["exit_code"], report["cases"]) == (3, [])
    assert report["problems"] == ["ended early: the one case was not checked"]
    assert (tmp_path / "a.md").exists()


def test_results_that_fill_the_memory_are_written_as_far_as_they_came(tmp_path):
    """It is not one check that is too large, it is all of them."""
    code, out, err = ran(tmp_path, *MANY, "--max-memory", "350MiB", "-f", "json")
    report = json.loads(out)
    assert (code, report["exit_code"]) == (3, 3)
    done = len(report["cases"])
    assert 0 <= done < 30_000
    assert err.startswith(f"error[out-of-memory]: case {done + 1} took more than 350 MiB of memory")


def test_a_limit_that_suffices_changes_nothing(tool, tmp_path):
    """From the command line, a variable or a file; one that is no size is a mistake."""
    (tmp_path / "gradcheck.toml").write_text('max-memory = "20GiB"\n', encoding="utf-8")
    words = ["exp(x)", "--at", "x=1"]
    for more in ([], ["--max-memory", "20GB"]):
        code, out, err = tool.ran(tmp_path, *words, *more)
        assert (code, err) == (0, "")
        assert "--max-memory" not in out
    shown = tool.ran(tmp_path, *words, "--show-settings")[1].split()
    assert shown[shown.index("max-memory") + 1] == "20GiB"
    assert "error[bad-setting]" in tool.ran(tmp_path, *words, "--max-memory", "20")[2]


def test_a_worker_that_holds_too_much_is_told_in_a_unit_that_fits(tmp_path):
    """It was "0 MiB"."""
    written(tmp_path, "{expr: x**2, at: {x: 3}}")
    code, out, _ = ran(tmp_path, "run", ".", "-j1", "-f", "json", "--max-memory", "1kB")
    assert code == 3
    assert json.loads(out)["cases"][0]["reason"] == "the check has taken more than 1 kB of memory"


GUARDED = """
import os, sys, time
from gradcheck_cli.memory import Guard

def beyond(guard):
    print("beyond", guard.limit >> 20, guard.exceeded.is_set())
    sys.stdout.flush()
    os._exit(3)

guard, kept = Guard(200 << 20, beyond), []
while len(kept) < int(sys.argv[1]):
    kept.append(bytearray(os.urandom(1 << 20)) * 16)
    time.sleep(0.01)
while sys.argv[2] != str(guard.exceeded.is_set()):
    time.sleep(0.01)
time.sleep(0.5)
print("heeded")
"""


@pytest.mark.parametrize(
    ("pieces", "exceeded", "told"),
    [(1, "False", "heeded"), (16, "True", "heeded"), (100_000, "-", "beyond 200 True")],
)
def test_a_guard_calls_twice(pieces, exceeded, told):
    """Below the limit not at all, above it once, and once more where nobody heeds it."""
    done = subprocess.run(
        [sys.executable, "-c", GUARDED, str(pieces), exceeded],
        capture_output=True,
        text=True,
        timeout=HUNG,
        check=False,
        env=environment(),
    )
    assert (done.stdout.strip(), done.stderr) == (told, "")


@pytest.mark.parametrize("words", [["x**2", "--at", "x=1"], ["x**2", "--at", "y=1"], ["x +"]])
def test_a_check_leaves_no_thread(words, tool):
    """Nobody looks at memory when it is done, whatever came of it; only SymPy's process stays."""
    tool.run(["x", "--at", "x=1"])
    before = set(threading.enumerate())
    tool.run(words)
    until(lambda: set(threading.enumerate()) <= before)


def test_what_is_gone_holds_nothing():
    """Nor is it an error to ask."""
    process = subprocess.Popen([sys.executable, "-c", "pass"])
    process.wait()
    assert held_by(process.pid) == 0
