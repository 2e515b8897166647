"""Extrapolation: from difference quotients for steps that halve to slopes with honest bars, many
columns at once.

A column is one derivative from one side. What is not finite in a column lies outside its window:
the run of steps that ends with the last usable one. Outside the window everything is NaN, which no
comparison holds of.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from gradcheck_cli.witnesses import Floats, Marks

Counts: TypeAlias = "np.ndarray[Any, np.dtype[np.int64]]"

# Richardson columns: order 10 for central differences, 5 for one-sided ones.
ORDERS = 5
# Differences of values that underflow to 0 are not known more closely than this.
SMALLEST = 5e-324
# Slopes settle where the ratio of one change to the one before stays within this part of itself,
# for so many changes, the last of them at most so many steps before the smallest of an estimate.
STEADY, STEADY_STEPS, NEAR = 0.2, 3, 8
# Slopes are one number where the noise of the last is so many times that of an estimate's, at most.
HIDDEN = 16
# Columns that are worked on together: with 54 steps their tables fit into the second-level cache.
_TOGETHER = 64
# What is before an entry is taken off its value, and added to its error.
_SIGNS = np.array([-1.0, 1.0])[:, None, None]


@dataclass(frozen=True)
class Slope:
    """An estimated derivative that should hold the truth within `radius`; `grows` where it has no
    limit in sight, `sure` where nothing is hidden between the steps that it rests on.
    """

    value: float
    radius: float
    grows: bool = False
    sure: bool = field(default=False, repr=False, compare=False)


@dataclass(frozen=True)
class Sight:
    """How closely the function behind some columns is known between its values.

    Attributes:
        resolved: for each column the step from which on it is followed from end to end.
        jumps: where it may jump within larger steps, of which there may be too many to be seen.
        far: where steps may be many periods of a wave that rounding hides.
    """

    resolved: Counts
    jumps: Marks
    far: Marks

    def part(self, which: Any) -> Sight:
        """That of some columns."""
        return Sight(self.resolved[which], self.jumps[which], self.far[which])


def extrapolate(
    slopes: Floats, noise: Floats, order: Counts, sight: Sight | None = None
) -> list[Slope | None]:
    """For each column the entry of its Richardson table with the smallest total error; claims twice
    that total.

    Args:
        slopes: differences for steps that halve, one column each; those not finite are dropped from
            the large end and the small.
        noise: how far rounding may take each.
        order: 2 for central differences (only even powers of h in the error), 1 for one-sided ones.
        sight: None where nothing but the slopes tells what lies between the steps.
    """
    found: list[Slope | None] = []
    with np.errstate(all="ignore"):
        for i in range(0, order.size, _TOGETHER):
            part = slice(i, i + _TOGETHER)
            table = _Table(slopes[:, part], noise[:, part], order[part])
            found += table.slopes(None if sight is None else sight.part(part))
    return found


class _Table:
    """Richardson's tables of some columns, as arrays of shape (order of extrapolation, steps,
    columns).

    An entry stands at the smallest step that it is made of. In each column the steps `first` to
    `last` are used, `size` of them.
    """

    def __init__(self, slopes: Floats, noise: Floats, order: Counts) -> None:
        there = np.isfinite(slopes)
        # Behind the last step that is there for some column stands nothing.
        steps = len(slopes) - int(np.argmax(there[::-1].any(axis=1)))
        slopes, noise, there = slopes[:steps], noise[:steps], there[:steps]
        usable = there & np.isfinite(noise)
        self.there = there.sum(axis=0) >= 3
        self.nearest = slopes[steps - 1 - np.argmax(there[::-1], axis=0), np.arange(order.size)]
        self.rows = np.arange(steps)[:, None]
        self.last = steps - 1 - np.argmax(usable[::-1], axis=0)
        # After the last step that fails: the run of steps that lie inside the domain.
        holes = ~usable & (self.rows < self.last)
        self.first = np.where(holes.any(axis=0), steps - np.argmax(holes[::-1], axis=0), 0)
        self.size = self.last - self.first + 1
        self.enough = (usable.sum(axis=0) >= 3) & (self.size >= 3)
        self.columns = np.arange(order.size)
        self.beyond = self.rows > self.last
        outside = (self.rows < self.first) | self.beyond
        tables = np.full((2, ORDERS + 1, *slopes.shape), np.nan)
        tables[:, 0] = np.where(outside, np.nan, [slopes, noise])
        for j in range(1, ORDERS + 1):
            factor, before, here = 2.0 ** (order * j), tables[:, j - 1], tables[:, j, 1:]
            # (factor * value - value before) / (factor - 1), and errors add up.
            np.multiply(before[:, 1:], factor, out=here)
            here += _SIGNS * before[:, :-1]
            here /= factor - 1
        self.values, self.errors = tables

    def slopes(self, sight: Sight | None) -> list[Slope | None]:
        """A Slope for each column, None where fewer than three steps are usable."""
        tail = self._tail()
        total = self._truncation() * tail + self.errors + self._contradiction()
        total = np.where(np.isfinite(total), total, np.inf).reshape(-1, self.columns.size)
        best = np.argmin(total, axis=0)
        if sight is None:
            sure = self._speaks_for_itself(best % len(self.rows))
        else:
            # Many periods in a step look like anything: where the function is not followed, slopes
            # that settle step by step, or are one number, have to speak for it.
            rest = best % len(self.rows)
            settles = self._settles(rest) | (self._is_one_number(rest) & ~sight.far)
            settles &= ~sight.jumps
            hidden = np.where(settles, 0, sight.resolved)
            total[np.tile(self.rows < hidden, (ORDERS + 1, 1))] = np.inf
            best = np.argmin(total, axis=0)
            sure = best % len(self.rows) >= sight.resolved
        least, value = (
            total[best, self.columns],
            self.values.reshape(total.shape)[best, self.columns],
        )
        # Where no entry is any good, that of the largest step; the first may be none of the window.
        largest = self.values[0, self.first, self.columns]
        value = np.where(np.isnan(value), largest, value)
        # The estimate itself is a float64 and rounds once more.
        radius = np.maximum(2 * least + np.spacing(np.abs(value)), SMALLEST)
        unsettled = np.isinf(tail[0, self.last, self.columns])
        settled = self.enough & ~unsettled & (np.isfinite(least) | (sight is not None))
        columns = zip(value.tolist(), radius.tolist(), sure.tolist(), settled, strict=True)
        found = [Slope(v, r, False, f) if s else None for v, r, f, s in columns]
        for c in np.flatnonzero(self.enough & unsettled).tolist():
            # The smallest steps still drive it: a pole, a jump or a vertical tangent closer than
            # any step.
            window = self.values[0, self.first[c] : self.last[c] + 1, c]
            found[c] = Slope(float(window[-1]), float("inf"), _grows(window))
        for c in np.flatnonzero(~self.enough & self.there).tolist():
            # There are values, but nothing is known of their errors.
            found[c] = Slope(float(self.nearest[c]), float("inf"))
        return found

    def _speaks_for_itself(self, rest: Counts) -> Marks:
        """Whether slopes that end at a step settle, or are one number all along; and do not scatter
        by more than their noise from there on.
        """
        change = np.abs(self.values[0, 1:] - self.values[0, :-1])
        scatters = self._changes & (self.rows[1:] > rest)
        scatters[1:] &= change[1:] > 0.98 * change[:-1]
        known = ~self._changes.any(axis=0) | self._settles(rest)
        return np.asarray(known & ~scatters.any(axis=0))

    def _is_one_number(self, rest: Counts) -> Marks:
        """Whether the slopes are one number all along, and are seen to be: what noise hides of the
        smallest steps, such as a pole beside the point, would be no more than at an estimate's.
        """
        plain = self.errors[0]
        is_seen = plain[self.last, self.columns] <= HIDDEN * plain[rest, self.columns]
        return np.asarray(is_seen & ~self._changes.any(axis=0))

    @cached_property
    def _changes(self) -> Marks:
        """Which slopes differ from the one before by more than both their noise."""
        change = np.abs(self.values[0, 1:] - self.values[0, :-1])
        return np.asarray(change > self.errors[0, 1:] + self.errors[0, :-1])

    def _settles(self, rest: Counts) -> Marks:
        """Whether the slopes settle by a steady ratio, at the few steps before one or after it."""
        change = np.abs(self.values[0, 1:] - self.values[0, :-1])
        clear = change > 4 * self.errors[0, 1:]
        ratio = change[1:] / change[:-1]
        falls = clear[1:] & clear[:-1] & (ratio < 0.98)
        steady = falls[1:] & falls[:-1] & (np.abs(ratio[1:] / ratio[:-1] - 1) < STEADY)
        # steady[i] is of the steps i to i + 3.
        run = np.zeros_like(steady)
        run[STEADY_STEPS - 1 :] = steady[STEADY_STEPS - 1 :]
        for k in range(1, STEADY_STEPS):
            run[STEADY_STEPS - 1 :] &= steady[STEADY_STEPS - 1 - k : len(steady) - k]
        ends = self.rows[3:]
        return np.asarray((run & (ends >= rest - NEAR)).any(axis=0))

    def _truncation(self) -> Floats:
        """Distance of an entry to those that it is made of; of a plain difference to that of the
        next smaller step.
        """
        values = self.values
        found: Floats = np.full_like(values, np.nan)
        # Both neighbours: where the error is odd in h (a jump in the second derivative) one of them
        # may agree by chance.
        found[1:, 1:] = np.maximum(
            np.abs(values[1:, 1:] - values[:-1, 1:]), np.abs(values[1:, 1:] - values[:-1, :-1])
        )
        found[0, :-1] = np.abs(values[0, 1:] - values[0, :-1])
        # The last one may be as far from the next as from the one before.
        last, before = (
            values[0, self.last, self.columns],
            values[0, np.maximum(self.last - 1, 0), self.columns],
        )
        found[0, self.last, self.columns] = np.abs((2 * last - before) - last)
        return found

    def _tail(self) -> Floats:
        """How many times its last change an entry may still move, where it converges slower than
        steps halve, or not at all.

        Beside d**1.5 the slopes fall by 2**-0.5 a step: what is left is 2.4 times the last change.
        Where the changes grow beyond their noise there is no limit in sight.
        """
        found: Floats = np.ones_like(self.values)
        change = np.abs(self.values[:, 1:] - self.values[:, :-1])
        clear = change > 4 * self.errors[:, 1:]
        ratio = change[:, 1:] / change[:, :-1]
        slow = (ratio > 0.55) & clear[:, 1:] & clear[:, :-1]
        if slow.any():
            order = np.arange(len(found))[:, None, None]
            # Twice in a row; the first ratio of a window has none before it.
            slow[:, 1:] &= slow[:, :-1] | (self.rows[3:] == self.first + order + 2)
            slow &= self.size - order >= 4
            left = np.where(ratio < 0.98, ratio / (1 - np.minimum(ratio, 0.98)), np.inf)
            found[:, 2:] = np.where(slow, left, 1.0)
        return found

    def _contradiction(self) -> Floats:
        """How far each entry lies outside what those of smaller steps allow, with their noise."""
        # Entry k must lie below every later T_m + N_m and above every later T_m - N_m.
        values, errors = self.values, self.errors
        limits = np.where(self.beyond, np.inf, [errors + values, errors - values])
        ceiling, depth = _least_after(limits)
        return np.asarray(np.maximum(np.maximum(values - ceiling, -depth - values), 0.0))


def _least_after(values: Floats) -> Floats:
    """For each step the least of all smaller steps, infinity for the last; in doubling strides, as
    `accumulate` takes four times as long.
    """
    found = np.full_like(values, np.inf)
    found[..., :-1, :] = values[..., 1:, :]
    stride = 1
    while stride < values.shape[-2]:
        np.minimum(found[..., :-stride, :], found[..., stride:, :], out=found[..., :-stride, :])
        stride *= 2
    return found


def _grows(slopes: Floats) -> bool:
    """Whether the last slopes rise in size with every step: a pole, a jump or a vertical tangent,
    not an oscillation.
    """
    last = np.abs(slopes[-6:])
    return bool(np.all(last[1:] > last[:-1]))
