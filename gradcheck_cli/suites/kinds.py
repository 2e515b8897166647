"""Kinds of values in a suite file: each reads a node, tells what is wrong with it, and states
itself as JSON Schema.

Reader and schema are two methods of one object, so that an editor accepts what `gradcheck lint`
accepts.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from gradcheck_cli.language.errors import UserError, elide
from gradcheck_cli.settings.readers import one_of
from gradcheck_cli.suites.document import BROKEN, ListNode, MapNode, ScalarNode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gradcheck_cli.records.json_schema import Schema
    from gradcheck_cli.suites.document import Document, YamlNode

# A text that is not blank.
SOME = r"\S"


class Entry(NamedTuple):
    """A key of a mapping, its value, and what was read of that; None where that went wrong."""

    key: ScalarNode
    node: YamlNode
    value: Any


class Kind(ABC):
    """What a value may be."""

    words: str

    @abstractmethod
    def schema(self) -> Schema:
        """The same for an editor."""

    @abstractmethod
    def read(self, node: YamlNode, where: str, document: Document) -> Any:
        """The value; None once the mistakes in it are told.

        Args:
            where: what the value is called in a message.
        """

    def refuse(self, node: YamlNode, where: str, document: Document) -> None:
        """Tell that a node is of another type; of a broken one everything is told already."""
        if isinstance(node, ScalarNode) and node.style == BROKEN:
            return
        instead = ""
        if "text" in self.words:
            begins = document.text[node.span.start : node.span.start + 1]
            if isinstance(node, ScalarNode) and node.type in ("number", "boolean"):
                instead = f'put quotes around it: "{elide(node.text)}"'
            elif not isinstance(node, ScalarNode) and begins in ("[", "{"):
                instead = f"put quotes around a text that begins with `{begins}`"
        message = f"{where} must be {self.words}, not {describe(node)}"
        document.add_mistake("wrong-type", message, node, instead)


def describe(node: YamlNode) -> str:
    """What a node is, for a message."""
    if isinstance(node, ListNode):
        return "a list" if node.items else "an empty list"
    if isinstance(node, MapNode):
        return "a mapping" if node.entries else "an empty mapping"
    words = {"number": f"the number {elide(node.text)}", "boolean": node.text, "nothing": "nothing"}
    return words.get(node.type, "a text")


def is_text(node: YamlNode) -> bool:
    """Whether a node is a text, and no number, boolean or nothing."""
    return isinstance(node, ScalarNode) and node.type == "text"


@dataclass(frozen=True)
class Phrase(Kind):
    """A text in which `pattern` is found.

    Attributes:
        rule: what a message says of another text; `{where}` and `{text}` stand for the place and
            the text.
    """

    code: str
    pattern: str
    rule: str
    help: str = ""
    words: str = "a text"

    def schema(self) -> Schema:
        """A string with the pattern."""
        return {"type": "string", "pattern": self.pattern}

    def read(self, node: YamlNode, where: str, document: Document) -> str | None:
        """The text."""
        if not isinstance(node, ScalarNode) or not is_text(node):
            self.refuse(node, where, document)
            return None
        if not re.search(self.pattern, node.text):
            message = self.rule.format(where=where, text=elide(node.text))
            document.add_mistake(self.code, message, node, self.help)
            return None
        return node.text


@dataclass(frozen=True)
class Choice(Kind):
    """One of some names, or of what else they are called."""

    code: str
    noun: str
    names: tuple[str, ...]
    words: str
    aliases: Mapping[str, str] = field(default_factory=dict)

    def schema(self) -> Schema:
        """One of the names."""
        return {"enum": [*self.names, *self.aliases]}

    def read(self, node: YamlNode, where: str, document: Document) -> str | None:
        """The name."""
        if not isinstance(node, ScalarNode) or not is_text(node):
            self.refuse(node, where, document)
            return None
        try:
            return one_of(self.code, self.noun, self.names)(
                self.aliases.get(node.text, node.text), where
            )
        except UserError as error:
            document.add_from(error.mistakes, node)
            return None


@dataclass(frozen=True)
class Whole(Kind):
    """A whole number between two bounds."""

    code: str
    least: int
    most: int
    words: str

    def schema(self) -> Schema:
        """An integer within the bounds."""
        return {"type": "integer", "minimum": self.least, "maximum": self.most}

    def read(self, node: YamlNode, where: str, document: Document) -> int | None:
        """The number."""
        if not isinstance(node, ScalarNode) or node.type != "number":
            self.refuse(node, where, document)
            return None
        value = int(node.text) if re.fullmatch(r"[-+]?[0-9]{1,20}", node.text) else None
        if value is None or not self.least <= value <= self.most:
            message = f"{where} must be {self.words}, not {elide(node.text)}"
            document.add_mistake(self.code, message, node)
            return None
        return value


@dataclass(frozen=True)
class Many(Kind):
    """A list of values of one kind; `single` where one of them may stand for a list of one.

    Attributes:
        item: what a value is called in a message; the list's own name if there is none.
        each_counts: a value in which something is wrong is None; otherwise the whole list is.
    """

    each: Kind
    words: str
    single: bool = False
    item: str = ""
    each_counts: bool = False

    def schema(self) -> Schema:
        """An array with at least one element."""
        array = {"type": "array", "items": self.each.schema(), "minItems": 1}
        return {"anyOf": [self.each.schema(), array]} if self.single else array

    def read(self, node: YamlNode, where: str, document: Document) -> tuple[Any, ...] | None:
        """The values in order."""
        if not isinstance(node, ListNode) and self.single:
            value = self.each.read(node, where, document)
            return None if value is None else (value,)
        if not isinstance(node, ListNode) or not node.items:
            self.refuse(node, where, document)
            return None
        values = tuple([self.each.read(item, self.item or where, document) for item in node.items])
        return values if self.each_counts or None not in values else None


def part(node: YamlNode, i: int) -> YamlNode:
    """Where the i-th value of a list stands, or the value that stands for the list."""
    return node.items[i] if isinstance(node, ListNode) else node
