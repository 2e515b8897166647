"""Kinds of mappings in a suite file: with keys of their own, with names that the user chooses, and
one of several.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from gradcheck_cli.language.errors import did_you_mean, elide
from gradcheck_cli.suites.document import ListNode, MapNode, ScalarNode
from gradcheck_cli.suites.kinds import Entry, Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gradcheck_cli.suites.document import Document, YamlNode
    from gradcheck_cli.suites.kinds import Schema


@dataclass(frozen=True)
class Key:
    """One key of a mapping: its kind, and what an editor says of it; one that is required has an
    example.
    """

    name: str
    kind: Kind
    says: str
    example: str = ""


@dataclass(frozen=True)
class KeyMap(Kind):
    """A mapping with keys of its own.

    Attributes:
        noun: what it is called: `a case`.
        apart: pairs of keys that exclude each other.
        some: at least one of the keys is needed.
        elsewhere: help for keys that belong to another place or have another name.
        otherwise: help for a key that resembles none; the keys that are known, if empty.
    """

    noun: str
    keys: tuple[Key, ...]
    apart: tuple[tuple[str, str], ...] = ()
    some: bool = False
    elsewhere: Mapping[str, str] | None = None
    otherwise: str = ""
    words: str = "a mapping"

    def schema(self) -> Schema:
        """An object with these properties and no other."""
        return {
            "type": "object",
            "properties": {
                key.name: {"description": key.says, **key.kind.schema()} for key in self.keys
            },
            "additionalProperties": False,
            **(
                {"required": needed}
                if (needed := [key.name for key in self.keys if key.example])
                else {}
            ),
            **({"minProperties": 1} if self.some else {}),
            **(
                {"allOf": [{"not": {"required": list(pair)}} for pair in self.apart]}
                if self.apart
                else {}
            ),
        }

    def read(self, node: YamlNode, where: str, document: Document) -> dict[str, Entry] | None:
        """The keys that are there, each with its value."""
        if not isinstance(node, MapNode) or (self.some and not node.entries):
            self.refuse(node, where, document)
            return None
        found: dict[str, Entry] = {}
        kinds, meant = self._kinds, ""
        for name, (key, value) in node.entries.items():
            kind = kinds.get(name)
            if kind is None:
                meant += self._unknown(key, value, document)
            else:
                found[name] = Entry(key, value, kind.read(value, f"`{name}`", document))
        for needed in self.keys:
            # A slip in its name is told already.
            if needed.example and needed.name not in found and f"`{needed.name}`" not in meant:
                document.add_mistake(
                    "missing-key",
                    f"{self.noun} needs the key `{needed.name}`",
                    _head(node),
                    f"for example `{needed.example}`",
                )
        for one, other in self.apart:
            if one in found and other in found:
                message = f"`{one}` and `{other}` exclude each other"
                document.add_mistake(
                    "conflicting-keys",
                    message,
                    max((found[one].key, found[other].key), key=lambda key: key.span),
                )
        return found

    @cached_property
    def _kinds(self) -> dict[str, Kind]:
        return {key.name: key.kind for key in self.keys}

    def _unknown(self, key: ScalarNode, value: YamlNode, document: Document) -> str:
        """The help that is given for a key that is not known."""
        known = [each.name for each in self.keys]
        if (
            isinstance(value, ScalarNode)
            and not value.style
            and not value.text
            and not key.text.isidentifier()
        ):
            # `{expr: clamp(x, 0, 6)}`: to YAML this is `clamp(x` and the keys `0` and `6)`.
            way_out = "a comma between { and } ends a text: write a text that holds one in quotes"
            document.add_mistake(
                "unknown-key", f"no key named `{elide(key.text)}` in {self.noun}", key, way_out
            )
            return way_out
        elsewhere = (self.elsewhere or {}).get(key.text)
        instead = (
            elsewhere
            or did_you_mean(key.text, known)
            or self.otherwise
            or f"known: {', '.join(known)}"
        )
        document.add_mistake(
            "unknown-key", f"no key named `{elide(key.text)}` in {self.noun}", key, instead
        )
        return instead


def _head(node: MapNode) -> YamlNode:
    """What of a mapping is pointed at: its first key, or the whole where it has none."""
    return next((key for key, _ in node.entries.values()), node)


@dataclass(frozen=True)
class NameMap(Kind):
    """A mapping whose keys are names that the user has chosen.

    Attributes:
        but: a key that such a mapping has not, because another kind of mapping begins with it.
    """

    each: Kind
    words: str = "a mapping"
    but: str = ""

    def schema(self) -> Schema:
        """An object with values of one kind."""
        unlike = {"not": {"required": [self.but]}} if self.but else {}
        return {
            "type": "object",
            "additionalProperties": self.each.schema(),
            "minProperties": 1,
            **unlike,
        }

    def read(self, node: YamlNode, where: str, document: Document) -> dict[str, Entry] | None:
        """The names, each with its value."""
        if not isinstance(node, MapNode) or not node.entries:
            self.refuse(node, where, document)
            return None
        return {
            name: Entry(key, value, self.each.read(value, f"`{elide(name)}`", document))
            for name, (key, value) in node.entries.items()
        }


@dataclass(frozen=True)
class Variants(Kind):
    """One of several mappings, told apart by a key; the first whose key is there is read."""

    kinds: tuple[tuple[str, Kind], ...]
    words: str = "a mapping"

    def schema(self) -> Schema:
        """Any of them."""
        return {"anyOf": [kind.schema() for _, kind in self.kinds]}

    def read(self, node: YamlNode, where: str, document: Document) -> Any:
        """What the mapping's own kind reads."""
        if not isinstance(node, MapNode) or not node.entries:
            self.refuse(node, where, document)
            return None
        kind = next((kind for name, kind in self.kinds if not name or name in node.entries), None)
        if kind is not None:
            return kind.read(node, where, document)
        keys = ", ".join(f"`{name}`" for name, _ in self.kinds)
        document.add_mistake("unknown-key", f"{where} has none of the keys {keys}", _head(node))
        return None


@dataclass(frozen=True)
class ByShape(Kind):
    """A scalar, a list or a mapping, each of its own kind."""

    words: str
    scalar: Kind | None = None
    listing: Kind | None = None
    mapping: Kind | None = None

    def schema(self) -> Schema:
        """Any of them."""
        return {
            "anyOf": [
                kind.schema()
                for kind in (self.scalar, self.listing, self.mapping)
                if kind is not None
            ]
        }

    def read(self, node: YamlNode, where: str, document: Document) -> Any:
        """What the node's own kind reads."""
        kind = (
            self.scalar
            if isinstance(node, ScalarNode)
            else self.listing
            if isinstance(node, ListNode)
            else self.mapping
        )
        if kind is None or (isinstance(node, ScalarNode) and node.type in ("boolean", "nothing")):
            self.refuse(node, where, document)
            return None
        if isinstance(node, ListNode) and not node.items:
            self.refuse(node, where, document)
            return None
        return kind.read(node, where, document)
