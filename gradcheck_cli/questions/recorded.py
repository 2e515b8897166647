"""The question that a recorded function asks: its specification is what its forward computed."""

from __future__ import annotations

from fractions import Fraction
from os.path import relpath
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gradcheck_cli.calculus.formulas import Lowering
from gradcheck_cli.language.errors import Span
from gradcheck_cli.language.program import Call, Copying, Program, Variable, steps
from gradcheck_cli.recording.recording import cotangent_names
from gradcheck_cli.worlds.scalars import Expansion, Limited

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gradcheck_cli.language.program import Node
    from gradcheck_cli.recording.recording import Recording


def specification_of(recording: Recording, title: str) -> Program:
    """The lines that the forward and the backward computed on, each as a call of all inputs: what a
    line is made of is in its scalars. Its text has the lines, each after its place.
    """
    names = list(recording.shapes)
    nodes: list[Node] = [Variable(name) for name in names]
    text, spans = title, {}
    for line in recording.tape.lines:
        words = f"{short(line.place)}: {line.text}" if line.place else "torch's own steps"
        spans[len(nodes)] = Span(len(text) + 1, len(text) + 1 + len(words))
        text = f"{text}\n{words}"
        nodes.append(Call("stack", tuple(range(len(names))), (("line", len(nodes)),)))
    return Program(tuple(nodes), (len(names),), text, spans)


def short(place: str) -> str:
    """`FILE:LINE` from where the user stands."""
    return relpath(place) if place.startswith("/") else place


class Scalars(NamedTuple):
    """A recording as a scalar program of its own.

    Attributes:
        expansion: its nodes; the value stands at the specification's result.
        places: for each node of the tape the one that it became.
        sums: steps of sums that are added up in an order of the library's own.
    """

    expansion: Expansion
    places: list[int]
    sums: set[int]


def forward_scalars(recording: Recording, *, lowered: bool) -> Scalars:
    """The forward.

    Args:
        lowered: as primitives, which derivatives are made of; else as the steps that were made.
    """
    nodes = tuple(recording.tape.builder.nodes[: recording.forward])
    return _rewritten(recording, nodes, {}, lowered=lowered)


def whole_scalars(recording: Recording, weights: Sequence[float] | None) -> Scalars:
    """Forward and backward as the steps that were made, under a cotangent; None for ones."""
    names = cotangent_names(recording.outputs.shape)
    numbers = [1.0] * len(names) if weights is None else list(weights)
    bound = dict(zip(names, numbers, strict=True))
    nodes = tuple(recording.tape.builder.nodes)
    return _rewritten(recording, nodes, bound, lowered=False)


def symbolic_scalars(recording: Recording) -> Scalars:
    """Forward and backward as primitives, the cotangent being an input."""
    return _rewritten(recording, tuple(recording.tape.builder.nodes), {}, lowered=True)


def _rewritten(
    recording: Recording, nodes: tuple[Node, ...], bound: Mapping[str, float], *, lowered: bool
) -> Scalars:
    """Nodes of a tape in a builder of their own."""
    builder = Limited()
    inputs = {name: builder.number(Fraction(value)) for name, value in bound.items()}
    world: Any = Lowering(builder) if lowered else Copying(builder)
    offset = len(recording.shapes)
    origin = [offset] * len(builder.nodes)
    places: list[int] = []
    for k, place in enumerate(steps(Program(nodes, ()), world, inputs)):
        origin += [offset + recording.tape.origin[k]] * (len(builder.nodes) - len(origin))
        places.append(place)
    outputs = [places[i] for i in recording.outputs.reshape(-1).tolist()]
    value = np.array(outputs, dtype=np.int64).reshape(recording.outputs.shape)
    values: list[Any] = [0] * (offset + len(recording.tape.lines))
    values[offset] = value if value.shape else int(value)
    sums = {places[i] for i in recording.tape.sums if i < len(places)}
    return Scalars(Expansion(builder, values, origin), places, sums)
