"""Rows of what layers compute: linear maps, normalisations with their weights, dropout."""

from __future__ import annotations

import operator
from fractions import Fraction
from functools import reduce
from typing import Any

from gradcheck_cli.functions.row import CallError, Function
from gradcheck_cli.functions.tensors import fill, flag, integer

_RANDOM = "dropout draws random numbers, and a check needs the same value twice"


def _standard(x: str, dim: Any = -1) -> str:
    """Mean 0 and variance 1 along dim."""
    over = f"dim={dim}, keepdim=True"
    return f"({x} - mean({x}, {over})) * rsqrt(var({x}, correction=0, {over}) + eps)"


def _dims(normalized_shape: Any) -> tuple[int, ...]:
    rank = len(normalized_shape) if isinstance(normalized_shape, tuple) else 1
    return tuple(range(-rank, 0))


def _shape(x: Any, normalized_shape: Any) -> tuple[int, ...]:
    shape = x.shape[-1:] if normalized_shape is None else normalized_shape
    return (shape,) if isinstance(shape, int) else shape


def _spread(x: Any, shape: Any) -> Any:
    """A number as the tensor of that shape that torch wants, a tensor as it is."""
    return x if x.dim() else x.expand(shape).contiguous()


def _torch_linear(t: Any, input: Any, weight: Any, bias: Any) -> Any:  # noqa: A002 - torch's name for it
    return t.nn.functional.linear(input, weight, _spread(bias, weight.shape[:-1]))


def _torch_layer_norm(
    t: Any, x: Any, weight: Any, bias: Any, normalized_shape: Any, eps: Any
) -> Any:
    shape = _shape(x, normalized_shape)
    scale, shift = _spread(weight, shape), _spread(bias, shape)
    return t.nn.functional.layer_norm(x, shape, scale, shift, eps)


def _torch_rms_norm(t: Any, x: Any, weight: Any, normalized_shape: Any, eps: Any) -> Any:
    shape = _shape(x, normalized_shape)
    return t.nn.functional.rms_norm(x, shape, _spread(weight, shape), eps)


_AFFINE = "* along_channels(weight, x) + along_channels(bias, x)"
_RUNNING = "(x - along_channels(running_mean, x)) * rsqrt(along_channels(running_var, x) + eps)"


def _batch_norm(training: Any, momentum: Any, eps: Any) -> str:
    turned = "transpose(x, 0, 1)"
    own = f"transpose(shaped_like({_standard(f'flatten({turned}, 1)')}, {turned}), 0, 1)"
    return f"({own if flag('training', training) else _RUNNING}) {_AFFINE}"


def _instance_norm(use_input_stats: Any, momentum: Any, eps: Any) -> str:
    own = f"shaped_like({_standard('flatten(x, 2)')}, x)"
    return f"({own if flag('use_input_stats', use_input_stats) else _RUNNING}) {_AFFINE}"


def _torch_running(name: str) -> Any:
    """A normalisation that is given running statistics where they are used, to change none."""

    def call(t: Any, x: Any, mean: Any, var: Any, weight: Any, bias: Any, **settings: Any) -> Any:
        channels = x.shape[1:2]
        own = settings.get("training", settings.get("use_input_stats"))
        kept = [None if own else _spread(part, channels) for part in (mean, var)]
        scale, shift = _spread(weight, channels), _spread(bias, channels)
        return getattr(t.nn.functional, name)(x, *kept, scale, shift, **settings)

    return call


def _torch_group_norm(t: Any, x: Any, weight: Any, bias: Any, num_groups: Any, eps: Any) -> Any:
    channels = x.shape[1:2]
    scale, shift = _spread(weight, channels), _spread(bias, channels)
    return t.nn.functional.group_norm(x, integer("num_groups", num_groups), scale, shift, eps)


def _group_norm(num_groups: Any, eps: Any) -> str:
    grouped = f"grouped(x, num_groups={_written(num_groups)})"
    return f"shaped_like({_standard(grouped)}, x) {_AFFINE}"


def _written(value: Any) -> str:
    return repr(value) if isinstance(value, str) else str(value)


def _group_norm_computed(num_groups: Any, eps: Any) -> str:
    """As ATen's kernel: a product less a product, which cancels where a group hardly varies."""
    x = f"grouped(x, num_groups={_written(num_groups)})"
    over = "dim=-1, keepdim=True"
    scale = f"rsqrt(var({x}, correction=0, {over}) + eps)"
    return f"shaped_like({x} * {scale} - mean({x}, {over}) * {scale}, x) {_AFFINE}"


def _grouped(k: Any, x: Any, num_groups: Any) -> Any:
    groups = integer("num_groups", num_groups)
    if x.ndim < 2 or groups < 1 or x.shape[1] % groups:
        raise ValueError(f"the channels, dim 1, do not fall into {groups} groups")
    return x.reshape(x.shape[0], groups, -1)


def _windows(x: Any, size: Any) -> list[tuple[int, int]]:
    """Where the channels that count for each channel begin and end."""
    before, after = integer("size", size) // 2, (integer("size", size) - 1) // 2
    if size < 1:
        raise CallError(f"size is 1 at least, not {size}")
    channels = range(x.shape[1])
    return [(max(c - before, 0), min(c + after, channels[-1]) + 1) for c in channels]


def _channel_means(k: Any, x: Any, size: Any) -> Any:
    if x.ndim < 3:
        raise ValueError(f"three dims at least are needed, not {x.ndim}")
    sums = [reduce(operator.add, [x[:, c] for c in range(*window)]) for window in _windows(x, size)]
    return k.np.stack(sums, axis=1) / size


