"""Tokens of a text as people paste it: the signs of Python and those of print."""

from __future__ import annotations

import re
from keyword import iskeyword
from typing import TYPE_CHECKING
from unicodedata import normalize

from gradcheck_cli.language.errors import DERIVES, GIVE_FUNCTION, Span
from gradcheck_cli.language.token import Illegible, Token
from gradcheck_cli.language.typography import (
    BLANKS,
    FULL_WIDTH,
    JOINERS,
    SIGNS,
    is_subscript,
    is_superscript,
)

if TYPE_CHECKING:
    from collections.abc import Iterable


# fmt: off
_SIGNS = (
    "**", "//", "==", "<=", ">=", "!=", ":=", "<>", "&&", "->", "+", "-", "*", "/", "@", "%", "<", ">", "=", ",", ":", "&", "~", "!", "±", "°", "∂",
)
# fmt: on
# Those of two characters stand first.
_SIGN = re.compile("|".join(map(re.escape, _SIGNS)))
_ALIKE = {"<>": "!=", "&&": "and"}
_ROOTS = {"√": "2", "∛": "3", "∜": "4"}
_BRACKETS = {"(": ")", "[": "]", "{": "}", "⌊": "⌋", "⌈": "⌉"}
_CLOSING = {close: opening for opening, close in _BRACKETS.items()}
_WORDS = ("if", "else", "and", "or", "not")
_NUMBER = re.compile(
    r"0[xX][0-9a-fA-F_]+|(?:[0-9][0-9_]*(?:\.[0-9_]*)?|\.[0-9][0-9_]*)(?:[eE][+\-−–]?[0-9]+)?"
)
_STRING = re.compile(r"""['"’‘“”][^'"’‘“”\\\n]*['"’‘“”]""")
_PLAIN_QUOTES = {ord(c): SIGNS[c] for c in "’‘“”"}
_BELOW = re.compile(r"\{\w+(?:\s*,\s*\w+)*\}")
_ORDER = re.compile(r"_(?:\{\s*([0-9]+|inf|infty|F|∞)\s*\}|([0-9]+|inf(?:ty|inity)?|F|∞)(?!\w))")
_ATTRIBUTE = re.compile(r"\.\s*([A-Za-z_]\w*)")
_LAMBDA = re.compile(r"lambda\s+\w+(?:\s*,\s*\w+)*\s*:")


def _continues(c: str) -> bool:
    """Whether a character may stand in a name behind its first."""
    return f"a{c}".isidentifier() and not is_superscript(c) and c not in SIGNS


