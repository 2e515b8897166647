"""Exact numbers as arrays of numbers that a dtype holds."""

from __future__ import annotations

from fractions import Fraction
from math import isfinite
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np

from gradcheck_cli.language.errors import mistake
from gradcheck_cli.questions.numbers import Exact, NonFinite

if TYPE_CHECKING:
    from collections.abc import Callable

    from gradcheck_cli.dtypes import DType
    from gradcheck_cli.questions.numbers import Nested

Array: TypeAlias = "np.ndarray[Any, Any]"

# torch knows tensors of 64 dimensions; nobody writes more than this by hand.
MAX_DIMENSIONS = 16


class RoundedNumber(NamedTuple):
    """A number that the dtype could not hold, and the one used instead."""

    name: str
    text: str
    used: float


def float_array(value: Nested, name: str, dtype: DType, rounded: list[RoundedNumber]) -> Array:
    """The float64 numbers nearest to `value` that `dtype` holds.

    Args:
        name: of the input, for messages.
        rounded: gains the numbers that read otherwise than they were written.
    An infinity or NaN is a number of every dtype.

    Raises:
        PointError: a number beyond the dtype's range; rows of unequal length; no elements.
    """

    def read(exact: Exact | NonFinite) -> float:
        if isinstance(exact, NonFinite):
            return exact.value
        number = dtype.round(exact.value)
        if not isfinite(number):
            written = exact.text[:60] or "this grid point"
            limit = f"the largest {dtype.name}, {float(dtype.largest):.6g}"
            raise mistake("out-of-range", f"`{name}` = {written} is beyond {limit}")
        # 0.1 and its float64 are written alike: only a number that reads differently is worth a
        # word.
        if exact.text and exact.value not in (Fraction(number), Fraction(repr(number))):
            rounded.append(RoundedNumber(name, exact.text, number))
        return -0.0 if exact.negative_zero else number

    return _array(value, name, read, np.float64)


def integer_array(value: Nested, name: str) -> Array:
    """The integers of an input that holds class indices.

    Raises:
        PointError: a number is no integer of 64 bits; rows of unequal length; no elements.
    """

    def read(exact: Exact | NonFinite) -> int:
        holds = f"`{name}` holds class indices, and"
        if isinstance(exact, NonFinite) or exact.value.denominator != 1:
            raise mistake("not-an-integer", f"{holds} {exact.text} is not an integer")
        if abs(exact.value) >= 2**63:
            raise mistake("out-of-range", f"{holds} {exact.text[:60]} is none of any tensor")
        return int(exact.value)

    return _array(value, name, read, np.int64)


def _array(value: Nested, name: str, read: Callable[[Any], Any], kind: Any) -> Array:
    """A nested list as an array."""
    if not isinstance(value, list):
        return np.array(read(value), dtype=kind)
    shape, numbers = _flat(value, name)
    return np.array([read(item) for item in numbers], dtype=kind).reshape(shape)


def _flat(value: Nested, name: str) -> tuple[list[int], list[Exact | NonFinite]]:
    """The shape and the numbers of nested lists."""
    shape: list[int] = []
    level: list[Any] = [value]
    while level and all(isinstance(item, list) for item in level):
        lengths = {len(item) for item in level}
        if len(lengths) > 1:
            break
        shape.append(lengths.pop())
        level = [inner for item in level for inner in item]
    if any(isinstance(item, list) for item in level):
        raise mistake("ragged", f"the rows of `{name}` are not of equal length")
    if 0 in shape:
        raise mistake(
            "empty-tensor", f"`{name}` has no elements: there is nothing to differentiate"
        )
    if len(shape) > MAX_DIMENSIONS:
        dimensions = f"{len(shape)} dimensions; {MAX_DIMENSIONS} are accepted"
        raise mistake("too-deep", f"`{name}` has {dimensions}")
    return shape, level
