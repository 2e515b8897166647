"""Values of the world of fields, and the errors that stand for values it has none for."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any, TypeAlias

from gradcheck_cli.functions.arithmetic import Off
from gradcheck_cli.worlds.residues import Residues, Unlucky

if TYPE_CHECKING:
    from collections.abc import Callable

Factor: TypeAlias = "tuple[FieldValue, Fraction]"


class NoForm(Exception):
    """A value that this world has no form for; the text says of what."""


class Nameless:
    """What stands for a value that has no form: it may be left out by a branch, and what is made
    of it has none either.

    Attributes:
        is_luck: whether another random point may do.
        ball: its value at the given point.
    """

    def __init__(self, reason: str, *, is_luck: bool) -> None:
        self.reason, self.is_luck = reason, is_luck
        self.ball: Any = None

    @property
    def error(self) -> Exception:
        """The exception that it stands for."""
        return Unlucky(self.reason) if self.is_luck else NoForm(self.reason)

    def __bool__(self) -> bool:
        raise self.error

    def _with(self, other: Any) -> Any:
        return other if isinstance(other, Off) else self

    def _made(self, *_: Any) -> Nameless:
        return self

    __mul__ = __rmul__ = _with
    __add__ = __radd__ = __sub__ = __rsub__ = __truediv__ = __rtruediv__ = __neg__ = _made


class FieldValue:
    """A formal number at random points of a field.

    As a rational function with integer coefficients of what was drawn at random, it has a numerator
    and a denominator whose degree plus the logarithm of the sum of its absolute coefficients is at
    most `above` and `below`: so added, such bounds hold for products.

    Attributes:
        at: the residues.
        sign: of the real number at the given point; 0 where it is not known, None where nobody
            asked.
        factors: what it is a product of powers of, apart from its sign.
        log: the logarithm of its absolute value, once it is known.
        number: its value, where it is a plain number.
        free: whether its absolute value was drawn at random from what has roots of each degree.
        ball: its value at the given point, of a node of the program.
    """

    def __init__(
        self,
        at: Residues,
        above: int = 2,
        below: int = 0,
        *,
        sign: int | None = None,
        factors: tuple[Factor, ...] = (),
        number: Fraction | None = None,
        free: bool = False,
    ) -> None:
        self.at, self.above, self.below = at, above, below
        self.sign, self.factors, self.number, self.free = sign, factors, number, free
        self.log: FieldValue | None = None
        self.ball: Any = None

    def constant(self, value: Fraction | int) -> FieldValue:
        """A number, at the same points."""
        return plain_number(self.at.p, len(self.at.re), Fraction(value))

    def _and(self, other: Any, make: Callable[[FieldValue, FieldValue], FieldValue]) -> Any:
        if isinstance(other, int | Fraction):
            other = self.constant(other)
        return make(self, other) if isinstance(other, FieldValue) else NotImplemented

    def __neg__(self) -> FieldValue:
        one = (self, Fraction(1))
        sign = None if self.sign is None else -self.sign
        number = None if self.number is None else -self.number
        return FieldValue(
            -self.at, self.above, self.below, sign=sign, factors=(one,), number=number
        )

    def __add__(self, other: Any) -> Any:
        return self._and(other, _sum)

    __radd__ = __add__

    def __sub__(self, other: Any) -> Any:
        return self._and(other, lambda x, y: _sum(x, -y))

    def __rsub__(self, other: Any) -> Any:
        return self._and(other, lambda x, y: _sum(y, -x))

    def __mul__(self, other: Any) -> Any:
        return self._and(other, _product)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Any:
        return self._and(other, _quotient)

    def __rtruediv__(self, other: Any) -> Any:
        return self._and(other, lambda x, y: _quotient(y, x))

    def __pow__(self, n: int) -> FieldValue:
        above, below = (self.above, self.below) if n >= 0 else (self.below, self.above)
        sign = self.sign if n % 2 or self.sign is None else abs(self.sign)
        return FieldValue(
            self.at**n,
            above * abs(n),
            below * abs(n),
            sign=sign,
            factors=((self, Fraction(n)),),
        )


def plain_number(p: int, points: int, value: Fraction) -> FieldValue:
    """A number at some points.

    Raises:
        Unlucky: the prime divides its denominator.
    """
    above, below = abs(value.numerator).bit_length(), value.denominator.bit_length()
    if value.denominator % p == 0:
        raise Unlucky("a number with the prime in its denominator")
    residue = value.numerator * pow(value.denominator, -1, p) % p
    sign = (value > 0) - (value < 0)
    return FieldValue(Residues(p, [residue] * points), above, below, sign=sign, number=value)


def _sum(x: FieldValue, y: FieldValue) -> FieldValue:
    above = max(x.above + y.below, x.below + y.above) + 1
    return FieldValue(x.at + y.at, above, x.below + y.below)


def _product(x: FieldValue, y: FieldValue) -> FieldValue:
    sign = None if x.sign is None or y.sign is None else x.sign * y.sign
    factors = ((x, Fraction(1)), (y, Fraction(1)))
    return FieldValue(x.at * y.at, x.above + y.above, x.below + y.below, sign=sign, factors=factors)


def _quotient(x: FieldValue, y: FieldValue) -> FieldValue:
    sign = None if x.sign is None or y.sign is None else x.sign * y.sign
    factors = ((x, Fraction(1)), (y, Fraction(-1)))
    return FieldValue(x.at / y.at, x.above + y.below, x.below + y.above, sign=sign, factors=factors)
