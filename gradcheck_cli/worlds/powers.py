"""Powers of the distance d > 0 from a point, with logarithms: d**exponent / log(1/d)**depth."""

from __future__ import annotations

from fractions import Fraction
from math import inf
from typing import NamedTuple


class Power(NamedTuple):
    """d**exponent / log(1/d)**depth; the smaller power is the larger function near d = 0."""

    exponent: Fraction | float  # infinite for what is smaller, or larger, than every power
    depth: Fraction = Fraction(0)

    def times(self, other: Power) -> Power:
        """The product."""
        return Power(self.exponent + other.exponent, self.depth + other.depth)

    def over(self, other: Power) -> Power:
        """The quotient."""
        return Power(self.exponent - other.exponent, self.depth - other.depth)

    def to(self, p: Fraction | int) -> Power:
        """This to the power p."""
        return Power(self.exponent * p, self.depth * p)


ONE = Power(Fraction(0))
# log(1/d), which grows.
LOG = Power(Fraction(0), Fraction(-1))
# Smaller than every power: e**(-1/d).
FLAT = Power(inf)
STEEP = Power(-inf)


def least(*orders: Power | None) -> Power | None:
    """The smallest order, None (nothing left out) being the largest."""
    known = [order for order in orders if order is not None]
    return min(known) if known else None
