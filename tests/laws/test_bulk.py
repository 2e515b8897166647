"""Law: an enclosure in bulk holds what balls prove, at every exponent, in both libraries of arrays."""

from __future__ import annotations

from dataclasses import replace
from math import inf, isfinite, nan
from random import Random

import numpy as np
import pytest
import torch
from each import each
from flint import arb, ctx

from gradcheck_cli import functions
from gradcheck_cli.calculus.formulas import ITSELF, partial, partial_by_value
from gradcheck_cli.functions import lookup, table
from gradcheck_cli.functions.arithmetic import OFF
from gradcheck_cli.language.program import Call, Number, Variable
from gradcheck_cli.worlds import roundings
from gradcheck_cli.worlds.balls import balls_of
from gradcheck_cli.worlds.bulk import Bulk
from gradcheck_cli.worlds.enclosures import (
    MARGIN,
    Enclosure,
    NoBound,
    Verity,
    extended_arrays,
    float64_tensors,
)

COUNT = 120
LIBRARIES = [library for library in (float64_tensors(), extended_arrays()) if library is not None]
PLAIN = [
    row.name
    for row in table().values()
    if row.kind == "primitive" and not row.condition and not any(p.kind for p in row.parsed.args)
]
# What no library is trusted with: it counts for more than two roundings, or has steps that nothing
# tells of.
WITHOUT = {
    *("erfinv", "lgamma", "gammasgn", "digamma", "i0", "i1"),
    *("bessel_j0", "bessel_j1", "bessel_y0", "bessel_y1", "airy_ai", "airy_ai_prime"),
    *("modified_bessel_k0", "modified_bessel_k1"),
}
# What NumPy lacks; before its release 2 the inverse functions have other names there.
INVERSE = ("asin", "acos", "atan", "atan2", "asinh", "acosh", "atanh")
ALSO_WITHOUT = {"erf", "erfc", "xlogy", "xlog1py", *(n for n in INVERSE if not hasattr(np, n))}


def drawn(random):
    """Ordinary numbers, whole ones, and some of every exponent."""
    which = random.random()
    if which < 0.5:
        return random.uniform(-4, 4)
    if which < 0.6:
        return random.uniform(-700, 700)
    if which < 0.7:
        return float(random.randint(-6, 6))
    return random.choice((-1, 1)) * random.random() * 2.0 ** random.randint(-1070, 1020)


def wide(random, x):
    if random.random() < 0.7:
        return abs(x) * 2.0 ** random.randint(-60, -20)
    return random.choice((0.0, 2.0 ** random.randint(-60, -1)))


def arrays(library, values, radii):
    if library.module is torch:
        return torch.tensor(values, dtype=torch.float64), torch.tensor(radii, dtype=torch.float64)
    return np.array(values, dtype=np.longdouble), np.array(radii)


def violations(row, library, seed=0, count=COUNT):
    """Where a true value lies outside, and how many places had a bound."""
    random = Random(f"{row.name}{seed}")  # noqa: S311 - numbers for a test
    columns = [[drawn(random) for _ in range(count)] for _ in row.parsed.args]
    radii = [[wide(random, x) for x in column] for column in columns]
    pairs = zip(columns, radii, strict=True)
    with np.errstate(all="ignore"):
        args = [Enclosure(*arrays(library, *pair)) for pair in pairs]
        found = Bulk(library, float).call(Call(row.name, tuple(range(len(args)))), args)
    wrong, known = [], 0
    with ctx.workprec(2_200):
        for i in range(count):
            value, radius = found.value[i], float(found.radius[i])
            high = float(value)
            if not isfinite(high) or not isfinite(radius):
                continue
            known += 1
            ball = arb(high) + arb(float(value - high))
            for _ in range(3):
                way = random.choice((-1, 1, 0, random.uniform(-1, 1)))
                point = [
                    arb(c[i]) + arb(e[i]) * random.choice((way, -way))
                    for c, e in zip(columns, radii, strict=True)
                ]
                truth = row.arb(*point)
                if truth is OFF or not abs(truth - ball) <= arb(radius) * arb(MARGIN):
                    wrong.append((point, high, radius))
    return wrong, known


@each("name", PLAIN)
def test_the_truth_lies_within_the_radius(name):
    """For each primitive, or there is no enclosure of it, which is known."""
    for library in LIBRARIES:
        without = WITHOUT | (ALSO_WITHOUT if library.module is np else set())
        if name in without:
            with pytest.raises(NoBound), np.errstate(all="ignore"):
                violations(lookup(name), library)
            continue
        wrong, known = violations(lookup(name), library)
        assert wrong == []
        assert known >= COUNT // 8


