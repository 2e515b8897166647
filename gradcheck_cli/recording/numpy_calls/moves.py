"""Functions that only move elements, and fill with zeros: they are asked with nodes for numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck_cli.recording.ledger import Taped

if TYPE_CHECKING:
    from gradcheck_cli.recording.numpy_call import NumpyCall

# They compute nothing, so that what they give for nodes is the nodes of what they give.
MOVERS = frozenset(
    [
        "append",
        "array_split",
        "atleast_1d",
        "atleast_2d",
        "atleast_3d",
        "block",
        "broadcast_arrays",
        "broadcast_to",
        "choose",
        "column_stack",
        "compress",
        "concat",
        "concatenate",
        "copy",
        "delete",
        "diag",
        "diagflat",
        "diagonal",
        "dsplit",
        "dstack",
        "expand_dims",
        "extract",
        "flip",
        "fliplr",
        "flipud",
        "hsplit",
        "hstack",
        "insert",
        "linalg.diagonal",
        "linalg.matrix_transpose",
        "matrix_transpose",
        "meshgrid",
        "moveaxis",
        "pad",
        "permute_dims",
        "ravel",
        "real",
        "repeat",
        "reshape",
        "resize",
        "roll",
        "rollaxis",
        "rot90",
        "row_stack",
        "split",
        "squeeze",
        "stack",
        "swapaxes",
        "take",
        "take_along_axis",
        "tile",
        "transpose",
        "tril",
        "triu",
        "unstack",
        "vsplit",
        "vstack",
        "sliding_window_view",
    ]
)
# Arguments that are numbers beside the first: of a few functions the first is none.
_NUMBERS = ("values", "constant_values", "choices", "arrs", "xi", "args", "arys")
_NOT_FIRST = {"choose": ("choices",), "compress": ("a",), "extract": ("arr",)}
# How `pad` may fill.
_PADS = ("constant", "edge", "reflect", "symmetric", "wrap")
# They change their first argument.
WRITERS = frozenset(["copyto", "fill_diagonal", "place", "put", "put_along_axis", "putmask"])


def moved_elements(call: NumpyCall) -> Any:
    """The nodes of what a mover gives, in lists as that is."""
    if call.name == "pad" and call.get("mode", "constant") not in _PADS:
        call.ledger.refuse(f"`pad` by `{call['mode']}`")
    given = {name: _as_nodes(call, name, value) for name, value in call.args.items()}
    return _called(call.function, given)


def _as_nodes(call: NumpyCall, name: str, value: Any) -> Any:
    first = name == next(iter(call.args))
    numbers = _NOT_FIRST.get(call.name, (next(iter(call.args)), *_NUMBERS))
    if name not in numbers or (value is None and not first):
        return call.held(value)
    if name == "constant_values" and call.get("mode", "constant") != "constant":
        return value
    return _nodes_in(call, value)


def _nodes_in(call: NumpyCall, value: Any) -> Any:
    if isinstance(value, list | tuple):
        return type(value)(_nodes_in(call, part) for part in value)
    return call.nodes(value)


def _called(function: Any, given: dict[str, Any]) -> Any:
    """A function called with arguments by name; those that it takes any number of one by one."""
    many = next((name for name in ("xi", "args", "arys") if isinstance(given.get(name), tuple)), "")
    told = {name: value for name, value in given.items() if value is not np._NoValue}
    rest = {name: value for name, value in told.items() if name != many}
    if many:
        return function(*given[many], **rest)
    # The first by its place: functions in C may take it by no name.
    (first, value), *others = rest.items()
    del first
    return function(value, **dict(others))


def write_in_place(call: NumpyCall) -> None:
    """What a function writes to its first argument, done to the nodes of it and then to it."""
    target = call.first
    if not isinstance(target, Taped):
        call.ledger.refuse(f"`{call.name}` into an array that was not made here")
    nodes = {name: value for name, value in call.args.items() if value is not target}
    numbers = next((name for name in ("src", "values", "vals", "v", "val") if name in nodes), "")
    mask = nodes.get("where" if call.name == "copyto" else "mask")
    found = call.nodes(nodes[numbers])
    if mask is not None and mask is not True and (call.name == "copyto" or not found.ndim):
        chosen = call.row("where", call.nodes(mask), found, target.nodes)
        target.nodes[...] = chosen
        return
    held = {name: call.held(value) for name, value in nodes.items() if name != numbers}
    call.function(target.nodes, **held, **{numbers: found})
