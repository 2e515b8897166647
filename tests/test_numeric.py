"""The numeric opinion: a difference quotient with a bar that holds the truth, and what it shows of
the two sides.
"""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from fractions import Fraction
from math import isfinite, isnan
from random import Random

import numpy as np
import pytest
import torch
from asking import noise, numeric, reference
from programs import Asked, case, smooth

from gradcheck_cli.functions import table
from gradcheck_cli.judge.evidence import agreement
from gradcheck_cli.witnesses import Abstention
from gradcheck_cli.witnesses.differences import Difference
from gradcheck_cli.witnesses.numeric import MAX_BATCH_NUMBERS, STEPS
from gradcheck_cli.witnesses.truth import Certified
from gradcheck_cli.worlds import balls

PAIRS = 500


def estimate(text, at, **options):
    """The first partial's estimate, as the tool makes it."""
    found = case(text, at)
    return numeric(found, noise(), **options)[0]


def holds(slope, value):
    """Whether an estimate's bar holds an exact value; its own midpoint is a float64."""
    return abs(Fraction(slope.value) - Fraction(value)) <= Fraction(slope.radius) + abs(
        Fraction(slope.value)
    ) * Fraction(1, 2**52)


def test_the_bar_holds_the_truth():
    """On every one of 500 pairs of a program and a point, two points for each program; half the
    bars are narrower than one part in 1e11.
    """
    missed, sizes = [], []
    for asked in smooth(PAIRS // 2, "the numeric opinion"):
        for found in (case(asked.text, asked.at), case(asked.text, moved(asked))):
            for answer, difference in zip(
                reference(found).partials, numeric(found, noise()), strict=True
            ):
                assert isinstance(answer, Certified)
                if not agreement(answer.ball, difference):
                    missed.append((str(asked), found.at, difference))
                sizes.append(difference.radius / max(abs(float(answer.ball.mid())), 1e-300))
    print(  # noqa: T201 - shown with -s: what was measured
        f"{PAIRS} pairs, {len(sizes)} partials, {len(missed)} missed, median bar {np.median(sizes):.1g}"
    )
    assert len(sizes) >= PAIRS
    assert not missed
    assert np.median(sizes) < 1e-11


def moved(asked):
    """Another point for the same program, nearer to the origin."""
    random = Random(asked.text)  # noqa: S311 - points that repeat, not secrets
    return ",".join(
        f"{part.split('=')[0]}={random.uniform(-1, 1):.3f}" for part in asked.at.split(",")
    )


def test_a_bar_of_a_thousandth_would_not_hold_it():
    """The law above can fail: with bars a thousandth as wide, truths are missed."""
    missed = 0
    for asked in smooth(60, "the numeric opinion"):
        found = case(asked.text, asked.at)
        for answer, difference in zip(
            reference(found).partials, numeric(found, noise()), strict=True
        ):
            missed += (
                agreement(answer.ball, replace(difference, radius=difference.radius / 1000))
                is False
            )
    assert missed > 5


@pytest.mark.parametrize(
    "asked",
    [
        Asked("exp(x)", "x=1"),
        Asked("sin(x)", "x=30.5"),
        Asked("1/x", "x=0.01"),
        Asked("sin(1000*x)", "x=1.1"),
        Asked("exp(x)", "x=-700"),
        Asked("x**2", "x=1e150"),
        Asked("lgamma(x)", "x=100.5"),
    ],
    ids=str,
)
@pytest.mark.parametrize("scatter", [False, True], ids=["budget", "scatter"])
def test_steep_and_far_points_are_held_too(asked, scatter):
    """With the noise known from the budget, and with the noise read off the smallest steps."""
    found = case(asked.text, asked.at)
    (answer,), (difference,) = (
        reference(found).partials,
        numeric(found, None if scatter else noise()),
    )
    assert agreement(answer.ball, difference)


@pytest.mark.parametrize(
    ("text", "at", "left", "right"),
    [
        ("abs(x)", "x=0", -1, 1),
        ("relu(x)", "x=0", 0, 1),
        ("relu(x - 1)", "x=1", 0, 1),
        ("x + abs(x - 2)", "x=2", 0, 2),
        ("max(sin(x), x**2)", "x=0", 0, 1),
        ("sqrt(x**2)", "x=0", -1, 1),
    ],
)
def test_at_a_kink_the_sides_are_apart(text, at, left, right):
    """Each side's bar holds its own derivative, and the bars do not meet."""
    found = estimate(text, at)
    assert holds(found.left, left)
    assert holds(found.right, right)
    assert abs(found.left.value - found.right.value) > found.left.radius + found.right.radius


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("abs(x)*x", "x=0"),
        ("sin(x)", "x=0"),
        ("x**2", "x=1"),
        ("relu(x)**2", "x=0"),
        ("relu(x) - relu(-x)", "x=0"),
    ],
)
def test_where_there_is_no_kink_the_sides_meet(text, at):
    """The other half of the claim above."""
    found = estimate(text, at)
    assert abs(found.left.value - found.right.value) <= found.left.radius + found.right.radius


