"""Differences as estimates: from values at steps up and down to slopes with honest bars."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import isfinite, isinf, isnan, sqrt
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from flint import arb

from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.records.numbers import json_number
from gradcheck_cli.witnesses import Abstention
from gradcheck_cli.witnesses.extrapolation import SMALLEST, Slope, extrapolate

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gradcheck_cli.records.record import Opinion
    from gradcheck_cli.witnesses import Answer, Floats, Marks
    from gradcheck_cli.witnesses.extrapolation import Sight
    from gradcheck_cli.witnesses.noise import Integers, Levels
    from gradcheck_cli.worlds.balls import Ball

_Sides: TypeAlias = "tuple[Slope | None, Slope | None, Slope | None]"

_UNIT = DTYPES["float64"].unit_roundoff
# Roundings granted to a value away from the point, where no budget is computed: a guess; xlogy(x,
# 3) near 0 needs 2.
ROUNDINGS = 8
# h_k = 0.2371 max(1, |x|) 2**-k for k = 0..53. The start is no power of two, so that periods in x
# do not alias with it.
FIRST_STEP, STEPS = 0.2371, 54
# Steps that curvature is seen at, from the sixth on: 4e-3 to 6e-5 of the number.
BENDING = (6, 13)


@dataclass(frozen=True)
class Difference:
    """Central estimate, and one from each side; a side is None where the function has no values
    there.

    `centre` is the subject's float64 value `<cotangent, f>` at the point itself; `plain` means a
    difference with the user's step, whose bar leaves the truncation error out; `sound` that the
    rounding of every value is bounded, and both sides rest on steps that hide nothing.
    """

    value: float
    radius: float
    left: Slope | None = None
    right: Slope | None = None
    centre: float | None = None
    plain: bool = False
    sound: bool = False

    @property
    def ball(self) -> Ball | None:
        """The bar, with one rounding of the estimate itself; a plain difference claims nothing."""
        if self.plain:
            return None
        return arb(self.value, self.radius + abs(self.value) * 2.0**-52)

    def entry(self) -> Opinion:
        """What a record keeps."""
        bar = {"value": json_number(self.value), "radius": json_number(self.radius)}
        return {**bar, "left": _side_entry(self.left), "right": _side_entry(self.right)}


def _side_entry(side: Slope | None) -> Opinion | None:
    if side is None:
        return None
    return {"value": json_number(side.value), "radius": json_number(side.radius)}


def plain_differences(base: Floats, values: Floats, step: float) -> list[Answer]:
    """A textbook's central differences, one for each variable of every point.

    Args:
        base: the points, shape (points, variables).
        values: at `x + step` and `x - step`, shape (2, 1, points, variables).
    """
    pairs = zip(base.reshape(-1).tolist(), values.reshape(2, -1).T, strict=True)
    return [_plain_difference(x, pair, step) for x, pair in pairs]


def _plain_difference(x: float, values: Floats, step: float) -> Answer:
    """Its bar is what rounding of the two values can do, nothing more."""
    spacing = (x + step) - (x - step)
    if not spacing or not np.isfinite(values).all():
        return Abstention("the step leaves the domain, or is too small for float64")
    plus, minus = values.tolist()
    slope, room = (plus - minus) / spacing, float(np.spacing(max(abs(plus), abs(minus))) / spacing)
    return _finite(Difference(slope, room, plain=True))


def _finite(difference: Difference) -> Answer:
    """A difference that is a number; one that is none says nothing, and why."""
    if isfinite(difference.value) and not isnan(difference.radius):
        return difference
    return Abstention("the differences are no finite numbers in float64")


@dataclass(frozen=True, eq=False)
class Columns:
    """Values beside some points, a column for each variable of each point.

    Attributes:
        x: the numbers that move.
        steps: shape (steps, columns); they halve.
        values: at `x + h` and `x - h`, shape (2, steps, columns).
        centre: the values at the points.
    """

    x: Floats
    steps: Floats
    values: Floats
    centre: Floats

    def part(self, columns: Integers) -> Columns:
        """Some of them."""
        steps, values = self.steps[:, columns], self.values[:, :, columns]
        return Columns(self.x[columns], steps, values, self.centre[columns])

    @cached_property
    def widths(self) -> Floats:
        """What the steps came to: up, down, both together; shape (3, steps, columns). NaN from the
        first on that rounding of `x + h` bent by more than 2 %: extrapolation rests on steps that
        halve.
        """
        with np.errstate(all="ignore"):  # a step may lead beyond the largest float
            up, down = (self.x + self.steps) - self.x, self.x - (self.x - self.steps)
            straight = np.abs(up - self.steps) + np.abs(down - self.steps) <= 0.02 * self.steps
        straight = np.logical_and.accumulate(straight, axis=0)
        return np.where(straight, [up, down, up + down], np.nan)

    @cached_property
    def sizes(self) -> Floats:
        """Sizes of the values, 0 where they are not finite."""
        return np.where(np.isfinite(self.values), np.abs(self.values), 0.0)

    @cached_property
    def turns(self) -> Floats:
        """How far slopes turn over a rounding of the number, at a few steps that are neither long
        nor lost in noise; 0 where there are no values. Where a slope vanishes, the error of a value
        at the point says nothing of that.
        """
        some = slice(*BENDING)
        with np.errstate(all="ignore"):
            up, down = (self.values - self.centre)[:, some] / self.widths[:2, some]
            turns = np.abs(up + down) / self.widths[0, some] * (_UNIT * self.steps[0] / FIRST_STEP)
        return np.asarray(np.where(np.isfinite(turns), turns, 0.0).max(axis=0))

    def levels(self, known: Sequence[float | None]) -> Floats:
        """The error of a value near each point, as known or as the smallest steps show it."""
        found = np.maximum(_UNIT * np.abs(self.centre), SMALLEST)
        for c, level in enumerate(known):
            found[c] = max(self._scatter(c) if level is None else level, found[c])
        return found

    def _scatter(self, column: int) -> float:
        """How far values go at the smallest steps, where the function itself hardly changes."""
        straight = np.isfinite(self.widths[2, :, column])
        near = self.values[:, straight, column][:, -6:]
        near = near[np.isfinite(near)]
        return float(np.max(np.abs(near - self.centre[column]))) if near.size else 0.0

    def slopes(self, at: Floats, beside: Floats, sight: Sight | None = None) -> list[_Sides]:
        """Right, left and central slopes of each column.

        Args:
            at: errors of the values at the points, shape (columns,).
            beside: and beside them, shaped as `values`.
        Source: Richardson 1911; the choice of the best entry as in Ridders 1982.
        """
        up, down = self.values
        # The centre is shared by all differences of one side, so its own error does not average
        # out.
        with np.errstate(all="ignore"):
            rises = np.array([up - self.centre, self.centre - down, up - down])
            rooms = np.array([beside[0] + at, beside[1] + at, beside[0] + beside[1]])
            slopes, errors = (
                (part / self.widths).transpose(1, 0, 2).reshape(len(up), -1)
                for part in (rises, rooms)
            )
        count = self.x.size
        if sight is not None:
            sight = sight.part(np.tile(np.arange(count), 3))
        best = extrapolate(slopes, errors, np.repeat([1, 1, 2], count), sight)
        return [*zip(best[:count], best[count : 2 * count], best[2 * count :], strict=True)]


def extrapolated_differences(
    columns: Columns,
    known: Sequence[float | None],
    uncertain: Marks,
    bounds: Callable[[Integers], Levels | None],
) -> list[Answer]:
    """An estimate for every column. Where there is reason for doubt, the values are taken as they
    are bounded, or nothing is claimed.

    Args:
        known: for each column the error of a value near its point, None where it is not known.
        uncertain: columns whose numbers are reason for doubt.
        bounds: gives the levels of some columns.
    """
    level = columns.levels(known)
    # Values further away round as well: beside 0, where a linear function vanishes, theirs is all
    # there is.
    sides = columns.slopes(level, level + ROUNDINGS * _UNIT * columns.sizes)
    doubtful = np.array([_is_doubtful(*three) for three in sides], dtype=np.bool_) | uncertain
    doubtful |= np.array([each is None for each in known])
    # Where rounding may take half of the digits anything may be hidden in it.
    doubtful |= level > sqrt(_UNIT) * columns.sizes.max(axis=(0, 1))
    doubtful |= columns.turns > [_radius(*three) for three in sides]
    answers = [
        _answer(*three, value) for three, value in zip(sides, columns.centre.tolist(), strict=True)
    ]
    which = np.flatnonzero(doubtful)
    levels = bounds(which) if which.size else None
    if levels is not None:
        part = columns.part(which)
        again = part.slopes(levels.at, levels.beside, levels.sight)
        for c, three in zip(which.tolist(), again, strict=True):
            answers[c] = _answer(*three, float(columns.centre[c]), bounded=True)
    return answers


def _radius(right: Slope | None, left: Slope | None, both: Slope | None) -> float:
    """That of the estimate; infinite where there is none."""
    best = both or left or right
    return float("inf") if best is None else best.radius


def _is_doubtful(right: Slope | None, left: Slope | None, both: Slope | None) -> bool:
    """Whether three slopes do not support one another."""
    if not (right and left and both and right.sure and left.sure and both.sure):
        return True
    return not _gap(left, right) <= left.radius + right.radius


def _gap(left: Slope, right: Slope) -> float:
    return abs(left.value - right.value)


def _answer(
    right: Slope | None,
    left: Slope | None,
    both: Slope | None,
    centre: float,
    *,
    bounded: bool = False,
) -> Answer:
    best = both or left or right
    if best is None:
        return Abstention("no step gives finite values on either side")
    radius, sound = best.radius, False
    if not (left and right):
        # On the edge of the domain or within the smallest step of it: one side tells of itself, not
        # of the point.
        radius = float("inf")
    else:
        # A kink, or one within rounding: the two-sided slope means nothing closer than the two
        # sides.
        gap, room = _gap(left, right), left.radius + right.radius
        radius += room if isinf(room) else gap if gap > room else 0.0
        sound = bounded and left.sure and right.sure
    return _finite(Difference(best.value, radius, left, right, centre, sound=sound))
