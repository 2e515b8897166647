"""What the pytest plugin makes of suites before anything is checked: items, markers, mistakes."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest
from suites import written
from test_pytest_plugin import EVERYTHING, WATCH, expected, seen

from gradcheck_cli import pytest_plugin
from gradcheck_cli.pytest_plugin.cases import item_name, on_devices
from gradcheck_cli.settings.values import Layer
from gradcheck_cli.suites.files import PATTERNS
from gradcheck_cli.suites.read import read_suites
from gradcheck_cli.suites.spec import Exclusion

pytest_plugins = ["pytester"]


def names(pytester, *words):
    """The items that are collected, by the ends of their ids."""
    result = pytester.runpytest_inprocess(
        "--collect-only", "-q", "--strict-markers", "-W", "error", *words
    )
    return [line.rpartition("::")[2] for line in result.outlines if "::" in line]


@pytest.fixture
def everything(pytester):
    """The suite of all things in a folder of its own."""
    (pytester.path / "suite.gradcheck.yaml").write_text(EVERYTHING, encoding="utf-8")
    return pytester


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["-m", "quick"], ["right", "two-kinds-float64", "two-kinds-float32"]),
        (["-m", "at_home"], ["right", "wrong"]),
        (["-m", "quick and not at_home"], ["two-kinds-float64", "two-kinds-float32"]),
        (["-m", "not gradcheck"], []),
        (["-m", "gradcheck"], [name for name, _ in expected()]),
        (["-k", "two-kinds and not float64"], ["two-kinds-float32"]),
        (["suite.gradcheck.yaml::two-kinds-float32"], ["two-kinds-float32"]),
        (
            [
                "suite.gradcheck.yaml",
                "--deselect",
                "suite.gradcheck.yaml::right",
                "-k",
                "right or wrong",
            ],
            ["wrong"],
        ),
    ],
)
def test_items_are_selected_as_tests_are(everything, words, found):
    """Tags are markers that pytest knows, and ids are those on the page."""
    assert names(everything, *words) == found


def test_collecting_starts_no_process_and_loads_no_torch(everything):
    """Though every case is read."""
    (everything.path / "conftest.py").write_text(WATCH, encoding="utf-8")
    result = everything.runpytest_subprocess("--collect-only", "-q", "-p", "no:hypothesispytest")
    result.stdout.fnmatch_lines(["15 tests collected*"])
    assert seen(everything.path, "loaded") == [[]]
    assert seen(everything.path, "before") == [[]]


def test_mistakes_in_a_suite_are_told_with_their_places_alone(pytester):
    """The other suites are collected all the same; pytest's exit code for what cannot be collected
    is 2.
    """
    written(
        pytester.path,
        "{id: bad, expr: sigmod(x), at: {x: 1}}",
        "{expr: x, at: {x: 1}, tag: a}",
        name="bad.gradcheck.yaml",
    )
    written(pytester.path, "{id: good, expr: x, at: {x: 1}}", name="good.gradcheck.yml")
    result = pytester.runpytest_inprocess("--collect-only")
    assert result.ret == 2
    text = result.stdout.str()
    assert (
        text.split("_ ERROR collecting bad.gradcheck.yaml _")[1]
        .split("\n", 1)[1]
        .split("\n====")[0]
        == MISTAKES
    )
    assert "<CaseItem good>" in text


MISTAKES = """\
error[unknown-function]: no function named `sigmod`
 --> bad.gradcheck.yaml:3:21
  | - {id: bad, expr: sigmod(x), at: {x: 1}}
  |                   ^^^^^^
  = help: did you mean `sigmoid`? `gradcheck functions` lists all
