"""The gradient of a scalar program as a Program: forward, exact adjoints, kink expressions."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING

from gradcheck_cli.calculus.cuts import carried, carriers, has_stops
from gradcheck_cli.calculus.kinks import Kink, kinks
from gradcheck_cli.calculus.reverse import adjoints
from gradcheck_cli.language.program import Builder, Program, Variable, prune, reach

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, eq=False)
class GradientProgram:
    """What every point of a batch is evaluated with.

    Attributes:
        program: all scalar nodes: forward, gradient, kink expressions.
        outputs: nodes of the program's value, row-major.
        forward: number of forward nodes; they come first.
        objective: node of `<cotangent, f>`.
        adjoint: for each forward node, the node of its exact adjoint.
        kinks: where forward nodes may fail to be C1.
        elements: scalar names of what is differentiated.
    """

    program: Program
    outputs: tuple[int, ...]
    forward: int
    objective: int
    adjoint: Mapping[int, int]
    kinks: tuple[Kink, ...]
    elements: tuple[str, ...]

    @cached_property
    def forward_program(self) -> Program:
        """The forward nodes alone, with `<cotangent, f>` as their result."""
        return prune(Program(self.program.nodes[: self.objective + 1], (self.objective,)))

    @cached_property
    def partials(self) -> tuple[int | None, ...]:
        """Node of each partial; None where the program has no path from that element."""
        nodes = self.program.nodes[: self.forward]
        index = {node.name: i for i, node in enumerate(nodes) if isinstance(node, Variable)}
        return tuple(
            self.adjoint.get(index[name]) if name in index else None for name in self.elements
        )

    @cached_property
    def dependence(self) -> list[int]:
        """For each node the set (as bits) of the elements it depends on; what is stopped depends on
        none.
        """
        return carried(self.program, self._bits)

    @cached_property
    def reached(self) -> list[int]:
        """For each node the set (as bits) of the elements that its value rests on, what is stopped
        included.
        """
        return reach(self.program, self._bits)

    @cached_property
    def _bits(self) -> dict[str, int]:
        return {name: 1 << k for k, name in enumerate(self.elements)}


def gradient_program(
    scalars: Builder,
    outputs: Sequence[int],
    elements: tuple[str, ...],
    weights: Sequence[float] | None,
) -> GradientProgram:
    """The gradient of `<weights, outputs>` by the variables called `elements`.

    Args:
        scalars: primitives alone; it is copied.
        weights: one for each output; None for ones.
    """
    builder = scalars.copy()
    forward = len(builder.nodes)
    objective = weighted_sum(builder, outputs, weights)
    names = frozenset(elements)
    adjoint = adjoints(builder, objective, names)
    places = kinks(builder, forward, names)
    if has_stops(builder.nodes[:forward]):
        # What is stopped is held at its value: it has neither kinks nor jumps.
        live = carriers(builder.nodes, [objective])
        places = [kink for kink in places if kink.node in live]
    program = Program(tuple(builder.nodes), tuple(outputs))
    return GradientProgram(
        program, tuple(outputs), forward, objective, adjoint, tuple(places), elements
    )


def weighted_sum(builder: Builder, outputs: Sequence[int], weights: Sequence[float] | None) -> int:
    """Node of `<weights, outputs>`; ones when there are no weights."""
    terms = list(outputs)
    if weights is not None:
        pairs = zip(weights, outputs, strict=True)
        terms = [builder.call("mul", builder.number(Fraction(w)), i) for w, i in pairs]
    total = terms[0]
    for term in terms[1:]:
        total = builder.call("add", total, term)
    return total
