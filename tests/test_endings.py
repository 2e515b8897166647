"""What `gradcheck run` says when it is over: each check that is not as expected, once and with its
place, and how long things took.
"""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys

import pytest
from clocks import HUNG
from suites import environment, made, ran, written
from terminals import needs_a_terminal, on_a_terminal

from gradcheck_cli.cli import endings
from gradcheck_cli.cli.endings import MOST_CHECKS, say_slowest
from gradcheck_cli.records.outcome import Status
from gradcheck_cli.runs.run import CaseTime

GOOD, WRONG, UNDEFINED, UNMET = (
    "{expr: x**2, at: {x: 3}}",
    "{id: off, expr: sqrt(x**2), at: {x: 0}}",
    "{expr: log(x), at: {x: -1}}",
    "{id: unmet, expr: relu(x), at: {x: [1, 0]}, expect: kink}",
)
ENDED = [
    "suite.gradcheck.yaml:4: off: wrong: ∂f/∂x: torch answers nan, though one-sided derivatives "
    "exist where the formula for the derivative is not finite: left derivative -1, right "
    "derivative 1; write `abs(x)` instead: regains 16.0 digits",
    "  reproduce: gradcheck 'sqrt(x**2)' --at x=0",
    "suite.gradcheck.yaml:5: case-3: undefined: ∂f/∂x: there is nothing to differentiate: "
    "`log(x)` has no finite value: log(-1.00000); torch answers -1",
    "  reproduce: gradcheck 'log(x)' --at x=-1",
    "suite.gradcheck.yaml:6: unmet:1: not as expected: the outcome is agree, expected is kink",
    "  reproduce: gradcheck run suite.gradcheck.yaml -k ::unmet:1",
    "3 of 5 checks are not as expected, in 1.2 s",
]
# The same below a table that has said why, and how to reproduce it.
BELOW = [
    "suite.gradcheck.yaml:4: off: wrong",
    "suite.gradcheck.yaml:5: case-3: undefined",
    "suite.gradcheck.yaml:6: unmet:1: not as expected",
    ENDED[-1],
]


@pytest.mark.parametrize("form", ["table", "jsonl", "json", "markdown"])
def test_a_failing_run_ends_with_what_is_not_as_expected(tool, tmp_path, form):
    """On stderr, whatever stands on stdout."""
    written(tmp_path, GOOD, WRONG, UNDEFINED, UNMET)
    code, _, err = tool.ran(tmp_path, "run", ".", "-f", form)
    assert (code, err.splitlines()) == (1, ENDED)


def test_what_the_table_says_is_not_said_again(tool, tmp_path):
    """Where both streams are read together: each sentence and each command stands there once."""
    written(tmp_path, GOOD, WRONG, UNDEFINED, UNMET)
    for width in ("60", "100"):
        environment = {"COLUMNS": width, "FORCE_COLOR": "1"}
        done = tool.run(["run", "."], folder=tmp_path, environment=environment, merged=True).stdout
        assert done.splitlines()[-4:] == BELOW
        plain = re.sub(r"\x1b\[[0-9;]*m|\\\n", "", done)
        commands = [
            line.split("reproduce: ")[1] for line in plain.splitlines() if "reproduce:" in line
        ]
        assert len(commands) == len(set(commands)) == 3


def test_what_a_line_leaves_out_is_said_below(tool, tmp_path):
    """`--quiet` gives a reason and no command; a report for programs gives no sentence to people."""
    written(tmp_path, GOOD, WRONG, UNDEFINED, UNMET)
    done = tool.run(["run", ".", "-q"], folder=tmp_path, merged=True).stdout.splitlines()
    assert done[-7:] == [
        *(line for pair in zip(BELOW, ENDED[1::2], strict=False) for line in pair),
        ENDED[-1],
    ]
    done = tool.run(["run", ".", "-f", "json"], folder=tmp_path, merged=True).stdout
    assert done.splitlines()[-7:] == ENDED


def test_a_command_that_begins_like_another_is_another(tool, tmp_path):
    """`-k ::a:1` is not said by `-k ::a:10`."""
    written(tmp_path, "{id: a, expr: x, at: {x: {start: 1, stop: 10, count: 10}}, expect: kink}")
    done = tool.run(["run", "."], folder=tmp_path, merged=True).stdout.splitlines()
    commands = [line.strip() for line in done if "reproduce: " in line]
    assert commands == [
        f"reproduce: gradcheck run suite.gradcheck.yaml -k ::a:{k + 1}" for k in range(10)
    ]


@pytest.mark.parametrize(("both", "lines"), [(True, BELOW), (False, ENDED)])
def test_streams_that_end_in_one_place_are_seen(tmp_path, both, lines):
    """A pipe for both, and one for each; the time is that of the run, and stands in no report."""
    written(tmp_path, GOOD, WRONG, UNDEFINED, UNMET)
    done = subprocess.run(
        [sys.executable, "-m", "gradcheck_cli", "run", "."],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT if both else subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        encoding="utf-8",
        env=environment(),
        check=False,
        timeout=HUNG,
    )
    said = (done.stdout if both else done.stderr).splitlines()[-len(lines) :]
    assert said[:-1] == lines[:-1]
    ended = re.fullmatch(r"3 of 5 checks are not as expected, in ([\d,.]+) s", said[-1])
    assert float(ended[1].replace(",", "")) > 0
    assert both or "as expected, in" not in done.stdout


