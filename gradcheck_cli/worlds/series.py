"""Germs: a function just beside a point, as a finite series in the distance d > 0 with balls as
coefficients.

A germ is a sum of c d**e with rational exponents e, plus an unknown remainder O(d**order); so the
square root of d**2 is d, of d is d**(1/2), and a kink, a jump and a vertical tangent are read off
the exponents.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from gradcheck_cli.worlds import balls

if TYPE_CHECKING:
    from collections.abc import Mapping

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
class Germ:
    """`sum(c * d**e for e, c in terms) + O(d**order)`; no order means nothing is left out.

    `terms` are in ascending exponents; no coefficient is exactly zero.
    """

    terms: tuple[tuple[Fraction, Any], ...]
    order: Fraction | None = None

    def sign(self) -> int:
        """Sign just beside the point; 0 only for the zero function.

        Raises:
            Undecided: the leading coefficient is not proved to differ from zero, or is not known.
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
            Undecided: it lies in the remainder.
        """
        from flint import arb

        if self.order is not None and exponent >= self.order:
            raise UndecidedSign(f"terms of order {exponent} are not known")
        return next((c for e, c in self.terms if e == exponent), arb(0))


def constant_series(ball: Any) -> Germ:
    """A germ that does not change."""
    return Germ(() if ball.is_zero() else ((Fraction(0), ball),))


def from_terms(terms: Mapping[Fraction, Any], order: Fraction | None) -> Germ:
    """A germ from collected terms: zeros dropped, cut `SPAN` above the leading exponent."""
    kept = sorted(
        (e, c) for e, c in terms.items() if not c.is_zero() and (order is None or e < order)
    )
    if kept and kept[-1][0] >= kept[0][0] + SPAN:
        cut = kept[0][0] + SPAN
        order = cut if order is None else min(cut, order)
        kept = [(e, c) for e, c in kept if e < cut]
    return Germ(tuple(kept), order)


def least(*orders: Fraction | None) -> Fraction | None:
    """The smallest order, None (nothing left out) being the largest."""
    known = [order for order in orders if order is not None]
    return min(known) if known else None


def add(x: Germ, y: Germ) -> Germ:
    """x + y."""
    terms = dict(x.terms)
    for e, c in y.terms:
        terms[e] = terms[e] + c if e in terms else c
    return from_terms(terms, least(x.order, y.order))


def neg(x: Germ) -> Germ:
    """-x."""
    return Germ(tuple((e, -c) for e, c in x.terms), x.order)


def sub(x: Germ, y: Germ) -> Germ:
    """x - y."""
    return add(x, neg(y))


def mul(x: Germ, y: Germ) -> Germ:
    """x times y."""
    terms: dict[Fraction, Any] = {}
    for e, c in x.terms:
        for f, k in y.terms:
            terms[e + f] = terms[e + f] + c * k if e + f in terms else c * k
    return from_terms(terms, least(_rest(x, y), _rest(y, x)))


def _rest(x: Germ, y: Germ) -> Fraction | None:
    """Order of the remainder of x times y; x zero leaves none."""
    if x.order is None or (not y.terms and y.order is None):
        return None
    lead = y.terms[0][0] if y.terms else y.order
    assert lead is not None
    return x.order + lead


def power(x: Germ, p: Fraction) -> Germ:
    """x**p by the binomial series around the leading term."""
    from flint import arb

    if not x.terms and x.order is None:
        if p > 0:
            return x
        raise OutsideDomain("a power of zero")
    if p.denominator != 1 and x.sign() < 0:
        raise OutsideDomain("a fractional power of a negative number")
    x.sign()
    lead, c = x.terms[0]
    scale = c ** int(p) if p.denominator == 1 else c ** balls.exact_ball(p)
    rest = mul(from_terms({e: k / c for e, k in x.terms[1:]}, x.order), Germ(((-lead, arb(1)),)))
    total, factor, product = (
        Germ(((Fraction(0), arb(1)),)),
        Fraction(1),
        Germ(((Fraction(0), arb(1)),)),
    )
    exact = p.denominator == 1 and p >= 0
    count = min(int(p), TERMS) if exact else TERMS
    for k in range(1, count + 1):
        factor = factor * (p - k + 1) / k
        product = mul(product, rest)
        total = add(total, mul(product, constant_series(balls.exact_ball(factor))))
    if rest.terms and not (exact and int(p) <= TERMS):
        total = Germ(total.terms, least(total.order, (count + 1) * rest.terms[0][0]))
        total = from_terms(dict(total.terms), total.order)
    return mul(total, Germ(((lead * p, scale),)))


def unchanging(x: Germ) -> Any | None:
    """The ball of a germ that does not change, else None."""
    from flint import arb

    if x.order is not None or any(e != 0 for e, _ in x.terms):
        return None
    return x.terms[0][1] if x.terms else arb(0)


def div(x: Germ, y: Germ) -> Germ:
    """x / y."""
    return mul(x, power(y, Fraction(-1)))


def compare_series(x: Germ, y: Germ) -> int:
    """Sign of x - y; a germ is equal to itself also where its coefficients are known only as balls."""
    return 0 if x is y else sub(x, y).sign()


def moving(x: Germ) -> Germ:
    """x less its limit."""
    return Germ(tuple((e, c) for e, c in x.terms if e != 0), x.order)
