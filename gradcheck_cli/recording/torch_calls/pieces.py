"""Pieces of losses, dropout and pools, as ATen calls them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck_cli.recording.torch_calls.rows import REDUCTIONS

if TYPE_CHECKING:
    from gradcheck_cli.recording.operation import Operation
    from gradcheck_cli.recording.tape import Nodes


def _negative_likelihood(op: Operation) -> Any:
    """`nll_loss_forward`: of each row the number of its class, weighed, and the sum of weights."""
    target = op["target"].detach().cpu().numpy()
    nodes, weight = op.floats("self"), op["weight"]
    if nodes.ndim == 1:
        nodes, target = nodes[None], target[None]
    kept = target != op["ignore_index"]
    rows, classes = np.flatnonzero(kept), target[kept]
    picked = op.row("neg", nodes[rows, classes])
    weights = None if weight is None else op.tape.floats(op.nodes(weight))[classes]
    if weights is not None:
        picked = op.row("mul", picked, weights)
    total = op.row("sum", weights) if weights is not None else op.nodes(float(len(rows)))
    reduction = REDUCTIONS[op["reduction"]]
    if reduction == "none":
        every = np.zeros(len(target), dtype=np.int64)
        every[rows] = picked
        return every.reshape(tuple(op.result[0].shape)), total
    summed = op.row("sum", picked)
    return (op.row("div", summed, total) if reduction == "mean" else summed), total


def _dropped(op: Operation) -> Any:
    """`native_dropout` with the mask that was drawn."""
    kept = op.tape.numbers(op.result[1].detach().cpu().numpy())
    scaled = op.row("mul", op.floats("input"), kept)
    return op.row("div", scaled, op.nodes(1 - op["p"])), None


def _pooled(op: Operation) -> tuple[Nodes, None]:
    """The largest of each window, as it is at the point."""
    values, indices = op.outputs()
    nodes = op.floats("self")
    spatial = 3 if "3d" in op.name else 2
    flat = nodes.reshape(*nodes.shape[:-spatial], -1)
    index = indices.detach().cpu().numpy().reshape(*values.shape[:-spatial], -1)
    return np.take_along_axis(flat, index, -1).reshape(tuple(values.shape)), None


_POOLS = ("max_pool2d_with_indices", "max_pool3d_with_indices", "adaptive_max_pool2d",
          "adaptive_max_pool3d", "fractional_max_pool2d", "fractional_max_pool3d")  # fmt: skip


def _embedding(op: Operation) -> Any:
    """Rows by their numbers; the row of padding is a constant, by definition."""
    rows, padding = op.floats("weight"), op["padding_idx"]
    index = op["indices"].detach().cpu().numpy()
    nodes = rows[index]
    if padding >= 0 and (index == padding).any():
        nodes[index == padding] = op.row("stop_gradient", rows[padding])
    return nodes


OPERATORS: dict[str, Any] = {
    "embedding": _embedding,
    "nll_loss_forward": _negative_likelihood,
    "nll_loss2d_forward": lambda op: None,
    "native_dropout": _dropped,
    **dict.fromkeys(_POOLS, _pooled),
}  # fmt: skip