@pytest.mark.parametrize(
    ("text", "at"), [("sign(x)", "x=0"), ("floor(x)", "x=2"), ("where(x > 1, x + 3, x)", "x=1")]
)
def test_at_a_jump_no_bar_is_claimed_on_the_side_that_jumps(text, at):
    """A side whose quotient grows as the step shrinks has a bar larger than its value."""
    found = estimate(text, at)
    assert any(
        side.radius >= abs(side.value) > 1 or side.radius == np.inf
        for side in (found.left, found.right)
    )


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("sqrt(abs(x))", "x=0"),
        ("sqrt(x)", "x=0"),
        ("asin(x)", "x=1"),
        ("abs(x)**0.3", "x=0"),
        ("x*log(abs(x) + 0*x)", "x=1e-300"),
    ],
)
def test_at_a_vertical_tangent_no_bar_is_claimed(text, at):
    """The quotient has no limit, and the bar says so (or, next to one, still holds the truth)."""
    found = estimate(text, at)
    answer = reference(case(text, at)).partials[0]
    sides = [side for side in (found.left, found.right) if side is not None]
    assert agreement(answer.ball, found) or any(side.radius >= abs(side.value) for side in sides)


@pytest.mark.parametrize(
    ("text", "at", "side", "slope"),
    [
        ("x*sqrt(x)", "x=0", "right", 0),
        ("sin(x) + x*sqrt(x)", "x=0", "right", 1),
        ("(1 - x)*sqrt(1 - x)", "x=1", "left", 0),
        ("xlogy(x, x)*x", "x=0", "right", 0),
    ],
)
def test_at_the_edge_of_the_domain_there_is_one_side(text, at, side, slope):
    """The side without values is None; the other's bar holds the one-sided derivative."""
    found = estimate(text, at)
    there, other = (found.left, found.right) if side == "left" else (found.right, found.left)
    assert other is None
    assert holds(there, slope)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("log(x)", "x=1e-3"),
        ("sqrt(x)", "x=1e-10"),
        ("asin(x)", "x=0.999"),
        ("log(x)", "x=1e-300"),
        ("atanh(x)", "x=1-2**-30"),
    ],
)
def test_near_the_edge_of_the_domain_the_bar_still_holds(text, at):
    """Steps that leave the domain are dropped."""
    found = case(text, at)
    assert agreement(reference(found).partials[0].ball, numeric(found, noise())[0])


@pytest.mark.parametrize(("step", "slope"), [(0.5, 27.25), (1.0, 28.0), (2.0, 31.0)])
def test_a_step_of_ones_own_gives_the_textbooks_quotient(step, slope):
    """((3 + h)**3 - (3 - h)**3) / 2h = 27 + h**2, exactly."""
    assert estimate("x**3", "x=3", step=step).value == slope


def test_a_step_that_leaves_the_domain_is_an_abstention():
    """As is one that is too small to move the point."""
    told = "the step leaves the domain, or is too small for float64"
    assert estimate("log(x)", "x=1", step=2.0) == Abstention(told)
    assert estimate("x**2", "x=1", step=1e-20) == Abstention(told)


def test_a_value_that_is_not_finite_is_an_abstention():
    """There is nothing to take differences of."""
    assert numeric(case("log(x)", "x=-1")) == Abstention("the value is not finite at this point")


@pytest.mark.parametrize(
    ("text", "at"),
    [("sin(x)*y", "x=1,y=2"), ("sum(sin(x) @ x)", "x=[[1, 2], [3, 4]]"), ("sin(x)", "x=1")],
)
def test_torch_is_called_once(text, at, monkeypatch):
    """All steps of all variables go through torch's sin in one batch."""
    row, calls = table()["sin"], []
    monkeypatch.setitem(
        table(), "sin", replace(row, torch=lambda t, x: calls.append(x.shape) or t.sin(x))
    )
    numeric(case(text, at))
    assert len(calls) == 1


