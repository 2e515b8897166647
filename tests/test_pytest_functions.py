"""pytest and functions: those that suites name, those that are marked as checks of themselves, and
the fixture.
"""

from __future__ import annotations

import re
import subprocess
from types import SimpleNamespace

import pytest
from clocks import HUNG
from suites import environment, written
from test_pytest_plugin import PYTEST

TESTS = """\
import pytest
import torch
from mine import Wrong, square


@pytest.mark.gradcheck(at={"x": "randn(3)"}, variants="none")
def test_right(x):
    return square(x)


@pytest.mark.gradcheck({"x": [0.5], "k": 2.0}, spec="3*x", variants="none")
@pytest.mark.gradcheck(args={"x": [0.5], "k": 2.0}, spec="x*k", variants="none")
def test_of_two_marks(x, k):
    return x * k


@pytest.mark.gradcheck({"x": [0.5, -1]}, spex="x")
def test_slip(x):
    return x


@pytest.mark.gradcheck(spec="x")
def test_without_arguments(x):
    return x


@pytest.mark.gradcheck({"x": [0.5, -1]})
def test_raises(x):
    raise ValueError("not today")


@pytest.mark.xfail(reason="a surrogate")
@pytest.mark.gradcheck({"x": [0.5, -1]}, variants="none")
def test_foreseen(x):
    return Wrong.apply(x)


@pytest.mark.skip(reason="not today")
@pytest.mark.gradcheck({"x": [0.5, -1]})
def test_left_out(x):
    return x


class TestGroup:
    @pytest.mark.gradcheck({"x": 0.5}, variants="none")
    def test_method(self, x):
        return x.exp()

    @staticmethod
    @pytest.mark.gradcheck({"x": 0.5}, variants="none")
    def test_static(x):
        return x.exp()


@pytest.mark.gradcheck
def test_plain(assert_gradient):
    assert_gradient(square, {"x": [0.5, -1]}, variants="none")


def test_fails(assert_gradient):
    assert_gradient(Wrong, {"x": [0.5, -1]}, variants="none")
"""
MINE = """\
import torch


class Wrong(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx, g):
        return g * ctx.saved_tensors[0]


def square(x):
    return (x * x).sum()
"""
# Each item with what comes of it.
EXPECTED = {
    "suite.gradcheck.yaml::allowed": "PASSED",
    "suite.gradcheck.yaml::wrong": "FAILED",
    "suite.gradcheck.yaml::refused": "FAILED",
    "test_mine.py::test_right": "PASSED",
    "test_mine.py::test_of_two_marks[0]": "PASSED",
    "test_mine.py::test_of_two_marks[1]": "FAILED",
    "test_mine.py::test_slip": "FAILED",
    "test_mine.py::test_without_arguments": "FAILED",
    "test_mine.py::test_raises": "FAILED",
    "test_mine.py::test_foreseen": "XFAIL",
    "test_mine.py::test_left_out": "SKIPPED",
    "test_mine.py::TestGroup::test_method": "PASSED",
    "test_mine.py::TestGroup::test_static": "PASSED",
    "test_mine.py::test_plain": "PASSED",
    "test_mine.py::test_fails": "FAILED",
}


def pytest_on(folder, *words):
    """pytest's output in a process of its own."""
    done = subprocess.run(
        [*PYTEST, "-p", "no:cacheprovider", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        env=environment(),
        timeout=HUNG,
        check=False,
    )
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """A run over everything, in which pytest's own configuration allows one package, and a word one
    file.
    """
    folder = tmp_path_factory.mktemp("functions")
    (folder / "mine.py").write_text(MINE, encoding="utf-8")
    (folder / "test_mine.py").write_text(TESTS, encoding="utf-8")
    (folder / "pytest.ini").write_text("[pytest]\ngradcheck_allow_import = mine other\n")
    written(
        folder,
        '{id: allowed, function: "mine:square", args: {x: [1, 2]}, variants: none}',
        "{id: wrong, function: mine.py:Wrong, args: {x: [1, 2]}, variants: none}",
        '{id: refused, function: "strange:f"}',
    )
    out = pytest_on(folder, "-v", "--strict-markers", "--allow-import", "./mine.py")
    return SimpleNamespace(folder=folder, out=out)


def shown(ran, name):
    """What stands below an item's heading."""
    return re.split(r"\n_{3,}|\n={3,}", ran.out.split(f"_ {name} _")[1].split("\n", 1)[1])[
        0
    ].strip()


def test_every_item_comes_to_what_it_should(ran):
    """Items of suites and of marked functions, beside others."""
    found = dict(re.findall(r"^(\S+::\S+) (PASSED|FAILED|XFAIL|SKIPPED)", ran.out, re.MULTILINE))
    assert found == EXPECTED


def test_a_failing_function_shows_its_report(ran):
    """And no traceback."""
    for name, subject in (
        ("wrong", "mine.py:Wrong"),
        ("test_of_two_marks[1]", "test_of_two_marks"),
    ):
        text = shown(ran, name)
        assert "∂f/∂x" in text
        assert subject in text
        assert "Traceback" not in text


@pytest.mark.parametrize(
    ("name", "told"),
    [
        (
            "refused",
            "error[import-not-allowed]: `suite.gradcheck.yaml::refused` imports `strange`, and "
            "nobody has allowed that\n --> suite.gradcheck.yaml:5:29\n"
            "  = help: to import is to run: if you trust it, add --allow-import strange",
        ),
        (
            "test_slip",
            "error[bad-mark]: the mark has no option `spex`\n  = help: did you mean `spec`?",
        ),
        (
            "test_without_arguments",
            "error[bad-mark]: the mark gives arguments 0 times\n"
            '  = help: write `@pytest.mark.gradcheck(at={"x": "randn(3)"})`',
        ),
        ("test_raises", "error[raised]: the function raises ValueError: not today"),
    ],
)
def test_a_mistake_is_told_in_its_own_words(ran, name, told):
    """As the command line tells it."""
    assert shown(ran, name).startswith(told)


def test_a_suite_is_refused_by_itself(ran):
    """Nothing of pytest's own allows it when the configuration is gone."""
    out = pytest_on(ran.folder, "-c", "/dev/null", "--rootdir", ".", "suite.gradcheck.yaml", "-q")
    assert out.count("nobody has allowed that") >= 3
    assert "3 failed" in out
