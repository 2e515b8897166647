"""Random smooth programs at points in short decimals, and their derivatives by means that share
nothing with ours.
"""

from __future__ import annotations

from fractions import Fraction
from random import Random
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NamedTuple

import mpmath
from asking import case

from gradcheck_cli.language.parse import parse

if TYPE_CHECKING:
    from collections.abc import Callable

# Every function here is smooth wherever these shapes reach. Each stands twice, as text for us and
# as calls for a library `m` (mpmath or torch), so that the other reading of a program owes nothing
# to our parser.
_ONE = {
    "sin({})": lambda m, a: m.sin(a),
    "cos({})": lambda m, a: m.cos(a),
    "tanh({})": lambda m, a: m.tanh(a),
    "atan({})": lambda m, a: m.atan(a),
    "sigmoid({})": lambda m, a: m.sigmoid(a),
    "erf({})": lambda m, a: m.erf(a),
    "exp(sin({}))": lambda m, a: m.exp(m.sin(a)),
    "log1p(({})**2)": lambda m, a: m.log1p(a**2),
    "sqrt(1 + ({})**2)": lambda m, a: m.sqrt(1 + a**2),
    "asinh({})": lambda m, a: m.asinh(a),
    "softplus({})": lambda m, a: m.softplus(a),
    "expm1(tanh({}))": lambda m, a: m.expm1(m.tanh(a)),
}
_TWO = {
    "({} + {})": lambda m, a, b: a + b,
    "({} - {})": lambda m, a, b: a - b,
    "({}) * ({})": lambda m, a, b: a * b,
    "({}) / (2 + cos({}))": lambda m, a, b: a / (2 + m.cos(b)),
    "logaddexp({}, {})": lambda m, a, b: m.logaddexp(a, b),
    "hypot(1 + ({})**2, {})": lambda m, a, b: m.hypot(1 + a**2, b),
}
_LEAVES = {
    "x": lambda p: p["x"],
    "y": lambda p: p["y"],
    "z": lambda p: p["z"],
    "0.3*x": lambda p: 0.3 * p["x"],
    "(x + 1.7)": lambda p: p["x"] + 1.7,
    "x**2": lambda p: p["x"] ** 2,
    "x*y": lambda p: p["x"] * p["y"],
    "2*y": lambda p: 2 * p["y"],
    "y**3": lambda p: p["y"] ** 3,
}


class Asked(NamedTuple):
    """A program at a point; `gradcheck TEXT --at AT` repeats it. `value(m, point)` is the same by a
    library's own calls, where it was made here.
    """

    text: str
    at: str
    value: Callable[[Any, dict[str, Any]], Any] | None = None

    def __str__(self) -> str:
        return f"gradcheck {self.text!r} --at {self.at}"


def smooth(count, seed):
    """`count` different programs in up to three inputs, each at a point within 3 of the origin."""
    random = Random(seed)  # noqa: S311 - points that repeat, not secrets
    found = {}
    while len(found) < count:
        text, value = _grown(random, random.randint(1, 3))
        names = parse(text).variables
        if len(text) < 200 and "x" in names:
            found[text] = Asked(
                text, ",".join(f"{name}={random.uniform(-3, 3):.2f}" for name in names), value
            )
    return list(found.values())


def _grown(random, depth):
    """(text, value) of a random program."""
    if depth == 0:
        text = random.choice(["x", *_LEAVES])
        return text, lambda m, point: _LEAVES[text](point)
    shapes = _ONE if random.random() < 0.5 else _TWO
    shape = random.choice(list(shapes))
    parts = [_grown(random, depth - 1) for _ in range(shape.count("{}"))]
    return shape.format(*(text for text, _ in parts)), lambda m, point: shapes[shape](
        m, *(value(m, point) for _, value in parts)
    )


def slopes(asked):
    """The gradient as exact fractions, by central differences of mpmath's own functions with 120
    digits and a step of 1e-40.

    What is left of the truth is about 1e-79: 60 digits are right and more.
    """
    found = case(asked.text, asked.at)
    point = {name: mpmath.mpf(float(array)) for name, array in found.at.items()}
    with mpmath.workdps(120):
        h = mpmath.mpf(10) ** -40
        return [
            _fraction(
                (
                    asked.value(_MPMATH, {**point, name: point[name] + h})
                    - asked.value(_MPMATH, {**point, name: point[name] - h})
                )
                / (2 * h)
            )
            for name in found.question.wrt
        ]


_MPMATH = SimpleNamespace(
    **{
        name: getattr(mpmath, name)
        for name in ("sin", "cos", "tanh", "atan", "erf", "exp", "sqrt", "asinh", "expm1", "hypot")
    },
    sigmoid=lambda x: 1 / (1 + mpmath.exp(-x)),
    log1p=lambda x: mpmath.log(1 + x),
    softplus=lambda x: mpmath.log(1 + mpmath.exp(x)),
    logaddexp=lambda x, y: mpmath.log(mpmath.exp(x) + mpmath.exp(y)),
)


def _fraction(value):
    sign, mantissa, exponent, _ = value._mpf_
    return (-1) ** sign * Fraction(int(mantissa)) * Fraction(2) ** exponent
