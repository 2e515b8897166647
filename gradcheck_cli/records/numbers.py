"""Numbers and arrays of records as JSON holds them."""

from __future__ import annotations

from math import isfinite, isnan
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator

# A float; or "nan", "inf", "-inf", which JSON has no numbers for.
JsonNumber: TypeAlias = "float | str"
# A number for a scalar, nested lists in row-major order for a tensor; null for what has no value.
JsonArray: TypeAlias = "JsonNumber | list[JsonArray] | None"


def numbers_of(value: JsonArray) -> Iterator[JsonNumber | None]:
    """The numbers of an array in row-major order."""
    if isinstance(value, list):
        for item in value:
            yield from numbers_of(item)
    else:
        yield value


def json_number(value: float) -> JsonNumber:
    """A float that survives JSON: NaN and infinities as strings."""
    if isfinite(value):
        return float(value)
    return "nan" if isnan(value) else "inf" if value > 0 else "-inf"


def json_array(value: Any) -> JsonArray:
    """`json_number` over nested lists."""
    if isinstance(value, list):
        return [json_array(item) for item in value]
    return value if isinstance(value, int) else json_number(value)


def typed_text(value: JsonArray) -> str:
    """A number, or nested lists of numbers, as the user may type it to get the same numbers."""
    match value:
        case list():
            return f"[{', '.join(map(typed_text, value))}]"
        case float() if value.is_integer() and abs(value) < 1e16 and str(value) != "-0.0":
            return str(int(value))
        case float():
            return repr(value)
    return str(value)
