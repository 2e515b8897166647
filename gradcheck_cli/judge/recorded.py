"""How much rounding a person's own backward deserves: the budget of what was recorded of it."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

import numpy as np

from gradcheck_cli.calculus.gradient import weighted_sum
from gradcheck_cli.judge.graph import Graph
from gradcheck_cli.judge.trace import Trace
from gradcheck_cli.questions.recorded import forward_scalars, whole_scalars

if TYPE_CHECKING:
    from gradcheck_cli.language.program import Program
    from gradcheck_cli.questions.prepared import Prepared
    from gradcheck_cli.questions.recorded import Scalars
    from gradcheck_cli.recording.recording import Recording


def recorded_forward(recording: Recording) -> Scalars:
    """The forward as the steps that were made."""
    return forward_scalars(recording, lowered=False)


def recorded_gradient(prepared: Prepared, recording: Recording, program: Program) -> Trace:
    """The forward and the backward as they were recorded, under the question's cotangent."""
    scalars = whole_scalars(recording, prepared.weights)
    expansion, places = scalars.expansion, scalars.places
    builder = scalars.expansion.builder
    outputs = np.reshape(expansion.values[program.result], -1).tolist()
    forward = max(places[: recording.forward], default=-1) + 1
    objective = weighted_sum(builder, outputs, prepared.weights)
    expansion.origin += [program.result] * (len(builder.nodes) - len(expansion.origin))
    partials: list[int] = []
    for name in prepared.wrt:
        nodes = recording.gradients.get(name)
        if nodes is None:
            partials += [-1] * prod(prepared.size(name))
        else:
            partials += [places[i] for i in nodes.reshape(-1).tolist()]
    graph, moves = Graph(builder, scalars.sums), [True] * len(program.nodes)
    return Trace(program, expansion, forward, outputs, objective, partials, (), graph, moves)
