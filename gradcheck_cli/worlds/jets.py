"""The world of jets: a scalar program of one variable over a whole cell of inputs, as Taylor series
in balls.

Over a ball the coefficient of order n encloses `f^(n)(x) / n!` for every x in it, which is what
Taylor's theorem asks of the remainder. A function that flint has no series of is the integral of
its own slope.

Source: Moore, Interval Analysis (1966), on Taylor coefficients by recursion; Johansson, Arb (2017).
"""

from __future__ import annotations

from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias

from flint import arb, arb_series, ctx

from gradcheck_cli.calculus.formulas import formula, partial
from gradcheck_cli.functions import lookup
from gradcheck_cli.functions.arithmetic import OFF
from gradcheck_cli.language.program import Number, Variable
from gradcheck_cli.worlds import balls

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gradcheck_cli.functions.row import Function
    from gradcheck_cli.language.program import Program
    from gradcheck_cli.worlds.balls import Literal

_Series: TypeAlias = Any  # flint ships no types
# A series, a ball where nothing varies, a condition, or a branch not taken.
Jet: TypeAlias = Any


def jets_of(
    program: Program, inputs: Mapping[str, Any], moving: str, literal: Literal, order: int
) -> list[Jet]:
    """Every node of a program of primitives, cut behind so many coefficients; NaN in each of them
    where a condition, a kink or a domain that it rests on is not decided on the whole ball.

    Args:
        inputs: the ball of each variable; the series of the one that is `moving` is that of
            `ball + t`.
        literal: rounds a decimal literal to the dtype under test, or keeps it.
    """
    with terms(order):
        run = _Run()
        values: list[Jet] = []
        for node in program.nodes:
            if isinstance(node, Variable):
                ball = inputs[node.name]
                values.append(arb_series([ball, arb(1)]) if node.name == moving else ball)
            elif isinstance(node, Number):
                values.append(balls.literal_ball(node, literal))
            else:
                values.append(run.call(node.function, [values[j] for j in node.args]))
    return values


def coefficients(jet: Jet, order: int) -> list[Any]:
    """The first coefficients of a jet, zeros where nothing varies."""
    if jet is OFF:
        return [arb(0)] * order
    found: list[Any] = jet.coeffs() if _is_series(jet) else [jet]
    return [*found[:order], *[arb(0)] * (order - len(found))]


@contextmanager
def terms(count: int) -> Iterator[None]:
    """_Series have so many terms, whatever flint's own limit was: that is 10, and what lies behind
    reads as exact zeros.
    """
    before = ctx.cap
    ctx.cap = count
    try:
        yield
    finally:
        ctx.cap = before


# Sums, differences and products of whatever there is: they have no domain and never fail.
_RING = ("+", "-", "*")


