"""Whether formulas have a value wherever a program has one, as far as their form tells: what they
divide by, or take a root or a logarithm of, the program divides by too, or it is positive.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from gradcheck_cli.calculus.collecting import Product, Total
from gradcheck_cli.calculus.formulas import is_elementwise, meaning
from gradcheck_cli.functions import lookup
from gradcheck_cli.language.program import Call, Number

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gradcheck_cli.calculus.algebra import Algebra
    from gradcheck_cli.calculus.collecting import Rational
    from gradcheck_cli.language.program import CallSettings

# Functions that are known by their names.
_SUM = "sum"
_EXP = "exp"
_SQRT = "sqrt"
_LOG = "log"


class Bearing:
    """What a program that has a value says of its parts.

    Args:
        outputs: the nodes that have a value.
    """

    def __init__(self, algebra: Algebra, outputs: Iterable[int]) -> None:
        self._algebra = algebra
        self._needed, self._nonzero = set[int](), set[int]()
        self._positive, self._borne = dict[int, bool](), dict[int, bool]()
        stack = list(outputs)
        while stack:
            place = stack.pop()
            if place not in self._needed:
                self._needed.add(place)
                stack += self._learned(place)

    def bears(self, formulas: Iterable[int]) -> bool:
        """Whether formulas have a value there; False where their form does not tell."""
        stack = list(formulas)
        while stack:
            place = stack.pop()
            if place in self._needed or self._borne.get(place):
                continue
            self._borne[place] = self._is_borne(place)
            if not self._borne[place]:
                return False
            stack += self._algebra.parts(place)
        return True

    def _learned(self, place: int) -> list[int]:
        """The parts of a node that have values as it has one; what is learned of them is kept."""
        node = self._algebra.nodes[place]
        if isinstance(node, Product):
            for base, exponent in node.factors:
                if exponent < 0:
                    self._nonzero.add(base)
                    if exponent.denominator != 1:
                        self._positive[base] = True
        if not isinstance(node, Call):
            return self._algebra.parts(place)
        if node.function == _LOG:
            self._positive[node.args[0]] = True
        if lookup(node.function).operator == "if":
            return [node.args[0]]  # of a choice that is made one branch has a value
        passes = node.function == _SUM or is_elementwise(node.function, node.settings)
        return list(node.args) if passes else []

    def _is_borne(self, place: int) -> bool:
        """Whether a node has a value where its parts have."""
        node = self._algebra.nodes[place]
        if isinstance(node, Product):
            return all(self._is_raised(base, exponent) for base, exponent in node.factors)
        if not isinstance(node, Call) or node.function == _SUM:
            return True
        if node.function in (_SQRT, _LOG):
            return self.is_positive(node.args[0])
        return is_elementwise(node.function, node.settings) and is_total(
            node.function, node.settings
        )

    def _is_raised(self, base: int, exponent: Rational) -> bool:
        if exponent.denominator == 1:
            return exponent > 0 or base in self._nonzero or self.is_positive(base)
        return self.is_positive(base)

    def is_positive(self, place: int) -> bool:
        """Whether a number is positive, as far as its form tells."""
        if place not in self._positive:
            self._positive[place] = self._has_positive_form(place)
        return self._positive[place]

    def _has_positive_form(self, place: int) -> bool:
        node = self._algebra.nodes[place]
        if isinstance(node, Number):
            return node.value > 0
        if isinstance(node, Product):
            bases = [base for base, _ in node.factors]
            return node.coefficient > 0 and all(map(self.is_positive, bases))
        if isinstance(node, Total):
            terms = [(c, place, self.is_positive(place)) for c, place in node.terms]
            is_sure = all(c > 0 and (sure or self._is_square(i)) for c, i, sure in terms)
            return is_sure and any(sure for _, _, sure in terms)
        if isinstance(node, Call) and node.function == _SQRT:
            return self.is_positive(node.args[0])
        return isinstance(node, Call) and node.function == _EXP

    def _is_square(self, place: int) -> bool:
        """Whether a number is 0 or positive, being a product of even powers."""
        node = self._algebra.nodes[place]
        return (
            isinstance(node, Product)
            and node.coefficient > 0
            and all(
                (exponent.denominator == 1 and exponent.numerator % 2 == 0)
                or self.is_positive(base)
                for base, exponent in node.factors
            )
        )


@lru_cache(maxsize=1024)
def is_total(function: str, settings: CallSettings) -> bool:
    """Whether a function of numbers has a value for all arguments."""
    row = lookup(function)
    if row.kind != "derived":
        return not row.domain
    nodes = meaning(function, settings).nodes
    return not any(isinstance(node, Call) and lookup(node.function).domain for node in nodes)
