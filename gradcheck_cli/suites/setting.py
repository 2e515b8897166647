"""The kind of value that a setting has in a suite: read as its option reads it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gradcheck_cli.language.errors import UserError
from gradcheck_cli.settings.readers import OBJECT, RETURNED, backward_title, object_title
from gradcheck_cli.settings.table import FLAG
from gradcheck_cli.settings.values import Said
from gradcheck_cli.suites.document import ListNode, MapNode, ScalarNode
from gradcheck_cli.suites.kinds import SOME, Kind

if TYPE_CHECKING:
    from gradcheck_cli.records.json_schema import Schema
    from gradcheck_cli.settings.table import Setting, Text
    from gradcheck_cli.suites.document import Document, YamlNode


# What the texts of some readers look like, where not any will do.
_PATTERNS: dict[object, str] = {
    object_title: OBJECT,
    backward_title: rf"^{RETURNED}$(?!\n)|{OBJECT}",
}


@dataclass(frozen=True)
class SettingKind(Kind):
    """What a setting takes.

    Attributes:
        types: of YAML scalars.
        shape: the same for an editor.
    """

    row: Setting
    types: tuple[str, ...]
    shape: Schema
    words: str

    def schema(self) -> Schema:
        """As the setting's row has it."""
        return self.shape

    def read(self, node: YamlNode, where: str, document: Document) -> Said | None:
        """What is said."""
        text = self._text(node)
        if text is None:
            self.refuse(node, where, document)
            return None
        try:
            value = self.row.read(text, where)
        except UserError as error:
            if isinstance(node, ScalarNode):
                document.add_from(error.mistakes, node)
                return None
            for mistake in error.mistakes:
                document.add_mistake(mistake.code, mistake.message, node, mistake.help)
            return None
        return Said(text.strip() if isinstance(text, str) else text, value)

    def _text(self, node: YamlNode) -> Text | None:
        """The words as an option takes them; None where the node is of another type."""
        kind, nodes = self.row.kind, [node]
        if isinstance(node, ListNode) and kind.is_plural:
            nodes = node.items
        texts: list[str] = []
        for item in nodes:
            if not isinstance(item, ScalarNode) or item.type not in self.types:
                return None
            texts.append(item.text)
        if kind is FLAG:
            return texts[0].lower() == "true"
        if kind.repeats:
            return texts
        return ",".join(texts) if all(map(str.strip, texts)) else ""


@dataclass(frozen=True)
class ClaimKind(SettingKind):
    """A claim, a list of them, or a mapping of names to their derivatives."""

    def _text(self, node: YamlNode) -> Text | None:
        if not isinstance(node, MapNode) or not node.entries:
            return super()._text(node) or None
        lines: list[str] = []
        for name, (_, value) in node.entries.items():
            if not isinstance(value, ScalarNode) or value.type not in ("text", "number"):
                return None
            lines.append(f"{name} = {value.text}")
        return lines


def claim_kind(row: Setting) -> ClaimKind:
    """The kind of what is claimed."""
    plain = kind_of(row)
    text = {"type": ["string", "number"]}
    mapping = {"type": "object", "additionalProperties": text, "minProperties": 1}
    shape = {"anyOf": [*plain.shape["anyOf"], mapping]}
    return ClaimKind(
        row, ("text",), shape, "a text, a list of texts, or a mapping of names to formulas"
    )


def kind_of(row: Setting, **limits: float) -> SettingKind:
    """The kind of a setting's value.

    Args:
        limits: of a number, as JSON Schema calls them.
    """
    if row.kind is FLAG:
        return SettingKind(row, ("boolean",), {"type": "boolean"}, "true or false")
    text: dict[str, Any] = {"type": "string", "pattern": _PATTERNS.get(row.reader, SOME)}
    if int in row.kind.types:
        either = [{"type": "number", **limits}, text]
        return SettingKind(row, ("number", "text"), {"anyOf": either}, "a number")
    if row.kind.is_plural:
        several = {"type": "array", "items": text, "minItems": 1}
        return SettingKind(row, ("text",), {"anyOf": [text, several]}, "a text or a list of texts")
    return SettingKind(row, ("text",), text, "a text")
