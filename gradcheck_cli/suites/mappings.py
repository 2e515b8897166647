"""Kinds of mappings in a suite file: with keys of their own, with the user's, one of several."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any
from unicodedata import normalize

from gradcheck_cli.language.errors import did_you_mean, elide
from gradcheck_cli.suites.document import MapNode, ScalarNode
from gradcheck_cli.suites.kinds import Entry, Kind, Phrase

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gradcheck_cli.records.json_schema import Schema
    from gradcheck_cli.suites.document import Document, YamlNode


@dataclass(frozen=True)
class Key:
    """One key of a mapping: its kind, what an editor says of it; an example of a required one."""

    name: str
    kind: Kind
    says: str
    example: str = ""


@dataclass(frozen=True)
class KeyMap(Kind):
    """A mapping with keys of its own.

    Attributes:
        noun: what it is called: `a case`.
        apart: pairs of keys that exclude each other, with help where it is not plain.
        either: keys of which one is needed, and an example.
        some: at least one of the keys is needed.
        elsewhere: help for keys that belong to another place or have another name.
        otherwise: help for a key that resembles none; the keys that are known, if empty.
    """

    noun: str
    keys: tuple[Key, ...]
    apart: tuple[tuple[str, ...], ...] = ()
    either: tuple[str, ...] = ()
    some: bool = False
    elsewhere: Mapping[str, str] | None = None
    otherwise: str = ""
    words: str = "a mapping"

    def schema(self) -> Schema:
        """An object with these properties and no other."""
        keys = {key.name: {"description": key.says, **key.kind.schema()} for key in self.keys}
        schema = {"type": "object", "properties": keys, "additionalProperties": False}
        needed = [key.name for key in self._needed]
        if needed:
            schema["required"] = needed
        if self.some:
            schema["minProperties"] = 1
        if self.either:
            schema["anyOf"] = [{"required": [name]} for name in self.either]
        if self.apart:
            schema["allOf"] = [{"not": {"required": list(pair[:2])}} for pair in self.apart]
        return schema

    def read(self, node: YamlNode, where: str, document: Document) -> dict[str, Entry] | None:
        """The keys that are there, each with its value."""
        if not isinstance(node, MapNode) or (self.some and not node.entries):
            self.refuse(node, where, document)
            return None
        entries: dict[str, Entry] = {}
        kinds, meant = self._kinds, ""
        for name, (key, value) in node.entries.items():
            kind = kinds.get(name)
            if kind is None:
                meant += self._unknown(key, value, document)
            else:
                entries[name] = Entry(key, value, kind.read(value, f"`{name}`", document))
        for needed in self._needed:
            # A slip in its name is told already.
            if needed.name not in entries and f"`{needed.name}`" not in meant:
                message = f"{self.noun} needs the key `{needed.name}`"
                way_out = f"for example `{needed.example}`"
                document.add_mistake("missing-key", message, _head(node), way_out)
        if self.either and not any(
            name in node.entries or f"`{name}`" in meant for name in self.either
        ):
            self._add_lack(node, document)
        self._tell_conflicts(entries, document)
        return entries

    def _tell_conflicts(self, entries: Mapping[str, Entry], document: Document) -> None:
        """Tell of keys that exclude each other, of each one once."""
        told: set[str] = set()
        for *pair, way_out in ((*each, "")[:3] for each in self.apart):
            if all(name in entries for name in pair) and told.isdisjoint(pair):
                message = "`{}` and `{}` exclude each other".format(*pair)
                second = max(pair, key=lambda name: entries[name].key.span)
                document.add_mistake("conflicting-keys", message, entries[second].key, way_out)
                told.add(second)

    def _add_lack(self, node: MapNode, document: Document) -> None:
        """Tell that none of the keys is there of which one is needed."""
        names = " or ".join(f"`{name}`" for name in self.either)
        examples = [key.example for key in self.keys if key.name in self.either]
        way_out = "for example " + " or ".join(f"`{example}`" for example in examples)
        message = f"{self.noun} needs the key {names}"
        document.add_mistake("missing-key", message, _head(node), way_out)

    @cached_property
    def _needed(self) -> list[Key]:
        """The keys without which it is none."""
        return [key for key in self.keys if key.example and key.name not in self.either]

    @cached_property
    def _kinds(self) -> dict[str, Kind]:
        return {key.name: key.kind for key in self.keys}

    def _unknown(self, key: ScalarNode, value: YamlNode, document: Document) -> str:
        """The help that is given for a key that is not known."""
        known = [each.name for each in self.keys]
        is_bare = isinstance(value, ScalarNode) and not value.style and not value.text
        if is_bare and not key.text.isidentifier():
            # `{expr: clamp(x, 0, 6)}`: to YAML this is `clamp(x` and the keys `0` and `6)`.
            way_out = "a comma between { and } ends a text: write a text that holds one in quotes"
        else:
            way_out = (self.elsewhere or {}).get(key.text) or did_you_mean(key.text, known)
            way_out = way_out or self.otherwise or f"known: {', '.join(known)}"
        message = f"no key named `{elide(key.text)}` in {self.noun}"
        document.add_mistake("unknown-key", message, key, way_out)
        return way_out


def _head(node: MapNode) -> YamlNode:
    """What of a mapping is pointed at: its first key, or the whole where it has none."""
    return next((key for key, _ in node.entries.values()), node)


@dataclass(frozen=True)
class NameMap(Kind):
    """A mapping whose keys are names that the user has chosen, read as Python reads names in the
    program: NFKC.

    Attributes:
        but: a key that such a mapping has not, because another kind of mapping begins with it.
        name: what a name may be; anything if there is none.
    """

    each: Kind
    words: str = "a mapping"
    but: str = ""
    name: Phrase | None = None

    def schema(self) -> Schema:
        """An object with values of one kind."""
        unlike: Schema = {"not": {"required": [self.but]}} if self.but else {}
        if self.name is not None:
            unlike["propertyNames"] = self.name.schema()
        values = self.each.schema()
        return {"type": "object", "additionalProperties": values, "minProperties": 1, **unlike}

    def read(self, node: YamlNode, where: str, document: Document) -> dict[str, Entry] | None:
        """The names, each with its value."""
        if not isinstance(node, MapNode) or not node.entries:
            self.refuse(node, where, document)
            return None
        entries: dict[str, Entry] = {}
        for text, (key, value) in node.entries.items():
            name = normalize("NFKC", text)
            if self.name is not None:
                self.name.read(key, "a name", document)
            if name in entries:
                other = elide(entries[name].key.text)
                message = f"`{elide(text)}` and `{other}` are one name, as Python reads names"
                document.add_mistake("duplicate-key", message, key)
            entries[name] = Entry(key, value, self.each.read(value, f"`{elide(name)}`", document))
        return entries


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
    """A scalar or a mapping, each of its own kind."""

    words: str
    scalar: Kind
    mapping: Kind

    def schema(self) -> Schema:
        """Either."""
        return {"anyOf": [self.scalar.schema(), self.mapping.schema()]}

    def read(self, node: YamlNode, where: str, document: Document) -> Any:
        """What the node's own kind reads."""

        if isinstance(node, MapNode):
            return self.mapping.read(node, where, document)
        if isinstance(node, ScalarNode) and node.type not in ("boolean", "nothing"):
            return self.scalar.read(node, where, document)
        self.refuse(node, where, document)
        return None
