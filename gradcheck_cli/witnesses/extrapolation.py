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
            differences, rooms = (np.ascontiguousarray(a[:, part].T) for a in (slopes, noise))
            table = _Table(differences, rooms, order[part])
            found += table.slopes(None if sight is None else sight.part(part))
    return found


class _Table:
    """Richardson's tables of some columns, as arrays of shape (columns, order of extrapolation,
    steps): what is the same for all steps of a column is told to all of them at once.

    An entry stands at the smallest step that it is made of. In each column the steps `first` to
    `last` are used, `size` of them.
    """

    def __init__(self, slopes: Floats, noise: Floats, order: Counts) -> None:
        there: Marks = np.isfinite(slopes)
        # Behind the last step that is there for some column stands nothing.
        steps = slopes.shape[1] - int(np.argmax(there[:, ::-1].any(axis=0)))
        self.plain, noise = slopes[:, :steps], noise[:, :steps]
        self.there: Marks = there[:, :steps]
        usable = self.there & np.isfinite(noise)
        self.steps, self.columns = np.arange(steps), np.arange(order.size)
        self.last = steps - 1 - usable[:, ::-1].argmax(axis=1)
        self.beyond = self.steps > self.last[:, None]
        # After the last step that fails: the run of steps that lie inside the domain.
        holes = ~usable & (self.steps < self.last[:, None])
        self.first = np.where(holes.any(axis=1), steps - holes[:, ::-1].argmax(axis=1), 0)
        self.size = self.last - self.first + 1
        self.enough = self.size >= 3
        inside = ~((self.steps < self.first[:, None]) | self.beyond)
        tables = np.full((2, order.size, ORDERS + 1, steps), np.nan)
        self.values, self.errors = values, errors = tables
        np.copyto(values[:, 0], self.plain, where=inside)
        np.copyto(errors[:, 0], noise, where=inside)
        for j in range(1, ORDERS + 1):
            factor = 2.0 ** (order * j)[:, None]
            # (factor * value - value before) / (factor - 1), and errors add up.
            np.multiply(tables[:, :, j - 1, 1:], factor, out=tables[:, :, j, 1:])
            values[:, j, 1:] -= values[:, j - 1, :-1]
            errors[:, j, 1:] += errors[:, j - 1, :-1]
            tables[:, :, j, 1:] /= factor - 1

    def slopes(self, sight: Sight | None) -> list[Slope | None]:
        """A Slope for each column, None where fewer than three steps are usable."""
        tail, steps = self._tail(), self.steps.size
        total = self._truncation() * tail + self.errors + self._contradiction()
        total[~np.isfinite(total)] = np.inf
        flat = total.reshape(self.columns.size, -1)
        best = flat.argmin(axis=1)
        if sight is None:
            sure = self._speaks_for_itself(best % steps)
        else:
            # Many periods in a step look like anything: where the function is not followed, slopes
            # that settle step by step, or are one number, have to speak for it.
            rest = best % steps
            settles = self._settles(rest) | (self._is_one_number(rest) & ~sight.far)
            settles &= ~sight.jumps
            hidden = np.where(settles, 0, sight.resolved)
            np.copyto(total, np.inf, where=(self.steps < hidden[:, None])[:, None])
            best = flat.argmin(axis=1)
            sure = best % steps >= sight.resolved
        least = flat[self.columns, best]
        value = self.values.reshape(flat.shape)[self.columns, best]
        # Where no entry is any good, that of the largest step; the first may be none of the window.
        largest = self.values[self.columns, 0, self.first]
        value = np.where(np.isnan(value), largest, value)
        # The estimate itself is a float64 and rounds once more.
        radius = np.maximum(2 * least + np.spacing(np.abs(value)), SMALLEST)
        unsettled = np.isinf(tail[self.columns, 0, self.last])
        settled = self.enough & ~unsettled & (np.isfinite(least) | (sight is not None))
        columns = (array.tolist() for array in (value, radius, sure, settled))
        found = [Slope(v, r, False, f) if s else None for v, r, f, s in zip(*columns, strict=True)]
        for c in np.flatnonzero(~settled).tolist():
            found[c] = self._unsettled(c, is_driven=bool(unsettled[c]))
        return found

    def _unsettled(self, column: int, *, is_driven: bool) -> Slope | None:
        """What is said of a column without an estimate.

        Args:
            is_driven: whether the smallest steps still drive its slopes.
        """
        if self.enough[column] and is_driven:
            # A pole, a jump or a vertical tangent closer than any step.
            window = self.values[column, 0, self.first[column] : self.last[column] + 1]
            return Slope(float(window[-1]), float("inf"), _grows(window))
        there = self.there[column]
        if self.enough[column] or there.sum() < 3:
            return None
        # There are values, but nothing is known of their errors.
        return Slope(float(self.plain[column, there][-1]), float("inf"))

    @cached_property
    def _change(self) -> Floats:
        """How far entries are from those one step before."""
        return np.asarray(np.abs(self.values[..., 1:] - self.values[..., :-1]))

    @cached_property
    def _clear(self) -> Marks:
        """Which of these changes are far more than noise."""
        return np.asarray(self._change > 4 * self.errors[..., 1:])

    @cached_property
    def _ratio(self) -> Floats:
        """Of each change to the one before."""
        return np.asarray(self._change[..., 1:] / self._change[..., :-1])

    @cached_property
    def _changes(self) -> Marks:
        """Which slopes differ from the one before by more than both their noise."""
        errors = self.errors[:, 0]
        return np.asarray(self._change[:, 0] > errors[:, 1:] + errors[:, :-1])

    def _speaks_for_itself(self, rest: Counts) -> Marks:
        """Whether slopes that end at a step settle, or are one number all along; and do not scatter
        by more than their noise from there on.
        """
        change = self._change[:, 0]
        scatters = self._changes & (self.steps[1:] > rest[:, None])
        scatters[:, 1:] &= change[:, 1:] > 0.98 * change[:, :-1]
        known = ~self._changes.any(axis=1) | self._settles(rest)
        return np.asarray(known & ~scatters.any(axis=1))

    def _is_one_number(self, rest: Counts) -> Marks:
        """Whether the slopes are one number all along, and are seen to be: what noise hides of the
        smallest steps, such as a pole beside the point, would be no more than at an estimate's.
        """
        noise = self.errors[:, 0]
        is_seen = noise[self.columns, self.last] <= HIDDEN * noise[self.columns, rest]
        return np.asarray(is_seen & ~self._changes.any(axis=1))

    def _settles(self, rest: Counts) -> Marks:
        """Whether the slopes settle by a steady ratio, at the few steps before one or after it."""
        clear, ratio = self._clear[:, 0], self._ratio[:, 0]
        falls = clear[:, 1:] & clear[:, :-1] & (ratio < 0.98)
        turn = np.abs(ratio[:, 1:] / ratio[:, :-1] - 1)
        steady = falls[:, 1:] & falls[:, :-1] & (turn < STEADY)
        # steady[:, i] is of the steps i to i + 3.
        run = steady[:, STEADY_STEPS - 1 :].copy()
        for k in range(1, STEADY_STEPS):
            run &= steady[:, STEADY_STEPS - 1 - k : steady.shape[1] - k]
        ends = self.steps[2 + STEADY_STEPS :]
        return np.asarray((run & (ends >= rest[:, None] - NEAR)).any(axis=1))

    def _truncation(self) -> Floats:
        """Distance of an entry to those that it is made of; of a plain difference to that of the
        next smaller step.
        """
        values = self.values
        found: Floats = np.full_like(values, np.nan)
        # Both neighbours: where the error is odd in h (a jump in the second derivative) one of them
        # may agree by chance.
        made, before = values[:, 1:, 1:], values[:, :-1]
        np.maximum(
            np.abs(made - before[..., 1:]), np.abs(made - before[..., :-1]), out=found[:, 1:, 1:]
        )
        found[:, 0, :-1] = self._change[:, 0]
        # The last one may be as far from the next as from the one before.
        last, before = (
            values[self.columns, 0, self.last],
            values[self.columns, 0, np.maximum(self.last - 1, 0)],
        )
        found[self.columns, 0, self.last] = np.abs((2 * last - before) - last)
        return found

    def _tail(self) -> Floats:
        """How many times its last change an entry may still move, where it converges slower than
        steps halve, or not at all.

        Beside d**1.5 the slopes fall by 2**-0.5 a step: what is left is 2.4 times the last change.
        Where the changes grow beyond their noise there is no limit in sight.
        """
        found: Floats = np.ones_like(self.values)
        ratio, clear = self._ratio, self._clear
        slow = (ratio > 0.55) & clear[..., 1:] & clear[..., :-1]
        if slow.any():
            order = np.arange(ORDERS + 1)[:, None]
            # Twice in a row; the first ratio of a window has none before it.
            first = self.first[:, None, None] + order + 2
            slow[..., 1:] &= slow[..., :-1] | (self.steps[3:] == first)
            slow &= self.size[:, None, None] - order >= 4
            slowly = ratio[slow]
            found[..., 2:][slow] = np.where(slowly < 0.98, slowly / (1 - slowly), np.inf)
        return found

    def _contradiction(self) -> Floats:
        """How far each entry lies outside what those of smaller steps allow, with their noise."""
        # Entry k must lie below every later T_m + N_m and above every later T_m - N_m.
        values, errors = self.values, self.errors
        limits = np.array([errors + values, errors - values])
        np.copyto(limits, np.inf, where=self.beyond[:, None])
        ceiling, depth = _least_after(limits)
        return np.asarray(np.maximum(np.maximum(values - ceiling, -depth - values), 0.0))


def _least_after(values: Floats) -> Floats:
    """For each step the least of all smaller steps, infinity for the last."""
    found = np.full_like(values, np.inf)
    np.minimum.accumulate(values[..., :0:-1], axis=-1, out=found[..., -2::-1])
    return found


def _grows(slopes: Floats) -> bool:
    """Whether the last slopes rise in size with every step: a pole, a jump or a vertical tangent,
    not an oscillation.
    """
    last = np.abs(slopes[-6:])
    return bool(np.all(last[1:] > last[:-1]))
