"""How the calls of a library of arrays round, and what they make of what is wrong with an
argument.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import frexp, isfinite
from typing import TYPE_CHECKING, Any

from gradcheck_cli.worlds.enclosures import MARGIN, Enclosure
from gradcheck_cli.worlds.errors import INF

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gradcheck_cli.functions.row import Function
    from gradcheck_cli.worlds.enclosures import ArrayLibrary

# Working precision of constants, and the unit roundoff of a float.
_BITS, _DOUBLE = 128, 2.0**-53
# The least normal float64, and more.
_NORMAL = 2.0**-1000
# What hands an infinity on, where it does.
_ARITHMETIC = ("+", "-", "*", "/")


@dataclass(frozen=True)
class Roundings:
    """How calls round.

    Attributes:
        unit, granted: `unit` times the size of the result where a row counts one rounding, else
            that times `granted` for each.
        least: what underflow may take.
    """

    library: ArrayLibrary
    unit: float
    granted: float
    least: float

    def passed(self, slope: Any, radius: Any) -> Any:
        """What an argument's radius comes to: nothing where the slope is 0 all around, or nothing
        is wrong.
        """
        found = slope * radius
        if found.sum() < INF:  # neither is negative: then none is NaN
            return found
        return self.library.module.where((slope == 0) | (radius == 0), 0.0, found)

    def is_zero(self, a: Enclosure) -> Any:
        """Where a number is exactly 0."""
        zero = a.value == 0
        return zero if a.radius is None else zero & (a.radius == 0)

    def own(self, row: Function, args: Sequence[Any], value: Any, slope: Any | None) -> Any | None:
        """The rounding of a call itself; None where there is none."""
        c, m = row.rounds
        if (not c and not m) or self._is_scaling(row, args, value):
            return None
        size = abs(self.library.sizes(value))
        if row.operator in _ARITHMETIC:
            size = self._finite(size, args)
        if c == 1 and not m:
            size = self.unit * size
        else:
            size = self.granted * c * self.unit * size
            if m and slope is not None:
                own = self._finite(abs(self.library.sizes(args[-1].value)), args[-1:])
                size = size + self.granted * m * self.unit * self.passed(slope, own)
        if row.operator in ("+", "-"):
            return size
        return self._with_least(size, args, value)

    def _is_scaling(self, row: Function, args: Sequence[Any], value: Any) -> bool:
        """Whether a call multiplies by a power of two, or divides by one, and nothing leaves the
        range.
        """
        factors = args if row.operator == "*" else args[1:] if row.operator == "/" else ()
        known = [a for a in factors if isinstance(a, Enclosure) and not a.value.ndim]
        if not any(frexp(abs(float(a.value)))[0] == 0.5 for a in known if a.radius is None):
            return False
        size = abs(self.library.sizes(value))
        held = (size >= _NORMAL) & (size < INF)
        for a in args:
            held = held | (self.is_zero(a) & (size == 0))
        return bool(held.all())

    def _finite(self, size: Any, args: Sequence[Any]) -> Any:
        """Sizes, with 0 for an infinity that an argument is already: such is not rounded. One that
        comes of an overflow stays.
        """
        infinite = size == INF
        if not infinite.any():
            return size
        handed_on = infinite & False
        for a in args:
            if isinstance(a, Enclosure):
                handed_on = handed_on | self._is_infinite(a)
        return self.library.module.where(infinite & handed_on, 0.0, size)

    def _is_infinite(self, a: Enclosure) -> Any:
        """Where a number is known to be an infinity."""
        infinite = abs(self.library.sizes(a.value)) == INF
        return infinite if a.radius is None else infinite & (a.radius < INF)

    def _with_least(self, size: Any, args: Sequence[Any], value: Any) -> Any:
        """What underflow may take added; nothing where a zero comes of an exact 0 or infinity."""
        zero = value == 0
        if not zero.any():
            return size + self.least
        why = ~zero
        for a in args:
            if isinstance(a, Enclosure):
                why = why | self.is_zero(a) | self._is_infinite(a)
        least = self.library.sizes(self.library.array(self.least))
        return size + self.library.module.where(zero & why, 0 * least, least)

    def fixed(self, row: Function, args: Sequence[Enclosure]) -> Enclosure | None:
        """A number made of numbers, as near as the library holds it; None where it is not
        finite.
        """
        from flint import arb, ctx

        assert row.arb is not None
        with ctx.workprec(_BITS):
            balls = []
            for a in args:
                whole = float(a.value)
                rest = float(a.value - whole)
                radius = 0.0 if a.radius is None else float(a.radius)
                balls.append(arb(whole) + arb(rest) + arb(0, radius))
            ball = row.arb(*balls)
            if not ball.is_finite():
                return None
            high = float(ball.mid())
            low = float((ball - high).mid()) if self.library.unit < _DOUBLE else 0.0
            value = self.library.array(high) + low
            gap = float(abs(ball - high - low).abs_upper())
        if not isfinite(high):
            return None
        is_held = all(a.radius is None for a in args)
        if gap == 0 and is_held and self._is_held(high):
            return Enclosure(value)
        radius = gap * MARGIN + self.unit * abs(high) + self.least
        return Enclosure(value, self.library.sizes(self.library.array(radius)))

    def _is_held(self, number: float) -> bool:
        """Whether a number is one of those that calls round to, as far as that is looked at."""
        return frexp(number)[0] * 2 / self.unit % 1 == 0
