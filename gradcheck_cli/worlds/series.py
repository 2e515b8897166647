"""Series beside a point: a function of the distance d > 0, as a finite sum of powers of d and of
log(1/d), with real numbers as coefficients.

The exponents are rational, so the square root of d**2 is d, of d is d**(1/2), and a kink, a jump
and a vertical tangent are read off the exponents. A whole series may stand under a factor e**g with
g growing without bound, as e**(-1/d), which is smaller than every power.

Source: Walker, Algebraic Curves (1950), chapter IV (fractional power series); van der Hoeven,
Transseries and Real Differential Algebra (2006), for logarithms and exponentials; Johansson, Arb
(2017) for the coefficients.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any, TypeAlias

from gradcheck_cli.worlds.powers import FLAT, LOG, ONE, STEEP, Power, least, terms_in_force
from gradcheck_cli.worlds.reals import Real, real

if TYPE_CHECKING:
    from collections.abc import Mapping

Terms: TypeAlias = "tuple[tuple[Power, Real], ...]"

# A finite sum is kept whole up to so many terms.
_FINITE = 12


class UndecidedSign(Exception):
    """A sign or an expansion could not be settled."""


class OutsideDomain(Exception):
    """The function has no values on this side."""


@dataclass(frozen=True)
class Puiseux:
    """`(sum(c * power for power, c in terms) + O(order)) * e**growth`; no order means nothing is
    left out. Integers may stand beside a series in sums and products.

    Attributes:
        terms: the largest first; no coefficient is exactly zero.
        growth: terms that grow without bound, faster than log(1/d); mostly there are none.
    """

    terms: Terms = ()
    order: Power | None = None
    growth: Terms = ()

    def __post_init__(self) -> None:
        if self.growth and not self.terms and self.order is None:
            object.__setattr__(self, "growth", ())

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
        lead = self.terms[0][1].ball
        if lead > 0:
            return 1
        if lead < 0:
            return -1
        raise UndecidedSign("the sign of the leading term is not decided")

    def at(self, exponent: Fraction | int) -> Real:
        """Coefficient of d**exponent.

        Raises:
            UndecidedSign: it lies in the remainder, or there is none.
        """
        power = Power(exponent)
        if self.growth:
            if self.grows:
                raise UndecidedSign("it grows without bound")
            return Real(0)
        if self.order is not None and power >= self.order:
            raise UndecidedSign(f"terms of order {exponent} are not known")
        return dict(self.terms).get(power, Real(0))

    @property
    def grows(self) -> bool:
        """Whether the factor e**growth is there and grows, rather than vanish.

        Raises:
            UndecidedSign: as `sign`.
        """
        return Puiseux(self.growth).sign() > 0

    @property
    def lead(self) -> Power | None:
        """The smallest power that may occur; None of the zero function."""
        if self.growth:
            return STEEP if self.grows else FLAT
        return self.terms[0][0] if self.terms else self.order

    @property
    def infinity(self) -> int:
        """1 or -1 where it grows without bound, else 0.

        Raises:
            UndecidedSign: as `sign`.
        """
        return 0 if self.lead is None or self.lead >= ONE else self.sign()

    @property
    def constant(self) -> Real | None:
        """The value of a series that does not change, else None."""
        if self.order is not None or len(self.terms) > 1 or self.growth:
            return None
        if not self.terms:
            return Real(0)
        ((power, c),) = self.terms
        return c if power == ONE else None

    @property
    def exact(self) -> Fraction | None:
        """The rational number that a series stays at, if that is known."""
        value = self.constant
        return None if value is None else value.fraction

    @property
    def moving(self) -> Puiseux:
        """The series less its limit."""
        return replace(self, terms=tuple((p, c) for p, c in self.terms if self.growth or p != ONE))

    def __add__(self, other: Puiseux | int) -> Puiseux:
        other = series_of(other)
        if self.growth or other.growth:
            return _sum_of_growing(self, other)
        terms = dict(self.terms)
        for p, c in other.terms:
            terms[p] = terms[p] + c if p in terms else c
        return from_terms(terms, least(self.order, other.order))

    def __neg__(self) -> Puiseux:
        return replace(self, terms=tuple((p, -c) for p, c in self.terms))

    def __sub__(self, other: Puiseux | int) -> Puiseux:
        return self + -series_of(other)

    def __mul__(self, other: Puiseux | int) -> Puiseux:
        other = series_of(other)
        terms: dict[Power, Real] = {}
        for e, c in self.terms:
            for f, k in other.terms:
                p = e.times(f)
                terms[p] = terms[p] + c * k if p in terms else c * k
        total = from_terms(terms, least(_rest(self, other), _rest(other, self)))
        if not self.growth and not other.growth:
            return total
        return replace(total, growth=(Puiseux(self.growth) + Puiseux(other.growth)).terms)

    __radd__, __rmul__ = __add__, __mul__

    def __rsub__(self, other: int) -> Puiseux:
        return series_of(other) - self

    def __rtruediv__(self, other: int) -> Puiseux:
        return series_of(other) / self

    def __truediv__(self, other: Puiseux | int) -> Puiseux:
        """The quotient.

        Raises:
            UndecidedSign: the leading coefficient of `other` is not proved to differ from zero.
            OutsideDomain: `other` is zero.
        """
        scale, monic = monic_of(series_of(other))
        return _scaled(self, scale) * monic ** Fraction(-1)

    def __pow__(self, p: Fraction) -> Puiseux:
        """x**p by the binomial series around the leading term.

        Raises:
            UndecidedSign: the leading coefficient is not proved to differ from zero.
            OutsideDomain: a negative power of zero, or a fractional one of a negative number.
        """
        if self.lead is None and p > 0:
            return self
        if p.denominator != 1 and self.sign() < 0:
            raise OutsideDomain("a fractional power of a negative number")
        scale, monic = monic_of(self)
        rest = monic.moving
        most = terms_in_force()
        whole = p.denominator == 1 and 0 <= p <= most
        total = product = series_of(1)
        factor = Fraction(1)
        for k in range(1, (int(p) if whole else most) + 1):
            factor = factor * (p - k + 1) / k
            product = product * rest
            total = total + product * constant_series(factor)
        if rest.terms and not whole:
            total = total.cut(rest.terms[0][0].to(most + 1))
        return total * scale.to(p)

    def cut(self, order: Power | None) -> Puiseux:
        """The series with its remainder O(order), if that is the larger one."""
        return replace(from_terms(dict(self.terms), least(self.order, order)), growth=self.growth)


@dataclass(frozen=True)
class Scale:
    """c e**growth power: what a series is like near d = 0."""

    c: Real
    power: Power
    growth: Terms

    def to(self, p: Fraction) -> Puiseux:
        """This to the power p."""
        growth = tuple((e, k * Real(p)) for e, k in self.growth)
        return Puiseux(((self.power.to(p), self.c**p),), None, growth)


def constant_series(value: Any) -> Puiseux:
    """A series that does not change."""
    value = real(value)
    return Puiseux() if value.is_zero() else Puiseux(((ONE, value),))


def series_of(value: Puiseux | int) -> Puiseux:
    """A number as a series."""
    return value if isinstance(value, Puiseux) else constant_series(value)


def from_terms(terms: Mapping[Power, Real], order: Power | None) -> Puiseux:
    """A series from collected terms: zeros dropped, and what is far above the leading exponent,
    where a remainder or many terms make it long.
    """
    kept = sorted(
        ((p, c) for p, c in terms.items() if (order is None or p < order) and not c.is_zero()),
        key=lambda term: term[0],
    )
    if kept and (order is not None or len(kept) > _FINITE):
        cut = kept[0][0].exponent + terms_in_force() - 1
        far = next((k for k, (p, _) in enumerate(kept) if p.exponent >= cut), len(kept))
        if far < len(kept):
            order, kept = least(order, kept[far][0]), kept[:far]
    return Puiseux(tuple(kept), order)


def _rest(x: Puiseux, y: Puiseux) -> Power | None:
    """Order of the remainder of x times y, growth apart; y zero leaves none."""
    if not x.terms and not all(c.ball.is_finite() for _, c in y.terms):
        raise UndecidedSign("zero times an infinity")
    lead = y.terms[0][0] if y.terms else y.order
    return None if x.order is None or lead is None else x.order.times(lead)


def _sum_of_growing(x: Puiseux, y: Puiseux) -> Puiseux:
    """The sum where a factor e**growth stands before one: of two that differ, the smaller is below
    every power of the larger.

    Raises:
        UndecidedSign: which is the larger is not decided.
    """
    if x.lead is None or y.lead is None:
        return y if x.lead is None else x
    difference = Puiseux(x.growth) - Puiseux(y.growth)
    sign = difference.sign()
    if sign == 0:
        total = Puiseux(x.terms, x.order) + Puiseux(y.terms, y.order)
        return replace(total, growth=x.growth)
    if difference.terms[0][0] >= LOG:
        raise UndecidedSign("two exponentials that grow nearly alike")
    larger = x if sign > 0 else y
    return replace(larger, order=least(larger.order, FLAT))


def monic_of(x: Puiseux) -> tuple[Scale, Puiseux]:
    """(c e**g power, y) with x their product, and y one plus higher powers.

    Raises:
        UndecidedSign: the leading coefficient is not proved to differ from zero.
        OutsideDomain: x is zero.
    """
    if x.sign() == 0:
        raise OutsideDomain("a power of zero")
    power, c = x.terms[0]
    scale = Scale(c, power, x.growth)
    rest = _scaled(replace(x, terms=x.terms[1:]), scale)
    return scale, Puiseux(((ONE, Real(1)), *rest.terms), rest.order)


def _scaled(x: Puiseux, scale: Scale) -> Puiseux:
    """x divided by a scale."""
    order = None if x.order is None else x.order.over(scale.power)
    terms = tuple((p.over(scale.power), k / scale.c) for p, k in x.terms)
    return Puiseux(terms, order, (Puiseux(x.growth) - Puiseux(scale.growth)).terms)
