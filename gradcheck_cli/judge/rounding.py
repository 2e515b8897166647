"""How much rounding a formula deserves: the budget of torch's own gradient program at a point.

The program that torch's backward evaluates is built from the rows' pullbacks and run in balls; its own adjoints say
how much a rounding error made at each node moves the result:

    B = sum_i |dg/dv_i| (u (c_i |v_i| + m_i |x_i f_i'|) + eta)

with u the unit roundoff and eta half the smallest subnormal.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck_cli.calculus import adjoints, slope_of
from gradcheck_cli.functions import lookup
from gradcheck_cli.functions.arithmetic import OFF
from gradcheck_cli.language.program import Builder, Call, Number, Program, Variable
from gradcheck_cli.witnesses.reference import scalar_inputs, weighted_sum
from gradcheck_cli.worlds import balls
from gradcheck_cli.worlds.scalars import TooLarge, element, expand

if TYPE_CHECKING:
    from gradcheck_cli.case import Case, Unrolled
    from gradcheck_cli.dtypes import DType

# torch solves linear systems by elimination: as if each entry of the matrix were off by u times its largest entry and size.
_ELIMINATED = ("det", "inverse")

# (c, m): roundings of the result, and of the argument as the function passes it on. Measured against torch 2.13.0;
# what is not named rounds like exp.
_EXACT = (0, 0)
_ROUNDINGS = {
    **dict.fromkeys(("add", "sub", "mul", "div", "sqrt", "reciprocal", "square"), (1, 0)),
    # softmax and its kin shift the argument before exp, so the rounding of the shift enters as that of the argument.
    "exp": (2, 1),
    # sinc multiplies its argument by a rounded pi.
    "sinc": (2, 2),
    **dict.fromkeys(("lgamma", "ndtri", "erfinv"), (4, 4)),
    **dict.fromkeys(
        ("digamma", "polygamma", "i0", "i0e", "i1", "i1e", "erfcx", "log_ndtr", "bessel_j0", "bessel_j1", "bessel_y0", "bessel_y1", "airy_ai",
         "modified_bessel_i0", "modified_bessel_i1", "modified_bessel_k0", "modified_bessel_k1", "scaled_modified_bessel_k0", "scaled_modified_bessel_k1"),
        (8, 8)),
    **dict.fromkeys(("neg", "abs", "maximum", "minimum", "fmax", "fmin", "relu", "clamp", "relu6", "hardtanh", "sign", "heaviside", "gate", "where", "floor", "ceil", "trunc", "round"), _EXACT),
}  # fmt: skip
_DEFAULT = (2, 0)

# Budgets are bounds: a few bits of them are enough, and 64 keep cancelling adjoints honest; log_ndtr(17) needs 512.
_BITS = (64, 512, 2048)


@dataclass(frozen=True)
class Budget:
    """How far rounding can take a formula at a point, and the node that contributes most."""

    total: float
    culprit: int | None = None  # a node of the user's program


@dataclass(frozen=True)
class _Graph:
    """torch's forward and gradient as scalars, with a slope node for every edge.

    Attributes:
        outputs: nodes of the value's elements; `partials` those of the gradient, -1 where it is zero.
        edges: for each node (argument, slope node) of every argument that rounding can move.
        effects: node of `x f'(x)` for functions that round their argument, else -1.
        eliminated: groups of nodes that one elimination perturbs together.
        origin: the node of the user's program that each node was made for.
    """

    program: Program
    objective: int
    outputs: list[int]
    partials: list[int]
    edges: list[list[tuple[int, int]]]
    effects: list[int]
    eliminated: list[list[int]]
    origin: list[int]


@dataclass(eq=False)
class Rounding:
    """Budgets of one program; the graph is built once, its balls once a point, and each budget is one sweep over it."""

    unrolled: Unrolled
    wrt: tuple[str, ...]
    cotangent: tuple[float, ...] | None
    _seen: tuple[Any, int, list[Any]] = (None, 0, [])

    def of_partial(self, case: Case, position: int, dtype: DType) -> Budget:
        """The budget of one partial, in the units of the partial."""
        node = self._graph.partials[position]
        return self._budget(case, node, dtype) if node >= 0 else Budget(0.0)

    def of_value(self, case: Case, dtype: DType) -> Budget:
        """The budget of the forward value `<cotangent, f>`."""
        return self._budget(case, self._graph.objective, dtype)

    def of_element(self, case: Case, position: int, dtype: DType) -> Budget:
        """The budget of one element of the value, row-major."""
        return self._budget(case, self._graph.outputs[position], dtype)

    @cached_property
    def _graph(self) -> _Graph:
        program, inputs = self.unrolled.program, self.unrolled.inputs
        expansion = expand(program, inputs, "pullbacks")
        builder, origin = expansion.builder, expansion.origin
        outputs = np.reshape(expansion.values[program.result], -1).tolist()
        objective = weighted_sum(builder, outputs, self.cotangent)
        origin += [program.result] * (len(builder.nodes) - len(origin))
        names = [element(name, index) for name in self.wrt for index in np.ndindex(*_shape(inputs[name]))]
        found = adjoints(builder, objective, frozenset(names), as_torch=True, origin=origin)
        partials = [found.get(builder.index.get(Variable(name), -1), -1) for name in names]
        groups = [
            np.reshape(expansion.values[node.args[0]], -1).tolist() for node in program.nodes if isinstance(node, Call) and node.function in _ELIMINATED
        ]
        count = len(builder.nodes)
        edges = [_edges(builder, i) for i in range(count)]
        effects = [_argument_effect(builder, i) for i in range(count)]
        return _Graph(Program(tuple(builder.nodes), (objective,)), objective, outputs, partials, edges, effects, groups, origin)

    def _values(self, case: Case, bits: int) -> list[Any]:
        if self._seen[:2] != (case, bits):
            self._seen = (case, bits, balls.run(self._graph.program, scalar_inputs(case), bits, case.literal))
        return self._seen[2]

    def _budget(self, case: Case, output: int, dtype: DType) -> Budget:
        from flint import ctx

        found = Budget(float("inf"))
        for bits in _BITS:
            values = self._values(case, bits)
            with ctx.workprec(bits):
                found = self._summed(self._swept(output, values), values, dtype)
            if isfinite(found.total):
                break
        return found

    def _swept(self, output: int, values: list[Any]) -> dict[int, Any]:
        """d output / d node for every node it rests on: one pass backwards, in balls (a weight may exceed any float)."""
        from flint import arb

        found = {output: arb(1)}
        for i in range(output, -1, -1):
            weight = found.get(i)
            if weight is None:
                continue
            for j, slope in self._graph.edges[i]:
                passed = weight * values[slope]
                if passed is not OFF:
                    found[j] = found[j] + passed if j in found else passed
        return found

    def _summed(self, weights: dict[int, Any], values: list[Any], dtype: DType) -> Budget:
        from flint import arb

        graph, u, eta = self._graph, arb(dtype.unit_roundoff), balls.exact(dtype.smallest / 2)
        total, culprit, most = arb(0), None, arb(0)
        for i, weight in weights.items():
            node, value = graph.program.nodes[i], values[i]
            if not isinstance(node, Call) or value is OFF or not _rounds(graph.program, i):
                continue
            c, m = _ROUNDINGS.get(node.function, _DEFAULT)
            effect = m * abs(values[graph.effects[i]]) if graph.effects[i] >= 0 else 0
            term = abs(weight) * (u * (c * abs(value) + effect) + eta)
            if not term.is_finite():
                return Budget(float("inf"), graph.origin[i])
            total += term
            if term > most:
                most, culprit = term, graph.origin[i]
        for group in graph.eliminated:
            size = max((abs(values[i]).upper() for i in group), key=float) * len(group)
            total += sum((abs(weights[i]) * u * size for i in group if i in weights), arb(0))
        return Budget(float(total.abs_upper()), culprit)


def rounding(case: Case) -> Rounding:
    """torch's gradient program of a case, shared between the points of a grid.

    Raises:
        TooLarge: the program has no scalar form of bearable size.
    """
    if isinstance(case.unrolled.expansion, TooLarge):
        raise case.unrolled.expansion
    weights = None if case.cotangent is None else tuple(case.cotangent.reshape(-1).tolist())
    key = ("rounding", case.wrt, weights)
    if key not in case.unrolled.derivatives:
        case.unrolled.derivatives[key] = Rounding(case.unrolled, case.wrt, weights)
    found: Rounding = case.unrolled.derivatives[key]
    return found


def _shape(given: Any) -> tuple[int, ...]:
    return given if isinstance(given, tuple) else np.shape(given)


def _edges(builder: Builder, index: int) -> list[tuple[int, int]]:
    """(argument, slope node) for every argument of a node that is a number."""
    node = builder.nodes[index]
    if not isinstance(node, Call) or lookup(node.function).condition:
        return []
    found = []
    for position, j in enumerate(node.args):
        argument = builder.nodes[j]
        if isinstance(argument, Number) or (isinstance(argument, Call) and lookup(argument.function).condition):
            continue
        slope = slope_of(builder, node, position)
        if slope is not None:
            found.append((j, slope))
    return found


def _rounds(program: Program, index: int) -> bool:
    """Whether a node rounds at all; a product with a power of two does not."""
    node = program.nodes[index]
    assert isinstance(node, Call)
    if _ROUNDINGS.get(node.function, _DEFAULT) == _EXACT:
        return False
    factors = [program.nodes[i] for i in node.args] if node.function in ("mul", "div") else []
    if node.function == "div":
        factors = factors[1:]
    return not any(isinstance(f, Number) and _power_of_two(f.value) for f in factors)


def _power_of_two(value: Fraction | float) -> bool:
    if isinstance(value, float) or not value:
        return False
    n, d = abs(value.numerator), value.denominator
    return n & (n - 1) == 0 and d & (d - 1) == 0


def _argument_effect(builder: Builder, index: int) -> int:
    """Node of `x f'(x)` for functions whose argument is rounded on the way in, else -1."""
    node = builder.nodes[index]
    if not isinstance(node, Call):
        return -1
    if not _ROUNDINGS.get(node.function, _DEFAULT)[1]:
        return -1
    last = len(node.args) - 1
    slope = slope_of(builder, node, last)
    return -1 if slope is None else builder.call("mul", node.args[last], slope)
