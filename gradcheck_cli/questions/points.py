"""The points of a case: each is computed when it is asked for, so a million of them cost no more
than their description.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from itertools import accumulate
from math import cos, exp, log, pi, prod, sqrt
from random import Random
from typing import TYPE_CHECKING, TypeAlias

from gradcheck_cli.language.errors import mistake
from gradcheck_cli.memory import uncollected
from gradcheck_cli.questions.draws import DrawnNumber, DrawnNumbers
from gradcheck_cli.questions.numbers import MAX_POINTS, Exact, Grid

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from gradcheck_cli.questions.numbers import Nested, NonFinite

# Drawn numbers are rounded to this many significant digits, so that a point can be typed again.
DRAWN_DIGITS = 6
# The largest |z| that two numbers of 53 bits make in `_normal`: sqrt(-2 log(2**-53)) = 8.57.
FARTHEST = 8.6


@dataclass(frozen=True)
class Listed:
    """Values that were written out."""

    values: tuple[Nested, ...]

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, i: int) -> Nested:
        return self.values[i]


@dataclass(frozen=True)
class Sample:
    """`count` draws. Each depends on the seed, the key and its own number alone, whatever is drawn
    before it.

    Attributes:
        law: `normal` with `low` its mean and `high` its standard deviation; `uniform` or `logspace`
            between the two.
        key: the case and the input.
        seed: None until the run's own seed is put in its place.
    """

    law: str
    low: Exact
    high: Exact
    count: int
    shape: tuple[int, ...] = ()
    seed: int | None = None
    key: str = ""

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, i: int) -> Nested:
        drawn = self._numbers(i)
        if not isinstance(drawn, list):
            return drawn
        words = "" if i else self._words
        return DrawnNumbers(drawn, words, self.seed or 0, prod(self.shape), self.key)

    @property
    def _words(self) -> str:
        """How it is written on a command line; empty where its ends are not as they were typed."""
        names = {"normal": "normal", "uniform": "uniform", "logspace": "loguniform"}
        low, high = self.low.text, self.high.text
        sizes = ", ".join(map(str, self.shape))
        is_plain = low and high and "," not in f"{low}{high}"
        return f"{names[self.law]}({low}, {high}, {sizes})" if is_plain else ""

    def _numbers(self, i: int) -> Nested:
        # Of Python's generators only `random()` is promised to give the same numbers in later
        # versions.
        random = Random(f"{self.seed}:{self.key}:{i}")  # noqa: S311 - nothing secret: a draw must come out the same everywhere
        draw = self._draw(random)
        with uncollected():
            return shaped([draw() for _ in range(prod(self.shape))], self.shape)

    def bounds(self) -> tuple[Fraction, Fraction]:
        """Two numbers that no draw lies outside of."""
        if self.law == "normal":
            room = Fraction(FARTHEST) * self.high.value
            return self.low.value - room, self.low.value + room
        return self.low.value, self.high.value

    def _draw(self, random: Random) -> Callable[[], Exact]:
        """What draws one number after the other."""
        low, high = float(self.low.value), float(self.high.value)
        if self.law == "normal":
            return lambda: _rounded(low + high * _normal(random))
        logs = (log(low), log(high)) if self.law == "logspace" else (low, high)

        def draw() -> Exact:
            u = random.random()
            between = (1 - u) * logs[0] + u * logs[1]
            found = _rounded(exp(between) if self.law == "logspace" else between)
            # Rounding may lead across an end.
            if low < float(found.text) < high:
                return found
            return max(self.low, min(found, self.high, key=_value), key=_value)

        return draw


def _normal(random: Random) -> float:
    """A standard normal number by Box and Muller, from two numbers of 53 bits."""
    u, v = 1 - random.random(), random.random()
    return sqrt(-2 * log(u)) * cos(2 * pi * v)


def _rounded(value: float) -> Exact:
    return DrawnNumber(f"{value:.{DRAWN_DIGITS}g}")


def _value(number: Exact) -> Fraction:
    return number.value


def shaped(numbers: Sequence[Exact | NonFinite], shape: tuple[int, ...]) -> Nested:
    """Numbers in row-major order as nested lists."""
    rows: list[Nested] = list(numbers)
    for length in reversed(shape[1:]):
        rows = [rows[i : i + length] for i in range(0, len(rows), length)]
    return rows if shape else rows[0]


Values: TypeAlias = Listed | Grid | Sample
# What a text gives an input: one value, or several.
Given: TypeAlias = "Nested | Grid | Sample"


@dataclass(frozen=True)
class Axis:
    """Inputs that change together, and the values each of them takes, equally many."""

    names: tuple[str, ...]
    values: tuple[Values, ...]

    def __len__(self) -> int:
        return len(self.values[0])

    def __getitem__(self, i: int) -> dict[str, Nested]:
        return {name: values[i] for name, values in zip(self.names, self.values, strict=True)}

    def cut(self, start: int, stop: int) -> tuple[Axis, int]:
        """An axis that has the values from `start` to `stop` and no more of what was written out,
        and where on it the first of them stands.
        """
        listed = [values for values in self.values if isinstance(values, Listed)]
        if len(listed) < len(self.values):
            return self, start  # a rule is short as it is
        return Axis(self.names, tuple(Listed(each.values[start:stop]) for each in listed)), 0


@dataclass(frozen=True)
class Block:
    """Axes that multiply, the first in the outermost loop; without any there is one point without
    inputs.
    """

    axes: tuple[Axis, ...]

    def __len__(self) -> int:
        return prod(len(axis) for axis in self.axes)

    def __getitem__(self, i: int) -> dict[str, Nested]:
        found: list[dict[str, Nested]] = []
        for axis in reversed(self.axes):
            i, k = divmod(i, len(axis))
            found.append(axis[k])
        return {name: value for part in reversed(found) for name, value in part.items()}

    def cut(self, start: int, stop: int) -> tuple[Block, int]:
        """A block that has the points from `start` to `stop`, and where in it the first of them
        stands: axes are cut from the outermost on, as far as the points have one value of each.
        """
        axes, place, inner = list(self.axes), 0, len(self)
        for k, axis in enumerate(self.axes):
            inner //= len(axis)
            low, high = start // inner, (stop - 1) // inner + 1
            axes[k], row = axis.cut(low, high)
            place = place * len(axes[k]) + row
            start, stop = start - low * inner, stop - low * inner
            if high - low > 1:
                return Block(tuple(axes)), place * inner + start
        return Block(tuple(axes)), place


@dataclass(frozen=True)
class Points:
    """The blocks' points, one block after the other."""

    blocks: tuple[Block, ...]

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def __getitem__(self, i: int) -> dict[str, Nested]:
        if not 0 <= i < len(self):
            raise IndexError(i)
        number = bisect_right(self._ends, i)
        return self.blocks[number][i - self._start(number)]

    def __iter__(self) -> Iterator[dict[str, Nested]]:
        return (
            point for block in self.blocks for point in map(block.__getitem__, range(len(block)))
        )

    @cached_property
    def _ends(self) -> list[int]:
        """How many points there are up to the end of each block."""
        return list(accumulate(map(len, self.blocks)))

    def _start(self, number: int) -> int:
        return self._ends[number - 1] if number else 0

    def excerpt(self, start: int, stop: int) -> Excerpt:
        """The points from `start` to `stop`, at least one, and little else of what was written."""
        first, last = (bisect_right(self._ends, i) for i in (start, stop - 1))
        blocks, place = self.blocks[first : last + 1], start - self._start(first)
        if first == last:
            block, place = self.blocks[first].cut(place, stop - self._start(first))
            blocks = (block,)
        return Excerpt(Points(blocks), start - place, len(self))


