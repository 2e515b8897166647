"""Arrays of balls that see what leaves its domain on the way to a value, and which elements of the
value rest on that.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck_cli.calculus.formulas import formula
from gradcheck_cli.functions import lookup
from gradcheck_cli.witnesses.reference import left_by
from gradcheck_cli.witnesses.truth import Undefined
from gradcheck_cli.worlds.arrays import Arrays
from gradcheck_cli.worlds.balls import plain
from gradcheck_cli.worlds.decimals import ball_text
from gradcheck_cli.worlds.enclosures import Enclosure
from gradcheck_cli.worlds.marks import NONE, MarkArrays

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gradcheck_cli.functions.row import Function
    from gradcheck_cli.language.program import Call, Program
    from gradcheck_cli.records.outcome import Cause
    from gradcheck_cli.worlds.ball_arrays import BallArrays
    from gradcheck_cli.worlds.levels import Unrolled
    from gradcheck_cli.worlds.track import Tracked


@dataclass(frozen=True)
class Leaving:
    """A function of single numbers that has no value, as its domain is left.

    Attributes:
        node: the call of the program that it is a step of.
    """

    node: Call
    function: str
    numbers: tuple[Any, ...]
    cause: Cause


class Watched(Arrays):
    """The world. Marks of an array are places in `left`: of the first step that an element rests on
    and that left its domain.
    """

    def __init__(self, kit: BallArrays) -> None:
        super().__init__(kit)
        self.left: list[Leaving] = []
        self._marks = MarkArrays()
        self._node: Call | None = None

    def undefined(self, mark: int, program: Program) -> Undefined:
        """What is said of an element with a mark."""
        left = self.left[mark]
        words = program.source(program.nodes.index(left.node))
        numbers = ", ".join(ball_text(plain(x), 6) for x in left.numbers)
        place = f"`{words}` has no finite value: {left.function}({numbers})"
        return Undefined(place, of_value=True, cause=left.cause)

    def call(self, node: Call, args: list[Tracked]) -> Tracked:
        """The value of a call; of a step of one, that is known to belong to it."""
        if self._node is not None:
            return super().call(node, args)
        self._node = node
        try:
            return super().call(node, args)
        finally:
            self._node = None

    def _primitive(self, node: Call, row: Function, args: Sequence[Tracked]) -> Tracked:
        made = super()._primitive(node, row, args)
        numbers, troubles = [a.number for a in args], [a.trouble for a in args]
        found = self._trouble(row, numbers, made.number, troubles)
        made.trouble = None if found is None else np.broadcast_to(found, made.shape)
        return made

    def _trouble(
        self, row: Function, numbers: Sequence[Any], y: Any, troubles: Sequence[Any]
    ) -> Any | None:
        """The marks of the values of a primitive."""
        known = [marks for marks in troubles if marks is not None]
        if row.operator == "if" and known:
            return self._chosen(numbers[0], troubles)
        if not (known or row.domain) or row.condition:
            return reduce(np.minimum, known) if known else None
        lost = ~self.kit.is_settled(y)
        if not lost.any():
            return None
        marks = np.where(lost, reduce(np.minimum, known, self._marks.nothing(())), NONE)
        fresh = lost & (marks == NONE)
        if row.domain and fresh.any():
            marks[fresh] = self._leaving(row, numbers, fresh)
        return marks

    def _chosen(self, condition: Any, troubles: Sequence[Any]) -> Any:
        """The marks of what is chosen; all of them where it is not known what is."""
        nothing = self._marks.nothing(())
        why, first, second = (nothing if marks is None else marks for marks in troubles)
        either = np.minimum(why, np.minimum(first, second))
        chosen = np.where(condition.value, first, second)
        return chosen if condition.open is None else np.where(condition.open, either, chosen)

    def _leaving(self, row: Function, numbers: Sequence[Any], fresh: Any) -> list[int]:
        """A mark for each of some elements, whose domain is looked at."""
        assert self._node is not None
        values = [np.broadcast_to(x.value, fresh.shape)[fresh] for x in numbers]
        bound = dict(zip(row.parsed.names, map(Enclosure, values), strict=True))
        borders = [self.kit.run(formula(text), bound).value for text in row.domain]
        domains = [np.broadcast_to(border, values[0].shape) for border in borders]
        marks = []
        for domain, at in zip(zip(*domains, strict=True), zip(*values, strict=True), strict=True):
            cause = left_by(domain)
            marks.append(NONE if cause is None else len(self.left))
            if cause is not None:
                self.left.append(Leaving(self._node, row.name, at, cause))
        return marks

    def shaped(self, x: Tracked, shape: tuple[int, ...]) -> Tracked:
        """The same elements in another shape."""
        return self._marked(super().shaped(x, shape), [x], lambda m: m.reshape(shape))

    def taken(self, parts: Sequence[Tracked], index: Any, shape: tuple[int, ...]) -> Tracked:
        """The elements at some places of arrays in a row, one behind the other."""
        made = super().taken(parts, index, shape)
        return self._marked(made, parts, lambda *m: self._marks.gathered(m, index, shape))

    def totals(self, rows: Tracked) -> Tracked:
        """The sum of each row of a matrix."""
        return self._marked(super().totals(rows), [rows], self._marks.totals)

    def extremes(self, function: str, rows: Tracked) -> Tracked:
        """The largest or smallest of each row of a matrix."""
        return self._marked(super().extremes(function, rows), [rows], self._marks.totals)

    def product(self, a: Tracked, b: Tracked) -> Tracked:
        """Products of matrices, or of stacks of them."""
        return self._marked(super().product(a, b), [a, b], self._marks.matmul)

    def unrolled(self, call: Unrolled) -> Tracked:
        """The value of a call that computes with single elements."""
        marks = self._marks.buffer(call.size)
        marks.write(call.inputs, self._marks.joined([self._of(a) for a in call.args]))
        for group, numbers, y in call.steps():
            troubles = [marks.read(places) for places in group.args]
            found = self._trouble(lookup(group.call.function), numbers, y, troubles)
            if found is not None:
                marks.write(group.places, found)
        made = super().unrolled(call)
        made.trouble = marks.read(call.outputs)
        return made

    def _marked(self, made: Tracked, parts: Sequence[Tracked], move: Callable[..., Any]) -> Tracked:
        """An array with the marks of what it is made of."""
        if any(x.trouble is not None for x in parts):
            made.trouble = move(*map(self._of, parts))
        return made

    def _of(self, x: Tracked) -> Any:
        """The marks of an array."""
        return self._marks.nothing(x.shape) if x.trouble is None else x.trouble
