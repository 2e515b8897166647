"""A place among the tokens of a pasted formula, what brackets hold, and what is in doubt."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from gradcheck_cli.language.errors import Span
from gradcheck_cli.language.terms import Term
from gradcheck_cli.language.token import Illegible, Token

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gradcheck_cli.language.naming import Naming

# Python's own grammar bears some 90; each level takes about a dozen frames here.
_DEPTH = 40
_CLOSES = {"(": ")", "[": "]", "{": "}", "⌊": "⌋", "⌈": "⌉"}


class Doubt(NamedTuple):
    """What has two meanings: where, and in words."""

    span: Span
    message: str


class Brackets(NamedTuple):
    """What is known of each token before anything is read.

    Attributes:
        lists: whether a bracket holds a comma, or nothing.
        partners: whether another bar stands behind a bar, within the same brackets.
    """

    lists: list[bool]
    partners: list[bool]


def brackets_of(tokens: Sequence[Token]) -> Brackets:
    """One walk over the tokens."""
    lists, partners = [False] * len(tokens), [False] * len(tokens)
    opened: list[int] = []
    bars: list[dict[str, int]] = [{}]
    for i, token in enumerate(tokens):
        if token.kind == "open":
            opened.append(i)
            bars.append({})
            lists[i] = tokens[i + 1].kind == "close"
        elif token.kind == "close":
            opened.pop()
            bars.pop()
        elif (token.kind, token.text) == ("glyph", ",") and opened:
            lists[opened[-1]] = True
        elif token.kind in ("bar", "doublebar"):
            partners[bars[-1].get(token.kind, i)] = token.kind in bars[-1]
            bars[-1][token.kind] = i
    return Brackets(lists, partners)


class Cursor:
    """Goes over tokens from left to right, once."""

    def __init__(self, tokens: Sequence[Token], naming: Naming) -> None:
        self.tokens, self.naming = tokens, naming
        self.brackets = brackets_of(tokens)
        self.at = self.depth = 0
        # Kinds of bars that are open within the brackets that are.
        self.open: list[str] = []
        self.in_exponent = False
        self.doubts: list[Doubt] = []

    @property
    def next(self) -> Token:
        """The token that is to be read."""
        return self.tokens[self.at]

    @property
    def ahead(self) -> Token:
        """The token behind it; the last one is the end."""
        return self.tokens[min(self.at + 1, len(self.tokens) - 1)]

    def take(self, kind: str, text: str = "") -> Token:
        """The next token, which must be this.

        Raises:
            Illegible: it is another one.
        """
        token = self.next
        if token.kind != kind or (text and token.text != text):
            raise Illegible
        self.at += 1
        return token

    def is_next(self, kind: str, *texts: str) -> bool:
        """Whether the next token is one of these."""
        return self.next.kind == kind and (not texts or self.next.text in texts)

    def since(self, start: int) -> Span:
        """From a place to the end of the last token."""
        return Span(start, self.tokens[self.at - 1].span.end)

    def deeper(self) -> None:
        """One level more.

        Raises:
            Illegible: it is one too many.
        """
        self.depth += 1
        if self.depth > _DEPTH:
            raise Illegible

    def doubt(self, span: Span, message: str, *options: Term) -> Term:
        """A term with several meanings."""
        self.doubts.append(Doubt(span, message))
        return Term("choice", span, "", options)

    def inside(self, opening: Token) -> list[Term]:
        """What stands between brackets, up to the one that closes; bars and exponents outside rest
        meanwhile.
        """
        before, self.open = self.open, []
        exponent, self.in_exponent = self.in_exponent, False
        parts: list[Term] = []
        while not self.is_next("close"):
            parts.append(self.item(opening))
            if not self.is_next("glyph", ","):
                break
            self.at += 1
        self.take("close", _CLOSES[opening.text])
        self.open, self.in_exponent = before, exponent
        return parts

    def item(self, opening: Token) -> Term:
        """An argument, named or not; in square brackets also a slice."""
        name = self.next
        if name.kind == "name" and (self.ahead.kind, self.ahead.text) == ("glyph", "="):
            self.at += 2
            value = self.expression()
            return Term("keyword", Span(name.span.start, value.span.end), name.text, (value,))
        if opening.text != "[":
            return self.expression()
        bounds: list[Term | None] = [None if self.is_next("glyph", ":") else self.expression()]
        while self.is_next("glyph", ":") and len(bounds) < 3:
            self.at += 1
            is_empty = self.is_next("glyph", ":", ",") or self.is_next("close")
            bounds.append(None if is_empty else self.expression())
        if len(bounds) == 1 and bounds[0] is not None:
            return bounds[0]
        return Term("slice", self.since(name.span.start), "", tuple(bounds))

    def expression(self) -> Term:
        """All that binds: `Grammar` knows how."""
        raise NotImplementedError
