"""Rows that make images of other sizes: by interpolation, or out of channels."""

from __future__ import annotations

import math
import operator
from fractions import Fraction
from functools import reduce
from typing import TYPE_CHECKING, Any

from gradcheck_cli.functions.row import CallError, Function
from gradcheck_cli.functions.tensors import flag, integer
from gradcheck_cli.functions.windows import adapted, mean_of, output_sizes

if TYPE_CHECKING:
    from collections.abc import Callable

# The dims that each mode runs over, those of samples and channels not counted.
_LINEAR = {"linear": 1, "bilinear": 2, "trilinear": 3}
_MODES = ("nearest", "nearest-exact", "area", *_LINEAR, "bicubic")
# Keys' cubic convolution (1981), with ATen's constant.
_CUBIC = Fraction(-3, 4)


def _sizes(x: Any, size: Any, scale_factor: Any, mode: str) -> tuple[list[int], list[Fraction]]:
    """Of each dim how many elements there are to be, and how many of x's one of them takes."""
    old = x.shape[2:]
    if (size is None) == (scale_factor is None):
        raise CallError("interpolate takes a size or a scale_factor")
    if size is not None:
        new = output_sizes("size", size, old)
        return new, [Fraction(n, m) for n, m in zip(old, new, strict=True)]
    given = scale_factor if isinstance(scale_factor, tuple) else (scale_factor,) * len(old)
    if len(given) != len(old) or not all(
        isinstance(s, int | float | Fraction) and not isinstance(s, bool) and s > 0 for s in given
    ):
        raise CallError(f"scale_factor is a number above 0, or {len(old)}, not {scale_factor}")
    scales = [Fraction(s) for s in given]
    new = [math.floor(n * s) for n, s in zip(old, scales, strict=True)]
    if min(new) < 1 and mode != "area":
        raise ValueError(f"nothing is left of {old} by a scale of {scale_factor}")
    return new, [1 / s for s in scales]


def _interpolated(
    k: Any, x: Any, size: Any, scale_factor: Any, mode: Any, align_corners: Any
) -> Any:
    if mode not in _MODES:
        raise CallError(f"mode is {', '.join(map(repr, _MODES))}, not {mode!r}")
    count = 2 if mode == "bicubic" else _LINEAR.get(mode)
    if align_corners is not None and not count:
        raise CallError(f"align_corners is for linear modes, not {mode!r}")
    if not 3 <= x.ndim <= 5 or (count and x.ndim != count + 2):
        wanted = f"{count + 2} dimensions" if count else "from 3 to 5 dimensions"
        raise ValueError(f"mode {mode!r} takes {wanted}, not {x.ndim}")
    new, steps = _sizes(x, size, scale_factor, mode)
    if mode == "area":
        return adapted(k, x, new, mean_of)
    corners = flag("align_corners", align_corners)
    for axis, (length, step) in enumerate(zip(new, steps, strict=True), start=2):
        places = [_shares(mode, i, x.shape[axis], length, step, corners) for i in range(length)]
        x = _mixed(k, x, axis, places)
    return x


def _mixed(k: Any, x: Any, axis: int, places: list[dict[int, Fraction]]) -> Any:
    """Along a dim sums of elements, each times its share."""
    held = k.np.moveaxis(x, axis, 0)
    rows = [
        reduce(
            operator.add,
            (held[i] if share == 1 else held[i] * k.number(share) for i, share in shares.items()),
        )
        for shares in places
    ]
    return k.np.moveaxis(k.np.stack(rows), 0, axis)


def _shares(
    mode: str, place: int, size: int, wanted: int, step: Fraction, corners: bool
) -> dict[int, Fraction]:
    """What each element of a dim counts for at a place of the new one."""
    if mode.startswith("nearest"):
        middle = Fraction(1, 2) if mode == "nearest-exact" else 0
        return {min(math.floor((place + middle) * step), size - 1): Fraction(1)}
    if corners:
        at = Fraction(place * (size - 1), wanted - 1) if wanted > 1 else Fraction(0)
    else:
        at = (place + Fraction(1, 2)) * step - Fraction(1, 2)
    if mode != "bicubic":
        at = max(at, Fraction(0))
    first = math.floor(at)
    t = at - first
    weights = _cubic(t) if mode == "bicubic" else {0: 1 - t, 1: t}
    found: dict[int, Fraction] = {}
    for offset, weight in weights.items():
        i = min(max(first + offset, 0), size - 1)
        if weight:
            found[i] = found.get(i, Fraction(0)) + weight
    return found


