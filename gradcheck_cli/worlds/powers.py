"""Powers of the distance d > 0 from a point, with logarithms: d**exponent / log(1/d)**depth."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from fractions import Fraction
from math import inf
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator

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


# Terms of a binomial or Taylor expansion.
_TERMS: ContextVar[int] = ContextVar("terms", default=5)


def terms_in_force() -> int:
    """How many terms expansions have: the remainder is of the next order in the distance."""
    return _TERMS.get()


@contextmanager
def expanded(terms: int) -> Iterator[None]:
    """While expansions have so many terms."""
    before = _TERMS.set(terms)
    try:
        yield
    finally:
        _TERMS.reset(before)


def least(*orders: Power | None) -> Power | None:
    """The smallest order, None (nothing left out) being the largest."""
    known = [order for order in orders if order is not None]
    return min(known) if known else None
