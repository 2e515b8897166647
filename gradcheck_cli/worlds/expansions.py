"""Expansions of series: derivatives, integrals, Taylor's sums, exponentials and logarithms."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from math import floor, perm
from typing import TYPE_CHECKING, Any

from gradcheck_cli.worlds.powers import FLAT, LOG, ONE, Power, plain_exponent
from gradcheck_cli.worlds.reals import Real
from gradcheck_cli.worlds.series import (
    OutsideDomain,
    Puiseux,
    Terms,
    UndecidedSign,
    constant_series,
    from_terms,
    monic_of,
    series_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

# d to an irrational power is known by a bound of the exponent, in these parts.
_PARTS = 64


def derivative_of(x: Puiseux) -> Puiseux:
    """The derivative by d, term by term; that of the remainder is a remainder, since it is a series
    too.
    """
    terms: dict[Power, Real] = {}
    for (e, j), c in x.terms:
        for power, k in ((Power(e - 1, j), e), (Power(e - 1, j + 1), j)):
            terms[power] = terms.get(power, Real(0)) + c * Real(Fraction(k))
    order = None if x.order is None else Power(x.order.exponent - 1, x.order.depth)
    slope = replace(from_terms(terms, order), growth=x.growth)
    return slope + x * derivative_of(Puiseux(x.growth)) if x.growth else slope


def integral_of(x: Puiseux) -> Puiseux:
    """The integral from 0 to d, term by term.

    Raises:
        UndecidedSign: it is not finite, or not known to be.
    """
    if x.growth:
        if x.grows:
            raise UndecidedSign("an integral grows without bound")
        return Puiseux(order=FLAT)
    order = None if x.order is None else Power(x.order.exponent + 1, x.order.depth)
    powers = [p for p, _ in x.terms]
    if any(p.exponent <= -1 for p in powers) or (order is not None and order.exponent <= 0):
        raise UndecidedSign("an integral grows without bound")
    total = Puiseux(order=order)
    for power, c in x.terms:
        total = total + _integral(power) * constant_series(c)
    return total


def _integral(power: Power) -> Puiseux:
    """Of d**e log(1/d)**k, by parts: a sum for a whole k >= 0, else its size."""
    e, k = Fraction(power.exponent) + 1, -power.depth
    if k.denominator != 1 or k < 0:
        return Puiseux(order=Power(e, -k))
    terms = {Power(e, i - k): Real(perm(int(k), i) / e ** (i + 1)) for i in range(int(k) + 1)}
    return from_terms(terms, None)


def taylor(coefficients: Iterable[Any], x: Puiseux, order: Power | None) -> Puiseux:
    """`sum(c_k * x**k) + O(order)` for a series x that vanishes at the point.

    Args:
        coefficients: numbers c_0, c_1, ...
    """
    total, product = Puiseux(), series_of(1)
    for k, c in enumerate(coefficients):
        product = product * x if k else product
        total = total + product * constant_series(c)
    return total.cut(order)


def parted(x: Puiseux) -> tuple[Terms, Puiseux]:
    """The terms that grow without bound, and the rest, which is bounded.

    Raises:
        UndecidedSign: what is left out may grow as well.
    """
    if x.growth and not x.grows:
        return (), x
    if x.growth or (x.order is not None and x.order <= ONE):
        raise UndecidedSign("it is not known how a number grows")
    large = tuple((p, c) for p, c in x.terms if p < ONE)
    return large, Puiseux(tuple((p, c) for p, c in x.terms if p >= ONE), x.order)


def exp_of_terms(large: Terms) -> Puiseux:
    """e to terms that grow without bound: a power of d where it is log(d) alone that grows."""
    exponent = -dict(large).get(LOG, Real(0))
    faster = tuple((p, c) for p, c in large if p != LOG)
    one = constant_series(1)
    if exponent.fraction is not None:
        return Puiseux(((Power(plain_exponent(exponent.fraction)), Real(1)),), None, faster)
    if faster:
        return Puiseux(one.terms, None, large)
    bound = Fraction(floor(float(exponent.ball.lower()) * _PARTS) - 1, _PARTS)
    return Puiseux(order=Power(bound))


def log_of_scale(x: Puiseux) -> tuple[Puiseux, Real, Puiseux]:
    """(log of the factors that vanish or grow, c, y): x is these factors times c y, with c > 0 and
    y one plus what vanishes.

    Raises:
        UndecidedSign: the sign is not known, or it is the log of a log.
        OutsideDomain: x is not positive.
    """
    if x.sign() <= 0:
        raise OutsideDomain("the logarithm of a number that is not positive")
    scale, monic = monic_of(x)
    if scale.power.depth:
        raise UndecidedSign("the logarithm of a logarithm")
    logarithm = from_terms({LOG: -Real(Fraction(scale.power.exponent))}, None)
    return Puiseux(scale.growth) + logarithm, scale.c, monic
