"""Kinks: what holds where a piecewise operation sits on its boundary, proved from the two sides
where that can be done.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import isfinite
from typing import TYPE_CHECKING, Any

from gradcheck_cli.calculus.gradient import gradient_program, scalar_inputs
from gradcheck_cli.judge.measure import format_ball
from gradcheck_cli.witnesses.extrapolation import Slope
from gradcheck_cli.witnesses.numeric import Difference
from gradcheck_cli.witnesses.reference import SIGN_BITS
from gradcheck_cli.worlds import balls
from gradcheck_cli.worlds import puiseux as sides
from gradcheck_cli.worlds.scalars import TooLarge
from gradcheck_cli.worlds.series import Germ, OutsideDomain, UndecidedSign, constant_series

if TYPE_CHECKING:
    from gradcheck_cli.questions.question import Case
    from gradcheck_cli.witnesses import Abstention

# Two one-sided derivatives whose balls overlap are the same derivative if they are known to this
# many bits.
_SAME_BITS = 500


@dataclass(frozen=True)
class Side:
    """One side of the point, proved: the limit of the value and the derivative, None where the
    function has no values there.

    `infinite` where the value or its slope grows without bound.
    """

    limit: Any = None
    slope: Any = None
    infinite: bool = False
    empty: bool = False


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
        kind: `smooth` (both sides agree), `kink`, `edge` (values on one side only), `undefined`, or
            `unknown`.
        slope: the derivative, for `smooth` and `edge`, as a ball.
        told: the sides in words.
    """

    kind: str
    told: str
    sides: OneSided | None = None
    slope: Any = None
    low: Any = None
    high: Any = None


def two_sides(case: Case, position: int, difference: Difference | Abstention) -> Boundary:
    """What holds at the point from left and right: proved by series, else estimated from
    differences.
    """
    try:
        left, right = (_prove(case, position, direction) for direction in (-1, 1))
        return _proved(case, left, right)
    except (UndecidedSign, TooLarge, OverflowError) as why:
        return _estimated(difference, str(why))


def _prove(case: Case, position: int, direction: int) -> Side:
    """Limit and one-sided derivative along one coordinate."""
    from flint import arb, ctx

    program = gradient_program(case)
    if isinstance(program, TooLarge):
        raise program
    name = program.elements[position]
    with ctx.workprec(SIGN_BITS):
        inputs = {key: constant_series(arb(value)) for key, value in scalar_inputs(case).items()}
        inputs[name] = Germ((*inputs[name].terms, (Fraction(1), arb(direction))))
        try:
            germ = sides.run(program.forward_program, inputs, case.literal)
        except OutsideDomain:
            return Side(empty=True)
        if germ.terms and germ.terms[0][0] < 0:
            return Side(infinite=True)
        limit, slope = germ.at(0), germ.at(1)
        steep = any(0 < exponent < 1 for exponent, _ in germ.terms)
        return Side(limit, direction * slope, infinite=steep)


def _proved(case: Case, left: Side, right: Side) -> Boundary:
    from flint import ctx

    with ctx.workprec(SIGN_BITS):
        if left.empty and right.empty:
            return Boundary(
                "undefined",
                "the function has no values on either side",
                OneSided(None, None, proved=True),
            )
        if left.infinite or right.infinite:
            return Boundary(
                "undefined",
                "the slope grows without bound (a vertical tangent or a pole)",
                _shown_sides(left, right),
            )
        if left.empty or right.empty:
            side, name = (right, "right") if left.empty else (left, "left")
            words = f"the function has values on the {name} only; {name} derivative {format_ball(side.slope)}"
            return Boundary("edge", words, _shown_sides(left, right), side.slope)
        if not left.limit.overlaps(right.limit):
            return Boundary(
                "undefined",
                f"a jump from {format_ball(left.limit)} to {format_ball(right.limit)}",
                _shown_sides(left, right),
            )
        jump = _misses(case, left.limit)
        if jump is not None:
            return Boundary(
                "undefined",
                f"a jump: the value is {format_ball(jump)}, both sides tend to {format_ball(left.limit)}",
                _shown_sides(left, right),
            )
        if not left.slope.overlaps(right.slope):
            low, high = (
                (left.slope, right.slope) if left.slope < right.slope else (right.slope, left.slope)
            )
            words = f"left derivative {format_ball(left.slope)}, right derivative {format_ball(right.slope)}"
            return Boundary("kink", words, _shown_sides(left, right), low=low, high=high)
        gap = abs(left.slope - right.slope).upper()
        if not gap.is_zero() and not gap < abs(left.slope).upper() / balls.exact_ball(
            Fraction(2) ** _SAME_BITS
        ):
            raise UndecidedSign("the two sides are too close to tell apart")
        return Boundary(
            "smooth",
            f"left and right derivatives are both {format_ball(left.slope)}",
            _shown_sides(left, right),
            left.slope,
        )


def _misses(case: Case, limit: Any) -> Any | None:
    """The value at the point itself, if it is not the limit."""
    program = gradient_program(case)
    assert not isinstance(program, TooLarge)
    value = balls.run(program.forward_program, scalar_inputs(case), SIGN_BITS, case.literal)[
        program.forward_program.result
    ]
    return None if value.overlaps(limit) else value


def _shown_sides(left: Side, right: Side) -> OneSided:
    slopes = [
        None
        if side.slope is None or side.infinite
        else Slope(float(side.slope.mid()), float(side.slope.rad()))
        for side in (left, right)
    ]
    return OneSided(slopes[0], slopes[1], proved=True)


def _estimated(difference: Difference | Abstention, why: str) -> Boundary:
    """The same from the numeric witness, where nothing could be proved."""
    from flint import arb

    if not isinstance(difference, Difference):
        return Boundary("unknown", f"{why}; {difference.reason}")
    left, right = difference.left, difference.right
    estimates = OneSided(left, right)
    if (left is None or right is None) and any(
        side is not None and side.grows for side in (left, right)
    ):
        return Boundary(
            "undefined",
            f"on the edge of the domain the slope grows without bound (a vertical tangent or a pole); {why}",
            estimates,
        )
    if left is None or right is None:
        return Boundary(
            "unknown",
            f"{why}; the function has values on one side only, as far as differences show",
            estimates,
        )
    if left.grows or right.grows:
        return Boundary(
            "undefined",
            f"differences grow without bound as the step shrinks (a jump or a vertical tangent); {why}",
            estimates,
        )
    if not isfinite(left.radius + right.radius):
        return Boundary("unknown", f"{why}; differences do not settle", estimates)
    words = f"left derivative {_shown(left)}, right derivative {_shown(right)}, estimated"
    if abs(left.value - right.value) > left.radius + right.radius:
        low, high = sorted((left, right), key=lambda slope: slope.value)
        return Boundary(
            "kink",
            words,
            estimates,
            low=arb(low.value, low.radius),
            high=arb(high.value, high.radius),
        )
    return Boundary("unknown", f"{words}; {why}", estimates)


def disputes_sides(proved: OneSided, difference: Difference | Abstention) -> bool:
    """Whether a one-sided difference misses the derivative that was proved on its side."""
    if not proved.proved or not isinstance(difference, Difference):
        return False
    pairs = ((proved.left, difference.left), (proved.right, difference.right))
    return any(
        a is not None and b is not None and not abs(a.value - b.value) <= a.radius + b.radius
        for a, b in pairs
    )


def _shown(slope: Slope) -> str:
    return f"{slope.value:.6g} ± {slope.radius:.1g}"
