"""Law: rows over whole arrays give torch's numbers, in torch's shape, for every shape and setting
that torch takes.
"""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction
from itertools import islice, product
from math import inf, isfinite, prod
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from flint import arb

from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.functions import table
from gradcheck_cli.language.elements import element
from gradcheck_cli.language.parse import parse
from gradcheck_cli.language.program import fold
from gradcheck_cli.language.text import setting_text
from gradcheck_cli.worlds import balls, tensors
from gradcheck_cli.worlds.scalars import ShapeError, expand

from .points import INPUTS, array_rows, named, seeded

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from gradcheck_cli.functions.row import Function, Parameter

SHAPES = ((), (3,), (2, 2), (2, 3), (1, 3), (2, 1, 3), (2, 2, 2))
# What a setting of this name may be; a new row with another setting is tested with its default
# until it is named here.
CHOICES: dict[str, tuple[Any, ...]] = {
    "part": (0, 1),
    "ignore_index": (-100, 1),
    "num_groups": (1, 2),
    "use_input_stats": (True, False),
    "margin": (0, Fraction(1), Fraction(3, 10)),
    "full": (False, True),
    "swap": (False, True),
    "log_input": (False, True),
    "lower": (Fraction(1, 8),),
    "training": (False, True),
    "is_causal": (False, True),
    "scale": (None, Fraction(3, 10)),
    "dim": (None, 0, 1, -1, -2, (0, 1), (-1,)),
    "dims": (None, ((0,), (0,)), 0, (0,), (1, 0), (0, 2, 1), (-1, 0), (2, 1)),
    "dim0": (None, 0, -1),
    "dim1": (None, 1, -2),
    "dim2": (1, -1),
    "start_dim": (0, 1, -2),
    "end_dim": (-1, 1),
    "keepdim": (False, True),
    "unbiased": (None, True, False),
    "correction": (1, 0),
    "less": (0, 1),
    "p": (2, 1, 0, 3, Fraction(5, 2), inf, -inf, "fro"),
    "ord": (None, 1, 2, 3, inf, -inf, "fro", "nuc"),
    "offset": (0, 1, -1),
    "diagonal": (0, 1, -1),
    "shape": ((3, 2), (6,), (-1,), (2, 3), (1, -1)),
    "normalized_shape": (None, 3, (3,), (2, 3)),
    "key": (
        (0,),
        (-1,),
        (("slice", None, None, 2),),
        ("...", 0),
        (None, 1),
        (("slice", 1, None, None), ("slice", None, 2, None)),
    ),
    "reduction": ("mean", "sum", "none", "batchmean"),
    "log_target": (False, True),
    "beta": (Fraction(1), Fraction(3, 10), 0),
    "delta": (Fraction(1), Fraction(3, 10)),
    "label_smoothing": (Fraction(0), Fraction(1, 10)),
    "eps": (Fraction("1e-5"), Fraction("0.3")),
    "index": (0, 1, -1),
    "start": (None, 0, 1),
    "length": (1, 2),
    "end": (None, 2),
    "step": (1, 2),
    "piece": (0, 1, -1),
    "split_size_or_sections": (1, 2, (1, 2)),
    "chunks": (1, 2, 3),
    "indices_or_sections": (1, 2, (1,)),
    "repeats": (2, (2, 1), (1, 2, 2)),
    "shifts": (1, -2, (1, 2)),
    "source": (0, (0, 1)),
    "destination": (-1, (1, 0)),
    "k": (1, 2, -1),
    "dimension": (0, -1),
    "size": (1, 2, None),
    "sizes": ((1, 3), (-1, 2), (3,)),
    "indexing": ("ij", "xy"),
    "equation": (
        "ij,jk->ik",
        "ij,ij->",
        "i,j",
        "ij,ji",
        "ij,j->i",
        "...i,...i->...",
        "ii,ij->ij",
        "bij,bjk->bik",
        "a...,a...->...",
        "ij, kj -> ikj",
    ),
    "n": (1, 2, 3),
    "N": (None, 0, 1, 3),
    "q": (Fraction(1, 4), 0, 1, Fraction(3, 10), (0, Fraction(1, 2))),
    "interpolation": ("linear", "lower", "higher", "nearest", "midpoint"),
    "dx": (1, 2, Fraction(3, 10)),
    "r": (0, 1, 2, 3),
    "with_replacement": (False, True),
    "ind": (1, 2),
    "maxnorm": (1, Fraction(3, 10), 5),
    "fill_value": (2, Fraction(3, 10)),
    "reduce": ("sum", "prod", "mean", "amax", "amin"),
    "include_self": (True, False),
    "accumulate": (False, True),
    "output_size": (1, 2, 3),
    "output_padding": (0, 1),
    "ceil_mode": (False, True),
    "count_include_pad": (True, False),
    "scale_factor": (None, 2, Fraction(1, 2), Fraction(5, 2)),
    "align_corners": (None, True, False),
    "upscale_factor": (1, 2),
    "downscale_factor": (1, 2),
    "upper": (True, False),
    "descending": (False, True),
    "largest": (True, False),
    "kernel_size": (1, 2, (1, 2)),
    "stride": (None, 1, 2),
    "padding": (0, 1),
    "dilation": (1, 2),
    "groups": (1, 2),
    "pad": ((1, 1), (0, 1, 1, 0), (2, 0), (-1, 1)),
    "mode": (
        *("constant", "reflect", "replicate", "circular"),
        *("nearest", "nearest-exact", "area", "linear", "bilinear", "trilinear", "bicubic"),
        *("sum", "mean", "max"),
    ),
    "value": (None, -1),
}
# Shapes of the arguments of a row whose arguments are no two of a kind; where there are fewer of
# them, the others are left out.
FITTING: dict[str, tuple[tuple[tuple[int, ...], ...], ...]] = {
    "prelu": (((3,), ()), ((2, 3), (3,)), ((2, 3), (1,)), ((2, 2, 2), (2,)), ((), ())),
    "beside_last": (((2, 3), (2, 3)), ((2,), (2, 3)), ((2, 1), (2, 3)), ((), (3,))),
    "gaussian_nll_loss": (((2, 3), (2, 3), (2, 3)), ((2, 3), (3,), (2,)), ((3,), (3,), (1,)), ((2, 3), (2, 3), (2, 1)), ((3,), (), ())),
    "margin_ranking_loss": (((3,), (3,), (3,)), ((2, 3), (3,), (2, 1)), ((), (), ())),
    "cosine_embedding_loss": (((2, 3), (2, 3), (2,)), ((3,), (3,), ())),
    "triplet_margin_loss": (((2, 3), (2, 3), (2, 3)), ((3,), (3,), (3,)), ((2, 2, 2), (2, 2, 2), (2, 2, 2))),
    "multi_margin_loss": (((3,), ()), ((2, 3), (2,))),
    "without_class": (((3,), ()), ((2, 3), (2,))),
    "multilabel_soft_margin_loss": (((2, 3), (2, 3)), ((2, 3), (3,), (3,)), ((3,), (3,), ()), ((2, 3), (2, 3), (2, 3))),
    "linear": (((3,), (3,)), ((2, 3), (2, 3)), ((3,), (2, 3), (2,)), ((2, 2, 3), (2, 3), (2,))),
    "layer_norm": (((3,),), ((2, 3),), ((2, 3), (3,)), ((2, 3), (3,), (3,)), ((2, 2, 3), (2, 3), (2, 3)), ((2, 2, 3), (3,), (3,))),
    "rms_norm": (((3,),), ((2, 3), (3,)), ((2, 2, 3), (2, 3))),
    "batch_norm": (((3, 2), (2,), (2,)), ((3, 2), (2,), (2,), (2,), (2,)), ((2, 2, 2), (2,), (2,), (2,), (2,)), ((2, 2),)),
    "instance_norm": (((2, 2, 3),), ((2, 2, 2), (2,), (2,)), ((1, 2, 3), (2,), (2,), (2,), (2,))),
    "group_norm": (((2, 4), (4,)), ((2, 2, 2), (2,), (2,))),
    "local_response_norm": (((2, 3, 2),), ((1, 2, 2, 2),)),
    "channel_means": (((2, 3, 2),), ((1, 2, 2, 2),)),
    "grouped": (((3, 2),), ((2, 4, 2),)),
    "shaped_like": (((6,), (2, 3)), ((2, 3), (3, 2))),
    "binary_cross_entropy": (((3,), (3,)), ((2, 3), (2, 3)), ((2, 3), (2, 3), (3,)), ((2, 3), (2, 3), (2, 1))),
    "binary_cross_entropy_with_logits": (((3,), (3,)), ((), ()), ((2, 3), (2, 3), (3,))),
    "class_weights": (((), (2,), (2, 3)), ((3,), (2,), (2, 3)), ((3,), (), (3,))),
    "picked": (((2, 3), (2,)), ((3,), ())),
    "weighted_nll_loss": (((3,), ()), ((2, 3), (2,)), ((2, 3), (2,), (3,)), ((2, 2, 3), (2, 3), (2,))),
    "weighted_cross_entropy": (((3,), ()), ((2, 3), (2,)), ((2, 3), (2,), (3,)), ((2, 2, 3), (2, 3), (2,))),
    "weighted_cross_entropy_with_logits": (((2, 3), (2, 3), (3,)), ((2, 3), (2, 3), (2, 1), (3,)), ((2, 3), (2, 3), (), (3,))),
    **{
        f"{name}{n}d": (((1, *(4, 3, 2)[:n]),), ((2, 1, *(3, 4, 3)[:n]),))
        for name in ("max_pool", "avg_pool", "adaptive_max_pool", "adaptive_avg_pool")
        for n in (1, 2, 3)
    },
    **{
        f"conv{n}d": (
            ((2, *(4, 3, 3)[:n]), (2, 2, *(2, 1, 2)[:n]), (2,)), ((1, 2, *(3, 3, 2)[:n]), (2, 1, *(1, 2, 2)[:n])),
            ((1, 1, *(3, 3, 2)[:n]), (1, 1, *(2, 2, 1)[:n]), ()),
        )
        for n in (1, 2, 3)
    },
    **{
        f"conv_transpose{n}d": (
            ((2, *(2, 2, 1)[:n]), (2, 1, *(2, 1, 2)[:n]), (1,)), ((1, 2, *(2, 1, 2)[:n]), (2, 2, *(1, 2, 1)[:n])),
        )
        for n in (1, 2, 3)
    },
    "interpolate": (((1, 1, 4),), ((1, 1, 2, 3),), ((1, 1, 2, 1, 3),)),
    "upsample_nearest": (((1, 1, 4),), ((1, 2, 2, 3),)),
    "upsample_bilinear": (((1, 2, 2, 3),), ((1, 1, 3, 1),)),
    "pixel_shuffle": (((4, 1, 2),), ((2, 4, 2, 1),)),
    "pixel_unshuffle": (((1, 2, 4),), ((2, 1, 2, 2),)),
    "channel_shuffle": (((1, 2, 2),), ((2, 4, 2, 1),)),
    "scatter": (((3,), (2,), (2,)), ((2, 3), (1, 3), (1, 3)), ((2, 2), (2, 2), (2, 2)), ((2, 3), (2, 1), (2, 1))),
    "scatter_reduce": (((3,), (3,), (3,)), ((2, 3), (2, 2), (2, 2)), ((2, 2), (2, 2), (2, 2))),
    "index_reduce": (((3,), (3,), (3,)), ((2, 3), (2,), (2, 3)), ((3, 2), (2,), (3, 2))),
    "put": (((3,), (2,), (2,)), ((2, 3), (2,), (2,)), ((2, 2), (), ())),
    "embedding": (((), (2, 3)), ((3,), (2, 2)), ((2, 2), (3, 1))),
    "embedding_bag": (((2, 2), (2, 3)), ((1, 3), (3, 2))),
    "label_gaps": (((3,), (3,)), ((2, 3), (2, 3))),
    "multilabel_margin_loss": (((3,), (3,)), ((2, 3), (2, 3))),
    "triplet_margin_with_distance_loss": (((2, 3), (2, 3), (2, 3)), ((3,), (3,), (3,))),
    "bilinear": (((3,), (2,), (2, 3, 2)), ((2, 3), (2, 2), (1, 3, 2), (1,)), ((2, 2, 1), (2, 2, 2), (2, 1, 2), (2,))),
    "tensorinv": (((2, 2),), ((2, 1, 2),), ((1, 2, 2),), ((3, 1, 3),)),
    "tensorsolve": (((2, 2), (2,)), ((2, 1, 2), (2, 1)), ((2, 3, 2, 3), (2, 3)), ((2, 2, 1), (2,))),
    "lstsq": (((3, 2), (3, 1)), ((2, 2), (2, 2)), ((2, 3, 2), (2, 3, 1))),
    "cholesky_solve": (((2, 1), (2, 2)), ((3, 2), (3, 3)), ((2, 2, 1), (2, 2, 2))),
    "renorm": (((2, 3),), ((3, 2),), ((2, 2, 2),)),
    "trapezoid_over": (((3,), (3,)), ((2, 3), (3,)), ((2, 3), (2, 3)), ((2, 2), (2,)), ((2, 2, 3), (2, 3))),
    "cumulative_trapezoid_over": (((3,), (3,)), ((2, 3), (3,)), ((2, 3), (2, 3)), ((2, 2), (2,)), ((2, 2, 3), (2, 3))),
    "pairs": (((2, 3),), ((3, 2),), ((3, 1),)),
    "pdist": (((2, 3),), ((3, 2),), ((3, 1),)),
    "along_channels": (((3,), (2, 3)), ((2,), (2, 2, 2)), ((), (3,))),
    "scaled_dot_product_attention": (
        ((2, 3), (2, 3), (2, 3)), ((3, 2), (2, 2), (2, 3)), ((2, 2, 3), (2, 2, 3), (2, 2, 2)), ((2, 3), (2, 3), (2, 3), (2, 2)),
        ((1, 2, 2, 3), (1, 2, 2, 3), (1, 2, 2, 2), (2, 2)),
    ),
}  # fmt: skip
# Probabilities, and logarithms of them; variances that are not clamped.
RANGES = {
    "kl_div": (0.05, 0.95), "binary_cross_entropy": (0.05, 0.95), "poisson_nll_loss": (0.05, 3.0), "gaussian_nll_loss": (0.4, 3.0), "batch_norm": (0.1, 3.0),
    "instance_norm": (0.1, 3.0),
}  # fmt: skip
# Losses that tell apart -1 and 1.
SIGNED = ("soft_margin_loss", "hinge_embedding_loss", "cosine_embedding_loss")
# Factors of symmetric matrices that are positive definite.
DEFINITE = ("triangular_factor", "cholesky", "cholesky_ex")
# What is given a factor, a triangle, as the last argument.
TRIANGULAR = ("cholesky_inverse", "cholesky_solve")
ONE = np.ones(1)
# Shapes of three arguments: alike, with a vector of indices, of products that add to something.
TRIPLES = (
    *((shape, shape, shape) for shape in SHAPES),
    *((shape, shape[-1:], shape) for shape in SHAPES[1:]),
    *((shape, (2,), ()) for shape in SHAPES[1:]),
    ((2, 2), (2, 3), (3, 2)), ((2,), (2, 3), (3,)), ((2, 3), (2,), (3,)), ((2, 2), (3, 2, 2), (3, 2, 2)), ((2, 2, 1), (2, 2, 3), (2, 3, 1)),
)  # fmt: skip


