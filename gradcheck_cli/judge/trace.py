"""A trace: a program as torch evaluates it, in scalars, and how far rounding takes its results.

The trace is run in balls; `judge.spread` says how far the rounding errors of its nodes move each of
them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from math import isfinite
from typing import TYPE_CHECKING, Any

from flint import arb, ctx

from gradcheck_cli.functions.arithmetic import OFF
from gradcheck_cli.judge.spread import Spread
from gradcheck_cli.language.program import Call
from gradcheck_cli.worlds import balls

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gradcheck_cli.dtypes import DType
    from gradcheck_cli.judge.graph import Graph
    from gradcheck_cli.language.program import Program
    from gradcheck_cli.questions.batch import Point
    from gradcheck_cli.worlds.scalars import Expansion

# Budgets are bounds: a few bits of them are enough, and 64 keep cancelling adjoints honest;
# log_ndtr(17) needs 512.
_BITS = (64, 512, 2048)
# What a float64 holds: `abs_upper` rounds up to as many bits as are in force.
_FLOAT_BITS = 53


@dataclass(frozen=True)
class Budget:
    """How far rounding can take a formula at a point."""

    total: float
    spread: Spread | None = None
    node: int = -1  # of the trace

    @property
    def culprit(self) -> int | None:
        """The node of the user's program that contributes most."""
        return None if self.spread is None else self.spread.leaders[self.node]


@dataclass(eq=False)
class Trace:
    """A program of torch's as scalars: the forward alone, or the forward and its gradient.

    Attributes:
        program: the user's.
        expansion: all that torch evaluates; `forward` nodes of it are the forward.
        outputs: nodes of the value's elements; `objective` that of `<cotangent, f>`.
        moves: for each node of the user's program whether it depends on an input.
        partials: the node of each partial, -1 where it is zero; none of the forward alone.
        eliminated: groups of nodes that one elimination perturbs together.
    """

    program: Program
    expansion: Expansion
    forward: int
    outputs: Sequence[int]
    objective: int
    partials: Sequence[int]
    eliminated: Sequence[Sequence[int]]
    graph: Graph
    moves: Sequence[bool]
    _spreads: tuple[object, dict[int, Spread]] = field(default=(None, {}))
    _constants: dict[int | None, frozenset[int]] = field(default_factory=dict)

    def budget(self, point: Point, output: int, dtype: DType, *, near: bool = False) -> Budget:
        """The budget of one node at a point, or at points beside it: see `Graph.errors`."""
        found = Budget(float("inf"))
        for bits in _BITS:
            found = budget_of(self.spread_at(point, bits, dtype, near=near), output)
            if isfinite(found.total):
                break
        return found

    def of_partial(self, point: Point, position: int, dtype: DType) -> Budget:
        """The budget of one partial at a point."""
        node = self.partials[position]
        return self.budget(point, node, dtype) if node >= 0 else Budget(0.0)

    def between(self, point: Point, others: Sequence[Any]) -> Spread:
        """For values anywhere between those at a point and others: by the mean value theorem, with
        the slopes of the whole way.
        """
        bits = _BITS[-1]
        values = self.spread_at(point, bits, point.dtype).values
        with ctx.workprec(bits):
            return self.spread_of(
                [_union(a, b) for a, b in zip(values, others, strict=False)], point.dtype, bits
            )

    def shares(self, point: Point, output: int) -> list[int]:
        """Nodes of the user's program, those first whose rounding moves an output most."""
        spread = self.spread_at(point, _BITS[-1], point.dtype)
        with ctx.workprec(_BITS[-1]):
            found: dict[int, Any] = {}
            for i, weight in self.graph.weights(output, spread.values).items():
                error = spread.errors[i]
                if error is not None:
                    node = self.expansion.origin[i]
                    found[node] = found.get(node, arb(0)) + abs(weight) * error
            sizes = {node: _logarithm(size) for node, size in found.items()}
        return sorted(found, key=lambda node: (-sizes[node], node))

    def upstream(self, output: int) -> set[int]:
        """The nodes that one rests on."""
        needed = {output}
        for i in range(output, -1, -1):
            node = self.graph.nodes[i]
            if i in needed and isinstance(node, Call):
                needed.update(node.args)
        return needed

    @cached_property
    def inner_constants(self) -> frozenset[int]:
        """Scalars that constants are computed from: Python does that, in float64."""
        fixed = [not self.moves[node] for node in self.expansion.origin]
        outer = {
            j
            for i, node in enumerate(self.graph.nodes)
            if isinstance(node, Call) and not fixed[i]
            for j in node.args
        }
        return frozenset(i for i, is_fixed in enumerate(fixed) if is_fixed and i not in outer)

    def constants(self, node: int | None) -> frozenset[int]:
        """The nodes of the user's program that no input reaches and that one is made of."""
        if node not in self._constants:
            found: set[int] = set()
            stack = [] if node is None else [node]
            while stack:
                call = self.program.nodes[stack.pop()]
                args = call.args if isinstance(call, Call) else ()
                fixed = [i for i in args if not self.moves[i] and i not in found]
                found.update(fixed)
                stack += fixed
            self._constants[node] = frozenset(found)
        return self._constants[node]

    def spread_at(self, point: Point, bits: int, dtype: DType, *, near: bool = False) -> Spread:
        """How far rounding takes every node at a point, or at points beside it."""
        # Of the point its numbers alone: what is kept with a program holds no batch of it.
        key = (point.scalars, point.dtype, dtype, near)
        if self._spreads[0] != key:
            self._spreads = (key, {})
        spreads = self._spreads[1]
        if bits not in spreads:
            with ctx.workprec(bits):
                values = self.graph.machine.run(point.scalars, bits, point.dtype.round)
                spreads[bits] = self.spread_of(values, dtype, bits, near=near)
        return spreads[bits]

    def spread_of(
        self, values: Sequence[Any], dtype: DType, bits: int, *, near: bool = False
    ) -> Spread:
        errors = self.graph.errors(values, dtype, near=near)
        rest = dtype, bits, self.expansion.origin, self.moves, self.eliminated
        return Spread(self.graph, values, errors, *rest)


def budget_of(spread: Spread, node: int) -> Budget:
    """The budget of one node, rounded up whatever the precision in force: a bound of more bits than
    a float has would be rounded to the nearest.
    """
    total = spread.totals[node]
    with ctx.workprec(_FLOAT_BITS):
        size = 0.0 if total is None else float(total.abs_upper())
    return Budget(size if isfinite(size) else float("inf"), spread, node)


def _union(a: Any, b: Any) -> Any:
    """The ball around two values; of a structural zero and a number that around 0 and it."""
    if isinstance(a, bool) or a is None or (a is OFF and b is OFF):
        return a if a is b else None
    return balls.plain(a).union(balls.plain(b))


def _logarithm(size: Any) -> float:
    """Of a number that no float may hold, to base 2; infinite where it is not known."""
    if not size.is_finite():
        return float("inf")
    mantissa, shift = size.mid().man_exp()
    return int(mantissa).bit_length() + int(shift) if mantissa else float("-inf")
