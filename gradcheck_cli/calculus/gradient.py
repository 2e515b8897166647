"""The gradient of a Case as a scalar Program: forward, exact adjoints and kinks, built once for all
points of a grid.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck_cli.calculus.reverse import adjoints, conditions, formula, lower
from gradcheck_cli.functions import lookup
from gradcheck_cli.language.program import Builder, Call, Number, Program, Variable, prune, reach
from gradcheck_cli.worlds.balls import Machine
from gradcheck_cli.worlds.scalars import Expansion, TooLarge, element

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gradcheck_cli.questions.question import Case, Unrolled


@dataclass(frozen=True)
class Kink:
    """A place where a node may fail to be C1: its argument expression vanishes there."""

    node: int
    expression: int
    jumps: bool


def kinks(builder: Builder, nodes: int, wrt: frozenset[str]) -> list[Kink]:
    """Kink expressions of the first `nodes` nodes that depend on `wrt`, added to `builder`.

    A comparison passes its kinks on to every `where` that it decides.
    """
    depends = _depends(builder.nodes[:nodes], wrt)
    found: list[Kink] = []
    for i in range(nodes):
        node = builder.nodes[i]
        if not isinstance(node, Call) or not depends[i] or lookup(node.function).condition:
            continue
        row = lookup(node.function)
        if not row.kinks and not conditions(node.function):
            continue
        for text in row.kinks:
            expression = lower(
                builder, formula(text), dict(zip(row.parsed.names, node.args, strict=True))
            )[0]
            found.append(Kink(i, expression, row.jumps))
        for parameter, j in zip(row.parsed.args, node.args, strict=False):
            if parameter.kind == "condition" and depends[j]:
                found += [Kink(i, expression, True) for expression in _boundaries(builder, j)]
    return found


def _depends(nodes: Sequence[Call | Number | Variable], wrt: frozenset[str]) -> list[bool]:
    found: list[bool] = []
    for node in nodes:
        found.append(
            True in [found[i] for i in node.args]
            if isinstance(node, Call)
            else isinstance(node, Variable) and node.name in wrt
        )
    return found


def _boundaries(builder: Builder, condition: int) -> list[int]:
    """For every comparison under a condition, the expression that is zero where it changes."""
    found: list[int] = []
    stack = [condition]
    while stack:
        node = builder.nodes[stack.pop()]
        if isinstance(node, Call) and lookup(node.function).condition:
            row = lookup(node.function)
            names = dict(zip(row.parsed.names, node.args, strict=True))
            found += [lower(builder, formula(text), names)[0] for text in row.kinks]
            if not row.kinks:
                stack.extend(node.args)
    return found


@dataclass(frozen=True, eq=False)
class GradientProgram:
    """The scalar program with its exact gradient and its kinks, shared between the points of a
    grid.
    """

    unrolled: Unrolled
    wrt: tuple[str, ...]
    cotangent: tuple[float, ...] | None

    @cached_property
    def _parts(self) -> tuple[Program, tuple[int, ...], dict[int, int], list[Kink], int, int]:
        expansion = self.unrolled.expansion
        assert isinstance(expansion, Expansion)
        builder = expansion.builder.copy()
        outputs = np.reshape(expansion.values[self.unrolled.program.result], -1).tolist()
        forward = len(builder.nodes)
        objective = weighted_sum(builder, outputs, self.cotangent)
        names = frozenset(self.elements)
        found = adjoints(builder, objective, names)
        places = kinks(builder, forward, names)
        return (
            Program(tuple(builder.nodes), tuple(outputs)),
            tuple(outputs),
            found,
            places,
            forward,
            objective,
        )

    @cached_property
    def elements(self) -> tuple[str, ...]:
        """Scalar names of every element differentiated."""
        inputs = self.unrolled.inputs
        return tuple(
            name
            for variable in self.wrt
            for name in _elements(variable, shape_of_input(inputs[variable]))
        )

    @property
    def program(self) -> Program:
        """All scalar nodes: forward, gradient, kink expressions."""
        return self._parts[0]

    @property
    def outputs(self) -> tuple[int, ...]:
        """Nodes of the program's value, row-major."""
        return self._parts[1]

    @property
    def adjoint(self) -> dict[int, int]:
        """For each forward node, the node of its exact adjoint."""
        return self._parts[2]

    @property
    def kinks(self) -> list[Kink]:
        """Where forward nodes may fail to be C1."""
        return self._parts[3]

    @property
    def forward(self) -> int:
        """Number of forward nodes; they come first."""
        return self._parts[4]

    @property
    def objective(self) -> int:
        """Node of `<cotangent, f>`."""
        return self._parts[5]

    @cached_property
    def machine(self) -> Machine:
        """`program`, ready to run."""
        return Machine(self.program)

    @cached_property
    def forward_program(self) -> Program:
        """The forward nodes alone, with `<cotangent, f>` as their result."""
        return prune(Program(self.program.nodes[: self.objective + 1], (self.objective,)))

    @cached_property
    def gradient(self) -> tuple[int | None, ...]:
        """Node of each partial; None where the program has no path from that element."""
        index = {
            node.name: i
            for i, node in enumerate(self.program.nodes[: self.forward])
            if isinstance(node, Variable)
        }
        return tuple(
            self.adjoint.get(index[name]) if name in index else None for name in self.elements
        )

    @cached_property
    def dependence(self) -> list[int]:
        """For each node the set (as bits) of the elements it depends on."""
        return reach(self.program, {name: 1 << k for k, name in enumerate(self.elements)})


def weighted_sum(builder: Any, outputs: Sequence[int], weights: Sequence[float] | None) -> int:
    """Node of `<weights, outputs>`; ones when there are no weights."""
    terms = list(outputs)
    if weights is not None:
        terms = [
            builder.call("mul", builder.number(Fraction(w)), i)
            for w, i in zip(weights, outputs, strict=True)
        ]
    total = int(terms[0])
    for term in terms[1:]:
        total = builder.call("add", total, term)
    return total


def shape_of_input(given: Any) -> tuple[int, ...]:
    """Shape of an input that is given by its shape, or by its integers."""
    return given if isinstance(given, tuple) else np.shape(given)


def gradient_program(case: Case) -> GradientProgram | TooLarge:
    """The scalar gradient program of a case, built once for all points of a grid."""
    if isinstance(case.unrolled.expansion, TooLarge):
        return case.unrolled.expansion
    weights = None if case.cotangent is None else tuple(case.cotangent.reshape(-1).tolist())
    key = (case.wrt, weights)
    if key not in case.unrolled.derivatives:
        case.unrolled.derivatives[key] = GradientProgram(case.unrolled, case.wrt, weights)
    found: GradientProgram = case.unrolled.derivatives[key]
    return found


def scalar_inputs(case: Case) -> dict[str, float]:
    """Every element of every input under its scalar name."""
    found: dict[str, float] = {}
    for name, array in case.at.items():
        if array.ndim:
            found.update(
                zip(
                    _elements(name, array.shape),
                    map(float, array.reshape(-1).tolist()),
                    strict=True,
                )
            )
        else:
            found[name] = float(array)
    return found


@lru_cache(maxsize=256)
def _elements(name: str, shape: tuple[int, ...]) -> tuple[str, ...]:
    """Scalar names of the elements of an input, row-major."""
    return tuple(element(name, index) for index in np.ndindex(*shape))
