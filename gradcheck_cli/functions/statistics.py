"""Rows of pairs of results, of data in rows, and of sums under a curve."""

from __future__ import annotations

import operator
from fractions import Fraction
from functools import reduce
from itertools import combinations, combinations_with_replacement
from typing import TYPE_CHECKING, Any

from gradcheck_cli.functions.deviations import Elsewhere
from gradcheck_cli.functions.parts import length_of, part_along
from gradcheck_cli.functions.reductions import over, total
from gradcheck_cli.functions.row import CallError, Function
from gradcheck_cli.functions.tensors import axis_of, fill, flag, integer

if TYPE_CHECKING:
    from collections.abc import Callable


def _which(name: str, piece: Any, *kinds: str) -> str:
    """The kind of result that `piece` counts."""
    if piece is None:
        raise CallError(f"{name} answers {' and '.join(kinds)}: pick one, as in {name}(x)[0]")
    number = integer("piece", piece)
    if not -len(kinds) <= number < len(kinds):
        raise CallError(f"{name} answers {len(kinds)} arrays, there is no number {number}")
    return kinds[number]


def _spread_and_mean(name: str, own: str) -> Callable[..., str]:
    def means(dim: Any, unbiased: Any, keepdim: Any, correction: Any, piece: Any) -> str:
        dim, unbiased = (None, dim) if isinstance(dim, bool) else (dim, unbiased)
        if _which(name, piece, own, "mean") == "mean":
            return f"mean(x, {over(dim, keepdim)})"
        return f"{own}(x, {over(dim, keepdim)}, unbiased={unbiased}, correction={correction})"

    return means


def _torch_spread_and_mean(name: str) -> Callable[..., Any]:
    def call(
        t: Any, x: Any, dim: Any, unbiased: Any, keepdim: Any, correction: Any, piece: Any
    ) -> Any:
        dim, unbiased = (None, dim) if isinstance(dim, bool) else (dim, unbiased)
        less = correction if unbiased is None else int(unbiased)
        return getattr(t, name)(x, dim=dim, correction=less, keepdim=keepdim)[piece]

    return call


def _aminmax(dim: Any, keepdim: Any, piece: Any) -> str:
    if isinstance(dim, tuple):
        raise CallError(f"one dim is needed, not {dim}")
    return f"{_which('aminmax', piece, 'amin', 'amax')}(x, {over(dim, keepdim)})"


def _differences(k: Any, x: Any, n: Any, dim: Any) -> Any:
    times = integer("n", n)
    if not x.ndim or times < 0:
        raise CallError("diff takes arrays, and n from 0 on")
    axis = axis_of(x.ndim, dim)
    for _ in range(min(times, x.shape[axis])):
        x = part_along(x, axis, slice(1, None)) - part_along(x, axis, slice(None, -1))
    return x


def _steps(k: Any, y: Any, dim: Any, width: Any) -> Any:
    """The areas between neighbours along a dim."""
    axis = axis_of(y.ndim, dim)
    length_of(y, axis)
    pair = part_along(y, axis, slice(1, None)) + part_along(y, axis, slice(None, -1))
    return pair * width / 2


def _width(k: Any, dx: Any) -> Any:
    if isinstance(dx, bool) or not isinstance(dx, int | Fraction):
        raise CallError(f"dx is a number, not {dx!r}")
    return k.number(dx)


def _widths(k: Any, y: Any, x: Any, dim: Any) -> Any:
    """The distances of neighbours in x, of which there may be one row for all."""
    axis = axis_of(y.ndim, dim)
    length_of(y, axis)
    if x.ndim == 1:
        x = x.reshape(*(-1 if i == axis else 1 for i in range(y.ndim)))
    if x.ndim > y.ndim or not x.ndim:
        raise ValueError(f"x has one dimension or those of y, not {x.ndim}")
    x = x.reshape(*(1,) * (y.ndim - x.ndim), *x.shape)
    if x.shape[axis] != y.shape[axis]:
        raise ValueError(f"an x for each of {y.shape[axis]} values is needed, not {x.shape[axis]}")
    return part_along(x, axis, slice(1, None)) - part_along(x, axis, slice(None, -1))


def _summed(k: Any, y: Any, steps: Any, dim: Any) -> Any:
    return total(k, steps, axis_of(y.ndim, dim), False)


def _running(k: Any, y: Any, steps: Any, dim: Any) -> Any:
    axis = axis_of(y.ndim, dim)
    return k.np.cumsum(steps, axis=axis) if steps.size else steps


def _areas(finish: Callable[..., Any]) -> Callable[..., Any]:
    def array(k: Any, y: Any, dx: Any, dim: Any) -> Any:
        return finish(k, y, _steps(k, y, dim, _width(k, dx)), dim)

    return array


def _areas_over(finish: Callable[..., Any]) -> Callable[..., Any]:
    def array(k: Any, y: Any, x: Any, dim: Any) -> Any:
        return finish(k, y, _steps(k, y, dim, _widths(k, y, x, dim)), dim)

    return array