def choices(setting: Parameter) -> list[Any]:
    """What to try for a setting; None says that it is left out, which a required one cannot be."""
    return [
        value
        for value in CHOICES.get(setting.name, (setting.default,))
        if (value is not None or not setting.required)
        and not (isinstance(value, str) and isinstance(setting.default, Fraction))
    ]


def calls(row: Function, count: int | None = None) -> list[str]:
    """Texts of a row with every combination of its settings, on so many arguments."""
    if row.name == "getitem":
        from gradcheck_cli.language.text import key_text

        return [f"x[{key_text(key)}]" for key in CHOICES["key"]]
    count = len(row.parsed.args) if count is None else count
    args = [f"[{INPUTS[0]}, {INPUTS[1]}]"] if row.parsed.variadic else placed(row, count)
    names = [p.name for p in row.parsed.settings]
    texts = []
    for values in product(*map(choices, row.parsed.settings)):
        settings = [
            f"{name}={setting_text(value)}" for name, value in zip(names, values, strict=True)
        ]
        texts.append(f"{row.name}({', '.join(args + settings)})")
    return texts


def placed(row: Function, count: int) -> list[str]:
    """So many inputs as a call takes them: those that have another place are called by names."""
    pairs = zip(INPUTS, row.parsed.names[:count], row.places or row.parsed.names, strict=False)
    return [x if name == place else f"{name}={x}" for x, name, place in pairs]