def _torch_channel_means(t: Any, x: Any, size: Any) -> Any:
    return t.stack([x[:, slice(*window)].sum(1) for window in _windows(x, size)], 1) / size


def _dropout(k: Any, x: Any, training: Any, p: Any) -> Any:
    if not isinstance(p, int | float | Fraction) or not 0 <= p <= 1:
        raise CallError(f"p is a number from 0 to 1, not {p!r}")
    if not flag("training", training) or p == 0:
        return x
    if p == 1:
        return fill(k, x.shape, [k.number(0)] * x.size)
    raise CallError(f"{_RANDOM}: write training=False")


def _torch_dropout(name: str) -> Any:
    return lambda t, x, training, p: getattr(t.nn.functional, name)(x, p, bool(training))


def _torch_bilinear(t: Any, input1: Any, input2: Any, weight: Any, bias: Any) -> Any:
    return t.nn.functional.bilinear(input1, input2, weight, _spread(bias, weight.shape[:1]))


def _bilinear(k: Any, a: Any, b: Any, weight: Any, bias: Any) -> Any:
    if weight.ndim != 3 or not (a.ndim and b.ndim) or a.shape[:-1] != b.shape[:-1]:
        raise ValueError("bilinear takes rows of inputs, and a matrix of weight for each output")
    if weight.shape[1:] != (a.shape[-1], b.shape[-1]):
        raise ValueError(
            f"inputs of {weight.shape[1:]} elements are needed, not {a.shape[-1]} and {b.shape[-1]}"
        )
    left = k.np.tensordot(a, weight, ((a.ndim - 1,), (1,)))  # (..., output, second)
    return (left * b[..., None, :]).sum(axis=-1) + bias


def _dropout_written(shapes: Any, training: Any, p: Any) -> tuple[str, ...]:
    return ("ybar",) if not training or p == 0 else ()


# fmt: off
_CHANNELS = "the channels are dim 1; weight and bias have a number for each"

ROWS = (
    Function("linear", "input, weight, bias=0", torch=_torch_linear,
             means="input @ transpose(weight) + bias", note="a row of weight for each output"),
    Function("layer_norm", "x, weight=1, bias=0; normalized_shape=None, eps=1e-5", torch=_torch_layer_norm,
             places=("x", "normalized_shape", "weight", "bias", "eps"),
             means=lambda normalized_shape, eps: f"{_standard('x', _dims(normalized_shape))} * weight + bias",
             note="over the last dimension, or over as many last dimensions as normalized_shape has"),
    Function("rms_norm", "x, weight=1; eps, normalized_shape=None", torch=_torch_rms_norm, places=("x", "normalized_shape", "weight", "eps"),
             means=lambda normalized_shape, eps: f"x * rsqrt(mean(x**2, dim={_dims(normalized_shape)}, keepdim=True) + eps) * weight",
             note="over the last dimension, or as many as normalized_shape has; torch's own eps is that of the dtype, so it must be written"),
    Function("batch_norm", "x, running_mean:held=0, running_var:held=1, weight=1, bias=0; training=False, momentum=0.1, eps=1e-5",
             torch=_torch_running("batch_norm"), means=_batch_norm, note=f"{_CHANNELS}; in training by the batch's own statistics"),
    Function("instance_norm", "x, running_mean:held=0, running_var:held=1, weight=1, bias=0; use_input_stats=True, momentum=0.1, eps=1e-5",
             torch=_torch_running("instance_norm"), means=_instance_norm, note=f"of each channel of each sample; {_CHANNELS}"),
    Function("group_norm", "x, weight=1, bias=0; num_groups, eps=1e-5", torch=_torch_group_norm, places=("x", "num_groups", "weight", "bias", "eps"),
             means=_group_norm, computes=_group_norm_computed, note=_CHANNELS),
    Function("local_response_norm", "x; size, alpha=1e-4, beta=0.75, k=1.0",
             torch=lambda t, x, size, alpha, beta, k: t.nn.functional.local_response_norm(x, size, alpha, beta, k),
             means=lambda size, alpha, beta, k: f"x / (channel_means(x * x, size={_written(size)}) * alpha + k)**beta",
             note="by the squares of the channels nearby: size of them"),
    Function("dropout", "x; training, p=0.5", torch=lambda t, x, training, p: t.nn.functional.dropout(x, p, bool(training)), places=("x", "p", "training"),
             array=_dropout, derivative=_dropout_written, note=f"with training=False or p=0; otherwise {_RANDOM}"),
    *(Function(name, "x; training, p=0.5", torch=_torch_dropout(name), places=("x", "p", "training"), array=_dropout, derivative=_dropout_written,
               note=f"with training=False or p=0; otherwise {_RANDOM}")
      for name in ("dropout1d", "dropout2d", "dropout3d", "alpha_dropout", "feature_alpha_dropout")),
    Function("bilinear", "input1, input2, weight, bias=0", torch=_torch_bilinear, array=_bilinear, note="a matrix of weight for each output"),
    Function("grouped", "x; num_groups=1", helper=True, torch=lambda t, x, num_groups: x.unflatten(1, (num_groups, -1)).flatten(2), array=_grouped,
             note="the channels, dim 1, in groups, and all that belongs to a group as the last dim"),
    Function("shaped_like", "x, other:held", helper=True, torch=lambda t, x, other: x.reshape(other.shape), array=lambda k, x, other: x.reshape(other.shape),
             note="x in the shape of other"),
    Function("channel_means", "x; size=1", helper=True, torch=_torch_channel_means, array=_channel_means,
             note="of the channels, dim 1, around each, as if there were zeros beyond"),
)
# fmt: on
