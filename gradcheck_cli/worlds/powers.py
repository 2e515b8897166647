"""Powers of the distance d > 0 from a point, with logarithms: d**exponent / log(1/d)**depth."""

from __future__ import annotations

from fractions import Fraction
from math import inf
from typing import NamedTuple, TypeAlias

# Infinite for what is smaller, or larger, than every power.
Exponent: TypeAlias = "int | Fraction | float"


class Power(NamedTuple):
    """d**exponent / log(1/d)**depth; the smaller power is the larger function near d = 0."""

    exponent: Exponent
    depth: int | Fraction = 0

    def times(self, other: Power) -> Power:
        """The product."""
        return Power(plain_exponent(self.exponent + other.exponent), self.depth + other.depth)

    def over(self, other: Power) -> Power:
        """The quotient."""
        return Power(plain_exponent(self.exponent - other.exponent), self.depth - other.depth)

    def to(self, p: Fraction | int) -> Power:
        """This to the power p."""
        depth = plain_exponent(self.depth * p) if self.depth else 0
        assert not isinstance(depth, float), "it is finite"
        return Power(plain_exponent(self.exponent * p), depth)


def plain_exponent(value: Exponent) -> Exponent:
    """An exponent, as an int where it is whole: those are faster to add and to look up."""
    is_whole = isinstance(value, Fraction) and value.denominator == 1
    return int(value) if is_whole else value


ONE = Power(0)
# The distance itself.
DISTANCE = Power(1)
# log(1/d), which grows.
LOG = Power(0, -1)
# Smaller than every power: e**(-1/d).
FLAT = Power(inf)
STEEP = Power(-inf)


def least(*orders: Power | None) -> Power | None:
    """The smallest order, None (nothing left out) being the largest."""
    known = [order for order in orders if order is not None]
    return min(known) if known else None