def shapes(row: Function) -> list[tuple[tuple[int, ...], ...]]:
    """Shapes of the arguments: all alike for one argument; for two also broadcast, transposed and
    one less.
    """
    count = 2 if row.parsed.variadic else len(row.parsed.args)
    if row.name in FITTING:
        return list(FITTING[row.name])
    if count == 1:
        return [(shape,) for shape in SHAPES]
    if count == 3:
        return list(TRIPLES)
    found = [(shape, shape) for shape in SHAPES]
    found += (
        [(shape, shape[::-1]) for shape in SHAPES]
        + [(shape, shape[:-1]) for shape in SHAPES]
        + [((2, 3), (3,)), ((2, 3), ()), ((3,), (2, 3)), ((2, 1, 3), (3, 2))]
    )
    return list(dict.fromkeys(found))


def numbers(
    row: Function, shape: tuple[int, ...], random: Random, kind: str
) -> np.ndarray[Any, Any]:
    """Short decimals; integers where the row wants an index."""
    if kind == "index":
        return np.array([random.randint(0, 1) for _ in range(prod(shape))], dtype=np.int64).reshape(
            shape
        )
    if kind == "held" and row.name in SIGNED:
        return np.array([random.choice([-1.0, 1.0]) for _ in range(prod(shape))]).reshape(shape)
    if row.name in DEFINITE and len(shape) > 1 and shape[-1] == shape[-2]:
        drawn = np.array([random.randint(-4, 4) for _ in range(prod(shape))]).reshape(shape) / 8
        return drawn + np.swapaxes(drawn, -1, -2) + 3 * np.eye(shape[-1])
    low, high = RANGES.get(row.name, (-3.0, 3.0))
    return np.array([round(random.uniform(low, high), 2) for _ in range(prod(shape))]).reshape(
        shape
    )


