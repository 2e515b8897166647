"""How far rounding may take the forward values that differences are made of, and from which step on
the steps are too short to hide anything in between.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import numpy as np

from gradcheck_cli.language.program import Number
from gradcheck_cli.questions.prepared import Oversize
from gradcheck_cli.witnesses.extrapolation import Sight

if TYPE_CHECKING:
    from gradcheck_cli.questions.batch import Batch, Point
    from gradcheck_cli.witnesses import Floats, Marks

Integers: TypeAlias = "np.ndarray[Any, np.dtype[np.int64]]"

# Bounds are asked for at every fourth step: from one to the next they change smoothly, or by leaps
# where differences mean nothing. In between the larger of the two holds.
STRIDE = 4
# Numbers up to this, and its inverse, are taken for ordinary: steps that are a part of them are
# shorter than any period that they make.
FAR = 2**16
# Numbers in the rows that bounds are asked for, at most, for each point: 8 MiB.
MOST_NUMBERS = 2**20


class Noise(Protocol):
    """What is known of the errors of forward values."""

    def bounds(self, batch: Batch, who: Integers, rows: Floats, reach: Floats) -> Floats | None:
        """A bound of the error of `<cotangent, f>` in each row, infinite where there is none, NaN
        where values may jump as well; None where they cannot be had.

        Args:
            who: the point that each row belongs to.
            rows: all elements differentiated, one row a vector.
            reach: for each of them how far around it may lie, 0 where it is what it is.
        """

    def level(self, point: Point) -> float | None:
        """The error of a value at a point alone; None where it is not known."""


class Scatter:
    """Nothing is known: the smallest steps tell of it."""

    def bounds(self, batch: Batch, who: Integers, rows: Floats, reach: Floats) -> None:
        """Nothing."""

    def level(self, point: Point) -> None:
        """Nothing."""


@dataclass(frozen=True)
class Levels:
    """Errors of the forward values of some columns: a column is one variable at one point.

    Attributes:
        at: at the points themselves, shape (columns,).
        beside: at `x + h` and `x - h`, shape (2, steps, columns).
        sight: how closely the function is followed.
    """

    at: Floats
    beside: Floats
    sight: Sight


def far_columns(batch: Batch) -> Marks:
    """The columns of points where a step may hold many periods: a number of the point or a constant
    of the program is far from 1.
    """
    size = len(batch.keys)
    if batch.prepared.share("far constants", lambda: _has_far_constants(batch)):
        return np.ones(len(batch) * size, dtype=np.bool_)
    points = (map(abs, point.scalars.values()) for point in batch)
    return np.repeat([any(x > FAR or 0 < x < 1 / FAR for x in sizes) for sizes in points], size)


def _has_far_constants(batch: Batch) -> bool:
    expansion = batch.prepared.expansion
    if isinstance(expansion, Oversize):
        return False
    nodes = expansion.builder.nodes
    values = [node.value for node in nodes if isinstance(node, Number)]
    ratios = [value.as_integer_ratio() for value in values if not isinstance(value, float)]
    return any(n and not d <= abs(n) * FAR <= d * FAR**2 for n, d in ratios)


def bounds_beside(
    noise: Noise, batch: Batch, base: Floats, steps: Floats, far: Marks, columns: Integers
) -> Levels | None:
    """The levels of some columns; None where they cannot be had.

    Args:
        base: the points, shape (points, variables).
        steps: shape (steps, points, variables).
        far: as `far_columns` gives it.
        columns: their numbers, point by point.
    """
    who, variable = np.divmod(columns, base.shape[1])
    every = np.arange(0, len(steps), STRIDE)
    if columns.size * (3 * every.size + 1) * base.shape[1] > MOST_NUMBERS * len(batch):
        return None
    up = steps[every][:, who, variable].T
    # Column by column: up, down, what lies within each step, and the point itself.
    zero = np.zeros_like(up)
    offsets = np.concatenate([up, -up, zero, zero[:, :1]], axis=1)
    reaches = np.concatenate([zero, zero, up, zero[:, :1]], axis=1)
    each = offsets.shape[1]
    whose, row = np.repeat(who, each), np.arange(offsets.size)
    rows, reach = base[whose], np.zeros((offsets.size, base.shape[1]))
    with np.errstate(over="ignore"):
        rows[row, np.repeat(variable, each)] += offsets.reshape(-1)
    reach[row, np.repeat(variable, each)] = reaches.reshape(-1)
    bounds = noise.bounds(batch, whose, rows, reach)
    if bounds is None:
        return None
    found = bounds.reshape(-1, each)
    parts = found[:, :-1].reshape(-1, 3, len(every)).transpose(1, 2, 0)
    # From the last step that is not followed from end to end on.
    lost = ~np.isfinite(parts[2])
    first = np.where(lost.any(axis=0), len(every) - np.argmax(lost[::-1], axis=0), 0)
    resolved, jumps = np.append(every, len(steps))[first], np.isnan(parts[2]).any(axis=0)
    sight = Sight(resolved, jumps, far[columns])
    return Levels(found[:, -1], _between(parts[:2], len(steps)), sight)


def _between(sampled: Floats, count: int) -> Floats:
    """For each step the larger of the bounds at the nearest steps with one."""
    places = np.arange(count)
    below, above = places // STRIDE, np.minimum(-(-places // STRIDE), sampled.shape[1] - 1)
    return np.asarray(np.maximum(sampled[:, below], sampled[:, above]))
