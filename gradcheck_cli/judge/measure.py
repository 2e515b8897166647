"""How far an answer is from the truth, in the units that verdicts speak of."""

from __future__ import annotations

from functools import cache
from math import frexp, isfinite, ldexp, log10
from typing import TYPE_CHECKING, Any, TypedDict

from gradcheck_cli.records.record import FREE_ULPS
from gradcheck_cli.worlds import balls
from gradcheck_cli.worlds.decimals import ball_text

if TYPE_CHECKING:
    from gradcheck_cli.dtypes import DType
    from gradcheck_cli.judge.evidence import Tolerance

# Measured on 10,880 points: |A - T| / B has median 0.14 and maximum 0.97, so 4 B has room for what
# a bound leaves out.
BUDGET_FACTOR = 4
# Digits that tell each float64 from every other.
_FLOAT = 17


class Measure(TypedDict):
    """An answer's distance from the truth; `tolerance` is the largest error that agrees.

    Where the truth is 0 a relative measure means nothing: unless the answer is 0 too, it is None.
    """

    error: float
    relative_error: float | None
    ulps: float | None
    tolerance: float


def magnitude(ball: Any) -> float:
    """|ball| as a float, zero or infinity beyond its range."""
    return float(abs(ball).mid())


def ulp(truth: Any, dtype: DType) -> float:
    """Spacing of the dtype at a ball's midpoint, a power of two; beyond the dtype's range that of
    its largest number.
    """
    # A float64 that is no power of two has the exponent of what it was rounded from; so has one
    # that the truth may be.
    nearest = float(truth.mid())
    fraction, exponent = frexp(nearest)
    is_between = 0.5 < abs(fraction) < 1 or (nearest != 0 and truth.contains(nearest))
    if is_between and isfinite(nearest) and exponent <= dtype.most:
        return ldexp(1.0, max(exponent - 1, dtype.least) - dtype.digits + 1)
    if not abs(truth) < largest(dtype):
        return ldexp(1.0, dtype.most - dtype.digits + 1)
    mantissa, shift = truth.mid().man_exp()
    exponent = mantissa.bit_length() + int(shift) - 1 if mantissa else dtype.least
    return ldexp(1.0, max(exponent, dtype.least) - dtype.digits + 1)


@cache
def largest(dtype: DType) -> Any:
    """The dtype's largest number as a ball."""
    return balls.exact_ball(dtype.largest)


def measure(answer: float, truth: Any, dtype: DType) -> Measure:
    """Distance of an answer from a truth that is exactly 0 or certified not to be; NaN for an
    answer that is NaN.
    """
    spacing = ulp(truth, dtype)
    free = FREE_ULPS * spacing
    if not isfinite(answer):
        return Measure(
            error=abs(answer), relative_error=abs(answer), ulps=abs(answer), tolerance=free
        )
    if truth.is_zero():
        nothing = 0.0 if answer == 0 else None
        return Measure(error=abs(answer), relative_error=nothing, ulps=nothing, tolerance=free)
    gap = abs(truth - answer)
    return Measure(
        error=float(gap.mid()),
        relative_error=float((gap / abs(truth)).mid()),
        ulps=float((gap / spacing).mid()),
        tolerance=free,
    )


def agreeing_room(truth: Any, dtype: DType, budget: float, tolerance: Tolerance | None) -> float:
    """The largest error that agrees: what the user allows; else 4 ulp, or what rounding explains,
    that no further than to half the dtype's digits.

    Args:
        budget: how far rounding can take torch's formula at the point.
    """
    if tolerance is not None:
        return tolerance.atol + tolerance.rtol * magnitude(truth)
    explained, half = BUDGET_FACTOR * budget, half_digits(truth, dtype)
    return max(FREE_ULPS * ulp(truth, dtype), min(explained, half))


def half_digits(truth: Any, dtype: DType) -> float:
    """The error that leaves half the dtype's digits right; those of 1 where the truth is 0, which
    has none of its own.
    """
    size = 1.0 if truth.is_zero() else magnitude(truth)
    return float((2 * dtype.unit_roundoff) ** 0.5 * size)


def is_within_free_ulps(found: Measure) -> bool:
    """Whether the answer is right whatever the formula."""
    return found["ulps"] is not None and found["ulps"] <= FREE_ULPS


def pair(answer: float, truth: Any, found: Measure, zero: str = "0") -> str:
    """Both numbers, with digits enough to see that they differ.

    Args:
        zero: what a truth of 0 is called.
    """
    relative = found["relative_error"]
    count = min(max(6, 3 - round(log10(relative))), _FLOAT) if relative and relative < 1 else 6
    answers = f"torch answers {format_float(answer, count)}"
    true = zero if truth.is_zero() else format_ball(truth, count)
    return f"{answers} where the derivative is {true}"


def off(found: Measure) -> str:
    """The distance in words."""
    relative, ulps = found["relative_error"], found["ulps"]
    if relative is None or ulps is None:
        return f"off by {found['error']:.2g}"
    percent = (
        f"{relative:.2g} relative"
        if relative < 1e-3
        else f"{100 * relative:.3g} %"
        if relative < 100
        else f"{relative:.2g} times too far"
    )
    return f"off by {ulps:.4g} ulp, {percent}"


def told_apart(value: float, truth: Any, digits: int = 12) -> tuple[str, str]:
    """A number and a truth that it is not, with some digits, or as many as it takes to see that."""
    for count in range(digits, 40):
        found = format_float(value, count), format_ball(truth, count)
        if found[0] != found[1]:
            break
    return found


def format_float(value: float, digits: int = 6) -> str:
    """A number in a sentence: short, never cut."""
    return f"{value:.{digits}g}"


def format_ball(ball: Any, digits: int = 6) -> str:
    """The midpoint of a ball in a sentence, also where no float holds it."""
    value = float(ball.mid())
    # Subnormal floats have few digits of their own, and no float has more than 17.
    in_range = isfinite(value) and (abs(value) > 1e-300 or ball.contains(0)) and digits <= _FLOAT
    return format_float(value, digits) if in_range else ball_text(ball.mid(), digits)