def of_torch(text: str, values: dict[str, Any]) -> torch.Tensor | Exception:
    """torch's tensor, or what it raises."""
    like = torch.empty((), dtype=torch.float64)
    program = parse(text)
    try:
        found = fold(
            program,
            tensors.Tensors(DTYPES["float64"].round, like),
            {name: torch.tensor(value) for name, value in values.items()},
        )
        return tensors.tensor(found[program.result], like)
    except (RuntimeError, TypeError, ValueError, IndexError, NotImplementedError) as error:
        return error


def of_balls(text: str, values: dict[str, Any]) -> np.ndarray[Any, Any] | Exception:
    """Balls in an array, or why the shapes do not fit."""
    program = parse(text)
    kinds = {
        name: value if value.dtype == np.int64 else value.shape for name, value in values.items()
    }
    try:
        expansion = expand(program, kinds)
    except ShapeError as error:
        return error
    outputs = np.asarray(expansion.values[program.result])
    scalars = expansion.builder.program(*outputs.reshape(-1).tolist())
    inputs = {
        element(name, index): float(value[index])
        for name, value in values.items()
        for index in np.ndindex(*value.shape)
    }
    found = balls.Machine(scalars).run(inputs, 128, DTYPES["float64"].round)
    out = np.empty(outputs.shape, dtype=object)
    out.reshape(-1)[:] = [found[i] for i in scalars.outputs]
    return out


