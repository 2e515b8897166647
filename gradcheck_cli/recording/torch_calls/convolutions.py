"""Convolutions, as the products that they are: each element of the result is a sum of products of
elements of the input and the kernel, and so is each element of the gradients.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from gradcheck_cli.recording.operation import Operation
    from gradcheck_cli.recording.tape import Nodes


@dataclass(frozen=True)
class _Windows:
    """Which elements of the input each element of the result is made of.

    Attributes:
        places: for each group an array (samples, positions, channels of the group * kernel) of
            places in the flat input; one past its end for padding.
        size: of the input.
    """

    places: list[Any]
    size: int


def _windows(op: Operation, result_shape: tuple[int, ...]) -> _Windows:
    x, w = op["input"], op["weight"]
    spatial = w.dim() - 2
    stride, padding, dilation = (_each(op[k], spatial) for k in ("stride", "padding", "dilation"))
    size, kernel, inner = x.numel(), tuple(w.shape[2:]), w.shape[1]
    places = np.arange(size).reshape(tuple(x.shape))
    edges = [(0, 0), (0, 0), *((p, p) for p in padding)]
    padded = np.pad(places, edges, constant_values=size)
    found = []
    for group in range(op["groups"]):
        channels = slice(group * inner, (group + 1) * inner)
        columns = []
        for position in np.ndindex(*result_shape[2:]):
            parts = zip(position, stride, dilation, kernel, strict=True)
            cut = tuple(slice(p * s, p * s + d * (k - 1) + 1, d) for p, s, d, k in parts)
            columns.append(padded[(slice(None), channels, *cut)].reshape(x.shape[0], -1))
        found.append(np.stack(columns, 1))
    return _Windows(found, size)


def _each(value: Any, count: int) -> list[int]:
    return list(value) * count if len(value) == 1 else list(value)


def _convolution(op: Operation) -> Any:
    if op["transposed"]:
        return None
    shape = tuple(op.result.shape)
    windows = _windows(op, shape)
    flat = np.append(op.floats("input").reshape(-1), 0)
    kernels = _kernels(op)
    outs = []
    for places, kernel in zip(windows.places, kernels, strict=True):
        product = op.row("matmul", flat[places], kernel.T)
        outs.append(product.transpose(0, 2, 1))
    nodes = np.concatenate(outs, 1).reshape(shape)
    if op["bias"] is None:
        return nodes
    return op.row("add", nodes, op.floats("bias").reshape(1, -1, *[1] * (len(shape) - 2)))


def _kernels(op: Operation) -> list[Nodes]:
    """For each group its kernels as rows."""
    weight = op.floats("weight")
    flat = weight.reshape(weight.shape[0], -1)
    return np.split(flat, op["groups"])


def _convolution_backward(op: Operation) -> Any:
    if op["transposed"]:
        return None
    upstream, needed = op.floats("grad_output"), op["output_mask"]
    windows = _windows(op, upstream.shape)
    samples, channels = upstream.shape[:2]
    parts = np.split(upstream.reshape(samples, channels, -1), op["groups"], axis=1)
    found: list[Any] = [None, None, None]
    if needed[0]:
        found[0] = _of_input(op, parts, windows)
    if needed[1]:
        flat = np.append(op.floats("input").reshape(-1), 0)
        grads = [
            op.row("sum", op.row("matmul", part, flat[places]), dim=0)
            for part, places in zip(parts, windows.places, strict=True)
        ]
        found[1] = np.concatenate(grads, 0).reshape(tuple(op["weight"].shape))
    if needed[2]:
        found[2] = op.row("sum", upstream.reshape(samples, channels, -1), dim=(0, 2))
    # What is not asked for is no tensor of the result either.
    return tuple(nodes for nodes, asked in zip(found, needed, strict=True) if asked)


def _of_input(op: Operation, parts: list[Nodes], windows: _Windows) -> Nodes:
    """The gradient of the input: what every window hands back, added up."""
    total: list[Any] = [None] * (windows.size + 1)
    for part, places, kernel in zip(parts, windows.places, _kernels(op), strict=True):
        back = op.row("matmul", part.transpose(0, 2, 1), kernel)
        for place, node in zip(places.reshape(-1).tolist(), back.reshape(-1).tolist(), strict=True):
            old = total[place]
            added = None if old is None else op.row("add", np.array(old), np.array(node))
            total[place] = node if added is None else int(added)
    flat = [0 if node is None else node for node in total[:-1]]
    return np.array(flat, dtype=np.int64).reshape(tuple(op["input"].shape))


OPERATORS: dict[str, Any] = {
    "convolution": _convolution,
    "convolution_backward": _convolution_backward,
}
