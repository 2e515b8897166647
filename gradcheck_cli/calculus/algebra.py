"""Expressions put together: what arithmetic, choices and comparisons plainly come to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradcheck_cli.calculus.collecting import SINGLE, Collector
from gradcheck_cli.functions import lookup, operators
from gradcheck_cli.language.program import Call, Number

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from fractions import Fraction

    from gradcheck_cli.calculus.collecting import Form
    from gradcheck_cli.language.program import CallSettings

_OPPOSITE = {"<": ">=", ">=": "<", ">": "<=", "<=": ">", "==": "!=", "!=": "=="}
_MIRRORED = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "==": "==", "!=": "!="}
# Functions that are known by their names.
_LARGER = "maximum"
_EXP = "exp"
_LOG = "log"
_E = "e"


class Algebra(Collector):
    """Collects nodes, calls included."""

    def call(self, function: str, args: Sequence[int], settings: CallSettings = ()) -> int:
        """A function applied; arithmetic and choices are put together as far as they can be."""
        row = lookup(function)
        if row.condition and len(args) == 2:
            function, args = self._unsigned(function, *args)
            row = lookup(function)
        rule = _RULES.get((row.operator, len(args)))
        place = None if rule is None else rule(self, *args)
        if row.is_extreme and len(args) == 2:
            place = self._extreme(function, *args)
        if function == _LOG:
            place = self._exponent(*args)
        if place is not None:
            return place
        return self.plain_call(Call(function, tuple(args), settings))

    def step(self, condition: int) -> int:
        """1 where a condition holds, 0 elsewhere."""
        return self.call(operators()["if", 3], (condition, self.one, self.zero))

    def negated(self, condition: int) -> int:
        """Where a condition does not hold."""
        return self.call(operators()["not", 1], (condition,))

    def _sum(self, x: int, y: int) -> int:
        return self.plus([(SINGLE, x), (SINGLE, y)])

    def _difference(self, x: int, y: int) -> int:
        return self.plus([(SINGLE, x), (-SINGLE, y)])

    def _negation(self, x: int) -> int:
        return self.times([x], -SINGLE)

    def _times_two(self, x: int, y: int) -> int:
        return self.times([x, y])

    def _quotient(self, x: int, y: int) -> int:
        return self.powers([(x, SINGLE), (y, -SINGLE)])

    def _raise(self, base: int, exponent: int) -> int | None:
        value = self.exact(exponent)
        if value is not None:
            return self.power(base, value)
        is_written_out = self.nodes[base] == Call(_EXP, (self.one,))
        return self.call(_EXP, (exponent,)) if is_written_out else None

    def _exponent(self, power: int) -> int | None:
        """What the base of the natural logarithm is raised to."""
        node = self.nodes[power]
        if not isinstance(node, Call):
            return None
        if lookup(node.function).operator == "**" and self._exponent(node.args[0]) == self.one:
            return node.args[1]
        if node.function == _E:
            return self.one
        return node.args[0] if node.function == _EXP else None

    def _choice(self, condition: int, x: int, y: int) -> int | None:
        """One branch, where only one is possible; a multiple of a step."""
        if condition in (self.true, self.false) or x == y:
            return y if condition == self.false else x
        if y != self.zero or x == self.one:
            return None
        coefficient, inner = self.multiple(x)
        if inner == self.one:
            return self.times([self.step(condition)], coefficient)
        within = self.condition_of(inner)
        if within is None:
            return None
        joint = self.call(operators()["and", 2], (condition, within))
        return self.times([self.step(joint)], coefficient)

    def _extreme(self, function: str, x: int, y: int) -> int | None:
        """The other, where one is a bound that is missing."""
        neutral = -float("inf") if function == _LARGER else float("inf")
        for bound, other in ((x, y), (y, x)):
            if _value(self.nodes[bound]) == neutral:
                return other
        return x if x == y else None

    def _both(self, c: int, d: int) -> int | None:
        """One condition, where the other holds anyway."""
        if self.true in (c, d) or c == d:
            return d if c == self.true else c
        return self.false if self.false in (c, d) else None

    def _opposite(self, condition: int) -> int | None:
        """The opposite comparison."""
        node = self.nodes[condition]
        if not isinstance(node, Call):
            return None
        sign = lookup(node.function).operator
        if sign == "not":
            return node.args[0]
        other = _OPPOSITE.get(sign)
        return None if other is None else self.call(operators()[other, 2], node.args)

    def _less(self, x: int, y: int) -> int | None:
        """`x < y`."""
        return self._compared(x, y, strict=True)

    def _less_or_equal(self, x: int, y: int) -> int | None:
        """`x <= y`."""
        return self._compared(x, y, strict=False)

    def _greater(self, x: int, y: int) -> int | None:
        """`x > y`."""
        return self._compared(y, x, strict=True)

    def _greater_or_equal(self, x: int, y: int) -> int | None:
        """`x >= y`."""
        return self._compared(y, x, strict=False)

    def _unsigned(self, function: str, x: int, y: int) -> tuple[str, tuple[int, int]]:
        """A comparison of the negative of something with a number, the other way round."""
        sign, value = lookup(function).operator, self.exact(y)
        coefficient, inner = self.multiple(x)
        if value is None or coefficient != -1 or sign not in _MIRRORED:
            return function, (x, y)
        return operators()[_MIRRORED[sign], 2], (inner, self.number(-value))

    def _compared(self, small: int, large: int, *, strict: bool) -> int | None:
        """True or false where both are exact numbers, or one is a bound that is missing."""
        low, high = (_value(self.nodes[i]) for i in (small, large))
        if low is not None and high is not None:
            return self.true if (low < high if strict else low <= high) else self.false
        is_missing = low == -float("inf") or high == float("inf")
        return self.true if is_missing else None


def _value(node: Form) -> Fraction | float | None:
    """Of an exact number, or an infinity."""
    if isinstance(node, Number) and (not node.decimal or isinstance(node.value, float)):
        return node.value
    return None


# By the sign that the language writes, and the number of arguments.
_RULES: dict[tuple[str, int], Callable[..., int | None]] = {
    ("+", 2): Algebra._sum,
    ("-", 2): Algebra._difference,
    ("-", 1): Algebra._negation,
    ("*", 2): Algebra._times_two,
    ("/", 2): Algebra._quotient,
    ("**", 2): Algebra._raise,
    ("if", 3): Algebra._choice,
    ("and", 2): Algebra._both,
    ("not", 1): Algebra._opposite,
    ("<", 2): Algebra._less,
    ("<=", 2): Algebra._less_or_equal,
    (">", 2): Algebra._greater,
    (">=", 2): Algebra._greater_or_equal,
}
