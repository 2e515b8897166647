"""Rows of further losses: margins, embeddings and likelihoods, `torch.nn.functional` by the same
names.
"""

from __future__ import annotations

import operator
from functools import reduce
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from gradcheck_cli.functions.losses import UNREDUCED, reduced
from gradcheck_cli.functions.row import CallError, Function
from gradcheck_cli.functions.tensors import fill, flag

if TYPE_CHECKING:
    from collections.abc import Callable


def _functional(name: str) -> Callable[..., Any]:
    """The loss as `torch.nn.functional` has it."""

    def call(t: Any, *args: Any, **settings: Any) -> Any:
        return getattr(t.nn.functional, name)(*args, **settings)

    return call


def _of_batch(name: str) -> Callable[..., Any]:
    """A loss of three tensors, broadcast to one shape first: torch's warns otherwise."""

    def call(t: Any, *args: Any, **settings: Any) -> Any:
        return getattr(t.nn.functional, name)(*t.broadcast_tensors(*args), **settings)

    return call


def _gaussian(full: Any, eps: Any, reduction: str) -> str:
    var = "maximum(beside_last(var, input), eps)"
    constant = " + log(2 * pi) / 2" if flag("full", full) else ""
    return reduced(f"(log({var}) + (input - target)**2 / {var}) / 2{constant}", reduction)


def _beside_last(k: Any, x: Any, other: Any) -> Any:
    if not x.ndim or x.shape == other.shape:
        return x
    if x.shape == other.shape[:-1]:
        return x[..., None]
    if (
        x.ndim == other.ndim
        and sum(n for m, n in zip(other.shape, x.shape, strict=True) if m != n) == 1
    ):
        return x
    raise ValueError("one variance for each number, or one along the last dim, is needed")


def _torch_beside_last(t: Any, x: Any, other: Any) -> Any:
    return x[..., None] if x.dim() and x.shape == other.shape[:-1] else x


def _torch_gaussian(t: Any, input: Any, target: Any, var: Any, **settings: Any) -> Any:  # noqa: A002 - torch's name for it
    # A number is of the input's shape in torch, too.
    var = var.expand(input.shape) if not var.dim() else var
    return t.nn.functional.gaussian_nll_loss(input, target, var, **settings)


def _poisson(log_input: Any, full: Any, eps: Any, reduction: str) -> str:
    loss = (
        "exp(input) - target * input"
        if flag("log_input", log_input)
        else "input - target * log(input + eps)"
    )
    stirling = "target * log(target) - target + log(2 * pi * target) / 2"
    return reduced(
        f"{loss} + where(target > 1, {stirling}, 0)" if flag("full", full) else loss, reduction
    )


def _cosine_embedding(margin: Any, reduction: str) -> str:
    a, b = "sum(input1 * input1, dim=-1)", "sum(input2 * input2, dim=-1)"
    cosine = f"sum(input1 * input2, dim=-1) / sqrt(({a} + 1/10**12) * ({b} + 1/10**12))"
    alike, unlike = f"1 - {cosine}", f"maximum({cosine} - margin, 0)"
    text = f"where(target == 1, {alike}, 0) + where(target == -1, {unlike}, 0)"
    return reduced(text, reduction)


def _triplet(margin: Any, p: Any, eps: Any, swap: Any, reduction: str) -> str:
    def distance(x: str, y: str) -> str:
        order = repr(p) if isinstance(p, str) else p
        return f"norm({x} - {y} + eps, p={order}, dim=-1)"

    far = distance("anchor", "negative")
    if flag("swap", swap):
        far = f"minimum({far}, {distance('positive', 'negative')})"
    return reduced(f"maximum(margin + {distance('anchor', 'positive')} - {far}, 0)", reduction)


def _multi_margin(p: Any, margin: Any, reduction: str) -> str:
    if p not in (1, 2):
        raise CallError(f"p is 1 or 2, not {p!r}")
    gap = "maximum(margin - unsqueeze(gather(input, target, dim=-1), -1) + input, 0)"
    gaps = f"without_class({gap}**{int(p)}, target)"
    return reduced(f"sum({gaps}, dim=-1) / size(input, dim=-1)", reduction)


def _without_class(k: Any, x: Any, index: Any) -> Any:
    if index.shape != x.shape[:-1]:
        raise ValueError(f"a class for each row is needed, {x.shape[:-1]}, not {index.shape}")
    keep = k.np.arange(x.shape[-1]) != index[..., None]
    return k.np.where(keep, x, fill(k, (), [k.number(0)]))


def _distant_triplet(margin: Any, swap: Any, reduction: str) -> str:
    far = "pairwise_distance(anchor, negative)"
    if flag("swap", swap):
        far = f"minimum({far}, pairwise_distance(positive, negative))"
    near = "pairwise_distance(anchor, positive)"
    return reduced(f"maximum(margin + {near} - {far}, 0)", reduction)


def _torch_distant(t: Any, anchor: Any, positive: Any, negative: Any, **settings: Any) -> Any:
    return t.nn.functional.triplet_margin_with_distance_loss(anchor, positive, negative, **settings)


