"""Points that are worth a look: round and remarkable numbers, and seeded draws around them."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import e, pi
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck_cli.hunting.edges import written_numbers
from gradcheck_cli.hunting.space import numbers_at, place_in_order, places_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gradcheck_cli.hunting.space import Lane, Places, Space

# How far from a remarkable number its neighbours are looked at.
_BESIDE = (1, 2, 3)
# Spans around 0 in which people choose numbers.
_SCALES = (1.0, 10.0, 100.0, 1_000.0)
_ROUND = (*range(11), Fraction(1, 2), Fraction(1, 4), Fraction(1, 10), Fraction(3, 2), 20, 50, 100)
_NAMED = (pi, pi / 2, pi / 4, e)


def remarkable(space: Space, axis: Lane) -> Places:
    """Places of one input, in order: 0, ±1 and other round numbers, those that the program holds,
    powers of two, the ends of the range and of the normal numbers, each with its neighbours.
    """
    dtype = space.dtype
    numbers = [Fraction(n) for n in (*_ROUND, *_NAMED)]
    numbers += written_numbers(space.question.specification)
    exponents = range(dtype.least - dtype.digits + 1, dtype.most + 1)
    near = [Fraction(2) ** k for k in exponents if abs(k) <= dtype.digits + 1]
    far = [Fraction(2) ** k for k in (dtype.least, dtype.most, dtype.least // 2, dtype.most // 2)]
    rounded = (dtype.round(abs(n)) for n in (*numbers, *near, *far))
    sizes = [place_in_order(n, dtype) for n in rounded if n <= dtype.largest]
    places = {axis.first, axis.last, 0, *sizes, *(-1 - size for size in sizes)}
    around = {p + step for p in places for beside in (0, *_BESIDE) for step in (beside, -beside)}
    return np.array(sorted(p for p in around if axis.first <= p <= axis.last), dtype=np.int64)


def round_points(space: Space) -> list[tuple[int, ...]]:
    """Points of few round numbers, all combinations of them: 0, ±1, 2, 1/2 and those that the
    program holds; the end of a range that is nearest to 0.
    """
    dtype = space.dtype
    numbers = [Fraction(n) for n in (0, 1, -1, 2, Fraction(1, 2))]
    numbers += written_numbers(space.question.specification)
    columns = []
    for axis in space.axes:
        rounded = [dtype.round(number) for number in numbers]
        places = [place_in_order(n, dtype) for n in rounded if abs(n) <= dtype.largest]
        inside = [p for p in places if axis.first <= p <= axis.last]
        nearest = min(max(axis.first, 0), axis.last)
        columns.append(list(dict.fromkeys([*inside, nearest])))
    rows: list[tuple[int, ...]] = [()]
    for column in columns:
        rows = [(*row, place) for row in rows for place in column][:_MOST_ROUND]
    return rows


_MOST_ROUND = 1_024


def lines(space: Space, random: np.random.Generator, bases: int) -> list[tuple[int, Places]]:
    """(input, points that differ in it alone, in order): evenly spread over the bits, over the
    values, and around 0.
    """
    found = []
    count = bases if len(space.axes) > 1 else 1
    others = np.concatenate([_ones(space), Drawer(space, random).draw(count)])[:count]
    for k, axis in enumerate(space.axes):
        grid = _grid(space, axis)
        for base in others:
            rows = np.repeat(base[None, :], len(grid), axis=0)
            rows[:, k] = grid
            found.append((k, rows))
    return found


def _ones(space: Space) -> Places:
    one = place_in_order(1.0, space.dtype)
    return space.within(np.full((1, len(space.axes)), one, dtype=np.int64))


def _grid(space: Space, axis: Lane) -> Places:
    first, last, steps = axis.first, axis.last, 1_024
    bits = [first + (last - first) * i // steps for i in range(steps + 1)]
    share = np.linspace(0, 1, steps // 4 + 1)
    values = [_between(space, axis, share)]
    values += [places_of(scale * (2 * share - 1), space.dtype) for scale in _SCALES]
    grid = np.unique(np.concatenate([np.array(bits), *values, remarkable(space, axis)]))
    inside: Places = grid[(grid >= first) & (grid <= last) & (grid != -1)]
    return inside


def _between(space: Space, axis: Lane, share: Any) -> Places:
    """Places of numbers at shares of the way from one end to the other."""
    low, high = numbers_at(np.array([axis.first, axis.last]), space.dtype)
    return np.clip(places_of(low * (1 - share) + high * share, space.dtype), axis.first, axis.last)


@dataclass
class Drawer:
    """Draws points of a space."""

    space: Space
    random: np.random.Generator

    def __post_init__(self) -> None:
        self._remarkable = [remarkable(self.space, axis) for axis in self.space.axes]

    def draw(self, count: int) -> Places:
        """Each input by itself: evenly over the bits, so that all sizes are alike; evenly over the
        values; around 0 as people choose numbers; a remarkable number; beside one; and as another
        input, or its negative.
        """
        space, random = self.space, self.random
        rows = np.empty((count, len(space.axes)), dtype=np.int64)
        for k, axis in enumerate(space.axes):
            choices = [
                random.integers(axis.first, axis.last, count, endpoint=True),
                _between(space, axis, random.random(count)),
                self._human(count),
                random.choice(self._remarkable[k], count),
                self._beside(random.choice(self._remarkable[k], count)),
            ]
            which = random.integers(0, len(choices), count)
            rows[:, k] = np.choose(which, choices)
        for k in range(1, len(space.axes)):
            alike = random.random(count) < _ALIKE
            sign = random.random(count) < 1 / 2
            other = rows[:, k - 1]
            rows[:, k] = np.where(alike, np.where(sign, other, -1 - other), rows[:, k])
        return space.within(rows)

    def around(self, hot: Sequence[tuple[int, ...]], count: int) -> Places:
        """Points near some, at distances of all sizes; of several inputs some stay."""
        rows = np.array(hot, dtype=np.int64)[self.random.integers(0, len(hot), count)]
        stay = self.random.random(rows.shape) < (1 / 3 if rows.shape[1] > 1 else 0)
        return self.space.within(np.where(stay, rows, self._beside(rows)))

    def _human(self, count: int) -> Places:
        scale = self.random.choice(_SCALES, count)
        return places_of(scale * (2 * self.random.random(count) - 1), self.space.dtype)

    def _beside(self, places: Places) -> Places:
        """Places at distances whose logarithms are even, up to a binade: beyond the largest number
        of float64 int64 has room for no more.
        """
        powers = self.random.random(places.shape) * (self.space.dtype.digits - 1)
        sign = np.where(self.random.random(places.shape) < 1 / 2, -1, 1)
        moved: Places = places + sign * np.exp2(powers).astype(np.int64)
        return moved


# How often an input is drawn as the one before it.
_ALIKE = 1 / 8
