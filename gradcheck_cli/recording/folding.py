"""A builder that makes at once the choices that are constants, and leaves out what an infinity
swallows: masks, as they are added to scores or filled into them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from math import inf, isfinite, isnan
from typing import TYPE_CHECKING

from gradcheck_cli.functions import lookup
from gradcheck_cli.language.program import Call, Number
from gradcheck_cli.worlds.scalars import Limited

if TYPE_CHECKING:
    from gradcheck_cli.language.program import Node


# floor(x) > n where x >= n + 1, and so on.
_COMPARED = {"ge": ("ge", 0), "lt": ("lt", 0), "gt": ("ge", 1), "le": ("lt", 1)}


@dataclass
class Folding(Limited):
    """As a builder of so many nodes, and what was recorded is finite where it is no constant."""

    infinite: dict[int, float] = field(default_factory=dict)

    def add(self, node: Node) -> int:
        """Index of a node, or of what it plainly comes to."""
        if isinstance(node, Call):
            place = self._folded(node)
            if place is not None:
                return place
        place = super().add(node)
        if isinstance(node, Number) and isinstance(node.value, float) and not isfinite(node.value):
            self.infinite[place] = node.value
        return place

    def _folded(self, call: Call) -> int | None:
        if call.function == "where":
            chosen = self._truth(call.args[0])
            return None if chosen is None else call.args[1 if chosen else 2]
        if call.function in _COMPARED:
            return self._compared(call.function, *call.args)
        if not self.infinite or self.infinite.keys().isdisjoint(call.args):
            return None
        row = lookup(call.function)
        return self._swallowed(row.operator or row.name, call.args)

    def _compared(self, name: str, first: int, second: int) -> int | None:
        """What comparing a number that is rounded down with a whole one says of the number itself:
        where both are equal the rounded one does not move.
        """
        bound = self._whole(second)
        made = self.nodes[first]
        while bound is not None and isinstance(made, Call) and made.function in ("add", "sub"):
            added = self._whole(made.args[1])
            if added is None:
                return None
            bound, made = (
                bound + (added if made.function == "sub" else -added),
                self.nodes[made.args[0]],
            )
        if bound is None or not isinstance(made, Call) or made.function != "floor":
            return None
        other, step = _COMPARED[name]
        return self.call(other, made.args[0], self.number(bound + step))

    def _whole(self, place: int) -> Fraction | None:
        made = self.nodes[place]
        if (
            isinstance(made, Number)
            and isinstance(made.value, Fraction)
            and made.value.denominator == 1
        ):
            return made.value
        return None

    def _truth(self, place: int) -> bool | None:
        """Whether a condition of constants holds; None where it is none of constants."""
        made = self.nodes[place]
        if not isinstance(made, Call) or made.function != "ne":
            return None
        values = [self.nodes[i] for i in made.args]
        if not all(isinstance(value, Number) for value in values):
            return None
        first, second = (value.value for value in values if isinstance(value, Number))
        return bool(first != second)

    def _swallowed(self, name: str, args: tuple[int, ...]) -> int | None:
        """What a call of an infinity and of finite numbers comes to, where that is plain."""
        values = [self.infinite.get(i, 0.0) for i in args]
        if name in ("+", "-") and len(args) == 2:
            second = values[1] if name == "+" else -values[1]
            total = values[0] + second
            return None if isnan(total) else self.number(total)
        if name in ("neg", "-"):
            return self.number(-values[0])
        if name in ("maximum", "minimum"):
            chosen = max(values) if name == "maximum" else min(values)
            return args[values.index(chosen)]
        if name in ("exp", "sigmoid") and values[0] == -inf:
            return self.number(0)
        return None