def test_the_estimate_is_of_torchs_own_values(monkeypatch):
    """A torch function that is 1 % off has an estimate that is 1 % off: the opinion rests on
    nothing else.
    """
    row = table()["sin"]
    monkeypatch.setitem(table(), "sin", replace(row, torch=lambda t, x: t.sin(x) * 1.01))
    found = case("sin(x)", "x=1")
    (difference,) = numeric(found, noise())
    assert agreement(reference(found).partials[0].ball, difference) is False
    assert abs(difference.value / (1.01 * np.cos(1.0)) - 1) < 1e-9


def test_the_estimate_is_in_float64_whatever_the_dtype():
    """At float32's own number, with float64's accuracy."""
    found = case("exp(x)", "x=0.1", "float32")
    (difference,) = numeric(found, noise())
    assert difference.radius < 1e-12
    assert agreement(reference(found).partials[0].ball, difference)


def test_the_cotangent_weighs_the_elements():
    """<cotangent, x**2>."""
    found = case("x**2", "x=[1, 2, 3]", cotangent="[1, -1, 0.5]")
    assert all(
        holds(difference, slope)
        for difference, slope in zip(numeric(found, noise()), (2, -4, 3), strict=True)
    )


def test_elements_that_are_not_asked_for_are_held():
    """One estimate for each element of `wrt`, in order."""
    found = case("x*y", "x=[1, 2],y=3", wrt=["y"])
    (difference,) = numeric(found)
    assert holds(difference, 3)


def test_a_large_array_is_estimated_in_bounded_memory():
    """600 elements make 64,801 rows of 600 numbers: they go through torch in batches, and are made
    in batches too.
    """
    size = 600
    found = case("sum(x**2)", f"x={[0.5] * size}")
    assert 2 * STEPS * size * size > 4 * MAX_BATCH_NUMBERS
    tracemalloc.start()
    try:
        answers = numeric(found)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(answers) == size
    assert all(holds(answer, 1) for answer in answers)
    assert peak < 4 * MAX_BATCH_NUMBERS * 8, f"{peak / 2**20:.0f} MiB"


def test_a_function_that_torch_lacks_in_float64_is_an_abstention(monkeypatch):
    """torch's first line is the reason."""

    def lacking(t, x):
        raise RuntimeError("no kernel\nand a long explanation")

    monkeypatch.setitem(table(), "sin", replace(table()["sin"], torch=lacking))
    assert numeric(case("sin(x)", "x=1")) == Abstention(
        "torch cannot compute the value in float64: no kernel"
    )


def test_the_bar_of_a_number_that_no_bar_holds_is_seen():
    """The comparison itself: outside is False, inside True, and NaN is never inside."""
    truth = Certified(balls.exact_ball(Fraction(1)), 96)
    assert agreement(truth.ball, Difference(1.0, 0.0)) is True
    assert agreement(truth.ball, Difference(1.001, 1e-4)) is False
    assert agreement(truth.ball, Difference(float("nan"), 1.0)) is False
    assert agreement(truth.ball, Abstention("nothing")) is None


def test_torch_is_left_as_it_was():
    """No grad mode, default dtype or seed is changed."""
    before = torch.is_grad_enabled(), torch.get_default_dtype(), torch.initial_seed()
    numeric(case("sin(x)", "x=1"))
    assert (torch.is_grad_enabled(), torch.get_default_dtype(), torch.initial_seed()) == before


@pytest.mark.parametrize(
    ("text", "points"),
    [
        ("sqrt(tanhshrink(x))", (2.323e-6, 1e-6, 4e-6)),
        ("sqrt(x - sin(x))", (1e-5, 3e-6)),
        ("log(x - sinh(x))", (-1e-6, -3e-6)),
        ("(x - tanh(x))**0.25", (1e-6,)),
    ],
)
def test_an_estimate_is_a_number_whatever_the_bar(text, points):
    """Where every entry of the table is hidden by rounding, and the largest steps leave the domain,
    no bar is claimed; NaN would miss every truth.
    """
    for x in points:
        found = case(text, f"x={x!r}")
        (proved,), (difference,) = reference(found).partials, numeric(found, noise())
        assert isfinite(difference.value)
        assert not isnan(difference.radius)
        assert agreement(proved.ball, difference) is True


def test_a_difference_without_a_number_is_absent_and_says_why():
    """Values near both ends of the range: their difference is an infinity, and no opinion."""
    answer = estimate("x**3", "x=0", step=5e102)
    assert isinstance(answer, Abstention)
    assert answer.reason == "the differences are no finite numbers in float64"
    assert isinstance(estimate("1.5e308*x", "x=0", step=1.0), Abstention)
