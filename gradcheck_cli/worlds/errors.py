"""The error that one step of a program passes on, in many rows at once: what may be wrong with its
arguments times its largest slope between their ends, and its own rounding.

Where the slope is not all but linear in between (a root beside 0, a pole, a wave that goes through
a turn), the ends say nothing of it and the bound is infinite.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from math import isfinite
from typing import TYPE_CHECKING, Any, TypeAlias

from gradcheck_cli.language.program import fold
from gradcheck_cli.worlds.tensors import Tensors, tensor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gradcheck_cli.worlds.steps import LocalFormula, Step

Value: TypeAlias = Any  # a tensor of rows, or a Python number
# A bound for each row, or 0.0 where nothing is uncertain. Of a condition: 1 where it may be either,
# infinite where it may change more than once.
Bound: TypeAlias = Any

INF, UNIT, ETA = float("inf"), 2.0**-53, 2.0**-1074
# By how much of its size a slope may leave a straight line: at a tenth the largest of three slopes
# is short of the true maximum by a twentieth at most, where it bends one way.
BEND = 0.05
# Where a slope is looked at on the way to an end: far from a half and a third, so that the symmetry
# of a wave does not hide that it turns.
INSIDE = 0.37
# Where a formula overflows, slopes are looked at over this part of an argument.
WIDE = 2.0**-20


@dataclass(frozen=True)
class Follower:
    """A step at some rows.

    Attributes:
        total: of a step of a sum in any order, the sizes of all terms so far.
    """

    step: Step
    world: Tensors
    value: Value
    args: Sequence[Value]
    bounds: Sequence[Bound]
    total: Value | None

    def bound(self) -> Bound:
        """What may be wrong with its value."""
        step, args, bounds = self.step, self.args, self.bounds
        known = all(is_exact(bound) for bound in bounds)
        if step.row.condition:
            return 0.0 if known else self._undecided()
        total, last = 0.0, 0.0
        for position, slope in step.slopes:
            # The last argument is the one that a function rounds on its way in.
            is_rounded = step.rounds and step.rounds[1] and position == len(args) - 1
            if is_rounded or not is_exact(bounds[position]):
                last = self._steepest(position, slope)
                total = total + self._passed(last, bounds[position])
        if step.itself and not known:
            total = total + self._jump(step.itself, total)
        for position in step.choices:
            if not is_exact(bounds[position]):
                total = total + self._other_choice(position)
        if step.rounds:
            total = total + self._own(last)
        return self._settled(total)

    def _passed(self, slope: Value, bound: Bound) -> Bound:
        """What an argument's bound comes to. Nothing passes a slope of 0 that is a choice; another
        may be 0 by underflow.
        """
        found = _times(slope, bound)
        if self.step.choices or is_exact(bound):
            return found
        return found.masked_fill(bound == INF, INF)

    def _steepest(self, position: int, slope: LocalFormula) -> Value:
        """The largest slope between the ends of the arguments, infinite where the ends do not tell
        it.
        """
        step = self.step
        moving = [p for p, _ in slope.uses if not is_exact(self.bounds[p])]
        found = self._at_corners(slope, moving)
        if not getattr(found, "ndim", 0):
            return abs(found) if isfinite(found) else INF
        largest = abs(found).amax(0) if moving else abs(found)
        if moving and not step.is_pieced:
            middle, inside, ends = found[0], found[1], found[2:]
            bend = abs(ends + ends.flip(0) - 2 * middle).amax(0) / 2
            if len(moving) == 1:
                low, high = _ends(
                    tensor(self.args[moving[0]], self.world.like), self.bounds[moving[0]]
                )
                share = (self._way(moving[0]) - low) / (high - low)
                bend = bend.maximum(
                    abs(inside - ends[0] - share.nan_to_num(0.0) * (ends[1] - ends[0]))
                )
            largest = largest.masked_fill(
                (bend <= BEND * largest).logical_not() & (largest > 0), INF
            )
        lost = largest.isnan()
        if not lost.any():
            return largest
        return largest.where(~lost, self._quotient(position))

    def _quotient(self, position: int) -> Value:
        """The slope by one argument as torch's values show it, for formulas that overflow; infinite
        where they go through a turn.
        """
        import torch

        at = tensor(self.args[position], self.world.like)
        wide = abs(at) * WIDE
        wide = wide.maximum(torch.as_tensor(self.bounds[position], dtype=wide.dtype))

        def value(moved: Value) -> Value:
            args = [moved if p == position else arg for p, arg in enumerate(self.args)]
            return self.world.call(self.step.node, args)

        middle, high, low = value(at), value(at + wide), value(at - wide)
        rise = abs(high - middle).maximum(abs(low - middle))
        bend = abs(high + low - 2 * middle) / 2
        room = 16 * UNIT * abs(middle)
        is_straight = (bend <= BEND * rise + room) & rise.isfinite() & wide.isfinite()
        return torch.where(is_straight, (rise + room) / wide, INF)

    def _undecided(self) -> Bound:
        """How often a condition may change: 1 where the arguments may lie on either side of its
        border, infinite where they may lie anywhere, 0 elsewhere.
        """
        import torch

        widest = largest_of([bound for bound in self.bounds if not is_exact(bound)])
        if self.step.border is None:
            return widest
        side = self._at_corners(self.step.border, self._moving)
        touched = ~((side > 0).all(0) | (side < 0).all(0)) & (widest > 0)
        return torch.where(touched, torch.where(widest < INF, 1.0, INF), 0.0)

    def _jump(self, itself: LocalFormula, smooth: Bound) -> Bound:
        """Infinite where the value at an end is further off than slopes explain."""
        import torch

        ends = self._at_corners(itself, self._moving)[1:]
        room = 2 * smooth + 4 * UNIT * abs(self.value)
        return torch.where((abs(ends - self.value) <= room).all(0), 0.0, INF)

    def _other_choice(self, position: int) -> Bound:
        """How far the result is from what it is where a condition turns out otherwise."""
        other = list(self.args)
        other[position] = ~tensor(self.args[position], self.world.like)
        gap = abs(self.world.call(self.step.node, other) - self.value)
        return _times(gap.nan_to_num(INF, INF), self.bounds[position])

    @property
    def _moving(self) -> list[int]:
        """Arguments that are not exact."""
        return [p for p, bound in enumerate(self.bounds) if not is_exact(bound)]

    def _way(self, position: int) -> Value:
        """A part of the way to an argument's upper end."""
        middle = tensor(self.args[position], self.world.like)
        return middle + INSIDE * self.bounds[position] if middle.is_floating_point() else middle

    def _at_corners(self, what: LocalFormula, moving: Sequence[int]) -> Value:
        """A formula in the middle of its arguments, on the way to their last corner, and at all
        corners, the opposite of the first last: along a first dimension, if any argument moves.
        """
        import torch

        args, bounds = self.args, self.bounds
        corners = [*product((0, 1), repeat=len(moving))]
        inputs = {}
        for p, name in what.uses:
            inputs[name] = args[p]
            if p in moving:
                middle, which = tensor(args[p], self.world.like).reshape(-1), moving.index(p)
                ends = _ends(middle, bounds[p])
                middle = middle.expand(ends[0].shape)
                at = [ends[c[which]] for c in corners]
                way = self._way(p).reshape(-1).expand(middle.shape)
                inputs[name] = torch.stack([middle, way, *at])
        return fold(what.program, self.world, inputs)[what.program.result]

    def _own(self, slope: Value) -> Bound:
        """The rounding of the step itself."""
        import torch

        step, value = self.step, self.value
        assert step.rounds is not None
        c, m = step.rounds
        size = c * abs(value) if self.total is None else self.total
        if m:
            size = size + _times(slope, m * abs(self.args[-1]))
        found = UNIT * size if step.is_sum else UNIT * size + ETA
        is_free = self._is_exact_sum() if step.is_sum else self._is_exact_zero()
        if isinstance(is_free, bool):
            return 0.0 if is_free else found
        return torch.as_tensor(found).masked_fill(is_free, 0.0)

    def _is_exact_sum(self) -> Any:
        """Where two exact numbers add up to one: the error of a sum is a float64, and it is 0.

        Source: Knuth 1969, section 4.2.2, theorem B.
        """
        if len(self.args) < 2 or self.total is not None:
            return self.total is None
        a, b = self.args
        if not self.step.adds:
            b = -b
        back = self.value - a
        rest = (a - (self.value - back)) + (b - back)
        return (rest == 0) & (self.bounds[0] == 0) & (self.bounds[1] == 0)

    def _is_exact_zero(self) -> Any:
        """Where the result is 0 because an argument is exactly 0 or infinite, and not by
        underflow.
        """
        is_why: Any = False
        for p, (arg, bound) in enumerate(zip(self.args, self.bounds, strict=True)):
            if p not in self.step.choices:
                is_why = is_why | (((arg == 0) | (abs(arg) == INF)) & (bound == 0))
        return is_why & (self.value == 0)

    def _settled(self, total: Bound) -> Bound:
        """A bound that is no NaN; nothing is uncertain of an infinity that comes from one."""
        value = self.value
        if not hasattr(total, "nan_to_num"):
            return total if total < INF else INF
        total = total.nan_to_num(INF, INF)
        is_infinite = abs(value) == INF
        if not hasattr(is_infinite, "any") or not is_infinite.any():
            return total
        for p, (arg, bound) in enumerate(zip(self.args, self.bounds, strict=True)):
            if p not in self.step.choices:
                total = total.masked_fill(is_infinite & (abs(arg) == INF) & (bound == 0), 0.0)
        return total


