"""The command line and its surroundings: colour, width, progress, a closed pipe, Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from math import isclose
from pathlib import Path

import pytest
from clocks import HUNG, until

from gradcheck_cli import check
from gradcheck_cli.cli import check as check_command
from gradcheck_cli.cli import streams
from gradcheck_cli.cli.streams import wants_colour

TOOL = [sys.executable, "-m", "gradcheck_cli"]
# The tool, which makes a file of its first argument when the first result is there.
MARKS = [
    sys.executable,
    "-c",
    """
import sys
from pathlib import Path
from gradcheck_cli import cli
from gradcheck_cli.checks import check

mark, whole = Path(sys.argv.pop(1)), check.check_batches

def check_batches(*words):
    for number, result in enumerate(whole(*words)):
        if number:
            mark.touch()
        yield result

check.check_batches = check_batches
cli.main()
""",
]
DECIDES = ("NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE", "TERM", "COLUMNS", "GITHUB_ACTIONS")


@pytest.mark.parametrize(
    ("choice", "env", "terminal", "paint"),
    [
        ("auto", {}, False, False), ("auto", {}, True, True), ("auto", {"TERM": "dumb"}, True, False), ("auto", {"NO_COLOR": "1"}, True, False),
        ("auto", {"NO_COLOR": ""}, True, True), ("auto", {"NO_COLOR": "1", "FORCE_COLOR": "1"}, True, False), ("auto", {"FORCE_COLOR": "1"}, False, True),
        ("auto", {"FORCE_COLOR": "0"}, True, True), ("auto", {"FORCE_COLOR": "0"}, False, False), ("auto", {"CLICOLOR_FORCE": "1"}, False, True),
        ("auto", {"FORCE_COLOR": "1", "TERM": "dumb"}, False, True), ("auto", {"GITHUB_ACTIONS": "true"}, False, False), ("always", {"NO_COLOR": "1"}, False, True),
        ("never", {"FORCE_COLOR": "1"}, True, False),
    ],
)  # fmt: skip
def test_who_decides_on_colour(choice, env, terminal, paint):
    """--color > NO_COLOR > FORCE_COLOR, CLICOLOR_FORCE > TERM=dumb > is stdout a terminal."""
    assert wants_colour(choice, env, terminal=terminal) is paint


@pytest.mark.parametrize(
    ("columns", "width"), [("72", 72), ("0", None), ("wide", None), ("", None), ("-5", None)]
)
def test_columns_is_the_width_where_it_is_a_number(columns, width, monkeypatch):
    """And no terminal gives the natural width."""
    monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.setattr(sys.stdout, "fileno", lambda: os.open(os.devnull, os.O_RDONLY))
    assert streams.columns() == width


def test_progress_is_for_terminals(monkeypatch, capsys):
    """A counter on stderr, gone when it is done; none in a pipe, none for one case."""
    check_command._progress(1, 3)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    check_command._progress(1, 3)
    check_command._progress(3, 3)
    check_command._progress(1, 1)
    assert capsys.readouterr().err == "\r1/3\r\x1b[K"


def test_a_closed_pipe_ends_silently():
    """The reader takes one line of a long report and leaves."""
    with subprocess.Popen(
        [*TOOL, "sin(x)", "--at", "x=0:1:2000", "-f", "jsonl"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert json.loads(process.stdout.readline())["outcome"] == "agree"
        process.stdout.close()
        told = process.stderr.read()
        assert process.wait(HUNG) == 0
    assert told == b""


@pytest.mark.parametrize("words", [["x**2", "--at", "x=1"], ["run", "a.yaml"]])
def test_ctrl_c_before_anything_is_checked_is_told(words, monkeypatch, tool):
    """Without a traceback: nothing was written."""

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("gradcheck_cli.cli.check.require_places", interrupted)
    monkeypatch.setattr("gradcheck_cli.cli.run.require_places", interrupted)
    done = tool.run(words)
    assert (done.returncode, done.stdout) == (130, "")
    assert done.stderr == "interrupted: no report was written\n"


@pytest.mark.parametrize("form", ["jsonl", "json"])
def test_ctrl_c_leaves_what_is_finished(form, tmp_path):
    """130, no traceback, the finished results written, and no process left behind."""
    mark, seen = tmp_path / "mark", tmp_path / "seen.json"
    words = ["sin(x)*exp(x)", "--at", "x=0:1:40000", "-f", form, "--export", str(seen)]
    with subprocess.Popen(
        [*MARKS, str(mark), *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        start_new_session=True,
    ) as process:
        first = process.stdout.readline() if form == "jsonl" else until(mark.exists, process)
        children = _children(process.pid)
        assert children
        process.send_signal(signal.SIGINT)
        rest, told = process.stdout.read(), process.stderr.read()
        assert process.wait(HUNG) == 130
    assert told == ""
    cases = json.loads(seen.read_text(encoding="utf-8"))["cases"]
    assert len(cases) < 40_000
    (problem,) = json.loads(seen.read_text(encoding="utf-8"))["problems"]
    missing = f"{40_000 - len(cases):,} of 40,000 cases were not checked"
    assert problem.startswith(
        f"interrupted: {missing}; the first is gradcheck 'sin(x)*exp(x)' --at"
    )
    assert isclose(float(problem.rpartition("=")[2]), len(cases) / 39_999)
    if form == "jsonl":
        assert [json.loads(line) for line in (first + rest).splitlines()] == cases
        assert len(cases) >= 1
    else:
        assert json.loads(rest)["cases"] == cases
    assert all(not _runs(child) for child in children)


def _children(pid):
    """Process ids of a process's children."""
    return (
        [
            int(child)
            for child in Path(f"/proc/{pid}/task/{pid}/children")
            .read_text(encoding="ascii")
            .split()
        ]
        if Path(f"/proc/{pid}/task/{pid}/children").exists()
        else []
    )