@pytest.mark.parametrize("name", ["exp", "sqrt", "tanh", "div", "pow"])
def test_a_slope_that_is_stated_too_small_is_caught(name, monkeypatch):
    """Half of it."""
    row = lookup(name)
    lying = replace(row, steep=lambda *args: tuple(s * 0.5 for s in row.steep(*args)))
    monkeypatch.setitem(functions.table(), name, lying)
    assert violations(lying, LIBRARIES[0])[0]


@pytest.mark.parametrize(
    "text", ["sin(pi * x) / (pi * x) + 1e-9", "cos(pi * (x - 2 * trunc(x / 2)))"]
)
def test_a_formula_of_something_else_is_caught(text, monkeypatch):
    """What is computed where no library is trusted with the function."""
    lying = replace(lookup("sinc"), in_bulk=text)
    monkeypatch.setitem(functions.table(), "sinc", lying)
    assert violations(lying, LIBRARIES[0])[0]


SCALES = (2.0, 0.25, -8.0, 2.0**-900, 2.0**900, 3.0, 0.1)


def scaled(name, scale):
    """Products with a number that have a bound: whether each holds the truth, and is exact."""
    random = Random(f"{name}{scale}")  # noqa: S311 - numbers for a test
    for library in LIBRARIES:
        for _ in range(COUNT):
            x = drawn(random)
            pair = [Enclosure(arrays(library, values, values)[0]) for values in ([x], scale)]
            with np.errstate(all="ignore"):
                found = Bulk(library, float).call(Call(name, (0, 1)), pair)
            radius = 0.0 if found.radius is None else found.radius.item()
            high = float(found.value[0])
            if isfinite(radius) and isfinite(high):
                with ctx.workprec(2_200):
                    truth = lookup(name).arb(arb(x), arb(scale))
                    ball = arb(high) + arb(float(found.value[0] - high))
                    holds = bool(abs(truth - ball) <= arb(radius) * arb(MARGIN))
                yield holds, found.radius is None


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("name", ["mul", "div"])
def test_a_product_with_a_power_of_two_is_exact_or_has_a_bound(name, scale):
    """At every exponent."""
    found = [*scaled(name, scale)]
    assert all(holds for holds, _ in found)
    assert any(is_exact for _, is_exact in found) == (scale not in (3.0, 0.1))


def test_a_product_that_underflows_and_is_called_exact_is_caught(monkeypatch):
    """It has lost its last bits."""
    monkeypatch.setattr(roundings, "_NORMAL", 0.0)
    assert not all(holds for holds, _ in scaled("mul", 2.0**-900))


@pytest.mark.parametrize("name", ["mul", "log", "atan"])
def test_a_library_that_rounds_worse_than_is_granted_is_caught(name, monkeypatch):
    """A thousand ulp off."""
    row = lookup(name)
    lying = replace(row, torch=lambda t, *args: row.torch(t, *args) * (1 + 2.0**-42))
    monkeypatch.setitem(functions.table(), name, lying)
    assert violations(lying, LIBRARIES[0])[0]


def world():
    return Bulk(float64_tensors(), float)


def number(values, radii=None):
    radius = None if radii is None else torch.tensor(radii, dtype=torch.float64)
    return Enclosure(torch.tensor(values, dtype=torch.float64), radius)


@each("name", [name for name in PLAIN if name not in WITHOUT])
def test_nan_spoils_what_it_touches(name):
    """No radius is finite where an argument, or how far it may be off, is NaN."""
    count = len(lookup(name).parsed.args)
    for k in range(count):
        for bad in (number([nan], [0.0]), number([0.5], [nan])):
            args = [number([0.5], [0.0]) for _ in range(count)]
            args[k] = bad
            found = world().call(Call(name, tuple(range(count))), args)
            assert not world().is_settled(found).any()


@each("name", [name for name in PLAIN if name not in WITHOUT])
def test_an_infinity_is_not_rounded(name):
    """What has a bound at one is what numbers far out come to."""
    row = lookup(name)
    count = len(row.parsed.args)
    for k in range(count):
        for far in (1e300, -1e300):
            values = [far if i == k else 0.5 for i in range(count)]
            args = [number([x * 1e300 if x == far else x], [0.0]) for x in values]
            found = world().call(Call(name, tuple(range(count))), args)
            value, radius = found.value.item(), found.radius.item()
            if isfinite(radius):
                truth = row.arb(*map(arb, values))
                is_near = abs(truth - value) <= radius + 1e-290
                assert is_near if isfinite(value) else truth * value > 1e100