@dataclass(frozen=True)
class Excerpt:
    """Consecutive points of many, by the numbers that they have among all.

    Attributes:
        first: number of the first point of `points` among all.
        count: how many there are in all.
    """

    points: Points
    first: int
    count: int

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, i: int) -> dict[str, Nested]:
        return self.points[i - self.first]

    def excerpt(self, start: int, stop: int) -> Excerpt:
        """As `Points.excerpt`."""
        part = self.points.excerpt(start - self.first, stop - self.first)
        return replace(part, first=part.first + self.first, count=self.count)


def points_of(at: Mapping[str, Given], seed: int = 0, draws: int | None = None) -> Points:
    """The points of a command line: grids multiply, what is drawn is drawn together, and the rest
    stays as it is.

    Args:
        draws: how many points are drawn; one if None.
    Raises:
        PointError: there are more than `MAX_POINTS`, or nothing is to be drawn.
    """
    drawn = {
        name: replace(value, count=draws or 1, seed=seed, key=name)
        for name, value in at.items()
        if isinstance(value, Sample)
    }
    if draws is not None and not drawn:
        way_out = "for example `x=randn()` or `x=uniform(-1, 1)`"
        raise mistake("bad-point", "nothing is drawn: no input has a distribution", help=way_out)
    together = (Axis(tuple(drawn), tuple(drawn.values())),) if drawn else ()
    alone = (
        Axis((name,), (value if isinstance(value, Grid) else Listed((value,)),))
        for name, value in at.items()
        if not isinstance(value, Sample)
    )
    points = Points((Block((*together, *alone)),))
    if prod(map(len, points.blocks[0].axes)) > MAX_POINTS:
        raise mistake("too-large", f"these grids make more than {MAX_POINTS:,} points")
    return points
