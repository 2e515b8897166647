"""Running errors: a bound holds what rounding did, or is infinite."""

from __future__ import annotations

import random
from dataclasses import replace
from fractions import Fraction
from math import inf

import pytest
import torch
from asking import case
from flint import arb, ctx

from gradcheck_cli.functions import table
from gradcheck_cli.judge.rounding import rounding
from gradcheck_cli.worlds.balls import Machine

PROGRAMS = [
    "sqrt(1 - cos(x))", "(x + 1e8) - 1e8", "exp(x) - 1", "x/3 + x**2/7", "log(1 + x*x)", "sin(pi*x)", "tanh(x*5)**3", "1/(x - 0.3)", "acos(cos(x))", "abs(x - 0.1)*3",
    "maximum(x, 0.2) - minimum(x, 0.7)", "where(x > 0.3, x*x, x/3)", "sigmoid(x*20)*softplus(x)", "atan2(x, 0.3 - x)", "(x*1e8)**3 - x", "hypot(x, x - 1)", "det([[x, 2], [0.3, x]])",
]  # fmt: skip


def bound_of(text, x, reach=0.0):
    """The bound of the value at some numbers."""
    found = case(text, "x=0.5")
    inputs = {"x": torch.tensor(x, dtype=torch.float64)}
    reaches = {"x": torch.full_like(inputs["x"], reach) if reach else 0.0}
    bound = rounding(found).running.bounds(inputs, reaches, found.dtype.round)
    return torch.as_tensor(bound).expand(len(x)).tolist()


def true_error(text, x):
    """How far torch's value is from the exact one."""
    found = case(text, f"x={Fraction(x)}")
    program = found.prepared.gradient.forward_program
    like = torch.tensor(x, dtype=torch.float64)
    value = found.question.subject.run({"x": like}, found.dtype.round, like).result.item()
    with ctx.workprec(300):
        exact = Machine(program).run({"x": x}, 300, found.dtype.round)[program.result]
        return float(abs(arb(value) - exact).upper())


def numbers(seed, count=12):
    """Numbers of every size, and 0."""
    draw = random.Random(seed)  # noqa: S311 - points that repeat, not secrets
    return [0.0, *(draw.choice((1, -1)) * 10 ** draw.uniform(-12, 1) for _ in range(count))]


@pytest.mark.parametrize("text", PROGRAMS)
def test_a_bound_holds_what_rounding_did(text):
    """Wherever there is one; and mostly there is."""
    points = [x for x in numbers(text) if true_error(text, x) < inf]
    bounds = bound_of(text, points)
    for x, bound in zip(points, bounds, strict=True):
        assert true_error(text, x) <= bound, x
    assert sum(bound < inf for bound in bounds) > len(points) / 3


def test_a_function_that_is_off_by_more_is_seen(monkeypatch):
    """The law above can fail: a sine with an error of 1e-13."""
    row = table()["sin"]
    monkeypatch.setitem(table(), "sin", replace(row, torch=lambda t, x: t.sin(x) * (1 + 1e-13)))
    assert true_error("sin(pi*x)", 0.3) > bound_of("sin(pi*x)", [0.3])[0]


@pytest.mark.parametrize(
    ("text", "x", "reach"),
    [("sin(x)", 1e15, 8.0), ("sin(x)", 1e300, 1e290), ("cos(1e20*x)", 0.0, 1e-3), ("1/x", 0.1, 0.2), ("floor(x)", 2.0, 0.5), ("sqrt(x)", 0.1, 0.2), ("tan(x)", 1.5, 0.2)],
)  # fmt: skip
def test_what_is_not_followed_has_no_bound(text, x, reach):
    """Many periods, a pole, a jump, the edge of the domain within reach."""
    assert bound_of(text, [x], reach) == [inf]


@pytest.mark.parametrize(
    ("text", "x", "reach", "moves"),
    [("sin(x)", 1.0, 0.01, 0.00536), ("x**2", 0.0, 0.5, 0.25), ("abs(x)", 0.0, 0.5, 0.5), ("exp(x)", 1.0, 0.1, 0.286), ("where(x > 0, x, 2*x)", 0.0, 0.1, 0.2)],
)  # fmt: skip
def test_a_bound_holds_all_that_lies_within_reach(text, x, reach, moves):
    """How far the value moves to the ends, by hand, and not ten times that."""
    (bound,) = bound_of(text, [x], reach)
    assert moves <= bound < 10 * moves


@pytest.mark.parametrize(
    "text", ["x - 0.5", "x*0", "maximum(x, 0.5)", "where(x > 0, x, -inf)*2", "exp(where(x < 0, x, -inf))"]
)  # fmt: skip
def test_what_is_exact_has_no_error(text):
    """Differences of near numbers, zeros, choices, infinities that come from one."""
    assert bound_of(text, [0.5]) == [0.0]
