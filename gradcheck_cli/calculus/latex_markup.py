"""How parts of a formula are put together as LaTeX."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gradcheck_cli.calculus.markup import Markup, Piece
from gradcheck_cli.language.naming import is_greek

if TYPE_CHECKING:
    from gradcheck_cli.functions.row import Function

_NAME = re.compile(r"(\w+?)_?(\d*)(?:\[(.*)\])?")
_BETWEEN_NUMBERS = re.compile(r"(?<=[\d.]) (?=\d)")
_SIGNS = {
    "<=": r"\le", ">=": r"\ge", "==": "=", "!=": r"\ne", "and": r"\land", "or": r"\lor",
    "not": r"\lnot ", "%": r"\bmod", "@": r"\,",
}  # fmt: skip


class LaTeX(Markup):
    """The same in LaTeX."""

    times = " "

    def brackets(self, text: str) -> str:
        """Brackets that grow."""
        return rf"\left({text}\right)"

    def name(self, name: str) -> str:
        """A letter, a Greek one for its name; numbers behind it and an index below the line."""
        found = _NAME.fullmatch(name)
        if found is None:
            return rf"\mathit{{{_escaped(name)}}}"
        word, digits, index = found.groups()
        letter = f"\\{word}" if is_greek(word) and len(word) > 1 else word
        if len(word) > 1 and not is_greek(word):
            letter = rf"\mathit{{{_escaped(word)}}}"
        below = ",".join(part for part in (digits, index) if part)
        return f"{letter}_{{{below}}}" if below else letter

    def sign(self, operator: str) -> str:
        """The sign in LaTeX."""
        return _SIGNS.get(operator, operator)

    def step(self, condition: str) -> Piece:
        """Iverson's bracket."""
        return Piece(rf"\left[{condition}\right]")

    def power(self, base: Piece, exponent: Piece) -> Piece:
        """With the exponent above."""
        return Piece(f"{self.atom(base)}^{{{exponent.text}}}", exponent=True)

    def root(self, base: Piece) -> Piece:
        """Under a root sign."""
        return Piece(rf"\sqrt{{{base.text}}}")

    def fraction(self, above: list[Piece], below: list[Piece]) -> Piece:
        """One above the other."""
        top = self.joined(above)
        if not below:
            return top
        return Piece(rf"\frac{{{top.text}}}{{{self.joined(below).text}}}", exponent=True)

    def joined(self, factors: list[Piece]) -> Piece:
        """Side by side, with a dot between numbers."""
        piece = super().joined(factors)
        text = _BETWEEN_NUMBERS.sub(lambda _: r" \cdot ", piece.text)
        return piece if text == piece.text else piece._replace(text=text)

    def element(self, array: Piece, key: str) -> Piece:
        """With the index below."""
        return Piece(f"{{{self.atom(array)}}}_{{{key}}}")

    def listed(self, parts: list[Piece]) -> Piece:
        """In brackets that grow."""
        return Piece(rf"\left[{', '.join(part.text for part in parts)}\right]")

    def transposed(self, matrix: Piece) -> Piece:
        """With a T above."""
        return Piece(f"{self.atom(matrix)}^{{T}}", exponent=True)

    def atom(self, piece: Piece) -> str:
        """What may have something above or below it."""
        return self.brackets(piece.text) if piece.exponent else self.within_atom(piece)

    def applied(self, row: Function, args: list[Piece], settings: list[str]) -> Piece:
        """A function by its name or its form."""
        texts = [arg.text for arg in args]
        if "%s" in row.latex:
            return Piece(row.latex % tuple(texts), exponent="^" in row.latex)
        if not row.signature:
            return Piece(rf"\{row.name}" if is_greek(row.name) else row.name)
        name = row.latex or rf"\operatorname{{{_escaped(row.name)}}}"
        words = [_escaped(setting) for setting in settings]
        return Piece(rf"{name}\left({', '.join([*texts, *words])}\right)")


def _escaped(text: str) -> str:
    return text.replace("_", r"\_")
