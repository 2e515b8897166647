"""Numeric: central differences of the subject's own float64 forward, extrapolated, with an honest
error bar.

All steps of all variables go through torch in one batched call. The two sides are looked at
separately as well: a symmetric difference alone is blind at a kink.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck_cli.questions.prepared import Oversize
from gradcheck_cli.witnesses import (
    TORCH_ERRORS,
    VECTOR,
    Abstention,
    Answers,
    BulkEstimates,
    Floats,
    PointwiseEstimates,
    Trust,
    first_line,
)
from gradcheck_cli.witnesses.differences import (
    FIRST_STEP,
    STEPS,
    Columns,
    extrapolated_differences,
    plain_differences,
)
from gradcheck_cli.witnesses.held import AtPoints, held_subject
from gradcheck_cli.witnesses.noise import Scatter, bounds_beside, far_columns
from gradcheck_cli.witnesses.slopes import original, slopes
from gradcheck_cli.worlds import tensors

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gradcheck_cli.questions.batch import Batch
    from gradcheck_cli.subjects import Subject
    from gradcheck_cli.witnesses import Answer, Estimates, Testimony
    from gradcheck_cli.witnesses.noise import Integers, Levels, Noise

# The larger ones, which estimates mostly rest on.
LARGER = 20
# At most this many numbers in one batch: 2**22 float64 are 32 MiB.
MAX_BATCH_NUMBERS = 2**22
# At most this many rows of several points in one batch: torch splits longer arrays between threads,
# and the ends of the parts round in their own way, so that the number of threads would show.
MAX_BATCH_ROWS = 2**15
# All steps of all variables make a square of numbers: 2**26 of them, some 780 variables, take about
# 2 s.
MAX_NUMBERS = 2**26


_HALVING = np.ldexp(1.0, -np.arange(STEPS))[:, None, None]
_UNKNOWN = Scatter()
_STUCK = Abstention("the number is not finite: there is no step from it")


@dataclass(frozen=True)
class Numeric:
    """The witness that asks nothing of derivatives.

    Attributes:
        step: use the plain central difference with this step instead.
        noise: tells how far rounding may take forward values.
    """

    step: float | None = None
    noise: Noise = _UNKNOWN
    name: str = "numeric"
    trust: Trust = Trust.ESTIMATED

    def prepare(self, batch: Batch) -> None:
        """Nothing: all is computed here."""

    def answer(self, batch: Batch) -> Estimates | Abstention:
        """Estimates for every partial at every point; all their steps go through torch together."""
        oversize = batch.prepared.expansion
        if isinstance(oversize, Oversize) and not batch.question.subject.is_code:
            return Abstention(f"not estimated: {oversize.reason}")
        try:
            held = held_subject(original(batch))
        except TORCH_ERRORS as error:
            return self._not_computed(batch, error)
        if held is None:
            return Abstention("not estimated: what is stopped cannot be held at its value")
        vectors = _Vectors(batch, *held)
        count, size = vectors.base.shape
        if 2 * STEPS * size**2 > MAX_NUMBERS:
            number = f"{size:,} partials would take {2 * STEPS * size:,} evaluations"
            return Abstention(f"not estimated: {number}")
        steps = _steps(vectors.base) if self.step is None else np.full((1, count, size), self.step)
        stuck = ~np.isfinite(vectors.base)
        steps[:, stuck] = 1.0  # from an infinity leads no step, not even to NaN
        try:
            values, centres = _evaluate(vectors, steps)
        except TORCH_ERRORS as error:
            return self._not_computed(batch, error)
        if self.step is None:
            noise = AtPoints(self.noise) if held[1] else self.noise
            answers = _extrapolated(noise, batch, vectors.base, steps, values, centres)
        else:
            answers = plain_differences(vectors.base, values, self.step)
        pairs = zip(answers, stuck.reshape(-1).tolist(), strict=True)
        return _collect([_STUCK if no_step else a for a, no_step in pairs], centres, size)

    def _not_computed(self, batch: Batch, error: Exception) -> PointwiseEstimates | Abstention:
        """Each point by itself, so that one that torch cannot compute spoils no other."""
        if len(batch) == 1:
            return Abstention(f"torch cannot compute the value in float64: {first_line(error)}")

        def testimony(k: int) -> Testimony | Abstention:
            alone = self.answer(batch.alone(k))
            return alone if isinstance(alone, Abstention) else alone.testimony(0)

        return PointwiseEstimates(testimony, (len(batch), len(batch.keys)))


def _extrapolated(
    noise: Noise,
    batch: Batch,
    base: Floats,
    steps: Floats,
    values: Floats,
    centres: Floats,
) -> list[Answer]:
    """The estimates, with as much about rounding as each needs."""
    size, length = base.shape[1], len(steps)
    x, beside = base.reshape(-1), values.reshape(2, length, -1)
    columns = Columns(x, steps.reshape(length, -1), beside, np.repeat(centres, size))
    known = [level for point in batch for level in [noise.level(point)] * size]

    far = far_columns(batch)

    def bounds(which: Integers) -> Levels | None:
        return bounds_beside(noise, batch, base, steps, far, which)

    # At 0 a value may round otherwise than beside it.
    return extrapolated_differences(columns, known, far | (x == 0), bounds)


def _collect(answers: Sequence[Answer], centres: Floats, size: int) -> BulkEstimates:
    """The answers, `size` of them for each point, with their arrays."""
    finite = np.isfinite(centres)
    shape = (len(centres), size)
    value = np.array([getattr(answer, "value", np.nan) for answer in answers]).reshape(shape)
    radius = np.array([getattr(answer, "radius", np.nan) for answer in answers]).reshape(shape)
    value[~finite] = radius[~finite] = np.nan

    def testimony(k: int) -> Answers | Abstention:
        if not finite[k]:
            return Abstention("the value is not finite at this point")
        return Answers(answers[k * size : (k + 1) * size])

    return BulkEstimates(value, radius, ~np.isnan(value), testimony)


class _Vectors:
    """The scalar function of one flat vector, at some points: all elements differentiated, the rest
    held.

    Args:
        stopped: further inputs of the subject, which are held.
    """

    def __init__(self, batch: Batch, subject: Subject, stopped: Mapping[str, Floats]) -> None:
        self.batch, self.subject = batch, subject
        points, count, wrt = {**batch.points, **stopped}, len(batch), batch.question.wrt
        flat = [points[name].reshape(count, -1) for name in wrt]
        self.base: Floats = np.concatenate(flat, axis=1, dtype=np.float64)
        held = [name for name in points if name not in wrt]
        # What is the same at all points is handed to torch once.
        same = [name for name in held if (points[name] == points[name][:1]).all()]
        self.fixed = {name: points[name][0] for name in same}
        self.moving = {name: points[name] for name in held if name not in same}

    @cached_property
    def function(self) -> Callable[[Any, dict[str, Any]], Any]:
        """Batch of vectors (rows) and of moving inputs to batch of `<cotangent, f>`, in one call
        of torch.
        """
        return slopes(self.batch, self._values(original(self.batch)))

    def _values(self, batch: Batch) -> Callable[[Any, dict[str, Any]], Any]:
        """The same of the values of a batch, to be differentiated where the batch is not this
        one.
        """
        import torch

        subject, wrt = self.subject, batch.question.wrt
        like = torch.empty((), dtype=torch.float64)
        fixed = {name: torch.tensor(array) for name, array in self.fixed.items()}
        weights = 1.0 if batch.cotangent is None else torch.tensor(batch.cotangent)

        def weighted(inputs: dict[str, Any]) -> Any:
            result = subject.run({**fixed, **inputs}, batch.dtype.round, like).result
            return tensors.tensor(result, like) * weights

        if batch.is_of_numbers:
            # The zeros make a batch of a value that does not depend on the inputs.
            return lambda rows, moving: (
                weighted({**moving, **dict(zip(wrt, rows.unbind(-1), strict=True))})
                + like.new_zeros(len(rows))
            )
        shapes = [batch.prepared.size(name) for name in wrt]
        sizes = [int(np.prod(shape)) for shape in shapes]

        def split(vector: Any) -> dict[str, Any]:
            parts = zip(wrt, torch.split(vector, sizes), shapes, strict=True)
            return {name: part.reshape(shape) for name, part, shape in parts}

        if subject.is_code:
            # Of code it is not known what it makes of a batch.
            return lambda rows, moving: torch.stack(
                [weighted(split(row)).sum() for row in rows.unbind(0)]
            )
        batched: Callable[[Any, dict[str, Any]], Any] = torch.vmap(
            lambda row, moving: weighted({**moving, **split(row)}).sum()
        )
        return batched


def values_beside(batch: Batch, partial: int) -> tuple[Floats, Floats] | None:
    """Rows of all elements differentiated, one of which is moved by the larger steps to either side
    of the only point of a batch, and torch's float64 values there; None where torch gives none.
    """
    try:
        held = held_subject(original(batch))
        if held is None or held[1]:
            return None
        vectors = _Vectors(batch, *held)
        steps = _steps(vectors.base)[:LARGER]
        values = _evaluate(vectors, steps)[0][:, :, 0, partial].reshape(-1)
    except TORCH_ERRORS:
        return None
    rows = np.repeat(vectors.base, 2 * LARGER, axis=0)
    rows[:, partial] += np.concatenate([steps[:, 0, partial], -steps[:, 0, partial]])
    return rows, values


def _steps(base: Floats) -> Floats:
    """Steps, shape (STEPS, points, variables)."""
    scale = FIRST_STEP * np.maximum(1.0, np.abs(base))
    return np.asarray(scale * _HALVING)


def _evaluate(vectors: _Vectors, steps: Floats) -> tuple[Floats, Floats]:
    """Values at x + h and x - h, shape (2, steps, points, variables), and at x."""
    import torch

    count, size = vectors.base.shape
    # Point by point: all steps of all variables up, all down, and the point itself.
    up = steps.transpose(1, 0, 2).reshape(count, -1)
    offsets = np.concatenate([up, -up, np.zeros((count, 1))], axis=1).reshape(-1)
    each = offsets.size // count
    function = vectors.function
    block = max(
        1, min(MAX_BATCH_NUMBERS // size, MAX_BATCH_ROWS if count > 1 else MAX_BATCH_NUMBERS)
    )
    parts: list[Floats] = []
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for i in range(0, offsets.size, block):
            stop = min(i + block, offsets.size)
            # Of several points the last row is repeated, as `VECTOR` says.
            place = np.minimum(
                np.arange(i, stop if count == 1 else stop + (i - stop) % VECTOR), offsets.size - 1
            )
            who, what = np.divmod(place, each)
            rows = vectors.base[who]
            rows[np.arange(place.size), what % size] += offsets[place]
            moving = {
                name: torch.from_numpy(arrays[who]) for name, arrays in vectors.moving.items()
            }
            parts.append(function(torch.from_numpy(rows), moving).numpy()[: stop - i])
    flat = np.concatenate(parts).astype(np.float64).reshape(count, each)
    return flat[:, :-1].reshape(count, 2, len(steps), size).transpose(1, 2, 0, 3), flat[:, -1]
