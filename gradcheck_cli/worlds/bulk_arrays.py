"""Bulk enclosures of whole arrays: what moves elements, adds them up and multiplies matrices, in
torch's float64.
"""

from __future__ import annotations

from functools import partial
from math import isqrt, prod
from typing import TYPE_CHECKING, Any

from gradcheck_cli.language.program import Call
from gradcheck_cli.worlds.buffers import Buffer
from gradcheck_cli.worlds.bulk import GRANTED, TINY, Bulk
from gradcheck_cli.worlds.enclosures import (
    Enclosure,
    Verity,
    Winners,
    float64_tensors,
)
from gradcheck_cli.worlds.errors import INF

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from fractions import Fraction


_Shape = tuple[int, ...]

# Products of larger numbers than this do not underflow.
_NORMAL = 1e-290
_MUL, _ADD = Call("mul", (0, 1)), Call("add", (0, 1))


class BulkArrays(Bulk):
    """The world of enclosures in float64, of arrays as well.

    Args:
        in_order: sums are bounded as if they were made from the first term on, as those of the
            scalar programs are; else in any order.
    """

    def __init__(
        self,
        literal: Callable[[Fraction], float | Fraction],
        *,
        unit: float | None = None,
        granted: float = GRANTED,
        least: float = TINY,
        in_order: bool = False,
    ) -> None:
        super().__init__(float64_tensors(), literal, unit=unit, granted=granted, least=least)
        self._in_order = in_order

    def given(self, array: Any, *, moves: bool) -> Enclosure:
        """Numbers of a point; those that move are exact, but never at rest on a border."""
        import torch

        value = torch.as_tensor(array, dtype=torch.float64)
        return Enclosure(value, torch.zeros_like(value) if moves else None)

    def nothing(self, shape: _Shape) -> Enclosure:
        """0 everywhere, exactly."""
        import torch

        return Enclosure(torch.zeros(shape, dtype=torch.float64))

    def shape(self, x: Enclosure | Verity) -> _Shape:
        """The shape of an array."""
        return tuple(x.value.shape)

    def reshaped(self, x: Enclosure, shape: _Shape) -> Enclosure:
        """The same elements in another shape."""
        return _each(x, lambda t: t.reshape(shape))

    def turned(self, x: Enclosure) -> Enclosure:
        """Matrices, transposed."""
        return _each(x, lambda t: t.mT)

    def spread(self, x: Enclosure, shape: _Shape) -> Enclosure:
        """Broadcast."""
        return _each(x, lambda t: t.expand(shape))

    def gathered(self, parts: Sequence[Enclosure], index: Any, shape: _Shape) -> Enclosure:
        """The elements at some places of arrays in a row, one behind the other."""
        import torch

        places = torch.as_tensor(index)
        whole = self.joined(parts)
        return _each(whole, lambda t: t[places].reshape(shape))

    def joined(self, parts: Sequence[Enclosure]) -> Enclosure:
        """The elements of arrays in a row, one behind the other."""
        import torch

        flat = [_each(x, lambda t: t.reshape(-1)) for x in parts]
        if len(flat) == 1:
            return flat[0]
        value = torch.cat([x.value for x in flat])
        radius = off = None
        if any(x.radius is not None for x in flat):
            nothing = [torch.zeros_like(x.value) if x.radius is None else x.radius for x in flat]
            radius = torch.cat(nothing)
        if any(x.off is not None for x in flat):
            off = torch.cat(
                [
                    torch.zeros_like(x.value, dtype=torch.bool) if x.off is None else x.off
                    for x in flat
                ]
            )
        return Enclosure(value, radius, off)

    def scattered(self, g: Enclosure, index: Any, size: int) -> Enclosure:
        """For each of so many places the sum of the elements that belong to it."""
        import torch

        places = torch.as_tensor(index).reshape(-1)
        flat = _each(g, lambda t: t.reshape(-1))
        counts = torch.bincount(places, minlength=size).to(torch.float64)

        def added(t: Any) -> Any:
            return torch.zeros(size, dtype=torch.float64).index_add_(0, places, t)

        value, radius = added(flat.value), added(self._radius(flat).expand(flat.value.shape))
        if bool((counts > 1).any()):
            more = self.unit * counts * added(abs(flat.value))
            radius = radius + torch.where(counts > 1, more, 0.0)
        if flat.off is None:
            return Enclosure(value, radius, counts == 0)
        return Enclosure(value, radius, added((~flat.off).to(torch.float64)) == 0)

    def parted(self, x: Enclosure, shapes: Sequence[_Shape]) -> list[Enclosure]:
        """Elements in a row as arrays of some shapes, one behind the other."""
        found, start = [], 0
        for shape in shapes:
            stop = start + prod(shape)
            found.append(_each(x, partial(_cut, start=start, stop=stop, shape=shape)))
            start = stop
        return found

    def totals(self, rows: Enclosure) -> Enclosure:
        """The sum of each row of a matrix."""
        import torch

        n = rows.value.shape[1]
        size = abs(rows.value)
        if self._in_order:
            weights = torch.arange(n, 0, -1, dtype=torch.float64).clamp(max=max(n - 1, 0))
            rounding = size @ weights
            value = rows.value.sum(1)
        else:
            # In blocks, then over the blocks: each of these sums is made in any order.
            block = isqrt(n) + 1
            count = -(-n // block)
            padded = torch.nn.functional.pad(rows.value, (0, count * block - n))
            value = padded.reshape(-1, count, block).sum(2).sum(1)
            rounding = (block + count) * size.sum(1)
        radius = self.unit * rounding
        if rows.radius is not None:
            radius = radius + rows.radius.expand(rows.value.shape).sum(1)
        off = None if rows.off is None else rows.off.all(1)
        return Enclosure(value, radius, off)

    def matmul(self, a: Enclosure, b: Enclosure) -> Enclosure:
        """Products of matrices, or of stacks of them."""
        import torch

        n = a.value.shape[-1]
        x, y = abs(a.value), abs(b.value)
        if self._in_order:
            weights = torch.arange(n + 1, 1, -1, dtype=torch.float64).clamp(max=n)
            radius = self.unit * ((x * weights) @ y)
        else:
            radius = self.unit * (n + 1) * (x @ y)
        if _smallest(x) * _smallest(y) < max(_NORMAL, self.roundings.least):
            radius = radius + self.roundings.least * n
        if b.radius is not None and bool((b.radius != 0).any()):
            radius = radius + x @ b.radius.expand(y.shape)
            y = y + b.radius
        if a.radius is not None and bool((a.radius != 0).any()):
            radius = radius + a.radius.expand(x.shape) @ y
        return Enclosure(a.value @ b.value, radius)

    def extremes(self, rows: Enclosure, sign: int) -> Enclosure:
        """The largest of each row of a matrix, or with the sign -1 the smallest."""
        value = sign * (sign * rows.value).amax(1)
        radius = None if rows.radius is None else rows.radius.expand(rows.value.shape).amax(1)
        return Enclosure(value, radius)

    def winners(self, rows: Enclosure, sign: int) -> Winners:
        """Which of each row is the largest, or with the sign -1 the smallest."""
        import torch

        value, radius = sign * rows.value, self._radius(rows).expand(rows.value.shape)
        best = (value - radius).amax(1, keepdim=True)
        may = ~(value + radius < best)
        several = may.sum(1, keepdim=True) > 1
        return Winners(torch.where(may & ~several, 1.0, 0.0).double(), may & several)

    def times(self, a: Enclosure, b: Enclosure) -> Enclosure:
        """Products of elements."""
        found: Enclosure = self.call(_MUL, [a, b])
        return found

    def plus(self, a: Enclosure, b: Enclosure) -> Enclosure:
        """Sums of elements; a structural zero adds nothing, and rounds nothing."""
        found: Enclosure = self.call(
            _ADD, [Enclosure(a.value, a.radius), Enclosure(b.value, b.radius)]
        )
        off = None if a.off is None or b.off is None else a.off & b.off
        return Enclosure(found.value, found.radius, off)

    def spoiled(self, g: Enclosure, where: Any, *, wholly: bool) -> Enclosure:
        """A cotangent without a bound at some places.

        Args:
            wholly: also where it is 0, unless it is structurally so.
        """
        import torch

        value, radius, at = torch.broadcast_tensors(g.value, self._radius(g), where)
        if not wholly:
            at = at & ~((value == 0) & (radius == 0))
        if g.off is not None:
            at = at & ~g.off
        return Enclosure(value, torch.where(at, INF, radius), g.off)

    def doubted(self, where: Any, ybar: Enclosure) -> Enclosure:
        """What goes through a condition that is open somewhere: 0, and no bound there unless the
        cotangent is structurally 0.
        """
        import torch

        zero = Enclosure(torch.zeros_like(ybar.value), None, ybar.off)
        return self.spoiled(zero, where, wholly=True)

    def won(self, wide: Enclosure, winners: Winners, *, as_torch: bool) -> Enclosure:
        """The cotangents of rows as far as they go to the largest elements; where that may be one
        of several they have no bound, or that of all of it.
        """
        import torch

        mine = winners.value * wide.value
        radius = torch.where(winners.value > 0, self._radius(wide), 0.0)
        off = (winners.value == 0) & ~winners.open
        found = Enclosure(mine, radius, off if wide.off is None else off | wide.off)
        if as_torch:
            most = abs(wide.value) + self._radius(wide)
            return Enclosure(mine, torch.where(winners.open, most, radius), found.off)
        if not bool(winners.open.any()):
            return found
        unknown = self.spoiled(wide, winners.open, wholly=False)
        value = torch.where(winners.open, wide.value, mine)
        return Enclosure(value, torch.where(winners.open, unknown.radius, radius), found.off)

    def negative(self, x: Enclosure) -> Enclosure:
        """-x."""
        return Enclosure(-x.value, x.radius, x.off)

    def permuted(self, x: Enclosure, axes: Sequence[int]) -> Enclosure:
        """With its dims in another order."""
        return _each(x, lambda t: t.permute(*axes) if axes else t)

    def buffer(self, size: int, *, off: bool = False) -> Buffer:
        """Places for so many numbers; with `off` they are structural zeros that are added to."""
        return Buffer(self.unit, size, off=off)


def _each(x: Enclosure, move: Callable[[Any], Any]) -> Enclosure:
    """The same done to the values, the radii and the marks of an array."""
    shape = x.value.shape
    radius = None if x.radius is None else move(x.radius.expand(shape))
    return Enclosure(move(x.value), radius, None if x.off is None else move(x.off))


def _cut(t: Any, start: int, stop: int, shape: _Shape) -> Any:
    return t[start:stop].reshape(shape)


def _smallest(sizes: Any) -> float:
    """The smallest of some sizes that are not 0; 1 if there is none."""
    import torch

    found = torch.where(sizes > 0, sizes, INF)
    return float(found.min()) if found.numel() and bool((found < INF).any()) else 1.0
