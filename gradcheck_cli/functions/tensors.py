"""Tensor rows: reductions, shapes and indices. Products and matrices stand in `linear_algebra`."""

from __future__ import annotations

import math
import operator
from fractions import Fraction
from functools import reduce
from typing import TYPE_CHECKING, Any

from gradcheck_cli.functions.row import Function

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def axis_of(ndim: int, dim: Any) -> int:
    """`dim` counted from the front; a 0-dimensional array has dims 0 and -1, as in torch."""
    if not isinstance(dim, int) or isinstance(dim, bool):
        raise TypeError(f"a dim is an integer, not {dim}")
    size = max(ndim, 1)
    if not -size <= dim < size:
        raise IndexError(f"dim {dim} is out of range: from {-size} to {size - 1} are there")
    return dim % size


def _axes(ndim: int, dim: Any) -> tuple[int, ...]:
    """The axes that `dim` (an integer, a tuple, or None for all) means."""
    if dim is None:
        return tuple(range(ndim))
    axes = tuple(axis_of(ndim, d) for d in (dim if isinstance(dim, tuple) else (dim,)))
    if not axes or len(set(axes)) < len(axes):
        raise ValueError(f"dim {dim} must name at least one dimension, and none twice")
    return axes if ndim else ()


def integers(name: str, values: Any) -> tuple[int, ...]:
    """`values`, one integer or several, as a tuple."""
    several: tuple[Any, ...] = values if isinstance(values, tuple) else (values,)
    if not all(isinstance(v, int) and not isinstance(v, bool) for v in several):
        raise TypeError(f"{name} takes integers, not {', '.join(map(str, several))}")
    return several


def fill(k: Any, shape: Sequence[int], scalars: Sequence[Any]) -> Any:
    # Item by item: numpy would take apart a scalar that looks like a sequence (a series of balls).
    flat = k.np.empty(len(scalars), dtype=object)
    for i, scalar in enumerate(scalars):
        flat[i] = scalar
    return flat.reshape(shape)


def _kept(shape: Sequence[int], dim: Any, keepdim: bool) -> list[int]:
    """What a reduction over `dim` leaves of `shape`."""
    axes = _axes(len(shape), dim)
    return [1 if i in axes else n for i, n in enumerate(shape) if keepdim or i not in axes]


def _reduced(k: Any, x: Any, dim: Any, keepdim: bool, fold: Callable[[list[Any]], Any]) -> Any:
    axes = _axes(x.ndim, dim)
    others = [i for i in range(x.ndim) if i not in axes]
    rows = x.transpose(*others, *axes).reshape(
        math.prod(x.shape[i] for i in others), math.prod(x.shape[i] for i in axes)
    )
    return fill(k, _kept(x.shape, dim, keepdim), [fold(list(row)) for row in rows])


def total(k: Any, x: Any, dim: Any, keepdim: bool) -> Any:
    return _reduced(
        k, x, dim, keepdim, lambda row: reduce(operator.add, row) if row else k.number(0)
    )


def _prod(k: Any, x: Any, dim: Any, keepdim: bool) -> Any:
    dim = None if dim is None else axis_of(x.ndim, dim)
    return _reduced(
        k, x, dim, keepdim, lambda row: reduce(operator.mul, row) if row else k.number(1)
    )


def _extreme(function: str, *, tuples: bool) -> Callable[..., Any]:
    """Largest or smallest along dims; `max(dim)` of torch takes one dim, `amax` several."""

    def array(k: Any, x: Any, dim: Any, keepdim: bool) -> Any:
        if not x.size:
            raise ValueError(f"the {function} of no elements")
        dim = dim if dim is None or tuples else axis_of(x.ndim, dim)
        return _reduced(
            k, x, dim, keepdim, lambda row: reduce(lambda a, b: k.call(function, a, b), row)
        )

    return array


def _torch_single(name: str) -> Callable[..., Any]:
    """A reduction of torch that takes one dim or, by another overload, none."""

    def call(t: Any, x: Any, dim: Any, keepdim: bool) -> Any:
        if dim is None:
            y = getattr(t, name)(x)
            return y.reshape((1,) * x.dim()) if keepdim else y
        y = getattr(t, name)(x, dim=dim, keepdim=keepdim)
        return y if isinstance(y, t.Tensor) else y.values

    return call


