"""Tokens of LaTeX: a subset that states formulas, as the tokens that other pasted texts have."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gradcheck_cli.functions import constants, names
from gradcheck_cli.language.errors import Span, elide
from gradcheck_cli.language.latex_cases import where_of_cases
from gradcheck_cli.language.latex_commands import (
    ACCENTS,
    BARS,
    BRACKETS,
    FONTS,
    FRACTIONS,
    FRAMES,
    GLYPHS,
    LETTERS,
    RADICALS,
    REFUSED,
    SPACES,
)
from gradcheck_cli.language.latex_walk import LatexWalk, braces_of
from gradcheck_cli.language.naming import is_greek
from gradcheck_cli.language.token import Illegible, Token

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_COMMAND = re.compile(r"\\([A-Za-z]+\*?|.)", re.DOTALL)
_WORD = re.compile(r"\{\s*([A-Za-z][A-Za-z0-9_]*)\s*\}")
_PLAIN = re.compile(r"\\(?:math\w+|text\w*|operatorname)\s*\{([^{}]*)\}")
_RUN = re.compile(r"[A-Za-z]+")
# A run of more letters is a word.
_LONGEST = 3
_DIGITS = re.compile(r"[0-9]+")
_WRAPS = re.compile(r"\s*(?:\$\$?|\\\(|\\\[)(.*?)(?:\$\$?|\\\)|\\\])\s*[.,;]?\s*", re.DOTALL)


def is_latex(text: str) -> bool:
    """Whether a text is to be read as LaTeX: it has commands, or stands between dollars."""
    return bool(re.search(r"\\(?:[A-Za-z]|[(\[|{,;:!])", text)) or text.strip()[:1] == "$"


class LatexTokens(LatexWalk):
    """Walks a text of LaTeX once."""

    def step(self) -> None:
        """The next token, or what stands between tokens."""
        c = self.text[self.position]
        if c == "\\":
            self.command()
        elif c == "%":
            end = self.text.find("\n", self.position)
            self.position = self.stop if end < 0 else end
        elif c in "&~\n":
            self.gap, self.position = True, self.position + 1
        elif c == "{" and self.over(self.position + 1, self.pairs.get(self.position, 0)) > 0:
            self.group(*self.argument())
        elif c == "^":
            self.superscripted()
        elif c == "_":
            self.subscripted()
        elif c in "[]":
            self.bracket("(" if c == "[" else ")")
        elif c.isascii() and c.isalpha():
            self.letters()
        elif c == "'":
            self.quoted()
        elif c in "#$":
            raise Illegible
        else:
            super().step()

    def letters(self) -> None:
        """A function's name, or letters that each stand for themselves."""
        run = _RUN.match(self.text, self.position, self.stop)
        assert run is not None
        word = run[0]
        if len(word) > 1 and word in names():
            self.add("name", word, run.end())
        elif len(word) > _LONGEST:
            message = f"in LaTeX `{elide(word)}` is a product of {len(word)} letters"
            raise Illegible(message, Span(*run.span()), "a name is written `\\mathrm{name}`")
        else:
            self.add("name", word[0], self.position + 1, letter=word[0] not in constants())

    def superscripted(self) -> None:
        """A power, what transposes, or degrees."""
        start = self.position
        self.position += 1
        self.blanks()
        digits = _DIGITS.match(self.text, self.position, self.stop)
        sign: list[Token] = []
        if self.text[self.position : self.position + 1] in ("-", "−"):
            self.position += 1
            sign = [Token("glyph", "-", Span(self.position - 1, self.position))]
        if digits:  # `x^10`, where TeX would raise the 1 alone
            self.position = digits.end()
            tokens, span = [Token("number", digits[0], Span(*digits.span()))], Span(*digits.span())
        else:
            tokens, span = self.argument()
        if len(tokens) == 1 and tokens[0].text in ("⊤", "°"):
            is_turned = tokens[0].text == "⊤"
            kind, text = ("attribute", "T") if is_turned else ("glyph", "°")
            self.place(kind, text, Span(start, span.end))
            return
        self.place("glyph", "**", Span(start, start + 1))
        self.group([*sign, *tokens], span)

    def subscripted(self) -> None:
        """A part of the name before it, the base of a logarithm, the order of a norm."""
        start = self.position
        self.position += 1
        self.blanks()
        word = _PLAIN.sub(r"\1", _PLAIN.sub(r"\1", self.word()))
        below = re.sub(r"[\s{}\\]", "", word).replace(",", "_")
        if not self.found or not re.fullmatch(r"\w+", below):
            raise Illegible
        last, span = self.found[-1], Span(start, self.position)
        if last.kind == "name":
            whole = last.span._replace(end=self.position)
            is_letter = last.letter or last.text in constants()
            self.found[-1] = last._replace(
                text=f"{last.text}_{below}", span=whole, letter=is_letter
            )
        elif last.kind in ("bar", "doublebar"):
            self.place("sub", below, span)
        else:
            raise Illegible

    def command(self) -> None:
        """What a backslash begins."""
        match, start = _COMMAND.match(self.text, self.position, self.stop), self.position
        if match is None:
            raise Illegible
        word, span = match[1], Span(*match.span())
        self.position = match.end()
        if word[-1].isalpha():  # TeX takes the blanks behind a command's name
            self.blanks()
        if word in GLYPHS:
            self.place("glyph", GLYPHS[word], span)
        elif word in BARS:
            self.place(*BARS[word], span)
        elif word in BRACKETS:
            end = self.position
            self.position = start
            self.bracket(BRACKETS[word])
            self.position = end
        elif word in SPACES:
            self.gap = True
        elif word in _CONSTRUCTS:
            _CONSTRUCTS[word](self, span)
        elif word in ACCENTS:
            self.accented(word, span)
        else:
            self.named(word, span)

    def named(self, word: str, span: Span) -> None:
        """A letter of the Greek alphabet, or a function."""
        greek = word.removeprefix("var")
        if word in LETTERS or word in constants():
            self.place("name", LETTERS.get(word, word), span)
        elif is_greek(greek):
            self.place("name", "lambda_" if greek == "lambda" else greek, span, letter=True)
        elif len(word) > 1 and word in names():
            self.place("name", word, span)
        else:
            way_out = "write it in the language; `gradcheck functions` lists all functions"
            raise Illegible(f"`\\{elide(word)}` is not read", span, way_out)

    def refused(self, span: Span) -> None:
        """What has an index or limits of its own."""
        word = self.text[slice(*span)]
        way_out = "write it out, or with a function of tensors such as `sum(x**2)`"
        raise Illegible(f"`{word}` is not part of the language", span, way_out)

    def delimiter(self, span: Span) -> None:
        """What stands behind `\\left` or `\\right`."""
        is_left = self.text.startswith("\\left", span.start)
        side, c = "(" if is_left else ")", self.text[self.position : self.position + 1]
        if c == ".":
            self.position += 1
        elif c == "|":
            self.add("bar", side, self.position + 1)
        elif self.text.startswith("\\|", self.position):
            self.add("doublebar", side, self.position + 2)
        elif c and c in "()[]":
            self.bracket("(" if c in "([" else ")")
        elif c == "\\":
            self.command()
        else:
            raise Illegible

    def font(self, _: Span) -> None:
        """A word in letters of its own, which is one name; or what is merely printed otherwise."""
        start = self.position
        word = _WORD.match(self.text, start, self.stop)
        if word is not None:
            self.position = word.end()
            is_letter = len(word[1]) == 1 and word[1] not in constants()
            self.place("name", word[1], Span(start, word.end()), letter=is_letter)
            return
        tokens, _ = self.argument()
        self.found += tokens
        self.gap = self.gap or not tokens

    def accented(self, word: str, span: Span) -> None:
        """`\\hat{x}` as `x_hat`."""
        tokens, place = self.argument()
        if len(tokens) != 1 or tokens[0].kind != "name":
            raise Illegible
        name = f"{tokens[0].text}_{word.removeprefix('wide')}"
        self.place("name", name, Span(span.start, place.end), letter=True)

    def quotient(self, span: Span) -> None:
        """`\\frac{a}{b}`."""
        above, first = self.argument()
        under, second = self.argument()
        whole = Span(span.start, second.end)
        heads = [tokens[0].text if tokens else "" for tokens in (above, under)]
        is_slope = heads[0] == heads[1] and heads[0] in ("d", "∂") and len(under) > 1
        if is_slope:
            self.slope(above, under, whole)
            return
        self.place("open", "{", Span(span.start, span.start))
        self.group(above, first)
        self.place("glyph", "/", whole)
        self.group(under, second)
        self.place("close", "}", Span(second.end, second.end))

    def slope(self, above: list[Token], under: list[Token], span: Span) -> None:
        """`\\frac{d}{dx}`, told as `d/dx` is."""
        for tokens, sign in ((above, "/"), (under, "")):
            self.place("name", "d" + "".join(t.text for t in tokens[1:] if t.kind == "name"), span)
            if any(token.text == "2" for token in tokens):
                self.place("glyph", "**", span)
                self.place("number", "2", span)
            if sign:
                self.place("glyph", sign, span)

    def radical(self, span: Span) -> None:
        """`\\sqrt{x}`, `\\sqrt[3]{x}`."""
        order: list[Token] = []
        if self.text.startswith("[", self.position):
            end = self.text.find("]", self.position, self.stop)
            if end < 0:
                raise Illegible
            order = self.part(self.position + 1, end)
            self.position = end + 1
        inner, place = self.argument()
        degree = order[0].text if len(order) == 1 else ""
        if not order or degree in ("2", "3", "4"):
            self.place("root", degree or "2", span)
            self.group(inner, place)
            return
        self.group(inner, place)
        self.place("glyph", "**", span)
        part = [Token("number", "1", span), Token("glyph", "/", span), Token("open", "{", span)]
        self.group([*part, *order, Token("close", "}", span)], span)

    def line(self, span: Span) -> None:
        """`\\\\`, the end of a line."""
        self.place("end", "\n", span)

    def environment(self, span: Span) -> None:
        """`\\begin{...}`: a frame is passed over, cases are `where`."""
        name = self.word()
        if name == "cases" and self.text.startswith("\\begin", span.start):
            tokens, self.position = where_of_cases(self, span)
            self.found += tokens
        elif name not in FRAMES:
            message = f"`{elide(name)}` is no environment that is read"
            raise Illegible(message, Span(span.start, self.position))


_CONSTRUCTS: Mapping[str, Callable[[LatexTokens, Span], None]] = {
    **dict.fromkeys(FONTS, LatexTokens.font),
    **dict.fromkeys(FRACTIONS, LatexTokens.quotient),
    **dict.fromkeys(REFUSED, LatexTokens.refused),
    **dict.fromkeys(("left", "right"), LatexTokens.delimiter),
    **dict.fromkeys(("begin", "end"), LatexTokens.environment),
    **dict.fromkeys(RADICALS, LatexTokens.radical),
    "\\": LatexTokens.line,
}


def latex_tokens(text: str) -> list[Token]:
    """Every token of a text of LaTeX, and the end.

    Raises:
        Illegible: what is no formula, or has no form in the language.
    """
    walk = LatexTokens(text)
    walk.pairs = braces_of(text)
    wrapped = _WRAPS.fullmatch(text)
    if wrapped is not None:
        walk.position, walk.stop = wrapped.span(1)
    return walk.all()