@needs_a_terminal
def test_a_narrow_terminal_breaks_no_command(tmp_path):
    """Each line fits, and a command that is broken can be pasted."""
    written(tmp_path, "{id: unmet-and-more, expr: relu(x), at: {x: 1}, expect: kink, device: cpu}")
    both = "float32,float16"
    code, said = on_a_terminal(["run", ".", "--dtype", both], 60, "stderr", tmp_path)
    assert code == 1
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\r", "", said)
    text = text[text.index("suite.gradcheck.yaml:3:") :]
    assert [line for line in text.splitlines() if len(line) > 60] == []
    commands = re.findall(r"  reproduce: (.*)", text.replace("\\\n", ""))
    assert [shlex.split(command)[1:] for command in commands] == [
        ["run", "suite.gradcheck.yaml", "-k", f"::unmet-and-more:{dtype}", "--dtype", both]
        for dtype in both.split(",")
    ]


def test_the_rest_is_counted_and_has_a_command(tool, tmp_path):
    """Which makes all of them again, those that were named among them, and no other."""
    cases = (f"{{expr: relu(x) + {k}, at: {{x: 1}}, expect: kink}}" for k in range(MOST_CHECKS + 3))
    written(tmp_path, GOOD, *cases, name="a b.gradcheck.yaml")
    words = ("run", "a b.gradcheck.yaml", "--strict")
    code, _, err = tool.ran(tmp_path, *words)
    *_, rest, last = err.splitlines()
    assert (code, err.count("reproduce: ")) == (1, MOST_CHECKS)
    assert last == "13 of 14 checks are not as expected, in 1.2 s"
    lead, command = rest.split(": ", 1)
    assert lead == "… and 3 more; all of them"
    assert command == "gradcheck run 'a b.gradcheck.yaml' --strict --last-failed"
    code, out, _ = tool.ran(tmp_path, *shlex.split(command)[1:], "-f", "json")
    assert (code, len(json.loads(out)["cases"])) == (1, 13)


def test_a_run_that_is_well_says_nothing(tool, tmp_path):
    """Neither does one with nothing but what is foreseen."""
    written(tmp_path, GOOD, "{expr: sqrt(x**2), at: {x: 0}, xfail: known}")
    assert tool.ran(tmp_path, "run", ".")[::2] == (0, "")


def test_one_check_alone_and_one_that_came_to_harm(tmp_path):
    """The reason is that of the record; nothing stands there twice."""
    written(tmp_path, "{expr: x + 7002, at: {x: 1}}")
    code, _, err = ran(tmp_path, "run", ".", faults=True)
    first, command, last = err.splitlines()
    assert code == Status.ERROR.exit_code
    assert first.startswith(
        "suite.gradcheck.yaml:3: case-1: error: the check has ended its process"
    )
    assert command == "  reproduce: gradcheck run suite.gradcheck.yaml -k ::case-1"
    assert re.fullmatch(r"the check is not as expected, in [\d.]+ s", last)


# --- the slowest

TIMES = [
    CaseTime(made("grid", "x", 1, 2, 3), 3, 1234.5),
    CaseTime(made("one", "x", 1), 1, 0.25),
    CaseTime(made("quick", "x", 1), 1, 0.001),
]
TOLD = [
    "  1,234.50 s  made:3: grid (3 checks)",
    "      0.25 s  made:3: one",
    "      0.00 s  made:3: quick",
]


@pytest.mark.parametrize(
    ("most", "lines"),
    [
        (2, ["2 of 3 cases, the slowest first:", *TOLD[:2]]),
        (0, ["3 cases, the slowest first:", *TOLD]),
        (9, ["3 cases, the slowest first:", *TOLD]),
    ],
)
def test_the_slowest_cases(capsys, most, lines):
    """The first N of them, all for 0; on stderr, aligned."""
    say_slowest(TIMES, most)
    assert capsys.readouterr() == ("", "".join(f"{line}\n" for line in lines))


def test_no_case_is_slow_where_none_was_checked(capsys):
    """All of them were taken over, or left out."""
    say_slowest([], 3)
    assert capsys.readouterr().err == "no case was timed: none was checked in this run\n"


def test_durations_are_told_when_they_are_asked_for(tool, tmp_path):
    """In no report: that stays the same to the byte."""
    written(
        tmp_path,
        GOOD,
        "{id: grid, expr: x*y, at: {x: [1, 2], y: 3}}",
        "{expr: x, skip: no, at: {x: 1}}",
    )
    code, out, err = tool.ran(tmp_path, "run", ".", "-f", "json", "--durations", "0")
    assert (code, out) == tool.ran(tmp_path, "run", ".", "-f", "json")[:2]
    head, *lines = err.splitlines()
    assert head == "2 cases, the slowest first:"
    names = {line.split(" s  ")[1] for line in lines}
    assert names == {"suite.gradcheck.yaml:3: case-1", "suite.gradcheck.yaml:4: grid (2 checks)"}
    seconds = [float(line.split(" s  ")[0]) for line in lines]
    assert seconds == sorted(seconds, reverse=True)


def test_what_hangs_is_the_slowest(tmp_path):
    """Its worker tells no time; the time that it was given counts."""
    written(tmp_path, GOOD, "{id: slow, expr: x + 7001, at: {x: 1}, timeout: 1.5}", GOOD)
    code, _, err = ran(tmp_path, "run", ".", "--durations", "1", faults=True)
    assert code == Status.ERROR.exit_code
    head, line = err.splitlines()[-2:]
    assert head == "1 of 3 cases, the slowest first:"
    seconds, name = line.split(" s  ")
    assert name == "suite.gradcheck.yaml:4: slow"
    assert float(seconds) >= 1.5


def test_the_place_is_that_of_the_record():
    """A report of somebody else's may have none."""
    record = {"source": {"file": "a::b.yaml", "line": 7}, "id": "a::b.yaml::name:2"}
    assert endings._place_of(record) == "a::b.yaml:7: name:2"
    assert endings._place_of({"source": None, "id": "name"}) == "name"
