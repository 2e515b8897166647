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
    return form_of(atom("circle", positive=True))


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
    if abs(p) > _LARGEST_EXPONENT:
        return unknown("power", x, rational_form(p), positive=True)
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
    logarithm = atom("log of", rational_form(p), positive=True, exponential=rational_form(p))
    whole = rational_form(p)
    return atom("root", whole, positive=True, whole=whole, logarithm=form_of(logarithm))


def exp_of(x: ClosedForm) -> ClosedForm:
    """e**x: a product over the terms of x."""
    if x.below is not None:
        return unknown("e to", x, positive=True)
    total = one()
    for monomial, c in x.above.items():
        unit, exponent = ClosedForm({monomial: one().above[()]}), Fraction(int(c.p), int(c.q))
        known = None
        if len(monomial) == 1 and monomial[0][1] == 1:
            known = monomial[0][0].exponential
        if known is not None and abs(exponent) <= _LARGEST_EXPONENT:
            total = total * root(known, exponent)
        else:
            base = atom("e to", unit, positive=True, logarithm=unit)
            total = total * _atom_power(base, exponent)
    return total


def log_of(x: ClosedForm) -> ClosedForm:
    """log(x) for x > 0."""
    if x.term is None or not x.term[1] > 0 or not all(a.positive for a, _ in x.term[0]):
        if x.below is not None:
            return unknown("log of", x)
        c, y = x.content
        return _log_of_rational(c) + form_of(atom("log of", y, exponential=y))
    total = _log_of_rational(x.term[1])
    for a, k in x.term[0]:
        if a.logarithm is not None:
            log = a.logarithm
        elif a.whole is not None and a.degree == 1:
            log = log_of(a.whole)
        else:
            log = form_of(atom("log of", form_of(a), exponential=form_of(a)))
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


def sin_of(x: ClosedForm) -> ClosedForm:
    """sin(x)."""
    turns = _turns(x)
    if turns is not None and (turns * 12).denominator == 1:
        step = int(turns * 12) % 24
        sign, step = (1, step) if step <= 12 else (-1, step - 12)
        known = _sines().get(min(step, 12 - step))
        if known is not None:
            return known if sign > 0 else -known
    sign, x = _oriented(x)
    return unknown("sine", x) * rational_form(sign)


def cos_of(x: ClosedForm) -> ClosedForm:
    """cos(x)."""
    turns = _turns(x)
    if turns is not None and (turns * 12).denominator == 1 and int(turns * 12) % 24 not in _UNKNOWN:
        return sin_of(x + pi() * rational_form(Fraction(1, 2)))
    _, x = _oriented(x)
    square = one() - unknown("sine", x) ** 2
    return form_of(atom("cosine", x, degree=2, whole=square))


def asin_of(x: ClosedForm) -> ClosedForm:
    """asin(x)."""
    sign, x = _oriented(x)
    for step, known in _sines().items():
        if (x - known).is_zero:
            return pi() * rational_form(Fraction(sign * step, 12))
    return unknown("arc sine", x) * rational_form(sign)


def atan_of(x: ClosedForm) -> ClosedForm:
    """atan(x)."""
    sign, x = _oriented(x)
    three = sqrt_of(rational_form(3))
    for step, known in {0: ClosedForm({}), 2: three.inverse(), 3: one(), 4: three}.items():
        if (x - known).is_zero:
            return pi() * rational_form(Fraction(sign * step, 12))
    return unknown("arc tangent", x) * rational_form(sign)


def sqrt_of(x: ClosedForm) -> ClosedForm:
    """The square root of x >= 0."""
    return x if x.is_zero else root(x, Fraction(1, 2))


def expm1_of(x: ClosedForm) -> ClosedForm:
    """e**x - 1."""
    return exp_of(x) - one()


def log1p_of(x: ClosedForm) -> ClosedForm:
    """log(1 + x)."""
    return log_of(one() + x)


def tan_of(x: ClosedForm) -> ClosedForm:
    """tan(x)."""
    return sin_of(x) / cos_of(x)


def sin_pi_of(x: ClosedForm) -> ClosedForm:
    """sin(pi x)."""
    return sin_of(pi() * x)


def cos_pi_of(x: ClosedForm) -> ClosedForm:
    """cos(pi x)."""
    return cos_of(pi() * x)


def sinc_pi_of(x: ClosedForm) -> ClosedForm:
    """sin(pi x)/(pi x), and 1 at 0."""
    return one() if x.is_zero else sin_of(pi() * x) / (pi() * x)


def acos_of(x: ClosedForm) -> ClosedForm:
    """acos(x)."""
    return pi() * rational_form(Fraction(1, 2)) - asin_of(x)


def sinh_of(x: ClosedForm) -> ClosedForm:
    """sinh(x)."""
    return (exp_of(x) - exp_of(-x)) * rational_form(Fraction(1, 2))


def cosh_of(x: ClosedForm) -> ClosedForm:
    """cosh(x)."""
    return (exp_of(x) + exp_of(-x)) * rational_form(Fraction(1, 2))


def tanh_of(x: ClosedForm) -> ClosedForm:
    """tanh(x)."""
    return sinh_of(x) / cosh_of(x)


def asinh_of(x: ClosedForm) -> ClosedForm:
    """asinh(x)."""
    sign, x = _oriented(x)
    return log_of(x + sqrt_of(x * x + one())) * rational_form(sign)


def acosh_of(x: ClosedForm) -> ClosedForm:
    """acosh(x)."""
    return log_of(x + sqrt_of(x * x - one()))


def atanh_of(x: ClosedForm) -> ClosedForm:
    """atanh(x)."""
    return (log_of(one() + x) - log_of(one() - x)) * rational_form(Fraction(1, 2))


# Multiples of pi/12 whose sine is not among the known ones.
_UNKNOWN = (1, 5, 7, 11, 13, 17, 19, 23)


@lru_cache(maxsize=1)
def _sines() -> dict[int, ClosedForm]:
    """The sine of k pi/12, where it is a single root."""
    half = rational_form(Fraction(1, 2))
    roots = {k: sqrt_of(rational_form(n)) * half for k, n in ((3, 2), (4, 3))}
    return {0: ClosedForm({}), 2: half, **roots, 6: one()}


def _turns(x: ClosedForm) -> Fraction | None:
    """q where x is q pi, else None."""
    turns = (x / pi()).rational
    return None if turns is None else Fraction(int(turns.p), int(turns.q))


def _oriented(x: ClosedForm) -> tuple[int, ClosedForm]:
    """A sign and the form times it, the same form for x and for -x."""
    if x.is_zero or x.above[min(x.above, key=place)] > 0:
        return 1, x
    return -1, -x
