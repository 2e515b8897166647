"""What is hunted through: the numbers of a dtype in a range of each input, by their places."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from gradcheck_cli.questions.batch import Batch
from gradcheck_cli.questions.ranges import bytes_of, finite_count, rank

if TYPE_CHECKING:
    from collections.abc import Mapping
    from fractions import Fraction

    from gradcheck_cli.dtypes import DType
    from gradcheck_cli.questions.numbers import Exact
    from gradcheck_cli.questions.prepared import Prepared
    from gradcheck_cli.questions.question import Question
    from gradcheck_cli.witnesses import Floats

# Rows are points, columns are inputs. A place counts the numbers of a dtype from 0 upwards, -1 is
# -0: in this order, which int64 holds for every dtype, neighbours differ by 1.
Places: TypeAlias = "np.ndarray[Any, np.dtype[np.int64]]"
# Torch's and NumPy's integers of so many bytes.
_INTEGERS = {2: "int16", 4: "int32", 8: "int64"}


def place_in_order(value: float, dtype: DType) -> int:
    """The place of a finite number of the dtype."""
    return rank(value, dtype) - finite_count(dtype)


def numbers_at(places: Places, dtype: DType) -> Floats:
    """The numbers at places, as float64."""
    import torch

    size = bytes_of(dtype)
    bits = np.where(places < 0, -1 - places, places).astype(_INTEGERS[size])
    sizes = torch.from_numpy(bits).view(getattr(torch, dtype.name)).to(torch.float64).numpy()
    numbers: Floats = np.where(places < 0, -sizes, sizes)
    return numbers


def places_of(numbers: Floats, dtype: DType) -> Places:
    """The places of the numbers of the dtype that are nearest to some; those of infinities lie one
    beyond the last.
    """
    import torch

    rounded = torch.from_numpy(np.abs(numbers)).to(getattr(torch, dtype.name))
    bits = rounded.view(getattr(torch, _INTEGERS[bytes_of(dtype)])).numpy().astype(np.int64)
    places: Places = np.where(np.signbit(numbers), -1 - bits, bits)
    return places


@dataclass(frozen=True)
class Lane:
    """The range of one input: the places from `first` to `last`."""

    name: str
    first: int
    last: int

    @property
    def size(self) -> int:
        """How many numbers it has."""
        return self.last - self.first + 1


@dataclass(frozen=True, eq=False)
class Space:
    """A question, and the ranges of the inputs that move.

    Attributes:
        fixed: numbers of the other inputs, exact.
    """

    question: Question
    axes: tuple[Lane, ...]
    fixed: Mapping[str, Exact]
    dtype: DType
    device: str

    @property
    def size(self) -> int:
        """How many points it has."""
        return prod(axis.size for axis in self.axes)

    @cached_property
    def firsts(self) -> Places:
        """The least place of each input."""
        return np.array([axis.first for axis in self.axes], dtype=np.int64)

    @cached_property
    def lasts(self) -> Places:
        """The greatest."""
        return np.array([axis.last for axis in self.axes], dtype=np.int64)

    @cached_property
    def _given(self) -> tuple[dict[str, float], Prepared]:
        half = {axis.name: np.array(0.5) for axis in self.axes}
        arrays, _ = self.question.arrays(dict(self.fixed), self.dtype)
        prepared, _ = self.question.prepared({**half, **arrays}, self.dtype)
        return {name: float(array) for name, array in arrays.items()}, prepared

    @property
    def numbers(self) -> dict[str, float]:
        """The fixed inputs as numbers of the dtype."""
        return self._given[0]

    @property
    def prepared(self) -> Prepared:
        """The specification, at points of numbers.

        Raises:
            PointError: it does not take numbers.
        """
        return self._given[1]

    def within(self, places: Places) -> Places:
        """Points moved into the ranges, and from -0 to 0, which is written as people do."""
        inside: Places = np.clip(places, self.firsts, self.lasts)
        inside[(inside == -1) & (self.lasts >= 0)] = 0
        return inside

    def columns(self, places: Places) -> dict[str, Floats]:
        """The numbers of each input at points."""
        moving = numbers_at(places, self.dtype)
        columns = {name: np.full(len(places), value) for name, value in self.numbers.items()}
        for k, axis in enumerate(self.axes):
            columns[axis.name] = np.ascontiguousarray(moving[:, k])
        return columns

    def batch(self, places: Places) -> Batch:
        """Points as a batch."""
        count = len(places)
        return Batch(
            self.question,
            self.prepared,
            self.columns(places),
            self.dtype,
            self.device,
            rounded=((),) * count,
            spelled=({},) * count,
        )

    def values(self, place: tuple[int, ...]) -> dict[str, float]:
        """The numbers of the inputs that move, at one point."""
        row = numbers_at(np.array([place], dtype=np.int64), self.dtype)[0]
        return {axis.name: float(v) for axis, v in zip(self.axes, row, strict=True)}

    def place(self, numbers: Mapping[str, Fraction]) -> tuple[int, ...] | None:
        """The point of the dtype nearest to some numbers; None where that is outside."""
        found = []
        for axis in self.axes:
            number = self.dtype.round(numbers[axis.name])
            if abs(number) > self.dtype.largest:
                return None
            place = place_in_order(number, self.dtype)
            if not axis.first <= place <= axis.last:
                return None
            found.append(place)
        return tuple(found)