def test_infinities_that_hide_nothing():
    """Masks under a softmax; an overflow is none, and has no bound."""
    masked = world().call(Call("exp", (0,)), [number([-inf, 0.0], [0.25, 0.0])])
    assert masked.value[0] == 0
    assert masked.radius[0] <= 1e-289
    assert not isfinite(world().call(Call("exp", (0,)), [number([1e4], [0.0])]).radius.item())
    huge = number([1e308], [0.0])
    assert not isfinite(world().call(Call("add", (0, 1)), [huge, huge]).radius.item())


def test_a_comparison_is_open_on_its_border_unless_all_of_it_is_held():
    """1 < 1 does not hold; of an input that moves it is open."""
    one, moving = number([1.0]), number([1.0, 1.0, 2.0], [0.0, 0.5, 0.5])
    assert world().call(Call("lt", (0, 1)), [one, one]).open is None
    assert world().call(Call("lt", (0, 1)), [one, moving]).open.tolist() == [True, True, False]


def test_an_open_choice_holds_both_branches():
    """And a decided one that which is taken alone, whatever the other is."""
    choice = Verity(torch.tensor([True, False]), torch.tensor([True, False]))
    args = [choice, number([1.0, nan], [0.0, nan]), number([3.0, 3.0], [0.5, 0.5])]
    found = world().call(Call("where", (0, 1, 2)), args)
    low, high = found.value - found.radius, found.value + found.radius
    assert low[0] <= 1
    assert high[0] >= 3.5
    assert (found.value[1], found.radius[1]) == (3.0, 0.5)


def test_a_structural_zero_stays_one_times_nan():
    """As the slope of a branch that is not taken."""
    off = world().call(Call("gate", (0,)), [Verity(torch.tensor([False]))])
    found = world().call(Call("mul", (0, 1)), [off, number([nan], [nan])])
    assert (found.value.item(), found.radius.item()) == (0.0, 0.0)


def test_constants_are_as_near_as_the_library_holds_them():
    """A third, and an exact number without a radius."""
    third = world().call(
        Call("div", (0, 1)), [world().number(Number(n, decimal=False)) for n in (1, 3)]
    )
    assert abs(third.value.item() - 1 / 3) <= third.radius.item() <= 2.0**-52
    two = world().call(
        Call("add", (0, 1)), [world().number(Number(1, decimal=False)) for _ in range(2)]
    )
    assert (two.value.item(), two.radius) == (2.0, None)


@pytest.mark.parametrize("n", range(1, 9))
def test_a_whole_power_is_a_product(n):
    """It holds the truth, and is as narrow as so many products; that of a library need not be."""
    random, kit = Random(n), world()  # noqa: S311 - numbers for a test
    values = [drawn(random) for _ in range(COUNT)]
    radii = [wide(random, x) for x in values]
    exponent = kit.number(Number(n, decimal=False))
    found = kit.call(Call("pow", (0, 1)), [number(values, radii), exponent])
    exact = kit.call(Call("pow", (0, 1)), [number(values, [0.0] * COUNT), exponent])
    with ctx.workprec(20_000):
        for i in range(COUNT):
            high, radius = found.value[i].item(), found.radius[i].item()
            if isfinite(high) and isfinite(radius):
                for way in (-1, 1):
                    truth = (arb(values[i]) + way * arb(radii[i])) ** n
                    assert abs(truth - high) <= arb(radius) * arb(MARGIN)
                assert exact.radius[i] <= n * 2.0**-53 * abs(high) + 1e-290


def test_a_slope_by_a_value_is_the_slope():
    """Of every primitive, where the value is known already."""
    for name in PLAIN:
        row = lookup(name)
        args = [arb("0.375"), arb("0.5")][: len(row.parsed.args)]
        named = dict(zip(row.parsed.names, args, strict=True))
        for k in range(len(args)):
            plain, by_value = partial(name, k), partial_by_value(name, k)
            assert len(by_value.nodes) <= len(plain.nodes)
            truth = balls_of(plain, named)[plain.result]
            found = balls_of(by_value, {**named, ITSELF: row.arb(*args)})[by_value.result]
            assert str(found) == str(truth)
    assert partial_by_value("exp", 0).nodes == (Variable(ITSELF),)
