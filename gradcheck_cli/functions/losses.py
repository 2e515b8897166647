"""Loss and normalisation rows: `torch.nn.functional` by the same names, derived from the tensor
rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gradcheck_cli.functions.deviations import Approximation, Elsewhere
from gradcheck_cli.functions.row import CallError, Function

if TYPE_CHECKING:
    from collections.abc import Callable


def _reduced(text: str, reduction: str, *more: str) -> str:
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
    return _reduced(f"{_clamped('beta')} / beta" if beta else "abs(input - target)", reduction)


def _kl_div(reduction: str, log_target: bool) -> str:
    text = (
        "exp(target) * (target - input)" if log_target else "xlogy(target, target) - target * input"
    )
    return (
        f"sum({text}) / size(input, dim=0)"
        if reduction == "batchmean"
        else _reduced(text, reduction, "batchmean")
    )


def _torch_kl_div(t: Any, input: Any, target: Any, reduction: str, log_target: bool) -> Any:  # noqa: A002 - torch's name for it
    # What torch.nn.functional.kl_div calls, behind a warning that `mean` is about to change.
    kind = t.nn._reduction.get_enum("sum" if reduction == "batchmean" else reduction)
    loss = t.kl_div(input, target, kind, log_target=log_target)
    return loss / input.shape[0] if reduction == "batchmean" else loss


def _cross_entropy(reduction: str, label_smoothing: Any) -> str:
    logs = "log_softmax(classes_last(input), dim=-1)"
    hard = _reduced(f"-gather({logs}, target, dim=-1)", reduction)
    even = _reduced(f"-sum({logs}, dim=-1)", reduction)
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


def _cosine_similarity(dim: Any, eps: Any) -> str:
    if not isinstance(dim, int):
        raise CallError(f"one dim is needed, not {dim}")
    # torch broadcasts before it takes the norms.
    a, b = (
        f"{x} / maximum(norm({x}, dim={dim}, keepdim=True), eps)"
        for x in ("broadcast_like(x1, x2)", "broadcast_like(x2, x1)")
    )
    return f"sum({a} * ({b}), dim={dim})"


def _layer_norm(normalized_shape: Any, eps: Any) -> str:
    rank = len(normalized_shape) if isinstance(normalized_shape, tuple) else 1
    over = f"dim={tuple(range(-rank, 0))}, keepdim=True"
    return f"(x - mean(x, {over})) * rsqrt(var(x, correction=0, {over}) + eps)"


def _torch_layer_norm(t: Any, x: Any, normalized_shape: Any, eps: Any) -> Any:
    shape = x.shape[-1:] if normalized_shape is None else normalized_shape
    return t.nn.functional.layer_norm(x, (shape,) if isinstance(shape, int) else shape, eps=eps)


# fmt: off
_CLASSES = "input is (C), (N, C) or (N, C, d1, ...), target the class or the classes: input's shape without C"
_CLAMPS = "torch clamps the logarithms at -100 and, in backward, (1 - input) * input at 1e-12"
# Behind the two tensors torch has `size_average`, which reads 'sum' as true.
_NAMED = {"torch.nn.functional": Elsewhere(named=("reduction",))}
# What `torch.nn.functional` calls reduces nothing, and has a number for how it might.
_UNREDUCED = {"torch": Elsewhere(defaults={"reduction": "none"}, named=("reduction",))}

ROWS = (
    Function("mse_loss", "input, target; reduction='mean'", torch=_torch_pair("mse_loss"),
             means=lambda reduction: _reduced("square(input - target)", reduction), foreign=_NAMED),
    Function("l1_loss", "input, target; reduction='mean'", torch=_torch_pair("l1_loss"), means=lambda reduction: _reduced("abs(input - target)", reduction),
             foreign=_NAMED),
    Function("smooth_l1_loss", "input, target; reduction='mean', beta=1.0",  torch=_torch_pair("smooth_l1_loss"), means=_smooth_l1_loss,
             derivative=_smooth_l1_written, foreign=_NAMED),
    Function("huber_loss", "input, target; reduction='mean', delta=1.0", torch=_torch_pair("huber_loss"),
             derivative=lambda shapes, reduction, delta: _clamped_written(reduction, "delta"),
             means=lambda reduction, delta: _reduced(_clamped("delta"), reduction)),

    # The terms are rows of their own for their pullbacks, which round differently from the slope of the meaning.
    Function("bce",             "input, target", torch=_torch_pair("binary_cross_entropy", reduction="none"), note=f"{_CLAMPS}; the meaning has no clamps",
             approximates=lambda: Approximation("(1 - input) * input < 1e-12", _CLAMPS),
             means="(target - 1) * log1p(-input) - target * log(input)",
             pullback=("ybar * (input - target) / ((1 - input) * input)", "ybar * (log(1 - input) - log(input))")),
    Function("bce_with_logits", "input, target", torch=_torch_pair("binary_cross_entropy_with_logits", reduction="none"),
             means="(1 - target) * input - logsigmoid(input)", computes="(1 - target) * input - logsigmoid(input)",
             pullback=("ybar * (sigmoid(input) - target)", "-ybar * input")),
    Function("binary_cross_entropy", "input, target; reduction='mean'", torch=_torch_pair("binary_cross_entropy"),
             means=lambda reduction: _reduced("bce(input, target)", reduction),
             note=f"{_CLAMPS}; the meaning has no clamps"),
    Function("binary_cross_entropy_with_logits", "input, target; reduction='mean'", torch=_torch_pair("binary_cross_entropy_with_logits"),
             means=lambda reduction: _reduced("bce_with_logits(input, target)", reduction),
             foreign=_UNREDUCED),

    Function("classes_last", "x", helper=True, torch=lambda t, x: t.movedim(x, 1, -1) if x.dim() > 2 else x,
             array=lambda k, x: k.np.moveaxis(x, 1, -1) if x.ndim > 2 else x,
             note="the classes of a loss, dim 1 of (N, C, d1, ...), as the last dim"),
    Function("cross_entropy", "input, target:index; reduction='mean', label_smoothing=0.0",
             torch=lambda t, input, target, **settings: t.nn.functional.cross_entropy(input, target, **settings), means=_cross_entropy, note=_CLASSES),
    Function("nll_loss", "input, target:index; reduction='mean'",
             torch=lambda t, input, target, **settings: t.nn.functional.nll_loss(input, target, **settings),
             means=lambda reduction: _reduced("-gather(classes_last(input), target, dim=-1)", reduction), note=_CLASSES),
    Function("kl_div",        "input, target; reduction='mean', log_target=False",          torch=_torch_kl_div, means=_kl_div,
             foreign=_NAMED | _UNREDUCED | {"scipy.special": "scipy.special.kl_div(x, y) is x*log(x/y) - x + y: write xlogy(x, x/y) - x + y"},
             note="reduction='batchmean' divides by the length of the first dimension, 'mean' by the number of elements"),

    Function("cosine_similarity", "x1, x2; dim=1, eps=1e-8", torch=lambda t, x1, x2, dim, eps: t.nn.functional.cosine_similarity(x1, x2, dim=dim, eps=eps),
             means=_cosine_similarity, note="torch's backward overlooks that the norms are clamped at eps"),
    Function("normalize",  "x; p=2, dim=1, eps=1e-12",         torch=lambda t, x, p, dim, eps: t.nn.functional.normalize(x, p=p, dim=dim, eps=eps),
             means=lambda p, dim, eps: f"x / maximum(norm(x, p={repr(p) if isinstance(p, str) else p}, dim={dim}, keepdim=True), eps)"),
    Function("layer_norm", "x; normalized_shape=None, eps=1e-5", torch=_torch_layer_norm, means=_layer_norm,
             note="over the last dimension, or over as many last dimensions as normalized_shape has"),
)
# fmt: on
