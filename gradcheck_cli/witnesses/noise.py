"""How far rounding may take the forward values that differences are made of, and from which step on
the steps are too short to hide anything in between.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from gradcheck_cli.questions.batch import Batch, Point
    from gradcheck_cli.witnesses import Floats, Marks

Integers: TypeAlias = "np.ndarray[Any, np.dtype[np.int64]]"

# Bounds are asked for at every fourth step: from one to the next they change smoothly, or by leaps
# where differences mean nothing. In between the larger of the two holds.
STRIDE = 4


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
    """Errors of forward values.

    Attributes:
        beside: at `x + h` and `x - h`, shape (2, steps, points, variables).
        at: at the points themselves, shape (points,).
        known: whether all this is known; else `at` alone holds, NaN where not even that is.
        resolved: the largest step within which the function is followed from end to end, by its
            number, shape (points, variables).
        jumps: where it may jump within larger steps, in the same shape.
    """

    beside: Floats
    at: Floats
    known: bool
    resolved: Integers
    jumps: Marks


def noise_beside(noise: Noise, batch: Batch, base: Floats, steps: Floats) -> Levels:
    """What is known of all values that the differences of a batch are made of.

    Args:
        base: the points, shape (points, variables).
        steps: shape (steps, points, variables).
    """
    count, size = base.shape
    every = np.arange(0, len(steps), STRIDE)
    # Point by point: up, down, and what lies within each step, of each variable; the point itself.
    up = steps[every].transpose(1, 0, 2).reshape(count, -1)
    zero = np.zeros_like(up)
    offsets = np.concatenate([up, -up, zero, zero[:, :1]], axis=1)
    reaches = np.concatenate([zero, zero, up, zero[:, :1]], axis=1)
    each = offsets.shape[1]
    who, row = np.repeat(np.arange(count), each), np.arange(count * each)
    column = np.tile(np.append(np.tile(np.arange(size), 3 * len(every)), 0), count)
    rows, reach = base[who], np.zeros((count * each, size))
    rows[row, column] += offsets.reshape(-1)
    reach[row, column] = reaches.reshape(-1)
    bounds = noise.bounds(batch, who, rows, reach)
    if bounds is None:
        return _at_points_alone(noise, batch, steps)
    found = bounds.reshape(count, each)
    parts = found[:, :-1].reshape(count, 3, len(every), size).transpose(1, 2, 0, 3)
    # From the last step that is not followed from end to end on.
    lost = ~np.isfinite(parts[2])
    first = np.where(lost.any(axis=0), len(every) - np.argmax(lost[::-1], axis=0), 0)
    resolved, jumps = np.append(every, len(steps))[first], np.isnan(parts[2]).any(axis=0)
    return Levels(_between(parts[:2], len(steps)), found[:, -1], True, resolved, jumps)


def _at_points_alone(noise: Noise, batch: Batch, steps: Floats) -> Levels:
    """The levels at the points; all steps are taken for short enough."""
    levels = [noise.level(point) for point in batch]
    at = np.array([np.nan if level is None else level for level in levels])
    shape = steps.shape[1:]
    resolved, jumps = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.bool_)
    return Levels(np.full((2, *steps.shape), np.nan), at, False, resolved, jumps)


def _between(sampled: Floats, count: int) -> Floats:
    """For each step the larger of the bounds at the nearest steps with one."""
    places = np.arange(count)
    below, above = places // STRIDE, np.minimum(-(-places // STRIDE), sampled.shape[1] - 1)
    return np.asarray(np.maximum(sampled[:, below], sampled[:, above]))
