"""The text of a program and the places in it: Python counts UTF-8 bytes, messages characters."""

from __future__ import annotations

import textwrap
from bisect import bisect_left
from functools import cached_property
from itertools import accumulate
from typing import TYPE_CHECKING

from gradcheck_cli.language.errors import Span

if TYPE_CHECKING:
    import ast


def tidy(text: str) -> str:
    """`text` without byte order mark, common indentation, outer blanks; lines end as Python's."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    return textwrap.dedent(text.expandtabs()).strip() if "\n" in text else text.strip()


class Source:
    """A tidy text; gives the span and the words of a node of its syntax tree."""

    def __init__(self, text: str) -> None:
        self.text = text
        # Not `splitlines`: it also ends lines where Python's grammar does not.
        self.lines = [0, *accumulate(len(line) + 1 for line in text.split("\n"))]
        self._plain = text.isascii()

    @cached_property
    def _bytes(self) -> list[int]:
        """Bytes before each character."""
        return [0, *accumulate(_width(c) for c in self.text)]

    def span(self, node: ast.AST) -> Span:
        """Where a node stands."""
        start = getattr(node, "lineno", 1), getattr(node, "col_offset", 0)
        end = getattr(node, "end_lineno", 1), getattr(node, "end_col_offset", 1)
        return Span(self._offset(*start), self._offset(*end))

    def words(self, node: ast.AST) -> str:
        """The text of a node."""
        return self.text[slice(*self.span(node))]

    def character(self, line: int, column: int) -> int:
        """Offset of a place counted in lines from 1 and characters from 0, kept within the text."""
        start = self.lines[min(max(line, 1), len(self.lines)) - 1]
        return min(start + max(column, 0), len(self.text))

    def _offset(self, line: int, column: int) -> int:
        start = self.lines[min(line, len(self.lines)) - 1]
        if self._plain:
            return start + column
        return bisect_left(self._bytes, self._bytes[start] + column)


def _width(c: str) -> int:
    """Bytes of a character in UTF-8."""
    return 1 if c < "\x80" else 2 if c < "\u0800" else 3 if c < "\U00010000" else 4