def samples(row: Function) -> list[tuple[str, dict[str, np.ndarray[Any, Any]]]]:
    """Every call of a row on every choice of shapes, with numbers from a seeded generator."""
    found = []
    kinds = [p.kind for p in row.parsed.args] + [""]
    for text, given in called(row):
        random = seeded(f"{text} {given}")
        named_inputs = zip(INPUTS, given, kinds, strict=False)
        values = {name: numbers(row, shape, random, kind) for name, shape, kind in named_inputs}
        if row.name in TRIANGULAR:
            *_, last = values
            keep = np.triu if "upper=True" in text else np.tril
            values[last] = keep(values[last]) if values[last].ndim > 1 else values[last]
        found.append((text, values))
    return found


def called(row: Function) -> list[tuple[str, tuple[tuple[int, ...], ...]]]:
    """Every call of a row with every choice of shapes for its arguments."""
    if row.name in FITTING:
        return [(text, given) for given in shapes(row) for text in calls(row, len(given))]
    return [(text, given) for text in calls(row) for given in shapes(row)]


def differs(value: torch.Tensor, truth: np.ndarray[Any, Any]) -> str:
    """How torch's tensor and the balls differ beyond the rounding of a few hundred operations;
    empty if they do not.
    """
    if tuple(value.shape) != truth.shape:
        return f"torch's shape is {tuple(value.shape)}, ours {truth.shape}"
    for index, (ours, ball) in enumerate(
        zip(value.reshape(-1).tolist(), truth.reshape(-1).tolist(), strict=True)
    ):
        if not (ball.is_finite() and isfinite(ours)):
            if ball.is_finite() or isfinite(ours):
                return f"element {index}: torch {ours}, balls {ball}"
        elif not abs(arb(ours) - ball) <= 256 * 2.0**-53 * (1 + abs(ball)):
            return f"element {index}: torch {ours}, balls {ball}"
    return ""


