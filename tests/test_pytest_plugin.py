"""The pytest plugin: suites as pytest sees them. What is asserted of a whole run comes from one run
in a process of its own.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree

import hypothesis  # noqa: F401 - kept in memory, as said below
import psutil
import pytest
from clocks import HUNG
from suites import environment, written

# pytester forgets what is imported in a run inside this process: libraries written in C cannot be
# imported twice, and hypothesis, which its own plugin imports in every run, takes a second.
from gradcheck_cli.pytest_plugin import cases as pytest_cases  # noqa: F401 - kept in memory, as said above
from gradcheck_cli.pytest_plugin import failures
from gradcheck_cli.reports import table  # noqa: F401 - kept in memory, as said above
from gradcheck_cli.runs import session  # noqa: F401 - kept in memory, as said above

pytest_plugins = ["pytester"]

# pytest in a process of its own, without what would import hypothesis.
PYTEST = [sys.executable, "-m", "pytest", "-p", "no:hypothesispytest"]

# A case for each thing that can come of one; the comment of a case is what pytest makes of it.
EVERYTHING = """\
version: 1
cases:
  - {id: right, expr: sigmoid(x), at: {x: 0.5}, tags: [quick, at-home]}            # passed
  - {id: two-kinds, expr: tanh(x), at: {x: [0.5, 1]}, dtype: [float64, float32], tags: quick}  # passed, passed
  - {id: wrong, expr: relu(x) - relu(-x), at: {x: 0}, tags: at-home}               # failed
  - {id: some-points, expr: sqrt(x**2), at: {x: "0:6:13"}}                         # failed
  - {id: many-points, expr: relu(x) - relu(-x) + 0*y, at: {x: 0, y: "1:12:12"}, wrt: x}  # failed
  - {id: unmet, expr: x**2, at: {x: 3}, expect: {partials: {x: 7}}}                # failed
  - {id: unverified, expr: 1/x, at: {x: 0}}                                        # failed
  - {id: hang, expr: "polygamma(2, -1e15*x)", at: {x: 1}, timeout: 2}              # failed
  - {id: crash, expr: x * 7002, at: {x: 1}, xfail: a crash is no gradient}         # failed
  - {id: absent, expr: x**2, at: {x: 3}, device: "cuda:63"}                        # failed
  - {id: left-out, expr: x**2, at: {x: 3}, skip: not today}                        # skipped
  - {id: foreseen, expr: sqrt(x**2), at: {x: 0}, xfail: torch answers NaN}         # xfailed
  - {id: unforeseen, expr: x**2, at: {x: [1, 2]}, xfail: nobody knows why}         # failed
  - {id: half-foreseen, expr: sqrt(x**2), at: {x: [0, 1, 2]}, xfail: torch answers NaN}  # failed
"""
# Writes down what each process of pytest has started and loaded.
WATCH = """\
import json, os, psutil, sys
from pathlib import Path

def children():
    return [child.pid for child in psutil.Process().children()]

def write(kind, found):
    Path(f"{kind}-{os.getpid()}").write_text(json.dumps(found))

def pytest_collection_finish(session):
    write("before", children())

def pytest_runtest_teardown(item, nextitem):
    if nextitem is None:
        write("children", children())

def pytest_sessionfinish(session):
    write("loaded", [name for name in ("torch", "sympy") if name in sys.modules])

def pytest_unconfigure(config):
    write("after", children())
