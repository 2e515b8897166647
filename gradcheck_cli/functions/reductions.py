"""Reduction rows: sums, products, extremes and what is made of them along dims."""

from __future__ import annotations

import math
import operator
from fractions import Fraction
from functools import reduce
from typing import TYPE_CHECKING, Any

from gradcheck_cli.functions.deviations import Elsewhere
from gradcheck_cli.functions.elsewhere import dims_elsewhere, torch_needs
from gradcheck_cli.functions.row import CallError, Function
from gradcheck_cli.functions.tensors import axes_of, axis_of, fill, integers

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def _kept(shape: Sequence[int], dim: Any, keepdim: bool) -> list[int]:
    """What a reduction over `dim` leaves of `shape`."""
    axes = axes_of(len(shape), dim)
    return [1 if i in axes else n for i, n in enumerate(shape) if keepdim or i not in axes]


def _reduced(k: Any, x: Any, dim: Any, keepdim: bool, fold: Callable[[Any], Any]) -> Any:
    """What `fold` makes of rows of the elements along dim: one number of each."""
    axes = axes_of(x.ndim, dim)
    others = [i for i in range(x.ndim) if i not in axes]
    rows = x.transpose(*others, *axes).reshape(
        math.prod(x.shape[i] for i in others), math.prod(x.shape[i] for i in axes)
    )
    return fill(k, _kept(x.shape, dim, keepdim), fold(rows))


def total(k: Any, x: Any, dim: Any, keepdim: bool) -> Any:
    return _reduced(k, x, dim, keepdim, k.totals)


def _prod(k: Any, x: Any, dim: Any, keepdim: bool) -> Any:
    dim = None if dim is None else axis_of(x.ndim, dim)
    return _reduced(
        k,
        x,
        dim,
        keepdim,
        lambda rows: [reduce(operator.mul, row) if row.size else k.number(1) for row in rows],
    )


def _extreme(function: str, *, tuples: bool) -> Callable[..., Any]:
    """Largest or smallest along dims; `max(dim)` of torch takes one dim, `amax` several."""

    def array(k: Any, x: Any, dim: Any, keepdim: bool) -> Any:
        if not x.size:
            raise ValueError(f"the {function} of no elements")
        dim = dim if dim is None or tuples else axis_of(x.ndim, dim)
        return _reduced(k, x, dim, keepdim, lambda rows: k.extremes(function, rows))

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


def over(dim: Any, keepdim: bool | None = None) -> str:
    """`dim` and `keepdim` as they are written in a text."""
    dim = dim if dim is None else integers("dim", dim)
    return f"dim={dim}" if keepdim is None else f"dim={dim}, keepdim={bool(keepdim)}"


def _along(dim: Any) -> str:
    if not isinstance(dim, int):
        raise CallError(f"one dim is needed, not {dim}")
    return over(dim, keepdim=True)


def _spread(dim: Any, unbiased: Any, keepdim: bool, correction: Any) -> str:
    dim, unbiased = (
        (None, dim) if isinstance(dim, bool) else (dim, unbiased)
    )  # x.var(False) means `unbiased`
    if unbiased not in (None, True, False):
        raise CallError(f"unbiased is True or False, not {unbiased!r}")
    less = correction if unbiased is None else int(unbiased)
    if not isinstance(less, int | float | Fraction):
        raise CallError(f"correction is a number, not {less!r}")
    gaps = f"(x - mean(x, {over(dim, keepdim=True)}))"
    return f"sum({gaps}**2, {over(dim, keepdim)}) / size(x, {over(dim)}, less={less})"


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


def _spread_back(dim: Any, unbiased: Any, keepdim: bool, correction: Any) -> tuple[str, ...]:
    """What torch's backward of var evaluates: nothing is passed back through the mean."""
    dim, unbiased = (None, dim) if isinstance(dim, bool) else (dim, unbiased)
    return _spread_from(spread_out("ybar", dim, keepdim), dim, unbiased, correction)


def _spread_from(ybar: str, dim: Any, unbiased: Any, correction: Any) -> tuple[str, ...]:
    """The cotangent of x from that of its variance, spread out; nothing where that is not known."""
    less, mean = correction if unbiased is None else int(unbiased), f"mean(x, {over(dim, True)})"
    return (f"2 / size(x, {over(dim)}, less={less}) * {ybar} * (x - {mean})",) if ybar else ()


