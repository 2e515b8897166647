"""Differences of the value along a direction in which all inputs move: of a large program they are
what can be asked instead of a difference for each partial.
"""

from __future__ import annotations

import warnings
from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.questions.seeded import seeded_numbers
from gradcheck_cli.witnesses import TORCH_ERRORS, Abstention
from gradcheck_cli.witnesses.bulk_proof import bulk_budgets
from gradcheck_cli.witnesses.differences import (
    FIRST_STEP,
    Columns,
    Difference,
    extrapolated_differences,
)
from gradcheck_cli.witnesses.held import held_subject
from gradcheck_cli.worlds import tensors

if TYPE_CHECKING:
    from collections.abc import Callable

    from gradcheck_cli.questions.batch import Point
    from gradcheck_cli.witnesses import Floats
    from gradcheck_cli.witnesses.bulk_proof import BulkProof

# Half of those of a single partial: values that so many roundings end in leave nothing to smaller
# steps.
_STEPS = 28


def direction_note(point: Point, proof: BulkProof) -> str:
    """What differences along a seeded direction make of the gradient, in a sentence."""
    weights = np.array(seeded_numbers("direction", len(proof.partials)))
    with np.errstate(all="ignore"):
        slope = float(proof.partials.value @ weights)
        size = float(np.abs(proof.partials.value) @ np.abs(weights))
        room = float(proof.partials.radius @ np.abs(weights)) + len(weights) * 2.0**-53 * size
    what = "differences of the value in which all inputs move along one random direction"
    if not isfinite(slope) or not isfinite(room):
        return f"{what} are not compared: some partials have no bound in bulk"
    found = _difference(point, weights)
    if isinstance(found, str):
        return f"{what}: not computed: {found}"
    gap, bar = abs(found.value - slope), found.radius
    said = f"{what} give {found.value:.9g} ± {bar:.2g}, the gradient {slope:.9g}"
    if not isfinite(bar):
        return f"{what} settle on nothing"
    return f"{said}: they agree" if gap <= bar + room else f"{said}: they differ"


def _difference(point: Point, weights: Floats) -> Difference | str:
    """The slope along a direction, or why there is none."""
    try:
        value = _along(point, weights)
        if value is None:
            return "what is stopped cannot be held at its value"
        steps = FIRST_STEP * np.ldexp(1.0, -np.arange(_STEPS))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            beside = np.array([[value(sign * h) for h in steps.tolist()] for sign in (1, -1)])
            centre = np.array([value(0.0)])
    except TORCH_ERRORS as error:
        return str(error)
    budgets = bulk_budgets(point, DTYPES["float64"])
    level = None
    if not isinstance(budgets, Abstention):
        cotangent = point.batch.cotangent
        each = 1.0 if cotangent is None else np.abs(cotangent).reshape(-1)
        with np.errstate(all="ignore"):
            level = float((budgets.forward.radius * each).sum())
    columns = Columns(np.zeros(1), steps[:, None], beside[:, :, None], centre)
    known = [level if level is not None and isfinite(level) else None]
    (answer,) = extrapolated_differences(
        columns, known, np.zeros(1, dtype=np.bool_), lambda which: None
    )
    return answer if isinstance(answer, Difference) else getattr(answer, "reason", "no number")


def _along(point: Point, weights: Floats) -> Callable[[float], float] | None:
    """The value as a function of how far all inputs have moved; None where that cannot be had."""
    import torch

    batch = point.batch.alone(point.k)
    held = held_subject(batch)
    if held is None:
        return None
    subject, stopped = held
    like, wrt = torch.empty((), dtype=torch.float64), batch.question.wrt
    arrays = {**batch.points, **stopped}
    given = {name: torch.tensor(array[0]) for name, array in arrays.items()}
    cotangent = 1.0 if batch.cotangent is None else torch.tensor(batch.cotangent)
    sizes = [batch.points[name][0].size for name in wrt]
    pieces = np.split(weights, np.cumsum(sizes)[:-1])
    ways = {n: torch.tensor(p).reshape(given[n].shape) for n, p in zip(wrt, pieces, strict=True)}

    def value(far: float) -> float:
        moved: dict[str, Any] = {name: given[name] + far * way for name, way in ways.items()}
        result = subject.run({**given, **moved}, batch.dtype.round, like).result
        return float((tensors.tensor(result, like) * cotangent).sum())

    return value