class _Run:
    """One program over one cell; a call of the same arguments is made once."""

    def __init__(self) -> None:
        self._known: dict[tuple[object, ...], Jet] = {}
        # By the identity of a series that was cut short the whole one.
        self._wholes: dict[int, _Series] = {}
        self._alive: list[Jet] = []  # whose identities stand in keys

    def call(self, function: str, args: Sequence[Jet]) -> Jet:
        """A function of the table."""
        row = lookup(function)
        if row.operator in _RING and not any(a is OFF for a in args):
            assert row.series is not None
            return row.series(*args)
        key = (function, ctx.cap, *map(id, args))
        if key not in self._known:
            self._alive += args
            self._known[key] = self._of(row, list(args))
        return self._known[key]

    def _of(self, row: Function, args: list[Jet]) -> Jet:
        if row.condition:
            return _ball(row, [a if isinstance(a, bool) or a is None else _head(a) for a in args])
        if any(p.kind == "condition" for p in row.parsed.args):
            assert row.arb is not None
            return nothing() if None in args else row.arb(*args)
        if OFF in args:
            if row.operator in ("+", "-", "*", "/"):
                return _ball(row, args)
            args = [balls.plain(a) for a in args]
        if not any(map(_is_series, args)):
            return _ball(row, args)
        if not (all(_head(a).is_finite() for a in args) and _is_smooth(row, args)):
            return nothing()
        try:
            jet: Any = row.series(*args) if row.series is not None else None
            return self._integrated(row, args) if jet is None else _safe(jet)
        except (ArithmeticError, ValueError):
            return nothing()

    def _integrated(self, row: Function, args: list[Jet]) -> _Series:
        """`f(g) = f(g(0)) + integral of sum_k f_k(g) g_k'`."""
        first = _ball(row, [_head(a) for a in args])
        order = ctx.cap
        slopes: Any = None
        with terms(order - 1):
            shorter = [self._cut(a) for a in args]
            for k, arg in enumerate(args):
                if order > 1 and _is_series(arg) and arg.length() > 1:
                    slope = self._slope(row, k, shorter)
                    if slope is not OFF:
                        part = slope * arg.derivative()
                        slopes = part if slopes is None else slopes + part
        found = [] if slopes is None else coefficients(slopes, order - 1)
        return arb_series([first, *(c / (k + 1) for k, c in enumerate(found))])

    def _slope(self, row: Function, position: int, args: Sequence[Jet]) -> Jet:
        program = partial(row.name, position)
        inputs = dict(zip(row.parsed.names, args, strict=True))
        values: list[Jet] = []
        for node in program.nodes:
            if isinstance(node, Variable):
                values.append(inputs[node.name])
            elif isinstance(node, Number):
                values.append(balls.literal_ball(node, lambda value: value))
            else:
                values.append(self.call(node.function, [values[j] for j in node.args]))
        return values[program.result]

    def _cut(self, jet: Jet) -> Jet:
        """A series with as many terms as series have now: for the same series the same object."""
        if not _is_series(jet):
            return jet
        whole: Any = self._wholes.get(id(jet), jet)
        key = ("", ctx.cap, id(whole))
        if key not in self._known:
            short = self._known[key] = arb_series(whole.coeffs()[: ctx.cap])
            self._wholes[id(short)] = whole
            self._alive += (whole, short)
        return self._known[key]


def nothing() -> _Series:
    """No enclosure: every coefficient is NaN. A bare NaN would be a constant, whose higher
    coefficients read as exact zeros.
    """
    return arb_series([arb.nan()] * max(1, ctx.cap))


def _safe(jet: _Series) -> _Series:
    """A series, unless a coefficient of it is not finite: then nothing is."""
    return jet if all(c.is_finite() for c in jet.coeffs()) else nothing()


def _is_series(jet: Jet) -> bool:
    return isinstance(jet, arb_series)


def _head(jet: Jet) -> Any:
    """The ball of the value itself."""
    return jet[0] if _is_series(jet) else jet


def _ball(row: Function, args: Sequence[Any]) -> Any:
    assert row.arb is not None, "programs of cells are made of primitives"
    try:
        return row.arb(*args)
    except (ArithmeticError, ValueError):
        return arb.nan()


def _is_smooth(row: Function, args: Sequence[Jet]) -> bool:
    """Whether the whole cell is known to lie inside the function's domain and beside its kinks."""
    if not row.domain and not row.kinks:
        return True
    heads = dict(zip(row.parsed.names, map(_head, args), strict=True))
    if not all(_side(text, heads) > 0 for text in row.domain):
        return False
    return all(side > 0 or side < 0 for side in (_side(text, heads) for text in row.kinks))


def _side(text: str, heads: Mapping[str, Any]) -> Any:
    """The ball of an expression over a row's arguments."""
    return balls.plain(_machine(text).values(heads, _as_is)[formula(text).result])


@cache
def _machine(text: str) -> balls.Machine:
    return balls.Machine(formula(text))


def _as_is(value: Any) -> Any:
    return value
