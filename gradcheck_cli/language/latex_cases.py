"""`cases` of LaTeX as `where`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gradcheck_cli.language.errors import Span
from gradcheck_cli.language.token import Illegible, Token

if TYPE_CHECKING:
    from gradcheck_cli.language.latex_walk import LatexWalk

_BEGIN, _END = "\\begin{cases}", "\\end{cases}"
_ROW = re.compile(r"\\\\(?:\[[^\]]*\])?")
_BLANK = r"(?:\s|~|\\[,;:! ]|\\q?quad)*"
_TEXT = r"(?:\\(?:text|mbox|textrm|mathrm)\s*\{\s*)?"
_WORD = re.compile(rf"{_BLANK},?{_BLANK}{_TEXT}(if|for|when|otherwise|else)?\b[\s,.:]*\}}?{_BLANK}")
_LAST = ("otherwise", "else")
_OPPOSITE = {"<": ">=", ">=": "<", ">": "<=", "<=": ">", "==": "!=", "!=": "=="}


def where_of_cases(walk: LatexWalk, span: Span) -> tuple[list[Token], int]:
    """The tokens of `where(...)`, and the place behind the cases.

    Raises:
        Illegible: the cases leave something open, or stand within each other.
    """
    end = walk.text.find(_END, walk.position, walk.stop)
    inside = walk.text[walk.position : max(end, 0)]
    if end < 0 or _BEGIN in inside:
        raise Illegible
    rows = list(_rows(walk, walk.position, end))
    whole = Span(span.start, end + len(_END))
    *first, (value, last) = rows or [([], [])]
    if not first or any(not row[1] for row in first):
        raise Illegible
    if last and not _is_rest(first[-1][1], last):
        way_out = "write `\\text{otherwise}` for the last of them"
        raise Illegible("the cases leave something open", whole, way_out)
    tokens: list[Token] = []
    for branch, condition in first:
        tokens += [Token("name", "where", span), Token("open", "(", span), *condition]
        tokens += [Token("glyph", ",", span), *branch, Token("glyph", ",", span)]
    tokens += [*value, *(Token("close", ")", span) for _ in first)]
    return tokens, whole.end


def _rows(walk: LatexWalk, start: int, end: int) -> list[tuple[list[Token], list[Token]]]:
    """(value, condition) of each row; no condition for what is left."""
    ends = [*(match.span() for match in _ROW.finditer(walk.text, start, end)), (end, end)]
    found = []
    for stop, after in ends:
        if walk.text[start:stop].strip():
            found.append(_row(walk, start, stop))
        start = after
    return found


def _row(walk: LatexWalk, start: int, stop: int) -> tuple[list[Token], list[Token]]:
    middle = walk.text.find("&", start, stop)
    if middle < 0:
        raise Illegible
    value = walk.part(start, middle)
    if value and value[-1].text == ",":
        value.pop()
    word = _WORD.match(walk.text, middle + 1, stop)
    at = word.end() if word else middle + 1
    stop = at + len(walk.text[at:stop].rstrip(" \t\n.,;"))
    condition = walk.part(at, stop)
    is_last = word is not None and word[1] in _LAST
    if not value or is_last is bool(condition):
        raise Illegible
    return value, condition


def _is_rest(condition: list[Token], last: list[Token]) -> bool:
    """Whether one comparison holds where the other does not."""
    here, there = ([token.text for token in tokens] for tokens in (condition, last))
    return [_OPPOSITE.get(text, text) for text in here] == there and sum(
        text in _OPPOSITE for text in here
    ) == 1
