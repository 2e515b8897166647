"""Functions that choose: by a condition, by size, or by an index, which is held as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck_cli.recording.ledger import untaped

if TYPE_CHECKING:
    from gradcheck_cli.recording.numpy_call import NumpyCall
    from gradcheck_cli.recording.tape import Nodes

# They answer indices, or counts.
INDICES = frozenset(
    [
        "argmax",
        "argmin",
        "argsort",
        "argwhere",
        "nonzero",
        "flatnonzero",
        "searchsorted",
        "count_nonzero",
        "digitize",
        "lexsort",
        "argpartition",
        "nanargmax",
        "nanargmin",
        "unravel_index",
        "ravel_multi_index",
    ]
)
# They answer whether something holds of the numbers, or make a text of them.
ESCAPES = frozenset(
    [
        "allclose",
        "isclose",
        "array_equal",
        "array_equiv",
        "isin",
        "in1d",
        "array_repr",
        "array_str",
        "array2string",
        "histogram",
        "bincount",
        "unique",
    ]
)
# They answer something that has nothing to do with the numbers.
FACTS = frozenset(
    [
        "shape",
        "ndim",
        "size",
        "result_type",
        "can_cast",
        "iscomplexobj",
        "isrealobj",
        "may_share_memory",
        "shares_memory",
        "common_type",
        "min_scalar_type",
        "iscomplex",
        "isreal",
    ]
)


def _where(call: NumpyCall) -> Any:
    if call.get("x") is None:
        call.held(call["condition"])
        return None
    return call.row(
        "where", call.nodes(call["condition"]), call.floats(call["x"]), call.floats(call["y"])
    )


def _select(call: NumpyCall) -> Any:
    call.only("choicelist", "default")
    nodes = call.floats(call.get("default", 0))
    pairs = list(zip(call["condlist"], call["choicelist"], strict=True))
    for condition, choice in reversed(pairs):
        nodes = call.row("where", call.nodes(condition), call.floats(choice), nodes)
    return np.broadcast_to(nodes, np.shape(call.result)).copy()


def _clip(call: NumpyCall) -> Any:
    nodes = call.floats(call.first)
    low, high = (call.get(a, call.get(b)) for a, b in (("a_min", "min"), ("a_max", "max")))
    if low is not None:
        nodes = call.row("maximum", nodes, call.floats(low))
    return nodes if high is None else call.row("minimum", nodes, call.floats(high))


def _sorted(call: NumpyCall) -> Any:
    call.only("axis", "kind", "stable")
    axis = call.get("axis", -1)
    nodes, values = call.nodes(call.first), np.asarray(untaped(call.first))
    if axis is None:
        nodes, values, axis = nodes.reshape(-1), values.reshape(-1), 0
    call.ledger.remark("index", call.name)
    return np.take_along_axis(nodes, np.argsort(values, axis, kind="stable"), axis)


def _median(call: NumpyCall) -> Any:
    call.only("axis", "keepdims")
    nodes, axis = call.floats(call.first), call.get("axis")
    values = np.asarray(untaped(call.first))
    if axis is None:
        nodes, values, axis = nodes.reshape(-1), values.reshape(-1), 0
    rows = np.moveaxis(
        np.take_along_axis(nodes, np.argsort(values, axis, kind="stable"), axis), axis, 0
    )
    call.ledger.remark("index", call.name)
    half, odd = divmod(len(rows), 2)
    found = rows[half] if odd else call.row("mean", rows[half - 1 : half + 1], dim=0)
    return np.asarray(found).reshape(np.shape(call.result))


def _rounded(call: NumpyCall) -> Any:
    call.only("decimals")
    nodes, decimals = call.floats(call.first), int(call.get("decimals", 0))
    if not decimals:
        return call.row("round", nodes)
    factor = call.floats(10 ** abs(decimals))
    there, back = ("mul", "div") if decimals > 0 else ("div", "mul")
    return call.row(back, call.row("round", call.row(there, nodes, factor)), factor)


def _made_finite(call: NumpyCall) -> Any:
    if not np.isfinite(untaped(call.first)).all():
        call.ledger.refuse(f"`{call.name}` of what is not finite")
    return call.nodes(call.first)


def _like(value: int) -> Any:
    return lambda call: np.full(np.shape(call.result), call.ledger.constants(value))


def _full_like(call: NumpyCall) -> Any:
    return np.broadcast_to(call.nodes(call["fill_value"]), np.shape(call.result)).copy()


def _empty_like(call: NumpyCall) -> Any:
    return np.full(np.shape(call.result), -1)


def _row(name: str) -> Any:
    def rule(call: NumpyCall) -> Nodes:
        call.only()
        return call.row(name, call.floats(call.first))

    return rule


CALLS: dict[str, Any] = {
    "where": _where, "select": _select, "clip": _clip, "sort": _sorted, "median": _median,
    "round": _rounded, "around": _rounded, "round_": _rounded, "nan_to_num": _made_finite,
    "zeros_like": _like(0), "ones_like": _like(1), "full_like": _full_like,
    "empty_like": _empty_like, "sinc": _row("sinc"), "fix": _row("trunc"), "i0": _row("i0"),
}  # fmt: skip
