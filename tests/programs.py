"""Random smooth programs at points in short decimals, and their derivatives by means that share nothing with ours."""

from __future__ import annotations

from fractions import Fraction
from random import Random
from typing import NamedTuple

import mpmath

from gradcheck_cli.case import Request, cases_of
from gradcheck_cli.language.parse import parse
from gradcheck_cli.point import read_points, read_value

# Every function here is smooth wherever these shapes reach.
_ONE = (
    "sin({})",
    "cos({})",
    "tanh({})",
    "atan({})",
    "sigmoid({})",
    "erf({})",
    "exp(sin({}))",
    "log1p(({})**2)",
    "sqrt(1 + ({})**2)",
    "asinh({})",
    "softplus({})",
    "expm1(tanh({}))",
)
_TWO = ("({} + {})", "({} - {})", "{} * {}", "{} / (2 + cos({}))", "logaddexp({}, {})", "hypot(1 + ({})**2, {})")
_LEAVES = ("x", "x", "y", "z", "0.3*x", "(x + 1.7)", "x**2", "x*y", "2*y", "y**3")


class Asked(NamedTuple):
    """A program at a point; `gradcheck TEXT --at AT` repeats it."""

    text: str
    at: str

    def __str__(self) -> str:
        return f"gradcheck {self.text!r} --at {self.at}"


def smooth(count, seed):
    """`count` different programs in up to three inputs, each at a point within 3 of the origin."""
    random = Random(seed)  # noqa: S311 - points that repeat, not secrets
    found = {}
    while len(found) < count:
        text = _grown(random, random.randint(1, 3))
        names = parse(text).variables
        if len(text) < 200 and "x" in names:
            found[text] = ",".join(f"{name}={random.uniform(-3, 3):.2f}" for name in names)
    return [Asked(text, at) for text, at in found.items()]


def _grown(random, depth):
    if depth == 0:
        return random.choice(_LEAVES)
    if random.random() < 0.5:
        return random.choice(_ONE).format(_grown(random, depth - 1))
    return random.choice(_TWO).format(_grown(random, depth - 1), _grown(random, depth - 1))


def case(text, at="", dtype="float64", *, cotangent=None, wrt=(), device="cpu"):
    """The Case of a program at a point, as the command line makes it."""
    weights = None if cotangent is None else read_value(cotangent)
    return cases_of(Request(parse(text), read_points([at]), wrt, weights, [dtype], [device]))[0]


def slopes(asked):
    """The gradient as exact fractions, by central differences of mpmath's own functions with 120 digits and a step of 1e-40.

    What is left of the truth is about 1e-79: 60 digits are right and more.
    """
    found = case(asked.text, asked.at)
    point = {name: mpmath.mpf(float(array)) for name, array in found.at.items()}
    with mpmath.workdps(120):
        h = mpmath.mpf(10) ** -40
        return [
            _fraction((_value(asked.text, {**point, name: point[name] + h}) - _value(asked.text, {**point, name: point[name] - h})) / (2 * h))
            for name in found.wrt
        ]


def _value(text, point):
    """mpmath's value; Python reads the decimals as float64, just as the language has it in float64."""
    return eval(text, {"__builtins__": {}}, {**_MPMATH, **point})  # noqa: S307 - a text made here


_MPMATH = {name: getattr(mpmath, name) for name in ("sin", "cos", "tanh", "atan", "erf", "exp", "sqrt", "asinh", "expm1", "hypot")} | {
    "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)),
    "log1p": lambda x: mpmath.log(1 + x),
    "softplus": lambda x: mpmath.log(1 + mpmath.exp(x)),
    "logaddexp": lambda x, y: mpmath.log(mpmath.exp(x) + mpmath.exp(y)),
}


def _fraction(value):
    sign, mantissa, exponent, _ = value._mpf_
    return (-1) ** sign * Fraction(int(mantissa)) * Fraction(2) ** exponent
