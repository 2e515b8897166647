"""Operators that only move elements, and fill with zeros: where each element comes from is asked of
the operator itself, with nodes for numbers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.utils._python_dispatch import _disable_current_modes

if TYPE_CHECKING:
    from gradcheck_cli.recording.operation import Operation
    from gradcheck_cli.recording.tape import Nodes

# They compute nothing, so that what they give for nodes is the nodes of what they give.
_MOVERS = frozenset(
    [
        "alias",
        "as_strided",
        "as_strided_copy",
        "as_strided_scatter",
        "block_diag",
        "cat",
        "channel_shuffle",
        "chunk",
        "col2im_",
        "constant_pad_nd",
        "diag",
        "diag_embed",
        "diagonal",
        "diagonal_backward",
        "diagonal_copy",
        "diagonal_scatter",
        "embedding",
        "expand",
        "expand_copy",
        "flip",
        "gather",
        "hstack",
        "im2col",
        "index",
        "index_copy",
        "index_select",
        "masked_scatter",
        "masked_select",
        "movedim",
        "permute",
        "permute_copy",
        "pixel_shuffle",
        "pixel_unshuffle",
        "reflection_pad1d",
        "reflection_pad2d",
        "repeat",
        "repeat_interleave",
        "replication_pad1d",
        "replication_pad2d",
        "reshape",
        "roll",
        "rot90",
        "scatter",
        "select",
        "select_backward",
        "select_copy",
        "select_scatter",
        "slice",
        "slice_backward",
        "slice_copy",
        "slice_scatter",
        "split",
        "split_copy",
        "split_with_sizes",
        "split_with_sizes_copy",
        "squeeze",
        "squeeze_copy",
        "stack",
        "t",
        "take",
        "take_along_dim",
        "tile",
        "transpose",
        "transpose_copy",
        "tril",
        "triu",
        "unbind",
        "unbind_copy",
        "unfold",
        "unfold_copy",
        "unsqueeze",
        "unsqueeze_copy",
        "upsample_nearest1d",
        "upsample_nearest2d",
        "view",
        "view_copy",
        "vstack",
        "_unsafe_view",
        "_reshape_alias",
        "_unsafe_index",
        "_pack_padded_sequence",
    ]
)
# They write into a copy, or add to it.
_PUTS = ("index_put", "_unsafe_index_put", "_index_put_impl")
# Arguments that say which elements are meant, and are held as they are at the point.
PICKING = ("index", "indices", "mask")
# Arguments that are filled in, and so are nodes as well.
_FILLED = ("value", "src", "source", "values")


def moved(operation: Operation) -> tuple[Any, ...] | None:
    """The nodes of every tensor that a mover makes; None where the operator is none."""
    name = operation.name
    replaces = name in _PUTS and not operation.get("accumulate")
    fills = name in ("index_fill", "fill_diagonal")
    if not (name in _MOVERS or replaces or fills) or operation.get("reduce") is not None:
        return None
    function = _functional(operation) if operation.before else operation.function
    if function is None:
        return None
    given = {key: _as_nodes(operation, key, value) for key, value in operation.args.items()}
    with _disable_current_modes():
        made = called(function, given)
    return tuple(
        np.rint(t.numpy()).astype(np.int64) if t.is_floating_point() else None
        for t in _tensors(made)
    )


def _functional(operation: Operation) -> Any:
    """The overload that gives back what one in place writes."""
    packet = getattr(torch.ops.aten, operation.name, None)
    name = operation.function._overloadname
    return None if packet is None else getattr(packet, name, None)


def called(function: Any, given: dict[str, Any]) -> Any:
    """An operator called with arguments by name."""
    schema = function._schema.arguments
    formats = ("dtype", "layout", "device", "pin_memory")
    positional = [given[a.name] for a in schema if not a.kwarg_only]
    keywords = {
        a.name: given[a.name]
        for a in schema
        if a.kwarg_only and a.name not in formats and a.name in given
    }
    return function(*positional, **keywords)


def _as_nodes(operation: Operation, key: str, value: Any) -> Any:
    if key in PICKING:
        return value
    if isinstance(value, list | tuple):
        return [_as_nodes(operation, key, v) for v in value]
    if isinstance(value, torch.Tensor) and (
        value.is_floating_point() or operation.shadows.holds(value)
    ):
        return _numbers(operation.nodes(value))
    if isinstance(value, torch.Tensor) and value.dtype == torch.bool and key in ("self", "src"):
        return _numbers(operation.nodes(value))
    if key in _FILLED and isinstance(value, int | float) and not isinstance(value, bool):
        return float(operation.nodes(value))
    return value


def _numbers(nodes: Nodes) -> Any:
    return torch.from_numpy(np.array(nodes, dtype=np.float64))


def _tensors(made: Any) -> list[Any]:
    if isinstance(made, torch.Tensor):
        return [made]
    return [t for t in made if isinstance(t, torch.Tensor)]
