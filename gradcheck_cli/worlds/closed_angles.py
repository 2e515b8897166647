"""Sines, cosines and their inverses of closed forms; names as in `closed_functions`.

An angle is taken apart into its terms, so that sin(x + pi/2) is cos(x).
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
    rational_form,
)
from gradcheck_cli.worlds.closed_functions import oriented, pi, sqrt_of, unknown

# Sums of more terms are one angle.
_MOST_TERMS = 4
# Below pi.
_LEAST_PI = Fraction(311, 99)
# Names of atoms.
_SINE = "sin"
_COSINE = "cos"


def sin_of(x: ClosedForm) -> ClosedForm:
    """sin(x)."""
    return _point(x)[0]


def cos_of(x: ClosedForm) -> ClosedForm:
    """cos(x)."""
    return _point(x)[1]


def tan_of(x: ClosedForm) -> ClosedForm:
    """tan(x)."""
    sine, cosine = _point(x)
    return sine / cosine


def sin_pi_of(x: ClosedForm) -> ClosedForm:
    """sin(pi x)."""
    return sin_of(pi() * x)


def cos_pi_of(x: ClosedForm) -> ClosedForm:
    """cos(pi x)."""
    return cos_of(pi() * x)


def sinc_pi_of(x: ClosedForm) -> ClosedForm:
    """sin(pi x)/(pi x), and 1 at 0."""
    return one() if x.is_zero else sin_of(pi() * x) / (pi() * x)


def asin_of(x: ClosedForm) -> ClosedForm:
    """asin(x)."""
    sign, x = oriented(x)
    for step, known in _sines().items():
        if (x - known).is_zero:
            return pi() * rational_form(Fraction(sign * step, 12))
    if x.term is not None and x.term[1] == 1 and len(x.term[0]) == 1:
        known = _principal(*x.term[0][0])
        if known is not None:
            return known * rational_form(sign)
    angle = x, sqrt_of(one() - x * x)
    return form_of(atom("asin", x, angle=angle)) * rational_form(sign)


def _principal(a: Atom, k: int | Fraction) -> ClosedForm | None:
    """The arc sine of a sine, or of a cosine, of a rational angle that is in the first quarter, or
    in the first two.
    """
    (name, *_), args = a.key
    angle = args[0].rational if len(args) == 1 and k == 1 else None
    if angle is None or not 0 < Fraction(int(angle.p), int(angle.q)) < _LEAST_PI:
        return None
    if name == _COSINE:
        return pi() * rational_form(Fraction(1, 2)) - as_form(angle)
    is_first = 2 * Fraction(int(angle.p), int(angle.q)) < _LEAST_PI
    return as_form(angle) if name == _SINE and is_first else None


def acos_of(x: ClosedForm) -> ClosedForm:
    """acos(x)."""
    return pi() * rational_form(Fraction(1, 2)) - asin_of(x)


def atan_of(x: ClosedForm) -> ClosedForm:
    """atan(x)."""
    sign, x = oriented(x)
    three = sqrt_of(rational_form(3))
    for step, known in {0: ClosedForm({}), 2: three.inverse(), 3: one(), 4: three}.items():
        if (x - known).is_zero:
            return pi() * rational_form(Fraction(sign * step, 12))
    cosine = sqrt_of(one() + x * x).inverse()
    return form_of(atom("atan", x, angle=(x * cosine, cosine))) * rational_form(sign)


def _point(x: ClosedForm) -> tuple[ClosedForm, ClosedForm]:
    """(sin(x), cos(x)), by the addition theorem."""
    if x.below is not None or len(x.above) > _MOST_TERMS:
        return _unknown_point(x)
    sine, cosine = ClosedForm({}), one()
    for monomial, c in x.above.items():
        s, t = _point_of_term(ClosedForm({monomial: c}))
        sine, cosine = sine * t + cosine * s, cosine * t - sine * s
    return sine, cosine


def _point_of_term(x: ClosedForm) -> tuple[ClosedForm, ClosedForm]:
    turns = (x / pi()).rational
    if turns is not None:
        return _point_of_turns(Fraction(int(turns.p), int(turns.q)) % 2)
    ((monomial, c),) = x.above.items()
    angle = monomial[0][0].angle if len(monomial) == 1 and monomial[0][1] == 1 else None
    if angle is not None and abs(c) == 1:
        return angle[0] * as_form(c), angle[1]
    return _unknown_point(x)


def _point_of_turns(q: Fraction) -> tuple[ClosedForm, ClosedForm]:
    """(sin(q pi), cos(q pi)) for 0 <= q < 2, from the first quarter."""
    if q >= 1:
        sine, cosine = _point_of_turns(q - 1)
        return -sine, -cosine
    if q > Fraction(1, 2):
        sine, cosine = _point_of_turns(1 - q)
        return sine, -cosine
    step, known = int(q * 12), _sines()
    if (q * 12).denominator == 1 and step in known:
        return known[step], known[6 - step]
    return _unknown_point(pi() * rational_form(q))


def _unknown_point(x: ClosedForm) -> tuple[ClosedForm, ClosedForm]:
    sign, x = oriented(x)
    sine = unknown(_SINE, x)
    cosine = form_of(atom(_COSINE, x, degree=2, whole=one() - sine * sine))
    return sine * rational_form(sign), cosine


@lru_cache(maxsize=1)
def _sines() -> dict[int, Any]:
    """The sine of k pi/12, where it is a single root."""
    half = rational_form(Fraction(1, 2))
    roots = {k: sqrt_of(rational_form(n)) * half for k, n in ((3, 2), (4, 3))}
    return {0: ClosedForm({}), 2: half, **roots, 6: one()}
