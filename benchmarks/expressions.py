"""Random smooth expressions of 1 to 4 variables and depth 3 to 8, each at a point of short decimals.

`python benchmarks/expressions.py COUNT [SEED] > FILE.gradcheck.yaml` writes them as a suite.
"""

from __future__ import annotations

import sys
from random import Random
from typing import NamedTuple

NAMES = ("x", "y", "z", "w")
# Smooth on the whole line, so that every expression is smooth at every point; each is known by this name to SymPy and to torch as well,
# or is written so that it is.
UNARY = ("sin({})", "cos({})", "tanh({})", "atan({})", "exp(-({})**2)", "sqrt(1 + ({})**2)", "log(2 + cos({}))", "1/(1 + exp(-({})))", "({})**2")
BINARY = ("({} + {})", "({} - {})", "({})*({})", "({})/(2 + cos({}))")


class Asked(NamedTuple):
    """An expression and a point."""

    text: str
    at: dict[str, float]


def expressions(count: int, seed: int = 0) -> list[Asked]:
    """`count` different expressions; the same for the same seed."""
    random = Random(seed)  # noqa: S311 - points that repeat, not secrets
    found: dict[str, Asked] = {}
    while len(found) < count:
        names = NAMES[: random.randint(1, len(NAMES))]
        text = _expression(random, random.randint(3, 8), names)
        at = {name: round(random.uniform(-2, 2), 3) for name in names if name in _names(text)}
        if at:
            found.setdefault(text, Asked(text, at))
    return list(found.values())


def _expression(random: Random, depth: int, names: tuple[str, ...]) -> str:
    """A random tree whose longest path has `depth` operations."""
    if depth == 0:
        return random.choice([*names, *names, "0.5", "3"])
    if random.random() < 0.6:
        return random.choice(UNARY).format(_expression(random, depth - 1, names))
    other = _expression(random, random.randint(0, min(2, depth - 1)), names)
    parts = [_expression(random, depth - 1, names), other]
    random.shuffle(parts)
    return random.choice(BINARY).format(*parts)


def _names(text: str) -> set[str]:
    """The variables of an expression: letters that stand alone."""
    return {word for word in "".join(c if c.isalpha() else " " for c in text).split() if word in NAMES}


def suite(asked: list[Asked]) -> str:
    """The expressions as the text of a suite file."""
    lines = ["version: 1", f"name: {len(asked)} random expressions", "cases:"]
    for text, at in asked:
        lines += [f"  - expr: {text}", f"    at: {{{', '.join(f'{name}: {value!r}' for name, value in at.items())}}}"]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write a suite to stdout."""
    count, seed = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0
    print(suite(expressions(count, seed)), end="")


if __name__ == "__main__":
    main()
