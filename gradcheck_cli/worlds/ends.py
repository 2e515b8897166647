"""The world of ends: a scalar program of one variable over an interval of inputs, every number an
interval by its two ends.

A ball holds too much where numbers range over many binades: `exp` of a wide one reaches below 0.
Between ends a monotone function takes the values of its ends, so a tail is seen to be flat.

Source: Moore, Interval Analysis (1966).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from flint import arb

from gradcheck_cli.calculus.formulas import partial
from gradcheck_cli.functions import lookup
from gradcheck_cli.functions.arithmetic import OFF
from gradcheck_cli.language.program import Number, Program, Variable
from gradcheck_cli.worlds import balls

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gradcheck_cli.functions.row import Function
    from gradcheck_cli.worlds.balls import Ball, Literal

# An interval, a condition (None where it may be either), or a branch not taken.
Between: TypeAlias = Any


class Ends:
    """All numbers from `low` to `high`, which are exact or infinite; NaN where nothing is known.

    It is added and multiplied as a ball is, so that the rows' own forms of arithmetic run on it.
    """

    __slots__ = ("high", "low")

    def __init__(self, low: Ball, high: Ball | None = None) -> None:
        self.low, self.high = low.lower(), (low if high is None else high).upper()

    def ball(self) -> Ball:
        """The ball around them."""
        return self.low.union(self.high)

    def is_finite(self) -> bool:
        """Whether both ends are numbers."""
        return bool(self.low.is_finite() and self.high.is_finite())

    def __add__(self, other: Ends) -> Ends:
        if not isinstance(other, Ends):
            return NotImplemented
        return Ends(self.low + other.low, self.high + other.high)

    def __sub__(self, other: Ends) -> Ends:
        if not isinstance(other, Ends):
            return NotImplemented
        return Ends(self.low - other.high, self.high - other.low)

    def __neg__(self) -> Ends:
        return Ends(-self.high, -self.low)

    def __mul__(self, other: Ends) -> Ends:
        if not isinstance(other, Ends):
            return NotImplemented
        corners = [a * b for a in (self.low, self.high) for b in (other.low, other.high)]
        low, high = corners[0].lower(), corners[0].upper()
        for corner in corners[1:]:
            low, high = low.min(corner.lower()), high.max(corner.upper())
        return Ends(low, high)

    def __truediv__(self, other: Ends) -> Ends:
        if not isinstance(other, Ends):
            return NotImplemented
        if not (other.low > 0 or other.high < 0):
            return _anything()
        return self * Ends(1 / other.high, 1 / other.low)

    def __pow__(self, other: Ends) -> Ends:
        exponent = other.low
        if not ((exponent - other.high).is_zero() and exponent.is_integer() and exponent > 0):
            if not self.low > 0:
                return Ends(self.ball() ** other.ball())
            power = other * Ends(self.low.log(), self.high.log())
            return Ends(power.low.exp(), power.high.exp())
        low, high = self.low**exponent, self.high**exponent
        if not (exponent / 2).is_integer() or self.low >= 0:
            return Ends(low, high)
        if self.high <= 0:
            return Ends(high, low)
        return Ends(low - low, low.max(high))

    def __abs__(self) -> Ends:
        return self.max(-self)

    def max(self, other: Ends) -> Ends:
        """The larger of two numbers, whichever they are."""
        return Ends(self.low.max(other.low), self.high.max(other.high))

    def min(self, other: Ends) -> Ends:
        """The smaller of two."""
        return Ends(self.low.min(other.low), self.high.min(other.high))

    def union(self, other: Ends) -> Ends:
        """What lies in either, and in between."""
        return Ends(self.low.min(other.low), self.high.max(other.high))


def _anything() -> Ends:
    return Ends(arb.neg_inf(), arb.pos_inf())


def ends_of(program: Program, inputs: Mapping[str, Ends], literal: Literal) -> list[Between]:
    """Every node of a program of primitives; an interval without finite ends where nothing else is
    known.
    """
    return _run(program, inputs, literal, deep=True)


def _run(
    program: Program, inputs: Mapping[str, Between], literal: Literal, *, deep: bool
) -> list[Between]:
    values: list[Between] = []
    for node in program.nodes:
        if isinstance(node, Variable):
            values.append(inputs[node.name])
        elif isinstance(node, Number):
            values.append(Ends(balls.literal_ball(node, literal)))
        else:
            args = [values[j] for j in node.args]
            values.append(_call(lookup(node.function), args, deep=deep))
    return values


def _call(row: Function, args: Sequence[Between], *, deep: bool) -> Between:
    assert row.arb is not None, "programs of cells are made of primitives"
    try:
        if row.condition:
            return row.arb(*[a.ball() if isinstance(a, Ends) else a for a in args])
        found = _value(row, args, deep=deep)
    except (ArithmeticError, ValueError):
        return _anything()
    if found is OFF:
        return found
    found = found if isinstance(found, Ends) else Ends(found)
    return _anything() if found.low.is_nan() or found.high.is_nan() else found


def _value(row: Function, args: Sequence[Between], *, deep: bool) -> Between:
    assert row.arb is not None
    is_choice = any(p.kind == "condition" for p in row.parsed.args)
    if is_choice:
        numbers = [Ends(balls.plain(a)) if a is OFF else a for a in args]
        picked = row.arb(*args) if isinstance(args[0], bool) else None
        return row.arb(*numbers) if picked is None else picked
    if row.operator in ("+", "-", "*", "/"):
        return row.arb(*args)
    if row.is_extreme or row.operator == "**":
        args = [Ends(balls.plain(a)) if a is OFF else a for a in args]
        return row.arb(*args) if row.is_extreme else args[0] ** args[1]
    whole = [balls.plain(a) if a is OFF else a.ball() for a in args]
    if len(args) == 1 and args[0] is not OFF:
        side = row.monotone or (_slope_sign(row, args[0]) if deep else 0)
        if side:
            ends = [row.arb(args[0].low), row.arb(args[0].high)]
            return Ends(*ends[::side])
    return row.arb(*whole)


def _slope_sign(row: Function, x: Ends) -> int:
    """1 where a function of one argument rises between two ends, -1 where it falls, else 0."""
    (name,) = row.parsed.names
    program = partial(row.name, 0)
    slope = _run(program, {name: x}, _as_is, deep=False)[program.result]
    if not isinstance(slope, Ends) or not slope.is_finite():
        return 0
    return 1 if slope.low > 0 else -1 if slope.high < 0 else 0


def _as_is(value: Any) -> Any:
    return value
