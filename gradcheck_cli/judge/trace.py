"""A trace: a program as torch evaluates it, in scalars, and how far rounding takes its results.

The trace is run in balls; its own adjoints say how much a rounding error made at each node moves a
result:

    B = sum_i w_i e_i

with e_i the error that node i makes, as in `judge.graph`, and w_i how far it moves the result.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from math import isfinite
from typing import TYPE_CHECKING, Any

from flint import arb, ctx

from gradcheck_cli.functions.arithmetic import OFF
from gradcheck_cli.judge.graph import units
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


@dataclass(frozen=True)
class Budget:
    """How far rounding can take a formula at a point, and the node that contributes most."""

    total: float
    culprit: int | None = None  # a node of the user's program


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
    _seen: tuple[object, list[Any], list[Any]] = field(default=(None, [], []))
    _constants: dict[int | None, frozenset[int]] = field(default_factory=dict)

    def budget(self, point: Point, output: int, dtype: DType, *, near: bool = False) -> Budget:
        """The budget of one node at a point, or at points beside it: see `Graph.errors`."""
        found = Budget(float("inf"))
        for bits in _BITS:
            with ctx.workprec(bits):
                values, errors = self._at(point, bits, dtype, near=near)
                found = self._summed(self.graph.weights(output, values), values, errors, dtype)
            if isfinite(found.total):
                break
        return found

    def of_partial(self, point: Point, position: int, dtype: DType) -> Budget:
        """The budget of one partial at a point."""
        node = self.partials[position]
        return self.budget(point, node, dtype) if node >= 0 else Budget(0.0)

    def budget_between(self, point: Point, output: int, others: Sequence[Any]) -> float:
        """The budget of one node for values anywhere between those at a point and others: by the
        mean value theorem, with the adjoints of the whole way.
        """
        if output < 0:
            return 0.0
        with ctx.workprec(_BITS[-1]):
            values, _ = self._at(point, _BITS[-1], point.dtype)
            hull = [_union(a, b) for a, b in zip(values, others, strict=False)]
            errors = self.graph.errors(hull, point.dtype)
            return self._summed(self.graph.weights(output, hull), hull, errors, point.dtype).total

    def shares(self, point: Point, output: int) -> list[int]:
        """Nodes of the user's program, those first whose rounding moves an output most."""
        with ctx.workprec(_BITS[-1]):
            values, errors = self._at(point, _BITS[-1], point.dtype)
            found: dict[int, Any] = {}
            for i, weight in self.graph.weights(output, values).items():
                if errors[i] is not None:
                    node = self.expansion.origin[i]
                    found[node] = found.get(node, arb(0)) + abs(weight) * errors[i]
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

    def _at(
        self, point: Point, bits: int, dtype: DType, *, near: bool = False
    ) -> tuple[list[Any], list[Any]]:
        """For every node its ball at a point, and the rounding error it makes itself."""
        key = (point, bits, dtype, near)
        if self._seen[0] != key:
            values = self.graph.machine.run(point.scalars, bits, point.dtype.round)
            self._seen = (key, values, self.graph.errors(values, dtype, near=near))
        return self._seen[1:]

    def _summed(
        self, weights: dict[int, Any], values: list[Any], errors: list[Any], dtype: DType
    ) -> Budget:
        total, culprit, most = arb(0), None, arb(0)
        for i, weight in weights.items():
            error = errors[i]
            if error is None:
                continue
            term = abs(weight) * error
            if not term.is_finite():
                return Budget(float("inf"), self.expansion.origin[i])
            total += term
            if term > most and self.moves[self.expansion.origin[i]]:
                most, culprit = term, self.expansion.origin[i]
        for group in self.eliminated:
            size = max((abs(values[i]).upper() for i in group), key=float) * len(group)
            total += sum(
                (abs(weights[i]) * units(dtype)[0] * size for i in group if i in weights), arb(0)
            )
        return Budget(float(total.abs_upper()), culprit)


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
