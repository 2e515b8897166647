"""Programs with comparisons, made at random, and what holds beside a point, found by evaluation.

The truth is an evaluation of the text's syntax tree over numbers of mpmath with 5,000 bits, at the
point and 2**-900 beside it: conditions are decided there, by plain comparison. It knows nothing of
derivatives, series or balls.
"""

from __future__ import annotations

import ast
import operator
import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import mpmath

from .points import seeded

if TYPE_CHECKING:
    from random import Random

BITS, STEP = 5_000, 900
# What differs by less is the same: a difference leaves an error of the size of the step, or of its
# root.
ROOM = 2.0**-200
LARGEST = 1e9
STARTS = ("0", "1", "-1", "0.5", "2")
RELATIONS = ("<", "<=", ">", ">=", "==", "!=")
NUMBERS = ("0", "1", "2", "3", "-1", "1/2")


@dataclass(frozen=True)
class Beside:
    """What evaluation finds along one input.

    Attributes:
        kind: `jump`, `kink`, `smooth`, or `steep` where a slope grows without bound.
        left, right: one-sided slopes.
    """

    kind: str
    left: Any
    right: Any


class Programs:
    """Texts over some inputs, from a seeded generator."""

    def __init__(self, seed: str, names: tuple[str, ...]) -> None:
        self.random: Random = seeded(seed)
        self.at = {name: self.random.choice(STARTS) for name in names}
        self.names = names

    def text(self) -> str:
        """A program with an input and a comparison."""
        while True:
            text = self._number(self.random.randint(2, 4))
            has_input = any(re.search(rf"\b{name}\b", text) for name in self.names)
            if has_input and any(relation in text for relation in RELATIONS):
                return text

    def _number(self, depth: int) -> str:
        if depth <= 0:
            return self.random.choice([*self.names, *self.names, *NUMBERS])
        name = self.random.choice(self.names)
        return self.random.choice(_FORMS).format(
            z=f"({name} - {self.at[name]})",
            a=_Lazy(lambda: self._number(depth - 1)),
            b=_Lazy(lambda: self._number(depth - 2)),
            c=_Lazy(lambda: self._condition(depth - 1)),
            k=_Lazy(lambda: self.random.choice(NUMBERS)),
        )

    def _condition(self, depth: int) -> str:
        if depth > 0 and self.random.random() < 0.3:
            return self.random.choice(_JOINED).format(
                c=_Lazy(lambda: self._condition(depth - 1)),
                d=_Lazy(lambda: self._condition(depth - 1)),
            )
        relation, draw = self.random.choice(RELATIONS), self.random.random()
        name = self.random.choice(self.names)
        start = self.at[name]
        if draw < 0.1:
            return f"({self.random.choice(NUMBERS)} {relation} {self.random.choice(NUMBERS)})"
        if draw < 0.3:
            return f"({name} {relation} {self.random.choice(NUMBERS)})"
        form = self.random.choice(_TOUCHING)
        return form.format(x=name, s=start, r=relation)


class _Lazy:
    """A part of a text that is drawn when it is written, anew each time."""

    def __init__(self, draw: Any) -> None:
        self._draw = draw

    def __format__(self, spec: str) -> str:
        return str(self._draw())


_FORMS = (
    "({a} + {b})", "({a} - {b})", "({a}*{b})", "({a}*{b})", "-({a})", "sin({a})", "cos({a})", "exp(sin({a}))", "tanh({a})", "atan({a})",
    "abs({a})", "relu({a})", "({a})**2", "maximum({a}, {b})", "minimum({a}, {b})", "sign({a})", "sqrt(1 + ({a})**2)", "({a})/2",
    "{z}*{a}", "{z}*{c}", "{z}*where({c}, {k}, {a})", "(sin({z}) if {c} else {z}*{a})",
    "where({c}, {a}, {b})", "where({c}, {a}, {b})", "where({c}, {k}, {k})", "where({c}, {k}, {k})*{a}", "({a} if {c} else {b})",
    "{c}*{a}", "{a}*{c}", "({a} + {c}*{k})", "sin({c}*{a})", "exp({c}*{k})*{b}", "({a} + where({c}, 1, 0))", "cos({c}*1)*{a}",
)  # fmt: skip
_JOINED = ("({c} and {d})", "({c} or {d})", "(not {c})", "({c} & {d})", "({c} | {d})")
_TOUCHING = (
    "({x} {r} {s})", "({x} {r} {s})", "({s} {r} {x})", "({x} - {s} {r} 0)", "({x}**2 {r} ({s})**2)", "(({x} - {s})**2 {r} 0)", "(abs({x} - {s}) {r} 0)",
    "(({x} - {s})**3 {r} {x} - {s})", "(sin({x} - {s}) {r} 0)", "(exp({x} - {s}) {r} 1)", "(2*{x} {r} {x} + {s})",
)  # fmt: skip


def _norm(*numbers: Any) -> Any:
    parts = numbers[0] if isinstance(numbers[0], list) else numbers
    return mpmath.sqrt(sum(x * x for x in parts))


