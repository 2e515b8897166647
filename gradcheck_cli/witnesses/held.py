"""What is stopped, held at its value: differences of the value alone would follow it, and so answer
for another gradient than the one that is stated.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck_cli.calculus.cuts import has_stops
from gradcheck_cli.worlds import tensors

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gradcheck_cli.questions.batch import Batch, Point
    from gradcheck_cli.subjects import Subject
    from gradcheck_cli.witnesses import Floats
    from gradcheck_cli.witnesses.noise import Integers, Noise


@dataclass(frozen=True)
class AtPoints:
    """What is known of the errors of values at the points alone: beside them what is stopped would
    have to move, and it is held.
    """

    noise: Noise

    def bounds(self, batch: Batch, who: Integers, rows: Floats, reach: Floats) -> None:
        """Nothing."""

    def level(self, point: Point) -> float | None:
        """As `Noise.level`."""
        return self.noise.level(point)


def held_subject(batch: Batch) -> tuple[Subject, dict[str, Any]] | None:
    """The subject of a batch, what it stops taken as further inputs, and their values at each
    point, arrays of shape (points, *shape) of float64; None where they cannot be told apart.

    Raises:
        RuntimeError, TypeError, ValueError, IndexError, NotImplementedError: torch cannot.
    """
    import torch

    subject = batch.question.subject
    if not has_stops(batch.question.specification.nodes):
        return subject, {}
    held = subject.held()
    if held is None:
        return None
    like = torch.empty((), dtype=torch.float64)
    rows: dict[str, list[Any]] = {name: [] for name in held.nodes}
    with torch.no_grad():
        for k in range(len(batch)):
            inputs = _inputs(batch.points, k)
            execution = held.whole.run(inputs, batch.dtype.round, like)
            for name, node in held.nodes.items():
                value = tensors.tensor(execution.node(node), like)
                rows[name].append(value.numpy())
    return held.rest, {name: np.stack(values) for name, values in rows.items()}


def _inputs(points: Mapping[str, Any], k: int) -> dict[str, Any]:
    import torch

    return {name: torch.tensor(array[k]) for name, array in points.items()}
