"""`gradcheck run` as a user meets it: exit codes, streams, selection, order, and what is left after
harm.
"""

from __future__ import annotations

import json
import os
import signal
from concurrent.futures import Executor
from pathlib import Path

import pytest
from clocks import HUNG, until
from suites import made, ran, started, written

from gradcheck_cli.runs import run as run_module
from gradcheck_cli.runs.journal import Journal
from gradcheck_cli.runs.plan import Selection, plan
from gradcheck_cli.runs.pool import BatchAnswer, Limits
from gradcheck_cli.runs.run import Run

GOOD, WRONG, UNDEFINED = (
    "{expr: x**2, at: {x: 3}}",
    "{expr: relu(x) - relu(-x), at: {x: 0}}",
    "{expr: log(x), at: {x: -1}}",
)
HANG, CRASH = "{expr: x + 7001, at: {x: 1}, timeout: 1.5}", "{expr: x + 7002, at: {x: 1}}"
# Its worker waits until there is a file, the gate, and leaves one with its process id beside it.
GATED = 7006


def chunk(number):
    """A case of 12 points with this number in it; two do not go into one batch."""
    return f"{{expr: x*y + {number}, at: {{x: {{start: 1, stop: 2, count: 12}}, y: 3}}}}"


def held(folder, *words):
    """(process, gate) of a run whose workers come to harm."""
    gate = Path(folder) / "gate"
    gate.unlink(missing_ok=True)
    return started(folder, *words, faults=True, GATE=str(gate)), gate


def at_the_gate(process, gate, count=1):
    """Process ids of so many workers that have come to the gate, as soon as they have."""
    until(lambda: len(list(gate.parent.glob("gate.*"))) >= count, process)
    return [int(path.suffix[1:]) for path in gate.parent.glob("gate.*")]


def journal(process, folder, lines=0):
    """The journal of a run, as soon as it has so many lines."""
    return until(
        lambda: next(
            (
                path
                for path in (folder / ".gradcheck_cache").glob("run-*.tsv")
                if path.read_bytes().count(b"\n") >= lines
            ),
            None,
        ),
        process,
    )


def document(start, *words, **options):
    """(exit code, the JSON report) of a run, started by `tool.ran` or, as a process, by `ran`."""
    code, out, err = start(words[0], "run", *words[1:], "-f", "json", **options)
    assert out, err
    return code, json.loads(out)


@pytest.mark.parametrize(
    ("cases", "code"),
    [
        (
            [
                GOOD,
                "{expr: relu(x), at: {x: 0}}",
                "{expr: relu(x) - relu(-x), at: {x: 0}, expect: wrong}",
                "{expr: log(x), at: {x: -1}, skip: outside}",
            ],
            0,
        ),
        ([GOOD, WRONG, UNDEFINED], 1),
        ([GOOD, UNDEFINED], 4),
        (
            [
                "{expr: x**2, at: {x: 3}, expect: {partials: {x: 7}}}",
                "{expr: x, at: {x: 1}, xfail: not so}",
            ],
            1,
        ),
    ],
)
def test_exit_codes(tool, tmp_path, cases, code):
    """As expected, wrong, not verified; what a suite expects is as expected, what it foresees and
    does not come is not.
    """
    written(tmp_path, *cases)
    found, report = document(tool.ran, tmp_path, ".", "-j1")
    assert (found, report["exit_code"]) == (code, code)


def test_harm_has_its_own_exit_code_and_costs_no_other_check(tmp_path):
    """3 stands above 1; every other check is made, and each says what came of it."""
    written(tmp_path, GOOD, HANG, WRONG, CRASH, GOOD)
    code, report = document(ran, tmp_path, ".", "-j1", faults=True)
    assert (code, report["exit_code"]) == (3, 3)
    assert [(case["outcome"], case["reason"]) for case in report["cases"]] == [
        ("agree", None),
        ("error", "the check has taken longer than 1.5 s"),
        ("wrong", None),
        ("error", "the check has ended its process by SIGSEGV"),
        ("agree", None),
    ]


def test_memory_has_a_limit(tmp_path):
    """A check that would take all there is."""
    written(tmp_path, "{expr: x + 7003, at: {x: 1}}", GOOD)
    code, report = document(ran, tmp_path, ".", "-j1", "--max-memory", "1500MiB", faults=True)
    assert code == 3
    assert [case["reason"] for case in report["cases"]] == [
        "the check has taken more than 1,500 MiB of memory",
        None,
    ]


