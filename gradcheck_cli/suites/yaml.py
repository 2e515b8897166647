"""A YAML text read into nodes, and what is wrong with it as YAML."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml

from gradcheck_cli.language.errors import Span, elide
from gradcheck_cli.suites.document import BROKEN, ListNode, MapNode, ScalarNode

if TYPE_CHECKING:
    from gradcheck_cli.suites.document import Document, YamlNode

# A suite of 1,000 cases has 100 kB; what is far beyond was hardly written as a suite.
MAX_FILE_LENGTH, MAX_VALUES = 50_000_000, 3_000_000
# `{tensor: [[1]]}` of a case stands on level 7, and arrays have at most 16 dimensions.
MAX_DEPTH = 64
# What aliases may add: ten anchors that each repeat the one before ten times would fill the memory.
MAX_ALIASED = 100_000

# libyaml reads 12 times as fast as PyYAML's own code, and says the same.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# What YAML does not allow in a file at all; PyYAML's two readers tell its place in two ways.
_FORBIDDEN = re.compile("[^\t\n\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_INDICATORS = {
    "\t": "YAML is indented with blanks, not with tabs",
    "`": "put quotes around a text that begins with a backtick",
    **{sign: f"put quotes around a text that begins with `{sign}`" for sign in "%@*&"},
}


def read_document(document: Document) -> YamlNode | None:
    """The one node of a file; None where it has none, or is no YAML."""
    text = document.text
    if len(text) > MAX_FILE_LENGTH:
        message = f"the file has {len(text):,} characters; {MAX_FILE_LENGTH:,} are accepted"
        document.add_mistake("too-large", message, Span(0, 1))
        return None
    odd = _FORBIDDEN.search(text)
    if odd:
        message = f"this is not YAML: the character U+{ord(odd[0]):04X} cannot stand in it"
        document.add_mistake("bad-yaml", message, Span(*odd.span()))
        return None
    reader = _Reader(document)
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            if not reader.take(event):
                return None
    except yaml.MarkedYAMLError as error:
        _not_yaml(document, error)
        return None
    root = reader.root
    if root is not None and not (isinstance(root, ScalarNode) and root.type == "nothing"):
        return root
    message, way_out = "there is nothing in this file", "a suite begins with `version: 1`"
    document.add_mistake("empty-suite", message, Span(0, 1), way_out)
    return None


def _not_yaml(document: Document, error: yaml.MarkedYAMLError) -> None:
    """Tell where the text stops being YAML: of an open bracket or quote, where it was opened."""
    context, problem = error.context or "", error.problem or ""
    mark = error.problem_mark or error.context_mark
    place = mark.index if mark else 0
    opening = error.context_mark.index if error.context_mark else len(document.text)
    if error.context_mark and place >= len(document.text.rstrip()):
        place = opening
    instead = _INDICATORS.get(document.text[place : place + 1], "")
    if "flow" in context and place > opening:
        bracket = document.place(opening)
        stands = f"stands at line {bracket.line}, column {bracket.column}"
        instead = f"the bracket that is open here {stands}"
    if "mapping values" in problem:
        instead = (
            "put quotes around a text in which a colon and a blank stand; "
            "keys of one mapping begin in one column"
        )
    words = ": ".join(part for part in (context, problem) if part)
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
        self.documents = self.count = self.repeats = 0
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
        message = "a suite file holds one YAML document, and here begins another"
        return self.documents <= 1 or self._stop("many-documents", message, event)

    def _scalar(self, event: Any) -> bool:
        node = ScalarNode(_span(event), event.value, event.style or "")
        if event.anchor is not None:
            name = f"the anchor `&{elide(event.anchor)}` names a single value"
            message = f"{name}: write the value where it is wanted"
            self.document.add_mistake("yaml-anchor", message, node)
            self.anchors[event.anchor] = node
        self._refuse_tag(event)
        return self._add(node, event)

    def _open(self, event: Any) -> bool:
        self._refuse_tag(event)
        if event.anchor is not None:
            self.anchors[event.anchor] = None
        is_map = isinstance(event, yaml.MappingStartEvent)
        self.frames.append(_Frame(event.start_mark.index, event.anchor, is_map))
        return self._check_depth(0, event)

    def _close(self, event: Any) -> bool:
        frame = self.frames.pop()
        parts, span = frame.parts, Span(frame.start, event.end_mark.index)
        size = 1 + sum(node.size for node in parts)
        height = 1 + max((node.height for node in parts), default=0)
        node: YamlNode = ListNode(span, parts, size, height)
        if frame.is_map:
            node = MapNode(span, self._entries(parts), size, height)
        if frame.anchor is not None:
            self.anchors[frame.anchor] = node
        return self._add(node, event)

    def _alias(self, event: Any) -> bool:
        node = self.anchors.get(event.anchor)
        if node is None:
            is_open = event.anchor in self.anchors
            why = "stands inside what it names" if is_open else "names no anchor"
            message, way_out = (
                f"`*{elide(event.anchor)}` {why}",
                "" if is_open else _INDICATORS["*"],
            )
            self.document.add_mistake("yaml-anchor", message, _span(event), way_out)
            return self._add(ScalarNode(_span(event), event.anchor, BROKEN), event)
        self.repeats += node.size
        if self.repeats > MAX_ALIASED:
            message = f"the aliases of this file repeat more than {MAX_ALIASED:,} values"
            return self._stop("too-large", message, event)
        return self._check_depth(node.height, event) and self._add(node, event)

    def _add(self, node: YamlNode, event: Any) -> bool:
        if self.frames:
            self.frames[-1].parts.append(node)
        else:
            self.root = node
        self.count += 1
        if self.count <= MAX_VALUES:
            return True
        return self._stop("too-large", f"the file has more than {MAX_VALUES:,} values", event)

    def _check_depth(self, height: int, event: Any) -> bool:
        if len(self.frames) + height <= MAX_DEPTH:
            return True
        message = f"lists and mappings are nested more than {MAX_DEPTH} deep"
        return self._stop("too-deep", message, event)

    def _stop(self, code: str, message: str, event: Any) -> bool:
        self.document.add_mistake(code, message, _span(event))
        return False

    def _refuse_tag(self, event: Any) -> None:
        if event.tag is not None:
            message = f"the tag `{elide(event.tag)}` is not accepted: a suite holds plain data"
            self.document.add_mistake("yaml-tag", message, _span(event))

    def _entries(self, parts: list[YamlNode]) -> dict[str, tuple[ScalarNode, YamlNode]]:
        entries: dict[str, tuple[ScalarNode, YamlNode]] = {}
        for key, value in zip(parts[::2], parts[1::2], strict=True):
            if not isinstance(key, ScalarNode):
                kind = "list" if isinstance(key, ListNode) else "mapping"
                message = f"a key must be a name, not a {kind}"
                self.document.add_mistake("wrong-type", message, key)
            elif key.text in entries:
                message = f"`{elide(key.text)}` stands twice in one mapping"
                self.document.add_mistake("duplicate-key", message, key)
            else:
                entries[key.text] = (key, value)
        return entries


def _span(event: Any) -> Span:
    return Span(event.start_mark.index, event.end_mark.index)
