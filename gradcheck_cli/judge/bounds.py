"""How far rounding may take torch's float64 forward values beside a point: what the bars of
differences rest on.
"""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.judge.rounding import rounding
from gradcheck_cli.language.elements import elements_of
from gradcheck_cli.questions.batch import Point
from gradcheck_cli.witnesses import TORCH_ERRORS, VECTOR
from gradcheck_cli.worlds.scalars import TooLarge

if TYPE_CHECKING:
    from gradcheck_cli.questions.batch import Batch
    from gradcheck_cli.witnesses import Floats
    from gradcheck_cli.witnesses.noise import Integers

# Scalar operations that are followed for one point, at most: about 0.1 s.
MOST_STEPPED = 2**20
# Rows that are followed together: their numbers stay in the second-level cache.
ROWS = 32 * VECTOR


class ForwardNoise:
    """What rounding does to the forward values of torch, as `witnesses.noise.Noise`."""

    def bounds(self, batch: Batch, who: Integers, rows: Floats, reach: Floats) -> Floats | None:
        """By running error analysis; None for a program that is too large for it, or that torch
        cannot run number by number.
        """
        import torch

        try:
            running = rounding(Point(batch, 0)).running
            if running.size * len(rows) > MOST_STEPPED * len(batch):
                return None
            found = []
            with torch.no_grad():
                for i in range(0, len(rows), ROWS):
                    # The last row is repeated, as `VECTOR` says.
                    stop = min(i + ROWS, len(rows))
                    part = np.minimum(np.arange(i, stop + (i - stop) % VECTOR), stop - 1)
                    inputs, reaches = _inputs(batch, who[part], rows[part], reach[part])
                    bound = running.bounds(inputs, reaches, batch.dtype.round)
                    found.append(np.broadcast_to(np.asarray(bound), part.shape)[: stop - i])
        except (TooLarge, *TORCH_ERRORS):
            return None
        bounds: Floats = np.concatenate(found)
        if running.may_jump:
            bounds[np.isinf(bounds) & reach.any(axis=1)] = np.nan
        return bounds

    def level(self, point: Point) -> float | None:
        """The budget of the value at the point; None where it cannot be had."""
        try:
            total = rounding(point).of_value(point, DTYPES["float64"], near=True).total
        except TooLarge:
            return None
        return total if isfinite(total) else None


def _inputs(
    batch: Batch, who: Integers, rows: Floats, reach: Floats
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Every element of every input, and how far around it it may lie."""
    import torch

    inputs: dict[str, Any] = {}
    reaches: dict[str, Any] = {}
    for name, array in batch.points.items():
        if name not in batch.question.wrt:
            flat = array.reshape(len(batch), -1)
            for k, scalar in enumerate(elements_of(name, array.shape[1:])):
                inputs[scalar] = torch.from_numpy(flat[who, k].astype(np.float64))
                reaches[scalar] = 0.0
    for k, scalar in enumerate(batch.prepared.elements):
        inputs[scalar] = torch.from_numpy(rows[:, k].copy())
        wide = reach[:, k]
        reaches[scalar] = torch.from_numpy(wide.copy()) if wide.any() else 0.0
    return inputs, reaches