def _running(step: str) -> Callable[..., Any]:
    def array(k: Any, x: Any, dim: Any) -> Any:
        if dim is None:
            return getattr(k.np, step)(x.reshape(-1), axis=0)
        axis = axis_of(x.ndim, dim)
        return getattr(k.np, step)(x, axis=axis) if x.ndim else x

    return array


def _over(dim: Any, keepdim: bool | None = None) -> str:
    """`dim` and `keepdim` as they are written in a text."""
    dim = dim if dim is None else integers("dim", dim)
    return f"dim={dim}" if keepdim is None else f"dim={dim}, keepdim={bool(keepdim)}"


def _along(dim: Any) -> str:
    if not isinstance(dim, int):
        raise TypeError(f"one dim is needed, not {dim}")
    return _over(dim, keepdim=True)


def _spread(dim: Any, unbiased: Any, keepdim: bool, correction: Any) -> str:
    dim, unbiased = (
        (None, dim) if isinstance(dim, bool) else (dim, unbiased)
    )  # x.var(False) means `unbiased`
    less = correction if unbiased is None else int(unbiased)
    if not isinstance(less, int | float | Fraction):
        raise TypeError(f"correction is a number, not {less}")
    gaps = f"(x - mean(x, {_over(dim, keepdim=True)}))"
    return f"sum({gaps}**2, {_over(dim, keepdim)}) / size(x, {_over(dim)}, less={less})"


def _torch_spread(name: str) -> Callable[..., Any]:
    def call(t: Any, x: Any, dim: Any, unbiased: Any, keepdim: bool, correction: Any) -> Any:
        dim, unbiased = (None, dim) if isinstance(dim, bool) else (dim, unbiased)
        return getattr(t, name)(
            x,
            dim=dim,
            correction=correction if unbiased is None else int(unbiased),
            keepdim=keepdim,
        )

    return call


def _norm(p: Any, dim: Any, keepdim: bool) -> str:
    over = _over(dim, keepdim)
    if p in ("fro", 2):
        return f"sqrt(sum(x**2, {over}))"
    special = {
        1: f"sum(abs(x), {over})",
        0: f"sum(abs(sign(x)), {over})",
        math.inf: f"amax(abs(x), {over})",
        -math.inf: f"amin(abs(x), {over})",
    }
    if p in special:
        return special[p]
    if isinstance(p, str | bool | tuple) or p is None:
        raise ValueError(f"p is a number or 'fro', not {p}")
    if p == int(p):  # exact; an even power has no kink at 0
        return f"sum({'x' if p % 2 == 0 else 'abs(x)'}**({int(p)}), {over})**(1/({int(p)}))"
    return f"sum(abs(x)**p, {over})**(1/p)"


def _count(shape: Sequence[int], dim: Any, less: Any) -> Any:
    return max(math.prod(shape[i] for i in _axes(len(shape), dim)) - less, 0)


def _transpose(k: Any, x: Any, dim0: Any, dim1: Any) -> Any:
    if dim0 is None and dim1 is None:
        return x if x.ndim < 2 else k.np.swapaxes(x, -1, -2)
    first, second = axis_of(x.ndim, dim0), axis_of(x.ndim, dim1)
    return k.np.swapaxes(x, first, second) if x.ndim else x


def _flip(k: Any, x: Any, dims: Any) -> Any:
    axes = _axes(x.ndim, dims)
    return x[(*(slice(None, None, -1 if i in axes else 1) for i in range(x.ndim)), ...)]


def _flatten(k: Any, x: Any, start_dim: Any, end_dim: Any) -> Any:
    first, last = axis_of(x.ndim, start_dim), axis_of(x.ndim, end_dim)
    if first > last:
        raise ValueError(f"start_dim {start_dim} comes after end_dim {end_dim}")
    return x.reshape(*x.shape[:first], math.prod(x.shape[first : last + 1]), *x.shape[last + 1 :])


def _squeeze(k: Any, x: Any, dim: Any) -> Any:
    axes = _axes(x.ndim, dim)
    return x.reshape([n for i, n in enumerate(x.shape) if n != 1 or i not in axes])


def _broadcast_to(k: Any, x: Any, shape: Any) -> Any:
    sizes = integers("shape", shape)
    new = len(sizes) - x.ndim
    if new < 0 or -1 in sizes[:new]:
        raise ValueError(f"the shape {x.shape} cannot be broadcast to {sizes}")
    return k.np.broadcast_to(
        x, [x.shape[i - new] if n == -1 else n for i, n in enumerate(sizes)]
    ).copy()