def _label_gaps(k: Any, x: Any, index: Any) -> Any:
    """For each row what the classes beside its own fall short of them, over all classes; the first
    negative index ends the row's own.
    """
    if x.ndim not in (1, 2) or index.shape != x.shape:
        raise ValueError(f"an index for each of {x.shape} numbers is needed, not {index.shape}")
    classes, found = x.shape[-1], []
    for row, given in zip(x.reshape(-1, classes), index.reshape(-1, classes), strict=True):
        own: list[int] = list(takewhile(lambda c: c >= 0, given.tolist()))
        if any(c >= classes for c in own):
            raise IndexError(f"an index is outside 0 to {classes - 1}")
        zero = k.number(0)
        gaps = [
            k.call("maximum", 1 - (row[c] - row[i]), zero)
            for c in own
            for i in range(classes)
            if i not in own
        ]
        found.append(reduce(operator.add, gaps) / classes if gaps else zero)
    return fill(k, x.shape[:-1], found)


def _torch_gaps(t: Any, x: Any, index: Any) -> Any:
    return t.nn.functional.multilabel_margin_loss(x, index, reduction="none")


def _multilabel_soft(reduction: str) -> str:
    # torch counts the classes of input, whatever is broadcast against it.
    target, weight = (f"expand_as({name}, input)" for name in ("target", "weight"))
    terms = f"{target} * logsigmoid(input) + (1 - {target}) * logsigmoid(-input)"
    return reduced(f"sum(-{weight} * ({terms}), dim=-1) / size(input, dim=-1)", reduction)


def _torch_multilabel_soft(t: Any, input: Any, target: Any, weight: Any, reduction: str) -> Any:  # noqa: A002 - torch's name for it
    return t.nn.functional.multilabel_soft_margin_loss(input, target, weight, reduction=reduction)


# fmt: off
# Behind their `places` torch has `size_average` and `reduce`.
_CLAMPED = "torch's backward overlooks that var is clamped at eps"

ROWS = (
    Function("gaussian_nll_loss", "input, target, var; full=False, eps=1e-6, reduction='mean'", torch=_torch_gaussian, means=_gaussian,
             note=f"var has input's shape, or that without its last dim, or 1 there; {_CLAMPED}"),
    Function("beside_last", "x, other:held", helper=True, torch=_torch_beside_last, array=_beside_last,
             note="x, with a last dim of 1 where it has one dim less than other"),
    Function("poisson_nll_loss", "input, target; log_input=True, full=False, eps=1e-8, reduction='mean'", torch=_functional("poisson_nll_loss"),
             means=_poisson, places=("input", "target", "log_input", "full"), note="full adds Stirling's approximation of log(target!) where target > 1"),
    Function("soft_margin_loss", "input, target:held; reduction='mean'", torch=_functional("soft_margin_loss"), places=("input", "target"),
             means=lambda reduction: reduced("log1p(exp(-target * input))", reduction), note="target is -1 or 1; torch has no derivative for it"),
    Function("hinge_embedding_loss", "input, target:held; margin=1.0, reduction='mean'", torch=_functional("hinge_embedding_loss"),
             places=("input", "target", "margin"), foreign=UNREDUCED,
             means=lambda margin, reduction: reduced("where(target == 1, 0, maximum(margin - input, 0)) + where(target == -1, 0, input)", reduction),
             note="target is -1 or 1"),
    Function("margin_ranking_loss", "input1, input2, target; margin=0, reduction='mean'", torch=_of_batch("margin_ranking_loss"),
             places=("input1", "input2", "target", "margin"), foreign=UNREDUCED,
             means=lambda margin, reduction: reduced("maximum(margin - target * (input1 - input2), 0)", reduction)),
    Function("cosine_embedding_loss", "input1, input2, target:held; margin=0, reduction='mean'", torch=_functional("cosine_embedding_loss"),
             places=("input1", "input2", "target", "margin"), foreign=UNREDUCED,
             means=_cosine_embedding, note="target is -1 or 1, one for each row"),
    Function("triplet_margin_loss", "anchor, positive, negative; margin=1.0, p=2, eps=1e-6, swap=False, reduction='mean'",
             torch=_functional("triplet_margin_loss"), means=_triplet, places=("anchor", "positive", "negative", "margin", "p", "eps", "swap"),
             foreign=UNREDUCED, note="by the distances along the last dim; eps is added to each difference"),
    Function("multi_margin_loss", "input, target:index; p=1, margin=1.0, reduction='mean'", torch=_functional("multi_margin_loss"),
             means=_multi_margin, places=("input", "target", "p", "margin"), note="input is (C) or (N, C), target the class or the classes"),
    Function("without_class", "x, index:index", helper=True, array=_without_class, torch=lambda t, x, index: x.scatter(-1, index.unsqueeze(-1), 0),
             note="x, and 0 in each row at its index"),
    Function("label_gaps", "x, index:index", helper=True, torch=_torch_gaps, array=_label_gaps,
             note="what the classes beside a row's own fall short of them"),
    Function("multilabel_margin_loss", "input, target:index; reduction='mean'", torch=_functional("multilabel_margin_loss"), places=("input", "target"),
             means=lambda reduction: reduced("label_gaps(input, target)", reduction), note="target has each row's classes first, and -1 behind them"),
    Function("triplet_margin_with_distance_loss", "anchor, positive, negative; margin=1.0, swap=False, reduction='mean'", torch=_torch_distant,
             means=_distant_triplet, places=("anchor", "positive", "negative"), note="by torch's own distance, pairwise_distance"),
    Function("multilabel_soft_margin_loss", "input, target, weight=1; reduction='mean'", torch=_torch_multilabel_soft, means=_multilabel_soft,
             places=("input", "target", "weight")),
)
# fmt: on