def _twice(text: str, x: Any, y: Any) -> bool:
    return len(set(y.reshape(-1).tolist())) < y.size


def _of_matrices(text: str, x: Any, y: Any) -> bool:
    by_rank = "linalg" in text and "dim=None" in text and "ord=None" not in text
    return x.ndim > 1 and (by_rank or re.search(r"ord=(2|-2|'nuc')", text) is not None)


def _no_distance(text: str, x: Any, y: Any) -> bool:
    return 1 in y.shape or y.ndim < x.ndim


# What torch accepts and we do not, on purpose, by the text and the first two arguments.
REFUSED: dict[str, Callable[[str, Any, Any], bool]] = {
    # One index for each row of elements.
    "gather": lambda text, x, y: y.ndim != x.ndim - 1 or y.size != x.size,
    # A number has no elements to choose from.
    **dict.fromkeys(
        ("unfold", "gather_elements", "scatter_add", "index_add", "index_fill"),
        lambda text, x, y: 0 in (x.ndim, y.ndim),
    ),
    # Which copy stays?
    "index_copy": lambda text, x, y: 0 in (x.ndim, y.ndim) or _twice(text, x, y),
    "put": _twice,
    "scatter": lambda text, x, y: y.size > 1,
    # Of one element torch takes it, whatever is asked for.
    "take_along_dim": lambda text, x, y: any(n <= y.max() for n in (1, *x.shape)),
    # Of a window of padding alone torch's maximum is -inf.
    **dict.fromkeys(
        ("max_pool1d", "max_pool2d", "max_pool3d"),
        lambda text, x, y: "padding=1, dilation=2" in text,
    ),
    # torch broadcasts what is summed over.
    "tensordot": lambda text, x, y: 1 in x.shape + y.shape,
    # Of vectors torch looks at no dim.
    "vecdot": lambda text, x, y: x.ndim == y.ndim == 1,
    # Vectors in torch, matrices in NumPy.
    **dict.fromkeys(("solve", "solve_ex"), lambda text, x, y: y.ndim == x.ndim - 1 > 1),
    # Of one x there is no distance.
    **dict.fromkeys(("trapezoid_over", "cumulative_trapezoid_over"), _no_distance),
    # The solution alone, the mantissa alone.
    **dict.fromkeys(("lstsq", "frexp"), lambda text, x, y: "piece=0" not in text),
    "as_scalar": lambda text, x, y: True,
    "as_vector": lambda text, x, y: x.ndim != 1,
    "dot": lambda text, x, y: x.ndim != 1 or y.ndim != 1,
    **dict.fromkeys(("linalg_norm", "matrix_norm"), _of_matrices),
    # One dim alone says nothing.
    "transpose": lambda text, x, y: "None" in text and "dim0=None, dim1=None" not in text,
}


