"""The two sides of a point: what holds where a piecewise operation sits on its boundary, proved by
series where that can be done.

Source: one-sided series as Puiseux's (fractional exponents); subgradients as Clarke's, the interval
between the one-sided derivatives.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial as partial_of
from math import isfinite
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from flint import arb, ctx

from gradcheck_cli.judge.measure import format_ball
from gradcheck_cli.judge.settling import settled
from gradcheck_cli.records.outcome import Cause
from gradcheck_cli.witnesses.differences import Difference
from gradcheck_cli.witnesses.extrapolation import Slope
from gradcheck_cli.witnesses.truth import SIGN_BITS
from gradcheck_cli.worlds.powers import DISTANCE, ONE, STEEP, Power, expanded
from gradcheck_cli.worlds.puiseux import Sides
from gradcheck_cli.worlds.reals import Real
from gradcheck_cli.worlds.scalars import TooLarge
from gradcheck_cli.worlds.series import OutsideDomain, Puiseux, UndecidedSign, constant_series

if TYPE_CHECKING:
    from gradcheck_cli.questions.batch import Point
    from gradcheck_cli.witnesses import Answer
    from gradcheck_cli.worlds.zeros import ZeroTest

# Two sides that overlap without being equal are looked at again with more bits: a float64 reaches
# from 2**-1074 to 2**1024, so that a sum of two may need 2,100 to be told from one.
# Where terms cancel, further ones decide.
_TRIES = ((SIGN_BITS, 5), (SIGN_BITS, 7), (4 * SIGN_BITS, 7))

# `smooth`: both sides agree; `edge`: values on one side only; `undefined`: no finite derivative.
BoundaryKind: TypeAlias = Literal["smooth", "kink", "edge", "undefined", "unknown"]


@dataclass(frozen=True)
class Side:
    """One side of the point, proved: the limit of the value and the derivative as a `Real`, None
    where the function has no values there.

    Attributes:
        growth: what grows without bound there, if anything: the value (a pole) or the slope alone.
        jumped: a function was met whose value may jump.
    """

    limit: Any = None
    slope: Any = None
    growth: Cause | None = None
    empty: bool = False
    jumped: bool = False


@dataclass(frozen=True)
class OneSided:
    """Left and right derivatives, each with the room it is known to; None where there is none."""

    left: Slope | None
    right: Slope | None
    proved: bool = False


@dataclass(frozen=True)
class Boundary:
    """What the two sides come to.

    Attributes:
        words: the sides in words.
        slope: the derivative, for `smooth` and `edge`, as a ball.
        low, high: the ends of the interval of subgradients, for `kink`.
    """

    kind: BoundaryKind
    words: str
    sides: OneSided | None = None
    cause: Cause | None = None
    slope: Any = None
    low: Any = None
    high: Any = None


def boundary_at(
    point: Point,
    partial: int,
    difference: Answer,
    value: Any = None,
    zero_test: ZeroTest | None = None,
) -> Boundary:
    """What holds at the point from left and right: proved by series, else estimated from
    differences.

    Args:
        value: that at the point as a ball, where it is not the formula's.
        zero_test: who is asked in the end of numbers that are not told from zero.
    """
    try:
        attempt = partial_of(_attempt, point, partial, value)
        found, debt = settled(attempt, _TRIES, zero_test)
    except (TooLarge, OverflowError) as impossible:
        return _estimate(difference, str(impossible))
    if isinstance(found, str):
        return _estimate(difference, found)
    return replace(found, words=found.words + debt)


def _attempt(point: Point, partial: int, value: Any, bits: int, terms: int) -> Boundary | str:
    try:
        with expanded(terms):
            left, right = (_prove(point, partial, direction, bits) for direction in (-1, 1))
            return _proof(point, partial, left, right, bits, value)
    except UndecidedSign as undecided:
        return str(undecided)


def _prove(point: Point, partial: int, direction: int, bits: int) -> Side:
    """Limit and one-sided derivative along one coordinate."""
    with ctx.workprec(bits):
        try:
            germ, world = _beside(point, partial, direction)
        except OutsideDomain:
            return Side(empty=True)
        if _has_term(germ, STEEP, ONE):
            return Side(growth=Cause.POLE)
        growth = Cause.VERTICAL_TANGENT if _has_term(germ, ONE, DISTANCE) else None
        slope = None if growth else germ.at(1) * Real(direction)
        return Side(germ.at(0), slope, growth, jumped=world.jumped)


def _beside(point: Point, partial: int, direction: int) -> tuple[Puiseux, Sides]:
    """The value as a series along one coordinate, left (-1) or right (1) of the point; with 0 the
    value at the point itself.
    """
    program = point.prepared.gradient
    name = program.elements[partial]
    world = Sides(point.dtype.round)
    inputs = {key: constant_series(value) for key, value in point.scalars.items()}
    inputs[name] = inputs[name] + Puiseux(((DISTANCE, Real(direction)),)) * abs(direction)
    return world.beside(program.forward_program, inputs), world


def _has_term(germ: Puiseux, above: Power, below: Power) -> bool:
    """Whether a series has a term between two powers.

    Raises:
        UndecidedSign: its coefficient is not told from zero, or the remainder may have one.
    """
    if germ.growth:
        return germ.grows and below == ONE
    between = [c for p, c in germ.terms if above < p < below]
    if between and between[0].contains(0):
        raise UndecidedSign("a coefficient is not told from zero")
    if not between and germ.order is not None and germ.order < below:
        raise UndecidedSign(f"terms of order {float(below.exponent):g} are not known")
    return bool(between)


def _proof(point: Point, partial: int, left: Side, right: Side, bits: int, value: Any) -> Boundary:
    """What two proved sides come to.

    Raises:
        UndecidedSign: they are too close to tell apart.
    """
    sides = _one_sided(left, right)
    with ctx.workprec(bits):
        if left.empty and right.empty:
            words = "the function has no values on either side"
            return Boundary("undefined", words, sides, Cause.OUTSIDE_DOMAIN)
        growth = left.growth or right.growth
        if growth is not None:
            words = "the slope grows without bound (a vertical tangent or a pole)"
            return Boundary("undefined", words, sides, growth)
        jump = _jump(point, partial, left, right, value)
        if jump is not None:
            return replace(jump, sides=sides)
        if left.empty or right.empty:
            side, name = (right, "right") if left.empty else (left, "left")
            words = f"the function has values on the {name} only; {name} derivative"
            words = f"{words} {format_ball(side.slope.ball)}"
            return Boundary("edge", words, sides, Cause.OUTSIDE_DOMAIN, side.slope.ball)
        if not left.slope.ball.overlaps(right.slope.ball):
            return _kink(left.slope.ball, right.slope.ball, sides)
        _match(left.slope, right.slope)
        words = f"left and right derivatives are both {format_ball(left.slope.ball)}"
        return Boundary("smooth", words, sides, slope=left.slope.ball)


def _jump(point: Point, partial: int, left: Side, right: Side, given: Any) -> Boundary | None:
    """What the value does at the point, where that is not what it tends to.

    Raises:
        UndecidedSign: it may jump by too little to be seen, or is not known.
    """
    limits = [side.limit for side in (left, right) if not side.empty]
    low, high = limits[0], limits[-1]
    ends = format_ball(low.ball), format_ball(high.ball)
    if not low.ball.overlaps(high.ball):
        step = f", by {format_ball((high - low).ball)}" if ends[0] == ends[1] else ""
        words = f"a jump from {ends[0]} to {ends[1]}{step}"
        return Boundary("undefined", words, cause=Cause.JUMP)
    try:
        value = _beside(point, partial, 0)[0].constant if given is None else Real(given)
    except OutsideDomain:
        words = "the function has no value at the point itself"
        return Boundary("undefined", words, cause=Cause.OUTSIDE_DOMAIN)
    if value is None:
        raise UndecidedSign("the value itself is not known")
    if not value.ball.overlaps(low.ball):
        tend = "both sides tend" if len(limits) > 1 else "beside it it tends"
        words = f"a jump: the value is {format_ball(value.ball)}, {tend} to {ends[0]}"
        return Boundary("undefined", words, cause=Cause.JUMP)
    if left.jumped or right.jumped:
        _match(low, high)
        _match(low, value)
    return None


def _kink(left: Any, right: Any, sides: OneSided) -> Boundary:
    low, high = (left, right) if left < right else (right, left)
    words = f"left derivative {format_ball(left)}, right derivative {format_ball(right)}"
    return Boundary("kink", words, sides, Cause.KINK, low=low, high=high)


def _match(left: Real, right: Real) -> None:
    """Take two overlapping numbers for one.

    Raises:
        UndecidedSign: they are not proved to be one.
    """
    if not (left - right).is_zero():
        raise UndecidedSign("the two sides are too close to tell apart")


def _one_sided(left: Side, right: Side) -> OneSided:
    def slope(side: Side) -> Slope | None:
        if side.slope is None:
            return None
        return Slope(float(side.slope.ball.mid()), float(side.slope.ball.rad()))

    return OneSided(slope(left), slope(right), proved=True)


def _estimate(difference: Answer, why: str) -> Boundary:
    """The same from the numeric witness, where nothing could be proved: a kink where its bars are
    apart and sound. That slopes grow says nothing: a steep function may do so at every step there
    is.
    """
    if not isinstance(difference, Difference):
        return Boundary("unknown", f"{why}; {getattr(difference, 'reason', '')}")
    left, right = difference.left, difference.right
    sides = OneSided(left, right)
    if any(side is not None and side.grows for side in (left, right)):
        grow = "differences grow as the step shrinks (a jump, a vertical tangent or a steep slope)"
        return Boundary("unknown", f"{why}; {grow}", sides)
    if left is None or right is None:
        only = "the function has values on one side only, as far as differences show"
        return Boundary("unknown", f"{why}; {only}", sides)
    if not isfinite(left.radius + right.radius):
        return Boundary("unknown", f"{why}; differences do not settle", sides)
    words = f"left derivative {_bar(left)}, right derivative {_bar(right)}, estimated"
    if difference.sound and abs(left.value - right.value) > left.radius + right.radius:
        return _estimated_kink(left, right, words, sides)
    return Boundary("unknown", f"{words}; {why}", sides)


def _estimated_kink(left: Slope, right: Slope, words: str, sides: OneSided) -> Boundary:
    low, high = sorted((left, right), key=lambda slope: slope.value)
    ends = {"low": arb(low.value, low.radius), "high": arb(high.value, high.radius)}
    return Boundary("kink", words, sides, Cause.KINK, **ends)


def disputes_sides(proved: OneSided, difference: Answer) -> bool:
    """Whether a one-sided difference misses the derivative that was proved on its side."""
    if not proved.proved or not isinstance(difference, Difference):
        return False
    pairs = ((proved.left, difference.left), (proved.right, difference.right))
    return any(
        a is not None and b is not None and not abs(a.value - b.value) <= a.radius + b.radius
        for a, b in pairs
    )


def _bar(slope: Slope) -> str:
    return f"{slope.value:.6g} ± {slope.radius:.1g}"
