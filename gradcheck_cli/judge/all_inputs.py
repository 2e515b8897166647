"""Whether a recorded backward is the derivative for all inputs of its shapes, on the branch of the
point: an identity of formulas, tested in a field.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from gradcheck_cli.calculus.reverse import adjoints
from gradcheck_cli.language.elements import elements_of
from gradcheck_cli.language.program import Program, Variable
from gradcheck_cli.questions.recorded import symbolic_scalars
from gradcheck_cli.questions.seeded import seeded_numbers
from gradcheck_cli.recording.recording import cotangent_names
from gradcheck_cli.worlds.identity import Identity, identity

if TYPE_CHECKING:
    from gradcheck_cli.questions.batch import Point

# Scalar operations of forward, backward and derivative together, at most: about two seconds.
MOST_PROVED = 20_000
_SEED = 0


def proved_for_all_inputs(point: Point) -> Identity:
    """Whether all partials of a recorded backward are identically those of its forward, whatever
    the cotangent.
    """
    recording = point.question.subject.recording
    if recording is None or not recording.gradients:
        return Identity(None, reason="the backward was not followed")
    if 2 * len(recording.tape.builder.nodes) > MOST_PROVED:
        return Identity(None, reason="there are more operations than are tried")
    scalars = symbolic_scalars(recording)
    builder, places = scalars.expansion.builder, scalars.places
    standard = Program(tuple(point.prepared.scalars.builder.nodes), tuple(point.prepared.outputs))
    outputs = builder.include(standard, {})
    names = cotangent_names(recording.outputs.shape)
    terms = [
        builder.call("mul", builder.variable(n), i) for n, i in zip(names, outputs, strict=True)
    ]
    total = terms[0] if terms else builder.number(0)
    for term in terms[1:]:
        total = builder.call("add", total, term)
    elements = [
        e for name in point.question.wrt for e in elements_of(name, point.prepared.size(name))
    ]
    found = adjoints(builder, total, frozenset(elements))
    variables = {n.name: i for i, n in enumerate(builder.nodes) if isinstance(n, Variable)}
    gaps = []
    for name in point.question.wrt:
        nodes = recording.gradients.get(name)
        size, zero = point.prepared.size(name), builder.number(0)
        flat = [] if nodes is None else nodes.reshape(-1).tolist()
        mine = [zero] * prod(size) if nodes is None else [places[i] for i in flat]
        for element, node in zip(elements_of(name, size), mine, strict=True):
            true = found.get(variables[element], zero) if element in variables else zero
            gaps.append(builder.call("sub", node, true))
    if len(builder.nodes) > MOST_PROVED:
        return Identity(None, reason=f"{len(builder.nodes):,} operations are more than are tried")
    numbers = _seeded(names)
    inputs = {**point.scalars, **numbers}
    program = Program(tuple(builder.nodes), tuple(gaps))
    # A decimal is the number that was written: 0.1 + 0.2 is 0.3, and 0.333... is 1/3.
    return identity(program, gaps, inputs, _SEED)


def _seeded(names: list[str]) -> dict[str, float]:
    """Numbers for a cotangent: on whatever branch it decides."""
    numbers = seeded_numbers("cotangent", len(names)) if len(names) > 1 else [0.875]
    return dict(zip(names, numbers, strict=True))
