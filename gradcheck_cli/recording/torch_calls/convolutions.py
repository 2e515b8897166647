"""Convolutions, as the products that they are: each element of the result is a sum of products of
elements of the input and the kernel, and so is each element of the gradients.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from gradcheck_cli.recording.operation import Operation
    from gradcheck_cli.recording.tape import Nodes


@dataclass(frozen=True)
class _Windows:
    """Which elements of the larger array each element of the smaller one belongs to: of a
    convolution the input and the result, of a transposed one the result and the input.

    Attributes:
        places: for each group an array (samples, positions, channels of the group * kernel) of
            places in the flat larger array; one past its end for padding.
        shape: of the larger array.
    """

    places: list[Any]
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        """Of the larger array."""
        return prod(self.shape)


def _windows(op: Operation, larger: tuple[int, ...], smaller: tuple[int, ...]) -> _Windows:
    w = op["weight"]
    spatial = w.dim() - 2
    stride, padding, dilation = (_each(op[k], spatial) for k in ("stride", "padding", "dilation"))
    size, kernel, inner = prod(larger), tuple(w.shape[2:]), w.shape[1]
    places = np.arange(size).reshape(larger)
    edges = [(0, 0), (0, 0), *((p, p) for p in padding)]
    padded = np.pad(places, edges, constant_values=size)
    found = []
    for group in range(op["groups"]):
        channels = slice(group * inner, (group + 1) * inner)
        columns = []
        for position in np.ndindex(*smaller[2:]):
            parts = zip(position, stride, dilation, kernel, strict=True)
            cut = tuple(slice(p * s, p * s + d * (k - 1) + 1, d) for p, s, d, k in parts)
            columns.append(padded[(slice(None), channels, *cut)].reshape(larger[0], -1))
        found.append(np.stack(columns, 1))
    return _Windows(found, larger)


def _each(value: Any, count: int) -> list[int]:
    return list(value) * count if len(value) == 1 else list(value)


def _kernels(op: Operation) -> list[Nodes]:
    """For each group its kernels as rows."""
    weight = op.floats("weight")
    return np.split(weight.reshape(weight.shape[0], -1), op["groups"])


def _parts(op: Operation, smaller: Nodes) -> list[Nodes]:
    """For each group its channels of the smaller array."""
    return np.split(smaller.reshape(*smaller.shape[:2], -1), op["groups"], axis=1)


def _gathered(op: Operation, windows: _Windows, larger: Nodes, shape: tuple[int, ...]) -> Nodes:
    """The smaller array: of each window its sum under the kernel."""
    flat = np.append(larger.reshape(-1), 0)
    outs = [
        op.row("matmul", flat[places], kernel.T).transpose(0, 2, 1)
        for places, kernel in zip(windows.places, _kernels(op), strict=True)
    ]
    return np.concatenate(outs, 1).reshape(shape)


def _handed_back(op: Operation, windows: _Windows, smaller: Nodes) -> Nodes:
    """The larger array: what every window hands back, added up."""
    total: list[Any] = [None] * (windows.size + 1)
    add = op.tape.builder.call
    for part, places, kernel in zip(_parts(op, smaller), windows.places, _kernels(op), strict=True):
        back = op.row("matmul", part.transpose(0, 2, 1), kernel)
        for place, node in zip(places.reshape(-1).tolist(), back.reshape(-1).tolist(), strict=True):
            old = total[place]
            total[place] = node if old is None or place == windows.size else add("add", old, node)
    flat = [0 if node is None else node for node in total[:-1]]
    return op.tape.made(np.array(flat, dtype=np.int64).reshape(windows.shape))


def _of_weight(op: Operation, windows: _Windows, larger: Nodes, smaller: Nodes) -> Nodes:
    flat = np.append(larger.reshape(-1), 0)
    grads = [
        op.row("sum", op.row("matmul", part, flat[places]), dim=0)
        for part, places in zip(_parts(op, smaller), windows.places, strict=True)
    ]
    return np.concatenate(grads, 0).reshape(tuple(op["weight"].shape))


def _convolution(op: Operation) -> Nodes:
    x, shape = op.floats("input"), tuple(op.result.shape)
    if op["transposed"]:
        nodes = _handed_back(op, _windows(op, shape, x.shape), x)
    else:
        nodes = _gathered(op, _windows(op, x.shape, shape), x, shape)
    if op["bias"] is None:
        return nodes
    return op.row("add", nodes, op.floats("bias").reshape(1, -1, *[1] * (len(shape) - 2)))


def _convolution_backward(op: Operation) -> tuple[Nodes, ...]:
    upstream, x = op.floats("grad_output"), op.floats("input")
    larger, smaller = (upstream, x) if op["transposed"] else (x, upstream)
    windows = _windows(op, larger.shape, smaller.shape)
    found: list[Any] = [None, None, None]
    of_input, of_weight, of_bias = op["output_mask"]
    if of_input and op["transposed"]:
        found[0] = _gathered(op, windows, upstream, x.shape)
    elif of_input:
        found[0] = _handed_back(op, windows, upstream)
    if of_weight:
        found[1] = _of_weight(op, windows, larger, smaller)
    if of_bias:
        found[2] = op.row("sum", upstream.reshape(*upstream.shape[:2], -1), dim=(0, 2))
    # What is not asked for is no tensor of the result either.
    return tuple(nodes for nodes, asked in zip(found, op["output_mask"], strict=True) if asked)


OPERATORS: dict[str, Any] = {
    "convolution": _convolution,
    "convolution_backward": _convolution_backward,
}
