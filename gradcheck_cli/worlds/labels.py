"""What structural rows work on where whole arrays stand for their elements: a label for each.

A row that puts elements in other places does that to labels as well, and what comes out says where
each element came from. Sums of rows, matrix products and extremes are made of whole arrays. A row
that computes with single elements does not work on labels.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

import numpy as np

from gradcheck_cli.language.program import Call
from gradcheck_cli.memory import uncollected
from gradcheck_cli.worlds.scalars import TooLarge

if TYPE_CHECKING:
    from collections.abc import Sequence
    from fractions import Fraction

# Elements of all windows of an array, at most: half a GiB, and as much again on the way back.
_WINDOWS = 20_000_000


class Computed(Exception):
    """A row computes with single elements."""


class Label(int):
    """One element: its place among all elements. It is an integer, as those are cheap, but none
    that can be computed with.
    """

    __slots__ = ()

    def _refuse(self, *others: Any) -> NoReturn:
        raise Computed

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = _refuse
    __truediv__ = __rtruediv__ = __pow__ = __rpow__ = __neg__ = __abs__ = _refuse
    __lt__ = __le__ = __gt__ = __ge__ = _refuse


# Labels are made once: there are as many as the largest program has had elements.
_MADE: list[Any] = [np.empty(0, dtype=object)]


def _first_labels(count: int) -> Any:
    """Labels from 0 on."""
    made = _MADE[0]
    if len(made) < count:
        _MADE[0] = made = np.empty(max(count, 2 * len(made)), dtype=object)
        with uncollected():
            made[:] = list(map(Label, range(len(made))))
        made.flags.writeable = False
    return made[:count]


class Makers(Protocol):
    """What can be done with whole arrays."""

    def constant(self, value: int | Fraction) -> Any:
        """An exact number."""

    def call(self, node: Call, args: list[Any]) -> Any:
        """The value of a call."""

    def taken(self, parts: Sequence[Any], index: Any, shape: tuple[int, ...]) -> Any:
        """The elements at some places of arrays in a row, one behind the other."""

    def shaped(self, x: Any, shape: tuple[int, ...]) -> Any:
        """The same elements in another shape."""

    def totals(self, rows: Any) -> Any:
        """The sum of each row of a matrix."""

    def extremes(self, function: str, rows: Any) -> Any:
        """The largest or smallest of each row of a matrix."""

    def product(self, a: Any, b: Any) -> Any:
        """Products of matrices, or of stacks of them."""


@dataclass
class Labels:
    """The `Toolkit` of structural rows for whole arrays."""

    makers: Makers
    wholes: list[Any] = field(default_factory=list)
    starts: list[int] = field(default_factory=lambda: [0])
    numbers: dict[int | Fraction, Label] = field(default_factory=dict)
    np: Any = np

    def of(self, whole: Any) -> Any:
        """The labels of an array's elements."""
        start, size = self.starts[-1], prod(whole.shape)
        self.wholes.append(whole)
        self.starts.append(start + size)
        return _first_labels(start + size)[start:].reshape(whole.shape)

    def whole(self, labels: Any) -> Any:
        """The array of some labels."""
        array = np.asarray(labels, dtype=object)
        places = array.reshape(-1).astype(np.int64)
        shape = array.shape
        if not len(places):
            raise Computed
        used = sorted(set(np.searchsorted(self.starts, places, side="right").tolist()))
        first = used[0] - 1
        start, stop = self.starts[first], self.starts[first + 1]
        is_all = len(used) == 1 and len(places) == stop - start
        if is_all and np.array_equal(places, np.arange(start, stop)):
            return self.makers.shaped(self.wholes[first], shape)
        parts, index, before = [], np.empty_like(places), 0
        for k in used:
            low, high = self.starts[k - 1], self.starts[k]
            among = (places >= low) & (places < high)
            index[among] = places[among] - low + before
            parts.append(self.wholes[k - 1])
            before += high - low
        return self.makers.taken(parts, index, shape)

    def call(self, function: str, *args: Label) -> NoReturn:
        """A scalar function of single elements.

        Raises:
            Computed: always.
        """
        raise Computed

    def number(self, value: int | Fraction) -> Label:
        """An exact number."""
        if value not in self.numbers:
            self.numbers[value] = self.of(self.makers.constant(value)).item()
        return self.numbers[value]

    def elementwise(self, function: str, *arrays: Any) -> Any:
        """A scalar function of each element of arrays, broadcast."""
        wholes = [self.whole(array) for array in arrays]
        return self.of(self.makers.call(Call(function, tuple(range(len(wholes)))), wholes))

    def totals(self, rows: Any) -> list[Label]:
        """The sum of each row of a matrix."""
        if not rows.size:
            raise Computed
        found: list[Label] = self.of(self.makers.totals(self.whole(rows))).tolist()
        return found

    def extremes(self, function: str, rows: Any) -> list[Label]:
        """The largest or smallest of each row of a matrix: `function` is that of two."""
        found: list[Label] = self.of(self.makers.extremes(function, self.whole(rows))).tolist()
        return found

    def matmul(self, a: Any, b: Any) -> Any:
        """The product of matrices, or of vectors, as NumPy means it."""
        if not (a.ndim and b.ndim) or a.shape[-1] != b.shape[-2 if b.ndim > 1 else 0]:
            raise ValueError(f"shapes {a.shape} and {b.shape} are no product of matrices")
        left = a[None, :] if a.ndim == 1 else a
        right = b[:, None] if b.ndim == 1 else b
        if right.ndim == 2:
            found = self._product(left.reshape(-1, left.shape[-1]), right)
            found = found.reshape(*left.shape[:-1], right.shape[-1])
        else:
            batch = np.broadcast_shapes(left.shape[:-2], right.shape[:-2])
            stacks = (np.broadcast_to(x, (*batch, *x.shape[-2:])) for x in (left, right))
            flat = (x.reshape(-1, *x.shape[-2:]) for x in stacks)
            found = self._product(*flat)
            found = found.reshape(*batch, *found.shape[-2:])
        if b.ndim == 1:
            found = found[..., 0]
        if a.ndim == 1:
            found = found[..., 0, :] if b.ndim > 1 else found[..., 0]
        return found.item() if not found.ndim else found

    @property
    def hole(self) -> Label:
        """What stands where an array has no element: 0."""
        return self.number(0)

    def weighted(self, windows: Any, weights: Any, biases: Any) -> Any:
        """The sum of each window, weighted in several ways: a product of matrices."""
        places = windows.shape[: windows.ndim - weights.ndim + 1]
        if windows.size > _WINDOWS:
            raise TooLarge(f"it comes to windows of more than {_WINDOWS:,} elements")
        rows, columns = windows.reshape(prod(places), -1), weights.reshape(len(weights), -1)
        ones = np.full((len(rows), 1), self.number(1))
        with_ones = np.concatenate([rows, ones], axis=1)
        with_biases = np.concatenate([columns, biases[:, None]], axis=1)
        return self.matmul(with_ones, with_biases.T).reshape(*places, len(columns))

    def _product(self, a: Any, b: Any) -> Any:
        return self.of(self.makers.product(self.whole(a), self.whole(b)))
