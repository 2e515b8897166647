"""Polynomials in float64 that stand for a derivative over a cell, and how far they may be off.

For float64 itself the two leading coefficients are pairs of numbers, so that the value comes as a
sum of two.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, frexp, isfinite, ldexp, log2
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gradcheck_cli.dtypes import DType

_UNIT = 2.0**-53
# Ulps of the dtype that a polynomial may be off, for dtypes of up to 24 digits and for float64.
_SHARE = {False: 2.0**-9, True: 2.0**-6}
# Room for what rounds in bounds that are computed in float64 themselves.
_ROOM = 1 + 2.0**-40
# Derivatives below the first number are told times the second: float64 has few digits there.
_SMALL, _SCALED = 2.0**-800, 2.0**200
# The smallest subnormal of float64, which an underflow may lose.
_TINY = 2.0**-1074


@dataclass(frozen=True)
class Polynomial:
    """`sum(c * t**k)` at `t = (x - centre) / width`.

    Attributes:
        coefficients: the leading ones first... from order 0 on; no more than are needed.
        rests: for float64 what the first two lack of their true values; else nothing.
        error: how far the sum, as `judge.tally` computes it, may be off anywhere in the cell.
        low: the least size of the derivative in the cell.
        scale: what the derivative was multiplied with.
    """

    centre: float
    width: float
    coefficients: tuple[float, ...]
    rests: tuple[float, ...]
    error: float
    low: float
    scale: float = 1.0


def ulp_at(value: float, dtype: DType) -> float:
    """Spacing of a dtype at a number that float64 holds."""
    exponent = max(frexp(value)[1] - 1, dtype.least) if value else dtype.least
    return ldexp(1.0, exponent - dtype.digits + 1)


def single(low: Any, high: Any, dtype: DType) -> Polynomial | None:
    """A constant for derivatives between two numbers; None where they are too far apart."""
    largest = float(dtype.largest)
    top = abs(low).max(abs(high))
    if top > largest:
        return None
    tiny = float(dtype.smallest)
    if top <= tiny:
        # Half the spacing and less: no digit of it can be told apart.
        nothing = bool(top.is_zero())
        return Polynomial(0.0, 1.0, (0.0,), (), 0.0 if nothing else tiny, 0.0)
    scale = _SCALED if dtype.digits > 24 and top < _SMALL else 1.0
    low, high = low * scale, high * scale
    middle = float(((low + high) / 2).mid())
    rests: tuple[float, ...] = ()
    centre = type(low)(middle)
    if dtype.digits > 24:
        rest = float((((low + high) / 2) - middle).mid())
        rests, centre = (rest, 0.0), centre + rest
    error = float((high - centre).abs_upper().max((low - centre).abs_upper())) * _ROOM
    error += 4 * _UNIT * abs(rests[0]) if rests else 0.0
    contains = low <= 0 <= high
    least = 0.0 if contains else float(abs(low).min(abs(high)).lower()) / _ROOM
    if error > _share(dtype) * scale * ulp_at(least / scale, dtype):
        return None
    return Polynomial(0.0, 1.0, (middle,), rests, error, least, scale)


def between(terms: Sequence[Any], rest: Any, radius: float) -> Any:
    """What a series comes to within a radius of its centre; NaN where there is none."""
    if not terms:
        return type(rest).nan()
    ball = type(rest)
    room, power = ball(0), ball(1)
    for term in (*terms[1:], rest):
        power *= radius
        room += abs(term) * power
    return terms[0] + ball(0, room.abs_upper())


def narrower(one: Any, other: Any) -> Any:
    """The narrower of two balls of the same number."""
    return other if other.rad() < one.rad() else one


def parts_for(rest: Any, whole: Any, radius: float, order: int, dtype: DType) -> int:
    """Into how many parts a cell must be cut at least, as a power of two, by the remainder of its
    series alone; 0 where that is small enough. Arguments as in `polynomial_of`.
    """
    width = ldexp(1.0, frexp(radius)[1])
    least, bound = float(whole.abs_lower()), float((rest * type(rest)(width) ** order).abs_upper())
    room = _share(dtype) * ulp_at(least, dtype)
    return 0 if bound <= room else _parts(bound, room, least, float(whole.abs_upper()), order)


def _parts(bound: float, room: float, least: float, most: float, order: int) -> int:
    """Of a cell whose bound is beyond its room; the derivative lies between two sizes."""
    if not least > 0 or most > 2 * least or not isfinite(bound) or not room > 0:
        return 1
    return min(2, max(1, ceil(log2(bound / room) / order)))


def polynomial_of(
    terms: Sequence[Any], rest: Any, whole: Any, centre: float, radius: float, dtype: DType
) -> Polynomial | int:
    """The polynomial of a series, or into how many parts its cell should be cut, as a power of two.

    Args:
        terms: balls of the coefficients at the centre.
        rest: the ball of the next one over the whole cell; `whole` that of the derivative.
    """
    is_fine = dtype.digits > 24
    top = float(whole.abs_upper()) * _ROOM
    if not isfinite(top) or top > float(dtype.largest):
        return 1
    width = ldexp(1.0, frexp(radius)[1])
    if not 2.0**-1000 < width < 2.0**1000:
        return 1
    scale = _SCALED if is_fine and top < _SMALL else 1.0
    ball, order = type(whole), len(terms)
    power, firsts, rests = ball(scale), list[float](), list[float]()
    error = ball(0)
    for k, term in enumerate(terms):
        exact = term * power
        first = _first(exact, short=is_fine and k == 1)
        second = float((exact - first).mid()) if is_fine and k < 2 else 0.0
        if not isfinite(first) or not isfinite(second):
            return 1
        firsts.append(first)
        rests.append(second)
        error += (exact - first - second).abs_upper()
        power *= width
    error += (rest * power).abs_upper()
    bound = float(error.upper()) * _ROOM + _rounding(firsts, rests, is_fine=is_fine)
    bound += 0.0 if error.is_zero() else _TINY  # it may be less than float64 has
    least = float(whole.abs_lower()) * scale / _ROOM
    room = _share(dtype) * scale * ulp_at(least / scale, dtype)
    if not bound <= room:
        return _parts(bound, room, least, top * scale, order)
    fewest = 2 if is_fine else 1
    while len(firsts) > fewest and bound + abs(firsts[-1]) <= room:
        bound += abs(firsts.pop()) * _ROOM
    return Polynomial(
        centre, width, tuple(firsts), tuple(rests[:2]) if is_fine else (), bound, least, scale
    )


def _share(dtype: DType) -> float:
    return _SHARE[dtype.digits > 24]


def _first(exact: Any, *, short: bool) -> float:
    """The nearest float64, or one of 24 bits."""
    value = float(exact.mid())
    if not short or not isfinite(value):
        return value
    fraction, exponent = frexp(value)
    return ldexp(round(ldexp(fraction, 24)), exponent - 24)


def _rounding(firsts: Sequence[float], rests: Sequence[float], *, is_fine: bool) -> float:
    """What float64 rounds in the sum: `2n u` of all terms by Horner's rule, as much for t, and the
    last difference; of pairs what is left beside the two exact steps.
    """
    if not any(firsts) and not any(rests):
        return 0.0
    n, sizes = len(firsts), [abs(c) for c in firsts]
    lost = 4 * (n + 2) * _TINY
    if not is_fine:
        return ((3 * n + 4) * _UNIT * sum(sizes) + lost) * _ROOM
    small = abs(rests[0]) + abs(rests[1]) + 2.0**-24 * sizes[1] + sum(sizes[2:])
    small += 2.0**-52 * (sizes[0] + sizes[1])
    return ((2 * n + 8) * _UNIT * small + lost) * _ROOM
