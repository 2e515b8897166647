"""Rows that put numbers in places that integers say, and rows of tables that integers choose."""

from __future__ import annotations

import operator
from functools import reduce
from typing import TYPE_CHECKING, Any

from gradcheck_cli.functions.row import CallError, Function
from gradcheck_cli.functions.tensors import axis_of, flag

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_FOLDS = ("sum", "prod", "mean", "amax", "amin")


def _inside(index: Any, size: int, *, negative: bool = False) -> Any:
    """The index, if every one of its integers is a place."""
    if ((index < (-size if negative else 0)) | (index >= size)).any():
        raise IndexError(f"an index is outside 0 to {size - 1}")
    return index


def _places(k: Any, x: Any, index: Any, src: Any, dim: Any) -> Iterator[tuple[Any, Any]]:
    """Each place in x with the number of src that goes there."""
    if not x.ndim or index.ndim != x.ndim or src.ndim not in (0, x.ndim):
        raise ValueError(f"an index and a source of {x.ndim} dimensions are needed")
    axis = axis_of(x.ndim, dim)
    _inside(index, x.shape[axis])
    limits = [n for i, n in enumerate(x.shape) if i != axis]
    own = [n for i, n in enumerate(index.shape) if i != axis]
    if any(a > b for a, b in zip(own, limits, strict=True)) or (
        src.ndim and any(a > b for a, b in zip(index.shape, src.shape, strict=True))
    ):
        raise ValueError(f"an index of shape {index.shape} is larger than {x.shape}")
    for at in k.np.ndindex(*index.shape):
        place = (*at[:axis], int(index[at]), *at[axis + 1 :])
        yield place, src[at] if src.ndim else src.item()


def _scatter(k: Any, x: Any, index: Any, src: Any, dim: Any) -> Any:
    out, filled = x.copy(), set()
    for place, scalar in _places(k, x, index, src, dim):
        if place in filled and src.ndim:
            raise CallError("scatter to one place twice leaves open which number stays")
        filled.add(place)
        out[place] = scalar
    return out


def _torch_scatter(t: Any, x: Any, index: Any, src: Any, dim: Any) -> Any:
    """torch takes a number only as a number of Python's."""
    is_number = not (src.dim() or src.requires_grad)
    return t.scatter(x, dim, index, src.item() if is_number else src)


def _folded(k: Any, x: Any, arrived: dict[Any, list[Any]], reduce_by: Any, own: Any) -> Any:
    """What is at each place, of the numbers that arrive there and of x's own."""
    if reduce_by not in _FOLDS:
        raise CallError(f"reduce is {', '.join(map(repr, _FOLDS))}, not {reduce_by!r}")
    with_own = flag("include_self", own)
    out = x.copy()
    for place, scalars in arrived.items():
        several = [*([x[place]] if with_own else []), *scalars]
        if reduce_by in ("sum", "mean"):
            total = reduce(operator.add, several)
            out[place] = total / len(several) if reduce_by == "mean" else total
        elif reduce_by == "prod":
            out[place] = reduce(operator.mul, several)
        else:
            name = {"amax": "maximum", "amin": "minimum"}[reduce_by]
            out[place] = reduce(lambda a, b: k.call(name, a, b), several)
    return out


def _scatter_reduce(
    k: Any,
    x: Any,
    index: Any,
    src: Any,
    dim: Any,
    reduce: Any,
    include_self: Any,
) -> Any:
    arrived: dict[Any, list[Any]] = {}
    if not src.ndim:
        raise ValueError(f"a source of {x.ndim} dimensions is needed")
    for place, scalar in _places(k, x, index, src, dim):
        arrived.setdefault(place, []).append(scalar)
    return _folded(k, x, arrived, reduce, include_self)


