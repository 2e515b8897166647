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
from gradcheck_cli.judge.graph import Graph, units
from gradcheck_cli.language.program import Call, Program
from gradcheck_cli.worlds.backward import torch_backward
from gradcheck_cli.worlds.errors import Running
from gradcheck_cli.worlds.scalars import Expansion, expand

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gradcheck_cli.dtypes import DType
    from gradcheck_cli.questions.batch import Point
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
        expansion: all that torch evaluates; `forward` nodes of it are the forward.
        outputs: nodes of the value's elements; `objective` that of `<cotangent, f>`.
        partials: the node of each partial, -1 where it is zero; none of the forward alone.
        eliminated: groups of nodes that one elimination perturbs together.
    """

    expansion: Expansion
    forward: int
    outputs: Sequence[int]
    objective: int
    partials: Sequence[int]
    eliminated: Sequence[Sequence[int]]
    graph: Graph
    _seen: tuple[object, list[Any], list[Any]] = field(default=(None, [], []))

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
            if term > most:
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
        expansion, outputs, objective = self._forward
        expansion = expansion.copy()
        graph, size = Graph(expansion.builder, self._sums), len(expansion.origin)
        return Trace(expansion, size, outputs, objective, (), self._eliminated, graph)

    @cached_property
    def gradient(self) -> Trace:
        """torch's forward and backward."""
        expansion, outputs, objective = self._forward
        names = self.prepared.elements
        found = torch_backward(self.prepared.specification, expansion, objective, names)
        graph = Graph(found.expansion.builder, found.sums | self._sums)
        rest = found.forward, outputs, objective, found.partials, self._eliminated, graph
        return Trace(found.expansion, *rest)

    @cached_property
    def running(self) -> Running:
        """torch's forward in float64, its errors bounded step by step."""
        expansion, _, objective = self._forward
        program = Program(tuple(expansion.builder.nodes), (objective,))
        return Running(program, self._eliminated, self._sums)

    @cached_property
    def _forward(self) -> tuple[Expansion, list[int], int]:
        """torch's forward as scalars, the nodes of its value's elements and that of
        `<cotangent, f>`.
        """
        program, expansion = self.prepared.specification, self._expanded()
        outputs = np.reshape(expansion.values[program.result], -1).tolist()
        objective = weighted_sum(expansion.builder, outputs, self.prepared.weights)
        grown = len(expansion.builder.nodes) - len(expansion.origin)
        expansion.origin += [program.result] * grown
        return expansion, outputs, objective

    def _expanded(self) -> Expansion:
        """The program as scalars, with every function whole that torch's backward treats as one."""
        program, known = self.prepared.specification, self.prepared.scalars
        calls = (node for node in program.nodes if isinstance(node, Call))
        if all(lookup(node.function).kind == "primitive" for node in calls):
            return known.copy()
        return expand(program, self.prepared.inputs, "pullbacks")

    @cached_property
    def _sums(self) -> set[int]:
        """The steps of sums that torch makes inside one call, in an order of its own."""
        expansion, nodes = self._forward[0], self.prepared.specification.nodes
        found = set()
        for i, node in enumerate(expansion.builder.nodes):
            if isinstance(node, Call) and lookup(node.function).operator == "+":
                call = nodes[expansion.origin[i]]
                if isinstance(call, Call) and not is_elementwise(call.function, call.settings):
                    found.add(i)
        return found

    @cached_property
    def _eliminated(self) -> list[list[int]]:
        values, nodes = self._forward[0].values, self.prepared.specification.nodes
        return [
            np.reshape(values[node.args[0]], -1).tolist()
            for node in nodes
            if isinstance(node, Call) and lookup(node.function).eliminates
        ]


def rounding(point: Point) -> Rounding:
    """torch's gradient program of a point, shared by all points of its shapes.

    Raises:
        TooLarge: the program has no scalar form of bearable size.
    """
    point.prepared.scalars  # noqa: B018 - raises
    return point.prepared.share("rounding", lambda: Rounding(point.prepared))