def _runs(pid):
    """Whether a process is there and no zombie."""
    try:
        return " Z " not in Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_defect_of_ours_exits_with_3(tmp_path):
    """Not with 1, which means a wrong gradient; the traceback and a way to report it stand on
    stderr.
    """
    code = """
from gradcheck_cli import cli
from gradcheck_cli.checks import watch
watch.prepare = lambda *words: 1 / 0
cli.main()
"""
    words = ["x", "--at", "x=1"]
    found = subprocess.run(
        [sys.executable, "-c", code, *words],
        capture_output=True,
        text=True,
        timeout=HUNG,
        check=False,
    )
    assert (found.returncode, found.stdout) == (3, "")
    assert "ZeroDivisionError" in found.stderr
    assert found.stderr.endswith(
        "this is a defect of gradcheck, not of your input; "
        "`gradcheck doctor` prints what a report of it needs\n"
    )


@pytest.mark.parametrize(
    ("command", "code", "out", "err"),
    [
        ('"x**2" --at x=1 -q 2>&-', 0, "1 case: 1 agree\n", ""),
        ('"x+" --at x=1 2>&-', 2, "", ""),
        (
            '"x**2" --at x=1 >&-',
            2,
            "",
            "error[unwritable]: stdout is closed: there is nowhere to write the report\n",
        ),
        (
            '"x**2" --at x=1 >/dev/full',
            2,
            "",
            "error[unwritable]: the report cannot be written: No space left on device\n",
        ),
        ("- --at x=1 <&-", 2, "", "error[unreadable]: `-` cannot be read: stdin is closed\n"),
    ],
)
def test_a_closed_or_full_stream_is_told(command, code, out, err):
    """No traceback, and never the exit code of a wrong gradient."""
    found = subprocess.run(
        ["bash", "-c", f"{sys.executable} -m gradcheck_cli {command}"],
        capture_output=True,
        text=True,
        timeout=HUNG,
        check=False,
    )
    assert (found.returncode, found.stdout, found.stderr) == (code, out, err)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("exp(-x**2)", "200"),
        ("sigmoid(x)", "-1e5"),
        ("erfc(x**2)", "1e10"),
        ("silu(x)", "-1e20"),
        ("x**-1000000", "1e300"),
    ],
)
def test_a_value_far_below_every_dtype_is_zero(text, at):
    """Numbers too small for a `Fraction` are read as what they are to every dtype."""
    report = check(text, {"x": at})
    assert report.summary == {"agree": 1}


def test_a_case_that_never_ends_is_given_up():
    """torch's polygamma(2, x) at -1e15 does not come back: the clock is heard all the same, what is
    finished is written, exit 3. The limit stands from the first result on, however long that takes.
    """
    code = """
import sys, time
from gradcheck_cli import cli
from gradcheck_cli.checks import check, watch
from gradcheck_cli.cli import check as command

whole, finished = check.check_batches, []

def check_batches(*words):
    for result in whole(*words):
        yield result
        finished.append(result)

check.check_batches = check_batches
watch.monotonic = lambda: time.monotonic() if finished else 0.0
command.CASE_LIMIT = 1.5
cli.main()
"""
    words = ["polygamma(2, x)", "--at", "x=2.5:-1e15:2", "-f", "json"]
    found = subprocess.run(
        [sys.executable, "-c", code, *words],
        capture_output=True,
        text=True,
        timeout=HUNG,
        check=False,
    )
    assert found.returncode == 3
    assert (
        found.stderr
        == "error[timeout]: case 2 was not done in 1.5 s and is given up, with those after it\n"
    )
    report = json.loads(found.stdout)
    assert [case["at"] for case in report["cases"]] == [{"x": 2.5}]
    assert report["problems"] == [
        "ended early: 1 of 2 cases was not checked; the first is gradcheck 'polygamma(2, x)' --at x=-1e15"
    ]
