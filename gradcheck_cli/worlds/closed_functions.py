"""Functions of closed forms: powers, exponentials, logarithms, angles whose sines are known.

Where nothing is known of a value it is an atom of its own, the same for the same arguments. A
function whose name ends in `_of` is the method of a ball with that name before it.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from typing import Any

from gradcheck_cli.worlds.closed_forms import (
    Atom,
    ClosedForm,
    as_form,
    atom,
    form_of,
    one,
    place,
    rational_form,
)
from gradcheck_cli.worlds.factors import factors

# Exponents beyond this are left as they stand.
_LARGEST_EXPONENT = 256


def pi() -> ClosedForm:
    """The number pi."""
    return form_of(atom("pi", positive=True))


def unknown(name: str, *args: ClosedForm, positive: bool = False) -> ClosedForm:
    """The value of a function of which nothing is known but its name."""
    return form_of(atom(name, *args, positive=positive))


def power(x: Any, y: Any, is_positive: bool) -> ClosedForm | None:
    """x**y of exact numbers; None where it is none of their functions."""
    base, exponent = as_form(x), as_form(y)
    p = exponent.rational
    if p is not None and int(p.q) == 1 and not base.is_zero:
        return base ** int(p)
    if not is_positive:
        return None
    if p is None:
        return exp_of(exponent * log_of(base))
    return root(base, Fraction(int(p.p), int(p.q)))


def root(x: ClosedForm, p: Fraction) -> ClosedForm:
    """x**p, for x > 0."""
    if p.denominator == 1:
        return x ** int(p)
    plain = _denested(x) if p.denominator == 2 and x.below is None else None
    if plain is not None:
        return plain ** int(2 * p)
    if abs(p) > _LARGEST_EXPONENT:
        return unknown("pow", x, rational_form(p), positive=True)
    if x.below is not None:
        return root(ClosedForm(x.above), p) / root(ClosedForm(x.below), p)
    if x.term is not None and x.term[1] > 0 and all(a.positive for a, _ in x.term[0]):
        total = _rational_power(x.term[1], p)
        for a, k in x.term[0]:
            total = total * _atom_power(a, k * p)
        return total
    c, y = x.content
    base = atom("root", y, positive=True, whole=y)
    return _rational_power(c, p) * _atom_power(base, p)


def _denested(x: ClosedForm) -> ClosedForm | None:
    """The square root of a + b with b**2 rational, as a sum of two roots, if it is one:
    sqrt(3 + sqrt(8)) is 1 + sqrt(2).
    """
    if len(x.above) != 2 or () not in x.above:
        return None
    a = ClosedForm({(): x.above[()]})
    b = x - a
    square = (a * a - b * b).rational
    if (b * b).rational is None or square is None or not square >= 0:
        return None
    d = sqrt_of(rational_form(square))
    if d.rational is None or not a.above[()] > 0:
        return None
    half, (c,) = rational_form(Fraction(1, 2)), b.above.values()
    return sqrt_of((a + d) * half) + sqrt_of((a - d) * half) * rational_form(1 if c > 0 else -1)


def _rational_power(c: Any, p: Fraction) -> ClosedForm:
    """c**p for a rational c > 0."""
    total = one()
    for n, sign in ((int(c.p), 1), (int(c.q), -1)):
        for prime, k in factors(n):
            total = total * _atom_power(_prime(prime), sign * k * p)
    return total


def _atom_power(a: Atom, p: Fraction | int) -> ClosedForm:
    if a.whole is None or a.degree > 1:
        return form_of(a, int(p) if p.denominator == 1 else p) if p else one()
    whole, part = divmod(Fraction(p), 1)
    total = a.whole ** int(whole)
    return total * form_of(a, part) if part else total


@lru_cache(maxsize=4096)
def _prime(p: int) -> Atom:
    logarithm = atom("log", rational_form(p), positive=True, exponential=rational_form(p))
    whole = rational_form(p)
    return atom("root", whole, positive=True, whole=whole, logarithm=form_of(logarithm))


def exp_of(x: ClosedForm) -> ClosedForm:
    """e**x: a product over the terms of x."""
    if x.below is not None:
        return unknown("exp", x, positive=True)
    total = one()
    for monomial, c in x.above.items():
        unit, exponent = ClosedForm({monomial: one().above[()]}), Fraction(int(c.p), int(c.q))
        known = None
        if len(monomial) == 1 and monomial[0][1] == 1:
            known = monomial[0][0].exponential
        if known is not None and abs(exponent) <= _LARGEST_EXPONENT:
            total = total * root(known, exponent)
        else:
            base = atom("exp", unit, positive=True, logarithm=unit)
            total = total * _atom_power(base, exponent)
    return total


def log_of(x: ClosedForm) -> ClosedForm:
    """log(x) for x > 0."""
    if x.term is None or not x.term[1] > 0 or not all(a.positive for a, _ in x.term[0]):
        if x.below is not None:
            return unknown("log", x)
        c, y = x.content
        return _log_of_rational(c) + form_of(atom("log", y, exponential=y))
    total = _log_of_rational(x.term[1])
    for a, k in x.term[0]:
        if a.logarithm is not None:
            log = a.logarithm
        elif a.whole is not None and a.degree == 1:
            log = log_of(a.whole)
        else:
            log = form_of(atom("log", form_of(a), exponential=form_of(a)))
        total = total + log * rational_form(Fraction(k))
    return total


def _log_of_rational(c: Any) -> ClosedForm:
    total = ClosedForm({})
    for n, sign in ((int(c.p), 1), (int(c.q), -1)):
        for prime, k in factors(n):
            known = _prime(prime).logarithm
            assert known is not None, "it is made with one"
            total = total + known * rational_form(sign * k)
    return total


def sqrt_of(x: ClosedForm) -> ClosedForm:
    """The square root of x >= 0."""
    return x if x.is_zero else root(x, Fraction(1, 2))


def expm1_of(x: ClosedForm) -> ClosedForm:
    """e**x - 1."""
    return exp_of(x) - one()


def log1p_of(x: ClosedForm) -> ClosedForm:
    """log(1 + x)."""
    return log_of(one() + x)


def sinh_of(x: ClosedForm) -> ClosedForm:
    """sinh(x)."""
    return (exp_of(x) - exp_of(-x)) * rational_form(Fraction(1, 2))


def cosh_of(x: ClosedForm) -> ClosedForm:
    """cosh(x)."""
    return (exp_of(x) + exp_of(-x)) * rational_form(Fraction(1, 2))


def tanh_of(x: ClosedForm) -> ClosedForm:
    """tanh(x)."""
    return sinh_of(x) / cosh_of(x)


def erf_of(x: ClosedForm) -> ClosedForm:
    """erf(x)."""
    sign, x = oriented(x)
    return x if x.is_zero else unknown("erf", x) * rational_form(sign)


def erfc_of(x: ClosedForm) -> ClosedForm:
    """1 - erf(x)."""
    return one() - erf_of(x)


def asinh_of(x: ClosedForm) -> ClosedForm:
    """asinh(x)."""
    sign, x = oriented(x)
    return log_of(x + sqrt_of(x * x + one())) * rational_form(sign)


def acosh_of(x: ClosedForm) -> ClosedForm:
    """acosh(x)."""
    return log_of(x + sqrt_of(x * x - one()))


def atanh_of(x: ClosedForm) -> ClosedForm:
    """atanh(x)."""
    return (log_of(one() + x) - log_of(one() - x)) * rational_form(Fraction(1, 2))


def oriented(x: ClosedForm) -> tuple[int, ClosedForm]:
    """A sign and the form times it, the same form for x and for -x."""
    if x.is_zero or x.above[min(x.above, key=place)] > 0:
        return 1, x
    return -1, -x
