"""Operators that are linear in what was recorded, with constant coefficients: these are asked of
the operator itself, one unit vector after the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.utils._python_dispatch import _disable_current_modes

from gradcheck_cli.recording.torch_calls.moves import called

if TYPE_CHECKING:
    from gradcheck_cli.recording.operation import Operation
    from gradcheck_cli.recording.tape import Nodes

# Each with the arguments in which it is linear together.
_LINEAR: dict[str, tuple[str, ...]] = {
    "scatter_add": ("self", "src"),
    "index_add": ("self", "source"),
    **dict.fromkeys(("index_put", "_unsafe_index_put", "_index_put_impl"), ("self", "values")),
    "put": ("self", "source"),
    "unfold_backward": ("grad_in",),
    "trapezoid": ("y",),
    "_embedding_bag": ("weight",),
    "_embedding_bag_forward_only": ("weight",),
    "_embedding_bag_dense_backward": ("grad",),
    "_embedding_bag_backward": ("grad",),
    **dict.fromkeys(
        (
            "avg_pool1d", "avg_pool2d", "avg_pool3d", "_adaptive_avg_pool2d",
            "_adaptive_avg_pool3d", "upsample_bilinear2d", "upsample_linear1d",
            "upsample_bicubic2d", "upsample_trilinear3d", "col2im", "trace", "max_unpool2d",
            "max_unpool3d",
        ),
        ("self",),
    ),
    **dict.fromkeys(
        (
            "avg_pool2d_backward", "avg_pool3d_backward", "_adaptive_avg_pool2d_backward",
            "max_pool2d_with_indices_backward", "max_pool3d_with_indices_backward",
            "adaptive_max_pool2d_backward", "upsample_bilinear2d_backward",
            "upsample_linear1d_backward", "upsample_bicubic2d_backward",
            "upsample_nearest1d_backward", "upsample_nearest2d_backward",
            "reflection_pad1d_backward", "reflection_pad2d_backward",
            "replication_pad1d_backward", "replication_pad2d_backward",
            "embedding_dense_backward", "adaptive_max_pool3d_backward", "masked_scatter_backward",
            "_adaptive_avg_pool3d_backward", "upsample_trilinear3d_backward",
            "upsample_nearest3d_backward", "_upsample_nearest_exact1d_backward",
            "_upsample_nearest_exact2d_backward", "_upsample_nearest_exact3d_backward",
            "reflection_pad3d_backward", "replication_pad3d_backward",
            "fractional_max_pool2d_backward", "fractional_max_pool3d_backward",
        ),
        ("grad_output",),
    ),
}  # fmt: skip
# The mode of bags that takes the largest and adds nothing up.
_LARGEST = 2
# Unit vectors that are tried, at most.
MOST_COLUMNS = 4_096


def mapped(operation: Operation) -> tuple[Any, ...] | None:
    """The nodes of the result of a linear operator; None where it is none, or too large."""
    names = _LINEAR.get(operation.name, ())
    weights = operation.get("per_sample_weights")
    if operation.get("mode") == _LARGEST or (
        weights is not None and operation.shadows.holds(weights)
    ):
        return None
    given = {n: operation[n] for n in names if isinstance(operation.get(n), torch.Tensor)}
    if not given:
        return None
    nodes = {name: operation.floats(name) for name in given}
    size = sum(n.size for n in nodes.values())
    if size > MOST_COLUMNS:
        return None
    function = operation.function
    if operation.before:
        packet = getattr(torch.ops.aten, operation.name, None)
        function = getattr(packet, function._overloadname, None)
        if function is None:
            return None
    columns = [_column(function, operation.args, given, k) for k in range(size)]
    flat = np.concatenate([n.reshape(-1) for n in nodes.values()])
    return (_combined(operation, np.array(columns), flat, tuple(operation.outputs()[0].shape)),)


def _column(function: Any, args: dict[str, Any], given: dict[str, Any], place: int) -> Any:
    """What the operator makes of one unit vector."""
    units, start = {}, 0
    for name, tensor in given.items():
        unit = torch.zeros(tensor.numel(), dtype=torch.float64)
        if start <= place < start + tensor.numel():
            unit[place - start] = 1
        units[name] = unit.reshape(tensor.shape)
        start += tensor.numel()
    given_ = {name: _exactly(value) for name, value in args.items()}
    with _disable_current_modes():
        made = called(function, {**given_, **units})
    first = made if isinstance(made, torch.Tensor) else made[0]
    return first.reshape(-1).numpy().copy()


def _exactly(value: Any) -> Any:
    """A tensor of numbers in float64, as the unit vectors are."""
    is_float = isinstance(value, torch.Tensor) and value.is_floating_point()
    return value.detach().double() if is_float else value


def _combined(operation: Operation, columns: Any, flat: Nodes, shape: tuple[int, ...]) -> Nodes:
    """The nodes of `columns.T @ flat`, zeros left out."""
    made = []
    for weights in columns.T:
        total: Any = None
        for k in np.flatnonzero(weights).tolist():
            term = flat[k]
            if weights[k] != 1:
                term = operation.row("mul", operation.nodes(float(weights[k])), term)
            total = term if total is None else operation.row("add", total, term)
        made.append(0 if total is None else int(total))
    return np.array(made, dtype=np.int64).reshape(shape)
