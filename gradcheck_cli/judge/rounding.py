"""How much rounding a formula deserves: the budget of torch's own gradient program at a point.

The program that torch's backward evaluates is built from the rows' pullbacks and run in balls; its
own adjoints say how much a rounding error made at each node moves the result:

    B = sum_i w_i e_i

with e_i the error that node i makes, as in `judge.graph`, and w_i how far it moves the result.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck_cli.calculus.formulas import is_elementwise
from gradcheck_cli.calculus.gradient import weighted_sum
from gradcheck_cli.functions import lookup
from gradcheck_cli.functions.arithmetic import OFF
from gradcheck_cli.judge.graph import Graph, units
from gradcheck_cli.language.program import Call, Program, reach
from gradcheck_cli.worlds import balls
from gradcheck_cli.worlds.backward import torch_backward
from gradcheck_cli.worlds.errors import Running
from gradcheck_cli.worlds.scalars import Expansion, expand

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gradcheck_cli.dtypes import DType
    from gradcheck_cli.questions.batch import Point
    from gradcheck_cli.questions.objectives import Grown
    from gradcheck_cli.questions.prepared import Prepared

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

    def budget(self, point: Point, output: int, dtype: DType) -> Budget:
        """The budget of one node at a point."""
        from flint import ctx

        found = Budget(float("inf"))
        for bits in _BITS:
            with ctx.workprec(bits):
                values, errors = self._at(point, bits, dtype)
                found = self._summed(self.graph.weights(output, values), values, errors, dtype)
            if isfinite(found.total):
                break
        return found

    def budget_between(self, point: Point, output: int, others: Sequence[Any]) -> float:
        """The budget of one node for values anywhere between those at a point and others: by the
        mean value theorem, with the adjoints of the whole way.
        """
        from flint import ctx

        if output < 0:
            return 0.0
        with ctx.workprec(_BITS[-1]):
            values, _ = self._at(point, _BITS[-1], point.dtype)
            hull = [_union(a, b) for a, b in zip(values, others, strict=False)]
            errors = self.graph.errors(hull, point.dtype)
            return self._summed(self.graph.weights(output, hull), hull, errors, point.dtype).total

    def shares(self, point: Point, output: int) -> list[int]:
        """Nodes of the user's program, those first whose rounding moves an output most."""
        from flint import arb, ctx

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

    def _at(self, point: Point, bits: int, dtype: DType) -> tuple[list[Any], list[Any]]:
        """For every node its ball at a point, and the rounding error it makes itself."""
        key = (point, bits, dtype)
        if self._seen[0] != key:
            values = self.graph.machine.run(point.scalars, bits, point.dtype.round)
            self._seen = (key, values, self.graph.errors(values, dtype))
        return self._seen[1:]

    def _summed(
        self, weights: dict[int, Any], values: list[Any], errors: list[Any], dtype: DType
    ) -> Budget:
        from flint import arb

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


@dataclass(eq=False)
class Rounding:
    """Budgets of one program; the traces are made once for all points of a grid, that of the
    gradient when it is first needed.
    """

    prepared: Prepared

    def of_partial(self, point: Point, position: int, dtype: DType) -> Budget:
        """The budget of one partial, in the units of the partial."""
        trace = self.gradient
        node = trace.partials[position]
        return trace.budget(point, node, dtype) if node >= 0 else Budget(0.0)

    def of_value(self, point: Point, dtype: DType) -> Budget:
        """The budget of the forward value `<cotangent, f>`."""
        return self.value.budget(point, self.value.objective, dtype)

    def of_element(self, point: Point, position: int, dtype: DType) -> Budget:
        """The budget of one element of the value, row-major."""
        return self.value.budget(point, self.value.outputs[position], dtype)

    @cached_property
    def value(self) -> Trace:
        """torch's forward."""
        grown, objective = self._forward
        expansion, outputs = grown.expansion.copy(), grown.outputs
        graph, size = Graph(expansion.builder, self._sums), len(expansion.origin)
        rest = (), self._eliminated, graph, self._moves
        return Trace(self.prepared.specification, expansion, size, outputs, objective, *rest)

    @cached_property
    def gradient(self) -> Trace:
        """torch's forward and backward."""
        (grown, objective), names = self._forward, self.prepared.elements
        found = torch_backward(self.prepared.specification, grown.expansion, objective, names)
        graph = Graph(found.expansion.builder, found.sums | self._sums)
        # Of a second derivative the first one is a backward as well.
        forward = grown.forward or found.forward
        rest = forward, grown.outputs, objective, found.partials, self._eliminated, graph
        return Trace(self.prepared.specification, found.expansion, *rest, self._moves)

    @cached_property
    def running(self) -> Running:
        """torch's forward in float64, its errors bounded step by step."""
        grown, objective = self._forward
        program = Program(tuple(grown.expansion.builder.nodes), (objective,))
        return Running(program, self._eliminated, self._sums)

    @cached_property
    def _forward(self) -> tuple[Grown, int]:
        """What torch is to differentiate, as scalars, and the node of `<cotangent, f>`."""
        program, aim = self.prepared.specification, self.prepared.objective
        grown = aim.grow(program, self._expanded(), as_torch=True)
        builder, origin = grown.expansion.builder, grown.expansion.origin
        objective = weighted_sum(builder, grown.outputs, self.prepared.weights)
        origin += [program.result] * (len(builder.nodes) - len(origin))
        return grown, objective

    def _expanded(self) -> Expansion:
        """The program as scalars, with every function whole that torch's backward treats as one."""
        program, known = self.prepared.specification, self.prepared.scalars
        calls = (node for node in program.nodes if isinstance(node, Call))
        if all(lookup(node.function).kind == "primitive" for node in calls):
            return known.copy()
        return expand(program, self.prepared.inputs, "pullbacks")

    @cached_property
    def _moves(self) -> list[bool]:
        program = self.prepared.specification
        return [bits > 0 for bits in reach(program, dict.fromkeys(program.variables, 1))]

    @cached_property
    def _sums(self) -> set[int]:
        """The steps of sums that torch makes inside one call, in an order of its own."""
        grown, nodes = self._forward[0], self.prepared.specification.nodes
        expansion, found = grown.expansion, set(grown.sums)
        for i, node in enumerate(expansion.builder.nodes):
            if isinstance(node, Call) and lookup(node.function).operator == "+":
                call = nodes[expansion.origin[i]]
                if isinstance(call, Call) and not is_elementwise(call.function, call.settings):
                    found.add(i)
        return found

    @cached_property
    def _eliminated(self) -> list[list[int]]:
        values, nodes = self._forward[0].expansion.values, self.prepared.specification.nodes
        return [
            np.reshape(values[node.args[0]], -1).tolist()
            for node in nodes
            if isinstance(node, Call) and lookup(node.function).eliminates
        ]


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


def rounding(point: Point) -> Rounding:
    """torch's gradient program of a point, shared by all points of its shapes.

    Raises:
        TooLarge: the program has no scalar form of bearable size.
    """
    point.prepared.scalars  # noqa: B018 - raises
    return point.prepared.share("rounding", lambda: Rounding(point.prepared))
