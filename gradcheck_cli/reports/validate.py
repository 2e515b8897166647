"""Whether plain data is as a JSON Schema says, for the part of JSON Schema that our own schemas use.

A schema is turned into functions once: a report has millions of values.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, TypeAlias

from gradcheck_cli.language.errors import shown

Schema = dict[str, Any]
# Where a value stands: the place of what holds it, and its key there; None for the whole.
Place: TypeAlias = tuple[Any, str | int] | None


class Fault(NamedTuple):
    """What is wrong with a value; its words are put together only when they are wanted, which for most of them is never."""

    place: Place
    words: str
    data: Any = None
    shows: bool = False

    def __str__(self) -> str:
        return f"{_at(self.place)} {self.words}" + (f" {shown(json.dumps(self.data, ensure_ascii=False))}" if self.shows else "")


Check: TypeAlias = Callable[[Any, Place], Fault | None]

_TYPES: Mapping[str, Callable[[Any], bool]] = {
    "object": lambda data: isinstance(data, dict),
    "array": lambda data: isinstance(data, list),
    "string": lambda data: isinstance(data, str),
    "boolean": lambda data: isinstance(data, bool),
    "null": lambda data: data is None,
    "number": lambda data: isinstance(data, int | float) and not isinstance(data, bool),
    "integer": lambda data: not isinstance(data, bool) and (isinstance(data, int) or (isinstance(data, float) and data.is_integer())),
}
# Keywords that say something of the data, those that nest schemas, and those that only name or describe.
SPOKEN = ("type", "const", "enum", "minimum", "minLength", "minItems", "maxItems")
NESTED = ("required", "properties", "additionalProperties", "propertyNames", "items", "$ref", "anyOf", "oneOf", "if", "then", "else")
SILENT = ("$schema", "$defs", "title", "description")


def checker(schema: Schema, root: Schema) -> Check:
    """A function that tells what is wrong at the first place where something is; None if nothing is.

    Args:
        root: the schema whose `$defs` are meant.
    """
    definitions: dict[str, Check] = {}

    def compiled(part: Schema) -> Check:
        unknown = part.keys() - {*SPOKEN, *NESTED, *SILENT}
        if unknown:
            raise NotImplementedError(f"no meaning is known here for {', '.join(sorted(unknown))}")
        checks = [*_simple(part), *_object(part, compiled), *_chosen(part, compiled)]
        if "$ref" in part:
            checks.append(referred(part["$ref"].rpartition("/")[2]))
        return checks[0] if len(checks) == 1 else lambda data, place: _first(checks, data, place)

    def referred(name: str) -> Check:
        """The definition of a name; inside itself only the way to it."""

        def way(data: Any, place: Place) -> Fault | None:
            return definitions[name](data, place)

        if name not in definitions:
            definitions[name] = way
            definitions[name] = compiled(root["$defs"][name])
        return definitions[name]

    return compiled(schema)


def _first(checks: list[Check], data: Any, place: Place) -> Fault | None:
    for check in checks:
        found = check(data, place)
        if found is not None:
            return found
    return None


def _simple(part: Schema) -> Iterator[Check]:
    """What is said of a value without looking into it."""
    if "type" in part:
        kinds = [part["type"]] if isinstance(part["type"], str) else part["type"]
        first, *others = (_TYPES[kind] for kind in kinds)
        typed = f"should be {' or '.join(kinds)}, and is"
        yield lambda data, place: None if first(data) or any(test(data) for test in others) else Fault(place, typed, data, shows=True)
    if "const" in part or "enum" in part:
        known = part.get("enum", [part.get("const")])
        named = f"should be {' or '.join(map(json.dumps, known))}, and is"
        # True is 1 to Python, and not to JSON.
        allowed = {(isinstance(value, bool), value) for value in known}
        yield lambda data, place: None if _among(data, allowed) else Fault(place, named, data, shows=True)
    if "minimum" in part:
        least = part["minimum"]
        yield lambda data, place: Fault(place, f"is below {least}") if _TYPES["number"](data) and data < least else None
    if "minLength" in part:
        shortest = part["minLength"]
        yield lambda data, place: Fault(place, "is empty") if isinstance(data, str) and len(data) < shortest else None
    if "minItems" in part or "maxItems" in part:
        few, many = part.get("minItems", 0), part.get("maxItems", float("inf"))
        yield lambda data, place: Fault(place, f"has {len(data)} entries") if isinstance(data, list) and not few <= len(data) <= many else None


def _among(data: Any, allowed: set[tuple[bool, Any]]) -> bool:
    return not isinstance(data, dict | list) and (isinstance(data, bool), data) in allowed


def _object(part: Schema, compiled: Callable[[Schema], Check]) -> Iterator[Check]:
    """What is said of the entries of an object or an array."""
    required = part.get("required", ())
    properties = {name: compiled(inner) for name, inner in part.get("properties", {}).items()}
    names, others = (compiled(part[key]) if key in part else None for key in ("propertyNames", "additionalProperties"))
    if required or properties or names or others:

        def entries(data: Any, place: Place) -> Fault | None:
            if not isinstance(data, dict):
                return None
            for name in required:
                if name not in data:
                    return Fault((place, name), "is missing")
            for name, value in data.items():
                check = properties.get(name, others)
                found = (names(name, (place, name)) if names else None) or (check(value, (place, name)) if check else None)
                if found is not None:
                    return found
            return None

        yield entries
    if "items" in part:
        item = compiled(part["items"])
        yield lambda data, place: next(filter(None, (item(value, (place, k)) for k, value in enumerate(data))), None) if isinstance(data, list) else None


def _chosen(part: Schema, compiled: Callable[[Schema], Check]) -> Iterator[Check]:
    """What depends on how a value does with other schemas."""
    for keyword in ("anyOf", "oneOf"):
        if keyword in part:
            yield _choice([compiled(option) for option in part[keyword]], most=1 if keyword == "oneOf" else len(part[keyword]))
    if "if" in part:
        condition, then, otherwise = (compiled(part.get(key, {})) for key in ("if", "then", "else"))
        yield lambda data, place: (then if condition(data, place) is None else otherwise)(data, place)


def _choice(options: list[Check], most: int) -> Check:
    def check(data: Any, place: Place) -> Fault | None:
        found = [option(data, place) for option in options]
        if 1 <= found.count(None) <= most:
            return None
        # What is wrong further in tells more than that the whole is none of the options.
        deep = (fault for fault in found if fault is not None and fault.place is not place)
        return next(deep, Fault(place, "may not be", data, shows=True))

    return check


def _at(place: Place) -> str:
    """`cases[0].at` in backticks; `it` for the whole."""
    steps: list[str] = []
    while place is not None:
        place, key = place
        steps.append(f"[{key}]" if isinstance(key, int) else f".{key}")
    return f"`{''.join(reversed(steps)).removeprefix('.')}`" if steps else "it"
