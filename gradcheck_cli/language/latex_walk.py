"""A walk over LaTeX: groups, arguments, brackets."""

from __future__ import annotations

from gradcheck_cli.language.errors import Span
from gradcheck_cli.language.token import Illegible, Token
from gradcheck_cli.language.tokens import Tokens

_DEPTH = 40
_OVER = "\\over"
_OPENED = {")": "(", "}": "{", "⌋": "⌊", "⌉": "⌈"}


def braces_of(text: str) -> dict[int, int]:
    """The place of the brace that closes, for each that opens; escaped ones are none."""
    pairs: dict[int, int] = {}
    opened: list[int] = []
    place = 0
    while place < len(text):
        c = text[place]
        if c == "\\":
            place += 1
        elif c == "{":
            opened.append(place)
        elif c == "}" and opened:
            pairs[opened.pop()] = place
        place += 1
    return pairs


class LatexWalk(Tokens):
    """Goes over a part of a text.

    Attributes:
        stop: where the part ends.
        pairs: the braces of the whole text.
    """

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.depth = 0
        self.pairs: dict[int, int] = {}

    def all(self) -> list[Token]:
        """Every token, and the end.

        Raises:
            Illegible: what is no formula, or has no form in the language.
        """
        while self.position < self.stop:
            self.step()
        if self.brackets or self.position > self.stop:
            raise Illegible
        self.add("end", "", self.stop)
        return self.found

    def inner(self, start: int, stop: int) -> LatexWalk:
        """A walk over a part of this one's text."""
        walk = type(self)(self.text)
        walk.position, walk.stop, walk.pairs = start, stop, self.pairs
        walk.depth = self.depth + 1
        if walk.depth > _DEPTH:
            raise Illegible
        return walk

    def part(self, start: int, stop: int) -> list[Token]:
        """The tokens of a part of the text."""
        return self.inner(start, stop).all()[:-1]

    def blanks(self) -> None:
        """Pass over blanks."""
        while self.position < self.stop and self.text[self.position] in " \t\n":
            self.position += 1

    def closing(self, start: int) -> int:
        """The place of the brace that closes one."""
        place = self.pairs.get(start, self.stop)
        if place >= self.stop:
            raise Illegible
        return place

    def argument(self) -> tuple[list[Token], Span]:
        """The tokens of the next group, or of the next sign alone; and where it stands."""
        self.blanks()
        start = self.position
        if start >= self.stop:
            raise Illegible
        c = self.text[start]
        if c == "{":
            end = self.closing(start)
            found = self.split(start + 1, end)
            self.position = end + 1
        elif c.isdigit():
            self.position += 1
            found = [Token("number", c, Span(start, start + 1))]
        else:
            walk = self.inner(start, self.stop)
            walk.step()
            if walk.brackets:
                raise Illegible
            found, self.position = walk.found, walk.position
        return found, Span(start, self.position)

    def split(self, start: int, stop: int) -> list[Token]:
        """The tokens of a group; of `{x \\over y}` a fraction."""
        at = self.over(start, stop)
        if at < 0:
            return self.part(start, stop)
        span = Span(at, at + len(_OVER))
        sides = self.part(start, at), self.part(at + len(_OVER), stop)
        if not all(sides):
            raise Illegible
        above, under = (
            [Token("open", "{", span), *side, Token("close", "}", span)] for side in sides
        )
        return [*above, Token("glyph", "/", span), *under]

    def over(self, start: int, stop: int) -> int:
        """The place of the `\\over` that parts a group; -1 for none."""
        at = start
        while at < stop:
            if self.text[at] == "{":
                at = self.pairs.get(at, stop)
            elif self.text.startswith(_OVER, at) and not self.text[at + 5 : at + 6].isalpha():
                return at
            at += 1 + (self.text[at : at + 1] == "\\")
        return -1

    def word(self) -> str:
        """The text of the next group, or the next sign alone, as it is written."""
        start = self.position
        if self.text.startswith("{", start):
            self.position = self.closing(start) + 1
            return self.text[start + 1 : self.position - 1]
        self.argument()
        return self.text[start : self.position]

    def place(self, kind: str, text: str, span: Span, *, letter: bool = False) -> None:
        """Keep a token that was read at a span, and go on where the walk is."""
        self.found.append(Token(kind, text, span, self.gap, letter))
        self.gap = False

    def group(self, tokens: list[Token], span: Span) -> None:
        """Tokens in brackets of their own."""
        if not tokens:
            raise Illegible
        self.place("open", "{", Span(span.start, span.start))
        self.found += tokens
        self.place("close", "}", Span(span.end, span.end))

    def bracket(self, sign: str) -> None:
        """A bracket that is written otherwise in the language."""
        if sign not in _OPENED:
            self.brackets.append(sign)
        elif not self.brackets or self.brackets.pop() != _OPENED[sign]:
            raise Illegible
        self.add("close" if sign in _OPENED else "open", sign, self.position + 1)
