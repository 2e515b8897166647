"""Rows of several numbers, element by element: what torch adds, mixes and bounds in one call; and
differences of neighbours.
"""

from __future__ import annotations

from typing import Any

from gradcheck_cli.functions.parts import part_along
from gradcheck_cli.functions.row import CallError, Function
from gradcheck_cli.functions.tensors import axis_of, integer


def _diff(k: Any, x: Any, n: Any, dim: Any) -> Any:
    times = integer("n", n)
    if not x.ndim or times < 0:
        raise CallError("diff takes arrays, and n from 0 on")
    axis = axis_of(x.ndim, dim)
    for _ in range(min(times, x.shape[axis])):
        x = part_along(x, axis, slice(1, None)) - part_along(x, axis, slice(None, -1))
    return x


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
    Function("diff", "x; n=1, dim=-1", torch=lambda t, x, n, dim: t.diff(x, n=n, dim=dim), array=_diff,
             foreign={"sympy": "sympy.diff(f, x) is a derivative: the derivative is what is checked, give the function alone"},
             note="differences of neighbours"),
)
# fmt: on
