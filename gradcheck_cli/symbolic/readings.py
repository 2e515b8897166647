"""What reading a formula's text gives, without the text: SymPy's expression as nodes of our
language, every shared part once.

The text says more than the expression: which factors stand below the line, where a minus is
written, in what order the terms come. A law holds the program that is built here equal to that
which is read from the printed text.
"""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING, Protocol

import sympy

from gradcheck_cli.functions import lookup, table
from gradcheck_cli.language.program import Builder, Number

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gradcheck_cli.language.program import Program
    from gradcheck_cli.symbolic.derivatives import Expression


_HALF, _MINUS = sympy.S.Half, sympy.S.NegativeOne
_INFINITIES = {sympy.oo: float("inf"), -sympy.oo: float("-inf")}


@cache
def _constants() -> dict[Expression, str]:
    """SymPy's form of every constant of the table."""
    rows = [row for row in table().values() if row.sympy is not None and not row.parsed.args]
    return {row.sympy(sympy): row.name for row in rows if row.sympy is not None}


class WrittenOrder(Protocol):
    """How terms and factors are written."""

    def terms(self, total: Expression) -> Sequence[Expression]:
        """Those of a sum, in order."""

    def factors(self, product: Expression) -> Sequence[Expression]:
        """Those of a product, in order."""


class NoReading(Exception):
    """The expression has a part that is no part of our language."""


def reading(expressions: Iterable[Expression], order: WrittenOrder) -> Program:
    """One program whose outputs are the expressions.

    Args:
        order: how terms and factors are written.
    Raises:
        NoReading: there is a part that is no part of our language.
    """
    reader = ExpressionReader(order)
    outputs = [reader.read(expression) for expression in expressions]
    return reader.builder.program(*outputs)


def _is_minus(product: Expression) -> bool:
    """Whether an odd number of its factors are negative: as it stands there may be several."""
    return bool(sum(factor.is_Number and factor.is_negative for factor in product.args) % 2)


class ExpressionReader:
    """Nodes of ours for those of SymPy's.

    Args:
        order: how terms and factors are written.
    """

    def __init__(self, order: WrittenOrder) -> None:
        self.builder = Builder()
        self._order = order
        self._places: dict[Expression, int] = {}

    def read(self, expression: Expression) -> int:
        """The node of an expression."""
        found = self._places.get(expression)
        if found is None:
            found = self._places[expression] = self.place(expression)
        return found

    def below(self, factor: Expression) -> bool:
        """Whether a power is written below the line."""
        return bool(factor.exp.as_coeff_Mul()[0].is_negative)

    def place(self, expression: Expression) -> int:
        """The node of an expression that was not read before.

        Raises:
            NoReading: it is no part of our language.
        """
        if expression.is_Symbol:
            return self._named(expression.name)
        if expression.is_Add:
            return self._sum(expression)
        if expression.is_Mul:
            return self._product(expression, signed=True)
        if expression.is_Pow:
            return self._power(*expression.args)
        if hasattr(expression, "row"):
            return self._call(expression)
        if expression.is_Rational:
            return self._rational(expression)
        if expression in _constants():
            return self.builder.call(_constants()[expression])
        if expression in _INFINITIES:
            return self.builder.number(_INFINITIES[expression])
        raise NoReading(str(expression))

    def _named(self, name: str) -> int:
        if not name[0].isdigit():
            return self.builder.variable(name)
        # A decimal that some dtype rounds is a symbol called by its text.
        if "/" in name:
            raise NoReading(name)
        return self.builder.number(Fraction(name), decimal=True)

    def _rational(self, number: Expression) -> int:
        top = self.builder.number(int(number.p))
        return (
            top
            if number.q == 1
            else self.builder.call("div", top, self.builder.number(int(number.q)))
        )

    def _negated(self, place: int) -> int:
        node = self.builder.nodes[place]
        return (
            self.builder.number(-node.value, decimal=node.decimal)
            if isinstance(node, Number)
            else self.builder.call("neg", place)
        )

    def _sum(self, total: Expression) -> int:
        first, *rest = self._order.terms(total)
        found = self.read(first)
        for term in rest:
            if term.is_Mul and term.args[0].is_Number and _is_minus(term):
                found = self.builder.call("sub", found, self._product(term, signed=False))
            elif term.is_Number and term.is_negative:
                found = self.builder.call("sub", found, self.read(-term))
            else:
                found = self.builder.call("add", found, self.read(term))
        return found

    def _product(self, product: Expression, *, signed: bool) -> int:
        """As `StrPrinter._print_Mul` writes it: a fraction, with the minus before its first factor;
        without it unless `signed`.
        """
        above, below, negative = list[int](), list[int](), False
        for factor in self._order.factors(product):
            if factor.is_Rational:
                negative ^= factor.p < 0
                above += [self.builder.number(abs(int(factor.p)))] if abs(factor.p) != 1 else []
                below += [self.builder.number(int(factor.q))] if factor.q != 1 else []
            elif factor.is_Number and factor.is_negative:
                negative = not negative
                above.append(self.read(-factor))
            elif factor.is_Pow and self.below(factor):
                below.append(self._power(factor.base, -factor.exp))
            else:
                above.append(self.read(factor))
        above = above or [self.builder.number(1)]
        if negative and signed:
            above[0] = self._negated(above[0])
        return (
            self.builder.call("div", self._times(above), self._times(below))
            if below
            else self._times(above)
        )

    def _times(self, factors: list[int]) -> int:
        found = factors[0]
        for factor in factors[1:]:
            found = self.builder.call("mul", found, factor)
        return found

    def _power(self, base: Expression, exponent: Expression) -> int:
        if exponent is sympy.S.One:
            return self.read(base)
        if exponent is _HALF:
            return self.builder.call("sqrt", self.read(base))
        if exponent is _MINUS or exponent == -_HALF:
            return self.builder.call("div", self.builder.number(1), self._power(base, -exponent))
        return self.builder.call("pow", self.read(base), self.read(exponent))

    def _call(self, call: Expression) -> int:
        row = lookup(call.row)
        args = [self.read(arg) for arg in call.args]
        defaults = row.bound({})
        settings = tuple(
            sorted(
                {
                    name: defaults[name] if value == defaults[name] else value
                    for name, value in call.settings
                }.items()
            )
        )
        found = args[: len(row.parsed.args)]
        place = self.builder.call(row.name, *found, settings=settings)
        for arg in args[len(found) :]:
            place = self.builder.call(row.name, place, arg)  # an extreme of many
        return place
