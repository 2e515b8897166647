"""Rows of several numbers, element by element: what torch adds, mixes and bounds in one call."""

from __future__ import annotations

from typing import Any

from gradcheck_cli.functions.row import CallError, Function
from gradcheck_cli.functions.tensors import fill, integer


def _dist(p: Any) -> str:
    return f"norm(x - other, p={repr(p) if isinstance(p, str) else p})"


def _mantissa(piece: Any) -> str:
    if piece is None:
        raise CallError("frexp answers a mantissa and an exponent: write frexp(x)[0]")
    if integer("piece", piece) not in (0, -2):
        raise CallError("of what frexp answers only the mantissa, number 0, has a derivative")
    return "where(x == 0, x, x / 2**(floor(log2(abs(x))) + 1))"


def _filled(k: Any, x: Any, value: Any) -> Any:
    if value.ndim:
        raise ValueError(f"fill takes one number, not {value.ndim} dimensions")
    return fill(k, x.shape, [value.item()] * x.size)


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
    Function("float_power", "x, exponent", torch=lambda t, x, exponent: t.float_power(x, exponent), means="x**exponent", scalars=True,
             note="torch computes in float64"),
    Function("ldexp", "x, other", torch=lambda t, x, other: t.ldexp(x, other), means="x * 2**other"),
    Function("frexp", "x; piece=None", answers=("mantissa", "exponent"), torch=lambda t, x, piece: t.frexp(x)[piece], means=_mantissa,
             note="written frexp(x)[0] or frexp(x).mantissa"),
    Function("angle", "x", torch=lambda t, x: t.angle(x), means="where(x < 0, pi, 0)", note="of a real number: pi left of 0"),
    Function("fill", "x, value", torch=lambda t, x, value: t.fill(x, value), array=_filled, note="x only lends its shape"),
    Function("dist", "x, other; p=2", torch=lambda t, x, other, p: t.dist(x, other, p), means=_dist),
)
# fmt: on