error[unknown-key]: no key named `tag` in a case
 --> bad.gradcheck.yaml:4:27
  | - {expr: x, at: {x: 1}, tag: a}
  |                         ^^^
  = help: did you mean `tags`?"""


def test_the_configuration_of_the_suites_folder_stands_below_it(pytester):
    """What a case says itself counts more; a mistake in the configuration is told as one in the
    suite.
    """
    folder = pytester.mkdir("inner")
    written(
        folder, "{id: own, expr: x, at: {x: 1}, dtype: float16}", "{id: other, expr: x, at: {x: 1}}"
    )
    (folder / "gradcheck.toml").write_text('dtype = ["float64", "float32"]\n', encoding="utf-8")
    assert names(pytester) == ["own", "other-float64", "other-float32"]
    (folder / "gradcheck.toml").write_text('dtype = "float99"\n', encoding="utf-8")
    text = pytester.runpytest_inprocess("--collect-only").stdout.str()
    assert "error[unknown-dtype]: no dtype named `float99`\n" in text
    assert "Traceback" not in text


def test_ids_are_those_of_a_run_in_the_same_folder(pytester):
    """Drawn points depend on ids, so a suite means the same points for both."""
    written(pytester.mkdir("inner"), "{id: drawn, expr: x, at: {x: {sample: normal, count: 2}}}")
    items, _ = pytester.inline_genitems("inner")
    (item,) = items
    assert item.case.id == "inner/suite.gradcheck.yaml::drawn"
    assert item.nodeid == "inner/suite.gradcheck.yaml::drawn"
    assert item.location == ("inner/suite.gradcheck.yaml", 2, "drawn")


def test_a_suite_that_is_in_the_way_is_left_alone(pytester):
    """`-p no:gradcheck` switches the plugin off, and other YAML files are not ours."""
    written(pytester.path, "{id: a, expr: x, at: {x: 1}}")
    written(pytester.path, "{id: b, expr: x, at: {x: 1}}", name="other.yaml")
    assert names(pytester) == ["a"]
    assert names(pytester, "-p", "no:gradcheck") == []


def test_suites_are_the_files_that_a_run_looks_for():
    """The plugin states the endings anew, because it imports nothing."""
    assert tuple(f"*{suffix}" for suffix in pytest_plugin.SUITE_SUFFIXES) == PATTERNS


def test_the_plugin_alone_imports_next_to_nothing():
    """Whoever has this package installed pays for it in every run of pytest."""
    code = (
        "import sys, pytest; before = set(sys.modules); import gradcheck_cli.pytest_plugin; "
        "print(*sorted(set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    own = ("gradcheck_cli", "gradcheck_cli.pytest_plugin", "gradcheck_cli.pytest_plugin.failures")
    assert tuple(done.stdout.split()) == own


def case_of(name):
    """A case called so."""
    (suite,) = read_suites(
        [("suite", f"version: 1\ncases: [{{id: {name}, expr: relu(x), at: {{x: 1}}}}]")],
        Layer(),
        Layer(),
    )
    return suite.cases[0]


def test_a_name_has_what_tells_runs_apart_and_no_other_item_has_it():
    """Dtype and device where there are several; a number where a case is called like a run of
    another.
    """
    taken = set()
    runs = (("float64", "cpu"), ("float32", "cuda:1"))
    assert [item_name(replace(case_of("relu"), runs=runs), *run, taken) for run in runs] == [
        "relu-float64-cpu",
        "relu-float32-cuda1",
    ]
    for name in ("relu-float64-cpu-2", "relu-float64-cpu-3"):
        assert item_name(case_of("relu-float64-cpu"), "float64", "cpu", taken) == name
    assert item_name(case_of("plain"), "float64", "cuda:0", taken) == "plain"


def test_all_devices_are_those_that_are_present_less_what_is_left_out():
    """A case that is left without any is skipped, and says so."""
    case = replace(
        case_of("a"),
        runs=(("float64", "all"), ("float64", "cpu"), ("float32", "all")),
        excluded=(Exclusion(("float32",), ("cpu",)),),
    )
    assert on_devices(case, ["cpu", "cuda:0"]).runs == (
        ("float64", "cpu"),
        ("float64", "cuda:0"),
        ("float32", "cuda:0"),
    )
    nowhere = on_devices(replace(case, excluded=(Exclusion((), ("cpu",)),)), ["cpu"])
    assert nowhere.skip == "it leaves out every device that is present: cpu"


def test_every_tag_that_a_suite_may_have_makes_a_marker(pytester):
    """With the hyphen turned into what `-m` reads, and a leading underscore that pytest does not
    allow.
    """
    written(
        pytester.path,
        "{id: a, expr: x, at: {x: 1}, tags: [_private, two-words, gradcheck]}",
        "{id: b, expr: x, at: {x: 1}}",
    )
    assert names(pytester, "-m", "tag_private and two_words") == ["a"]
    assert names(pytester, "-m", "gradcheck") == ["a", "b"]
