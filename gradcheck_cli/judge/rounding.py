"""How much rounding a formula deserves: the budget of torch's own gradient program at a point.

The program that torch's backward evaluates is built from the rows' pullbacks and run in balls; its own adjoints say
how much a rounding error made at each node moves the result:

    B = sum_i |dg/dv_i| (u (c_i |v_i| + m_i |x_i f_i'|) + eta)

with u the unit roundoff and eta half the smallest subnormal.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck_cli.calculus import adjoints, lower, partial
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
    **dict.fromkeys(("lgamma", "ndtri", "erfinv"), (4, 4)),
    **dict.fromkeys(
        ("digamma", "polygamma", "i0", "i0e", "i1", "i1e", "erfcx", "log_ndtr", "bessel_j0", "bessel_j1", "bessel_y0", "bessel_y1", "airy_ai",
         "modified_bessel_i0", "modified_bessel_i1", "modified_bessel_k0", "modified_bessel_k1", "scaled_modified_bessel_k0", "scaled_modified_bessel_k1"),
        (8, 8)),
    **dict.fromkeys(("neg", "abs", "maximum", "minimum", "fmax", "fmin", "relu", "clamp", "relu6", "hardtanh", "sign", "heaviside", "gate", "where", "floor", "ceil", "trunc", "round"), _EXACT),
}  # fmt: skip
_DEFAULT = (2, 0)

# Budgets are bounds: a few bits of them are enough, and 64 keep cancelling adjoints honest.
_BITS = 64


@dataclass(frozen=True)
class Budget:
    """How far rounding can take a formula at a point, and the node that contributes most."""

    total: float
    culprit: int | None = None  # a node of the user's program


@dataclass(eq=False)
class Rounding:
    """torch's program for a case as scalars, with the adjoints of whichever results are asked for."""

    unrolled: Unrolled
    wrt: tuple[str, ...]
    cotangent: tuple[float, ...] | None
    _outputs: list[int] = field(default_factory=list)
    _made: dict[int, tuple[Program, list[tuple[int, int, int]], list[int]]] = field(default_factory=dict)

    @cached_property
    def _torch(self) -> tuple[Builder, int, list[int], list[int]]:
        """(nodes, objective, a node for each partial, origin of each node)."""
        expansion = expand(self.unrolled.program, self.unrolled.inputs, "pullbacks")
        builder, origin = expansion.builder, expansion.origin
        outputs = np.reshape(expansion.values[self.unrolled.program.result], -1).tolist()
        self._outputs = outputs
        objective = weighted_sum(builder, outputs, self.cotangent)
        origin += [self.unrolled.program.result] * (len(builder.nodes) - len(origin))
        inputs = self.unrolled.inputs
        names = [element(name, index) for name in self.wrt for index in np.ndindex(*_shape(inputs[name]))]
        found = adjoints(builder, objective, frozenset(names), as_torch=True, origin=origin)
        partials = [found.get(builder.index.get(Variable(name), -1), -1) for name in names]
        return builder, objective, partials, origin

    def of_partial(self, case: Case, position: int, dtype: DType) -> Budget:
        """The budget of one partial, in the units of the partial."""
        node = self._torch[2][position]
        return self._budget(case, node, dtype) if node >= 0 else Budget(0.0)

    def of_value(self, case: Case, dtype: DType) -> Budget:
        """The budget of the forward value `<cotangent, f>`."""
        return self._budget(case, self._torch[1], dtype)

    def of_element(self, case: Case, element_: int, dtype: DType) -> Budget:
        """The budget of one element of the value, row-major."""
        self._torch  # noqa: B018 - finds the outputs
        return self._budget(case, self._outputs[element_], dtype)

    def _budget(self, case: Case, output: int, dtype: DType) -> Budget:
        program, pairs, origin = self._adjoint(output)
        values = balls.run(program, scalar_inputs(case), _BITS, case.literal)
        return self._summed(program, pairs, origin, values, dtype)

    def _summed(self, program: Program, pairs: list[tuple[int, int, int]], origin: list[int], values: list[Any], dtype: DType) -> Budget:
        """The sum over all nodes, in balls: a weight may lie far outside the range of a float."""
        from flint import arb

        u, eta = arb(dtype.unit_roundoff), balls.exact(dtype.smallest / 2)
        total, culprit, most = arb(0), None, arb(0)
        for node, adjoint, slope in pairs:
            weight, value = values[adjoint], values[node]
            if weight is OFF or value is OFF:
                continue
            c, m = _roundings(program, node)
            term = abs(weight) * (u * (c * abs(value) + (m * abs(values[slope]) if slope >= 0 else 0)) + eta)
            if not term.is_finite():
                return Budget(float("inf"), origin[node])
            total += term
            if term > most:
                most, culprit = term, origin[node]
        return Budget(float(total.abs_upper()), culprit)

    def _adjoint(self, output: int) -> tuple[Program, list[tuple[int, int, int]], list[int]]:
        if output not in self._made:
            builder, _, _, origin = self._torch
            mine, origin = builder.copy(), list(origin)
            alive = [isinstance(node, Call) and not lookup(node.function).condition or isinstance(node, Variable) for node in mine.nodes]
            found = adjoints(mine, output, frozenset(), alive=alive, origin=origin)
            pairs = [(i, adjoint, _argument_effect(mine, i)) for i, adjoint in found.items() if isinstance(mine.nodes[i], Call) and _rounds(mine, i)]
            origin += [0] * (len(mine.nodes) - len(origin))
            self._made[output] = (Program(tuple(mine.nodes), (output,)), pairs, origin)
        return self._made[output]


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


def _rounds(builder: Builder, index: int) -> bool:
    """Whether a node rounds at all; a product with a power of two does not."""
    node = builder.nodes[index]
    assert isinstance(node, Call)
    if _ROUNDINGS.get(node.function, _DEFAULT) == _EXACT:
        return False
    factors = [builder.nodes[i] for i in node.args] if node.function in ("mul", "div") else []
    if node.function == "div":
        factors = factors[1:]
    return not any(isinstance(f, Number) and _power_of_two(f.value) for f in factors)


def _power_of_two(value: Fraction | float) -> bool:
    if isinstance(value, float) or not value:
        return False
    n, d = abs(value.numerator), value.denominator
    return n & (n - 1) == 0 and d & (d - 1) == 0


def _roundings(program: Program, index: int) -> tuple[int, int]:
    node = program.nodes[index]
    assert isinstance(node, Call)
    return _ROUNDINGS.get(node.function, _DEFAULT)


def _argument_effect(builder: Builder, index: int) -> int:
    """Node of `x f'(x)` for functions whose argument is rounded on the way in, else -1."""
    node = builder.nodes[index]
    assert isinstance(node, Call)
    row = lookup(node.function)
    if not _ROUNDINGS.get(node.function, _DEFAULT)[1] or row.kind != "primitive":
        return -1
    last = len(node.args) - 1
    slope = lower(builder, partial(node.function, last), dict(zip(row.parsed.names, node.args, strict=True)))[0]
    return builder.call("mul", node.args[last], slope)
