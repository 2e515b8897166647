"""Elements that are brought together by an index: added, multiplied, or the largest of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from gradcheck_cli.recording.operation import Operation
    from gradcheck_cli.recording.tape import Nodes

_STEPS = {
    "sum": "add", "add": "add", "mean": "add", "prod": "mul", "multiply": "mul",
    "amax": "maximum", "amin": "minimum",
}  # fmt: skip


def _targets(op: Operation, shape: tuple[int, ...]) -> Any:
    """Where each element goes, as places in the flat result."""
    index = op["index"].detach().cpu().numpy()
    dim = op["dim"] % max(len(shape), 1)
    whole = np.arange(int(np.prod(shape))).reshape(shape)
    if op.name == "index_reduce":
        return np.take(whole, index, axis=dim)
    if not shape:
        return whole.reshape(index.shape)
    places = list(np.indices(index.shape))
    places[dim] = index
    return whole[tuple(places)]


def _reduced(op: Operation) -> Nodes | None:
    kind = op.get("reduce")
    if kind is None:
        return None
    nodes = op.floats("self")
    source = next(op.args[name] for name in ("src", "source", "value") if name in op.args)
    source = op.tape.floats(op.nodes(source))
    targets = _targets(op, nodes.shape)
    if op.name != "index_reduce":
        # The index may be the smaller one.
        cut = source[tuple(map(slice, targets.shape))] if source.ndim else source
        source = np.broadcast_to(cut, targets.shape)
    parts: dict[int, list[int]] = {}
    for target, node in zip(targets.reshape(-1).tolist(), source.reshape(-1).tolist(), strict=True):
        parts.setdefault(target, []).append(node)
    flat = nodes.reshape(-1).copy()
    for target, members in parts.items():
        every = [int(flat[target]), *members] if op.get("include_self", True) else members
        flat[target] = _together(op, kind, every)
    return flat.reshape(nodes.shape)


def _together(op: Operation, kind: str, members: list[int]) -> int:
    total = np.array(members[0])
    for member in members[1:]:
        total = op.row(_STEPS[kind], total, np.array(member))
    return int(op.row("div", total, op.nodes(len(members))) if kind == "mean" else total)


OPERATORS: dict[str, Any] = {
    "scatter_reduce": _reduced, "scatter": _reduced, "index_reduce": _reduced,
}  # fmt: skip
