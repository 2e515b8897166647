"""Points that are written as calls: the numbers that torch and NumPy have for them, the draws of a
seed, and the whole text of every message (they stand in `given_messages`).
"""

from __future__ import annotations

import json
import re
import shlex
from fractions import Fraction

import numpy as np
import pytest
import torch
from given_messages import MESSAGES

from gradcheck_cli import PointError, check
from gradcheck_cli.questions.constructors import MAKERS, read_given
from gradcheck_cli.questions.numbers import Grid, read_points
from gradcheck_cli.questions.points import Sample, points_of

NAMES = {"torch": torch, "np": np, "pi": np.pi}
# Tensors, each with the name of the library that is asked what it holds.
TENSORS = (
    "torch.ones(2,3)", "torch.zeros(2, 2)", "np.zeros((2,2))", "torch.ones(3)", "np.ones(3)", "torch.ones([2])", "np.ones(shape=(1, 2))", "torch.ones(size=(2,))", "torch.ones(())",
    "torch.full((2,2), 7)", "torch.full((3,), 0.5)", "np.full((2,), -1.5)", "np.full(shape=2, fill_value=2**-3)", "np.full(2, 5)", "torch.eye(3)", "np.eye(2, 3)",
    "torch.tensor(3.0)", "torch.tensor([1., 2.])", "torch.tensor([[1, 2], [3, 4]])", "np.array([[0.5], [2]])", "torch.as_tensor([1, -2])", "np.asarray(2)",
    "torch.tensor(torch.ones(2, 1))", "torch.tensor([1, 2,],)", "torch.tensor(3.0, requires_grad=True)",
)  # fmt: skip
# Runs of numbers: a grid, or a vector inside `tensor(...)`. Eighths, so that floats are exact.
RUNS = ("torch.linspace(0, 1, 5)", "np.linspace(-1, 1, 9)", "np.linspace(start=2, stop=3, num=3)", "torch.linspace(0, 1, steps=1)", "torch.arange(4)", "torch.arange(1, 3)", "np.arange(0, 1, 0.25)",
        "np.arange(1, 0, -0.125)", "torch.arange(0, 1, 0.3125)", "torch.arange(0, 10, step=3)")  # fmt: skip

HOSTILE = (
    "__import__('os')",
    "(lambda: 1)()",
    "[x for x in y]",
    "9**9**9",
    "*a",
    "**a",
    "x=1",
    "1e999999999",
    "().__class__",
    "[" * 65 + "]" * 65,
)


def plain(found):
    """Nested lists of exact values."""
    return [plain(item) for item in found] if isinstance(found, list) else found.value


def asked_of_library(text):
    """What the library itself makes of a text of this table."""
    return eval(text, dict(NAMES)).tolist()  # noqa: S307 - a text of the table above


@pytest.mark.parametrize("text", TENSORS)
def test_a_tensor_is_that_of_its_library(text):
    """Also without the prefix, and with blanks around it."""
    expected = asked_of_library(text)
    for spelled in (text, re.sub(r"(torch|np)\.", "", text), f"  {text} "):
        assert plain(read_given(spelled)) == expected


@pytest.mark.parametrize("text", RUNS)
def test_a_run_of_numbers_is_a_grid(text):
    """Each number a point of its own; inside `tensor(...)` they are one vector."""
    expected = asked_of_library(text)
    grid = read_given(text)
    assert isinstance(grid, Grid)
    assert [number.value for number in grid] == expected
    assert plain(read_given(f"tensor({text})")) == expected


def test_a_run_is_exact():
    """Thirds are no floats."""
    assert [number.value for number in read_given("linspace(0, 1, 4)")] == [Fraction(k, 3) for k in range(4)]  # fmt: skip
    assert [number.value for number in read_given("arange(0, 1, 1/3)")] == [Fraction(k, 3) for k in range(3)]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "law", "ends", "shape"),
    [
        ("randn()", "normal", (0, 1), ()), ("torch.randn(3)", "normal", (0, 1), (3,)), ("randn(2,3)", "normal", (0, 1), (2, 3)), ("np.random.randn(2, 1)", "normal", (0, 1), (2, 1)),
        ("rand(2)", "uniform", (0, 1), (2,)), ("torch.rand((2, 2))", "uniform", (0, 1), (2, 2)), ("uniform(-1,1)", "uniform", (-1, 1), ()), ("uniform(-1,1,3)", "uniform", (-1, 1), (3,)),
        ("np.random.uniform(low=0, high=pi/4, size=(2, 3))", "uniform", (0, None), (2, 3)), ("normal(0,1)", "normal", (0, 1), ()), ("normal(2, 1/2, (3,))", "normal", (2, Fraction(1, 2)), (3,)),
        ("np.random.normal(loc=1, scale=3, size=4)", "normal", (1, 3), (4,)), ("normal(std=2)", "normal", (0, 2), ()), ("loguniform(1e-3, 1)", "logspace", (Fraction(1, 1000), 1), ()),
        ("tensor(randn(2))", "normal", (0, 1), (2,)),
    ],
)  # fmt: skip
def test_a_distribution(text, law, ends, shape):
    """Its law, its two numbers and the shape of a draw."""
    found = read_given(text)
    assert isinstance(found, Sample)
    assert (found.law, found.shape) == (law, shape)
    for number, end in zip((found.low, found.high), ends, strict=True):
        assert end is None or number.value == end


@pytest.mark.parametrize("text", MESSAGES)
def test_a_message_says_what_and_where(text):
    """The whole text."""
    with pytest.raises(PointError) as caught:
        read_points([text], read_given)
    assert str(caught.value) == MESSAGES[text]