def _root_spread_back(dim: Any, unbiased: Any, keepdim: bool, correction: Any) -> tuple[str, ...]:
    """That of std: first through the root, which in half precision may leave little."""
    dim, unbiased = (None, dim) if isinstance(dim, bool) else (dim, unbiased)
    y, ybar = (spread_out(name, dim, keepdim) for name in ("y", "ybar"))
    root = y and f"where({y} == 0, 0, {ybar} / ({y} * 2))"
    return _spread_from(root, dim, unbiased, correction)


def _root_spread_written(
    shapes: Any, dim: Any, unbiased: Any, keepdim: bool, correction: Any
) -> tuple[str, ...]:
    """That of std as people write it, where it is not 0."""
    dim, unbiased = (None, dim) if isinstance(dim, bool) else (dim, unbiased)
    y, ybar = (spread_out(name, dim, keepdim) for name in ("y", "ybar"))
    return _spread_from(y and f"({ybar} / ({y} * 2))", dim, unbiased, correction)


def spread_out(name: str, dim: Any, keepdim: bool) -> str:
    """What a reduction gave, as a text that broadcasts against what it was given; empty where that
    takes more than is known here.
    """
    if keepdim or dim is None:
        return name
    if isinstance(dim, tuple) and min(dim) < 0 <= max(dim):
        return ""
    dims = sorted(dim) if isinstance(dim, tuple) else [dim]
    for d in dims if dims[0] >= 0 else reversed(dims):
        name = f"unsqueeze({name}, {d})"
    return name


def _reduced_back(form: str) -> Callable[..., tuple[str, ...]]:
    """The pullback of a reduction; `Y` and `G` stand for its result and cotangent, spread out."""

    def pullback(dim: Any, keepdim: bool) -> tuple[str, ...]:
        y, ybar = (spread_out(name, dim, keepdim) for name in ("y", "ybar"))
        return (form.replace("Y", y).replace("G", ybar),) if y else ()

    return pullback


def _reduced_written(form: str) -> Callable[..., tuple[str, ...]]:
    """As people write it, whatever the shapes."""
    pullback = _reduced_back(form)
    return lambda shapes, dim, keepdim: pullback(dim, keepdim)


def _logsumexp_written(shapes: Sequence[Any], dim: Any, keepdim: bool) -> tuple[str, ...]:
    """By softmax, where it is taken along one dim."""
    dim = 0 if dim is None and len(shapes[0]) == 1 else dim
    single = f"ybar * softmax(x, dim={dim})" if isinstance(dim, int) else "G * exp(x - Y)"
    return _reduced_back(single.replace("ybar", "G"))(dim, keepdim)


def _logsumexp(dim: Any, keepdim: bool) -> str:
    """As torch computes it: around the largest element."""
    top = f"amax(x, {over(dim, keepdim=True)})"
    inner = f"log(sum(exp(x - {top}), {over(dim, keepdim)}))"
    return f"{inner} + amax(x, {over(dim, keepdim)})"


def _logsumexp_steady(dim: Any, keepdim: bool) -> str:
    """Less any number and that number added: it is stopped, as it has no part in the derivative."""
    top, inside = (f"stop_gradient(amax(x, {over(dim, keep)}))" for keep in (keepdim, True))
    return f"log(sum(exp(x - {inside}), {over(dim, keepdim)})) + {top}"


def _cumprod_back(dim: Any) -> tuple[str, ...]:
    """Sums from behind of `y * ybar`, over x; without dim the elements are in a row."""
    if dim is None:
        return ()
    return (f"flip(cumsum(flip(ybar * y, {dim}), dim={dim}), {dim}) / x",)


def _count(shape: Sequence[int], dim: Any, less: Any) -> Any:
    if not isinstance(less, int | float | Fraction):
        raise CallError(f"less is a number, not {less!r}")
    return max(math.prod(shape[i] for i in axes_of(len(shape), dim)) - less, 0)


