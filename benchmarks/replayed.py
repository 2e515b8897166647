"""A scalar program's value and gradient by mpmath, every operation exact and then rounded to a
dtype, with one node or none spared. It shares the parser with the tool, and nothing else.

The pullbacks are those of torch's `derivatives.yaml`.
"""

from __future__ import annotations

import operator
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import mpmath
import numpy as np
from mpmath import mpf

from gradcheck_cli.functions import lookup
from gradcheck_cli.language.program import Call, Number

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gradcheck_cli.dtypes import DType
    from gradcheck_cli.language.program import Program

# Far more than the digits that any cancellation of two float64 hides.
mpmath.mp.prec = 2400


class Float:
    """A number whose operations round."""

    def __init__(self, rounder: Rounder, value: Any) -> None:
        self.rounder, self.value = rounder, value

    def __add__(self, other: Any) -> Float:
        return self.rounder.apply("add", self, other)

    def __sub__(self, other: Any) -> Float:
        return self.rounder.apply("sub", self, other)

    def __mul__(self, other: Any) -> Float:
        return self.rounder.apply("mul", self, other)

    def __truediv__(self, other: Any) -> Float:
        return self.rounder.apply("div", self, other)

    def __pow__(self, other: Any) -> Float:
        return self.rounder.apply("pow", self, other)

    def __neg__(self) -> Float:
        return Float(self.rounder, -self.value)

    def __radd__(self, other: Any) -> Float:
        return self.rounder.apply("add", other, self)

    def __rsub__(self, other: Any) -> Float:
        return self.rounder.apply("sub", other, self)

    def __rmul__(self, other: Any) -> Float:
        return self.rounder.apply("mul", other, self)


# fmt: off
# Name: exact value, the same by NumPy for what is not finite, and the cotangents of the arguments.
FUNCTIONS: dict[str, tuple[Callable[..., Any], Callable[..., Any], Callable[..., tuple[Any, ...]]]] = {
    "add":     (operator.add, np.add, lambda f, g, y, a, b: (g, g)),
    "sub":     (operator.sub, np.subtract, lambda f, g, y, a, b: (g, -g)),
    "mul":     (operator.mul, np.multiply, lambda f, g, y, a, b: (g * b, g * a)),
    "div":     (operator.truediv, np.divide, lambda f, g, y, a, b: (g / b, -g * (a / b / b))),
    "pow":     (mpmath.power, np.power, lambda f, g, y, a, b: (g * (b * a ** (b - 1)), g * (y * f("log", a)))),
    "neg":     (operator.neg, np.negative, lambda f, g, y, a: (-g,)),
    "square":  (lambda a: a * a, np.square, lambda f, g, y, a: (g * (2 * a),)),
    "sqrt":    (mpmath.sqrt, np.sqrt, lambda f, g, y, a: (g / (2 * y),)),
    "exp":     (mpmath.exp, np.exp, lambda f, g, y, a: (g * y,)),
    "expm1":   (mpmath.expm1, np.expm1, lambda f, g, y, a: (g * (y + 1),)),
    "log":     (mpmath.log, np.log, lambda f, g, y, a: (g / a,)),
    "log1p":   (lambda a: mpmath.log(1 + a), np.log1p, lambda f, g, y, a: (g / (a + 1),)),
    "sin":     (mpmath.sin, np.sin, lambda f, g, y, a: (g * f("cos", a),)),
    "cos":     (mpmath.cos, np.cos, lambda f, g, y, a: (g * -f("sin", a),)),
    "tan":     (mpmath.tan, np.tan, lambda f, g, y, a: (g * (1 + y * y),)),
    "sinh":    (mpmath.sinh, np.sinh, lambda f, g, y, a: (g * f("cosh", a),)),
    "cosh":    (mpmath.cosh, np.cosh, lambda f, g, y, a: (g * f("sinh", a),)),
    "tanh":    (mpmath.tanh, np.tanh, lambda f, g, y, a: (g * (1 - y * y),)),
    "asin":    (mpmath.asin, np.arcsin, lambda f, g, y, a: (g * f("rsqrt", 1 - a * a),)),
    "acos":    (mpmath.acos, np.arccos, lambda f, g, y, a: (g * -f("rsqrt", 1 - a * a),)),
    "atan":    (mpmath.atan, np.arctan, lambda f, g, y, a: (g / (a * a + 1),)),
    "rsqrt":   (lambda a: 1 / mpmath.sqrt(a), lambda a: 1 / np.sqrt(a), lambda f, g, y, a: (g * -(y * y * y) / 2,)),
    "sigmoid": (lambda a: 1 / (1 + mpmath.exp(-a)), lambda a: 1 / (1 + np.exp(-a)), lambda f, g, y, a: (g * (1 - y) * y,)),
    "erf":     (mpmath.erf, np.sign, lambda f, g, y, a: (f.number(2 / mpmath.sqrt(mpmath.pi)) * f("exp", -(a * a)) * g,)),
    "erfc":    (mpmath.erfc, lambda a: 1 - np.sign(a), lambda f, g, y, a: (f.number(-2 / mpmath.sqrt(mpmath.pi)) * f("exp", -(a * a)) * g,)),
    "lgamma":  (lambda a: mpmath.log(abs(mpmath.gamma(a))), abs, lambda f, g, y, a: (g * f("digamma", a),)),
    "digamma": (mpmath.digamma, lambda a: a, lambda f, g, y, a: (f.number(mpf("nan")),)),
    "floor":   (mpmath.floor, np.floor, lambda f, g, y, a: (f.number(mpf(0)),)),
    "abs":     (abs, np.abs, lambda f, g, y, a: (g if a.value > 0 else -g,)),
}
# fmt: on


