"""Pieces of a JSON Schema, each with its description."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gradcheck_cli.records.json_schema import Schema

A_TEXT: Schema = {"type": "string"}
A_NULL: Schema = {"type": "null"}


def object_schema(description: str, also: Schema | None = None, /, **properties: Schema) -> Schema:
    """An object all of whose `properties` are required; what stands in `also` may be missing, and
    other keys are allowed.
    """
    return {
        "type": "object",
        "description": description,
        "required": list(properties),
        "properties": {**properties, **(also or {})},
    }


def field_schema(description: str, /, **rules: Any) -> Schema:
    """What a value is, in words and in rules."""
    return {"description": description, **rules}


def text_schema(description: str, /, **rules: Any) -> Schema:
    """A string."""
    return field_schema(description, type="string", **rules)


def agrees_schema(description: str) -> Schema:
    """Yes, no, or not to be told."""
    return field_schema(description, type=["boolean", "null"])


def array_schema(items: Schema, description: str) -> Schema:
    """A list of such items."""
    return field_schema(description, type="array", items=items)


def choice_schema(description: str, *options: Schema) -> Schema:
    """Any of some schemas."""
    return field_schema(description, anyOf=list(options))


def ref_schema(name: str, description: str = "") -> Schema:
    """One of the definitions that stand once."""
    return ({"description": description} if description else {}) | {"$ref": f"#/$defs/{name}"}
