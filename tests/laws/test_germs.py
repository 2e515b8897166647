"""Law: the series of a primitive is its ball function beside the point, stated or derived.

Every primitive is expanded at short numbers, on its kinks and off them, along straight lines and
along a square root, and its series is held against the ball function a little further on.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest
from flint import arb, ctx

from gradcheck_cli.functions import names, table
from gradcheck_cli.functions.row import Function
from gradcheck_cli.worlds import balls
from gradcheck_cli.worlds.powers import Power
from gradcheck_cli.worlds.puiseux import Sides
from gradcheck_cli.worlds.reals import Real
from gradcheck_cli.worlds.series import OutsideDomain, Puiseux, UndecidedSign, constant_series

from .points import all_rows, named
from .test_every_kink import SIZES, faults, planted

if TYPE_CHECKING:
    from collections.abc import Iterator

BITS, FAR = 1_024, 8_000
# The series is looked at where d = 2**-300: an error in a term that is known is far larger there
# than what is left out.
STEP, ROOM = 300, 2**30
ALONE = ("-3", "-1", "-0.5", "0", "0.3", "0.5", "1", "2.5")
TOGETHER = ("-1.5", "0", "1", "2")
PRIMITIVES = [
    row for row in all_rows() if row.kind == "primitive" and row.parsed.args and not row.stops
]


def lines(row: Function) -> Iterator[tuple[Puiseux | bool, ...]]:
    """Arguments that go to short numbers: one of them or all move, left or right, by d or sqrt(d)."""
    kinds = [parameter.kind for parameter in row.parsed.args]
    for numbers in product(ALONE if len(kinds) == 1 else TOGETHER, repeat=len(kinds)):
        for speeds in product(*[(0,) if kind else (-1, 0, 2) for kind in kinds]):
            for power in (Fraction(1), Fraction(1, 2)):
                if any(speeds) or all(kinds):
                    yield tuple(map(argument, kinds, numbers, speeds, [power] * len(kinds)))


def argument(kind: str, number: str, speed: int, power: Fraction) -> Puiseux | bool:
    """`number + speed * d**power`; true or false where a condition is wanted, an integer for an
    index.
    """
    if kind == "condition":
        return float(number) > 0
    start = constant_series(abs(round(float(number))) if kind == "index" else float(number))
    return start + Puiseux(((Power(power), Real(1)),)) * speed


def at_step(series: Puiseux | bool) -> Any:
    """The known part of a series at d = 2**-STEP."""
    if isinstance(series, bool):
        return series
    assert not series.growth
    log = STEP * arb(2).log()
    return sum(
        (c.ball * arb(2) ** int(-STEP * e) / log ** int(j) for (e, j), c in series.terms), arb(0)
    )


def missed(row: Function) -> tuple[list[str], int]:
    """Where the series of a row is not the function, and how often it was found."""
    wrong, found = [], 0
    for args in lines(row):
        with ctx.workprec(FAR):
            value = balls.plain(row.arb(*map(at_step, args)))
        if not isinstance(value, bool) and not value.is_finite():
            continue
        try:
            with ctx.workprec(BITS):
                series = Sides(float).apply(row.name, *args)
        except (UndecidedSign, OutsideDomain) as why:
            if isinstance(why, OutsideDomain):
                wrong.append(f"{row.name}{args}: values are there")
            continue
        found += 1
        if not is_there(series, value):
            wrong.append(f"{row.name}{args}: {series} for {value}")
    return wrong, found


def is_there(series: Puiseux | bool, value: Any) -> bool:
    """Whether a series has a value at d = 2**-STEP, give or take what it leaves out."""
    if isinstance(series, bool) or isinstance(value, bool):
        return series is value
    with ctx.workprec(FAR):
        gap = abs(at_step(series) - value)
        room = abs(value) / arb(2) ** (BITS - 100)
        if series.order is not None:
            e, j = Fraction(series.order.exponent), int(series.order.depth)
            left_out = arb(2) ** -(STEP * arb(e.numerator) / e.denominator)
            room += ROOM * left_out / (STEP * arb(2).log()) ** j
        return bool(gap <= room)


@pytest.mark.parametrize("row", PRIMITIVES, ids=named)
def test_a_series_is_the_function_beside_the_point(row):
    """With the germ that the row states, if it states one."""
    wrong, found = missed(row)
    assert wrong == []
    assert found


# `0**y` jumps at y = 0, which `pow` states nowhere.
STATED = [row for row in PRIMITIVES if row.germ and not row.condition and row.operator != "**"]


@pytest.mark.parametrize("row", STATED, ids=named)
def test_what_follows_from_a_row_is_what_it_states(row, forget, monkeypatch):
    """Without its germ its series is right wherever it is found."""
    monkeypatch.setitem(table(), row.name, replace(row, germ=None))
    wrong, _ = missed(table()[row.name])
    assert wrong == []


@pytest.mark.parametrize("name", ["abs", "sign", "maximum", "minimum"])
def test_a_kink_is_proved_without_a_germ(name, forget, monkeypatch):
    """From `arb`, `partials` and `kinks` alone, at every size."""
    monkeypatch.setitem(table(), name, replace(table()[name], germ=None))
    assert all(faults(table()[name], size) == [] for size in SIZES)


def swell(x: Any) -> Any:
    """x right of 0, `2 expm1(x)` left of it."""
    right, left = x, 2 * x.expm1()
    return right if x > 0 else left if x < 0 else right.union(left)


# What a contributor may add, as the page on adding a function says; `torch` is not asked here.
NEW = {
    "ramp": Function("ramp", "x", torch=lambda t, x: t.relu(x), arb=lambda x: x.max(x * 0), partials=("heaviside(x)",), kinks=("x",)),
    "crease": Function("crease", "x, y", torch=lambda t, x, y: t.maximum(x, 2 * y), arb=lambda x, y: x.max(2 * y), partials=("heaviside(x - 2 * y)", "2 * heaviside(2 * y - x)"), kinks=("x - 2 * y",)),
    "saw": Function("saw", "x", torch=lambda t, x: x - t.floor(x), arb=lambda x: x - x.floor(), partials=("1",), kinks=("x - floor(x)",), jumps=True),
    "swell": Function("swell", "x", torch=lambda t, x: t.where(x > 0, x, 2 * t.expm1(x)), arb=swell, partials=("where(x > 0, 1, swell(x) + 2)",), kinks=("x",)),
    "tilted_step": Function("tilted_step", "x, y", torch=lambda t, x, y: t.sign(x - y) + x * y, arb=lambda x, y: (x - y).sgn() + x * y, partials=("y", "x"), kinks=("x - y",), jumps=True),
    "bump": Function("bump", "x", torch=lambda t, x: t.relu(x) ** 2, arb=lambda x: x.max(x * 0) ** 2, partials=("where(x > 0, 2 * x, 0)",)),
}  # fmt: skip


@pytest.fixture
def new(request, forget, monkeypatch):
    """A primitive that the table does not have."""
    row = NEW[request.param]
    monkeypatch.setitem(table(), row.name, row)
    monkeypatch.setitem(names(), row.name, row.name)
    return row


@pytest.mark.parametrize("new", NEW, indirect=True)
def test_a_new_primitive_is_proved_at_its_kinks(new):
    """A row with `arb`, `partials` and `kinks`, and nothing else; one without kinks has a slope."""
    assert all(planted(new, size) for size in SIZES) == bool(new.kinks)
    assert [fault for size in SIZES for fault in faults(new, size)] == []
    wrong, found = missed(new)
    assert wrong == []
    assert found


@pytest.mark.parametrize(
    ("name", "lie"),
    [
        ("abs", lambda s, x: x),
        ("sqrt", lambda s, x: x ** Fraction(1, 3)),
        ("sign", lambda s, x: s.constant(0)),
        ("maximum", lambda s, x, y: x if s.compare(x, y) < 0 else y),
        ("lt", lambda s, x, y: s.compare(x, y) <= 0),
        ("mul", lambda s, x, y: x * x),
        ("exp", lambda s, x: s.constant(1) + x + x * x / 2 + x * x * x / 5),
        ("log1p", lambda s, x: x - x * x / 2 + x * x * x),
    ],
)
def test_a_wrong_germ_is_caught(name, lie, forget, monkeypatch):
    """Of a kink, a root, a jump, a choice, a comparison, a smooth function."""
    monkeypatch.setitem(table(), name, replace(table()[name], germ=lie))
    wrong, _ = missed(table()[name])
    assert wrong


def test_a_wrong_partial_shows_in_the_series(forget, monkeypatch):
    """What is derived rests on `partials`: a lie there is one of the series."""
    monkeypatch.setitem(table(), "ramp", replace(NEW["ramp"], partials=("2 * heaviside(x)",)))
    monkeypatch.setitem(names(), "ramp", "ramp")
    assert missed(table()["ramp"])[0]