class Rounder:
    """Operations that round to a dtype, or not, as `spared` is set."""

    def __init__(self, dtype: DType) -> None:
        self.dtype, self.spared, self.lost = dtype, False, False

    def __call__(self, name: str, *args: Any) -> Float:
        return self.apply(name, *args)

    def number(self, value: Any) -> Float:
        """A constant, rounded."""
        return Float(self, self._rounded(value))

    def apply(self, name: str, *args: Any) -> Float:
        """A function of numbers, exact and then rounded."""
        values = [arg.value if isinstance(arg, Float) else mpf(arg) for arg in args]
        exact, plain, _ = FUNCTIONS[name]
        found = mpf("nan")
        if all(map(mpmath.isfinite, values)):
            try:
                found = exact(*values)
            except (ValueError, ZeroDivisionError):
                found = mpf("nan")
        if isinstance(found, mpmath.mpc) or not mpmath.isfinite(found):
            with np.errstate(all="ignore"):
                found = mpf(float(plain(*(np.float64(float(v)) for v in values))))
        return Float(self, self._rounded(found))

    def _rounded(self, value: Any) -> Any:
        dtype = self.dtype
        if not value or not mpmath.isfinite(value):
            return value
        self.lost = self.lost or not dtype.least <= mpmath.mag(value) - 1 <= dtype.most
        if self.spared:
            return value
        last = max(mpmath.mag(value) - 1, dtype.least) - dtype.digits + 1
        rounded = mpmath.ldexp(mpmath.nint(mpmath.ldexp(value, -last)), last)
        largest = mpf(dtype.largest.numerator) / dtype.largest.denominator
        return rounded if abs(rounded) <= largest else mpmath.sign(value) * mpf("inf")


def gradient(
    program: Program, at: Mapping[str, float], dtype: DType, spared: int | None = None
) -> dict[str, Any]:
    """The program's gradient as torch computes it, the operations of one node exact.

    Raises:
        KeyError: a function is none of `FUNCTIONS`.
    """
    rounder, values = Rounder(dtype), list[Float]()
    moves: list[bool] = []
    exempt = _constants_of(program, spared)
    for i, node in enumerate(program.nodes):
        rounder.spared = i in exempt
        if isinstance(node, Call):
            name = node.function
            values.append(_constant(name) or rounder.apply(name, *(values[j] for j in node.args)))
            moves.append(any(moves[j] for j in node.args))
        elif isinstance(node, Number):
            exact = Fraction(node.value)
            value = mpf(exact.numerator) / exact.denominator
            values.append(rounder.number(value) if node.decimal else Float(rounder, value))
            moves.append(False)
        else:
            values.append(Float(rounder, mpf(at[node.name])))
            moves.append(True)
    return _backward(program, rounder, values, moves, spared)


def out_of_range(program: Program, at: Mapping[str, float], dtype: DType) -> list[int]:
    """The nodes of the forward whose exact values are not in the dtype's normal range."""
    rounder, values, found = Rounder(dtype), list[Float](), list[int]()
    rounder.spared = True
    for i, node in enumerate(program.nodes):
        rounder.lost = False
        if isinstance(node, Call):
            args = (values[j] for j in node.args)
            values.append(_constant(node.function) or rounder.apply(node.function, *args))
            if rounder.lost:
                found.append(i)
        elif isinstance(node, Number):
            exact = Fraction(node.value)
            values.append(Float(rounder, mpf(exact.numerator) / exact.denominator))
        else:
            values.append(Float(rounder, mpf(at[node.name])))
    return found


def moving(program: Program) -> list[int]:
    """The calls that depend on an input."""
    found = set[int]()
    for i, node in enumerate(program.nodes):
        moves = isinstance(node, Call) and any(j in found for j in node.args)
        if moves or not isinstance(node, Call | Number):
            found.add(i)
    return [i for i in sorted(found) if isinstance(program.nodes[i], Call)]


def _backward(
    program: Program, rounder: Rounder, values: list[Float], moves: list[bool], spared: int | None
) -> dict[str, Any]:
    bars: dict[int, Float] = {program.result: Float(rounder, mpf(1))}
    found: dict[str, Any] = {}
    for i in range(len(program.nodes) - 1, -1, -1):
        node = program.nodes[i]
        if i not in bars or not moves[i]:
            continue
        if not isinstance(node, Call):
            found[node.name] = bars[i].value  # type: ignore[union-attr]  # a variable
            continue
        rounder.spared = i == spared
        args = [values[j] for j in node.args]
        pulled = FUNCTIONS[node.function][2](rounder, bars[i], values[i], *args)
        rounder.spared = False
        for j, bar in zip(node.args, pulled, strict=True):
            if moves[j]:
                bars[j] = bars[j] + bar if j in bars else bar
    return found


def _constants_of(program: Program, spared: int | None) -> set[int]:
    """A spared node, and the constants that it is made of."""
    moves: list[bool] = []
    for node in program.nodes:
        args = node.args if isinstance(node, Call) else ()
        moves.append(not isinstance(node, Call | Number) or any(moves[j] for j in args))
    found, stack = set[int](), [] if spared is None else [spared]
    while stack:
        i = stack.pop()
        found.add(i)
        node = program.nodes[i]
        if isinstance(node, Call):
            stack += [j for j in node.args if not moves[j]]
    return found


def _constant(name: str) -> Float | None:
    """pi or e, exact until it is used."""
    if lookup(name).signature:
        return None
    return Float(Rounder.__new__(Rounder), {"pi": +mpmath.pi, "e": +mpmath.e}[name])
