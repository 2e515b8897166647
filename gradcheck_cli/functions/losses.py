"""Loss and normalisation rows: `torch.nn.functional` by the same names, derived from the tensor
rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gradcheck_cli.functions.deviations import Approximation, Elsewhere
from gradcheck_cli.functions.row import CallError, Function

if TYPE_CHECKING:
    from collections.abc import Callable


def reduced(text: str, reduction: str, *more: str) -> str:
    forms = {"mean": f"mean({text})", "sum": f"sum({text})", "none": text}
    if reduction not in forms:
        raise CallError(f"reduction is {', '.join(map(repr, [*forms, *more]))}, not {reduction!r}")
    return forms[reduction]


def _clamped(edge: str) -> str:
    """`d**2 / 2` for the gap d up to `edge`, from there on its tangent: one piece, with no kink at
    d = 0.
    """
    clamp = f"clamp(input - target, -{edge}, {edge})"
    return f"{clamp} * (input - target - {clamp} / 2)"


def _clamped_written(reduction: str, edge: str, divisor: str = "") -> tuple[str, ...]:
    """The gap up to `edge`, on either side; nothing for a reduction that there is not."""
    share = {"mean": " / size(input - target)", "sum": "", "none": ""}.get(reduction)
    slope = f"clamp(input - target, -{edge}, {edge}){divisor} * ybar{share}"
    return () if share is None else (slope, f"-({slope})")


def _smooth_l1_written(shapes: Any, reduction: str, beta: Any) -> tuple[str, ...]:
    """That of huber_loss over beta."""
    return _clamped_written(reduction, "beta", " / beta") if beta else ()


def _smooth_l1_loss(reduction: str, beta: Any) -> str:
    return reduced(f"{_clamped('beta')} / beta" if beta else "abs(input - target)", reduction)


def _kl_div(reduction: str, log_target: bool) -> str:
    text = (
        "exp(target) * (target - input)" if log_target else "xlogy(target, target) - target * input"
    )
    return (
        f"sum({text}) / size(input, dim=0)"
        if reduction == "batchmean"
        else reduced(text, reduction, "batchmean")
    )


def _torch_kl_div(t: Any, input: Any, target: Any, reduction: str, log_target: bool) -> Any:  # noqa: A002 - torch's name for it
    # What torch.nn.functional.kl_div calls, behind a warning that `mean` is about to change.
    kind = t.nn._reduction.get_enum("sum" if reduction == "batchmean" else reduction)
    loss = t.kl_div(input, target, kind, log_target=log_target)
    return loss / input.shape[0] if reduction == "batchmean" else loss


def _cross_entropy(reduction: str, label_smoothing: Any) -> str:
    logs = "log_softmax(classes_last(input), dim=-1)"
    hard = reduced(f"-gather({logs}, target, dim=-1)", reduction)
    even = reduced(f"-sum({logs}, dim=-1)", reduction)
    share = "label_smoothing / size(classes_last(input), dim=-1)"
    return f"(1 - label_smoothing) * {hard} + {even} * ({share})" if label_smoothing else hard


def _torch_pair(name: str, **fixed: Any) -> Callable[..., Any]:
    """A loss of two tensors, broadcast to one shape first: some losses insist on it, the others
    warn.
    """

    def call(t: Any, input: Any, target: Any, **settings: Any) -> Any:  # noqa: A002 - torch's name for it
        return getattr(t.nn.functional, name)(
            *t.broadcast_tensors(input, target), **fixed, **settings
        )

    return call


def _torch_weighted(name: str) -> Callable[..., Any]:
    """As `_torch_pair`, with a weight behind the two."""

    def call(t: Any, input: Any, target: Any, weight: Any, **settings: Any) -> Any:  # noqa: A002 - torch's name for it
        pair = t.broadcast_tensors(input, target)
        return getattr(t.nn.functional, name)(*pair, weight, **settings)

    return call


# fmt: off
_CLASSES = "input is (C), (N, C) or (N, C, d1, ...), target the class or the classes: input's shape without C"
_CLAMPS = "torch clamps the logarithms at -100 and, in backward, (1 - input) * input at 1e-12"
# Behind the two tensors torch has `size_average`, which reads 'sum' as true.
_NAMED = {"torch.nn.functional": Elsewhere(named=("reduction",))}
# What `torch.nn.functional` calls reduces nothing, and has a number for how it might.
UNREDUCED = {"torch": Elsewhere(defaults={"reduction": "none"}, named=("reduction",))}

ROWS = (
    Function("mse_loss", "input, target; reduction='mean'", torch=_torch_pair("mse_loss"),
             means=lambda reduction: reduced("square(input - target)", reduction), foreign=_NAMED),
    Function("l1_loss", "input, target; reduction='mean'", torch=_torch_pair("l1_loss"), means=lambda reduction: reduced("abs(input - target)", reduction),
             foreign=_NAMED),
    Function("smooth_l1_loss", "input, target; reduction='mean', beta=1.0",  torch=_torch_pair("smooth_l1_loss"), means=_smooth_l1_loss,
             derivative=_smooth_l1_written, foreign=_NAMED),
    Function("huber_loss", "input, target; reduction='mean', delta=1.0", torch=_torch_pair("huber_loss"),
             derivative=lambda shapes, reduction, delta: _clamped_written(reduction, "delta"),
             means=lambda reduction, delta: reduced(_clamped("delta"), reduction)),

    # The terms are rows of their own for their pullbacks, which round differently from the slope of the meaning.
    Function("bce",             "input, target", torch=_torch_pair("binary_cross_entropy", reduction="none"), note=f"{_CLAMPS}; the meaning has no clamps",
             approximates=lambda: Approximation("(1 - input) * input < 1e-12", _CLAMPS),
             means="(target - 1) * log1p(-input) - target * log(input)",
             pullback=("ybar * (input - target) / ((1 - input) * input)", "ybar * (log(1 - input) - log(input))")),
    Function("bce_with_logits", "input, target", torch=_torch_pair("binary_cross_entropy_with_logits", reduction="none"),
             means="(1 - target) * input - logsigmoid(input)", computes="(1 - target) * input - logsigmoid(input)",
             pullback=("ybar * (sigmoid(input) - target)", "-ybar * input")),
    Function("binary_cross_entropy", "input, target, weight:held=1; reduction='mean'", torch=_torch_weighted("binary_cross_entropy"),
             means=lambda reduction: reduced("bce(input, target) * weight", reduction), places=("input", "target", "weight"),
             note=f"{_CLAMPS}; the meaning has no clamps"),
    Function("binary_cross_entropy_with_logits", "input, target, weight:held=1; reduction='mean'",
             torch=_torch_weighted("binary_cross_entropy_with_logits"),
             means=lambda reduction: reduced("bce_with_logits(input, target) * weight", reduction), places=("input", "target", "weight"),
             further="weighted_cross_entropy_with_logits", note="pos_weight may be given",
             foreign=UNREDUCED),

    Function("classes_last", "x", helper=True, torch=lambda t, x: t.movedim(x, 1, -1) if x.dim() > 2 else x,
             array=lambda k, x: k.np.moveaxis(x, 1, -1) if x.ndim > 2 else x,
             note="the classes of a loss, dim 1 of (N, C, d1, ...), as the last dim"),
    Function("cross_entropy", "input, target:index; reduction='mean', label_smoothing=0.0",
             torch=lambda t, input, target, **settings: t.nn.functional.cross_entropy(input, target, **settings), means=_cross_entropy,
             places=("input", "target"), further="weighted_cross_entropy", note=f"{_CLASSES}; weight and ignore_index may be given"),
    Function("nll_loss", "input, target:index; reduction='mean'",
             torch=lambda t, input, target, **settings: t.nn.functional.nll_loss(input, target, **settings),
             means=lambda reduction: reduced("-gather(classes_last(input), target, dim=-1)", reduction), places=("input", "target"),
             further="weighted_nll_loss", note=f"{_CLASSES}; weight and ignore_index may be given"),
    Function("kl_div",        "input, target; reduction='mean', log_target=False",          torch=_torch_kl_div, means=_kl_div,
             foreign=_NAMED | UNREDUCED | {"scipy.special": "scipy.special.kl_div(x, y) is x*log(x/y) - x + y: write xlogy(x, x/y) - x + y"},
             note="reduction='batchmean' divides by the length of the first dimension, 'mean' by the number of elements"),
)
# fmt: on
