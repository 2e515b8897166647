"""Extrapolation of many columns at once: each column as if it were alone, and each bar honest."""

from __future__ import annotations

import numpy as np
import pytest
from each import each
from one_column import one_column

from gradcheck_cli.witnesses.extrapolation import SMALLEST, Slope, extrapolate

STEPS = 54
H = 0.2371 * np.ldexp(1.0, -np.arange(STEPS))
NOISE = 2.0**-53 / H


def column(slope):
    """(quotients, noise) of a function of the step."""
    with np.errstate(all="ignore"):
        return np.array([slope(h) for h in H], dtype=np.float64), NOISE.copy()


def holed(first, last=STEPS, inside=lambda h: 3 + h * h):
    """A smooth column with values at some steps only."""
    slopes, noise = column(inside)
    slopes[:first] = np.nan
    slopes[last:] = np.inf
    return slopes, noise


# What a quotient can do as its step shrinks: settle in every order, oscillate, jump, grow, or have
# values at some steps only.
COLUMNS = {
    "even": column(lambda h: 2 + 5 * h**2 - h**4), "odd": column(lambda h: -1 + h), "constant": column(lambda h: 7.0), "zero": column(lambda h: 0.0),
    "square root": column(lambda h: 1 + h**0.5), "three halves": column(lambda h: 1 + h**1.5), "pole": column(lambda h: 1 / h), "tangent": column(lambda h: h**-0.5),
    "wave": column(lambda h: 1 + np.sin(1 / h)), "logarithm": column(np.log), "noisy": column(lambda h: 1 + 2.0**-53 / h * np.cos(1e9 * h)),
    "far steps fail": holed(20), "near steps fail": holed(0, 30), "three steps": holed(30, 33), "two steps": holed(30, 32), "one step": holed(30, 31), "no step": holed(STEPS),
    "four steps": holed(50), "overflow": column(lambda h: 1e308 * (1 + h)), "tiny": column(lambda h: 5e-324), "steep edge": holed(10, STEPS, lambda h: h**-0.3),
    "hole inside": tuple(np.where(np.arange(STEPS) == 25, np.nan, array) for array in column(lambda h: 3 + h * h)),
    "noise fails": (column(lambda h: 3 + h * h)[0], np.where(np.isin(np.arange(STEPS), (3, 10, 17)), np.inf, NOISE)),
}  # fmt: skip


def found(names, order):
    """Slopes of some columns together."""
    slopes, noise = (np.stack([COLUMNS[name][k] for name in names], axis=1) for k in (0, 1))
    return extrapolate(slopes, noise, np.full(len(names), order))


def random_columns(count, seed):
    """Slopes that converge in any order, or not at all, with noise of any size, at steps that fail
    here and there.
    """
    random = np.random.default_rng(seed)
    for _ in range(count):
        powers, sizes = (
            random.choice([0.3, 0.5, 1, 1.5, 2, 3, 4, -0.5], 3),
            random.choice([0, 1, 1e-3, 1e3, -1], 3),
        )
        noise = 10.0 ** random.uniform(-18, -6) / H ** random.choice([0, 0.5, 1])
        slopes = (
            random.normal()
            + sum(size * H**power for size, power in zip(sizes, powers, strict=True))
            + noise * random.uniform(-1, 1, STEPS)
        )
        failing = random.random(STEPS) < random.choice([0, 0, 0.02, 0.3])
        slopes[failing] = random.choice([np.nan, np.inf])
        slopes[: random.choice([0, 0, 5, 48, 50, 51])] = np.nan
        slopes[STEPS - random.choice([0, 0, 3]) :] = np.nan
        yield slopes, noise, int(random.choice([1, 2]))


def test_columns_together_are_what_the_rules_say_of_each():
    """On 600 random columns and the named ones, to the bit: the same value, bar and word on growth."""
    asked = [
        *random_columns(600, 5),
        *((*pair, order) for pair in COLUMNS.values() for order in (1, 2)),
    ]
    slopes, noise, orders = (np.array([column[k] for column in asked]) for k in range(3))
    together = extrapolate(slopes.T, noise.T, orders)
    for given, slope in zip(asked, together, strict=True):
        assert repr(slope) == repr(one_column(*given)), given
    kinds = [
        "none"
        if slope is None
        else "grows"
        if slope.grows
        else "unsettled"
        if slope.radius == np.inf
        else "settled"
        for slope in together
    ]
    assert min(kinds.count(kind) for kind in ("none", "grows", "settled")) > 5, (
        "every kind of answer is among them"
    )


@pytest.mark.parametrize("order", [1, 2])
@each("name", COLUMNS)
def test_a_column_does_not_see_its_neighbours(name, order):
    """Alone, first, last, beside itself and among more columns than are worked on at once: the same
    bits.
    """
    alone = repr(found([name], order)[0])
    everything = list(COLUMNS)
    assert repr(found(everything, order)[everything.index(name)]) == alone
    assert [repr(slope) for slope in found([name, *everything * 5, name], order)][
        :: len(everything) * 5 + 1
    ] == [alone, alone]


def test_orders_are_each_columns_own():
    """One-sided and central differences side by side."""
    slopes, noise = (np.stack([COLUMNS["even"][k]] * 2, axis=1) for k in (0, 1))
    one, two = extrapolate(slopes, noise, np.array([1, 2]))
    assert [one, two] == [found(["even"], 1)[0], found(["even"], 2)[0]]
    assert one != two


@pytest.mark.parametrize(
    ("name", "order", "limit"),
    [
        ("even", 2, 2), ("even", 1, 2), ("odd", 1, -1), ("constant", 2, 7), ("zero", 1, 0), ("three halves", 1, 1), ("square root", 1, 1), ("noisy", 2, 1),
        ("far steps fail", 2, 3), ("near steps fail", 2, 3), ("hole inside", 2, 3), ("noise fails", 2, 3),
    ],
)  # fmt: skip
def test_the_bar_holds_the_limit(name, order, limit):
    """And is narrower than a thousandth."""
    (slope,) = found([name], order)
    assert abs(slope.value - limit) <= slope.radius
    assert slope.radius < 1e-3 or name == "square root"


@pytest.mark.parametrize("name", ["pole", "tangent", "steep edge"])
def test_what_has_no_limit_claims_none(name):
    """The value of the smallest step, without end to its bar."""
    (slope,) = found([name], 1)
    assert slope.radius == np.inf
    assert slope.grows
    last = COLUMNS[name][0]
    assert slope.value == last[np.isfinite(last)][-1]


def test_an_oscillation_claims_no_more_than_it_is():
    """sin(1/h) stays within 1."""
    (slope,) = found(["wave"], 1)
    assert slope.radius > 0.1
    assert not slope.grows


@pytest.mark.parametrize("name", ["two steps", "one step", "no step"])
def test_fewer_than_three_steps_are_no_estimate(name):
    """Nothing can be said of what they converge to."""
    assert found([name], 1) == [None]
    assert isinstance(found(["three steps"], 1)[0], Slope)


def test_no_columns_are_no_slopes():
    """An empty batch."""
    assert (
        extrapolate(np.zeros((STEPS, 0)), np.zeros((STEPS, 0)), np.zeros(0, dtype=np.int64)) == []
    )


def test_a_bar_is_never_zero():
    """The smallest number there is, at least: a column of equal quotients without noise proves
    nothing exactly.
    """
    slopes = np.full((STEPS, 1), 0.0)
    assert extrapolate(slopes, np.zeros_like(slopes), np.array([2])) == [Slope(0.0, SMALLEST)]
