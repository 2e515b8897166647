"""Taylor series of primitives over `flint.arb_series`, by the closed forms that flint has no series
of: the `series` column of their rows.

The arguments lie inside the function's domain. Over a ball every coefficient encloses that of each
point; the first is the function's own ball, which is tight where a closed form cancels.
"""

from __future__ import annotations

from math import comb
from typing import Any

# Powers beyond this are taken through the logarithm.
_MOST_FACTORS = 1_000
# Near 0 sinc is summed by so many terms of its power series, beside those that are asked for.
_TERMS = 24


def _topped(x: Any, first: Any, series: Any) -> Any:
    """A series with another first coefficient."""
    return type(x)([first, *series.coeffs()[1:]])


def cosh(x: Any) -> Any:
    """`(e**x + e**-x) / 2`."""
    power = x.exp()
    return _topped(x, x[0].cosh(), (power + 1 / power) / 2)


def sinh(x: Any) -> Any:
    """`(e**x - e**-x) / 2`."""
    power = x.exp()
    return _topped(x, x[0].sinh(), (power - 1 / power) / 2)


def tanh(x: Any) -> Any:
    """By the exponential that does not grow: `1 - 2 e**-2x / (1 + e**-2x)` right of 0."""
    side = 1 if x[0] > 0 else -1
    power = (-2 * side * x).exp()
    return _topped(x, x[0].tanh(), side * (1 - 2 * power / (1 + power)))


def expm1(x: Any) -> Any:
    """`e**x - 1`."""
    return _topped(x, x[0].expm1(), x.exp())


def log1p(x: Any) -> Any:
    """`log(1 + x)`."""
    return _topped(x, x[0].log1p(), (1 + x).log())


def asinh(x: Any) -> Any:
    """The integral of `1 / sqrt(1 + x**2)`."""
    slope = (1 + x * x).rsqrt() * x.derivative()
    return _topped(x, x[0].asinh(), slope.integral() + x[0].asinh())


def lgamma(x: Any) -> Any:
    """flint's own right of 0; left of it nothing, which leaves it to the slope."""
    return x.lgamma() if x[0] > 0 else None


def raised(x: Any, y: Any) -> Any:
    """By repeated products where the exponent is an integer, else `exp(y log x)`."""
    is_series = [hasattr(a, "coeffs") for a in (x, y)]
    if is_series[1] or not (y.is_exact() and y.is_integer() and abs(y) < _MOST_FACTORS):
        head = x[0] if is_series[0] else x
        return (y * x.log()).exp() if head > 0 else None
    exponent = int(y.unique_fmpz())
    product, square, left = None, x, abs(exponent)
    while left:
        if left & 1:
            product = square if product is None else product * square
        left >>= 1
        square = square * square if left else square
    if product is None:
        return type(x)([type(x[0])(1)])
    product = _topped(x, _power_of_ball(x[0], abs(exponent)), product)
    return product if exponent > 0 else 1 / product


def _power_of_ball(x: Any, exponent: int) -> Any:
    """All powers of the numbers of a ball."""
    if not x.contains(0):
        return x**exponent
    top = (x.abs_upper() ** exponent).upper()
    bottom = type(x)(0) if exponent % 2 == 0 else -top
    return top.union(bottom)


def sinc(x: Any) -> Any:
    """`sin(pi x) / (pi x)`."""
    return _composed(_sinc_series(x[0], is_slope=False), x)


def sinc_slope(x: Any) -> Any:
    """Its derivative."""
    return _composed(_sinc_series(x[0], is_slope=True), x)


def _composed(outer: Any, x: Any) -> Any:
    """`outer(x - x[0])`."""
    inner = type(x)([0, *x.coeffs()[1:]])
    total = type(x)([0])
    for coefficient in reversed(outer):
        total = total * inner + coefficient
    return total


def _sinc_series(b: Any, *, is_slope: bool) -> list[Any]:
    """The coefficients around a ball."""
    from flint import arb_series, ctx

    ball, count = type(b), ctx.cap
    if abs(b) < 0.5:
        return _near(b, count, int(is_slope))
    ctx.cap = count + 1
    try:
        x = arb_series([b, ball(1)])
        y = x.sin_pi() / (x * ball.pi())
        return list((y.derivative() if is_slope else y).coeffs()[:count])
    finally:
        ctx.cap = count


def _near(b: Any, count: int, more: int) -> list[Any]:
    """The coefficients of `sum (-1)**k (pi x)**(2k) / (2k+1)!`, or of its derivative, around a ball
    in (-1/2, 1/2): sums, and bounds of their alternating rests.
    """
    ball, last = type(b), 2 * (_TERMS + count)
    square, weight, powers = ball.pi() ** 2, ball(1), [ball(1)]
    for _ in range(last):
        powers.append(powers[-1] * b)
    totals = [ball(0)] * count
    for k in range(0, last, 2):
        for order in range(max(0, min(count, k - more + 1))):
            n = order + more
            totals[order] += weight * comb(k, n) * powers[k - n]
        weight = -weight * square / ((k + 2) * (k + 3))
    found = []
    for order, total in enumerate(totals):
        n = order + more
        # Each further term is less than half of the one before.
        rest = 2 * abs(weight) * comb(last, n) * ball(0.5) ** (last - n)
        found.append((order + 1 if more else 1) * (total + ball(0, 1) * rest))
    return found
