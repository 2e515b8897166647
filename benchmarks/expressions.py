"""Random smooth expressions of 1 to 4 variables and depth 3 to 8, each at a point of short
decimals.

`python benchmarks/expressions.py COUNT [SEED] > FILE.gradcheck.yaml` writes them as a suite.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from random import Random
from typing import Any, NamedTuple, TypeAlias

Value: TypeAlias = Callable[[Any, Any], Any]

NAMES = ("x", "y", "z", "w")
# Smooth on the whole line, so that every expression is smooth at every point. Each stands twice: as
# text, of functions that SymPy and torch know by the same names, and as calls of a library `m`, so
# that torch is asked without a text being evaluated.
UNARY: dict[str, Callable[[Any, Any], Any]] = {
    "sin({})": lambda m, a: m.sin(a),
    "cos({})": lambda m, a: m.cos(a),
    "tanh({})": lambda m, a: m.tanh(a),
    "atan({})": lambda m, a: m.atan(a),
    "exp(-({})**2)": lambda m, a: m.exp(-(a**2)),
    "sqrt(1 + ({})**2)": lambda m, a: m.sqrt(1 + a**2),
    "log(2 + cos({}))": lambda m, a: m.log(2 + m.cos(a)),
    "1/(1 + exp(-({})))": lambda m, a: 1 / (1 + m.exp(-a)),
    "({})**2": lambda _, a: a**2,
}
BINARY: dict[str, Callable[[Any, Any, Any], Any]] = {
    "({} + {})": lambda _, a, b: a + b,
    "({} - {})": lambda _, a, b: a - b,
    "({})*({})": lambda _, a, b: a * b,
    "({})/(2 + cos({}))": lambda m, a, b: a / (2 + m.cos(b)),
}
CONSTANTS = {"0.5": 0.5, "3": 3.0}


class Asked(NamedTuple):
    """An expression and a point; `value(m, point)` is the expression by calls of a library `m`, for
    a point of that library's numbers.
    """

    text: str
    at: dict[str, float]
    value: Value


def expressions(count: int, seed: int = 0) -> list[Asked]:
    """`count` different expressions; the same for the same seed."""
    random = Random(seed)  # noqa: S311 - points that repeat, not secrets
    found: dict[str, Asked] = {}
    while len(found) < count:
        names = NAMES[: random.randint(1, len(NAMES))]
        text, value = _expression(random, random.randint(3, 8), names)
        at = {name: round(random.uniform(-2, 2), 3) for name in names if name in _names(text)}
        if at:
            found.setdefault(text, Asked(text, at, value))
    return list(found.values())


def _expression(random: Random, depth: int, names: tuple[str, ...]) -> tuple[str, Value]:
    """A random tree whose longest path has `depth` operations, as text and as calls."""
    if depth == 0:
        return _leaf(random.choice([*names, *names, *CONSTANTS]))
    if random.random() < 0.6:
        form, call = random.choice(list(UNARY.items()))
        text, inner = _expression(random, depth - 1, names)
        return form.format(text), lambda m, point: call(m, inner(m, point))
    other = _expression(random, random.randint(0, min(2, depth - 1)), names)
    parts = [_expression(random, depth - 1, names), other]
    random.shuffle(parts)
    (left, first), (right, second) = parts
    form, join = random.choice(list(BINARY.items()))
    return form.format(left, right), lambda m, point: join(m, first(m, point), second(m, point))


def _leaf(word: str) -> tuple[str, Value]:
    if word in CONSTANTS:
        return word, lambda m, _: m.tensor(CONSTANTS[word], dtype=m.float64)
    return word, lambda _, point: point[word]


def _names(text: str) -> set[str]:
    """The variables of an expression: letters that stand alone."""
    return {
        word for word in "".join(c if c.isalpha() else " " for c in text).split() if word in NAMES
    }


def suite(asked: list[Asked]) -> str:
    """The expressions as the text of a suite file."""
    lines = ["version: 1", f"name: {len(asked)} random expressions", "cases:"]
    for text, at, _ in asked:
        lines += [
            f"  - expr: {text}",
            f"    at: {{{', '.join(f'{name}: {value!r}' for name, value in at.items())}}}",
        ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write a suite to stdout."""
    count, seed = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0
    print(suite(expressions(count, seed)), end="")


if __name__ == "__main__":
    main()
