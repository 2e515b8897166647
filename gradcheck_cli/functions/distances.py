"""Rows of two sets of vectors: similarities, distances, and attention, which weighs by them."""

from __future__ import annotations

from itertools import combinations
from typing import Any

from gradcheck_cli.functions.row import CallError, Function
from gradcheck_cli.functions.tensors import flag, integer


def _order(p: Any) -> str:
    """An order of a norm, as it is written."""
    return repr(p) if isinstance(p, str) else str(p)


def _cosine_similarity(dim: Any, eps: Any) -> str:
    if not isinstance(dim, int):
        raise CallError(f"one dim is needed, not {dim}")
    # torch broadcasts before it takes the norms.
    a, b = (
        f"{x} / maximum(norm({x}, dim={dim}, keepdim=True), eps)"
        for x in ("broadcast_like(x1, x2)", "broadcast_like(x2, x1)")
    )
    return f"sum({a} * ({b}), dim={dim})"


def _not_negative(p: Any) -> str:
    if isinstance(p, str | bool | tuple) or p is None or p < 0:
        raise CallError(f"p is a number that is not negative, not {p!r}")
    return _order(p)


def _pairs(k: Any, x: Any, part: Any) -> Any:
    if x.ndim != 2:
        raise ValueError(f"a matrix is needed, a point a row, not {x.ndim} dimensions")
    rows = [pair[integer("part", part)] for pair in combinations(range(len(x)), 2)]
    return x[k.np.array(rows, dtype=int)]


def _torch_pairs(t: Any, x: Any, part: Any) -> Any:
    rows = [pair[integer("part", part)] for pair in combinations(range(len(x)), 2)]
    return x[t.tensor(rows, dtype=t.long, device=x.device)]


def _torch_attention(
    t: Any, query: Any, key: Any, value: Any, attn_mask: Any, **settings: Any
) -> Any:
    if attn_mask.dim() < 2:
        attn_mask = attn_mask.expand(query.shape[-2], key.shape[-2])
    if settings["is_causal"] and not attn_mask.requires_grad and not attn_mask.any():
        attn_mask = None
    return t.nn.functional.scaled_dot_product_attention(query, key, value, attn_mask, **settings)


def _attention(dropout_p: Any, is_causal: Any, scale: Any, enable_gqa: Any) -> str:
    if dropout_p:
        raise CallError("dropout draws random numbers, and a check needs the same value twice")
    if enable_gqa:
        raise CallError("grouped queries are not checked: repeat the keys and values")
    if isinstance(scale, str | bool | tuple):
        raise CallError(f"scale is a number or None, not {scale!r}")
    scaled = "/ sqrt(size(query, dim=-1))" if scale is None else "* scale"
    scores = f"query @ transpose(key, -2, -1) {scaled} + attn_mask"
    if not flag("is_causal", is_causal):
        return f"softmax({scores}, dim=-1) @ value"
    # What is masked out has the weight 0, without an infinity on the way.
    seen = f"tril(exp({scores}))"
    return f"({seen} / sum({seen}, dim=-1, keepdim=True)) @ value"


# fmt: off
ROWS = (
    Function("cosine_similarity", "x1, x2; dim=1, eps=1e-8", torch=lambda t, x1, x2, dim, eps: t.nn.functional.cosine_similarity(x1, x2, dim=dim, eps=eps),
             means=_cosine_similarity, note="torch's backward overlooks that the norms are clamped at eps"),
    Function("normalize",  "x; p=2, dim=1, eps=1e-12",         torch=lambda t, x, p, dim, eps: t.nn.functional.normalize(x, p=p, dim=dim, eps=eps),
             means=lambda p, dim, eps: f"x / maximum(norm(x, p={_order(p)}, dim={dim}, keepdim=True), eps)"),
    Function("pairwise_distance", "x1, x2; p=2, eps=1e-6, keepdim=False",
             torch=lambda t, x1, x2, p, eps, keepdim: t.nn.functional.pairwise_distance(x1, x2, p, eps, keepdim),
             means=lambda p, eps, keepdim: f"norm(x1 - x2 + eps, p={_order(p)}, dim=-1, keepdim={keepdim})",
             note="along the last dim; eps is added to each difference"),
    Function("cdist", "x1, x2; p=2", torch=lambda t, x1, x2, p: t.cdist(x1, x2, p),
             means=lambda p: f"norm(unsqueeze(x1, -2) - unsqueeze(x2, -3), p={_not_negative(p)}, dim=-1)",
             note="the distance of each row of x1 to each of x2"),
    Function("pdist", "x; p=2", torch=lambda t, x, p: t.nn.functional.pdist(x, p),
             means=lambda p: f"norm(pairs(x, part=0) - pairs(x, part=1), p={_not_negative(p)}, dim=-1)",
             note="the distances of all pairs of rows, each once"),
    Function("pairs", "x; part=0", helper=True, torch=_torch_pairs, array=_pairs, note="of every two rows, each pair once, the first or the second"),
    Function("scaled_dot_product_attention", "query, key, value, attn_mask:mask=0; dropout_p=0.0, is_causal=False, scale=None, enable_gqa=False",
             torch=_torch_attention, means=_attention,
             note="attn_mask is added to the scores; a condition counts for 0 where it holds, and for -inf elsewhere"),
)
# fmt: on
