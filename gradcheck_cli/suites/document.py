"""A YAML file as nodes that know where they stand, and what is wrong in it."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

from gradcheck_cli.language.errors import Mistake, Span
from gradcheck_cli.suites.characters import file_span
from gradcheck_cli.suites.spec import Place

if TYPE_CHECKING:
    from collections.abc import Iterable

# A file with more mistakes than this is no suite.
MAX_FILE_MISTAKES = 1_000
# An excerpt shows 60 characters either side of a place, and up to 120 of the place itself.
_NEAR = 100
# The style of what stands in the place of an alias that names nothing: it is told once, and nothing
# more is said of it.
BROKEN = "*"
# YAML 1.2's core schema: what a scalar without quotes is.
_NOTHING = ("", "~", "null", "Null", "NULL")
_BOOLEAN = ("true", "True", "TRUE", "false", "False", "FALSE")
_NUMBER = re.compile(
    r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|0o[0-7]+|0x[0-9a-fA-F]+"
    r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
)


@dataclass(slots=True, eq=False)
class ScalarNode:
    """A text, number, boolean or nothing; `style` is its quote or block sign, empty for none.

    `size` counts the nodes in a node, those that an alias repeats as well, and `height` its levels.
    """

    span: Span
    text: str
    style: str = ""
    size: int = 1
    height: int = 0

    @property
    def type(self) -> str:
        """`text`, `number`, `boolean`, `nothing`, as in YAML 1.2; `broken`: an alias of nothing."""
        if self.style:
            return "broken" if self.style == BROKEN else "text"
        if self.text in _NOTHING:
            return "nothing"
        if self.text in _BOOLEAN:
            return "boolean"
        return "number" if _NUMBER.fullmatch(self.text) else "text"


@dataclass(slots=True, eq=False)
class ListNode:
    """A sequence."""

    span: Span
    items: list[YamlNode]
    size: int = 1
    height: int = 1


@dataclass(slots=True, eq=False)
class MapNode:
    """A mapping: for each key where the key stands, and its value."""

    span: Span
    entries: dict[str, tuple[ScalarNode, YamlNode]]
    size: int = 1
    height: int = 1


YamlNode: TypeAlias = ScalarNode | ListNode | MapNode


class Document:
    """A suite file under reading: its text, and the mistakes in it so far."""

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self.text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
        self._offsets: dict[Mistake, int] = {}

    @property
    def mistakes(self) -> list[Mistake]:
        """Every mistake once, in the order of the file."""
        return sorted(self._offsets, key=self._offsets.__getitem__)

    @cached_property
    def _lines(self) -> list[int]:
        return [0, *(match.end() for match in re.finditer("\n", self.text))]

    def place(self, offset: int) -> Place:
        """The line and column of a character."""
        line = bisect_right(self._lines, offset)
        return Place(self.file, line, offset - self._lines[line - 1] + 1)

    def add_mistake(self, code: str, message: str, where: YamlNode | Span, help: str = "") -> None:  # noqa: A002 - `help` is what the printed line is called
        """Keep a mistake with its place; the line is shown without its indentation."""
        if len(self._offsets) >= MAX_FILE_MISTAKES:
            return
        if len(self._offsets) == MAX_FILE_MISTAKES - 1:
            code, help = "too-many", ""  # noqa: A001 - as above
            message = f"there are more than {MAX_FILE_MISTAKES - 1:,} mistakes; here is the next"
        first, last = where if isinstance(where, Span) else where.span
        line, start = self._line(first)
        place = str(self.place(first))
        mistake = Mistake(code, message, line, Span(first - start, last - start), help, place)
        self._offsets.setdefault(mistake, first)

    def _line(self, offset: int) -> tuple[str, int]:
        """(the line of a character without indentation, of a long one what is near; its start)."""
        first, last = self.text.rfind("\n", 0, offset) + 1, self.text.find("\n", offset)
        first = max(first, offset - _NEAR)
        last = min(last if last >= 0 else len(self.text), offset + 4 * _NEAR)
        line = self.text[first:last]
        blank = min(len(line) - len(line.lstrip()), offset - first)
        return line[blank:], first + blank

    def add_from(self, mistakes: Iterable[Mistake], node: ScalarNode) -> None:
        """Keep what is wrong with a scalar's text, at the file's very characters if possible."""
        raw, start = self.text[slice(*node.span)], node.span.start
        for mistake in mistakes:
            span = mistake.span and file_span(raw, node.style, mistake.text, mistake.span)
            where = Span(span.start + start, span.end + start) if span else node.span
            self.add_mistake(mistake.code, mistake.message, where, mistake.way_out)
