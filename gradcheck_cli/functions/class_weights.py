"""Losses whose classes have weights, or of which one is ignored: what a call of the loss means
where it says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gradcheck_cli.functions.losses import reduced
from gradcheck_cli.functions.row import Function
from gradcheck_cli.functions.tensors import fill, integer

if TYPE_CHECKING:
    from collections.abc import Callable


def _spelled(value: Any) -> str:
    return repr(value) if isinstance(value, str) else str(value)


def _averaged(losses: str, weights: str, reduction: str) -> str:
    """A mean is that of the weights, so it is no mean of the losses."""
    mean = f"sum({losses}) / sum({weights})"
    return mean if reduction == "mean" else reduced(losses, reduction)


def _nll(logs: str, ignore_index: Any, reduction: str) -> str:
    ignored = f"ignore_index={_spelled(ignore_index)}"
    weights = f"class_weights(weight, target, {logs}, {ignored})"
    return _averaged(f"-picked({logs}, target, {ignored}) * {weights}", weights, reduction)


def _nll_loss(ignore_index: Any, reduction: str) -> str:
    return _nll("classes_last(input)", ignore_index, reduction)


def _cross_entropy(ignore_index: Any, reduction: str, label_smoothing: Any) -> str:
    logs = "log_softmax(classes_last(input), dim=-1)"
    hard = _nll(logs, ignore_index, reduction)
    if not label_smoothing:
        return hard
    ignored = f"ignore_index={_spelled(ignore_index)}"
    weights = f"class_weights(weight, target, {logs}, {ignored})"
    even = f"-sum({logs} * weight, dim=-1) * class_weights(1, target, {logs}, {ignored})"
    share = f"label_smoothing / size({logs}, dim=-1)"
    smooth = _averaged(even, weights, reduction)
    return f"(1 - label_smoothing) * ({hard}) + ({smooth}) * ({share})"


def _class_weights(k: Any, weight: Any, target: Any, other: Any, ignore_index: Any) -> Any:
    ignored, zero = integer("ignore_index", ignore_index), k.number(0)
    classes = other.shape[-1] if other.ndim else 0
    if weight.shape not in ((), (classes,)):
        raise ValueError(f"a weight for each of the {classes} classes is needed")
    each = list(weight) if weight.ndim else [weight.item()] * classes
    return fill(
        k,
        target.shape,
        [zero if c == ignored else each[c] for c in _inside(target, classes, ignored)],
    )


def _inside(target: Any, classes: int, ignored: int) -> list[int]:
    """The classes of a target, all of which exist or are ignored."""
    found = [int(c) for c in target.reshape(-1)]
    if any(not 0 <= c < classes and c != ignored for c in found):
        raise IndexError(f"an index is outside 0 to {classes - 1}")
    return found


def _picked(k: Any, x: Any, target: Any, ignore_index: Any) -> Any:
    ignored, zero = integer("ignore_index", ignore_index), k.number(0)
    if not x.ndim or target.shape != x.shape[:-1]:
        raise ValueError(f"a class for each of {x.shape[:-1]} is needed, not {target.shape}")
    classes = x.shape[-1]
    rows = x.reshape(-1, classes)
    found = enumerate(_inside(target, classes, ignored))
    return fill(k, target.shape, [zero if c == ignored else rows[i, c] for i, c in found])


def _torch_picked(t: Any, x: Any, target: Any, ignore_index: Any) -> Any:
    is_ignored = target == ignore_index
    index = target.masked_fill(is_ignored, 0).unsqueeze(-1)
    return x.gather(-1, index).squeeze(-1).masked_fill(is_ignored, 0)


def _torch_class_weights(t: Any, weight: Any, target: Any, other: Any, ignore_index: Any) -> Any:
    is_ignored = target == ignore_index
    each = weight.expand(other.shape[-1])
    return each[target.masked_fill(is_ignored, 0)].masked_fill(is_ignored, 0)


def _torch_loss(name: str) -> Callable[..., Any]:
    def call(t: Any, input: Any, target: Any, weight: Any, **settings: Any) -> Any:  # noqa: A002 - torch's name for it
        classes = input.shape[1] if input.dim() > 1 else input.shape[0]
        each = weight if weight.dim() else weight.expand(classes).contiguous()
        return getattr(t.nn.functional, name)(input, target, each, **settings)

    return call


def _torch_logits(
    t: Any,
    input: Any,  # noqa: A002 - torch's name for it
    target: Any,
    weight: Any,
    pos_weight: Any,
    reduction: str,
) -> Any:
    return t.nn.functional.binary_cross_entropy_with_logits(
        *t.broadcast_tensors(input, target), weight, reduction=reduction, pos_weight=pos_weight
    )


# fmt: off
_PLACES = ("input", "target", "weight")
_IGNORING = "weight has a number for each class; a target that is ignore_index counts for nothing"

ROWS = (
    Function("class_weights", "weight, target:index, other:held; ignore_index=-100", helper=True, torch=_torch_class_weights, array=_class_weights,
             note="the weight of each target's class, 0 for one that is ignored"),
    Function("picked", "x, target:index; ignore_index=-100", helper=True, torch=_torch_picked, array=_picked,
             note="one element along the last dim for each target, 0 for one that is ignored"),
    Function("weighted_nll_loss", "input, target:index, weight:held=1; ignore_index=-100, reduction='mean'", helper=True, torch=_torch_loss("nll_loss"),
             means=_nll_loss, places=_PLACES, note=_IGNORING),
    Function("weighted_cross_entropy", "input, target:index, weight:held=1; ignore_index=-100, reduction='mean', label_smoothing=0.0", helper=True,
             torch=_torch_loss("cross_entropy"), means=_cross_entropy, places=_PLACES, note=_IGNORING),
    Function("weighted_cross_entropy_with_logits", "input, target, weight:held=1, pos_weight:held=1; reduction='mean'", helper=True, torch=_torch_logits,
             means=lambda reduction: reduced("((1 - target) * input - ((pos_weight - 1) * target + 1) * logsigmoid(input)) * weight", reduction),
             note="weight and pos_weight broadcast against target"),
)
# fmt: on
