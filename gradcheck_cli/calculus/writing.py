"""Expressions as text in the tool's own language, and as LaTeX.

What is written reads back: a step is `[x > 0]`, which is 1 where it holds and 0 elsewhere.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from gradcheck_cli.calculus.collecting import SINGLE, Product, TooLong, Total, absolute
from gradcheck_cli.calculus.markup import Binds, Piece
from gradcheck_cli.functions import lookup, operators
from gradcheck_cli.language.program import Call, Number, Variable
from gradcheck_cli.language.text import decimal_text, key_text, number_text, setting_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gradcheck_cli.calculus.algebra import Algebra
    from gradcheck_cli.calculus.collecting import Rational
    from gradcheck_cli.calculus.markup import Markup
    from gradcheck_cli.functions.row import Function

# Functions that are written, and known again, by their names.
_TRANSPOSE = "transpose"
_STACK = "stack"
# A longer number below the line is written as a power of ten, where it divides one.
_TEN, _MOST_TENS = 10**7, 100
# Numbers over and below a line that are longer are written as a decimal, in no more characters.
_LONG, _MOST_DIGITS = 1000, 18


class Writer:
    """Writes expressions, each part of them once.

    Args:
        markup: how.
        limit: of characters; more of them are no formula that anybody reads.
    """

    def __init__(self, algebra: Algebra, markup: Markup, limit: float = float("inf")) -> None:
        self._algebra, self._to, self._limit = algebra, markup, limit
        self._written: dict[int, Piece] = {}

    def text(self, place: int) -> str:
        """The text of a node.

        Raises:
            TooLong: a part of it has more characters than are wanted.
        """
        # No recursion over depth: the parts first.
        for i in self._parts_of(place):
            self._piece(i)
        return self._piece(place).text

    def _parts_of(self, place: int) -> list[int]:
        found: set[int] = set()
        stack = [place]
        while stack:
            i = stack.pop()
            if i not in found and i not in self._written:
                found.add(i)
                stack += self._algebra.parts(i)
        return sorted(found)

    def _piece(self, place: int) -> Piece:
        piece = self._written.get(place)
        if piece is None:
            piece = self._written[place] = self._write(place)
            if len(piece.text) > self._limit:
                raise TooLong
        return piece

    def _write(self, place: int) -> Piece:
        node = self._algebra.nodes[place]
        if isinstance(node, Number):
            return self._number(node)
        if isinstance(node, Variable):
            return Piece(self._to.name(node.name))
        if isinstance(node, Product):
            return self._product(node)
        if isinstance(node, Total):
            return self._total(node)
        condition = self._algebra.condition_of(place)
        return self._call(node) if condition is None else self._to.step(self._piece(condition).text)

    def _number(self, node: Number) -> Piece:
        if isinstance(node.value, Fraction) and not node.decimal and node.value.denominator != 1:
            return self._product(Product(node.value, ()))
        text = number_text(node)
        is_negative = text.startswith("-")
        return Piece(text, Binds.MINUS if is_negative else Binds.ATOM, is_negative)

    def _total(self, node: Total) -> Piece:
        together = self._guarded_together(node)
        if together is not None:
            return together
        text, is_negative = "", False
        for coefficient, part in _first_positive(node):
            piece = self._product(Product(absolute(coefficient), _factors(self._algebra, part)))
            inner = (
                self._to.brackets(piece.text)
                if piece.negative
                else self._to.within(piece, Binds.JOINED)
            )
            if text:
                text += f" {'-' if coefficient < 0 else '+'} {inner}"
            else:
                is_negative = coefficient < 0
                text = f"-{inner}" if is_negative else inner
        return Piece(text, Binds.SUM, is_negative)

    def _guarded_together(self, node: Total) -> Piece | None:
        """One choice, where each term needs the same."""
        algebra = self._algebra
        terms = [(c, _factors(algebra, part)) for c, part in node.terms]
        gates = [{i for i, _ in factors if algebra.is_gate(i)} for _, factors in terms]
        if not gates[0] or any(other != gates[0] for other in gates):
            return None
        bare = [(c, [(i, e) for i, e in factors if i not in gates[0]]) for c, factors in terms]
        if all(_is_total(algebra, factors) for _, factors in bare):
            return None
        rest = algebra.plus([(c, algebra.powers(factors)) for c, factors in bare])
        self.text(rest)
        return self._choice(sorted(gates[0]), self._piece(rest))

    def _product(self, node: Product) -> Piece:
        guarded = self._guarded(node)
        return guarded or self._times(node.coefficient, node.factors)

    def _guarded(self, node: Product) -> Piece | None:
        """A choice where what is beside a step may have no value where the step is 0."""
        algebra = self._algebra
        gates = [i for i, _ in node.factors if algebra.is_gate(i)]
        others = [(i, e) for i, e in node.factors if i not in gates]
        if not gates or _is_total(algebra, others):
            return None
        return self._choice(gates, self._times(node.coefficient, others))

    def _choice(self, gates: Sequence[int], rest: Piece) -> Piece:
        """What is there where conditions hold, and 0 elsewhere."""
        joint = f" {self._to.sign('and')} "
        condition = joint.join(self._to.within(self._condition(i), Binds.AND) for i in gates)
        return self._to.applied(
            lookup(operators()["if", 3]), [Piece(condition), rest, Piece("0")], []
        )

    def _condition(self, gate: int) -> Piece:
        condition = self._algebra.condition_of(gate)
        assert condition is not None
        return self._piece(condition)

    def _times(self, coefficient: Rational, factors: Sequence[tuple[int, Rational]]) -> Piece:
        above, below = list[Piece](), list[Piece]()
        for base, exponent in sorted(factors, key=lambda factor: self._rank(factor[0])):
            piece = self._to.raised(self._piece(base), absolute(exponent))
            (above if exponent > 0 else below).append(piece)
        size, decimal = absolute(coefficient), _decimal(absolute(coefficient))
        if decimal:
            above.insert(0, Piece(decimal))
            size = SINGLE
        tens = _tens(size.denominator)
        top = size.numerator * 10**tens // size.denominator if tens else size.numerator
        if top != 1 or not above:
            above.insert(0, Piece(str(top)))
        if size.denominator != 1:
            bottom = self._to.raised(Piece("10"), Fraction(tens)) if tens else None
            below.insert(0, bottom or Piece(str(size.denominator)))
        piece = self._to.fraction(above, below)
        if coefficient > 0:
            return piece
        text = f"-{self._to.within(piece, Binds.JOINED)}"
        return Piece(text, min(piece.strength, Binds.MINUS), negative=True)

    def _rank(self, base: int) -> int:
        """Where a factor is written: numbers, inputs, functions, sums, steps."""
        node = self._algebra.nodes[base]
        if isinstance(node, Call):
            is_step = self._algebra.condition_of(base) is not None
            return 6 if is_step else 4 if node.args else 1
        return {Number: 0, Variable: 2, Product: 5, Total: 5}[type(node)]

    def _call(self, node: Call) -> Piece:
        row, args = lookup(node.function), [self._piece(i) for i in node.args]
        if row.operator == "[]":
            return self._to.element(args[0], key_text(dict(node.settings)["key"]))
        if row.condition and row.operator in ("and", "or"):
            return self._logical(node, row, args)
        if row.condition and len(args) == 2:
            inner = [self._to.within(arg, Binds.SUM) for arg in args]
            return Piece(f"{inner[0]} {self._to.sign(row.operator)} {inner[1]}", Binds.COMPARED)
        if row.operator == "not":
            return Piece(
                f"{self._to.sign('not')}{self._to.within(args[0], Binds.COMPARED)}",
                Binds.NOT,
            )
        if row.operator == "**":
            return self._to.power(args[0], args[1])
        if row.operator in ("@", "%"):
            left, right = (
                self._to.within(args[0], Binds.JOINED),
                self._to.within(args[1], Binds.POWER),
            )
            return Piece(f"{left} {self._to.sign(row.operator)} {right}", Binds.JOINED)
        settings = self._settings(row, node)
        if row.name == _TRANSPOSE and not settings:
            return self._to.transposed(args[0])
        if row.name == _STACK and not settings:
            return self._to.listed(args)
        return self._to.applied(row, args, settings)

    def _logical(self, node: Call, row: Function, args: list[Piece]) -> Piece:
        """A conjunction; of two bounds of the same thing as one chain."""
        chain = self._chain(node) if row.operator == "and" else None
        if chain:
            return Piece(chain, Binds.COMPARED)
        strength = Binds.AND if row.operator == "and" else Binds.OR
        joint = f" {self._to.sign(row.operator)} "
        return Piece(joint.join(self._to.within(arg, strength) for arg in args), strength)

    def _chain(self, node: Call) -> str:
        """What is between two bounds as one comparison; "" for other conditions."""
        pair = [self._order(i) for i in node.args]
        for below, above in (pair, pair[::-1]):
            if below and above and below[2] == above[0]:
                low, middle, high = (
                    self._to.within(self._piece(i), Binds.SUM) for i in (*below[::2], above[2])
                )
                signs = [self._to.sign(sign) for sign in (below[1], above[1])]
                return f"{low} {signs[0]} {middle} {signs[1]} {high}"
        return ""

    def _order(self, condition: int) -> tuple[int, str, int] | None:
        """What is smaller, `<` or `<=`, and what is larger; None for other conditions."""
        node = self._algebra.nodes[condition]
        sign = lookup(node.function).operator if isinstance(node, Call) else ""
        if not isinstance(node, Call) or sign not in ("<", "<=", ">", ">="):
            return None
        x, y = node.args
        return (x, sign, y) if sign.startswith("<") else (y, sign.replace(">", "<"), x)

    def _settings(self, row: Function, node: Call) -> list[str]:
        defaults = row.bound({})
        return [
            f"{name}={setting_text(value)}"
            for name, value in node.settings
            if value != defaults[name] or type(value) is not type(defaults[name])
        ]


def _factors(algebra: Algebra, place: int) -> tuple[tuple[int, Rational], ...]:
    node = algebra.nodes[place]
    if place == algebra.one:
        return ()
    return node.factors if isinstance(node, Product) else ((place, SINGLE),)


def _first_positive(node: Total) -> list[tuple[Rational, int]]:
    """The terms in their order, but none with a minus before all others."""
    first = next((k for k, (coefficient, _) in enumerate(node.terms) if coefficient > 0), 0)
    return [node.terms[first], *node.terms[:first], *node.terms[first + 1 :]]


def _is_total(algebra: Algebra, factors: Iterable[tuple[int, Rational]]) -> bool:
    """Whether powers of nodes have a value wherever their inputs have one."""
    stack = list(factors)
    while stack:
        place, exponent = stack.pop()
        if exponent < 0 or exponent.denominator != 1:
            return False
        node = algebra.nodes[place]
        if isinstance(node, Product):
            stack += node.factors
            continue
        if isinstance(node, Call) and lookup(node.function).domain:
            return False
        stack += [(i, SINGLE) for i in algebra.parts(place)]
    return True


def _decimal(value: Rational) -> str:
    """A long number as the decimal that it is, of a float64 where it has more digits; "" for a
    short one, and for one that is no decimal.
    """
    if value.numerator < _LONG or value.denominator < _LONG:
        return ""
    text = decimal_text(Fraction(value))
    if "/" in text:
        return ""
    return text if len(text) <= _MOST_DIGITS else repr(float(value))


def _tens(number: int) -> int:
    """Which power of ten a long number divides; 0 for a short one, or where it divides none."""
    tens = len(str(number))
    while number >= _TEN and tens < _MOST_TENS and 10**tens % number:
        tens += 1
    return tens if number >= _TEN and 10**tens % number == 0 else 0