class Tokens:
    """Walks a text once, from left to right."""

    def __init__(self, text: str) -> None:
        self.text = text.translate(FULL_WIDTH)
        self.position, self.stop = 0, len(text)
        self.found: list[Token] = []
        self.brackets: list[str] = []
        self.gap = False

    def all(self) -> list[Token]:
        """Every token, and the end.

        Raises:
            Illegible: a character that no formula holds, or a bracket without its partner.
        """
        while self.position < self.stop:
            self.step()
        if self.brackets:
            raise Illegible
        self.add("end", "", len(self.text))
        return self.found

    def add(self, kind: str, text: str, end: int, *, letter: bool = False) -> None:
        """Keep a token that ends there, and go on behind it."""
        span = Span(min(self.position, end), end)
        self.found.append(Token(kind, text, span, self.gap, letter))
        self.gap, self.position = False, end

    def step(self) -> None:
        """The next token, or what stands between tokens."""
        c = self.text[self.position]
        if c in BLANKS or (c == "\n" and self.brackets):
            self.gap, self.position = True, self.position + 1
        elif c in JOINERS:
            self.position += 1
        elif c == "#":
            end = self.text.find("\n", self.position)
            self.position = len(self.text) if end < 0 else end
        elif c in "\n;":
            if self.brackets:
                raise Illegible
            self.add("end", c, self.position + 1)
        elif number := _NUMBER.match(self.text, self.position):
            digits = number[0].replace("−", "-").replace("–", "-")
            self.add("number", digits, number.end())
        elif is_superscript(c):
            self.superscript()
        elif is_subscript(c) and not c.isidentifier():
            self.subscript()
        elif c == "_" and self.found and not self.gap and self.found[-1].kind == "doublebar":
            self.order()
        elif c.isidentifier() and c not in SIGNS:
            self.name()
        else:
            self.sign(c)

    def name(self) -> None:
        """A name with its subscripts, a keyword, or what `π` is a part of."""
        start = end = self.position
        while end < len(self.text) and _continues(self.text[end]):
            end += 1
        if self.text[start:end].endswith("_") and self.text[end : end + 1] == "{":
            end = self._braced(end)
        while end < len(self.text) and is_subscript(self.text[end]):
            end += 1
        word = re.sub(r"[{}\s]", "", normalize("NFKC", self.text[start:end])).replace(",", "_")
        if not word.isidentifier():
            raise Illegible  # a subscript such as n+1
        self.words(word, end)
        if is_subscript(self.text[end - 1]) and self.found:
            self.found[-1] = self.found[-1]._replace(lowered=True)

    def _braced(self, start: int) -> int:
        match = _BELOW.match(self.text, start)
        if match is None:
            raise Illegible
        return match.end()

    def words(self, word: str, end: int) -> None:
        """Keep a name, or what else a word is."""
        if word in _WORDS:
            self.add("glyph", word, end)
        elif word == "lambda":
            is_function = _LAMBDA.match(self.text, self.position)
            self.add(
                "glyph" if is_function else "name", "lambda" if is_function else "lambda_", end
            )
        elif iskeyword(word) and word not in ("True", "False", "None"):
            raise Illegible
        elif "π" in word and "_" not in word and not re.search("π[0-9]", word):
            *parts, last = re.findall("π|[^π]+", word)
            for part in parts:
                self.add("name", "pi" if part == "π" else part, self.position + len(part))
            self.add("name", "pi" if last == "π" else last, end)
        else:
            self.add("name", word, end)

    def superscript(self) -> None:
        """A power, or what transposes."""
        start, end = self.position, self.position
        while end < len(self.text) and is_superscript(self.text[end]):
            end += 1
        raised = normalize("NFKC", self.text[start:end]).replace("−", "-")
        if raised == "T":
            self.add("attribute", raised, end)
            return
        self.add("glyph", "**", start)
        self.within(raised, end)

    def within(self, text: str, end: int) -> None:
        """The tokens of a text of its own, in brackets, all at one place."""
        start = self.position
        inner = type(self)(text).all()[:-1]
        if not inner:
            raise Illegible
        span = Span(start, end)
        self.found.append(Token("open", "{", span))
        for kind, word, _, gap, letter, lowered in inner:
            self.found.append(Token(kind, word, span, gap, letter, lowered))
        self.found.append(Token("close", "}", span))
        self.position = end

    def subscript(self) -> None:
        """That of what is no name: of a norm."""
        end = self.position
        while end < len(self.text) and is_subscript(self.text[end]):
            end += 1
        self.add("sub", normalize("NFKC", self.text[self.position : end]), end)

    def order(self) -> None:
        """Which norm it is: `||x||_2`, `‖x‖_{inf}`.

        Raises:
            Illegible: none that is read.
        """
        match = _ORDER.match(self.text, self.position)
        if match is None:
            span = Span(self.position, self.position + 1)
            raise Illegible("which norm this is is not read", span, "for example `norm(x, 2)`")
        word = match[1] or match[2]
        self.add("sub", "inf" if word in ("∞", "infty", "infinity") else word, match.end())

    def sign(self, c: str) -> None:
        """A sign, a bracket, a fraction in one character, a text in quotes."""
        at = self.position
        alike = SIGNS.get(c) or normalize("NFKC", c)
        if alike in ("'", '"', "′"):
            self.quoted()
        elif c in _ROOTS:
            self.add("root", _ROOTS[c], at + 1)
        elif c == "∞":
            self.add("name", "inf", at + 1)
        elif "⁄" in alike and alike != c:
            self.fraction(alike)
        elif alike in _BRACKETS:
            self.brackets.append(alike)
            self.add("open", alike, at + 1)
        elif alike in _CLOSING:
            if not self.brackets or self.brackets.pop() != _CLOSING[alike]:
                raise Illegible
            self.add("close", alike, at + 1)
        elif c == "|" and self.text.startswith("||", at):
            self.add("doublebar", "||", at + 2)
        elif alike in ("|", "‖"):
            self.add("bar" if alike == "|" else "doublebar", alike, at + 1)
        elif alike == ".":
            self.dot()
        else:
            self._operator(alike)

    def _operator(self, alike: str) -> None:
        if alike == "⁄":
            alike = "/"
        match = _SIGN.match(self.text, self.position)
        longest = match[0] if match else ""
        if alike == "⊤":
            if self.found and self.found[-1].text == "**":
                del self.found[-1]
            self.add("attribute", "T", self.position + 1)
        elif longest and len(longest) > 1:
            self.add("glyph", _ALIKE.get(longest, longest), self.position + len(longest))
        elif alike in _SIGNS or alike in _WORDS:
            self.add("glyph", alike, self.position + 1)
        else:
            raise Illegible

    def fraction(self, alike: str) -> None:
        """A character such as `½`; behind a number it is added to it, as in `2½`."""
        last = self.found[-1] if self.found else None
        is_mixed = last is not None and last.kind == "number" and not self.gap
        end, text = self.position + 1, alike.replace("⁄", "/")
        if not is_mixed:
            self.within(text, end)
            return
        assert last is not None
        del self.found[-1]
        self.position, self.gap = last.span.start, last.gap
        self.within(f"{last.text} + {text}", end)

    def quoted(self) -> None:
        """A text in quotes; behind a name what primes it.

        Raises:
            Illegible: a derivative.
        """
        last = self.found[-1] if self.found else None
        if last is not None and last.kind == "name" and not self.gap:
            span = Span(last.span.start, self.position + 1)
            raise Illegible(DERIVES, span, GIVE_FUNCTION)
        self.string()

    def string(self) -> None:
        """A text in quotes, for a setting."""
        match = _STRING.match(self.text, self.position)
        plain = match[0].translate(_PLAIN_QUOTES) if match else ""
        if match is None or plain[0] != plain[-1]:
            raise Illegible
        self.add("string", plain, match.end())

    def dot(self) -> None:
        """An attribute, an ellipsis, or the full stop of a sentence."""
        match = _ATTRIBUTE.match(self.text, self.position)
        if match:
            self.add("attribute", match[1], match.end())
        elif self.text.startswith("...", self.position):
            self.add("name", "...", self.position + 3)
        elif not self.text[self.position + 1 : self.stop].strip():
            self.position += 1
        else:
            raise Illegible


def bars_apart(tokens: Iterable[Token]) -> list[Token]:
    """Tokens with two bars in place of each double one, as in `|x||y|`."""
    found: list[Token] = []
    for token in tokens:
        if token.text == "||":
            start, end = token.span
            first = Token("bar", "|", Span(start, start + 1), token.gap)
            found += (first, Token("bar", "|", Span(start + 1, end)))
        else:
            found.append(token)
    return found
