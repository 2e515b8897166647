"""Records: what is kept of one checked point, as plain data that JSON holds.

A `Record` is one entry of `cases` in the JSON report; `gradcheck schema report` describes it key by
key. What each witness said of a partial stands in the partial under the witness's name, so whoever
walks the opinions of a partial meets a new witness without knowing it.
"""

from __future__ import annotations

import json
from math import isfinite, isnan
from typing import TYPE_CHECKING, Any, TypeAlias, TypedDict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# A float; or "nan", "inf", "-inf", which JSON has no numbers for.
JsonNumber: TypeAlias = "float | str"
# A number for a scalar, nested lists in row-major order for a tensor; null for what has no value.
JsonArray: TypeAlias = Any
# What one witness said of one partial: its `value` and more, or that it `abstained` and why.
Opinion: TypeAlias = "dict[str, Any]"
# One partial: `variable`, `index`, `outcome`, `cause`, `reason`, `one_sided`, `failed`, and an
# Opinion under the name of each witness.
PartialRecord: TypeAlias = "dict[str, Any]"


class Source(TypedDict):
    """Where a case stands in its suite; line and column count from 1."""

    file: str
    line: int
    column: int


class RoundedInput(TypedDict):
    """A number of the point that the dtype cannot hold: as written, and as used."""

    variable: str
    text: str
    used: JsonNumber


class Values(TypedDict):
    """The program's value, proved and as torch computes it."""

    reference: JsonArray
    autograd: JsonArray


class Record(TypedDict):
    """One program at one point, in one dtype, on one device."""

    id: str | None
    expression: str
    dtype: str
    device: str
    at: dict[str, JsonArray]
    cotangent: JsonArray
    outcome: str
    value: Values
    partials: list[PartialRecord]
    notes: list[str]
    rounded: list[RoundedInput]
    reproduce: str
    source: Source | None
    position: int | None
    expected: list[str] | None
    unmet: list[str]
    reason: str | None
    status: str


def opinions_of(partial: Mapping[str, Any]) -> Iterator[tuple[str, Opinion]]:
    """(witness, what it said) of one partial, in the order of the record."""
    for name, said in partial.items():
        if isinstance(said, dict) and ("value" in said or "abstained" in said):
            yield name, said


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


def typed_text(value: Any) -> str:
    """A number, or nested lists of numbers, as the user may type it to get the same numbers."""
    if isinstance(value, list):
        return f"[{', '.join(typed_text(item) for item in value)}]"
    if isinstance(value, float) and (
        not value.is_integer() or abs(value) >= 1e16 or (value == 0 and str(value).startswith("-"))
    ):
        return repr(value)
    return str(int(value))


def line_of(record: Record) -> str:
    """A record as one line of JSON."""
    return json.dumps(record, ensure_ascii=False, allow_nan=False) + "\n"
