"""Operators whose arguments are not those of the row: factors, modes, bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from gradcheck_cli.recording.operation import Operation
    from gradcheck_cli.recording.tape import Nodes


def _add(op: Operation) -> Nodes:
    return op.row("add", op.floats("self"), op.scaled(op.floats("other"), "alpha"))


def _sub(op: Operation) -> Nodes:
    return op.row("sub", op.floats("self"), op.scaled(op.floats("other"), "alpha"))


def _rsub(op: Operation) -> Nodes:
    return op.row("sub", op.floats("other"), op.scaled(op.floats("self"), "alpha"))


def _div(op: Operation) -> Nodes:
    quotient = op.row("div", op.floats("self"), op.floats("other"))
    mode = op.get("rounding_mode")
    return quotient if mode is None else op.row(mode, quotient)


def _floor_divide(op: Operation) -> Nodes:
    return op.row("floor", op.row("div", op.floats("self"), op.floats("other")))


def _addcmul(op: Operation) -> Nodes:
    product = op.row("mul", op.floats("tensor1"), op.floats("tensor2"))
    return op.row("add", op.floats("self"), op.scaled(product, "value"))


def _addcdiv(op: Operation) -> Nodes:
    quotient = op.row("div", op.floats("tensor1"), op.floats("tensor2"))
    return op.row("add", op.floats("self"), op.scaled(quotient, "value"))


def _lerp(op: Operation) -> Nodes:
    start, difference = op.floats("self"), op.row("sub", op.floats("end"), op.floats("self"))
    return op.row("add", start, op.row("mul", op.floats("weight"), difference))


def _clamp(op: Operation) -> Nodes:
    nodes = op.floats("self")
    low, high = op.get("min", op.get("min_val")), op.get("max", op.get("max_val"))
    if low is not None:
        nodes = op.row("maximum", nodes, op.nodes(low))
    return nodes if high is None else op.row("minimum", nodes, op.nodes(high))


def _elu(op: Operation) -> Nodes:
    """`scale * (x if x > 0 else alpha (exp(input_scale x) - 1))`."""
    x = op.floats("self")
    inner = op.row("expm1", op.scaled(x, "input_scale"))
    below = op.row("mul", op.nodes(op["alpha"]), inner)
    positive = op.row("gt", x, op.nodes(0))
    return op.scaled(op.row("where", positive, x, below), "scale")


def _threshold_backward(op: Operation) -> Nodes:
    inside = op.row("gt", op.floats("self"), op.nodes(op["threshold"]))
    return op.row("where", inside, op.floats("grad_output"), op.nodes(0))


def _sigmoid_backward(op: Operation) -> Nodes:
    y = op.floats("output")
    slope = op.row("mul", op.row("sub", op.nodes(1), y), y)
    return op.row("mul", op.floats("grad_output"), slope)


def _tanh_backward(op: Operation) -> Nodes:
    y = op.floats("output")
    slope = op.row("sub", op.nodes(1), op.row("mul", y, y))
    return op.row("mul", op.floats("grad_output"), slope)


def _where(op: Operation) -> Nodes | None:
    if "condition" not in op.args or "self" not in op.args:
        return None
    chosen = op.nodes(op["condition"]), op.floats("self"), op.floats("other")
    return op.row("where", *chosen)


def _masked_fill(op: Operation) -> Nodes:
    return op.row("where", op.nodes(op["mask"]), op.floats("value"), op.floats("self"))


def _logical(name: str) -> Any:
    def rule(op: Operation) -> Nodes | None:
        tensors = [v for v in op.args.values() if isinstance(v, torch.Tensor | int | float)]
        if any(isinstance(t, torch.Tensor) and t.dtype != torch.bool for t in tensors):
            return None
        return op.row(name, *[op.nodes(t) for t in tensors])

    return rule


def _same(op: Operation) -> Nodes:
    """A copy, in another format perhaps."""
    nodes, result = op.nodes(op.first), op.result
    if not isinstance(result, torch.Tensor) or result.dtype == op.first.dtype:
        return nodes
    if result.dtype == torch.bool:
        return op.tape.conditions(nodes)
    are_floats = result.is_floating_point() and op.first.is_floating_point()
    if are_floats and torch.finfo(result.dtype).eps > torch.finfo(op.first.dtype).eps:
        op.tape.casts.add(str(result.dtype).removeprefix("torch."))
    return op.tape.floats(nodes)


def _copied(op: Operation) -> Nodes:
    source, target = op["src"], op["self"]
    nodes = op.nodes(source)
    if target.dtype == torch.bool and source.dtype != torch.bool:
        return op.tape.conditions(nodes)
    return nodes if target.dtype == torch.bool else op.tape.floats(nodes)


def _filled(op: Operation) -> Nodes:
    return op.nodes(op.get("value", 0))


def _new(op: Operation) -> tuple[None]:
    """Memory of constants, of the size of something recorded."""
    return (None,)


def _sign(op: Operation) -> Nodes:
    return op.row("sign", op.floats("self"))


def _shrink_backward(op: Operation) -> Nodes:
    is_small = op.row("le", op.row("abs", op.floats("self")), op.nodes(op["lambd"]))
    return op.row("where", is_small, op.nodes(0), op.floats(next(iter(op.args))))


def _log_sigmoid(op: Operation) -> tuple[Nodes, Nodes]:
    x = op.floats("self")
    return op.row("logsigmoid", x), op.row("exp", op.row("neg", op.row("abs", x)))


_COPIES = ("clone", "alias", "contiguous", "lift_fresh", "lift_fresh_copy", "_to_copy", "to",
           "positive", "detach", "detach_copy")  # fmt: skip
_NEW = ("ones_like", "zeros_like", "full_like", "empty_like", "rand_like", "randn_like",
        "new_zeros", "new_ones", "new_full", "new_empty", "new_empty_strided")  # fmt: skip
OPERATORS: dict[str, Any] = {
    "add": _add, "sub": _sub, "rsub": _rsub, "div": _div, "floor_divide": _floor_divide,
    "addcmul": _addcmul, "addcdiv": _addcdiv, "lerp": _lerp, "elu": _elu,
    "clamp": _clamp, "clamp_min": _clamp, "clamp_max": _clamp, "hardtanh": _clamp,
    "threshold_backward": _threshold_backward, "sigmoid_backward": _sigmoid_backward,
    "tanh_backward": _tanh_backward, "where": _where, "masked_fill": _masked_fill,
    "logical_and": _logical("logical_and"), "bitwise_and": _logical("logical_and"),
    "__and__": _logical("logical_and"), "logical_or": _logical("logical_or"),
    "bitwise_or": _logical("logical_or"), "__or__": _logical("logical_or"),
    "logical_not": _logical("logical_not"), "bitwise_not": _logical("logical_not"),
    "copy": _copied, "fill": _filled, "zero": _filled, "sgn": _sign,
    "log_sigmoid_forward": _log_sigmoid,
    "softshrink_backward": _shrink_backward, "hardshrink_backward": _shrink_backward,
    **dict.fromkeys(_COPIES, _same), **dict.fromkeys(_NEW, _new),
}  # fmt: skip
