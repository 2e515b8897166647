"""Laws of what sweeps are made of: ranges, series over cells, intervals by their ends, rows that rise
or fall, programs written otherwise, bounds of budgets, and spacings in bulk.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from math import isfinite

import pytest
import torch
from each import each
from flint import arb, ctx

from gradcheck_cli.calculus.decoupling import decoupled
from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.functions import lookup, table
from gradcheck_cli.judge.allowances import Allowances
from gradcheck_cli.judge.distances import ulps_of
from gradcheck_cli.judge.measure import ulp
from gradcheck_cli.judge.rounding import Rounding
from gradcheck_cli.language.errors import PointError
from gradcheck_cli.questions.ranges import (
    Evenly,
    Patterns,
    Range,
    finite_count,
    number_at,
    rank,
    ranks_between,
)
from gradcheck_cli.questions.tracks import LineTrack
from gradcheck_cli.sweeps.alone import Alone
from gradcheck_cli.worlds import balls
from gradcheck_cli.worlds.ends import Ends, ends_of
from gradcheck_cli.worlds.jets import coefficients, jets_of

from .points import seeded
from .stretches import MORE, programs, stretches

ORDER = 5
RISING = [row for row in table().values() if row.monotone]
PROGRAMS = programs()


def as_is(value):
    """No rounding of decimals."""
    return value


def overlaps(a, b):
    """Whether two enclosures of the same numbers can be right; one without finite ends says
    nothing.
    """
    return not (a.is_finite() and b.is_finite()) or bool(a.overlaps(b))


def cell(random):
    """A ball of a size, and a number in it."""
    middle = random.choice((random.uniform(-4, 4), random.uniform(-40, 40), 0.0, 1.0))
    radius = 2.0 ** random.randint(-30, 2)
    return arb(middle, radius), middle + random.uniform(-0.99, 0.99) * radius


def gradient_of(program):
    """The derivative as a program of its own, and its inputs that do not move."""
    asked = program.asked("float64")
    gradient = asked.prepared.gradient
    node = gradient.partials[0]
    others = {n: arb(v) for n, v in asked.numbers.items() if n != program.moving}
    return node, gradient.program, others


# --- ranges


@pytest.mark.parametrize("name", DTYPES)
def test_a_number_is_found_at_its_rank(name):
    """And none is left out or met twice."""
    form, random = DTYPES[name], seeded(name)
    whole = 2 * finite_count(form)
    places = {
        0,
        whole - 1,
        whole // 2,
        whole // 2 - 1,
        *(random.randrange(whole) for _ in range(500)),
    }
    for place in places:
        value = number_at(place, form)
        assert rank(value, form) == place
        assert form.round(Fraction(value)) == value
    line = [number_at(place, form) for place in range(whole // 2 - 50, whole // 2 + 50)]
    assert line == sorted(line)
    assert number_at(0, form) == -float(form.largest)
    assert number_at(whole - 1, form) == float(form.largest)


@pytest.mark.parametrize(
    "ends", [("-3", "3"), ("0", "1"), ("0.1", "0.3"), ("-1e308", "1.7e308"), ("1e-300", "1e-290")]
)
def test_points_at_equal_distances_are_the_nearest_floats(ends):
    """So that a grid meets the kinks that lie on it: the middle of -3 and 3 is 0."""
    low, high = map(Fraction, ends)
    first, last = (
        number_at(k, DTYPES["float64"]) for k in ranks_between(low, high, DTYPES["float64"])
    )
    assert (first, last) == (float(low), float(high))
    for count in (2, 3, 11, 20_001):
        line = Evenly(DTYPES["float64"], low, high, count)
        for k in {0, 1, count // 3, count // 2, count - 2, count - 1}:
            exact = low + (high - low) * Fraction(k, count - 1)
            assert line.value(k) == min(max(float(exact), first), last)
    assert Evenly(DTYPES["float64"], Fraction(-3), Fraction(3), 20_001).value(10_000) == 0


@pytest.mark.parametrize("name", DTYPES)
@pytest.mark.parametrize("count", [None, 11])
def test_ends_are_read_as_numbers_of_a_point_are(name, count):
    """To the nearest number of the dtype, whichever side of the decimal it lies on."""
    dtype = DTYPES[name]
    for low, high in (("0.1", "0.2"), ("0.3", "0.7"), ("-0.7", "-0.3"), ("0", "0.1")):
        line = Range(Fraction(low), Fraction(high), count, f"{low}:{high}").line(dtype)
        ends = (line.value(0), line.value(line.count - 1))
        assert ends == (dtype.round(Fraction(low)), dtype.round(Fraction(high)))
        last = line.count - 1
        assert tuple(line.tensor(k, k + 1).item() for k in (0, last)) == ends


@pytest.mark.parametrize("name", DTYPES)
def test_no_number_lies_between_ends_that_are_read_alike(name):
    """Unless it is one of them."""
    dtype = DTYPES[name]
    beside = Fraction(1) + Fraction(dtype.unit_roundoff) / 8
    assert Range(Fraction(1), beside, None, "1:…").line(dtype).count == 1
    with pytest.raises(PointError, match=f"no {name} lies in"):
        Range(beside, beside + Fraction(dtype.unit_roundoff) / 8, None, "…").line(dtype)


@pytest.mark.parametrize("name", DTYPES)
def test_tensors_hold_the_numbers_of_a_line(name):
    """In the dtype, bit by bit; every one, and so many of them."""
    form, random = DTYPES[name], seeded(f"tensors {name}")
    whole = 2 * finite_count(form)
    first = random.randrange(whole // 2)
    lines = [
        Patterns(form, whole // 2 - 100, whole // 2 + 100, 201),
        Patterns(form, 0, whole - 1, 333),
        Patterns(form, first, first + 500, 501),
        Evenly(form, Fraction(-4), Fraction(3), 1000),
        Evenly(form, Fraction("-0.1"), Fraction("0.7"), 777),
    ]
    for line in lines:
        start, stop = 7, min(line.count, 190)
        for i, j in ((start, stop), (0, 1), (line.count - 5, line.count)):
            found = line.tensor(i, j)
            assert str(found.dtype) == f"torch.{name}"
            wanted = torch.tensor([line.value(k) for k in range(i, j)], dtype=torch.float64)
            assert torch.equal(found.double().view(torch.int64), wanted.view(torch.int64))


@pytest.mark.parametrize("name", DTYPES)
def test_spacings_in_bulk_are_those_of_the_judge(name):
    """From the smallest subnormal number to the largest."""
    form, random = DTYPES[name], seeded(f"ulps {name}")
    count = finite_count(form)
    places = [0, 1, 2, count - 1, *(random.randrange(count) for _ in range(300))]
    sizes = [number_at(count + place, form) for place in places]
    sizes += [size * random.uniform(0.7, 1) for size in sizes if form.digits < 30]
    found = ulps_of(torch.tensor(sizes, dtype=torch.float64), form).tolist()
    assert found == [ulp(arb(size), form) for size in sizes]


@pytest.mark.parametrize("name", DTYPES)
def test_the_spacing_at_a_power_of_two_is_its_own(name):
    """Also of a ball that is known to hold it and no better; half of it where the truth is below."""
    form = DTYPES[name]
    with ctx.workprec(300):
        for power in (arb(1), -arb(1), arb(2) ** 10, arb(2) ** -10):
            whole = ulp(power, form)
            nearly = power * (1 - arb(2) ** -200)
            assert ulp(nearly + power * arb(0, 2.0**-150), form) == whole
            assert ulp(nearly, form) == whole / 2


# --- rows


@each("row", RISING, ids=lambda row: row.name)
def test_a_row_that_rises_rises(row):
    """Of two numbers the larger has no smaller value, nor the other way round."""
    assert risen(row) == []


def risen(row):
    """Pairs at which a row does not do what it says."""
    random, told = seeded(f"monotone {row.name}"), []
    for _ in range(60 * MORE):
        x = random.choice((random.uniform(-1, 1), random.uniform(-30, 30), random.uniform(0, 2)))
        y = x + random.choice((1e-9, 0.01, 1.0, 7.0)) * random.random()
        with ctx.workprec(200):
            low, high = row.arb(arb(x)), row.arb(arb(y))
        if low.is_finite() and high.is_finite() and (low - high) * row.monotone > 0:
            told.append((x, y))
    return told


def test_a_row_of_the_wrong_side_is_seen():
    """The law can fail."""
    assert risen(replace(lookup("tanh"), monotone=-1))
    assert risen(replace(lookup("erfc"), monotone=1))


# --- worlds


@each("program", PROGRAMS)
def test_series_over_a_cell_hold_those_inside(program):
    """Each coefficient over a ball encloses that of each number in it."""
    assert loose(program) == []


def loose(program):
    """Cells of which a coefficient does not hold."""
    node, whole, others = gradient_of(program)
    random, told = seeded(f"jets {program}"), []
    if node is None:
        return told
    for _ in range(4 * MORE):
        ball, x = cell(random)
        jets = []
        for at in (ball, arb(x)):
            with ctx.workprec(150):
                values = jets_of(whole, others | {program.moving: at}, program.moving, as_is, ORDER)
                jets.append(coefficients(values[node], ORDER))
        wide, near = jets
        finite = [c.is_finite() for c in wide]
        if any(finite) and not all(finite):
            told.append(f"half a series over {ball}")
        if not all(overlaps(a, b) for a, b in zip(wide, near, strict=True)):
            told.append(f"over {ball}, at {x}")
        first = value_at(whole, node, others | {program.moving: arb(x)})
        if not overlaps(near[0], first):
            told.append(f"another value at {x}")
    return told


def value_at(program, node, inputs):
    """The ball of a node."""
    with ctx.workprec(200):
        return balls.plain(balls.Machine(program).values(inputs, as_is)[node])


@each("program", PROGRAMS)
def test_ends_hold_every_value_between(program):
    """Also where the program is written with each exponential once."""
    node, whole, others = gradient_of(program)
    random = seeded(f"ends {program}")
    if node is None:
        return
    written, places = decoupled(whole)
    for _ in range(4 * MORE):
        ball, x = cell(random)
        value = value_at(whole, node, others | {program.moving: arb(x)})
        between = {n: Ends(v) for n, v in others.items()}
        between[program.moving] = Ends(arb(ball.lower()), arb(ball.upper()))
        for form, place in ((whole, node), (written, places[node])):
            with ctx.workprec(150):
                found = ends_of(form, between, as_is)[place]
            if isinstance(found, Ends) and value.is_finite():
                assert not found.low > value, (x, ball)
                assert not found.high < value, (x, ball)
        assert overlaps(value_at(written, places[node], others | {program.moving: arb(x)}), value)


@each("program", PROGRAMS)
def test_budgets_lie_between_their_bounds(program):
    """Those of single points of a cell, as single checks compute them."""
    for dtype in ("float32", "float64"):
        asked, random = program.asked(dtype), seeded(f"budgets {program} {dtype}")
        rounding = Rounding(asked.prepared)
        others = {n: v for n, v in asked.numbers.items() if n != program.moving}
        allowances = Allowances(rounding, 0, program.moving, others, asked.dtype)
        for stretch in stretches(random, dtype, 2 * MORE, (3, 24)):
            line = stretch.line
            vars(asked)["track"] = LineTrack(program.moving, line)
            low, high = allowances.between(line.value(0), line.value(line.count - 1))
            inside = [random.randrange(line.count) for _ in range(2)]
            for point in Alone(asked).batch(inside):
                budget = rounding.of_partial(point, 0, asked.dtype).total
                if isfinite(budget):
                    assert low <= budget * (1 + 1e-9), (point.at, low, budget)
                    assert budget <= high * (1 + 1e-9), (point.at, budget, high)
