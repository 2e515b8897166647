"""A YAML file as nodes that know where they stand, and what is wrong with it as YAML."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

import yaml

from gradcheck_cli.language.errors import Mistake, Span, elide
from gradcheck_cli.suites.characters import file_span
from gradcheck_cli.suites.spec import Place

if TYPE_CHECKING:
    from collections.abc import Iterable

# A suite of 1,000 cases has 100 kB; what is far beyond was hardly written as a suite.
MAX_LENGTH, MAX_VALUES = 50_000_000, 3_000_000
# `{tensor: [[1]]}` of a case stands on level 7, and arrays have at most 16 dimensions.
MAX_DEPTH = 64
# What aliases may add: ten anchors that each repeat the one before ten times would fill the memory.
MAX_ALIASED = 100_000

# A file with more mistakes than this is no suite.
MAX_FILE_MISTAKES = 1_000
# An excerpt shows 60 characters either side of a place, and up to 120 of the place itself.
_NEAR = 100

# libyaml reads 12 times as fast as PyYAML's own code, and says the same.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# What YAML does not allow in a file at all; PyYAML's two readers tell its place in two ways.
_FORBIDDEN = re.compile("[^\t\n\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# The style of what stands in the place of an alias that names nothing: it is told once, and nothing
# more is said of it.
BROKEN = "*"
# YAML 1.2's core schema: what a scalar without quotes is.
_NOTHING, _BOOLEAN = (
    ("", "~", "null", "Null", "NULL"),
    ("true", "True", "TRUE", "false", "False", "FALSE"),
)
_NUMBER = re.compile(
    r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|0o[0-7]+|0x[0-9a-fA-F]+|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
)
_INDICATORS = {
    "\t": "YAML is indented with blanks, not with tabs",
    "%": "put quotes around a text that begins with `%`",
    "@": "put quotes around a text that begins with `@`",
    "`": "put quotes around a text that begins with a backtick",
    "*": "put quotes around a text that begins with `*`",
    "&": "put quotes around a text that begins with `&`",
}


@dataclass(slots=True, eq=False)
class ScalarNode:
    """A text, number, boolean or nothing; `style` is its quote or block sign, empty for a plain
    one.

    `size` counts the nodes in a node, those that an alias repeats as well, and `height` its levels.
    """

    span: Span
    text: str
    style: str = ""
    size: int = 1
    height: int = 0

    @property
    def type(self) -> str:
        """`text`, `number`, `boolean` or `nothing`, as YAML 1.2 takes it; `broken` for an alias of
        nothing.
        """
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
    """A suite file under reading: its text, and the mistakes found so far."""

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self.text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
        self._found: dict[Mistake, int] = {}  # with the offset of each

    @property
    def mistakes(self) -> list[Mistake]:
        """Every mistake once, in the order of the file."""
        return sorted(self._found, key=self._found.__getitem__)

    @cached_property
    def _lines(self) -> list[int]:
        return [0, *(match.end() for match in re.finditer("\n", self.text))]

    def place(self, offset: int) -> Place:
        """The line and column of a character."""
        line = bisect_right(self._lines, offset)
        return Place(self.file, line, offset - self._lines[line - 1] + 1)

    def add_mistake(self, code: str, message: str, where: YamlNode | Span, help: str = "") -> None:  # noqa: A002 - `help` is what the printed line is called
        """Keep a mistake with its place; the line is shown without its indentation."""
        if len(self._found) >= MAX_FILE_MISTAKES:
            return
        span = where if isinstance(where, Span) else where.span
        if len(self._found) == MAX_FILE_MISTAKES - 1:
            code, message, help = (
                "too-many",
                f"there are more than {MAX_FILE_MISTAKES - 1:,} mistakes; here is the next",
                "",
            )
        line, start = self._line(span.start)
        shift = span.start - start
        found = Mistake(
            code,
            message,
            line,
            Span(shift, span.end - span.start + shift),
            help,
            str(self.place(span.start)),
        )
        self._found.setdefault(found, span.start)

    def _line(self, offset: int) -> tuple[str, int]:
        """The line of a character without its indentation, of a long one what is near; and where in
        the file that begins.
        """
        first, last = self.text.rfind("\n", 0, offset) + 1, self.text.find("\n", offset)
        first, last = (
            max(first, offset - _NEAR),
            min(last if last >= 0 else len(self.text), offset + 4 * _NEAR),
        )
        line = self.text[first:last]
        blank = min(len(line) - len(line.lstrip()), offset - first)
        return line[blank:], first + blank

    def add_from(self, mistakes: Iterable[Mistake], node: ScalarNode) -> None:
        """Keep what is wrong with the text of a scalar, each at the very characters of the file if
        they can be told.
        """
        for mistake in mistakes:
            where = (
                file_span(self.text[slice(*node.span)], node.style, mistake.text, mistake.span)
                if mistake.span
                else None
            )
            span = (
                Span(where.start + node.span.start, where.end + node.span.start)
                if where
                else node.span
            )
            self.add_mistake(mistake.code, mistake.message, span, mistake.help)


def read_document(document: Document) -> YamlNode | None:
    """The one node of a file; None where it has none, or is no YAML."""
    if len(document.text) > MAX_LENGTH:
        document.add_mistake(
            "too-large",
            f"the file has {len(document.text):,} characters; {MAX_LENGTH:,} are accepted",
            Span(0, 1),
        )
        return None
    odd = _FORBIDDEN.search(document.text)
    if odd:
        document.add_mistake(
            "bad-yaml",
            f"this is not YAML: the character U+{ord(odd[0]):04X} cannot stand in it",
            Span(*odd.span()),
        )
        return None
    reader = _Reader(document)
    try:
        for event in yaml.parse(document.text, Loader=_LOADER):
            if not reader.take(event):
                return None
    except yaml.MarkedYAMLError as error:
        _not_yaml(document, error)
        return None
    if reader.root is None or (
        isinstance(reader.root, ScalarNode) and reader.root.type == "nothing"
    ):
        document.add_mistake(
            "empty-suite",
            "there is nothing in this file",
            Span(0, 1),
            "a suite begins with `version: 1`",
        )
        return None
    return reader.root


def _not_yaml(document: Document, error: yaml.MarkedYAMLError) -> None:
    """Tell where the text stops being YAML: where a bracket or quote is never closed, the place
    where it was opened.
    """
    at = error.problem_mark or error.context_mark
    place = at.index if at else 0
    if error.context_mark and place >= len(document.text.rstrip()):
        place = error.context_mark.index
    instead = _INDICATORS.get(document.text[place : place + 1], "")
    if (
        error.context
        and "flow" in error.context
        and error.context_mark
        and place > error.context_mark.index
    ):
        opened = document.place(error.context_mark.index)
        instead = (
            f"the bracket that is open here stands at line {opened.line}, column {opened.column}"
        )
    if error.problem and "mapping values" in error.problem:
        instead = "put quotes around a text in which a colon and a blank stand; keys of one mapping begin in one column"
    words = ": ".join(part for part in (error.context, error.problem) if part)
    document.add_mistake("bad-yaml", f"this is not YAML: {words}", Span(place, place + 1), instead)


@dataclass
class _Frame:
    """A sequence or mapping that is still open."""

    start: int
    anchor: str | None
    is_map: bool
    parts: list[YamlNode] = field(default_factory=list)


class _Reader:
    """Builds nodes out of PyYAML's events, which never make a Python object of what a file says."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.root: YamlNode | None = None
        self.documents = self.count = self.repeated = 0
        self.frames: list[_Frame] = []
        self.anchors: dict[str, YamlNode | None] = {}

    def take(self, event: Any) -> bool:
        """Whether to go on after this event."""
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event)
        if isinstance(event, yaml.CollectionStartEvent):
            return self._open(event)
        if isinstance(event, yaml.CollectionEndEvent):
            return self._close(event)
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        self.documents += isinstance(event, yaml.DocumentStartEvent)
        return self.documents <= 1 or self._stop(
            "many-documents", "a suite file holds one YAML document, and here begins another", event
        )

    def _scalar(self, event: Any) -> bool:
        node = ScalarNode(_span(event), event.value, event.style or "")
        if event.anchor is not None:
            message = f"the anchor `&{elide(event.anchor)}` names a single value: write the value where it is wanted"
            self.document.add_mistake("yaml-anchor", message, node)
            self.anchors[event.anchor] = node
        self._untagged(event)
        return self._add(node, event)

    def _open(self, event: Any) -> bool:
        self._untagged(event)
        if event.anchor is not None:
            self.anchors[event.anchor] = None
        self.frames.append(
            _Frame(event.start_mark.index, event.anchor, isinstance(event, yaml.MappingStartEvent))
        )
        return self._shallow(0, event)

    def _close(self, event: Any) -> bool:
        frame = self.frames.pop()
        span = Span(frame.start, event.end_mark.index)
        size, height = (
            1 + sum(node.size for node in frame.parts),
            1 + max((node.height for node in frame.parts), default=0),
        )
        node = (
            MapNode(span, self._entries(frame.parts), size, height)
            if frame.is_map
            else ListNode(span, frame.parts, size, height)
        )
        if frame.anchor is not None:
            self.anchors[frame.anchor] = node
        return self._add(node, event)

    def _alias(self, event: Any) -> bool:
        node = self.anchors.get(event.anchor)
        if node is None:
            inside = event.anchor in self.anchors
            message = f"`*{elide(event.anchor)}` {'stands inside what it names' if inside else 'names no anchor'}"
            self.document.add_mistake(
                "yaml-anchor", message, _span(event), "" if inside else _INDICATORS["*"]
            )
            return self._add(ScalarNode(_span(event), event.anchor, BROKEN), event)
        self.repeated += node.size
        if self.repeated > MAX_ALIASED:
            return self._stop(
                "too-large",
                f"the aliases of this file repeat more than {MAX_ALIASED:,} values",
                event,
            )
        return self._shallow(node.height, event) and self._add(node, event)

    def _add(self, node: YamlNode, event: Any) -> bool:
        if self.frames:
            self.frames[-1].parts.append(node)
        else:
            self.root = node
        self.count += 1
        return self.count <= MAX_VALUES or self._stop(
            "too-large", f"the file has more than {MAX_VALUES:,} values", event
        )

    def _shallow(self, height: int, event: Any) -> bool:
        return len(self.frames) + height <= MAX_DEPTH or self._stop(
            "too-deep", f"lists and mappings are nested more than {MAX_DEPTH} deep", event
        )

    def _stop(self, code: str, message: str, event: Any) -> bool:
        self.document.add_mistake(code, message, _span(event))
        return False

    def _untagged(self, event: Any) -> None:
        if event.tag is not None:
            self.document.add_mistake(
                "yaml-tag",
                f"the tag `{elide(event.tag)}` is not accepted: a suite holds plain data",
                _span(event),
            )

    def _entries(self, parts: list[YamlNode]) -> dict[str, tuple[ScalarNode, YamlNode]]:
        entries: dict[str, tuple[ScalarNode, YamlNode]] = {}
        for key, value in zip(parts[::2], parts[1::2], strict=True):
            if not isinstance(key, ScalarNode):
                self.document.add_mistake(
                    "wrong-type",
                    f"a key must be a name, not a {'list' if isinstance(key, ListNode) else 'mapping'}",
                    key,
                )
            elif key.text in entries:
                self.document.add_mistake(
                    "duplicate-key", f"`{elide(key.text)}` stands twice in one mapping", key
                )
            else:
                entries[key.text] = (key, value)
        return entries


def _span(event: Any) -> Span:
    return Span(event.start_mark.index, event.end_mark.index)