def test_the_same_seed_gives_the_same_bytes_whatever_the_number_of_workers(tool, tmp_path):
    """Among them sampled points, several dtypes, and more points than a chunk holds; streamed and
    in one piece.
    """
    written(
        tmp_path,
        "{expr: sin(x)*y, at: {x: {sample: normal, count: 3}, y: {start: 0, stop: 1, count: 100}}}",
        "{expr: tanh(x), at: {x: {sample: uniform, count: 4}}, dtype: [float64, float32]}",
        *(f"{{expr: x**2 + {k}, at: {{x: 3}}}}" for k in range(20)),
    )

    def texts(*words):
        streamed = tool.ran(tmp_path, "run", ".", "-f", "jsonl", "--export", "a.json", *words)[1]
        return streamed, (tmp_path / "a.json").read_text(encoding="utf-8")

    streamed, whole = texts("-j", "1", "--seed", "5")
    assert texts("-j", "3", "--seed", "5") == (streamed, whole)
    others = texts("--seed", "6")
    assert others[0] != streamed
    assert others[1] != whole


def test_an_export_is_written_beside_what_is_shown(tool, tmp_path):
    """Several at once; what a folder cannot take is told, exit 2, and what is shown stays."""
    written(tmp_path, GOOD, WRONG)
    code, out, err = tool.ran(
        tmp_path,
        "run",
        ".",
        "--export",
        "a.json",
        "--export",
        "junit:b.xml",
        "--export",
        "/dev/full",
    )
    assert (code, out) == (2, "")
    code, out, err = tool.ran(
        tmp_path,
        "run",
        ".",
        "--export",
        "a.json",
        "--export",
        "junit:b.xml",
        "--export",
        "json:/dev/full",
    )
    assert code == 2
    assert (
        "error[unwritable]: the report cannot be written to `/dev/full`: No space left on device"
        in err
    )
    assert "2 cases: " in out
    assert json.loads((tmp_path / "a.json").read_text())["summary"] == {"wrong": 1, "agree": 1}
    assert (tmp_path / "b.xml").read_text().startswith("<?xml")


def test_a_full_stdout_is_told(tmp_path):
    """Nothing is lost silently."""
    written(tmp_path, GOOD)
    with Path("/dev/full").open("w") as full:
        process = started(tmp_path, "run", ".", stdout=full)
        _, err = process.communicate(timeout=HUNG)
    assert process.returncode == 2
    assert "error[unwritable]: the report cannot be written: No space left on device" in err


def test_a_closed_pipe_ends_silently(tmp_path):
    """As `| head -1` does it; checks that were not made are no success. Where a file is to be
    written too, all are made.
    """
    written(tmp_path, chunk(1), chunk(GATED), chunk(GATED))
    process, gate = held(tmp_path, "run", ".", "-j1", "-f", "jsonl")
    assert json.loads(process.stdout.readline())["outcome"] == "agree"
    process.stdout.close()
    gate.touch()
    assert process.stderr.read() == ""
    assert process.wait(timeout=HUNG) == 3
    process, gate = held(tmp_path, "run", ".", "-j1", "-f", "jsonl", "--export", "all.json")
    process.stdout.readline()
    process.stdout.close()
    gate.touch()
    assert (process.stderr.read(), process.wait(timeout=HUNG)) == ("", 0)
    assert json.loads((tmp_path / "all.json").read_text())["summary"] == {"agree": 36}


