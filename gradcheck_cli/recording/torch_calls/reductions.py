"""Reductions, norms and products of matrices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck_cli.recording.torch_calls.rows import dims_of

if TYPE_CHECKING:
    from gradcheck_cli.recording.operation import Operation
    from gradcheck_cli.recording.tape import Nodes


def _over(op: Operation) -> dict[str, Any]:
    return {"dim": dims_of(op.get("dim")), "keepdim": bool(op.get("keepdim", False))}


def _reduced(name: str) -> Any:
    def rule(op: Operation) -> Nodes:
        return op.row(name, op.floats("self"), **_over(op))

    return rule


def _extreme(name: str, pairwise: str) -> Any:
    """`max` and `min`: of all, along a dim with indices, or of two."""

    def rule(op: Operation) -> Any:
        if op.get("other") is not None:
            return op.row(pairwise, op.floats("self"), op.floats("other"))
        nodes = op.row(name, op.floats("self"), **_over(op))
        return (nodes, None) if "dim" in op.args else nodes

    return rule


def _spread(op: Operation) -> Any:
    """`var`, `std`, and with the mean `var_mean`, `std_mean`."""
    correction = op.get("correction")
    if "unbiased" in op.args:
        correction = int(op["unbiased"])
    over = _over(op)
    name = op.name.removesuffix("_mean")
    over["correction"] = 1 if correction is None else correction
    nodes = op.row(name, op.floats("self"), **over)
    if not op.name.endswith("_mean"):
        return nodes
    return nodes, op.row("mean", op.floats("self"), dim=over["dim"], keepdim=over["keepdim"])


def _vector_norm(op: Operation) -> Nodes:
    order = op.get("ord", op.get("p"))
    return op.row("norm", op.floats("self"), p=2 if order is None else order, **_over(op))


def _cumulative(op: Operation) -> Nodes:
    return op.row(op.name, op.floats("self"), dim=op["dim"])


def _running_logsumexp(op: Operation) -> Nodes:
    nodes = op.floats("self")
    if not nodes.ndim:
        return nodes
    first, *rest = np.moveaxis(nodes, op["dim"], 0)
    found = [first]
    for part in rest:
        found.append(op.row("logaddexp", found[-1], part))
    return np.stack(found, op["dim"] % nodes.ndim)


def _prod(op: Operation) -> Nodes:
    return op.row("prod", op.floats("self"), **_over(op))


def _product(op: Operation) -> Nodes:
    other = next(op.args[k] for k in ("mat2", "vec", "tensor", "other") if k in op.args)
    return op.row("matmul", op.floats("self"), op.tape.floats(op.nodes(other)))


def _added_product(op: Operation) -> Nodes:
    """`beta * self + alpha * (a @ b)`."""
    pairs = (("mat1", "mat2"), ("batch1", "batch2"), ("mat", "vec"), ("vec1", "vec2"))
    first, second = next(pair for pair in pairs if pair[0] in op.args)
    name = "outer" if first == "vec1" else "matmul"
    product = op.row(name, op.floats(first), op.floats(second))
    if op.name == "addbmm":
        product = op.row("sum", product, dim=0)
    product = op.scaled(product, "alpha")
    if op["beta"] == 0:
        return product
    return op.row("add", op.scaled(op.floats("self"), "beta"), product)


def _softmax(op: Operation) -> Nodes:
    name = "log_softmax" if "log" in op.name else "softmax"
    return op.row(name, op.floats("self"), dim=op["dim"])


def _inverse(op: Operation) -> tuple[Nodes, None]:
    return op.row("inverse", op.floats("A")), None


def _by_index(op: Operation) -> Any:
    """What picks along a dim by value: the order is held as it is at the point."""
    values, indices = op.outputs()
    nodes, dim = op.floats("self"), op.get("dim")
    if nodes.ndim == 0:
        return nodes, None
    index = indices.detach().cpu().numpy()
    dim = -1 if dim is None else dim
    kept = index if index.ndim == nodes.ndim else np.expand_dims(index, dim)
    return np.take_along_axis(nodes, kept, dim).reshape(tuple(values.shape)), None


def _median(op: Operation) -> Any:
    if len(op.outputs()) == 2:
        return _by_index(op)
    flat = op["self"].detach().reshape(-1)
    place = int((flat == op.result).nonzero()[0])
    return op.floats("self").reshape(-1)[place]


def _held(op: Operation) -> tuple[None]:
    return (None,)


_PRODUCTS = ("mm", "bmm", "mv", "dot", "vdot", "matmul")
_ADDED = ("addmm", "baddbmm", "addmv", "addbmm", "addr")
_ORDERED = ("topk", "sort", "kthvalue", "mode", "cummax", "cummin")
OPERATORS: dict[str, Any] = {
    "sum": _reduced("sum"), "mean": _reduced("mean"), "amax": _reduced("amax"),
    "amin": _reduced("amin"), "logsumexp": _reduced("logsumexp"), "prod": _prod,
    "max": _extreme("amax", "maximum"), "min": _extreme("amin", "minimum"),
    "var": _spread, "std": _spread, "var_mean": _spread, "std_mean": _spread,
    "linalg_vector_norm": _vector_norm, "norm": _vector_norm,
    "logcumsumexp": _running_logsumexp, "cumsum": _cumulative, "cumprod": _cumulative,
    "_softmax": _softmax, "_log_softmax": _softmax, "_safe_softmax": _softmax,
    "linalg_inv_ex": _inverse,
    "median": _median, "nanmedian": _median, "any": _held, "all": _held,
    **dict.fromkeys(_PRODUCTS, _product), **dict.fromkeys(_ADDED, _added_product),
    **dict.fromkeys(_ORDERED, _by_index),
}  # fmt: skip
