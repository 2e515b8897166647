"""What a sweep asks, and how it is cut into parts that are made one by one."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.language.errors import mistake
from gradcheck_cli.questions.ranges import MOST_SWEPT, Patterns

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gradcheck_cli.dtypes import DType
    from gradcheck_cli.questions.numbers import Exact
    from gradcheck_cli.questions.prepared import Prepared
    from gradcheck_cli.questions.question import Question
    from gradcheck_cli.questions.ranges import Line, Range

# Points of one part: of dtypes that are swept by patterns of bits four binades of float32, else as
# many as take about as long.
_PART, _EVEN_PART = 2**25, 2**21
# Points where nothing says how many, of a dtype with more numbers than can be swept.
USUAL_POINTS = 1_000_000


@dataclass(frozen=True)
class Sweep:
    """A range of one input, the others being fixed.

    Attributes:
        moving: the input.
        fixed: numbers of the others, exact.
        count: of points; None where the range says it, or for every number.
        seed: of the points that are tried by themselves.
    """

    moving: str
    range: Range
    fixed: Mapping[str, Exact] = field(default_factory=dict)
    count: int | None = None
    seed: int = 0

    def line(self, dtype: str) -> Line:
        """The points in a dtype.

        Raises:
            PointError: there are none, or more than can be swept.
        """
        line = self.range.line(DTYPES[dtype], self.count)
        if isinstance(line, Patterns) and line.count > MOST_SWEPT:
            if self.range.low is not None:
                return self.range.line(DTYPES[dtype], USUAL_POINTS)
            way_out = "say how many: `--points 1000000`"
            text = f"{dtype} has {line.count:,} numbers: they cannot all be swept"
            raise mistake("too-large", text, help=way_out)
        return line

    def parts(self, dtype: str) -> list[tuple[int, int]]:
        """Points from and up to of each part, the same whoever makes them. Parts of patterns end
        where binades do.
        """
        line = self.line(dtype)
        if isinstance(line, Patterns) and line.is_whole:
            shift = line.first % _PART
            ends = [0, *range(_PART - shift, line.count, _PART), line.count]
        else:
            ends = [*range(0, line.count, _EVEN_PART), line.count]
        return [(i, j) for i, j in pairwise(ends) if i < j]


@dataclass(frozen=True, eq=False)
class SweepQuestion:
    """A question along a line of points.

    Attributes:
        partial: which of the question's keys is swept.
    """

    question: Question
    sweep: Sweep
    dtype: DType
    device: str
    partial: int = 0

    @cached_property
    def line(self) -> Line:
        """The points."""
        return self.sweep.line(self.dtype.name)

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
