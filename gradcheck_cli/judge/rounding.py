"""How much rounding a formula deserves: the budget of torch's own gradient program at a point.

The program that torch's backward evaluates is built from the rows' pullbacks and run in balls; its
own adjoints say how much a rounding error made at each node moves the result:

    B = sum_i w_i (u (c_i |v_i| + m_i |x_i f_i'|) + eta)

with w_i how far an error at node i moves the result, u the unit roundoff and eta half the smallest
subnormal.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck_cli.calculus.gradient import weighted_sum
from gradcheck_cli.calculus.reverse import adjoints, slope_of
from gradcheck_cli.functions import lookup
from gradcheck_cli.functions.arithmetic import OFF
from gradcheck_cli.language.program import Builder, Call, Number, Program, Variable
from gradcheck_cli.worlds import balls
from gradcheck_cli.worlds.scalars import Expansion, expand

if TYPE_CHECKING:
    from fractions import Fraction

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


@dataclass(frozen=True)
class _Forward:
    """torch's forward as scalars: what every budget starts from.

    Attributes:
        outputs: nodes of the value's elements; `objective` that of `<cotangent, f>`.
        eliminated: groups of nodes that one elimination perturbs together.
    """

    expansion: Expansion
    outputs: list[int]
    objective: int
    eliminated: list[list[int]]


class _Graph:
    """A scalar program with a slope node for every edge; its balls are computed once a point, and
    each budget is one sweep over it.

    Attributes:
        edges: for each node (argument, slope node) of every argument that rounding can move.
        rounds: the nodes that round, each with (c, m, node of `x f'(x)`, or -1 where m is 0).
        origin: the node of the user's program that each node was made for.
    """

    def __init__(self, builder: Builder, origin: list[int], eliminated: list[list[int]]) -> None:
        count = len(builder.nodes)
        self.origin, self.eliminated, self.size = origin, eliminated, count
        self.edges = [_edges(builder, i) for i in range(count)]
        self.rounds = [(i, *how) for i in range(count) if (how := _rounds(builder, i)) is not None]
        self.machine = balls.Machine(Program(tuple(builder.nodes), (count - 1,)))
        self._seen: tuple[tuple[Any, ...], list[Any], list[Any]] = ((), [], [])

    def budget(self, point: Point, output: int, dtype: DType) -> Budget:
        """The budget of one node at a point."""
        from flint import ctx

        found = Budget(float("inf"))
        for bits in _BITS:
            with ctx.workprec(bits):
                values, errors = self._at(point, bits, dtype)
                found = self._summed(self._swept(output, values), values, errors, dtype)
            if isfinite(found.total):
                break
        return found

    def _at(self, point: Point, bits: int, dtype: DType) -> tuple[list[Any], list[Any]]:
        """For every node its ball at a point, and the rounding error it makes itself
        (None where it makes none).
        """
        if self._seen[0] != (point, bits, dtype):
            values = self.machine.run(point.scalars, bits, point.dtype.round)
            self._seen = ((point, bits, dtype), values, self._errors(values, dtype))
        return self._seen[1:]

    def _errors(self, values: list[Any], dtype: DType) -> list[Any]:
        """`u (c |v| + m |x f'(x)|) + eta` of every node that rounds and was computed, else None."""
        u, eta = _units(dtype)
        found: list[Any] = [None] * self.size
        for i, c, m, effect in self.rounds:
            value = values[i]
            if value is not OFF:
                size = c * abs(value)
                found[i] = u * (size + m * abs(values[effect]) if effect >= 0 else size) + eta
        return found

    def _swept(self, output: int, values: list[Any]) -> dict[int, Any]:
        """How far an error at each node can move the output: one pass backwards, in balls (a weight
        may exceed any float).

        Paths add up in size and never cancel: torch may take one of two paths only, as var does,
            whose gradient is
        2 (x - mean) / (n - 1) with nothing passed back through the mean.
        """
        from flint import arb

        edges, found = self.edges, {output: arb(1)}
        for i in range(output, -1, -1):
            weight = found.get(i)
            if weight is None:
                continue
            for j, slope in edges[i]:
                factor = values[slope]
                if factor is not OFF:
                    passed = weight * abs(factor)
                    found[j] = found[j] + passed if j in found else passed
        return found

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
                return Budget(float("inf"), self.origin[i])
            total += term
            if term > most:
                most, culprit = term, self.origin[i]
        for group in self.eliminated:
            size = max((abs(values[i]).upper() for i in group), key=float) * len(group)
            total += sum(
                (abs(weights[i]) * _units(dtype)[0] * size for i in group if i in weights), arb(0)
            )
        return Budget(float(total.abs_upper()), culprit)


@dataclass(eq=False)
class Rounding:
    """Budgets of one program; the graphs are built once for all points of a grid, that of the
    gradient when it is first needed.
    """

    prepared: Prepared

    def of_partial(self, point: Point, position: int, dtype: DType) -> Budget:
        """The budget of one partial, in the units of the partial."""
        graph, partials = self._backward
        node = partials[position]
        return graph.budget(point, node, dtype) if node >= 0 else Budget(0.0)

    def of_value(self, point: Point, dtype: DType) -> Budget:
        """The budget of the forward value `<cotangent, f>`."""
        return self._value.budget(point, self._forward.objective, dtype)

    def of_element(self, point: Point, position: int, dtype: DType) -> Budget:
        """The budget of one element of the value, row-major."""
        return self._value.budget(point, self._forward.outputs[position], dtype)

    @cached_property
    def _forward(self) -> _Forward:
        program = self.prepared.specification
        expansion = self._expanded()
        builder, origin = expansion.builder, expansion.origin
        aim = self.prepared.objective
        outputs = aim.outputs(expansion, program.result, as_torch=True)
        objective = weighted_sum(builder, outputs, self.prepared.weights)
        origin += [program.result] * (len(builder.nodes) - len(origin))
        groups = [
            np.reshape(expansion.values[node.args[0]], -1).tolist()
            for node in program.nodes
            if isinstance(node, Call) and lookup(node.function).eliminates
        ]
        return _Forward(expansion, outputs, objective, groups)

    def _expanded(self) -> Expansion:
        """The program as scalars, with every function whole that torch's backward treats as one."""
        program, known = self.prepared.specification, self.prepared.scalars
        calls = (node for node in program.nodes if isinstance(node, Call))
        if all(lookup(node.function).kind == "primitive" for node in calls):
            return known.copy()
        return expand(program, self.prepared.inputs, "pullbacks")

    @cached_property
    def _value(self) -> _Graph:
        forward = self._forward.expansion.copy()
        return _Graph(forward.builder, forward.origin, self._forward.eliminated)

    @cached_property
    def _backward(self) -> tuple[_Graph, list[int]]:
        """torch's forward and gradient, and the node of each partial, -1 where it is zero."""
        forward, names = self._forward.expansion.copy(), self.prepared.elements
        builder, origin = forward.builder, forward.origin
        adjoint = adjoints(
            builder, self._forward.objective, frozenset(names), as_torch=True, origin=origin
        )
        partials = [adjoint.get(builder.index.get(Variable(name), -1), -1) for name in names]
        return _Graph(builder, origin, self._forward.eliminated), partials


