"""The world of marks: what whole arrays rest on, element by element. A mark is an integer; of what
rests on several marked elements the smallest counts.
"""

from __future__ import annotations

from functools import reduce
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gradcheck_cli.language.program import Call, Number

# What is not marked: larger than every mark.
NONE = np.iinfo(np.int64).max

_Shape = tuple[int, ...]


class MarkArrays:
    """The world: a number is the mark of each element of an array."""

    def number(self, node: Number) -> Any:
        """A literal is not marked."""
        return self.nothing(())

    def given(self, array: Any, *, moves: bool) -> Any:
        """MarkArrays as they are."""
        return np.asarray(array, dtype=np.int64)

    def nothing(self, shape: _Shape) -> Any:
        """No mark anywhere."""
        return np.full(shape, NONE, dtype=np.int64)

    def call(self, node: Call, args: list[Any]) -> Any:
        """What is computed element by element."""
        return reduce(np.minimum, args, self.nothing(()))

    def shape(self, x: Any) -> _Shape:
        """The shape of an array."""
        return np.shape(x)

    def is_settled(self, number: Any) -> Any:
        """A mark is always known."""
        return np.ones(np.shape(number), dtype=np.bool_)

    def reshaped(self, x: Any, shape: _Shape) -> Any:
        """The same elements in another shape."""
        return x.reshape(shape)

    def turned(self, x: Any) -> Any:
        """Matrices, transposed."""
        return np.swapaxes(x, -1, -2)

    def permuted(self, x: Any, axes: Sequence[int]) -> Any:
        """With its dims in another order."""
        return x.transpose(axes)

    def spread(self, x: Any, shape: _Shape) -> Any:
        """Broadcast."""
        return np.broadcast_to(x, shape)

    def joined(self, parts: Sequence[Any]) -> Any:
        """The elements of arrays in a row, one behind the other."""
        return np.concatenate([x.reshape(-1) for x in parts])

    def gathered(self, parts: Sequence[Any], index: Any, shape: _Shape) -> Any:
        """The elements at some places of arrays in a row."""
        return self.joined(parts)[index].reshape(shape)

    def scattered(self, g: Any, index: Any, size: int) -> Any:
        """For each of so many places the mark of the elements that belong to it."""
        found = self.nothing((size,))
        np.minimum.at(found, np.ravel(index), np.ravel(g))
        return found

    def parted(self, x: Any, shapes: Sequence[_Shape]) -> list[Any]:
        """Elements in a row as arrays of some shapes, one behind the other."""
        ends = np.cumsum([prod(shape) for shape in shapes])[:-1]
        return [piece.reshape(s) for piece, s in zip(np.split(x, ends), shapes, strict=True)]

    def totals(self, rows: Any) -> Any:
        """What is made of each row of a matrix."""
        return rows.min(axis=1, initial=NONE)

    def matmul(self, a: Any, b: Any) -> Any:
        """Products of matrices, or of stacks of them."""
        rows, columns = (x.min(axis=k, keepdims=True, initial=NONE) for x, k in ((a, -1), (b, -2)))
        return np.minimum(rows, columns)

    def plus(self, a: Any, b: Any) -> Any:
        """What is made of two."""
        return np.minimum(a, b)

    def buffer(self, size: int, *, off: bool = False) -> MarkBuffer:
        """Places for so many marks."""
        return MarkBuffer(self.nothing((size,)))


class MarkBuffer:
    """MarkArrays in a row."""

    def __init__(self, marks: Any) -> None:
        self._marks = marks

    def write(self, places: Any, marks: Any) -> None:
        """Put marks at some places."""
        self._marks[places] = marks

    def add(self, places: Any, marks: Any) -> None:
        """Mark places that may be marked already."""
        np.minimum.at(self._marks, places, marks)

    def read(self, places: Any) -> Any:
        """What is at some places."""
        return self._marks[places]
