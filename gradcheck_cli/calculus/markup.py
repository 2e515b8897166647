"""How parts of a formula are put together as text in the tool's own language."""

from __future__ import annotations

from enum import IntEnum
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from gradcheck_cli.language.text import argument_texts

if TYPE_CHECKING:
    from gradcheck_cli.calculus.collecting import Rational
    from gradcheck_cli.functions.row import Function

_HALF = Fraction(1, 2)


class Binds(IntEnum):
    """How tightly a text binds, as in Python; a product of matrices stands in brackets in one of
    numbers.
    """

    OR, AND, NOT, COMPARED, SUM, JOINED, PRODUCT, MINUS, POWER, ATOM = range(10)


class Piece(NamedTuple):
    """What is written of a node.

    Attributes:
        strength: how tightly it binds.
        negative: whether it begins with a minus.
        exponent: whether nothing may be put above it.
    """

    text: str
    strength: Binds = Binds.ATOM
    negative: bool = False
    exponent: bool = False


class Markup:
    """The text of the language."""

    times = "*"

    def within(self, piece: Piece, strength: Binds) -> str:
        """In brackets if it binds less tightly."""
        return piece.text if piece.strength >= strength else self.brackets(piece.text)

    def within_atom(self, piece: Piece) -> str:
        """In brackets if it is more than a name, a number or a call."""
        return self.within(piece, Binds.ATOM)

    def brackets(self, text: str) -> str:
        """In brackets."""
        return f"({text})"

    def name(self, name: str) -> str:
        """An input or an element of one."""
        return name

    def sign(self, operator: str) -> str:
        """What is written for a sign of the language."""
        return "not " if operator == "not" else operator

    def step(self, condition: str) -> Piece:
        """1 where a condition holds, 0 elsewhere."""
        return Piece(f"[{condition}]")

    def raised(self, base: Piece, exponent: Rational) -> Piece:
        """A power with an exact positive exponent."""
        if exponent == 1:
            return base
        if exponent == _HALF:
            return self.root(base)
        number = str(exponent)
        return self.power(
            base, Piece(number, Binds.ATOM if exponent.denominator == 1 else Binds.PRODUCT)
        )

    def power(self, base: Piece, exponent: Piece) -> Piece:
        """A power."""
        return Piece(
            f"{self.within(base, Binds.ATOM)}**{self.within(exponent, Binds.POWER)}", Binds.POWER
        )

    def root(self, base: Piece) -> Piece:
        """A square root."""
        return Piece(f"sqrt({base.text})")

    def fraction(self, above: list[Piece], below: list[Piece]) -> Piece:
        """Factors over factors."""
        top = self.joined(above)
        if not below:
            return top
        bottom = self.joined(below)
        least = Binds.POWER if len(below) == 1 else Binds.ATOM
        return Piece(
            f"{self.within(top, Binds.JOINED)}/{self.within(bottom, least)}", Binds.PRODUCT
        )

    def joined(self, factors: list[Piece]) -> Piece:
        """Factors side by side; a product of matrices in brackets, but behind a number."""
        if len(factors) == 1:
            return factors[0]
        last = factors[-1]
        if len(factors) == 2 and factors[0].text.isdigit() and last.strength == Binds.JOINED:
            return Piece(f"{factors[0].text}{self.times}{last.text}", Binds.JOINED)
        return Piece(self.times.join(self.within(f, Binds.POWER) for f in factors), Binds.PRODUCT)

    def element(self, array: Piece, key: str) -> Piece:
        """An element, or a part of an array."""
        return Piece(f"{self.within(array, Binds.ATOM)}[{key}]")

    def listed(self, parts: list[Piece]) -> Piece:
        """An array of parts."""
        return Piece(f"[{', '.join(part.text for part in parts)}]")

    def transposed(self, matrix: Piece) -> Piece:
        """A matrix, its rows and columns exchanged."""
        return Piece(f"{self.within(matrix, Binds.ATOM)}.T")

    def applied(self, row: Function, args: list[Piece], settings: list[str]) -> Piece:
        """A function and its arguments."""
        if not row.signature:
            return Piece(row.name)
        texts = [arg.text for arg in args]
        is_variadic = row.parsed.variadic
        words = ", ".join(texts if is_variadic else argument_texts(row, texts))
        inner = ", ".join([f"[{words}]" if is_variadic else words, *settings])
        return Piece(f"{row.name}({inner})")
