"""Numeric: central differences of torch's own float64 forward, extrapolated, with an honest error
bar.

All steps of all variables go through torch in one batched call. The two sides are looked at
separately as well: a symmetric difference alone is blind at a kink.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from math import isinf
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.witnesses import VECTOR, Abstention, first_line, is_pointwise
from gradcheck_cli.witnesses.extrapolation import SMALLEST, Floats, Slope, extrapolate
from gradcheck_cli.worlds import tensors
from gradcheck_cli.worlds.scalars import TooLarge

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gradcheck_cli.questions.question import Case

# h_k = 0.2371 max(1, |x|) 2**-k for k = 0..53. The start is no power of two, so that periods in x
# do not alias with it.
FIRST_STEP, STEPS = 0.2371, 54
# At most this many numbers in one batch: 2**22 float64 are 32 MiB.
MAX_BATCH_NUMBERS = 2**22
# At most this many rows of several points in one batch: torch splits longer arrays between threads,
# and the ends of the parts round in their own way, so that the number of threads would show.
MAX_BATCH_ROWS = 2**15
# All steps of all variables make a square of numbers: 2**26 of them, some 780 variables, take about
# 2 s.
MAX_NUMBERS = 2**26
# Roundings granted to a value away from the point, where no budget is computed: a guess; xlogy(x,
# 3) near 0 needs 2.
ROUNDINGS = 8


@dataclass(frozen=True)
class Difference:
    """Central estimate, and one from each side; a side is None where the function has no values
    there.

    `centre` is torch's float64 value `<cotangent, f>` at the point itself; `plain` means a
    difference with the user's step, whose bar leaves the truncation error out.
    """

    value: float
    radius: float
    left: Slope | None = None
    right: Slope | None = None
    centre: float | None = None
    plain: bool = False


Answer: TypeAlias = "Difference | Abstention"


def numeric(
    case: Case, noise: float | None = None, step: float | None = None
) -> tuple[Answer, ...] | Abstention:
    """Estimates for every partial of a case.

    Args:
        noise: absolute error of one forward value near the point, if known; else the scatter of
            small steps tells.
        step: use the plain central difference with this step instead.
    """
    return numeric_at([case], [noise], step)[0]


def numeric_at(
    cases: Sequence[Case], noise: Sequence[float | None], step: float | None = None
) -> list[tuple[Answer, ...] | Abstention]:
    """As `numeric`, for cases that differ in the point alone: all their steps go through torch
    together.
    """
    points = _Points(cases)
    count, size = points.base.shape
    if isinstance(cases[0].unrolled.expansion, TooLarge):
        return [Abstention(f"not estimated: {cases[0].unrolled.expansion}")] * count
    if 2 * STEPS * size**2 > MAX_NUMBERS:
        return [
            Abstention(
                f"not estimated: {size:,} partials would take {2 * STEPS * size:,} evaluations"
            )
        ] * count
    steps = _steps(points.base) if step is None else np.full((1, count, size), step)
    try:
        values, centres = _evaluate(points, steps)
    except (RuntimeError, TypeError, ValueError, IndexError, NotImplementedError) as error:
        if count > 1:
            return [numeric(case, level, step) for case, level in zip(cases, noise, strict=True)]
        return [Abstention(f"torch cannot compute the value in float64: {first_line(error)}")]
    if step is None:
        found = _estimates(points.base, steps, values, centres, noise)
    else:
        found = [
            _plain(x, pair, step)
            for x, pair in zip(
                points.base.reshape(-1).tolist(), values.reshape(2, -1).T, strict=True
            )
        ]
    finite = np.isfinite(centres).tolist()
    return [
        tuple(found[i * size : (i + 1) * size])
        if finite[i]
        else Abstention("the value is not finite at this point")
        for i in range(count)
    ]


class _Points:
    """The scalar function of one flat vector, at some points: all elements differentiated, the rest
    held.
    """

    def __init__(self, cases: Sequence[Case]) -> None:
        self.cases = cases
        names = cases[0].wrt
        self.base: Floats = np.array(
            [np.concatenate([case.at[name].reshape(-1) for name in names]) for case in cases],
            dtype=np.float64,
        )
        held = [name for name in cases[0].at if name not in names]
        # What is the same at all points is handed to torch once.
        self.fixed = {
            name: cases[0].at[name]
            for name in held
            if all(np.array_equal(case.at[name], cases[0].at[name]) for case in cases[1:])
        }
        self.moving = {
            name: np.array([case.at[name] for case in cases])
            for name in held
            if name not in self.fixed
        }

    def function(self) -> Callable[[Any, dict[str, Any]], Any]:
        """Batch of vectors (rows) and of moving inputs to batch of `<cotangent, f>`, in one call of
        torch.
        """
        import torch

        case = self.cases[0]
        like = torch.empty((), dtype=torch.float64)
        fixed = {name: torch.tensor(array) for name, array in self.fixed.items()}
        weights = 1.0 if case.cotangent is None else torch.tensor(case.cotangent)

        def weighted(inputs: dict[str, Any]) -> Any:
            result = tensors.run(case.program, {**fixed, **inputs}, case.dtype.round, like)[
                case.program.result
            ]
            return tensors.tensor(result, like) * weights

        if is_pointwise(case):
            # The zeros make a batch of a value that does not depend on the inputs.
            return lambda batch, moving: (
                weighted({**moving, **dict(zip(case.wrt, batch.unbind(-1), strict=True))})
                + like.new_zeros(len(batch))
            )
        sizes = [case.at[name].size for name in case.wrt]

        def split(vector: Any) -> dict[str, Any]:
            return {
                name: part.reshape(case.at[name].shape)
                for name, part in zip(case.wrt, torch.split(vector, sizes), strict=True)
            }

        batched: Callable[[Any, dict[str, Any]], Any] = torch.vmap(
            lambda row, moving: weighted({**moving, **split(row)}).sum()
        )
        return batched


def _steps(base: Floats) -> Floats:
    """Steps, shape (STEPS, points, variables)."""
    scale = FIRST_STEP * np.maximum(1.0, np.abs(base))
    return np.asarray(scale * np.ldexp(1.0, -np.arange(STEPS))[:, None, None])


def _evaluate(points: _Points, steps: Floats) -> tuple[Floats, Floats]:
    """Values at x + h and x - h, shape (2, steps, points, variables), and at x."""
    import torch

    count, size = points.base.shape
    # Point by point: all steps of all variables up, all down, and the point itself.
    up = steps.transpose(1, 0, 2).reshape(count, -1)
    offsets = np.concatenate([up, -up, np.zeros((count, 1))], axis=1).reshape(-1)
    each = offsets.size // count
    columns = np.append(np.tile(np.arange(size), each // size), 0)
    function = points.function()
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
            rows = points.base[who]
            rows[np.arange(place.size), columns[what]] += offsets[place]
            moving = {name: torch.from_numpy(arrays[who]) for name, arrays in points.moving.items()}
            parts.append(function(torch.from_numpy(rows), moving).numpy()[: stop - i])
    flat = np.concatenate(parts).astype(np.float64).reshape(count, each)
    return flat[:, :-1].reshape(count, 2, len(steps), size).transpose(1, 2, 0, 3), flat[:, -1]


def _plain(x: float, values: Floats, step: float) -> Answer:
    """A textbook's central difference; its bar is what rounding of the two values can do, nothing
    more.
    """
    spacing = (x + step) - (x - step)
    if not spacing or not np.isfinite(values).all():
        return Abstention("the step leaves the domain, or is too small for float64")
    plus, minus = values.tolist()
    return Difference(
        float((plus - minus) / spacing),
        float(np.spacing(max(abs(plus), abs(minus))) / spacing),
        plain=True,
    )


def _estimates(
    base: Floats, steps: Floats, values: Floats, centres: Floats, noise: Sequence[float | None]
) -> list[Answer]:
    """An estimate for every variable of every point, each a column of the arrays below."""
    size, length = base.shape[1], len(steps)
    x, centre, known = (
        base.reshape(-1),
        np.repeat(centres, size),
        [level for level in noise for _ in range(size)],
    )
    steps, values = steps.reshape(length, -1), values.reshape(2, length, -1)
    with np.errstate(all="ignore"):
        up, down = (x + steps) - x, x - (x - steps)
        # Extrapolation rests on steps that halve; those that rounding of x + h bent by more than 2
        # % are left out.
        straight = np.abs(up - steps) + np.abs(down - steps) <= 0.02 * steps
        count = straight.sum(axis=0)
        if not straight.all():
            order, columns = np.argsort(~straight, axis=0, kind="stable"), np.arange(x.size)
            up, down, values = up[order, columns], down[order, columns], values[:, order, columns]
            left_out = np.arange(length)[:, None] >= count
            up[left_out] = down[left_out] = np.nan
        levels = np.array(
            [_level(known[c], values[:, : count[c], c], float(centre[c])) for c in range(x.size)]
        )
        # Values further away round as well: beside 0, where a linear function vanishes, theirs is
        # all there is.
        largest = np.maximum(np.abs(values[0]), np.abs(values[1]))
        level = levels + ROUNDINGS * DTYPES["float64"].unit_roundoff * np.where(
            np.isfinite(largest), largest, 0.0
        )
        # The centre is shared by all differences of one side, so its own error does not average
        # out.
        rises = (values[0] - centre, centre - values[1], values[0] - values[1])
        widths = (up, down, up + down)
        slopes = np.concatenate(
            [rise / width for rise, width in zip(rises, widths, strict=True)], axis=1
        )
        errors = np.concatenate([2 * level / width for width in widths], axis=1)
    found = extrapolate(slopes, errors, np.repeat([1, 1, 2], x.size))
    return [
        _answer(found[c], found[c + x.size], found[c + 2 * x.size], float(centre[c]))
        for c in range(x.size)
    ]


def _answer(right: Slope | None, left: Slope | None, both: Slope | None, centre: float) -> Answer:
    best = both or left or right
    if best is None:
        return Abstention("no step gives finite values on either side")
    radius = best.radius
    if not (left and right):
        # On the edge of the domain or within the smallest step of it: one side tells of itself, not
        # of the point.
        radius = float("inf")
    else:
        # A kink, or one within rounding: the two-sided slope means nothing closer than the two
        # sides.
        gap, room = abs(left.value - right.value), left.radius + right.radius
        radius += room if isinf(room) else gap if gap > room else 0.0
    return Difference(best.value, radius, left, right, centre)


def _level(noise: float | None, values: Floats, centre: float) -> float:
    """Error of a value near the point: as known, else as the smallest steps show it, where the
    function itself hardly changes.
    """
    if noise is not None:
        return max(noise, float(np.spacing(abs(centre))) / 2)
    near = values[:, -6:].reshape(-1)
    near = near[np.isfinite(near)]
    scatter = float(np.max(np.abs(near - centre))) if near.size else 0.0
    return max(scatter, DTYPES["float64"].unit_roundoff * abs(centre), SMALLEST)