"""


def seen(folder, kind):
    """What the processes of pytest have written down, one entry a process."""
    return [
        json.loads(file.read_text(encoding="utf-8"))
        for file in sorted(Path(folder).glob(f"{kind}-*"))
    ]


def started(folder, *words, faults=False):
    """pytest's output in a process of its own, whose exit code says that some failed."""
    done = subprocess.run(
        [*PYTEST, *words],
        cwd=folder,
        capture_output=True,
        text=True,
        env=environment(faults=faults),
        timeout=HUNG,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """A run over everything, with a JUnit report."""
    folder = tmp_path_factory.mktemp("ran")
    (folder / "suite.gradcheck.yaml").write_text(EVERYTHING, encoding="utf-8")
    (folder / "conftest.py").write_text(WATCH, encoding="utf-8")
    out = started(folder, "-v", "-ra", "--strict-markers", "--junitxml=junit.xml", faults=True)
    cases = {
        case.get("name"): case
        for case in ElementTree.parse(folder / "junit.xml").iter("testcase")  # noqa: S314 - our own
    }
    return SimpleNamespace(folder=folder, out=out, cases=cases)


def section(ran, name):
    """What stands below an item's heading."""
    return (
        ran.out.split(f"_ {name} _")[1].split("\n", 1)[1].split("\n____")[0].split("\n====")[0]
        + "\n"
    )


def expected():
    """(item, result) as the comments say; two results are those of two dtypes."""
    found = []
    for line in EVERYTHING.splitlines()[2:]:
        name, results = line.split("id: ")[1].split(",")[0], line.rpartition("# ")[2].split(", ")
        names = [name] if len(results) == 1 else [f"{name}-float64", f"{name}-float32"]
        found += zip(names, results, strict=True)
    return found


def test_every_case_comes_to_what_its_suite_says(ran):
    """Each item in the order of the file, and none besides."""
    lines = [
        line
        for line in ran.out.splitlines()
        if line.startswith("suite.gradcheck.yaml::") and "%]" in line
    ]
    told = [
        (line.split("::")[1].split()[0], line.split("::")[1].split()[1].lower()) for line in lines
    ]
    assert [(name, {"xfail": "xfailed"}.get(result, result)) for name, result in told] == expected()


def test_a_failure_shows_the_report_and_nothing_of_our_own_code(ran):
    """Its table, why, and the command that reproduces it."""
    text = section(ran, "wrong")
    assert text.startswith(
        "relu(x) - relu(-x)\nsuite.gradcheck.yaml::wrong; at x = 0; float64 on cpu\n"
    )
    assert "torch answers 0 where the derivative is 1" in text
    assert text.rstrip().endswith("reproduce: gradcheck 'relu(x) - relu(-x)' --at x=0")
    assert "Traceback" not in ran.out
    assert "pytest_plugin" not in ran.out


def test_the_points_that_fail_are_listed_and_the_others_are_not(ran):
    """One of 13; ten of 12, and the other two are counted."""
    some, many = section(ran, "some-points"), section(ran, "many-points")
    assert some.startswith("1 of 13 points\n\nsqrt(x**2)\n")
    assert "some-points:1; at x = 0; float64 on cpu" in some
    assert many.startswith("12 of 12 points\n\n")
    assert "cases: " not in many
    assert many.count("  wrong\n") == failures.MAX_SHOWN
    assert many.rstrip().endswith("… and 2 more, which `gradcheck run` shows")


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("unmet", "not as expected: ∂f/∂x is 6, expected is 7"),
        ("unverified", "undefined: there is nothing to differentiate"),
        ("hang", "error: the check has taken longer than 2 s"),
        ("crash", "error: the check has ended its process by SIGSEGV"),
        ("absent", "error[absent-device]: device `cuda:63` is not present\n  = help: present: cpu"),
        ("unforeseen", "[XPASS(strict)] nobody knows why"),
        ("half-foreseen", "2 of 3 points\n\n"),
    ],
)
def test_a_failure_says_why(ran, name, says):
    """In the report's own sentence, in the place of the item and in the JUnit report."""
    assert says in section(ran, name)
    assert says.split("\n")[0] in "".join(ran.cases[name].find("failure").itertext())


def test_of_a_case_that_should_fail_the_points_that_pass_are_shown(ran):
    """And why that is wrong; the point that fails as foreseen is not."""
    text = section(ran, "half-foreseen")
    assert "it passes, though the suite expects it to fail: torch answers NaN" in text
    assert "nan" not in text.replace("NaN", "")


def test_the_summary_names_the_place_and_the_reason(ran):
    """A line for each item that did not pass."""
    tail = ran.out.split("short test summary info")[1]
    assert "FAILED suite.gradcheck.yaml::wrong - ∂f/∂x: wrong: torch answers 0" in tail
    assert "FAILED suite.gradcheck.yaml::some-points - 1 of 13 points: ∂f/∂x: wrong: " in tail
    assert "SKIPPED [1] suite.gradcheck.yaml: not today" in tail
    assert "XFAIL suite.gradcheck.yaml::foreseen - torch answers NaN" in tail