def is_exact(bound: Bound) -> bool:
    return isinstance(bound, float) and bound == 0


def _times(slope: Value, bound: Bound) -> Bound:
    """Their product; 0 where either is 0, though the other is infinite. Neither is NaN."""
    found = slope * bound
    if hasattr(found, "nan_to_num"):
        return found.nan_to_num(0.0, INF)
    return found if slope and bound else 0.0


def largest_of(several: Sequence[Bound]) -> Bound:
    found = several[0]
    for one in several[1:]:
        found = found.maximum(one) if hasattr(found, "maximum") else one.clamp(min=found)
    return found


def _ends(middle: Value, bound: Bound) -> tuple[Value, Value]:
    """The ends of what is known of an argument, rounded outwards; of a condition what it is and
    what it may be.
    """
    import torch

    if middle.dtype == torch.bool:
        may_be = middle ^ (bound > 0)
        return middle.expand(may_be.shape), may_be
    is_wide = torch.as_tensor(bound > 0)
    low, high = middle - bound, middle + bound
    down, up = torch.tensor(-INF, dtype=low.dtype), torch.tensor(INF, dtype=low.dtype)
    return (
        torch.where(is_wide, low.nextafter(down), middle),
        torch.where(is_wide, high.nextafter(up), middle),
    )
