"""Reductions and running sums."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck_cli.recording.numpy_call import as_setting, numpy_row

if TYPE_CHECKING:
    from gradcheck_cli.recording.numpy_call import NumpyCall
    from gradcheck_cli.recording.tape import Nodes


def dims_over(axis: Any, keepdims: Any = False) -> dict[str, Any]:
    """The settings of a row that reduces."""
    dim = tuple(map(int, axis)) if isinstance(axis, tuple) else axis if axis is None else int(axis)
    return {"dim": dim, "keepdim": bool(keepdims)}


def _settings(call: NumpyCall) -> dict[str, Any]:
    return dims_over(call.get("axis"), call.get("keepdims", False))


def _masked(call: NumpyCall, neutral: float) -> Nodes:
    """The first argument, with what does nothing where `where` is false."""
    nodes, where = call.floats(call.first), call.get("where", True)
    if where is True:
        return nodes
    return call.row("where", call.nodes(where), nodes, call.floats(neutral))


def _sum(call: NumpyCall) -> Nodes:
    call.only("axis", "keepdims", "where")
    return call.row("sum", _masked(call, 0), **_settings(call))


def _prod(call: NumpyCall) -> Nodes:
    call.only("axis", "keepdims", "where")
    nodes, axis, keepdims = _masked(call, 1), call.get("axis"), bool(call.get("keepdims", False))
    if not isinstance(axis, tuple):
        return call.row("prod", nodes, dim=axis, keepdim=keepdims)
    kept = nodes
    for one in axis:
        kept = call.row("prod", kept, dim=int(one), keepdim=True)
    return kept if keepdims else np.squeeze(kept, axis)


def _mean(call: NumpyCall) -> Nodes:
    call.only("axis", "keepdims")
    return call.row("mean", call.floats(call.first), **_settings(call))


def _average(call: NumpyCall) -> Any:
    call.only("axis", "weights", "keepdims")
    nodes, weights, settings = call.floats(call.first), call.get("weights"), _settings(call)
    if weights is None:
        return call.row("mean", nodes, **settings)
    factors = call.floats(weights)
    axis = settings["dim"]
    if factors.ndim == 1 < nodes.ndim and isinstance(axis, int):
        factors = np.moveaxis(factors.reshape(-1, *[1] * (nodes.ndim - 1)), 0, axis)
    total = call.row("sum", call.row("mul", nodes, factors), **settings)
    spread = np.broadcast_to(factors, nodes.shape)
    return call.row("div", total, call.row("sum", spread, **settings))


def _spread(call: NumpyCall) -> Nodes:
    call.only("axis", "keepdims", "ddof", "correction")
    less = call.get("correction", call.get("ddof", 0))
    return call.row(call.name, call.floats(call.first), correction=less, **_settings(call))


def _extreme(name: str) -> Any:
    def rule(call: NumpyCall) -> Nodes:
        call.only("axis", "keepdims")
        return call.row(name, call.floats(call.first), **_settings(call))

    return rule


def _range(call: NumpyCall) -> Nodes:
    call.only("axis", "keepdims")
    nodes, settings = call.floats(call.first), _settings(call)
    return call.row("sub", call.row("amax", nodes, **settings), call.row("amin", nodes, **settings))


def _running(call: NumpyCall) -> Nodes:
    call.only("axis")
    axis = call.get("axis")
    return call.row(call.name, call.floats(call.first), dim=None if axis is None else int(axis))


def folded_along(call: NumpyCall, step: str, nodes: Nodes, axis: Any, keepdims: bool) -> Nodes:
    """Nodes put together one after the other along an axis, by a row of two arguments."""
    axes = (
        tuple(range(nodes.ndim)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    )
    axes = tuple(a % nodes.ndim for a in axes) if nodes.ndim else ()
    rest = [k for k in range(nodes.ndim) if k not in axes]
    rows = nodes.transpose(*axes, *rest).reshape(-1, *[nodes.shape[k] for k in rest])
    result = rows[0]
    for row in rows[1:]:
        result = call.row(step, result, row)
    result = np.asarray(result)
    return np.expand_dims(result, axes) if keepdims else result


def _truth(step: str) -> Any:
    def rule(call: NumpyCall) -> Any:
        call.only("axis", "keepdims")
        if not np.size(call.first):
            return None
        nodes = call.ledger.tape.conditions(call.nodes(call.first))
        return folded_along(call, step, nodes, call.get("axis"), bool(call.get("keepdims", False)))

    return rule


def _differences(call: NumpyCall) -> Nodes:
    call.only("axis", "n")
    nodes = call.floats(call.first)
    for _ in range(call.get("n", 1)):
        rows = np.moveaxis(nodes, call.get("axis", -1), 0)
        nodes = np.moveaxis(call.row("sub", rows[1:], rows[:-1]), 0, call.get("axis", -1))
    return nodes


def _trapezoid(call: NumpyCall) -> Any:
    call.only("x", "dx", "axis")
    axis, x = call.get("axis", -1), call.get("x")
    rows = np.moveaxis(call.floats(call.first), axis, -1)
    if x is None:
        widths = call.floats(call.get("dx", 1.0))
    else:
        places = call.floats(x)
        if places.ndim > 1:
            places = np.moveaxis(places, axis, -1)
        widths = call.row("sub", places[..., 1:], places[..., :-1])
    pairs = call.row("div", call.row("add", rows[..., 1:], rows[..., :-1]), call.floats(2))
    return call.row("sum", call.row("mul", widths, pairs), dim=-1)


def _norm(call: NumpyCall) -> Any:
    """As the row of that name, which has NumPy's cases."""
    known = numpy_row(call.name, ("np.linalg", "np"))
    if known is None:
        return None
    given = {as_setting(name): call.get(name) for name in ("ord", "axis", "keepdims")}
    names = {p.name for p in known[0].parsed.settings}
    if "ord" in names:
        given["ord"] = given.pop("p")
    axis = dims_over(given["dim"], given["keepdim"])
    return call.row(known[0].name, call.floats(call.first), **{**given, **axis})


CALLS: dict[str, Any] = {
    "sum": _sum, "prod": _prod, "mean": _mean, "average": _average, "var": _spread, "std": _spread,
    "max": _extreme("amax"), "amax": _extreme("amax"), "min": _extreme("amin"),
    "amin": _extreme("amin"), "ptp": _range, "cumsum": _running, "cumprod": _running,
    "any": _truth("logical_or"), "all": _truth("logical_and"), "diff": _differences,
    "trapezoid": _trapezoid, "trapz": _trapezoid, "linalg.norm": _norm,
}  # fmt: skip
