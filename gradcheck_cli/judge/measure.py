"""How far an answer is from the truth, in the units that verdicts speak of."""

from __future__ import annotations

from fractions import Fraction
from math import isfinite, log10
from typing import TYPE_CHECKING, Any, TypedDict

from gradcheck_cli.judge.outcome import shown, told
from gradcheck_cli.worlds import balls

if TYPE_CHECKING:
    from gradcheck_cli.dtypes import DType

# |A - T| up to this many ulp is right whatever the formula: the four roundings that even a single call may make.
FREE_ULPS = 4
# Measured on 10,880 points: |A - T| / B has median 0.14 and maximum 0.97, so 4 B has room for what a bound leaves out.
BUDGET_FACTOR = 4


class Measure(TypedDict):
    """An answer's distance from the truth; `tolerance` is the largest error that agrees."""

    error: float
    relative_error: float
    ulps: float
    tolerance: float


def digits(ball: Any, count: int) -> str:
    """The midpoint of a ball to some decimal digits."""
    return str(ball.mid().str(count, radius=False))


def size(ball: Any) -> float:
    """|ball| as a float, zero or infinity beyond its range."""
    return float(abs(ball).mid())


def ulp(truth: Any, dtype: DType) -> Fraction:
    """Spacing of the dtype at a ball's midpoint."""
    try:
        return dtype.ulp(balls.fraction(truth))
    except OverflowError:
        return dtype.smallest if abs(truth) < 1 else dtype.ulp(dtype.largest)


def measure(answer: float, truth: Any, dtype: DType) -> Measure:
    """error, relative error and ulps of an answer; NaN answers give NaN."""
    from flint import arb

    if not isfinite(answer):
        return {"error": abs(answer), "relative_error": abs(answer), "ulps": abs(answer), "tolerance": FREE_ULPS * float(ulp(truth, dtype))}
    gap = abs(arb(answer) - truth)
    relative = float((gap / abs(truth)).mid()) if not truth.contains(0) else (0.0 if gap.is_zero() else float("inf"))
    return {"error": float(gap.mid()), "relative_error": relative, "ulps": float((gap / balls.exact(ulp(truth, dtype))).mid()), "tolerance": 0.0}


def pair(answer: float, truth: Any, found: Measure) -> str:
    """Both numbers, with digits enough to see that they differ."""
    relative = found["relative_error"]
    count = min(max(6, 3 - round(log10(relative))), 17) if 0 < relative < 1 else 6
    return f"torch answers {shown(answer, count)} where the derivative is {told(truth, count)}"


def off(found: Measure) -> str:
    """The distance in words."""
    relative = found["relative_error"]
    percent = f"{relative:.2g} relative" if relative < 1e-3 else f"{100 * relative:.3g} %" if relative < 100 else f"{relative:.2g} times too far"
    ulps = found["ulps"]
    return f"off by {ulps:.4g} ulp, {percent}" if isfinite(relative) else f"off by {ulps:.4g} ulp"