def test_the_junit_report_tells_outcome_dtype_and_device(ran):
    """As properties, also of what passed, was skipped or failed as foreseen."""
    told = {
        name: {item.get("name"): item.get("value") for item in case.iter("property")}
        for name, case in ran.cases.items()
    }
    assert told["two-kinds-float32"] == {"outcome": "agree", "dtype": "float32", "device": "cpu"}
    assert told["some-points"]["outcome"] == "wrong"
    assert told["hang"]["outcome"] == "error"
    assert told["left-out"]["outcome"] == "skipped"
    assert told["foreseen"]["outcome"] == "wrong"
    kinds = {
        name: [child.tag for child in case if child.tag != "properties"]
        for name, case in ran.cases.items()
    }
    assert {name: kinds[name] for name in ("right", "left-out", "foreseen", "wrong")} == {
        "right": [], "left-out": ["skipped"], "foreseen": ["skipped"], "wrong": ["failure"],
    }  # fmt: skip
    assert (
        ran.cases["wrong"]
        .find("failure")
        .get("message")
        .startswith("∂f/∂x: wrong: torch answers 0")
    )


def test_pytest_loads_no_torch_and_has_one_worker_which_ends_with_it(ran):
    """Even after crashes, which cost a worker each."""
    assert seen(ran.folder, "loaded") == [[]]
    assert seen(ran.folder, "before") == [[]]
    ((_,),) = seen(ran.folder, "children")
    assert seen(ran.folder, "after") == [[]]


def test_every_worker_of_xdist_has_a_worker_of_its_own(tmp_path):
    """And comes to the same results."""
    written(
        tmp_path,
        "{id: a, expr: sin(x), at: {x: 1}}",
        "{id: b, expr: sqrt(x**2), at: {x: 0}}",
        "{id: c, expr: cos(x), at: {x: 1}, dtype: [float64, float32]}",
    )
    (tmp_path / "conftest.py").write_text(WATCH, encoding="utf-8")
    out = started(tmp_path, "-n", "2")
    assert "1 failed, 3 passed" in out
    assert "FAILED suite.gradcheck.yaml::b - ∂f/∂x: wrong: torch answers nan" in out
    assert "reproduce: gradcheck 'sqrt(x**2)' --at x=0" in out
    children = [child for found in seen(tmp_path, "children") for child in found]
    assert len(children) == 2
    assert not any(map(psutil.pid_exists, children))
    assert seen(tmp_path, "loaded") == [[], [], []]


def test_with_runxfail_a_case_fails_as_if_it_were_not_expected_to(pytester):
    """pytest's own option; the report is shown."""
    written(pytester.path, "{id: foreseen, expr: sqrt(x**2), at: {x: 0}, xfail: torch answers NaN}")
    result = pytester.runpytest_inprocess("--runxfail")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "expected to fail: torch answers NaN",
            "FAILED suite.gradcheck.yaml::foreseen - expected to fail: torch answers NaN",
        ]
    )


def test_last_failed_runs_what_failed_and_no_more(pytester):
    """Items have the same ids from run to run."""
    good, bad = (
        "{id: good, expr: sin(x), at: {x: 1}}",
        "{{id: bad, expr: {}, at: {{x: 0}}, dtype: [float64, float32]}}",
    )
    written(pytester.path, good, bad.format("sqrt(x**2)"))
    pytester.runpytest_inprocess().assert_outcomes(passed=1, failed=2)
    written(pytester.path, good, bad.format("x**2"))
    pytester.runpytest_inprocess("--lf").assert_outcomes(passed=2)


def test_a_worker_that_cannot_be_started_fails_the_items_in_one_sentence(pytester):
    """Here torch is not what it should be; asked for all devices, it cannot even say which there
    are.
    """
    written(
        pytester.path,
        "{id: a, expr: x, at: {x: 1}, device: all}",
        "{id: b, expr: x, at: {x: 1}, xfail: not for this reason}",
    )
    broken = pytester.mkdir("broken")
    (broken / "torch.py").write_text("raise ImportError('broken')\n", encoding="utf-8")
    pytester.syspathinsert(broken)
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(
        [
            "_* a _*",
            "a worker process could not be started: it has ended its process with exit code 1",
            "_* b _*",
        ]
    )
    assert "Traceback" not in result.stdout.str()
