"""Rows of several numbers, element by element: what torch adds, mixes and bounds in one call; and
differences of neighbours.
"""

from __future__ import annotations

from typing import Any

from gradcheck_cli.functions.row import Function


def _dist(p: Any) -> str:
    return f"norm(x - other, p={repr(p) if isinstance(p, str) else p})"


# fmt: off
ROWS = (
    Function("addcmul", "x, tensor1, tensor2; value=1.0", torch=lambda t, x, tensor1, tensor2, value: t.addcmul(x, tensor1, tensor2, value=value),
             means="x + value * tensor1 * tensor2"),
    Function("addcdiv", "x, tensor1, tensor2; value=1.0", torch=lambda t, x, tensor1, tensor2, value: t.addcdiv(x, tensor1, tensor2, value=value),
             means="x + value * tensor1 / tensor2"),
    Function("lerp", "x, end, weight", torch=lambda t, x, end, weight: t.lerp(x, end, weight), means="x + weight * (end - x)"),
    Function("rsub", "x, other", torch=lambda t, x, other: t.rsub(x, other), means="other - x", pullback=("-ybar", "ybar"), rounds=(1, 0)),
    Function("clamp_min", "x, min", torch=lambda t, x, lo: t.clamp_min(x, lo), means="maximum(x, min)", scalars=True,
             pullback=("where(x >= min, ybar, 0)", "where(x < min, ybar, 0)"), rounds=(0, 0)),
    Function("clamp_max", "x, max", torch=lambda t, x, hi: t.clamp_max(x, hi), means="minimum(x, max)", scalars=True,
             pullback=("where(x <= max, ybar, 0)", "where(x > max, ybar, 0)"), rounds=(0, 0)),
    Function("copysign", "x, other", torch=lambda t, x, other: t.copysign(x, other), means="where(other < 0, -abs(x), abs(x))"),
    Function("dist", "x, other; p=2", torch=lambda t, x, other, p: t.dist(x, other, p), means=_dist),
)
# fmt: on