def _key(key: tuple[Any, ...]) -> tuple[Any, ...]:
    """A Python index from the parser's hashable one."""
    return tuple(
        ... if item == "..." else slice(*item[1:]) if isinstance(item, tuple) else item
        for item in key
    )


def _getitem(k: Any, x: Any, key: tuple[Any, ...]) -> Any:
    items = _key(key)
    # With `...` numpy gives an array, never a bare scalar.
    return x[items if ... in items else (*items, ...)]


def _gather(k: Any, x: Any, index: Any, dim: Any) -> Any:
    axis = axis_of(x.ndim, dim)
    others = (*x.shape[:axis], *x.shape[axis + 1 :])
    if not x.ndim or index.shape != others:
        raise ValueError(
            f"an index of shape {others} is needed for values of shape {x.shape}, not {index.shape}"
        )
    if ((index < 0) | (index >= x.shape[axis])).any():
        raise IndexError(f"an index is outside 0 to {x.shape[axis] - 1}")
    return k.np.take_along_axis(x, k.np.expand_dims(index, axis), axis).reshape(others)


# fmt: off
ROWS = (
    Function("sum",  "x; dim=None, keepdim=False", torch=lambda t, x, dim, keepdim: t.sum(x, dim=dim, keepdim=keepdim), array=total),
    Function("mean", "x; dim=None, keepdim=False", torch=lambda t, x, dim, keepdim: t.mean(x, dim=dim, keepdim=keepdim),
             means=lambda dim, keepdim: f"sum(x, {_over(dim, keepdim)}) / size(x, {_over(dim)})", aliases=("average",)),
    Function("prod", "x; dim=None, keepdim=False", torch=_torch_single("prod"), array=_prod),
    Function("var",  "x; dim=None, unbiased=None, keepdim=False, correction=1", torch=_torch_spread("var"), means=_spread, foreign={"np": {"correction": 0}}),
    Function("std", "x; dim=None, unbiased=None, keepdim=False, correction=1", torch=_torch_spread("std"),
             means=lambda **settings: f"sqrt({_spread(**settings)})", foreign={"np": {"correction": 0}}),
    Function("amax", "x; dim=None, keepdim=False", torch=lambda t, x, dim, keepdim: t.amax(x, dim=() if dim is None else dim, keepdim=keepdim),
             array=_extreme("maximum", tuples=True)),
    Function("amin", "x; dim=None, keepdim=False", torch=lambda t, x, dim, keepdim: t.amin(x, dim=() if dim is None else dim, keepdim=keepdim),
             array=_extreme("minimum", tuples=True)),
    Function("max",  "x; dim=None, keepdim=False", torch=_torch_single("max"), array=_extreme("maximum", tuples=False), folds="maximum"),
    Function("min",  "x; dim=None, keepdim=False", torch=_torch_single("min"), array=_extreme("minimum", tuples=False), folds="minimum"),
    Function("norm", "x; p=2, dim=None, keepdim=False",
             torch=lambda t, x, p, dim, keepdim: t.linalg.vector_norm(x, ord=2 if p == "fro" else p, dim=dim, keepdim=keepdim), means=_norm,
             aliases=("vector_norm",), note="of the vector of all elements along dim, also for a matrix (p=2 is Frobenius there)"),
    Function("size", "x; dim=None, less=0", torch=lambda t, x, dim, less: x.reshape(-1)[:0].sum() + _count(x.shape, dim, less),
             array=lambda k, x, dim, less: fill(k, (), [k.number(_count(x.shape, dim, less))]), aliases=("numel",),
             note="the number of elements along dim, minus `less`, at least 0; in torch a sum of no elements keeps the path to x"),
    Function("cumsum", "x; dim=None", torch=lambda t, x, dim: t.cumsum(x.reshape(-1) if dim is None else x, dim=dim or 0), array=_running("cumsum"),
             note="without dim, of the flattened x"),
    Function("cumprod", "x; dim=None", torch=lambda t, x, dim: t.cumprod(x.reshape(-1) if dim is None else x, dim=dim or 0), array=_running("cumprod"),
             note="without dim, of the flattened x"),

    # Stated through logsumexp and not as exp(x) / sum(exp(x)): torch, too, rounds a difference x - c before its exp.
    Function("logsumexp", "x; dim=None, keepdim=False",
             torch=lambda t, x, dim, keepdim: t.logsumexp(x, dim=tuple(range(x.dim())) if dim is None else dim, keepdim=keepdim),
             means=lambda dim, keepdim: f"log(sum(exp(x), {_over(dim, keepdim)}))"),
    Function("softmax", "x; dim=-1", torch=lambda t, x, dim: t.softmax(x, dim=dim), means=lambda dim: f"exp(x - logsumexp(x, {_along(dim)}))",
             pullback=("y * (ybar - sum(ybar * y, dim=dim, keepdim=True))",),
             foreign={"scipy": "scipy.special.softmax(x) runs over all elements, this language's softmax(x) over the last dimension: "
                               "write softmax(x, dim=-1)"}),
    Function("log_softmax", "x; dim=-1", torch=lambda t, x, dim: t.log_softmax(x, dim=dim), means=lambda dim: f"x - logsumexp(x, {_along(dim)})",
             pullback=("ybar - exp(y) * sum(ybar, dim=dim, keepdim=True)",),
             foreign={"scipy": "scipy.special.log_softmax(x) runs over all elements, this language's over the last dimension: write log_softmax(x, dim=-1)"}),

    Function("transpose", "x; dim0=None, dim1=None",
             torch=lambda t, x, dim0, dim1: t.transpose(x, dim0, dim1) if dim0 is not None else x.mT if x.dim() > 1 else x, array=_transpose,
             aliases=("t", "swapaxes", "swapdims"), note="without dims the last two are swapped; a vector stays as it is"),
    Function("permute", "x; dims", torch=lambda t, x, dims: t.permute(x, integers("dims", dims)), array=lambda k, x, dims: x.transpose(integers("dims", dims)),
             aliases=("permute_dims",)),
    Function("flip",      "x; dims=None", torch=lambda t, x, dims: t.flip(x, _axes(x.dim(), dims)), array=_flip),
    Function("reshape", "x; shape", torch=lambda t, x, shape: t.reshape(x, integers("shape", shape)),
             array=lambda k, x, shape: x.reshape(integers("shape", shape)), aliases=("view",)),
    Function("flatten", "x; start_dim=0, end_dim=-1", torch=lambda t, x, start_dim, end_dim: t.flatten(x, start_dim, end_dim), array=_flatten,
             aliases=("ravel",)),
    Function("unsqueeze", "x; dim", torch=lambda t, x, dim: t.unsqueeze(x, dim), array=lambda k, x, dim: k.np.expand_dims(x, axis_of(x.ndim + 1, dim)),
             aliases=("expand_dims",)),
    Function("squeeze",   "x; dim=None", torch=lambda t, x, dim: t.squeeze(x) if dim is None else t.squeeze(x, dim), array=_squeeze),
    Function("broadcast_to", "x; shape", torch=lambda t, x, shape: x.expand(integers("shape", shape)), array=_broadcast_to, aliases=("expand",)),
    Function("broadcast_like", "x, other", torch=lambda t, x, other: t.broadcast_tensors(x, other)[0],
             array=lambda k, x, other: k.np.broadcast_arrays(x, other)[0], note="x in the shape that x and other have together"),
    Function("stack", "*tensors; dim=0", torch=lambda t, *tensors, dim: t.stack(tensors, dim=dim),
             array=lambda k, *tensors, dim: k.np.stack(tensors, axis=axis_of(tensors[0].ndim + 1, dim))),
    Function("cat", "*tensors; dim=0", torch=lambda t, *tensors, dim: t.cat(tensors, dim=dim),
             array=lambda k, *tensors, dim: k.np.concatenate(tensors, axis=axis_of(tensors[0].ndim, dim)), aliases=("concat", "concatenate")),
    Function("getitem",   "x; key", torch=lambda t, x, key: x[_key(key)], array=_getitem, note="written x[0, 1:]", operator="[]"),
    Function("gather",    "x, index:index; dim=-1", torch=lambda t, x, index, dim: t.gather(x, dim, index.long().unsqueeze(dim)).squeeze(dim), array=_gather,
             note="one element along dim for each index, so index has the shape of x without dim"),
    Function("detach",    "x", torch=lambda t, x: x.detach(), means="x", backward=False),
)
# fmt: on
