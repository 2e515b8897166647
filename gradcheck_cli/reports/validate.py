"""Whether plain data is as a JSON Schema says, for the part of JSON Schema that our own schemas use."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from gradcheck_cli.language.errors import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

Schema = dict[str, Any]

_TYPES: Mapping[str, Callable[[Any], bool]] = {
    "object": lambda data: isinstance(data, dict),
    "array": lambda data: isinstance(data, list),
    "string": lambda data: isinstance(data, str),
    "boolean": lambda data: isinstance(data, bool),
    "null": lambda data: data is None,
    "number": lambda data: isinstance(data, int | float) and not isinstance(data, bool),
    "integer": lambda data: not isinstance(data, bool) and (isinstance(data, int) or (isinstance(data, float) and data.is_integer())),
}
# Keywords that say something of the data; those below it only name or describe.
SPOKEN = ("type", "const", "enum", "minimum", "minLength", "minItems", "maxItems")
NESTED = ("required", "properties", "additionalProperties", "propertyNames", "items")
CHOICES = ("$ref", "anyOf", "oneOf", "if", "then", "else")
SILENT = ("$schema", "$defs", "title", "description")


def fault(data: Any, schema: Schema, root: Schema, path: str = "") -> str | None:
    """What is wrong with the data, in words, at the first place where something is; None if nothing is."""
    return next(_faults(data, schema, root, path), None)


def _faults(data: Any, schema: Schema, root: Schema, path: str) -> Iterator[str]:
    unknown = schema.keys() - {*SPOKEN, *NESTED, *CHOICES, *SILENT}
    if unknown:
        raise NotImplementedError(f"no meaning is known here for {', '.join(sorted(unknown))}")
    yield from _simple(data, schema, path)
    if isinstance(data, dict):
        yield from _object(data, schema, root, path)
    elif isinstance(data, list) and "items" in schema:
        for k, item in enumerate(data):
            yield from _faults(item, schema["items"], root, f"{path}[{k}]")
    yield from _chosen(data, schema, root, path)


def _simple(data: Any, schema: Schema, path: str) -> Iterator[str]:
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if kinds and not any(_TYPES[kind](data) for kind in kinds):
        yield f"{_at(path)} should be {' or '.join(kinds)}, and is {_told(data)}"
    known = schema.get("enum", [schema["const"]] if "const" in schema else [])
    if known and not any(data == value and isinstance(data, bool) is isinstance(value, bool) for value in known):
        yield f"{_at(path)} should be {' or '.join(map(_told, known))}, and is {_told(data)}"
    if isinstance(data, int | float) and data < schema.get("minimum", data):
        yield f"{_at(path)} is below {schema['minimum']}"
    if isinstance(data, str) and len(data) < schema.get("minLength", 0):
        yield f"{_at(path)} is empty"
    if isinstance(data, list) and not schema.get("minItems", 0) <= len(data) <= schema.get("maxItems", len(data)):
        yield f"{_at(path)} has {len(data)} entries"


def _object(data: Mapping[str, Any], schema: Schema, root: Schema, path: str) -> Iterator[str]:
    for name in schema.get("required", ()):
        if name not in data:
            yield f"{_at(path, name)} is missing"
    properties = schema.get("properties", {})
    for name, value in data.items():
        if "propertyNames" in schema:
            yield from _faults(name, schema["propertyNames"], root, f"{path}.{name}" if path else name)
        if name in properties:
            yield from _faults(value, properties[name], root, f"{path}.{name}" if path else name)
        elif "additionalProperties" in schema:
            yield from _faults(value, schema["additionalProperties"], root, f"{path}.{name}" if path else name)


def _chosen(data: Any, schema: Schema, root: Schema, path: str) -> Iterator[str]:
    if "$ref" in schema:
        yield from _faults(data, root["$defs"][schema["$ref"].rpartition("/")[2]], root, path)
    for keyword in ("anyOf", "oneOf"):
        if keyword in schema:
            found = [fault(data, option, root, path) for option in schema[keyword]]
            held = found.count(None)
            if held == 0 or (keyword == "oneOf" and held > 1):
                # What is wrong further in tells more than that the whole is none of the options.
                deep = (text for text in found if text is not None and not text.startswith(f"{_at(path)} "))
                yield next(deep, f"{_at(path)} may not be {_told(data)}")
    if "if" in schema:
        branch = "then" if fault(data, schema["if"], root, path) is None else "else"
        yield from _faults(data, schema.get(branch, {}), root, path)


def _at(path: str, name: str = "") -> str:
    """`cases[0].at` in backticks; the whole where there is no path."""
    whole = ".".join(part for part in (path, name) if part)
    return f"`{whole}`" if whole else "it"


def _told(data: Any) -> str:
    return shown(json.dumps(data, ensure_ascii=False))
