"""TOML files with the places of their keys and values, which Python's own reader does not tell."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from gradcheck_cli.language.errors import Mistake, Span, UserError
from gradcheck_cli.language.files import file_text
from gradcheck_cli.settings.table import Float

if TYPE_CHECKING:
    from pathlib import Path

# A `pyproject.toml` that somebody wrote has a thousandth of this.
LONGEST_TOML = 10_000_000

# A key with all tables above it; a number stands for the n-th element of an array.
Address: TypeAlias = tuple[str | int, ...]

_BASIC, _LITERAL = r'"(?:\\.|[^"\\\n])*"', r"'[^'\n]*'"
_STRING = rf'"""(?:\\.|[^\\])*?"""(?:"{{1,2}})?|\'\'\'.*?\'\'\'(?:\'{{1,2}})?|{_BASIC}|{_LITERAL}'
# Numbers, dates (one space between date and time) and words such as true.
_PLAIN = r"[^\s,\]}#]+(?: [0-9:.]+(?:Z|[+-][0-9:]+)?)?"
_WHERE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


class TomlPlace(NamedTuple):
    """A key with its value; `items` are the elements of an array."""

    key: Span
    value: Span
    items: tuple[Span, ...] = ()


@dataclass(frozen=True)
class TomlFile:
    """A file that is read once, however often it is asked.

    All but `path` raise a UserError if the file cannot be read or is not TOML.
    """

    path: Path

    @cached_property
    def text(self) -> str:
        """What is in it; a byte order mark, as Windows writes it, is left out."""
        name = display_path(self.path)
        return file_text(self.path, LONGEST_TOML, name).removeprefix("\ufeff")

    @cached_property
    def document(self) -> dict[str, Any]:
        """Its tables, with a `Float` for each float."""
        import tomllib

        try:
            return tomllib.loads(self.text, parse_float=lambda word: Float(word.replace("_", "")))
        except ValueError as error:  # TOMLDecodeError is one, and so is a number of too many digits
            mistake = Mistake(
                "bad-toml", f"`{display_path(self.path)}` is not TOML: {_WHERE.sub('', str(error))}"
            )
            match = _WHERE.search(str(error))
            raise UserError(
                [self.placed(mistake, _told(self.text, match)) if match else mistake]
            ) from error
        except RecursionError as error:
            raise self._too_deep() from error

    @cached_property
    def places(self) -> dict[Address, TomlPlace]:
        """Where each key stands; looked for only when something is to be told of it."""
        try:
            return places(self.text)
        except RecursionError as error:
            raise self._too_deep() from error

    def _too_deep(self) -> UserError:
        return UserError([Mistake("bad-toml", f"`{display_path(self.path)}` is nested too deeply")])

    def line(self, span: Span) -> int:
        """The number of a line, from 1."""
        return self.text.count("\n", 0, span.start) + 1

    def placed(self, mistake: Mistake, span: Span) -> Mistake:
        """A mistake with its place in the file."""
        column = span.start - self.text.rfind("\n", 0, span.start)
        return replace(
            mistake,
            text=self.text,
            span=span,
            place=f"{display_path(self.path)}:{self.line(span)}:{column}",
        )


def display_path(path: Path) -> str:
    """A path as it is written from the working directory, or in full where that is shorter or there
    is no such directory.
    """
    try:
        return min(os.path.relpath(path), str(path), key=len)
    except (OSError, ValueError):
        return str(path)


def _told(text: str, match: re.Match[str]) -> Span:
    """The place in a message of `tomllib`: a line and a column, or the end of the document."""
    if match[1] is None:
        end = len(text.rstrip())
        return Span(end, end + 1)
    above = text.split("\n")[: int(match[1]) - 1]
    start = sum(map(len, above)) + len(above) + int(match[2]) - 1
    return Span(start, start + 1)


def places(text: str) -> dict[Address, TomlPlace]:
    """Where each key stands that is written in `text`; a table stands where it is first named.

    Args:
        text: what `tomllib` has read without complaint: nothing is checked here.
    """
    return _Reader(text).read()


@dataclass
class _Reader:
    text: str
    found: dict[Address, TomlPlace] = field(default_factory=dict)
    tables: dict[Address, int] = field(default_factory=dict)

    def read(self) -> dict[Address, TomlPlace]:
        table: Address = ()
        at = self.blank(0)
        while at < len(self.text):
            if self.text[at] == "[":
                table, at = self.header(at)
            else:
                at = self.pair(at, table)
            at = self.blank(at)
        return self.found

    def blank(self, at: int) -> int:
        """The end of blanks, line ends and comments."""
        match = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)*").match(self.text, at)
        return match.end() if match else at

    def header(self, at: int) -> tuple[Address, int]:
        """(address of the table, end) of `[a.b]` or `[[a.b]]`."""
        start = at + (2 if self.text.startswith("[[", at) else 1)
        parts, end = self.key(start, ())
        end += start - at
        self.name(parts, Span(at, end))
        table = parts[-1][0]
        if start - at == 1:
            return table, end
        self.tables[table] = self.tables.get(table, -1) + 1
        return (*table, self.tables[table]), end

    def key(self, at: int, table: Address) -> tuple[list[tuple[Address, Span]], int]:
        """(address and place of each part, end) of a key, dotted or not; of an array of tables the
        last is meant.
        """
        part = re.compile(rf"[ \t]*([A-Za-z0-9_-]+|{_BASIC}|{_LITERAL})[ \t]*")
        parts: list[tuple[Address, Span]] = []
        while match := part.match(self.text, at):
            table = (
                *table,
                *([self.tables[table]] if parts and table in self.tables else []),
                _bare(match[1]),
            )
            parts.append((table, Span(*match.span(1))))
            at = match.end()
            if not self.text.startswith(".", at):
                break
            at += 1
        return parts, at

    def name(
        self, parts: list[tuple[Address, Span]], value: Span, items: tuple[Span, ...] = ()
    ) -> None:
        """Note where a key and the tables that it names stand."""
        for address, key in parts[:-1]:
            self.found.setdefault(address, TomlPlace(key, key))
        self.found.setdefault(parts[-1][0], TomlPlace(parts[-1][1], value, items))

    def pair(self, at: int, table: Address) -> int:
        """The end of `key = value`."""
        parts, equals = self.key(at, table)
        start = self.blank(equals + 1)
        end, items = self.value(start, parts[-1][0])
        self.name(parts, Span(start, end), tuple(items))
        return end

    def value(self, at: int, path: Address) -> tuple[int, list[Span]]:
        """(end, elements) of a value."""
        opening = self.text[at : at + 1]
        if opening in ("[", "{"):
            return self.enclosed(at, path, "]" if opening == "[" else "}")
        match = re.compile(f"{_STRING}|{_PLAIN}", re.DOTALL).match(self.text, at)
        return (match.end() if match else len(self.text)), []

    def enclosed(self, at: int, path: Address, closing: str) -> tuple[int, list[Span]]:
        """(end, elements) of an array, or of a table in braces, which has none."""
        items: list[Span] = []
        at = self.blank(at + 1)
        while at < len(self.text) and self.text[at] != closing:
            if closing == "}":
                at = self.pair(at, path)
            else:
                end, _ = self.value(at, (*path, len(items)))
                items.append(Span(at, end))
                at = end
            at = self.blank(at)
            if self.text.startswith(",", at):
                at = self.blank(at + 1)
        return at + 1, items


def _bare(word: str) -> str:
    """What a key is called, quotes and escapes resolved."""
    if word[0] not in "'\"":
        return word
    if word[0] == "'" or "\\" not in word:
        return word[1:-1]
    import tomllib

    return str(tomllib.loads(f"key = {word}")["key"])
