"""Rows that put elements in order: sorted, ranked, the largest so far."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from gradcheck_cli.functions.deviations import Elsewhere
from gradcheck_cli.functions.row import CallError, Function
from gradcheck_cli.functions.tensors import axis_of, fill, integer

if TYPE_CHECKING:
    from collections.abc import Callable


# What may be taken between two numbers.
_BETWEEN = ("linear", "lower", "higher", "nearest", "midpoint")


def _in_rows(k: Any, x: Any, dim: Any, of_row: Callable[[list[Any]], list[Any]]) -> Any:
    """What becomes of the elements along a dim."""
    axis = axis_of(x.ndim, dim)
    held = k.np.moveaxis(x, axis, -1) if x.ndim else x.reshape(1)
    rows = [of_row(row.tolist()) for row in held.reshape(-1, held.shape[-1])] if held.size else []
    if not rows:
        raise ValueError("the order of no elements")
    found = fill(k, (*held.shape[:-1], len(rows[0])), [scalar for row in rows for scalar in row])
    return k.np.moveaxis(found, -1, axis) if x.ndim else found.reshape(())


def _sorted(k: Any, row: list[Any]) -> list[Any]:
    """Smallest first, by exchanges of neighbours: any two that lie side by side in the end were
    compared, so a tie is a kink.
    """
    row = list(row)
    for end in range(len(row) - 1, 0, -1):
        for i in range(end):
            low, high = row[i], row[i + 1]
            row[i], row[i + 1] = k.call("minimum", low, high), k.call("maximum", low, high)
    return row


def _sort(k: Any, x: Any, dim: Any, descending: Any) -> Any:
    return _in_rows(k, x, dim, lambda row: _sorted(k, row)[:: -1 if descending else 1])


def _topk(kit: Any, x: Any, k: Any, dim: Any, largest: Any) -> Any:
    count = integer("k", k)
    size = x.shape[axis_of(x.ndim, dim)] if x.ndim else 1
    if not 0 < count <= size:
        raise CallError(f"k is from 1 to {size}, not {count}")
    return _in_rows(kit, x, dim, lambda row: _sorted(kit, row)[:: -1 if largest else 1][:count])


def _ranked(kit: Any, x: Any, rank: int, dim: Any, keepdim: Any) -> Any:
    found = _in_rows(kit, x, dim, lambda row: [_sorted(kit, row)[rank]])
    return found if keepdim or not x.ndim else found.squeeze(axis_of(x.ndim, dim))


def _kthvalue(kit: Any, x: Any, k: Any, dim: Any, keepdim: Any) -> Any:
    size = x.shape[axis_of(x.ndim, dim)] if x.ndim else 1
    count = integer("k", k)
    if not 0 < count <= size:
        raise CallError(f"k is from 1 to {size}, not {count}")
    return _ranked(kit, x, count - 1, dim, keepdim)


def _median(k: Any, x: Any, dim: Any, keepdim: Any) -> Any:
    """Of two in the middle the smaller, as torch answers."""
    if dim is None:
        found = _ranked(k, x.reshape(-1), (x.size - 1) // 2, 0, False)
        return found.reshape((1,) * x.ndim if keepdim else ())
    size = x.shape[axis_of(x.ndim, dim)] if x.ndim else 1
    return _ranked(k, x, (size - 1) // 2, dim, keepdim)


def _torch_median(name: str) -> Callable[..., Any]:
    def call(t: Any, x: Any, dim: Any, keepdim: Any) -> Any:
        if dim is None:
            y = getattr(t, name)(x)
            return y.reshape((1,) * x.dim()) if keepdim else y
        return getattr(t, name)(x, dim=dim, keepdim=keepdim).values

    return call


def _quantile(
    k: Any,
    x: Any,
    q: Any,
    dim: Any,
    keepdim: Any,
    interpolation: Any,
) -> Any:
    shares = q if isinstance(q, tuple) else (q,)
    if not shares or not all(isinstance(s, int | Fraction) and 0 <= s <= 1 for s in shares):
        raise CallError(f"q is a number from 0 to 1, or several, not {q}")
    if interpolation not in _BETWEEN:
        known = ", ".join(map(repr, _BETWEEN))
        raise CallError(f"interpolation is {known}, not {interpolation!r}")
    ndim = x.ndim
    x, axis = (x.reshape(-1), 0) if dim is None else (x, axis_of(x.ndim, dim))
    places = [share * ((x.shape[axis] if x.ndim else 1) - 1) for share in shares]

    def of_row(row: list[Any]) -> list[Any]:
        ranked = _sorted(k, row)
        return [_between(k, ranked, place, interpolation) for place in places]

    found = (
        k.np.moveaxis(_in_rows(k, x, axis, of_row), axis, 0)
        if x.ndim
        else k.np.repeat(x, len(shares))
    )
    if keepdim:
        shape = (1,) * ndim if dim is None else (*x.shape[:axis], 1, *x.shape[axis + 1 :])
        found = found.reshape(len(shares), *(shape if ndim else ()))
    return found if isinstance(q, tuple) else found[0, ...]


def _between(k: Any, ranked: list[Any], place: Any, interpolation: str) -> Any:
    """What is at a place between the numbers in order."""
    low = math.floor(place)
    high = math.ceil(place)
    if interpolation == "midpoint":
        return (ranked[low] + ranked[high]) / 2 if low < high else ranked[low]
    if interpolation == "linear" and low < high:
        return ranked[low] + (ranked[high] - ranked[low]) * k.number(Fraction(place) - low)
    return ranked[{"lower": low, "higher": high, "nearest": round(place)}.get(interpolation, low)]


def _torch_quantile(name: str) -> Callable[..., Any]:
    def call(t: Any, x: Any, q: Any, dim: Any, keepdim: Any, interpolation: Any) -> Any:
        shares = t.tensor(q, dtype=x.dtype, device=x.device) if isinstance(q, tuple) else q
        return getattr(t, name)(x, shares, dim=dim, keepdim=keepdim, interpolation=interpolation)

    return call


def _so_far(function: str) -> Callable[..., Any]:
    def array(k: Any, x: Any, dim: Any) -> Any:
        def of_row(row: list[Any]) -> list[Any]:
            found = row[:1]
            for scalar in row[1:]:
                found.append(k.call(function, found[-1], scalar))
            return found

        return _in_rows(k, x, dim, of_row)

    return array


# fmt: off
_ANSWERS = ("values", "indices")
_QUANTILE = "x; q, dim=None, keepdim=False, interpolation='linear'"
_Q = "q is a number from 0 to 1, or several"
# Behind the dim NumPy has `out`.
_NAMED = {"np": Elsewhere(named=("keepdim", "interpolation")), "torch": Elsewhere(named=("interpolation",))}

ROWS = (
    Function("sort", "x; dim=-1, descending=False", answers=_ANSWERS, torch=lambda t, x, dim, descending: t.sort(x, dim=dim, descending=descending).values,
             array=_sort, note="the values; a tie is a kink"),
    Function("msort", "x", torch=lambda t, x: t.msort(x), array=lambda k, x: _sort(k, x, 0, False)),
    Function("topk", "x; k, dim=-1, largest=True", answers=_ANSWERS, torch=lambda t, x, k, dim, largest: t.topk(x, k, dim=dim, largest=largest).values,
             array=_topk, note="the values, the largest first"),
    Function("kthvalue", "x; k, dim=-1, keepdim=False", answers=_ANSWERS, torch=lambda t, x, k, dim, keepdim: t.kthvalue(x, k, dim=dim, keepdim=keepdim).values,
             array=_kthvalue, note="the k-th smallest value"),
    Function("median", "x; dim=None, keepdim=False", answers=_ANSWERS, torch=_torch_median("median"), array=_median,
             foreign={"np": "np.median(x) is the mean of the two in the middle, this language's median(x) the smaller: write (median(x) - median(-x))/2"},
             note="of two in the middle the smaller"),
    Function("nanmedian", "x; dim=None, keepdim=False", answers=_ANSWERS, torch=_torch_median("nanmedian"), array=_median,
             foreign={"np": "np.nanmedian(x) is the mean of the two in the middle, this language's the smaller: write (nanmedian(x) - nanmedian(-x))/2"},
             note="of two in the middle the smaller; of numbers: NaN has no derivative to check"),
    Function("quantile", _QUANTILE, torch=_torch_quantile("quantile"), array=_quantile, foreign=_NAMED, note=_Q),
    Function("nanquantile", _QUANTILE, torch=_torch_quantile("nanquantile"), array=_quantile, foreign=_NAMED, note=_Q),
    Function("cummax", "x; dim", answers=_ANSWERS, torch=lambda t, x, dim: t.cummax(x, dim=dim).values, array=_so_far("maximum"), note="the values"),
    Function("cummin", "x; dim", answers=_ANSWERS, torch=lambda t, x, dim: t.cummin(x, dim=dim).values, array=_so_far("minimum"), note="the values"),
)
# fmt: on