@pytest.mark.parametrize("name", MAKERS)
def test_hostile_arguments_are_mistakes(name):
    """Nothing is executed, nothing is large."""
    for inside in HOSTILE:
        with pytest.raises(PointError):
            read_given(f"{name}({inside})")


def drawn(text, **options):
    """Points of a command line as plain numbers."""
    points = points_of(read_points([text], read_given), **options)
    return [{name: plain(value) for name, value in point.items()} for point in points]


def test_draws_depend_on_the_seed_and_the_name_alone():
    """The same numbers again, others for another seed, another input, another point."""
    first = drawn("x=randn(3),y=randn(3)", seed=1, draws=3)
    assert first == drawn("x=randn(3),y=randn(3)", seed=1, draws=3)
    assert [point["x"] for point in first] == [p["x"] for p in drawn("x=randn(3)", seed=1, draws=3)]
    assert first != drawn("x=randn(3),y=randn(3)", seed=2, draws=3)
    assert all(point["x"] != point["y"] for point in first)
    assert len({str(point["x"]) for point in first}) == len(first)


def test_what_is_drawn_is_drawn_together_and_multiplies_with_grids():
    """Three draws of two inputs are three points."""
    assert len(drawn("x=randn(),y=uniform(0, 1)", draws=3)) == 3
    assert len(drawn("x=randn(),y=uniform(0, 1),z=0:1:5", draws=3)) == 15
    assert all(0 <= point["y"] <= 1 for point in drawn("y=uniform(0, 1)", draws=50))


def test_nothing_to_draw_is_a_mistake():
    """`--points` without a distribution."""
    with pytest.raises(PointError, match="nothing is drawn") as caught:
        drawn("x=0:1:3", draws=3)
    assert caught.value.mistakes[0].code == "bad-point"


def test_the_command_line_draws_and_reproduces(tool, tmp_path):
    """The command that reproduces a point has its exact numbers, and gives the same answer."""
    words = ["sum(x**2)*y", "--at", "x=randn(2),y=uniform(1,2)", "--points", "3", "--seed", "7", "-f", "json"]  # fmt: skip
    code, out, _ = tool.ran(tmp_path, *words)
    assert code == 0
    cases = json.loads(out)["cases"]
    assert len(cases) == 3
    assert tool.ran(tmp_path, *words)[1].split('"cases"')[1] == out.split('"cases"')[1]
    assert len({str(case["at"]) for case in cases}) == 3
    again = tool.ran(tmp_path, *shlex.split(cases[1]["reproduce"])[1:], "-f", "json")[1]
    (case,) = json.loads(again)["cases"]
    assert case["at"] == cases[1]["at"]
    assert case["partials"] == cases[1]["partials"]


@pytest.mark.parametrize("alias", ["double", "fp64", "torch.float64", "np.float64", "f64"])
def test_another_name_of_float64(alias):
    """On Python's side as well; Python's own `float` is float64, a text `float` is torch's."""
    assert check("x**2", {"x": 3}, dtype=alias).records[0]["dtype"] == "float64"


def test_python_s_own_float_is_float64():
    """As torch and NumPy take it, and not what torch's name `float` says."""
    assert check("x**2", {"x": 3}, dtype=float).records[0]["dtype"] == "float64"
    assert check("x**2", {"x": 3}, dtype="float").records[0]["dtype"] == "float32"
    assert check("x**2", {"x": 3}, dtype=torch.float).records[0]["dtype"] == "float32"


@pytest.mark.parametrize(
    ("alias", "name"),
    [("float", "float32"), ("fp32", "float32"), ("half", "float16"), ("fp16", "float16"), ("bf16", "bfloat16"), ("torch.float32", "float32"), ("torch.half", "float16"), ("double", "float64")],
)  # fmt: skip
def test_dtypes_of_the_command_line_and_of_suites(tool, tmp_path, alias, name):
    """What torch calls them, and what people do."""
    assert getattr(torch, name) is getattr(
        torch, alias.removeprefix("torch."), getattr(torch, name)
    )
    _, out, _ = tool.ran(tmp_path, "x**2", "--at", "x=3", "--dtype", alias, "-f", "json")
    assert json.loads(out)["cases"][0]["dtype"] == name
    suite = f"version: 1\ncases: [{{expr: x**2, at: {{x: 3}}, dtype: {alias}}}]\n"
    (tmp_path / "a.gradcheck.yaml").write_text(suite, encoding="utf-8")
    code, out, err = tool.ran(tmp_path, "run", "a.gradcheck.yaml", "-f", "json")
    assert (code, err) == (0, "")
    assert json.loads(out)["cases"][0]["dtype"] == name


def test_suites_take_the_same_calls(tool, tmp_path):
    """A text under `at`, and of an input."""
    suite = "version: 1\ncases:\n  - {expr: sum(x)*y, at: 'x=ones(3),y=randn()'}\n  - {expr: x**2, at: {x: 'linspace(0, 1, 3)'}}\n"  # fmt: skip
    (tmp_path / "a.gradcheck.yaml").write_text(suite, encoding="utf-8")
    code, out, _ = tool.ran(tmp_path, "run", "a.gradcheck.yaml", "-f", "json")
    assert code == 0
    cases = json.loads(out)["cases"]
    assert cases[0]["at"]["x"] == [1.0, 1.0, 1.0]
    assert [case["at"]["x"] for case in cases[1:]] == [0.0, 0.5, 1.0]
