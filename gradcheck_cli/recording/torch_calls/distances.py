"""Distances between all pairs of rows, of any norm."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from gradcheck_cli.recording.operation import Operation
    from gradcheck_cli.recording.tape import Nodes


def _differences(op: Operation) -> Nodes:
    """Of all rows of two arrays, or of those of one, each with those after it."""
    if "x1" in op.args:
        return op.row("sub", op.floats("x1")[..., :, None, :], op.floats("x2")[..., None, :, :])
    rows = op.floats("self")
    first, second = np.triu_indices(len(rows), 1)
    return op.row("sub", rows[first], rows[second])


def _distances(op: Operation) -> Nodes:
    if op["p"] == 0:
        return op.row("sum", op.row("ne", _differences(op), op.nodes(0)), dim=-1)
    return op.row("norm", _differences(op), p=op["p"], dim=-1)


def _slopes(op: Operation, differences: Nodes, distances: Nodes) -> Nodes:
    """Of each distance by each difference; 0 where torch says so."""
    p, zero = op["p"], op.nodes(0)
    sign, size = op.row("sign", differences), op.row("abs", differences)
    if p == 1:
        return sign
    if p == inf:
        return op.row("where", op.row("eq", size, distances), sign, zero)
    if p == 2:
        slope = op.row("div", differences, distances)
    else:
        power = op.row("pow", size, op.nodes(p - 1))
        scale = op.row("pow", distances, op.nodes(p - 1))
        slope = op.row("div", op.row("mul", sign, power), scale)
    return op.row("where", op.row("eq", distances, zero), zero, slope)


def _pulled_back(op: Operation) -> Nodes:
    """By the first array, or by the only one."""
    shape = tuple(op.result.shape)
    if op["p"] == 0:
        return np.zeros(shape, dtype=np.int64)
    is_pair = "x1" in op.args
    differences = _differences(op)
    distances = op.floats("cdist" if is_pair else "pdist")[..., None]
    slopes = _slopes(op, differences, distances)
    parts = op.row("mul", op.floats("grad")[..., None], slopes)
    if is_pair:
        return op.row("sum", parts, dim=-2)
    first, second = np.triu_indices(shape[0], 1)
    total = np.zeros(shape, dtype=np.int64)
    for k, (i, j) in enumerate(zip(first, second, strict=True)):
        total[i] = op.row("add", total[i], parts[k])
        total[j] = op.row("sub", total[j], parts[k])
    return total


OPERATORS: dict[str, Any] = {
    "_cdist_forward": _distances, "_cdist_backward": _pulled_back,
    "_pdist_forward": _distances, "_pdist_backward": _pulled_back,
}  # fmt: skip
