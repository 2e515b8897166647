"""One element of what is stated of whole arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradcheck_cli.calculus.collecting import Product, Total
from gradcheck_cli.calculus.formulas import is_elementwise
from gradcheck_cli.functions import operators
from gradcheck_cli.language.elements import element
from gradcheck_cli.language.program import Call, Variable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gradcheck_cli.calculus.algebra import Algebra


# Functions that are written, and known again, by their names.
_OUTER = "outer"
_TRANSPOSE = "transpose"
_STACK = "stack"


class Picker:
    """Finds elements of nodes; sums and products of arrays are not written out."""

    def __init__(self, algebra: Algebra) -> None:
        self._algebra = algebra
        self._picked: dict[tuple[int, tuple[int, ...]], int] = {}

    def element(self, place: int, index: Sequence[int]) -> int:
        """The node of the element that a node broadcasts to at an index."""
        shape = self._algebra.shapes[place]
        if not shape:
            return place
        behind = index[len(index) - len(shape) :]
        own = tuple([0 if n == 1 else i for i, n in zip(behind, shape, strict=True)])
        picked = self._picked.get((place, own))
        if picked is None:
            picked = self._picked[place, own] = self._pick(place, own)
        return picked

    def _pick(self, place: int, index: tuple[int, ...]) -> int:
        algebra, node = self._algebra, self._algebra.nodes[place]
        if isinstance(node, Variable):
            return algebra.variable(element(node.name, index))
        if isinstance(node, Product):
            factors = [(self.element(i, index), exponent) for i, exponent in node.factors]
            return algebra.powers(factors, node.coefficient)
        if isinstance(node, Total):
            return algebra.plus([(c, self.element(i, index)) for c, i in node.terms])
        assert isinstance(node, Call)
        if is_elementwise(node.function, node.settings):
            args = [self.element(i, index) for i in node.args]
            return algebra.call(node.function, args, node.settings)
        if node.function == _OUTER:
            row, column = index
            first, second = node.args
            return algebra.times([self.element(first, (row,)), self.element(second, (column,))])
        if node.function == _TRANSPOSE and len(index) == 2:
            return self.element(node.args[0], index[::-1])
        if node.function == _STACK and dict(node.settings) == {"dim": 0}:
            return self.element(node.args[index[0]], index[1:])
        return algebra.call(operators()["[]", 1], [place], (("key", index),))
