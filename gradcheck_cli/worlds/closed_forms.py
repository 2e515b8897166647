"""Closed forms: exact real numbers, as quotients of sums of products of powers of atoms.

An atom is a number that is not taken apart: pi, e**m, the root or the logarithm of a prime, or any
function of closed forms, such as sin(1). What is known of atoms is how products reduce: sqrt(2)**2
is 2, e**a e**b is e**(a + b), cos(1)**2 is 1 - sin(1)**2. So a form that comes to nothing is zero;
one that does not may be zero all the same.

Source: Richardson, "How to recognize zero" (1997), on why there is no decision.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache
from itertools import count
from typing import Any, TypeAlias
from weakref import WeakValueDictionary

from flint import fmpq

# Powers of atoms, in the order of their numbers.
Monomial: TypeAlias = "tuple[tuple[Atom, int | Fraction], ...]"
_Polynomial: TypeAlias = "dict[Monomial, Any]"  # coefficients are flint.fmpq

# A form with more terms, or a rational number of more bits, is an atom from then on: what a kink of
# 20 operations comes to stays below, and nothing grows without bound.
MOST_TERMS, MOST_BITS = 24, 2**14
_HIGHEST_POWER = 16


@dataclass(frozen=True, eq=False)
class Atom:
    """A number that is not taken apart; two of the same number are the same object.

    Attributes:
        serial: its place in products.
        positive: it is known to be larger than 0, so it may have fractional powers.
        degree, whole: what its power to `degree` is in other atoms; of degree 1 there are powers
            between 0 and 1 alone.
        logarithm, exponential: what these are of it, where it has been made from them.
        angle: its sine and cosine, where it was made from one.
    """

    serial: int
    positive: bool
    degree: int
    whole: ClosedForm | None
    logarithm: ClosedForm | None
    exponential: ClosedForm | None
    angle: tuple[ClosedForm, ClosedForm] | None
    key: Any


_ATOMS: WeakValueDictionary[Any, Atom] = WeakValueDictionary()
_SERIALS = count()


def atom(name: str, *args: ClosedForm, positive: bool = False, **facts: Any) -> Atom:
    """The atom of a function's name, of the table if it has it, and the forms that it is taken of.

    Args:
        facts: as the attributes of `Atom`.
    """
    key = (name, *(arg.key for arg in args))
    known = _ATOMS.get(key)
    if known is None:
        plain = dict.fromkeys(("whole", "logarithm", "exponential", "angle"))
        rest: dict[str, Any] = {"degree": 1} | plain | facts
        known = _ATOMS[key] = Atom(next(_SERIALS), positive, key=(key, args), **rest)
    return known


class ClosedForm:
    """A quotient of two polynomials in atoms."""

    def __init__(self, above: _Polynomial, below: _Polynomial | None = None) -> None:
        self.above, self.below = above, below

    @cached_property
    def rational(self) -> Any | None:
        """Its value as a `flint.fmpq`, where it is plainly rational."""
        if not self.above:
            return fmpq(0)
        return self.above.get(()) if len(self.above) == 1 and self.below is None else None

    @cached_property
    def key(self) -> Any:
        """Equal for forms that are written alike."""
        below = None if self.below is None else frozenset(self.below.items())
        return frozenset(self.above.items()), below

    @property
    def is_zero(self) -> bool:
        """Whether it comes to nothing."""
        return not self.above

    @property
    def term(self) -> tuple[Monomial, Any] | None:
        """Its only term; None of a sum or a quotient."""
        return next(iter(self.above.items())) if len(self.above) == 1 and not self.below else None

    def __neg__(self) -> ClosedForm:
        return ClosedForm({m: -c for m, c in self.above.items()}, self.below)

    def __add__(self, other: ClosedForm) -> ClosedForm:
        if self.below == other.below:
            return bounded(_sum(self.above, other.above), self.below)
        a, b = _over(self.above, other.below), _over(other.above, self.below)
        return bounded(_sum(a, b), _over(self.below or one().above, other.below))

    def __sub__(self, other: ClosedForm) -> ClosedForm:
        return self + -other

    def __mul__(self, other: ClosedForm) -> ClosedForm:
        if self.is_zero or other.is_zero:
            return ClosedForm({})
        if self.below is not None and self.below == other.above:
            return bounded(self.above, other.below)
        if other.below is not None and other.below == self.above:
            return bounded(other.above, self.below)
        below = self.below
        if other.below is not None:
            below = _over(other.below, below)
        return bounded(_over(self.above, other.above), below)

    def __truediv__(self, other: ClosedForm) -> ClosedForm:
        return self * other.inverse()

    def inverse(self) -> ClosedForm:
        """Its reciprocal.

        Raises:
            ZeroDivisionError: it is zero.
        """
        if self.is_zero:
            raise ZeroDivisionError
        if self.term is None:
            return bounded(self.below or one().above, self.above)
        monomial, c = self.term
        plain = tuple((a, -k) for a, k in monomial if a.degree > 1 or a.whole is None)
        total = ClosedForm({plain: 1 / c})
        for a, k in monomial:
            if a.degree == 1 and a.whole is not None:
                total = total * ClosedForm({((a, 1 - k),): one().above[()]}) / a.whole
        return total

    def __pow__(self, p: int) -> ClosedForm:
        """A whole power."""
        if self.rational is not None and abs(p) * self.rational.height_bits() <= MOST_BITS:
            return rational_form(self.rational**p)
        if abs(p) > _HIGHEST_POWER:
            return _as_atom(self.above, self.below, p)
        base, total = (self if p >= 0 else self.inverse()), one()
        for _ in range(abs(p)):
            total = total * base
        return total

    @property
    def content(self) -> tuple[Any, ClosedForm]:
        """(c, y): it is c y, with c > 0 rational and y the same for all such multiples."""
        first = min(self.above, key=place)
        c = abs(self.above[first])
        return c, ClosedForm({m: k / c for m, k in self.above.items()}, self.below)


def place(monomial: Monomial) -> tuple[Any, ...]:
    """Where a monomial stands among others."""
    return tuple((a.serial, k) for a, k in monomial)


def rational_form(value: Any) -> ClosedForm:
    """A rational number: an integer, a `Fraction` or a `flint.fmpq`."""
    if isinstance(value, Fraction):
        value = fmpq(value.numerator, value.denominator)
    value = fmpq(value)
    return bounded({(): value} if value else {})


def dyadic(ball: Any) -> Any | None:
    """The number of an exact ball, unless it takes too many bits to write."""
    if not (ball.is_exact() and ball.is_finite()):
        return None
    mantissa, exponent = ball.man_exp()
    if abs(exponent) > MOST_BITS:
        return None
    return fmpq(mantissa << exponent, 1) if exponent >= 0 else fmpq(mantissa, 1 << -exponent)


def as_form(value: Any) -> ClosedForm:
    """A form, or a `flint.fmpq` as one."""
    return value if isinstance(value, ClosedForm) else ClosedForm({(): value} if value else {})


@lru_cache(maxsize=1)
def one() -> ClosedForm:
    """The number one."""
    return ClosedForm({(): fmpq(1)})


def form_of(a: Atom, exponent: int | Fraction = 1) -> ClosedForm:
    """A power of an atom; between 0 and 1 where the atom is of degree 1."""
    return ClosedForm({((a, exponent),): one().above[()]})


def bounded(above: _Polynomial, below: _Polynomial | None = None) -> ClosedForm:
    """The quotient of two polynomials, as an atom where it is large."""
    if not above or _vanishes(above):
        return ClosedForm({})
    if below is not None and len(below) == 1:
        return ClosedForm(above) * ClosedForm(below).inverse()
    size = len(above) + (0 if below is None else len(below))
    bits = max(c.height_bits() for part in (above, below or {}) for c in part.values())
    if size > MOST_TERMS or bits > MOST_BITS:
        return _as_atom(above, below)
    return ClosedForm(above, below)


def _vanishes(p: _Polynomial) -> bool:
    """Whether a polynomial comes to nothing once atoms that stand below are multiplied out:
    sin(1)**2 / cos(1)**2 + 1 - 1 / cos(1)**2.
    """
    below = {a: 0 for m in p for a, k in m if k < 0 and a.degree > 1}
    if not below:
        return False
    for m in p:
        for a, k in m:
            if a in below:
                below[a] = max(below[a], -int(k))
    unit = tuple(sorted(below.items(), key=lambda power: power[0].serial))
    return not _over(p, {unit: one().above[()]})


def _as_atom(above: _Polynomial, below: _Polynomial | None, power: int = 1) -> ClosedForm:
    c, y = ClosedForm(above, below).content
    if c.height_bits() > MOST_BITS // _HIGHEST_POWER:
        return form_of(atom("pow", ClosedForm(above, below), rational_form(power)))
    # The same atom for all multiples, those by -1 too.
    if y.above[min(y.above, key=place)] < 0:
        c, y = -c, -y
    return form_of(atom("pow", y, rational_form(power))) * rational_form(c**power)


def _sum(p: _Polynomial, q: _Polynomial) -> _Polynomial:
    total = p.copy()
    _add(total, q, 1)
    return total


def _over(p: _Polynomial, q: _Polynomial | None) -> _Polynomial:
    """The product of two polynomials, of which None is one."""
    if q is None:
        return p
    if len(p) * len(q) > MOST_TERMS**2 // 4:
        p = _as_atom(p, None).above
        q = _as_atom(q, None).above
    total: _Polynomial = {}
    for m, a in p.items():
        for n, b in q.items():
            _add(total, _joined(m, n), a * b)
    return total


def _add(total: _Polynomial, p: _Polynomial, c: Any) -> None:
    """Add c p to a polynomial."""
    for m, k in p.items():
        both = total[m] + k * c if m in total else k * c
        if both:
            total[m] = both
        else:
            del total[m]


def _joined(m: Monomial, n: Monomial) -> _Polynomial:
    """The product of two monomials, reduced."""
    if not m or not n:
        return {m or n: one().above[()]}
    powers: dict[Atom, int | Fraction] = dict(m)
    for a, k in n:
        powers[a] = powers.get(a, 0) + k
    rest: _Polynomial = {}
    whole = one()
    for a, k in powers.items():
        if a.whole is not None and k >= a.degree:
            times = k // a.degree
            powers[a] = k - times * a.degree
            whole = whole * a.whole ** int(times)
    kept = sorted(((a, _plain(k)) for a, k in powers.items() if k), key=lambda x: x[0].serial)
    rest = {tuple(kept): one().above[()]}
    return rest if whole is one() else _over(rest, whole.above)


def _plain(k: int | Fraction) -> int | Fraction:
    return int(k) if k.denominator == 1 else k
