"""Puiseux series: a function just beside a point, as a finite sum of powers of the distance d > 0
with balls as coefficients.

A series is a sum of c d**e with rational exponents e, plus an unknown remainder O(d**order); so the
square root of d**2 is d, of d is d**(1/2), and a kink, a jump and a vertical tangent are read off
the exponents.

Source: Walker, Algebraic Curves (1950), chapter IV (fractional power series); Johansson, Arb (2017)
for the coefficients.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from gradcheck_cli.worlds import balls

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# Terms are kept up to this power above the leading one: enough for tanh(abs(x))*sign(x),
# sqrt(x**4), x*abs(x)/sin(x).
SPAN = 4
# Terms of a binomial or Taylor expansion; the remainder is of this order in the distance.
TERMS = 5


class UndecidedSign(Exception):
    """A sign or an expansion could not be settled."""


class OutsideDomain(Exception):
    """The function has no values on this side."""


@dataclass(frozen=True)
class Puiseux:
    """`sum(c * d**e for e, c in terms) + O(d**order)`; no order means nothing is left out.

    `terms` are in ascending exponents; no coefficient is exactly zero. Integers may stand beside a
    series in sums and products.
    """

    terms: tuple[tuple[Fraction, Any], ...]
    order: Fraction | None = None

    def sign(self) -> int:
        """Sign just beside the point; 0 only for the zero function.

        Raises:
            UndecidedSign: the leading coefficient is not proved to differ from zero, or is not
                known.
        """
        if not self.terms:
            if self.order is None:
                return 0
            raise UndecidedSign("every known term vanishes")
        lead = self.terms[0][1]
        if lead > 0:
            return 1
        if lead < 0:
            return -1
        raise UndecidedSign("the sign of the leading term is not decided")

    def at(self, exponent: Fraction | int) -> Any:
        """Coefficient of d**exponent.

        Raises:
            UndecidedSign: it lies in the remainder.
        """
        from flint import arb

        if self.order is not None and exponent >= self.order:
            raise UndecidedSign(f"terms of order {exponent} are not known")
        return next((c for e, c in self.terms if e == exponent), arb(0))

    @property
    def lead(self) -> Fraction | None:
        """The smallest exponent that may occur; None of the zero function."""
        return self.terms[0][0] if self.terms else self.order

    @property
    def constant(self) -> Any | None:
        """The ball of a series that does not change, else None."""
        from flint import arb

        if self.order is not None or len(self.terms) > 1:
            return None
        if not self.terms:
            return arb(0)
        ((exponent, ball),) = self.terms
        return None if exponent else ball

    @property
    def exact(self) -> Fraction | None:
        """The number that a series stays at, if that is known exactly."""
        ball = self.constant
        if ball is None or not (ball.is_exact() and ball.is_finite()):
            return None
        return balls.midpoint(ball)

    @property
    def moving(self) -> Puiseux:
        """The series less its limit."""
        return Puiseux(tuple((e, c) for e, c in self.terms if e != 0), self.order)

    def __add__(self, other: Puiseux | int) -> Puiseux:
        other = _series(other)
        terms = dict(self.terms)
        for e, c in other.terms:
            terms[e] = terms[e] + c if e in terms else c
        return from_terms(terms, least(self.order, other.order))

    def __neg__(self) -> Puiseux:
        return Puiseux(tuple((e, -c) for e, c in self.terms), self.order)

    def __sub__(self, other: Puiseux | int) -> Puiseux:
        return self + -_series(other)

    def __mul__(self, other: Puiseux | int) -> Puiseux:
        other = _series(other)
        if not (self.terms and other.terms):
            _require_finite(self, other)
        terms: dict[Fraction, Any] = {}
        for e, c in self.terms:
            for f, k in other.terms:
                terms[e + f] = terms[e + f] + c * k if e + f in terms else c * k
        return from_terms(terms, least(_rest(self, other), _rest(other, self)))

    __radd__, __rmul__ = __add__, __mul__

    def __truediv__(self, other: Puiseux | int) -> Puiseux:
        """The quotient; the quotient of two exact constants stays exact where it can.

        Raises:
            UndecidedSign: the leading coefficient of `other` is not proved to differ from zero.
            OutsideDomain: `other` is zero.
        """
        e, c, monic = _monic(_series(other))
        return _scaled(self, c, e) * monic ** Fraction(-1)

    def __pow__(self, p: Fraction) -> Puiseux:
        """x**p by the binomial series around the leading term, up to `TERMS` powers of the rest.

        Raises:
            UndecidedSign: the leading coefficient is not proved to differ from zero.
            OutsideDomain: a negative power of zero, or a fractional one of a negative number.
        """
        if self.lead is None and p > 0:
            return self
        if p.denominator != 1 and self.sign() < 0:
            raise OutsideDomain("a fractional power of a negative number")
        e, c, monic = _monic(self)
        scale = c ** int(p) if p.denominator == 1 else c ** balls.exact_ball(p)
        rest = monic.moving
        whole = p.denominator == 1 and 0 <= p <= TERMS
        total = product = _series(1)
        factor = Fraction(1)
        for k in range(1, (int(p) if whole else TERMS) + 1):
            factor = factor * (p - k + 1) / k
            product = product * rest
            total = total + product * constant_series(balls.exact_ball(factor))
        if rest.terms and not whole:
            total = total.cut((TERMS + 1) * rest.terms[0][0])
        return total * Puiseux(((e * p, scale),))

    def cut(self, order: Fraction | None) -> Puiseux:
        """The series with its remainder O(d**order), if that is the larger one."""
        return from_terms(dict(self.terms), least(self.order, order))

    def derivative(self) -> Puiseux:
        """The derivative by d, term by term; that of the remainder is a remainder, since it is a
        series too.
        """
        order = None if self.order is None else self.order - 1
        return Puiseux(
            tuple((e - 1, c * balls.exact_ball(e)) for e, c in self.terms if e != 0), order
        )

    def integral(self) -> Puiseux:
        """The integral from 0 to d, term by term.

        Raises:
            UndecidedSign: it is not finite, or not known to be.
        """
        if any(e <= -1 for e, _ in self.terms) or (self.order is not None and self.order <= -1):
            raise UndecidedSign("an integral grows without bound")
        order = None if self.order is None else self.order + 1
        return Puiseux(tuple((e + 1, c / balls.exact_ball(e + 1)) for e, c in self.terms), order)


def constant_series(ball: Any) -> Puiseux:
    """A series that does not change."""
    return Puiseux(() if ball.is_zero() else ((Fraction(0), ball),))


def _series(value: Puiseux | int) -> Puiseux:
    if isinstance(value, Puiseux):
        return value
    from flint import arb

    return constant_series(arb(value))


def from_terms(terms: Mapping[Fraction, Any], order: Fraction | None) -> Puiseux:
    """A series from collected terms: zeros dropped, cut `SPAN` above the leading exponent."""
    kept = sorted(
        (e, c) for e, c in terms.items() if not c.is_zero() and (order is None or e < order)
    )
    if kept and kept[-1][0] >= kept[0][0] + SPAN:
        cut = kept[0][0] + SPAN
        order = cut if order is None else min(cut, order)
        kept = [(e, c) for e, c in kept if e < cut]
    return Puiseux(tuple(kept), order)


def least(*orders: Fraction | None) -> Fraction | None:
    """The smallest order, None (nothing left out) being the largest."""
    known = [order for order in orders if order is not None]
    return min(known) if known else None


def _rest(x: Puiseux, y: Puiseux) -> Fraction | None:
    """Order of the remainder of x times y; x zero leaves none."""
    return None if x.order is None or y.lead is None else x.order + y.lead


def _require_finite(*factors: Puiseux) -> None:
    """Nothing, if zero may be multiplied by them.

    Raises:
        UndecidedSign: a coefficient is an infinity, which came with the point or the program.
    """
    if not all(c.is_finite() for x in factors for _, c in x.terms):
        raise UndecidedSign("zero times an infinity")


def _monic(x: Puiseux) -> tuple[Fraction, Any, Puiseux]:
    """(e, c, y) with x = c d**e y, and y one plus higher powers.

    Raises:
        UndecidedSign: the leading coefficient is not proved to differ from zero.
        OutsideDomain: x is zero.
    """
    from flint import arb

    if x.sign() == 0:
        raise OutsideDomain("a power of zero")
    e, c = x.terms[0]
    rest = _scaled(Puiseux(x.terms[1:], x.order), c, e)
    return e, c, Puiseux(((Fraction(0), arb(1)), *rest.terms), rest.order)


def _scaled(x: Puiseux, c: Any, e: Fraction) -> Puiseux:
    """x / (c d**e)."""
    order = None if x.order is None else x.order - e
    return Puiseux(tuple((f - e, k / c) for f, k in x.terms), order)


def taylor(coefficients: Iterable[Any], x: Puiseux, order: Fraction | None) -> Puiseux:
    """`sum(c_k * x**k) + O(d**order)` for a series x that vanishes at the point.

    Args:
        coefficients: balls c_0, c_1, ...
    """
    total, product = Puiseux(()), _series(1)
    for k, c in enumerate(coefficients):
        product = product * x if k else product
        total = total + product * constant_series(c)
    return total.cut(order)


def compare_series(x: Puiseux, y: Puiseux) -> int:
    """Sign of x - y; a series is equal to itself also where its coefficients are known only as
    balls.

    Raises:
        UndecidedSign: as `Puiseux.sign`.
    """
    return 0 if x is y else (x - y).sign()