def we_may_refuse(text: str, values: dict[str, np.ndarray[Any, Any]]) -> bool:
    """Whether torch accepts a call that we do not, on purpose."""
    refused = REFUSED.get(text.partition("(")[0])
    return refused is not None and refused(text, values["x"], values.get("y", ONE))


@pytest.mark.parametrize("row", array_rows(), ids=named)
@pytest.mark.filterwarnings("ignore")
def test_torchs_tensor_is_the_array_of_balls(row):
    """For every shape and setting that torch accepts; what torch refuses, it refuses in its own
    words when it is run.
    """
    compared = 0
    for text, values in samples(row):
        value, truth = of_torch(text, values), of_balls(text, values)
        if isinstance(value, Exception):
            continue
        shown = (
            f"{text} at {', '.join(f'{name}={array.tolist()}' for name, array in values.items())}"
        )
        if isinstance(truth, Exception):
            assert we_may_refuse(text, values), f"{shown}: {truth}"
            continue
        compared += 1
        assert not differs(value, truth), f"{shown}: {differs(value, truth)}"
    assert compared >= 1, f"torch accepts no call of {row.name} that is tried"


@pytest.mark.parametrize("row", array_rows(), ids=named)
@pytest.mark.filterwarnings("ignore")
def test_one_wrong_element_is_seen(row, monkeypatch):
    """The comparison above can fail: a row whose torch moves its last element by one part in a
    million is caught.
    """

    def lie(t: Any, *args: Any, **settings: Any) -> Any:
        found = row.torch(t, *args, **settings)
        moved = found.clone(memory_format=t.contiguous_format)
        moved.reshape(-1)[-1:].mul_(1 + 1e-6).add_(1e-9)
        return moved

    taken = (
        (text, values)
        for text, values in samples(row)
        if not isinstance(of_torch(text, values), Exception)
    )
    honest = list(islice(taken, 60))
    monkeypatch.setitem(table(), row.name, replace(row, torch=lie))
    caught = [
        differs(of_torch(text, values), truth)
        for text, values in honest
        if not isinstance(truth := of_balls(text, values), Exception)
    ]
    assert any(caught)
