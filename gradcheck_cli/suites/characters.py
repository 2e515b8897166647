"""Where the characters of a YAML scalar's value stand in the file.

A value differs from what the file shows by blanks (indentation, folded lines, blanks that a
program's reader trims) and by escapes in quotes. So characters are counted without blanks: the n-th
of the value is the n-th of the file.
"""

from __future__ import annotations

import re

from gradcheck_cli.language.errors import Span

_SINGLE = re.compile("''|.", re.DOTALL)
_DOUBLE = re.compile(r"\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)|.", re.DOTALL)
# fmt: off
_ESCAPES = {
    "0": "\0", "a": "\a", "b": "\b", "t": "\t", "\t": "\t", "n": "\n", "v": "\v", "f": "\f", "r": "\r", "e": "\x1b", " ": " ", '"': '"', "/": "/",
    "\\": "\\", "N": "\x85", "_": "\xa0", "L": "\u2028", "P": "\u2029", "\n": "",
}
# fmt: on


def file_span(raw: str, style: str, text: str, span: Span) -> Span | None:
    """Where a part of `text` stands in `raw`, the file's own form of it; None where the two cannot
    be matched.

    Args:
        style: the quote or block sign of the scalar; empty for a plain one.
        text: the scalar's value, its blanks perhaps changed.
    """
    if style not in _READERS:
        return None
    signs = [(offset, c) for offset, c in _READERS[style](raw) if not _is_blank(c)]
    places = [i for i, c in enumerate(text) if not _is_blank(c)]
    if not signs or [c for _, c in signs] != [text[i] for i in places]:
        return None
    first = sum(i < span.start for i in places)
    last = sum(i < span.end for i in places)
    # A place between two characters, such as the end of a line, is that behind the one before.
    is_between = first == len(signs) or (first > 0 and places[first] != span.start)
    start = signs[first - 1][0] + 1 if is_between else signs[first][0]
    return Span(start, max(start, signs[last - 1][0] if last else 0) + 1)


def _is_blank(c: str) -> bool:
    return c.isspace() or c in ("", "\ufeff")


def _plain(raw: str) -> list[tuple[int, str]]:
    return list(enumerate(raw))


def _block(raw: str) -> list[tuple[int, str]]:
    """The lines below the one with `|` or `>`, a comment behind which is no text."""
    start = raw.find("\n") + 1 or len(raw)
    return list(enumerate(raw[start:], start))


def _single(raw: str) -> list[tuple[int, str]]:
    return [(match.start(), match[0][0]) for match in _SINGLE.finditer(raw, 1, len(raw) - 1)]


def _double(raw: str) -> list[tuple[int, str]]:
    matches = _DOUBLE.finditer(raw, 1, len(raw) - 1)
    return [(match.start(), _unescape(match[0])) for match in matches]


def _unescape(word: str) -> str:
    if len(word) == 1:
        return word
    return chr(int(word[2:], 16)) if word[1] in "xuU" else _ESCAPES.get(word[1], "")


_READERS = {"": _plain, "|": _block, ">": _block, "'": _single, '"': _double}
