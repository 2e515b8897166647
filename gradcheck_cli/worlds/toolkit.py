"""What structural rows compute with: scalars of a program under construction, in object arrays."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from functools import reduce
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck_cli.calculus.formulas import emit

if TYPE_CHECKING:
    from fractions import Fraction

    from gradcheck_cli.language.program import Builder


class Scalar:
    """One scalar inside an object array: an index that can be added, multiplied and so on."""

    __slots__ = ("builder", "index")

    def __init__(self, builder: Builder, index: int) -> None:
        self.builder, self.index = builder, index

    def _call(self, function: str, *args: Scalar | int) -> Scalar:
        return Scalar(self.builder, emit(self.builder, function, [self._index(a) for a in args]))

    def _index(self, other: Scalar | int) -> int:
        return other.index if isinstance(other, Scalar) else self.builder.number(other)

    def __add__(self, other: Scalar | int) -> Scalar:
        return self._call("add", self, other)

    def __radd__(self, other: int) -> Scalar:
        return self._call("add", other, self)

    def __sub__(self, other: Scalar | int) -> Scalar:
        return self._call("sub", self, other)

    def __rsub__(self, other: int) -> Scalar:
        return self._call("sub", other, self)

    def __mul__(self, other: Scalar | int) -> Scalar:
        return self._call("mul", self, other)

    def __rmul__(self, other: int) -> Scalar:
        return self._call("mul", other, self)

    def __truediv__(self, other: Scalar | int) -> Scalar:
        return self._call("div", self, other)

    def __rtruediv__(self, other: int) -> Scalar:
        return self._call("div", other, self)

    def __pow__(self, other: Scalar | int) -> Scalar:
        return self._call("pow", self, other)

    def __neg__(self) -> Scalar:
        return self._call("neg", self)


@dataclass
class Toolkit:
    """What a structural row may use: NumPy, scalar functions by name, and exact numbers.

    Attributes:
        hole: what stands in an array where it has no element.
    """

    builder: Builder
    np: Any = np
    hole: Any = None

    def call(self, function: str, *args: Scalar) -> Scalar:
        """A scalar function of the table."""
        return Scalar(self.builder, emit(self.builder, function, [a.index for a in args]))

    def number(self, value: int | Fraction) -> Scalar:
        """An exact number."""
        return Scalar(self.builder, self.builder.number(value))

    def elementwise(self, function: str, *arrays: Any) -> Any:
        """A scalar function of each element of arrays, broadcast."""
        each = np.frompyfunc(lambda *scalars: self.call(function, *scalars), len(arrays), 1)
        return each(*arrays)

    def totals(self, rows: Any) -> list[Scalar]:
        """The sum of each row of a matrix."""
        return [reduce(operator.add, row) if row.size else self.number(0) for row in rows]

    def extremes(self, function: str, rows: Any) -> list[Scalar]:
        """The largest or smallest of each row of a matrix: `function` is that of two."""
        return [reduce(lambda a, b: self.call(function, a, b), row) for row in rows]

    def matmul(self, a: Any, b: Any) -> Any:
        """The product of matrices, or of vectors, as NumPy means it."""
        return np.matmul(a, b)

    def weighted(self, windows: Any, weights: Any, biases: Any) -> Any:
        """For each window, and each of several weights and biases, the sum of the products of their
        elements and the bias.

        Args:
            windows: dims of places, then those of `weights` but its first; holes are left out.
        """
        places = windows.shape[: windows.ndim - weights.ndim + 1]
        rows, columns = windows.reshape(prod(places), -1), weights.reshape(len(weights), -1)
        found = np.empty((len(rows), len(columns)), dtype=object)
        for i, j in np.ndindex(*found.shape):
            pairs = zip(rows[i], columns[j], strict=True)
            terms = [x * w for x, w in pairs if x is not self.hole]
            found[i, j] = reduce(operator.add, [*terms, biases[j]])
        return found.reshape(*places, len(columns))