def _clamp(x: Any, low: Any, high: Any) -> Any:
    return min(max(x, low), high)


def _xlogy(x: Any, y: Any) -> Any:
    return x * mpmath.log(y) if x else x


MEANINGS = {
    "sin": mpmath.sin, "cos": mpmath.cos, "exp": mpmath.exp, "tanh": mpmath.tanh, "atan": mpmath.atan, "abs": abs,
    "relu": lambda x: x if x > 0 else 0 * x, "maximum": max, "minimum": min, "max": max, "min": min, "sign": mpmath.sign, "sqrt": mpmath.sqrt,
    "log": mpmath.log, "log1p": lambda x: mpmath.log(1 + x), "pi": mpmath.pi, "e": mpmath.e, "acos": mpmath.acos, "asin": mpmath.asin, "acosh": mpmath.acosh,
    "atanh": mpmath.atanh, "asinh": mpmath.asinh, "cosh": mpmath.cosh, "sinh": mpmath.sinh, "tan": mpmath.tan, "erf": mpmath.erf, "floor": mpmath.floor,
    "hypot": _norm, "norm": _norm, "clamp": _clamp, "xlogy": _xlogy, "entr": lambda x: -_xlogy(x, x), "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)),
    "softplus": lambda x: mpmath.log(1 + mpmath.exp(x)), "leaky_relu": lambda x, slope: x if x > 0 else slope * x, "elu": lambda x: x if x > 0 else mpmath.expm1(x),
    "hardtanh": lambda x: _clamp(x, -1, 1), "sum": sum, "lgamma": mpmath.loggamma,
}  # fmt: skip


_SIGNS: dict[type, Any] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv, ast.Pow: operator.pow, ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_, ast.USub: operator.neg, ast.Not: operator.not_, ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt,
    ast.GtE: operator.ge, ast.Eq: operator.eq, ast.NotEq: operator.ne,
}  # fmt: skip


def _worth(node: ast.expr, given: dict[str, Any]) -> Any:
    """The value of a part. An integer is a number of mpmath, so that 1/3 is exact, a decimal a
    float64; a branch that is not taken is not evaluated.
    """

    def of(part: ast.expr) -> Any:
        return _worth(part, given)

    match node:
        case ast.Constant(value=value):
            return mpmath.mpf(value) if type(value) is int else value
        case ast.Name(id=name):
            return given[name]
        case ast.List(elts=items):
            return [of(item) for item in items]
        case ast.BinOp(left=left, op=sign, right=right):
            return _SIGNS[type(sign)](of(left), of(right))
        case ast.UnaryOp(op=sign, operand=inner):
            return _SIGNS[type(sign)](of(inner))
        case ast.Compare(left=left, ops=[sign], comparators=[right]):
            return _SIGNS[type(sign)](of(left), of(right))
        case ast.BoolOp(op=ast.And(), values=parts):
            return all(of(part) for part in parts)
        case ast.BoolOp(values=parts):
            return any(of(part) for part in parts)
        case (
            ast.IfExp(test=test, body=holds, orelse=fails)
            | ast.Call(func=ast.Name(id="where"), args=[test, holds, fails])
        ):
            return of(holds) if of(test) else of(fails)
        case ast.Call(func=ast.Name(id=name), args=args):
            return MEANINGS[name](*map(of, args))
    raise TypeError(ast.dump(node))


@cache
def _tree(part: str) -> ast.expr:
    return ast.parse(part.strip(), mode="eval").body


def value(text: str, at: dict[str, Any]) -> Any:
    """The value of a program, in the precision that is set."""
    *steps, last = text.split(";")
    given = MEANINGS | {name: mpmath.mpf(number) for name, number in at.items()}
    for step in steps:
        name, _, part = step.partition("=")
        given[name.strip()] = _worth(_tree(part), given)
    return mpmath.mpf(_worth(_tree(last), given))


def beside(text: str, at: dict[str, str], name: str) -> Beside | None:
    """What holds along one input; None where numbers are too large to look at."""
    with mpmath.workprec(BITS):
        start = {key: mpmath.mpf(float(number)) for key, number in at.items()}
        step = mpmath.ldexp(1, -STEP)

        def moved(distance: Any) -> Any:
            return value(text, start | {name: start[name] + distance})

        here = moved(0)
        ends = {sign: [moved(sign * step), moved(sign * step / 2)] for sign in (-1, 1)}
        values = [here, *ends[-1], *ends[1]]
        if not all(abs(number) < LARGEST for number in values):
            return None
        if any(abs(near - here) > ROOM for pair in ends.values() for near in pair):
            return Beside("jump", None, None)
        slopes = {
            sign: [(near - here) / (sign * step / k) for k, near in enumerate(pair, 1)]
            for sign, pair in ends.items()
        }
        if any(abs(a - b) > ROOM * (1 + abs(a)) for a, b in slopes.values()):
            return Beside("steep", None, None)
        left, right = slopes[-1][0], slopes[1][0]
        return Beside(
            "smooth" if abs(left - right) <= ROOM * (1 + abs(left)) else "kink", left, right
        )
