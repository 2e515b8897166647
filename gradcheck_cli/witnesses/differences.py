"""Differences as estimates: from values at steps up and down to slopes with honest bars."""

from __future__ import annotations

from dataclasses import dataclass
from math import isinf, isnan
from typing import TYPE_CHECKING

import numpy as np

from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.records.record import json_number
from gradcheck_cli.witnesses import Abstention
from gradcheck_cli.witnesses.extrapolation import SMALLEST, Slope, extrapolate

if TYPE_CHECKING:
    from gradcheck_cli.records.record import Opinion
    from gradcheck_cli.witnesses import Answer, Floats, Marks
    from gradcheck_cli.witnesses.noise import Levels
    from gradcheck_cli.worlds.balls import Ball

# Roundings granted to a value away from the point, where no budget is computed: a guess; xlogy(x,
# 3) near 0 needs 2.
ROUNDINGS = 8


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
        from flint import arb

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
    room = float(np.spacing(max(abs(plus), abs(minus))) / spacing)
    return Difference(float((plus - minus) / spacing), room, plain=True)


def extrapolated_differences(
    base: Floats, steps: Floats, values: Floats, centres: Floats, noise: Levels
) -> list[Answer]:
    """An estimate for every variable of every point, each a column of the arrays below.

    Args:
        base: the points, shape (points, variables).
        steps: shape (steps, points, variables); they halve.
        values: at `x + h` and `x - h`, shape (2, steps, points, variables).
        centres: at the points.
    Source: Richardson 1911; the choice of the best entry as in Ridders 1982.
    """
    size, length = base.shape[1], len(steps)
    x, centre = base.reshape(-1), np.repeat(centres, size)
    steps, values = steps.reshape(length, -1), values.reshape(2, length, -1)
    with np.errstate(all="ignore"):
        up, down = (x + steps) - x, x - (x - steps)
        # Extrapolation rests on steps that halve; from the first that rounding of x + h bent by
        # more than 2 % they are left out.
        straight = np.abs(up - steps) + np.abs(down - steps) <= 0.02 * steps
        straight = np.logical_and.accumulate(straight, axis=0)
        middle, beside = _levels(noise, straight, values, centre)
        # The centre is shared by all differences of one side, so its own error does not average
        # out.
        rises = (values[0] - centre, centre - values[1], values[0] - values[1])
        rooms = (beside[0] + middle, beside[1] + middle, beside[0] + beside[1])
        widths = (up, down, up + down)
        slopes, errors = (
            np.concatenate([a / width for a, width in zip(parts, widths, strict=True)], axis=1)
            for parts in (rises, rooms)
        )
    slopes[np.tile(~straight, 3)] = np.nan
    resolved, jumps = np.tile(noise.resolved.reshape(-1), 3), np.tile(noise.jumps.reshape(-1), 3)
    best = extrapolate(slopes, errors, np.repeat([1, 1, 2], x.size), resolved, jumps)
    sides = zip(best[: x.size], best[x.size : 2 * x.size], best[2 * x.size :], strict=True)
    return [
        _answer(*three, value, noise.known)
        for three, value in zip(sides, centre.tolist(), strict=True)
    ]


def _levels(noise: Levels, usable: Marks, values: Floats, centre: Floats) -> tuple[Floats, Floats]:
    """The errors of the values at the points, and of those beside them."""
    at = np.repeat(noise.at, centre.size // noise.at.size)
    if noise.known:
        return at, noise.beside.reshape(values.shape)
    near = [values[:, : usable[:, c].sum(), c] for c in range(centre.size)]
    three = zip(at.tolist(), near, centre.tolist(), strict=True)
    middle, sizes = np.array([_level(*each) for each in three]), np.abs(values)
    # Values further away round as well: beside 0, where a linear function vanishes, theirs is all
    # there is.
    sizes = np.where(np.isfinite(sizes), sizes, 0.0)
    return middle, middle + ROUNDINGS * DTYPES["float64"].unit_roundoff * sizes


def _answer(
    right: Slope | None, left: Slope | None, both: Slope | None, centre: float, known: bool
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
        gap, room = abs(left.value - right.value), left.radius + right.radius
        radius += room if isinf(room) else gap if gap > room else 0.0
        sound = known and left.resolved and right.resolved
    return Difference(best.value, radius, left, right, centre, sound=sound)


def _level(noise: float, values: Floats, centre: float) -> float:
    """Error of a value near the point: as known, else as the smallest steps show it, where the
    function itself hardly changes.
    """
    if not isnan(noise):
        return max(noise, float(np.spacing(abs(centre))) / 2)
    near = values[:, -6:].reshape(-1)
    near = near[np.isfinite(near)]
    scatter = float(np.max(np.abs(near - centre))) if near.size else 0.0
    return max(scatter, DTYPES["float64"].unit_roundoff * abs(centre), SMALLEST)
