"""The points of a sweep: along a line of one input, on a lattice of several, or drawn from a box.
They are made block by block, as they are needed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import prod
from typing import TYPE_CHECKING, Protocol

from gradcheck_cli.questions.ranges import Patterns, finite_count, number_at

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gradcheck_cli.dtypes import DType
    from gradcheck_cli.questions.ranges import Line
    from gradcheck_cli.worlds.tensors import Tensor

# Points whose numbers are drawn together.
_BLOCK = 2**16


class PointTrack(Protocol):
    """Points in order; `count` of them, in one dtype."""

    @property
    def dtype(self) -> DType:
        """Of the numbers."""

    @property
    def count(self) -> int:
        """How many points there are."""

    @property
    def line(self) -> Line | None:
        """The points of one input; None where several move."""

    def at(self, k: int) -> dict[str, float]:
        """The numbers of one point."""

    def columns(self, start: int, stop: int) -> dict[str, Tensor]:
        """Consecutive points, in the dtype."""


@dataclass(frozen=True)
class LineTrack:
    """One input along a line."""

    name: str
    line: Line

    @property
    def dtype(self) -> DType:
        """Of the numbers."""
        return self.line.dtype

    @property
    def count(self) -> int:
        """How many points there are."""
        return self.line.count

    def at(self, k: int) -> dict[str, float]:
        """The number of one point."""
        return {self.name: self.line.value(k)}

    def columns(self, start: int, stop: int) -> dict[str, Tensor]:
        """Consecutive points."""
        return {self.name: self.line.tensor(start, stop)}


@dataclass(frozen=True)
class LatticeTrack:
    """Several inputs, each along a line; the first is in the outermost loop."""

    lines: Mapping[str, Line]
    dtype: DType
    line: None = None

    @property
    def count(self) -> int:
        """How many points there are."""
        return prod(line.count for line in self.lines.values())

    def at(self, k: int) -> dict[str, float]:
        """The numbers of one point."""
        found: dict[str, float] = {}
        for name, line in reversed([*self.lines.items()]):
            k, place = divmod(k, line.count)
            found[name] = line.value(place)
        return {name: found[name] for name in self.lines}

    def columns(self, start: int, stop: int) -> dict[str, Tensor]:
        """Consecutive points."""
        import torch

        places, found = torch.arange(start, stop), {}
        for name, line in reversed([*self.lines.items()]):
            found[name] = line.tensor(0, line.count)[places % line.count]
            places = places // line.count
        return {name: found[name] for name in self.lines}


@dataclass(frozen=True)
class DrawnTrack:
    """`count` points drawn from a box, seeded: evenly over the numbers between two ends, or over
    the patterns of bits of a dtype where a range is all of it.
    """

    lines: Mapping[str, Line]
    dtype: DType
    count: int
    seed: int
    line: None = None

    def at(self, k: int) -> dict[str, float]:
        """The numbers of one point."""
        block, place = divmod(k, _BLOCK)
        return {
            name: _draws(line, self.seed, number, block, place, 1).item()
            for number, (name, line) in enumerate(self.lines.items())
        }

    def columns(self, start: int, stop: int) -> dict[str, Tensor]:
        """Consecutive points."""
        import torch

        found: dict[str, list[Tensor]] = {name: [] for name in self.lines}
        for block in range(start // _BLOCK, (stop - 1) // _BLOCK + 1):
            first = block * _BLOCK
            for name, column in self._block(block):
                found[name].append(column[max(start - first, 0) : stop - first])
        return {name: torch.cat(columns) for name, columns in found.items()}

    def _block(self, block: int) -> list[tuple[str, Tensor]]:
        return [
            (name, _draws(line, self.seed, number, block))
            for number, (name, line) in enumerate(self.lines.items())
        ]


@lru_cache(maxsize=16)
def _draws(
    line: Line, seed: int, number: int, block: int, place: int = 0, count: int = _BLOCK
) -> Tensor:
    """Draws of one input in a block, from a place on; each depends on the seed and its own place
    alone.
    """
    import numpy as np
    import torch

    # The counter goes up with every four draws: blocks are far apart.
    start, rest = divmod(place, 4)
    bits = np.random.Philox(key=[seed, number], counter=(block << 64) + start)
    draws = np.random.Generator(bits).random(rest + count)[rest:]
    dtype = getattr(torch, line.dtype.name)
    if (
        isinstance(line, Patterns)
        and line.first == 0
        and line.last + 1 == 2 * finite_count(line.dtype)
    ):
        places = (draws * (line.last + 1)).tolist()
        values = [number_at(int(place), line.dtype) for place in places]
        return torch.tensor(values, dtype=torch.float64).to(dtype)
    low, high = line.value(0), line.value(line.count - 1)
    points = torch.from_numpy(draws * high + (1 - draws) * low)
    return points.clamp_(low, high).to(dtype)
