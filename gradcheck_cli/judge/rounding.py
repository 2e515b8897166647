"""How much rounding a formula deserves: the budget of torch's own gradient program at a point,
which is built from the rows' pullbacks, or that of a backward that was recorded.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import isfinite
from typing import TYPE_CHECKING

import numpy as np

from gradcheck_cli.calculus.formulas import is_elementwise
from gradcheck_cli.calculus.gradient import weighted_sum
from gradcheck_cli.functions import lookup
from gradcheck_cli.judge.graph import Graph
from gradcheck_cli.judge.trace import Budget, Trace
from gradcheck_cli.language.program import Call, Program, reach
from gradcheck_cli.worlds.backward import torch_backward
from gradcheck_cli.worlds.running import Running
from gradcheck_cli.worlds.scalars import Expansion, expand

if TYPE_CHECKING:
    from gradcheck_cli.dtypes import DType
    from gradcheck_cli.questions.batch import Point
    from gradcheck_cli.questions.objectives import Grown
    from gradcheck_cli.questions.prepared import Prepared
    from gradcheck_cli.questions.recorded import Scalars
    from gradcheck_cli.recording.recording import Recording


@dataclass(eq=False)
class Rounding:
    """Budgets of one program; the traces are made once for all points of a grid, that of the
    gradient when it is first needed.
    """

    prepared: Prepared
    recording: Recording | None = None

    def of_partial(self, point: Point, position: int, dtype: DType) -> Budget:
        """The budget of one partial, in the units of the partial."""
        found = self.gradient.of_partial(point, position, dtype)
        if isfinite(found.total) or not self.gradient.expansion.calls:
            return found
        # torch has another formula where this one divides by 0: prod of a 0, a singular det.
        return self._meant.of_partial(point, position, dtype)

    def of_value(self, point: Point, dtype: DType, *, near: bool = False) -> Budget:
        """The budget of the forward value `<cotangent, f>`, at the point or beside it."""
        return self.value.budget(point, self.value.objective, dtype, near=near)

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
        return Trace(self._program, expansion, size, outputs, objective, *rest)

    @cached_property
    def gradient(self) -> Trace:
        """torch's forward and backward; of a recorded function those that were recorded."""
        if self.recording is None:
            return self._traced(arrays=True)
        if self.recording.gradients and self.prepared.objective.is_value:
            from gradcheck_cli.judge.recorded import recorded_gradient

            return recorded_gradient(self.prepared, self.recording, self._program)
        return self._meant

    @cached_property
    def _meant(self) -> Trace:
        """torch's forward, and the gradient of what it means."""
        return self._traced(arrays=False)

    def _traced(self, *, arrays: bool) -> Trace:
        (grown, objective), names = self._forward, self.prepared.elements
        program, expansion = self._program, grown.expansion
        found = torch_backward(program, expansion, objective, names, arrays=arrays)
        graph = Graph(found.expansion.builder, found.sums | self._sums)
        # Of a second derivative the first one is a backward as well.
        forward = grown.forward or found.forward
        rest = forward, grown.outputs, objective, found.partials, self._eliminated, graph
        return Trace(self._program, found.expansion, *rest, self._moves)

    @cached_property
    def running(self) -> Running:
        """torch's forward in float64, its errors bounded step by step."""
        grown, objective = self._forward
        program = Program(tuple(grown.expansion.builder.nodes), (objective,))
        return Running(program, self._eliminated, self._sums)

    @cached_property
    def _recorded(self) -> Scalars:
        """A recorded forward as the steps that were made."""
        # What knows recordings is loaded where there is one.
        from gradcheck_cli.judge.recorded import recorded_forward

        assert self.recording is not None
        return recorded_forward(self.recording)

    @cached_property
    def _program(self) -> Program:
        """What torch evaluates: the specification, or the lines of code that were recorded."""
        if self.recording is None:
            return self.prepared.specification
        from gradcheck_cli.questions.recorded import specification_of

        return specification_of(self.recording, "")

    @cached_property
    def _forward(self) -> tuple[Grown, int]:
        """What torch is to differentiate, as scalars, and the node of `<cotangent, f>`."""
        program, aim = self._program, self.prepared.objective
        grown = aim.grow(program, self._expanded(), as_torch=True)
        builder, origin = grown.expansion.builder, grown.expansion.origin
        objective = weighted_sum(builder, grown.outputs, self.prepared.weights)
        origin += [program.result] * (len(builder.nodes) - len(origin))
        return grown, objective

    def _expanded(self) -> Expansion:
        """The program as scalars, with every function whole that torch's backward treats as one."""
        if self.recording is not None:
            return self._recorded.expansion
        program, known = self._program, self.prepared.scalars
        calls = (node for node in program.nodes if isinstance(node, Call))
        if all(lookup(node.function).kind == "primitive" for node in calls):
            return known.copy()
        return expand(program, self.prepared.inputs, "pullbacks")

    @cached_property
    def _moves(self) -> list[bool]:
        program = self._program
        return [bits > 0 for bits in reach(program, dict.fromkeys(program.variables, 1))]

    @cached_property
    def _sums(self) -> set[int]:
        """The steps of sums that torch makes inside one call, in an order of its own."""
        grown, nodes = self._forward[0], self._program.nodes
        expansion, found = grown.expansion, set(grown.sums)
        if self.recording is not None:
            return self._recorded.sums
        for i, node in enumerate(expansion.builder.nodes):
            if isinstance(node, Call) and lookup(node.function).operator == "+":
                call = nodes[expansion.origin[i]]
                if isinstance(call, Call) and not is_elementwise(call.function, call.settings):
                    found.add(i)
        return found

    @cached_property
    def _eliminated(self) -> list[list[int]]:
        if self.recording is not None:
            return []
        values, nodes = self._forward[0].expansion.values, self._program.nodes
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
    prepared, recording = point.prepared, point.question.subject.recording
    prepared.scalars  # noqa: B018 - raises
    return prepared.share("rounding", lambda: Rounding(prepared.apart(), recording))
