"""Exact constants in primitive calls: what a call plainly comes to before it becomes a node.

torch, too, computes `y - 1` of `x**y` before it starts, so that a folded program is what it rounds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from gradcheck_cli.functions import lookup
from gradcheck_cli.language.program import Builder, Call, Number

if TYPE_CHECKING:
    from collections.abc import Callable
    from fractions import Fraction

Args: TypeAlias = tuple[int, ...]


def fold_call(builder: Builder, function: str, args: Args) -> int:
    """Index of a primitive call, or of what it plainly comes to: exact constants, times one, plus
    zero, to the power one, a choice that is made.
    """
    row = lookup(function)
    if row.operator:
        rule = _RULES.get((row.operator, len(args)))
        place = None if rule is None else rule(builder, args)
        if place is not None:
            return place
    elif row.is_extreme and args[0] == args[1]:
        return args[0]  # the extreme of a number and itself
    return builder.add(Call(function, args))


def exact(builder: Builder, index: int) -> Fraction | None:
    """The value of a literal that no dtype rounds: an integer, or a short decimal such as 2.0 or
    0.25.
    """
    node = builder.nodes[index]
    if not isinstance(node, Number) or isinstance(node.value, float):
        return None
    # Eight bits over a small power of two: held by every dtype.
    short = abs(node.value.numerator) < 256 and node.value.denominator in (1, 2, 4, 8, 16)
    return node.value if short or not node.decimal else None


def _sum(builder: Builder, args: Args) -> int | None:
    a, b = exact(builder, args[0]), exact(builder, args[1])
    if a is not None and b is not None:
        return builder.number(a + b)
    return args[1] if a == 0 else args[0] if b == 0 else None


def _difference(builder: Builder, args: Args) -> int | None:
    a, b = exact(builder, args[0]), exact(builder, args[1])
    if a is not None and b is not None:
        return builder.number(a - b)
    return args[0] if b == 0 else None


def _product(builder: Builder, args: Args) -> int | None:
    a, b = exact(builder, args[0]), exact(builder, args[1])
    if a is not None and b is not None:
        return builder.number(a * b)
    if a == 1:
        return args[1]
    if b == 1:
        return args[0]
    return fold_call(builder, "neg", args[:1]) if b == -1 else None


def _negation(builder: Builder, args: Args) -> int | None:
    a = exact(builder, args[0])
    return None if a is None else builder.number(-a)


def _power(builder: Builder, args: Args) -> int | None:
    return args[0] if exact(builder, args[1]) == 1 else None


def _choice(builder: Builder, args: Args) -> int | None:
    """The branch that is taken where two exact constants are compared for equality."""
    test = builder.nodes[args[0]]
    if not isinstance(test, Call) or lookup(test.function).operator != "==":
        return None
    a, b = (exact(builder, i) for i in test.args)
    return None if a is None or b is None else args[1] if a == b else args[2]


# By the sign that the language writes, and the number of arguments.
_RULES: dict[tuple[str, int], Callable[[Builder, Args], int | None]] = {
    ("+", 2): _sum,
    ("-", 2): _difference,
    ("-", 1): _negation,
    ("*", 2): _product,
    ("**", 2): _power,
    ("if", 3): _choice,
}
