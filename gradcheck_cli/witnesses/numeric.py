"""Numeric: central differences of torch's own float64 forward, extrapolated, with an honest error bar.

All steps of all variables go through torch in one batched call. The two sides are looked at separately as well: a
symmetric difference alone is blind at a kink.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from gradcheck_cli.calculus import is_elementwise
from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.language.program import Call
from gradcheck_cli.witnesses import Abstention, first_line
from gradcheck_cli.worlds import tensors
from gradcheck_cli.worlds.scalars import TooLarge

if TYPE_CHECKING:
    from collections.abc import Callable

    from gradcheck_cli.case import Case

Floats: TypeAlias = "np.ndarray[Any, np.dtype[np.float64]]"

# h_k = 0.2371 max(1, |x|) 2**-k for k = 0..53. The start is no power of two, so that periods in x do not alias with it.
FIRST_STEP, STEPS = 0.2371, 54
# Richardson columns: order 10 for central differences, 5 for one-sided ones.
COLUMNS = 5
# At most this many numbers in one batch: 2**22 float64 are 32 MiB.
BATCH = 2**22
# All steps of all variables make a square of numbers: 2**26 of them, some 780 variables, take about 2 s.
MAX_NUMBERS = 2**26
# Differences of values that underflow to 0 are not known more closely than this.
SMALLEST = 5e-324
# Roundings granted to a value away from the point, where no budget is computed: a guess; xlogy(x, 3) near 0 needs 2.
ROUNDINGS = 8


@dataclass(frozen=True)
class Slope:
    """An estimated derivative that should hold the truth within `radius`; `grows` where it has no limit in sight."""

    value: float
    radius: float
    grows: bool = False


@dataclass(frozen=True)
class Difference:
    """Central estimate, and one from each side; a side is None where the function has no values there.

    `centre` is torch's float64 value `<cotangent, f>` at the point itself; `plain` means a difference with the user's step,
    whose bar leaves the truncation error out.
    """

    value: float
    radius: float
    left: Slope | None = None
    right: Slope | None = None
    centre: float | None = None
    plain: bool = False


Answer: TypeAlias = "Difference | Abstention"


def numeric(case: Case, noise: float | None = None, step: float | None = None) -> tuple[Answer, ...] | Abstention:
    """Estimates for every partial of a case.

    Args:
        noise: absolute error of one forward value near the point, if known; else the scatter of small steps tells.
        step: use the plain central difference with this step instead.
    """
    if isinstance(case.unrolled.expansion, TooLarge):
        return Abstention(f"not estimated: {case.unrolled.expansion}")
    point = _Point(case)
    if 2 * STEPS * point.base.size**2 > MAX_NUMBERS:
        return Abstention(f"not estimated: {point.base.size:,} partials would take {2 * STEPS * point.base.size:,} evaluations")
    steps = _steps(point.base) if step is None else np.full((1, point.base.size), step)
    try:
        values, centre = _evaluate(point, steps)
    except (RuntimeError, TypeError, ValueError, IndexError, NotImplementedError) as error:
        return Abstention(f"torch cannot compute the value in float64: {first_line(error)}")
    if not np.isfinite(centre):
        return Abstention("the value is not finite at this point")
    if step is not None:
        return tuple(_plain(point.base[j], values[:, :, j], step) for j in range(point.base.size))
    return tuple(_estimate(point.base[j], steps[:, j], values[:, :, j], centre, noise) for j in range(point.base.size))


class _Point:
    """The scalar function of one flat vector: all elements differentiated, the rest held."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.base: Floats = np.concatenate([case.at[name].reshape(-1) for name in case.wrt]).astype(np.float64)

    def function(self) -> Callable[[Any], Any]:
        """Batch of vectors (rows) to batch of `<cotangent, f>`, in one call of torch."""
        import torch

        case = self.case
        like = torch.empty((), dtype=torch.float64)
        fixed = {name: torch.tensor(array) for name, array in case.at.items() if name not in case.wrt}
        weights = None if case.cotangent is None else torch.tensor(case.cotangent)

        def split(vector: Any) -> dict[str, Any]:
            sizes = [case.at[name].size for name in case.wrt]
            parts = torch.split(vector, sizes, dim=-1)
            return {name: part.reshape(part.shape[:-1] + case.at[name].shape) for name, part in zip(case.wrt, parts, strict=True)}

        def objective(inputs: dict[str, Any]) -> Any:
            result = tensors.run(case.program, {**fixed, **inputs}, case.literal, like)[case.program.result]
            return tensors.tensor(result, like)

        if all(array.ndim == 0 for array in case.at.values()) and _elementwise(case):
            return lambda batch: objective(split(batch)) * (1.0 if weights is None else weights) + 0 * batch[:, 0].detach().nan_to_num(0, 0, 0)
        batched: Callable[[Any], Any] = torch.vmap(lambda row: (objective(split(row)) * (1.0 if weights is None else weights)).sum())
        return batched


