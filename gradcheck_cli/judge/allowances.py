"""Between what bounds the rounding budgets of all points of a cell lie: torch's gradient program,
run over the whole cell in balls.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isfinite
from typing import TYPE_CHECKING, Any

from flint import arb, ctx

from gradcheck_cli.functions.arithmetic import OFF
from gradcheck_cli.judge.graph import holds, is_infinity, units
from gradcheck_cli.worlds.balls import exact_ball, midpoint, plain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gradcheck_cli.dtypes import DType
    from gradcheck_cli.judge.graph import Graph
    from gradcheck_cli.judge.rounding import Rounding

_BITS = 128
# Room for a bound that is rounded to float64.
_ROOM = 2.0**-40


@dataclass(frozen=True)
class Allowances:
    """Of one partial.

    Attributes:
        fixed: the inputs that do not move.
    """

    rounding: Rounding
    partial: int
    moving: str
    fixed: Mapping[str, float]
    dtype: DType

    def between(self, low: float, high: float) -> tuple[float, float]:
        """A number that no budget lies below, and one that none lies above, for all numbers of the
        input from `low` to `high`; 0 and infinity where nothing is known.
        """
        trace = self.rounding.gradient
        node = trace.partials[self.partial]
        if node < 0:
            return 0.0, 0.0
        if trace.eliminated:
            return 0.0, inf
        with ctx.workprec(_BITS):
            values = self._values(low, high)
            most = self._most(values, self.dtype)
            least = _least(trace.graph, values, self.dtype)[node]
        return (max(0.0, float(least.lower())) * (1 - _ROOM) if isfinite(most) else 0.0), most

    def most_unlimited(self, low: float, high: float) -> float:
        """A number that none lies above if no number could leave the dtype's range."""
        if self.rounding.gradient.eliminated:
            return inf
        with ctx.workprec(_BITS):
            return self._most(self._values(low, high), self.dtype.unlimited)

    def _values(self, low: float, high: float) -> list[Any]:
        inputs = {name: arb(value) for name, value in self.fixed.items()}
        inputs[self.moving] = arb(low).union(arb(high))
        return self.rounding.gradient.graph.machine.values(inputs, self.dtype.round)

    def _most(self, values: Sequence[Any], dtype: DType) -> float:
        trace = self.rounding.gradient
        node = trace.partials[self.partial]
        most = trace.spread_of(values, dtype, _BITS).totals[node] if node >= 0 else None
        top = 0.0 if most is None else float(most.abs_upper()) * (1 + _ROOM)
        return top if isfinite(top) else inf


def _least(graph: Graph, values: Sequence[Any], dtype: DType) -> list[Any]:
    """For each node at least how far rounding before it moves it: errors that are made at every
    point of the cell, as balls that are not below 0.
    """
    unit, smallest = units(dtype)
    held = [True] * graph.size
    for i in graph.numbers:
        held[i] = holds(values[i], dtype)
    found: list[Any] = [arb(0)] * graph.size
    for i in graph.calls:
        how, value = graph.rounds[i], values[i]
        total = arb(0)
        for j, slope in graph.edges[i]:
            if values[slope] is not OFF:
                total += arb(abs(values[slope]).abs_lower()) * found[j]
        may_hold = all(held[j] for j in graph.args[i])
        if how is not None and value is not OFF and hasattr(value, "is_finite"):
            may_be = how.correct or (value.contains(0) and not how.m)
            may_hold = may_hold and may_be and _may_be_held(value, dtype)
            if not may_hold and not is_infinity(value):
                size = how.c * value.abs_lower()
                if how.m and how.effect >= 0:
                    size += how.m * plain(values[how.effect]).abs_lower()
                total += unit * size + smallest
        held[i] = may_hold
        found[i] = arb(max(total.lower(), arb(0))) if total.is_finite() else arb(0)
    return found


def _may_be_held(value: Any, dtype: DType) -> bool:
    """Whether a ball may be a number of a dtype: that of a constant, such as a third, may not."""
    if not value.is_finite() or value.rel_accuracy_bits() < 2 * dtype.digits:
        return True
    try:
        nearest = dtype.round(midpoint(value))
    except OverflowError:
        return True
    return bool(value.contains(exact_ball(nearest)))
