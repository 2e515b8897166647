"""What choices and comparisons come to, where that is plain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradcheck_cli.functions import lookup, operators
from gradcheck_cli.language.program import Call, Number

if TYPE_CHECKING:
    from fractions import Fraction

    from gradcheck_cli.calculus.algebra import Algebra, Form

_OPPOSITE = {"<": ">=", ">=": "<", ">": "<=", "<=": ">", "==": "!=", "!=": "=="}


def choice(algebra: Algebra, condition: int, x: int, y: int) -> int | None:
    """One branch, where only one is possible; a multiple of a step."""
    if condition in (algebra.true, algebra.false) or x == y:
        return y if condition == algebra.false else x
    if y != algebra.zero or x == algebra.one:
        return None
    coefficient, inner = algebra.multiple(x)
    if inner == algebra.one:
        return algebra.times([algebra.step(condition)], coefficient)
    within = algebra.condition_of(inner)
    if within is None:
        return None
    joint = algebra.call(operators()["and", 2], (condition, within))
    return algebra.times([algebra.step(joint)], coefficient)


def extreme(algebra: Algebra, function: str, x: int, y: int) -> int | None:
    """The other, where one is a bound that is missing."""
    neutral = -float("inf") if function == "maximum" else float("inf")
    for bound, other in ((x, y), (y, x)):
        if _value(algebra.nodes[bound]) == neutral:
            return other
    return x if x == y else None


def both(algebra: Algebra, c: int, d: int) -> int | None:
    """One condition, where the other holds anyway."""
    if algebra.true in (c, d) or c == d:
        return d if c == algebra.true else c
    return algebra.false if algebra.false in (c, d) else None


def opposite(algebra: Algebra, condition: int) -> int | None:
    """The opposite comparison."""
    node = algebra.nodes[condition]
    assert isinstance(node, Call)
    sign = lookup(node.function).operator
    if sign == "not":
        return node.args[0]
    other = _OPPOSITE.get(sign)
    return None if other is None else algebra.call(operators()[other, 2], node.args)


def less(algebra: Algebra, x: int, y: int) -> int | None:
    """`x < y`."""
    return _compared(algebra, x, y, strict=True)


def less_or_equal(algebra: Algebra, x: int, y: int) -> int | None:
    """`x <= y`."""
    return _compared(algebra, x, y, strict=False)


def greater(algebra: Algebra, x: int, y: int) -> int | None:
    """`x > y`."""
    return _compared(algebra, y, x, strict=True)


def greater_or_equal(algebra: Algebra, x: int, y: int) -> int | None:
    """`x >= y`."""
    return _compared(algebra, y, x, strict=False)


def _compared(algebra: Algebra, small: int, large: int, *, strict: bool) -> int | None:
    """True or false where both are exact numbers, or one is a bound that is missing."""
    low, high = (_value(algebra.nodes[i]) for i in (small, large))
    if low is not None and high is not None:
        return algebra.true if (low < high if strict else low <= high) else algebra.false
    is_missing = low == -float("inf") or high == float("inf")
    return algebra.true if is_missing else None


def _value(node: Form) -> Fraction | float | None:
    """Of an exact number, or an infinity."""
    if isinstance(node, Number) and (not node.decimal or isinstance(node.value, float)):
        return node.value
    return None