def _scatter_of(k: Any, x: Any, correction: Any) -> Any:
    """Products of deviations from the mean of each row, over the number of columns."""
    less = integer("correction", correction)
    if x.ndim > 2:
        raise ValueError(f"a matrix is needed, a variable a row, not {x.ndim} dimensions")
    rows = x.reshape(1, -1) if x.ndim < 2 else x
    count = rows.shape[1]
    if not rows.size:
        raise ValueError("no observation is there")
    gaps = [[a - reduce(operator.add, row) / count for a in row] for row in rows.tolist()]
    found = [
        reduce(operator.add, (a * b for a, b in zip(one, other, strict=True)))
        / k.number(max(count - less, 0))
        for one in gaps
        for other in gaps
    ]
    return fill(k, () if len(gaps) == 1 else (len(gaps), len(gaps)), found)


def _correlation(k: Any, x: Any) -> Any:
    cov = _scatter_of(k, x, 1)
    if not cov.ndim:
        return fill(k, (), [cov.item() / cov.item()])
    roots = [k.call("sqrt", cov[i, i]) for i in range(len(cov))]
    found = [cov[i, j] / (a * b) for i, a in enumerate(roots) for j, b in enumerate(roots)]
    return fill(k, cov.shape, found)


def _chosen(k: Any, x: Any, r: Any, with_replacement: Any) -> Any:
    count = integer("r", r)
    if x.ndim != 1 or count < 0:
        raise CallError("combinations takes a vector, and r from 0 on")
    if not count:
        return x[:0]
    choose = (
        combinations_with_replacement
        if flag("with_replacement", with_replacement)
        else combinations
    )
    rows = list(choose(range(len(x)), count))
    return x[k.np.array(rows, dtype=int).reshape(len(rows), count)]


# fmt: off
_SPREAD = "x; dim=None, unbiased=None, keepdim=False, correction=1, piece=None"
_CURVES = "under the straight lines between the values along dim; x may be given behind y"
_OF_DATA = "each row is a variable, each column an observation"

ROWS = (
    Function("var_mean", _SPREAD, torch=_torch_spread_and_mean("var_mean"), means=_spread_and_mean("var_mean", "var"), note="written var_mean(x)[0]"),
    Function("std_mean", _SPREAD, torch=_torch_spread_and_mean("std_mean"), means=_spread_and_mean("std_mean", "std"), note="written std_mean(x)[0]"),
    Function("aminmax", "x; dim=None, keepdim=False, piece=None", answers=("min", "max"),
             torch=lambda t, x, dim, keepdim, piece: t.aminmax(x, dim=dim, keepdim=keepdim)[piece], means=_aminmax,
             foreign={"torch": Elsewhere(named=("dim", "keepdim"))}, note="written aminmax(x)[0] or aminmax(x).min"),
    Function("nansum", "x; dim=None, keepdim=False", torch=lambda t, x, dim, keepdim: t.nansum(x, dim=dim, keepdim=keepdim),
             means=lambda dim, keepdim: f"sum(x, {over(dim, keepdim)})", note="of numbers: NaN has no derivative to check"),
    Function("nanmean", "x; dim=None, keepdim=False", torch=lambda t, x, dim, keepdim: t.nanmean(x, dim=dim, keepdim=keepdim),
             means=lambda dim, keepdim: f"mean(x, {over(dim, keepdim)})", note="of numbers: NaN has no derivative to check"),
    Function("logcumsumexp", "x; dim", torch=lambda t, x, dim: t.logcumsumexp(x, dim=dim), means=lambda dim: f"log(cumsum(exp(x), dim={integer('dim', dim)}))"),
    Function("diff", "x; n=1, dim=-1", torch=lambda t, x, n, dim: t.diff(x, n=n, dim=dim), array=_differences,
             foreign={"sympy": "sympy.diff(f, x) is a derivative: the derivative is what is checked, give the function alone"},
             note="differences of neighbours"),
    Function("trapezoid", "y; dx=1, dim=-1", torch=lambda t, y, dx, dim: t.trapezoid(y, dx=dx, dim=dim), array=_areas(_summed), aliases=("trapz",),
             places=("y",), further="trapezoid_over", note=f"the area {_CURVES}"),
    Function("trapezoid_over", "y, x; dim=-1", helper=True, torch=lambda t, y, x, dim: t.trapezoid(y, x, dim=dim), array=_areas_over(_summed),
             places=("y", "x"), note="the area under the straight lines between the points"),
    Function("cumulative_trapezoid", "y; dx=1, dim=-1", torch=lambda t, y, dx, dim: t.cumulative_trapezoid(y, dx=dx, dim=dim), array=_areas(_running),
             places=("y",), further="cumulative_trapezoid_over", note=f"the areas so far {_CURVES}"),
    Function("cumulative_trapezoid_over", "y, x; dim=-1", helper=True, torch=lambda t, y, x, dim: t.cumulative_trapezoid(y, x, dim=dim),
             array=_areas_over(_running), places=("y", "x"), note="the areas so far under the straight lines between the points"),
    Function("cov", "x; correction=1", torch=lambda t, x, correction: t.cov(x, correction=correction), array=_scatter_of,
             foreign={"np": Elsewhere(named=("correction",))}, note=_OF_DATA),
    Function("corrcoef", "x", torch=lambda t, x: t.corrcoef(x), array=_correlation, note=_OF_DATA),
    Function("combinations", "x; r=2, with_replacement=False", torch=lambda t, x, r, with_replacement: t.combinations(x, r, with_replacement), array=_chosen,
             note="every choice of r elements, a row a choice"),
)
# fmt: on
