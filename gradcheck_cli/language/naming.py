"""What a name of a pasted formula stands for: a function, a letter, several of them."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING
from unicodedata import lookup as character

from gradcheck_cli.functions import constants, lookup, names
from gradcheck_cli.language.errors import Span
from gradcheck_cli.language.token import Token

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Sequence

# Letters that name a function where they are applied.
_APPLIED = {
    **dict.fromkeys(("σ", "sigma"), "sigmoid"), **dict.fromkeys(("Γ", "Gamma"), "gamma"),
    **dict.fromkeys(("Φ", "Phi"), "ndtr"), "ψ": "digamma",
}  # fmt: skip
_LETTER = re.compile(r"[^\W\d_](?:\d+|_\w+)?")
_BASE = re.compile(r"([A-Za-z]+)_?(\w+)")
# No name of more letters is looked at as several names side by side.
_LONGEST = 24


@cache
def is_greek(word: str) -> bool:
    """Whether a word is the name of a Greek letter."""
    letter = word.rstrip("_").upper().replace("LAMBDA", "LAMDA")  # as Unicode spells it
    try:
        return bool(character(f"GREEK SMALL LETTER {letter}"))
    except KeyError:
        return False


def is_variable_like(word: str) -> bool:
    """Whether a name is such as people give to numbers: a letter, with a subscript or without."""
    return bool(_LETTER.fullmatch(word)) or is_greek(word)


def takes_base(row: str) -> bool:
    """Whether a function is the logarithm, which has kin of base 2 and 10."""
    return all(f"{row}{base}" in names() for base in (2, 10))


class Naming:
    """The names of one formula.

    Attributes:
        seen: those that stand somewhere without a bracket behind them, as numbers do.
    """

    def __init__(self, tokens: Sequence[Token]) -> None:
        pairs = zip(tokens, [*tokens[1:], tokens[-1]], strict=True)
        self.seen = {
            here.text
            for here, behind in pairs
            if here.kind == "name" and (behind.kind, behind.text) != ("open", "(")
        }

    def called(self, token: Token) -> str:
        """The function that is meant by a name with a bracket behind it; "" for none."""
        word = token.text
        if word in _APPLIED:
            return "" if word in self.seen else _APPLIED[word]
        if token.letter:
            return ""
        if word in names():
            return "" if word in constants() else word
        lower = word.lower()
        return lower if len(word) > 2 and lower in names() else ""

    def bare(self, token: Token) -> str:
        """The function that is meant by a name with its argument behind it, without brackets."""
        word = token.text
        if token.letter or len(word) < 2 or is_greek(word) or word not in names():
            return ""
        row = lookup(names()[word])
        args = row.parsed.args
        is_one = len(args) == 1 and not row.parsed.settings and not args[0].kind
        return word if is_one and row.kind != "structural" and not row.operator else ""

    def inverse(self, word: str) -> str:
        """The function that undoes another, by its name; "" where there is none."""
        row = names().get(word, word)
        return next((name for name in (f"a{row}", f"arc{row}") if name in names()), "")

    def base(self, token: Token) -> tuple[str, str]:
        """The logarithm and its base that a name such as `log_2` means; of none ("", "")."""
        match = None if token.text in names() else _BASE.fullmatch(token.text)
        for k in range(len(match[1]), 0, -1) if match else ():
            word, rest = token.text[:k], token.text[k:].lstrip("_")
            if rest and names().get(word) and takes_base(names()[word]) and "_" in token.text:
                return word, rest
        return "", ""


def split(tokens: Iterable[Token], known: Container[str], naming: Naming) -> list[Token]:
    """Tokens with those names taken apart that are several known ones side by side.

    Args:
        known: names that stand for numbers.
    """
    found: list[Token] = []
    rows = list(tokens)
    for token, behind in zip(rows, [*rows[1:], rows[-1]], strict=True):
        is_called = (behind.kind, behind.text) == ("open", "(")
        is_name = token.kind == "name" and token.text not in known and not token.lowered
        is_name = is_name and not (is_called and naming.called(token))
        parts = _parts(token.text, known, naming, is_called) if is_name else []
        at = token.span.start
        for k, part in enumerate(parts if len(parts) > 1 else ()):
            end = token.span.end if k == len(parts) - 1 else at + len(part)
            kind = "number" if part.isdecimal() else "name"
            span = token.span._replace(start=at, end=end)
            found.append(Token(kind, part, span, token.gap and k == 0))
            at = end
        if len(parts) < 2:
            found.append(token)
    return found


def _parts(word: str, known: Container[str], naming: Naming, is_called: bool) -> list[str]:
    """The fewest known names, numbers and functions that a word is made of; the word if none."""
    if len(word) > _LONGEST:
        return [word]
    best: list[list[str] | None] = [[], *([None] * len(word))]
    for end in range(1, len(word) + 1):
        for start in range(end):
            head, part = best[start], word[start:end]
            if head is None or (part.isdecimal() and head and head[-1].isdecimal()):
                continue
            is_applied = is_called if end == len(word) else True
            is_function = is_applied and bool(naming.bare(Token("name", part, _NOWHERE)))
            if part in known or part in constants() or part.isdecimal() or is_function:
                now = best[end]
                if now is None or len(head) + 1 < len(now):
                    best[end] = [*head, part]
    return best[-1] or [word]


_NOWHERE = Span(0, 0)