def _index_reduce(
    k: Any,
    x: Any,
    index: Any,
    source: Any,
    dim: Any,
    reduce: Any,
    include_self: Any,
) -> Any:
    if reduce == "sum":
        raise CallError("index_reduce has no 'sum': write index_add")
    if not x.ndim or index.ndim > 1:
        raise ValueError("index_reduce takes an array and a vector of indices")
    axis = axis_of(x.ndim, dim)
    wanted = (*x.shape[:axis], index.size, *x.shape[axis + 1 :])
    if source.shape != wanted:
        raise ValueError(f"a source of shape {wanted} is needed, not {source.shape}")
    rows = _inside(index.reshape(-1), x.shape[axis]).tolist()
    arrived: dict[Any, list[Any]] = {}
    for at in k.np.ndindex(*source.shape):
        place = (*at[:axis], rows[at[axis]], *at[axis + 1 :])
        arrived.setdefault(place, []).append(source[at])
    return _folded(k, x, arrived, reduce, include_self)


def _put(k: Any, x: Any, index: Any, source: Any, accumulate: Any) -> Any:
    if index.shape != source.shape:
        raise ValueError(f"a number for each index is needed, {index.shape}, not {source.shape}")
    places = [int(i) % x.size for i in _inside(index, x.size, negative=True).reshape(-1)]
    adds = flag("accumulate", accumulate)
    if not adds and len(set(places)) < len(places):
        raise CallError("put to one place twice leaves open which number stays")
    out = x.reshape(-1).copy()
    for place, scalar in zip(places, source.reshape(-1).tolist(), strict=True):
        out[place] = out[place] + scalar if adds else scalar
    return out.reshape(x.shape)


def _rows(weight: Any, index: Any) -> Any:
    if weight.ndim != 2:
        raise ValueError(f"a matrix of weights is needed, not {weight.ndim} dimensions")
    return weight[_inside(index, weight.shape[0])]


def _bags(k: Any, index: Any, weight: Any, mode: Any) -> Any:
    if mode not in ("sum", "mean", "max"):
        raise CallError(f"mode is 'sum', 'mean' or 'max', not {mode!r}")
    if index.ndim != 2 or not index.shape[1]:
        raise ValueError("embedding_bag takes a matrix of indices here, a bag a row")
    rows = k.np.moveaxis(_rows(weight, index), 1, 0)
    if mode == "max":
        fold: Callable[[Any, Any], Any] = k.np.frompyfunc(
            lambda a, b: k.call("maximum", a, b), 2, 1
        )
        return reduce(fold, rows)
    found = reduce(operator.add, rows)
    return found / len(rows) if mode == "mean" else found


# fmt: off
_PLACES = ("x", "dim", "index")

ROWS = (
    Function("scatter", "x, index:index, src; dim", places=(*_PLACES, "src"), torch=_torch_scatter, array=_scatter, note="src may be a number"),
    Function("scatter_reduce", "x, index:index, src; dim, reduce, include_self=True", places=(*_PLACES, "src", "reduce"),
             torch=lambda t, x, index, src, dim, reduce, include_self: t.scatter_reduce(x, dim, index, src, reduce, include_self=bool(include_self)),
             array=_scatter_reduce),
    Function("index_reduce", "x, index:index, source; dim, reduce, include_self=True", places=(*_PLACES, "source", "reduce"),
             torch=lambda t, x, index, source, dim, reduce, include_self: t.index_reduce(x, dim, index, source, reduce, include_self=bool(include_self)),
             array=_index_reduce),
    Function("put", "x, index:index, source; accumulate=False", torch=lambda t, x, index, source, accumulate: t.put(x, index, source, accumulate), array=_put,
             note="into the flattened x"),
    Function("embedding", "input:index, weight", torch=lambda t, index, weight: t.nn.functional.embedding(index, weight),
             array=lambda k, index, weight: _rows(weight, index), note="a row of weight for each index"),
    Function("embedding_bag", "input:index, weight; mode='mean'", torch=lambda t, index, weight, mode: t.nn.functional.embedding_bag(index, weight, mode=mode),
             places=("input", "weight"), array=_bags, note="of the rows of weight that each row of input chooses"),
)
# fmt: on