# fmt: off
ROWS = (
    Function("sum",  "x; dim=None, keepdim=False", derivative=_reduced_written("G"),
             torch=lambda t, x, dim, keepdim: t.sum(x, dim=dim, keepdim=keepdim), array=total),
    Function("mean", "x; dim=None, keepdim=False", torch=lambda t, x, dim, keepdim: t.mean(x, dim=dim, keepdim=keepdim),
             means=lambda dim, keepdim: f"sum(x, {over(dim, keepdim)}) / size(x, {over(dim)})", aliases=("average",)),
    Function("prod", "x; dim=None, keepdim=False", torch=_torch_single("prod"), array=_prod, pullback=_reduced_back("G * (Y / x)"),
             foreign={"math": Elsewhere(defaults={"dim": 0}), "sympy": Elsewhere(named=("dim",))}),
    Function("var",  "x; dim=None, unbiased=None, keepdim=False, correction=1", torch=_torch_spread("var"), means=_spread, pullback=_spread_back,
             foreign={"np": Elsewhere(defaults={"correction": 0})}),
    Function("std", "x; dim=None, unbiased=None, keepdim=False, correction=1", derivative=_root_spread_written, torch=_torch_spread("std"),
             means=lambda **settings: f"sqrt({_spread(**settings)})",
             pullback=_root_spread_back, foreign={"np": Elsewhere(defaults={"correction": 0})}),
    Function("amax", "x; dim=None, keepdim=False", derivative=_reduced_written("where(x == Y, G, 0)"),
             torch=lambda t, x, dim, keepdim: t.amax(x, dim=() if dim is None else dim, keepdim=keepdim),
             array=_extreme("maximum", tuples=True)),
    Function("amin", "x; dim=None, keepdim=False", derivative=_reduced_written("where(x == Y, G, 0)"),
             torch=lambda t, x, dim, keepdim: t.amin(x, dim=() if dim is None else dim, keepdim=keepdim),
             array=_extreme("minimum", tuples=True)),
    Function("max",  "x; dim=None, keepdim=False", derivative=_reduced_written("where(x == Y, G, 0)"),
             answers=("values", "indices"), torch=_torch_single("max"), array=_extreme("maximum", tuples=False), folds="maximum"),
    Function("min",  "x; dim=None, keepdim=False", derivative=_reduced_written("where(x == Y, G, 0)"),
             answers=("values", "indices"), torch=_torch_single("min"), array=_extreme("minimum", tuples=False), folds="minimum"),
    Function("size", "x; dim=None, less=0", torch=lambda t, x, dim, less: x.reshape(-1)[:0].sum() + _count(x.shape, dim, less),
             array=lambda k, x, dim, less: fill(k, (), [k.number(_count(x.shape, dim, less))]), aliases=("numel",),
             note="the number of elements along dim, minus `less`, at least 0; in torch a sum of no elements keeps the path to x"),
    Function("cumsum", "x; dim=None", torch=lambda t, x, dim: t.cumsum(x.reshape(-1) if dim is None else x, dim=dim or 0), array=_running("cumsum"),
             foreign={"torch": torch_needs("cumsum", "dim", "0")}, note="without dim, of the flattened x"),
    Function("cumprod", "x; dim=None", torch=lambda t, x, dim: t.cumprod(x.reshape(-1) if dim is None else x, dim=dim or 0), array=_running("cumprod"),
             pullback=_cumprod_back, foreign={"torch": torch_needs("cumprod", "dim", "0")}, note="without dim, of the flattened x"),

    # Stated through logsumexp and not as exp(x) / sum(exp(x)): torch, too, rounds a difference x - c before its exp.
    Function("logsumexp", "x; dim=None, keepdim=False",
             derivative=_logsumexp_written, torch=lambda t, x, dim, keepdim: t.logsumexp(x, dim=tuple(range(x.dim())) if dim is None else dim, keepdim=keepdim),
             means=lambda dim, keepdim: f"log(sum(exp(x), {over(dim, keepdim)}))", computes=_logsumexp, steady=_logsumexp_steady,
             pullback=_reduced_back("G * exp(x - Y)"),
             foreign=dict.fromkeys(("torch", "torch.special"), torch_needs("logsumexp", "dim", "0")) | {"scipy.special": Elsewhere(named=("keepdim",))}),
    Function("softmax", "x; dim=-1", torch=lambda t, x, dim: t.softmax(x, dim=dim), means=lambda dim: f"exp(x - logsumexp(x, {_along(dim)}))",
             pullback=lambda dim: (f"y * (ybar - sum(ybar * y, {_along(dim)}))",),
             foreign=dims_elsewhere("softmax")),
    Function("log_softmax", "x; dim=-1", derivative=lambda shapes, dim: (f"ybar - softmax(x, dim={dim}) * sum(ybar, {_along(dim)})",),
             torch=lambda t, x, dim: t.log_softmax(x, dim=dim), means=lambda dim: f"x - logsumexp(x, {_along(dim)})",
             pullback=lambda dim: (f"ybar - exp(y) * sum(ybar, {_along(dim)})",),
             foreign=dims_elsewhere("log_softmax")),
)
# fmt: on
