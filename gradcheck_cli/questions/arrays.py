"""Exact numbers as arrays of numbers that a dtype holds."""

from __future__ import annotations

from fractions import Fraction
from functools import partial
from math import isfinite
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np

from gradcheck_cli.language.errors import mistake
from gradcheck_cli.questions.draws import DrawnNumber
from gradcheck_cli.questions.numbers import NonFinite

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gradcheck_cli.dtypes import DType
    from gradcheck_cli.questions.numbers import Exact, Nested

Array: TypeAlias = "np.ndarray[Any, Any]"

# torch knows tensors of 64 dimensions; nobody writes more than this by hand.
MAX_DIMENSIONS = 16


# Of an input with more numbers those that had to be rounded are counted, and the first is told.
MANY = 1_000


class RoundedNumber(NamedTuple):
    """A number that the dtype could not hold, and the one used instead.

    Attributes:
        more: how many more of the same input there are.
    """

    name: str
    text: str
    used: float
    more: int = 0


def float_array(value: Nested, name: str, dtype: DType, rounded: list[RoundedNumber]) -> Array:
    """The float64 numbers nearest to `value` that `dtype` holds.

    Args:
        name: of the input, for messages.
        rounded: gains the numbers that read otherwise than they were written.
    An infinity or NaN is a number of every dtype.

    Raises:
        PointError: a number beyond the dtype's range; rows of unequal length; no elements.
    """

    moved: list[RoundedNumber] = []

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
        alike = exact.text in ("", repr(number))
        if not alike and exact.value not in (Fraction(number), Fraction(repr(number))):
            moved.append(RoundedNumber(name, exact.text, number))
        return -0.0 if exact.negative_zero else number

    array = _array(value, name, read, np.float64, partial(_decimals, dtype=dtype, moved=moved))
    count = sum(1 + number.more for number in moved)
    if array.size > MANY and count > 1:
        moved = [moved[0]._replace(more=count - 1)]
    rounded += [number._replace(name=name) for number in moved]
    return array


def _decimals(
    numbers: Sequence[Exact | NonFinite],
    read: Callable[[Any], Any],
    dtype: DType,
    moved: list[RoundedNumber],
) -> list[float]:
    """Numbers that were drawn, many at once: their decimals are short, so that those that lie
    halfway between two numbers of the dtype, or at an end of its range, are all that is to be
    looked at one by one.
    """
    exact = np.array([float(number.text) for number in numbers])
    size = np.abs(exact)
    exponents = np.frexp(size)[1] - 1
    steps = np.ldexp(exact, dtype.digits - 1 - exponents)
    whole = np.rint(steps)
    found: list[float] = np.ldexp(whole, exponents - dtype.digits + 1).tolist()
    plain = (np.abs(steps - whole) != 0.5) & (exponents > dtype.least) & (exponents < dtype.most)
    for k in np.flatnonzero(~plain).tolist():
        found[k] = read(numbers[k])
    others = np.flatnonzero(plain & (np.array(found) != exact)).tolist()
    # Of many the first is all that is told.
    told = others[:1] if len(numbers) > MANY else others
    more = len(others) - len(told)
    moved += [RoundedNumber("", numbers[k].text, found[k], more) for k in told]
    return found


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


def _array(
    value: Nested,
    name: str,
    read: Callable[[Any], Any],
    kind: Any,
    read_drawn: Callable[..., list[float]] | None = None,
) -> Array:
    """A nested list as an array; numbers that were all drawn are read together."""
    if not isinstance(value, list):
        return np.array(read(value), dtype=kind)
    shape, numbers = _flat(value, name)
    if read_drawn is not None and all(type(number) is DrawnNumber for number in numbers):
        found = read_drawn(numbers, read)
    else:
        found = [read(item) for item in numbers]
    return np.array(found, dtype=kind).reshape(shape)


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