def _elementwise(case: Case) -> bool:
    return all(is_elementwise(node.function, node.settings) for node in case.program.nodes if isinstance(node, Call))


def _steps(base: Floats) -> Floats:
    """Steps, shape (STEPS, variables)."""
    scale = FIRST_STEP * np.maximum(1.0, np.abs(base))
    return np.asarray(scale * np.ldexp(1.0, -np.arange(STEPS))[:, None])


def _evaluate(point: _Point, steps: Floats) -> tuple[Floats, float]:
    """Values at x + h and x - h, shape (2, steps, variables), and at x."""
    import torch

    count, size = steps.shape
    columns = np.tile(np.arange(size), 2 * count)
    # The last row is the point itself.
    offsets = np.concatenate([steps.reshape(-1), -steps.reshape(-1), [0.0]])
    columns = np.append(columns, 0)
    function = point.function()
    chunk = max(1, BATCH // size)
    parts: list[Floats] = []
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for i in range(0, offsets.size, chunk):
            rows = np.tile(point.base, (min(chunk, offsets.size - i), 1))
            rows[np.arange(rows.shape[0]), columns[i : i + chunk]] += offsets[i : i + chunk]
            parts.append(function(torch.from_numpy(rows)).numpy())
    flat = np.concatenate(parts).astype(np.float64)
    return flat[:-1].reshape(2, count, size), float(flat[-1])


def _plain(x: float, values: Floats, step: float) -> Answer:
    """A textbook's central difference; its bar is what rounding of the two values can do, nothing more."""
    spacing = (x + step) - (x - step)
    if not spacing or not np.isfinite(values).all():
        return Abstention("the step leaves the domain, or is too small for float64")
    plus, minus = float(values[0, 0]), float(values[1, 0])
    return Difference(float((plus - minus) / spacing), float(np.spacing(max(abs(plus), abs(minus))) / spacing), plain=True)


def _estimate(x: float, steps: Floats, values: Floats, centre: float, noise: float | None) -> Answer:
    up, down = (x + steps) - x, x - (x - steps)
    # Extrapolation rests on steps that halve; those that rounding of x + h bent by more than 2 % are left out.
    straight = np.abs(up - steps) + np.abs(down - steps) <= 0.02 * steps
    up, down, values = up[straight], down[straight], values[:, straight]
    with np.errstate(all="ignore"):
        level = _noise(values, centre) if noise is None else max(noise, _ulp(values, centre))
        # Values further away round as well: beside 0, where a linear function vanishes, theirs is all there is.
        level = level + ROUNDINGS * DTYPES["float64"].unit_roundoff * np.nan_to_num(np.max(np.abs(values), axis=0), posinf=0.0)
        # The centre is shared by all differences of one side, so its own error does not average out.
        right = _richardson((values[0] - centre) / up, 2 * level / up, 1)
        left = _richardson((centre - values[1]) / down, 2 * level / down, 1)
        both = _richardson((values[0] - values[1]) / (up + down), 2 * level / (up + down), 2)
    best = both or left or right
    if best is None:
        return Abstention("no step gives finite values on either side")
    radius = best.radius
    if not (left and right):
        # On the edge of the domain or within the smallest step of it: one side tells of itself, not of the point.
        radius = float("inf")
    else:
        # A kink, or one within rounding: the two-sided slope means nothing closer than the two sides.
        gap, room = abs(left.value - right.value), left.radius + right.radius
        radius += room if np.isinf(room) else gap if gap > room else 0.0
    return Difference(best.value, radius, left, right, centre)


def _ulp(values: Floats, centre: float) -> float:
    return float(np.spacing(abs(centre))) / 2


def _noise(values: Floats, centre: float) -> float:
    """Scatter of the values at the smallest steps: there the function itself hardly changes."""
    near = values[:, -6:].reshape(-1)
    near = near[np.isfinite(near)]
    scatter = float(np.max(np.abs(near - centre))) if near.size else 0.0
    return max(scatter, DTYPES["float64"].unit_roundoff * abs(centre), SMALLEST)


def _richardson(slopes: Floats, noise: Floats, order: int) -> Slope | None:
    """The table entry with the smallest total error; claims twice that total.

    Args:
        slopes: differences for steps that halve; those not finite are dropped from the large end and the small.
        order: 2 for central differences (only even powers of h in the error), 1 for one-sided ones.
    """
    usable = np.isfinite(slopes) & np.isfinite(noise)
    last = np.flatnonzero(usable)
    if last.size < 3:
        return None
    # After the last step that fails: the run of steps that lie inside the domain.
    holes = np.flatnonzero(~usable[: last[-1] + 1])
    first = int(holes[-1]) + 1 if holes.size else 0
    slopes, noise = slopes[first : last[-1] + 1], noise[first : last[-1] + 1]
    if slopes.size < 3:
        return None
    if np.isinf(_tail(slopes, noise)[-1]):
        # The smallest steps still drive it: a pole, a jump or a vertical tangent closer than any step.
        return Slope(float(slopes[-1]), float("inf"), _grows(slopes))
    best: tuple[float, float] | None = None
    column, error = slopes, noise
    for j in range(COLUMNS + 1):
        if j:
            factor = 2.0 ** (order * j)
            column, error, previous = (factor * column[1:] - column[:-1]) / (factor - 1), (factor * error[1:] + error[:-1]) / (factor - 1), column
            # Both neighbours: where the error is odd in h (a jump in the second derivative) one of them may agree by chance.
            truncation = np.maximum(np.abs(column - previous[1:]), np.abs(column - previous[:-1]))
        else:
            truncation = np.abs(np.diff(column, append=2 * column[-1] - column[-2]))
        total = truncation * _tail(column, error) + error + _contradiction(column, error)
        if not total.size:
            break
        k = int(np.nanargmin(total)) if np.isfinite(total).any() else 0
        if np.isfinite(total[k]) and (best is None or total[k] < best[0]):
            best = float(total[k]), float(column[k])
    # The estimate itself is a float64 and rounds once more.
    return None if best is None else Slope(best[1], max(2 * best[0] + float(np.spacing(abs(best[1]))), SMALLEST))


def _grows(slopes: Floats) -> bool:
    """Whether the last slopes rise in size with every step: a pole, a jump or a vertical tangent, not an oscillation."""
    last = np.abs(slopes[-6:])
    return bool(np.all(last[1:] > last[:-1]))


def _tail(column: Floats, error: Floats) -> Floats:
    """How many times its last change an entry may still move, where it converges slower than steps halve, or not at all.

    Beside d**1.5 the slopes fall by 2**-0.5 a step: what is left is 2.4 times the last change. Where the changes grow
    beyond their noise there is no limit in sight.
    """
    factor = np.ones(column.size)
    if column.size < 4:
        return factor
    change = np.abs(np.diff(column))
    clear = change > 4 * error[1:]
    with np.errstate(all="ignore"):
        ratio = change[1:] / change[:-1]
    slow = (ratio > 0.55) & clear[1:] & clear[:-1]
    slow[1:] &= slow[:-1]
    left = np.where(ratio < 0.98, ratio / (1 - np.minimum(ratio, 0.98)), np.inf)
    factor[2:][slow] = np.maximum(left[slow], 1.0)
    return factor


def _contradiction(column: Floats, error: Floats) -> Floats:
    """How far each entry lies outside what entries of smaller steps allow, each with its noise."""
    # Entry k must lie below every later T_m + N_m and above every later T_m - N_m: running extremes from the end.
    ceiling = np.append(np.minimum.accumulate((column + error)[::-1])[::-1][1:], np.inf)
    floor = np.append(np.maximum.accumulate((column - error)[::-1])[::-1][1:], -np.inf)
    return np.asarray(np.maximum(np.maximum(column - ceiling, floor - column), 0.0))