def rounding(point: Point) -> Rounding:
    """torch's gradient program of a point, shared by all points of its shapes.

    Raises:
        TooLarge: the program has no scalar form of bearable size.
    """
    point.prepared.scalars  # noqa: B018 - raises
    return point.prepared.share("rounding", lambda: Rounding(point.prepared))


def _edges(builder: Builder, index: int) -> list[tuple[int, int]]:
    """(argument, slope node) for every argument of a node that is a number."""
    node = builder.nodes[index]
    if not isinstance(node, Call) or lookup(node.function).condition:
        return []
    found = []
    for position, j in enumerate(node.args):
        argument = builder.nodes[j]
        if isinstance(argument, Number) or (
            isinstance(argument, Call) and lookup(argument.function).condition
        ):
            continue
        slope = slope_of(builder, node, position)
        if slope is not None:
            found.append((j, slope))
    return found


@cache
def _units(dtype: DType) -> tuple[Any, Any]:
    """`u` and `eta` as balls."""
    from flint import arb

    return arb(dtype.unit_roundoff), balls.exact_ball(dtype.smallest / 2)


def _rounds(builder: Builder, index: int) -> tuple[int, int, int] | None:
    """How a node rounds (c, m, node of `x f'(x)`); None for one that does not, such as a product
    with a power of two.
    """
    node = builder.nodes[index]
    if not isinstance(node, Call):
        return None
    row = lookup(node.function)
    if row.condition or not any(row.rounds):
        return None
    factors = node.args if row.operator == "*" else node.args[1:] if row.operator == "/" else ()
    if any(isinstance(f := builder.nodes[i], Number) and _power_of_two(f.value) for i in factors):
        return None
    return (*row.rounds, _argument_effect(builder, index))


def _power_of_two(value: Fraction | float) -> bool:
    if isinstance(value, float) or not value:
        return False
    n, d = abs(value.numerator), value.denominator
    return n & (n - 1) == 0 and d & (d - 1) == 0


def _argument_effect(builder: Builder, index: int) -> int:
    """Node of `x f'(x)` for functions whose argument is rounded on the way in, else -1."""
    node = builder.nodes[index]
    assert isinstance(node, Call)
    if not lookup(node.function).rounds[1]:
        return -1
    last = len(node.args) - 1
    slope = slope_of(builder, node, last)
    return -1 if slope is None else builder.call("mul", node.args[last], slope)
