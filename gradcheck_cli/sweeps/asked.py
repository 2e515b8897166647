"""What a sweep asks, and how it is cut into parts that are made one by one."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.language.errors import mistake
from gradcheck_cli.questions.ranges import MOST_SWEPT, Patterns, bytes_of
from gradcheck_cli.questions.tracks import DrawnTrack, LatticeTrack, LineTrack

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gradcheck_cli.dtypes import DType
    from gradcheck_cli.questions.numbers import Exact
    from gradcheck_cli.questions.prepared import Prepared
    from gradcheck_cli.questions.question import Question
    from gradcheck_cli.questions.ranges import Line, Range
    from gradcheck_cli.questions.tracks import PointTrack

# Points of one part: of consecutive floats at least an eighth of a binade of float32 and at most
# four binades, else as many as take about as long; and how many parts there are at least, as far
# as they are that long: they are shared out among workers.
_PARTS, _EVEN_PART, _FEWEST_PARTS = (2**20, 2**25), 2**20, 32
# Those of numbers of 16 bits, all of which may be checked singly.
_SHORT_PART = 2**11
# Points where nothing says how many, of a dtype with more numbers than can be swept.
USUAL_POINTS = 1_000_000


@dataclass(frozen=True)
class Sweep:
    """Ranges of some inputs, the others being fixed.

    Attributes:
        fixed: numbers of the others, exact.
        count: of points; None where the ranges say it, or for every number.
        seed: of drawn points, and of those that are tried by themselves.
        shared: whether numbers of 16 bits are shared out among workers as well, in short parts;
            else, as in a suite, where a part is held against what is expected, they are one.
    """

    ranges: Mapping[str, Range]
    fixed: Mapping[str, Exact] = field(default_factory=dict)
    count: int | None = None
    seed: int = 0
    shared: bool = False

    @property
    def moving(self) -> str:
        """The inputs that are swept, in words."""
        return ", ".join(self.ranges)

    @property
    def names(self) -> tuple[str, ...]:
        """All inputs, those that are swept first."""
        return (*self.ranges, *self.fixed)

    def require_counts(self, way_out: str) -> None:
        """Nothing, if a count of points is given of all ranges, or of none.

        Args:
            way_out: how the user gives one of the others.
        Raises:
            PointError: it is given of some.
        """
        if len({range_.count is None for range_ in self.ranges.values()}) > 1:
            message = "a count of points is given of some ranges only"
            raise mistake("bad-range", message, help=way_out)

    def track(self, dtype: str, way_out: str = "") -> PointTrack:
        """The points in a dtype.

        Args:
            way_out: how the user says how many there are to be.
        Raises:
            PointError: there are none, or more than can be swept.
        """
        kind = DTYPES[dtype]
        if len(self.ranges) == 1:
            ((name, range_),) = self.ranges.items()
            return LineTrack(name, self._line(range_, kind, way_out))
        if all(range_.count is not None for range_ in self.ranges.values()):
            lattice = LatticeTrack({n: r.line(kind) for n, r in self.ranges.items()}, kind)
            if lattice.count > MOST_SWEPT:
                raise mistake("too-large", f"{lattice.count:,} points: they cannot all be swept")
            return lattice
        lines = {name: range_.line(kind) for name, range_ in self.ranges.items()}
        return DrawnTrack(lines, kind, self.count or USUAL_POINTS, self.seed)

    def _line(self, range_: Range, dtype: DType, way_out: str) -> Line:
        line = range_.line(dtype, self.count)
        if isinstance(line, Patterns) and line.count > MOST_SWEPT:
            if range_.low is not None:
                return range_.line(dtype, USUAL_POINTS)
            text = f"{dtype.name} has {line.count:,} numbers: they cannot all be swept"
            raise mistake("too-large", text, help=way_out)
        return line

    def parts(self, dtype: str) -> list[tuple[int, int]]:
        """Points from and up to of each part, the same whoever makes them. Parts of patterns end
        where binades do.
        """
        track = self.track(dtype)
        line, count = track.line, track.count
        if isinstance(line, Patterns) and line.is_whole:
            is_short = self.shared and bytes_of(line.dtype) == 2
            low, high = (_SHORT_PART,) * 2 if is_short else _PARTS
            size = min(max(1 << (count // _FEWEST_PARTS).bit_length(), low), high)
            ends = [0, *range(size - line.first % size, count, size), count]
        else:
            ends = [*range(0, count, _EVEN_PART), count]
        return [(i, j) for i, j in pairwise(ends) if i < j]


@dataclass(frozen=True, eq=False)
class SweepQuestion:
    """A question along points that differ in some inputs.

    Attributes:
        partial: which of the question's keys is swept.
    """

    question: Question
    sweep: Sweep
    dtype: DType
    device: str
    partial: int = 0

    @cached_property
    def track(self) -> PointTrack:
        """The points."""
        return self.sweep.track(self.dtype.name)

    @cached_property
    def numbers(self) -> dict[str, float]:
        """The fixed inputs as numbers of the dtype."""
        arrays, _ = self.question.arrays(dict(self.sweep.fixed), self.dtype)
        return {name: float(array) for name, array in arrays.items()}

    @cached_property
    def prepared(self) -> Prepared:
        """The specification, at points of numbers.

        Raises:
            PointError: it does not take numbers.
        """
        arrays = {name: np.array(0.5) for name in self.question.specification.variables}
        prepared, _ = self.question.prepared(arrays, self.dtype)
        return prepared

    def require_sweepable(self) -> None:
        """Nothing, if the program is one of numbers.

        Raises:
            PointError: it is not, or something else is asked than first derivatives.
        """
        question = self.question
        if question.order != 1 or question.jacobian:
            raise mistake("conflicting-options", "a sweep is of first derivatives")
        if question.held is not None:
            raise mistake("conflicting-options", "a sweep is by inputs, not by assigned names")
        if not question.subject.is_elementwise or question.integers:
            text = question.specification.text
            way_out = "write it for one number: the functions that work on arrays are checked"
            raise mistake("not-elementwise", f"`{text}` is no program of numbers", help=way_out)

    def require_numbers(self) -> None:
        """Nothing, if the fixed inputs and the cotangent are finite numbers of the dtype.

        Raises:
            PointError: one of them is not.
        """
        _ = self.numbers, self.prepared