def test_what_cannot_be_read_is_told_in_one_go(tool, tmp_path):
    """A missing file, a folder without suites, a file that is no text, and a mistake inside one."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\x00")
    code, out, err = tool.ran(tmp_path, "run", "gone.yaml", "empty", "bytes.yaml")
    assert (code, out) == (2, "")
    assert err.count("error[") == 3
    assert "error[unreadable]: `gone.yaml` cannot be read" in err
    assert "error[no-suite]: `empty` holds no suite" in err
    written(tmp_path, "{expr: sigmod(x), at: {x: 1}}", "{expr: x, ta: {x: 1}}")
    code, out, err = tool.ran(tmp_path, "run", "suite.gradcheck.yaml")
    assert code == 2
    assert [
        "suite.gradcheck.yaml:3:12" in err,
        "suite.gradcheck.yaml:4:" in err,
        err.count("error[") >= 2,
    ] == [True] * 3


def test_a_suite_from_stdin(tool, tmp_path):
    """`-` reads one."""
    text = f"version: 1\ncases:\n  - {GOOD}\n"
    done = tool.run(["run", "-", "-f", "jsonl"], stdin=text, folder=tmp_path)
    assert done.returncode == 0
    assert json.loads(done.stdout)["source"] == {"file": "stdin", "line": 3, "column": 5}


def test_nothing_selected_has_its_own_exit_code(tool, tmp_path):
    """And is told."""
    written(tmp_path, GOOD)
    assert tool.ran(tmp_path, "run", ".", "-k", "nothing like it") == (
        5,
        "",
        "nothing is selected: no check was made\n",
    )


def test_the_first_failure_ends_the_run_at_the_same_check_whatever_the_number_of_workers(
    tool, tmp_path
):
    """Checks behind it that happened to be finished are not told."""
    written(tmp_path, GOOD, GOOD, WRONG, GOOD, WRONG, *[GOOD] * 30)
    found = [document(tool.ran, tmp_path, ".", "-x", "-j", jobs)[1] for jobs in ("1", "3")]
    assert found[0] == found[1]
    assert [case["status"] for case in found[0]["cases"]] == ["pass", "pass", "fail"]
    assert found[0]["problems"] == [
        "ended after 1 failed: 32 of 35 checks were not made; the first is suite.gradcheck.yaml::case-4"
    ]
    assert len(document(tool.ran, tmp_path, ".", "--maxfail", "2")[1]["cases"]) == 5


def test_last_failed_makes_what_failed_again(tool, tmp_path):
    """Until it passes; without a failure everything is made."""
    written(tmp_path, GOOD, WRONG, "{expr: relu(x) - relu(-x), at: {x: [1, 0, 2]}}")
    assert tool.ran(tmp_path, "run", ".")[0] == 1
    again = document(tool.ran, tmp_path, ".", "--lf")[1]
    assert [(case["id"], case["status"]) for case in again["cases"]] == [
        ("suite.gradcheck.yaml::case-2", "fail"),
        ("suite.gradcheck.yaml::case-3:2", "fail"),
    ]
    written(tmp_path, GOOD, GOOD, GOOD)
    assert tool.ran(tmp_path, "run", ".")[0] == 0
    code, _, err = tool.ran(tmp_path, "run", ".", "--lf")
    assert (code, "none of these checks is known to have failed: all are made" in err) == (0, True)


def test_exit_zero_covers_gradients_and_nothing_else(tool, tmp_path):
    """Not harm, not mistakes, not an empty selection."""
    written(tmp_path, WRONG, UNDEFINED)
    assert tool.ran(tmp_path, "run", ".", "--exit-zero")[0] == 0
    assert tool.ran(tmp_path, "run", ".", "--exit-zero", "-k", "nothing like it")[0] == 5
    written(tmp_path, CRASH)
    assert ran(tmp_path, "run", ".", "--exit-zero", faults=True)[0] == 3


def test_ctrl_c_writes_what_is_finished(tmp_path):
    """Exit 130, the report whole, what is missing told."""
    written(tmp_path, GOOD, "{expr: x + 7001, at: {x: 1}}", GOOD)
    process, gate = held(tmp_path, "run", ".", "-j1", "-f", "json")
    at_the_gate(process, gate)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=HUNG)
    report = json.loads(out)
    assert (process.returncode, report["exit_code"]) == (130, 130)
    done = [case["id"] for case in report["cases"]]
    # What a worker has sent last may be on its way.
    first = f"suite.gradcheck.yaml::case-{len(done) + 1}"
    assert done in ([], ["suite.gradcheck.yaml::case-1"])
    assert report["problems"] == [
        f"interrupted: {3 - len(done)} of 3 checks were not made; the first is {first}; `--resume` goes on"
    ]


def test_ctrl_c_keeps_what_a_batch_has_brought_so_far(monkeypatch):
    """A batch that is under way is not lost whole: its finished checks are in the report."""
    cases = [made("a", "x**2", 1), made("b", "x + 1", 1), made("c", "x + 2", 1)]
    chosen = plan(cases, Selection())

    class Halfway(Executor):
        """Two checks have come when somebody presses Ctrl-C."""

        def submit(self, function, tasks, limits):
            answer, items = BatchAnswer(), function(tasks, limits)
            answer.received = items[:2]
            return answer

    def interrupted(*_, **__):
        raise KeyboardInterrupt

    run = Run(chosen, Journal(None, chosen.count), "")
    monkeypatch.setattr(run_module, "wait", interrupted)
    run.through(Halfway(), 1, Limits(HUNG, 1 << 31))
    report = run.report([], {})
    assert [record["id"] for record in report.records] == ["made::a", "made::b"]
    assert report.problems == (
        "interrupted: 1 of 3 checks was not made; the first is made::c; `--resume` goes on",
    )
    assert report.exit_code == 130


def test_ctrl_c_before_the_first_check_writes_a_report_too(tool, tmp_path, monkeypatch):
    """Whoever cancels a job while it starts finds a report that says so."""
    written(tmp_path, GOOD)

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(Run, "through", interrupted)
    code, out, _ = tool.ran(tmp_path, "run", ".", "-f", "json", "-j1")
    report = json.loads(out)
    assert (code, report["exit_code"], report["cases"]) == (130, 130, [])
    assert "interrupted: the one check was not made" in report["problems"][0]


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGHUP])
def test_a_job_that_is_cancelled_writes_what_is_finished(tmp_path, ending):
    """SIGTERM, as a CI server sends it, and SIGHUP, as a terminal that is closed, are taken as Ctrl-C."""
    written(tmp_path, GOOD, "{expr: x + 7001, at: {x: 1}}")
    process, gate = held(tmp_path, "run", ".", "-j1", "--export", "a.json")
    at_the_gate(process, gate)
    process.send_signal(ending)
    process.communicate(timeout=HUNG)
    assert (process.returncode, json.loads((tmp_path / "a.json").read_text())["exit_code"]) == (
        130,
        130,
    )


def test_a_run_that_was_killed_goes_on_where_it_stopped(tool, tmp_path):
    """SIGKILL of the parent; the report is that of a run that was never killed, and finished checks
    are not made again.
    """
    written(tmp_path, chunk(1), chunk(2), *(chunk(f"{GATED} + {k}") for k in range(4)))
    words = ("run", ".", "-f", "json", "-j2")
    process, _ = held(tmp_path, *words)
    kept = journal(process, tmp_path, 12)
    process.kill()
    process.communicate(timeout=HUNG)
    done = kept.read_bytes().count(b"\n")
    assert 12 <= done <= 24
    code, out, err = tool.ran(tmp_path, *words, "--resume")
    assert f"{done} of 72 checks are taken over from the run before" in err
    assert not kept.exists()
    assert (code, out) == tool.ran(tmp_path, *words)[:2]


@pytest.mark.parametrize(
    ("cases", "workers", "summary"),
    [
        ([chunk(1), chunk(GATED), chunk(f"{GATED} + 1"), chunk(2)], 2, {"agree": 48}),
        (
            [GOOD, f"{{expr: x + {GATED}, at: {{x: 1}}}}", GOOD, chunk(1)],
            1,
            {"error": 1, "agree": 14},
        ),
    ],
)
def test_a_worker_that_is_killed_in_mid_run_costs_one_check_at_most(
    tmp_path, cases, workers, summary
):
    """Of many points none is lost: they are checked anew, one by one. The run ends by itself."""
    written(tmp_path, *cases)
    process, gate = held(tmp_path, "run", ".", "-f", "json", f"-j{workers}")
    os.kill(at_the_gate(process, gate, workers)[0], signal.SIGKILL)
    gate.touch()
    out, _ = process.communicate(timeout=HUNG)
    report = json.loads(out)
    assert report["summary"] == summary
    assert {case["reason"] for case in report["cases"] if case["outcome"] == "error"} <= {
        "the check has ended its process by SIGKILL (out of memory, if nobody sent it)"
    }


def test_what_is_read_is_not_written_over(tool, tmp_path):
    """A report in the place of a suite would lose it."""
    path = written(tmp_path, GOOD)
    before = path.read_text()
    code, _, err = tool.ran(tmp_path, "run", ".", "--export", f"tap:{path.name}")
    assert (code, err) == (
        2,
        f"error[unwritable]: the report cannot be written to `{path.name}`: "
        "that is one of the files it is about\n",
    )
    assert path.read_text() == before


def test_a_device_that_is_absent_matters_to_those_alone_who_ask_for_it(tool, tmp_path):
    """A case that is not selected asks for nothing."""
    written(
        tmp_path,
        "{expr: sin(x), at: {x: 1}}",
        "{expr: x, at: {x: 1}, device: 'cuda:63', tags: gpu}",
    )
    assert tool.ran(tmp_path, "run", ".", "-t", "!gpu")[0] == 0
    code, _, err = tool.ran(tmp_path, "run", ".")
    assert code == 2
    assert err.startswith(
        "error[absent-device]: device `cuda:63` is not present, "
        "which `suite.gradcheck.yaml::case-2` asks for\n --> suite.gradcheck.yaml:4:"
    )


def test_a_failure_of_strict_is_reproduced_with_strict(tool, tmp_path):
    """The command fails as the check did."""
    written(tmp_path, "{expr: relu(x), at: {x: 0}, strict: true}")
    code, _, err = tool.ran(tmp_path, "run", ".")
    assert (code, err.splitlines()[1]) == (1, "  reproduce: gradcheck 'relu(x)' --at x=0 --strict")


def test_a_file_is_checked_once_however_it_is_called(tool, tmp_path):
    """By its name, its path, a link to it."""
    path = written(tmp_path, GOOD)
    (tmp_path / "link.gradcheck.yaml").symlink_to(path)
    (tmp_path / "folder.gradcheck.yaml").mkdir()
    assert (
        len(document(tool.ran, tmp_path, ".", path.name, str(path), f"./{path.name}")[1]["cases"])
        == 1
    )