def _cubic(t: Fraction) -> dict[int, Fraction]:
    def near(s: Fraction) -> Fraction:
        return ((_CUBIC + 2) * s - (_CUBIC + 3)) * s * s + 1

    def far(s: Fraction) -> Fraction:
        return ((_CUBIC * s - 5 * _CUBIC) * s + 8 * _CUBIC) * s - 4 * _CUBIC

    return {-1: far(t + 1), 0: near(t), 1: near(1 - t), 2: far(2 - t)}


def _torch_interpolated(
    t: Any, x: Any, size: Any, scale_factor: Any, mode: Any, align_corners: Any
) -> Any:
    return t.nn.functional.interpolate(x, size, scale_factor, mode, align_corners)


def _upsampled(mode: Callable[[int], str], corners: Any) -> Callable[..., Any]:
    def array(k: Any, x: Any, size: Any, scale_factor: Any) -> Any:
        return _interpolated(k, x, size, scale_factor, mode(x.ndim), corners)

    return array


def _torch_upsampled(name: str) -> Callable[..., Any]:
    return lambda t, x, size, scale_factor: getattr(t.nn.functional, name)(x, size, scale_factor)


def _factor(name: str, value: Any) -> int:
    factor = integer(name, value)
    if factor < 1:
        raise CallError(f"{name} is from 1 on, not {factor}")
    return factor


def _images(name: str, x: Any) -> Any:
    """As (all before, channels, height, width)."""
    if x.ndim < 3:
        raise ValueError(f"{name} takes three dimensions at least, not {x.ndim}")
    return x.reshape(math.prod(x.shape[:-3]), *x.shape[-3:])


def _shuffled(k: Any, x: Any, upscale_factor: Any) -> Any:
    r = _factor("upscale_factor", upscale_factor)
    held = _images("pixel_shuffle", x)
    _, c, h, w = held.shape
    if c % (r * r):
        raise ValueError(f"{c} channels are no multiple of {r * r}")
    held = held.reshape(-1, c // (r * r), r, r, h, w).transpose(0, 1, 4, 2, 5, 3)
    return held.reshape(*x.shape[:-3], c // (r * r), h * r, w * r)


def _unshuffled(k: Any, x: Any, downscale_factor: Any) -> Any:
    r = _factor("downscale_factor", downscale_factor)
    held = _images("pixel_unshuffle", x)
    _, c, h, w = held.shape
    if h % r or w % r:
        raise ValueError(f"{h} times {w} pixels are no multiple of {r}")
    held = held.reshape(-1, c, h // r, r, w // r, r).transpose(0, 1, 3, 5, 2, 4)
    return held.reshape(*x.shape[:-3], c * r * r, h // r, w // r)


def _channels_shuffled(k: Any, x: Any, groups: Any) -> Any:
    many = _factor("groups", groups)
    if x.ndim < 3 or x.shape[1] % many:
        raise ValueError(f"three dimensions at least are needed, and channels in {many} groups")
    held = x.reshape(x.shape[0], many, -1, *x.shape[2:])
    return k.np.swapaxes(held, 1, 2).reshape(x.shape)


# fmt: off
_SIZED = "x; size=None, scale_factor=None"

ROWS = (
    Function("interpolate", f"{_SIZED}, mode='nearest', align_corners=None", torch=_torch_interpolated, array=_interpolated,
             foreign={"sympy": "sympy.interpolate(data, x) is a polynomial through points, this language's interpolate another size of an image"},
             note="the dims behind samples and channels; size or scale_factor"),
    Function("upsample_nearest", _SIZED, torch=_torch_upsampled("upsample_nearest"), array=_upsampled(lambda ndim: "nearest", None)),
    Function("upsample_bilinear", _SIZED, torch=_torch_upsampled("upsample_bilinear"), array=_upsampled(lambda ndim: "bilinear", True),
             note="with aligned corners"),
    Function("pixel_shuffle", "x; upscale_factor", moves=True, torch=lambda t, x, upscale_factor: t.pixel_shuffle(x, upscale_factor),
             array=_shuffled),
    Function("pixel_unshuffle", "x; downscale_factor", moves=True, torch=lambda t, x, downscale_factor: t.pixel_unshuffle(x, downscale_factor),
             array=_unshuffled),
    Function("channel_shuffle", "x; groups", moves=True, torch=lambda t, x, groups: t.channel_shuffle(x, groups), array=_channels_shuffled),
)
# fmt: on
