"""Rows of convolutions, and of those that are transposed."""

from __future__ import annotations

import operator
from functools import reduce
from typing import TYPE_CHECKING, Any

from gradcheck_cli.functions.row import CallError, Function
from gradcheck_cli.functions.tensors import fill
from gradcheck_cli.functions.windows import Slide, each, ranked

if TYPE_CHECKING:
    from collections.abc import Callable


class Sums:
    """Products that belong to each element of a result, in the order in which they come."""

    def __init__(self, shape: tuple[int, ...], first: Callable[[int], Any]) -> None:
        self.shape, self.first = shape, first
        self.at: dict[tuple[int, ...], list[Any]] = {}

    def add(self, place: tuple[int, ...], product: Any) -> None:
        self.at.setdefault(place, []).append(product)

    def sums(self, k: Any) -> Any:
        """With the bias of each channel, dim 1."""
        found = []
        for place in k.np.ndindex(*self.shape):
            terms = [*self.at.get(place, ()), *self.first(place[1])]
            found.append(reduce(operator.add, terms) if terms else k.number(0))
        return fill(k, self.shape, found)


def _biases(bias: Any, outputs: int) -> Callable[[int], list[Any]]:
    """What is added to each channel: nothing where the bias is no array."""
    if bias.ndim and bias.shape != (outputs,):
        raise ValueError(f"a bias for each of {outputs} channels is needed, not {bias.shape}")
    return lambda channel: [bias[channel] if bias.ndim else bias.item()]


def _paddings(
    padding: Any, kernel: tuple[int, ...], stride: Any, dilation: tuple[int, ...]
) -> list[tuple[int, int]]:
    """Before and behind each dim."""
    if padding == "valid":
        return [(0, 0)] * len(kernel)
    if padding == "same":
        if set(stride) != {1}:
            raise CallError("padding='same' is for a stride of 1")
        more = [d * (n - 1) for n, d in zip(kernel, dilation, strict=True)]
        return [(n // 2, n - n // 2) for n in more]
    if isinstance(padding, str):
        raise CallError(f"padding is an integer, 'same' or 'valid', not {padding!r}")
    return [(p, p) for p in each("padding", padding, len(kernel), 0)]


def _settled(count: int, groups: Any, stride: Any, dilation: Any) -> tuple[int, Any, Any]:
    (many,) = each("groups", groups, 1, 1)
    return many, each("stride", stride, count, 1), each("dilation", dilation, count, 1)


def _batch(name: str, count: int, x: Any, weight: Any) -> Any:
    """Samples of channels; of a single one a batch of 1."""
    ranked(name, x, count)
    if weight.ndim != count + 2:
        raise ValueError(f"{name} takes weights of {count + 2} dimensions, not {weight.ndim}")
    return x if x.ndim == count + 2 else x[None]


def _convolution(name: str, count: int) -> dict[str, Any]:
    def array(
        k: Any,
        x: Any,
        weight: Any,
        bias: Any,
        stride: Any,
        padding: Any,
        dilation: Any,
        groups: Any,
    ) -> Any:
        many, steps, gaps = _settled(count, groups, stride, dilation)
        if not isinstance(padding, str):
            each("padding", padding, count, 0)
        batch = _batch(name, count, x, weight)
        outputs, inputs = weight.shape[:2]
        if batch.shape[1] != inputs * many or outputs % many:
            raise ValueError(
                f"{batch.shape[1]} channels do not fit {weight.shape} in {many} groups"
            )
        kernel = weight.shape[2:]
        pads = _paddings(padding, kernel, steps, gaps)
        held = [(0, 0), (0, 0), *pads]
        batch = k.np.pad(batch, held, constant_values=k.np.array(None, dtype=object))
        slides = [
            Slide(size, width, step, 0, gap)
            for size, width, step, gap in zip(batch.shape[2:], kernel, steps, gaps, strict=True)
        ]
        shape = (len(batch), outputs, *(slide.count() for slide in slides))
        terms = Sums(shape, _biases(bias, outputs))
        for place in k.np.ndindex(*shape):
            first = place[1] // (outputs // many) * inputs
            for c, *offset in k.np.ndindex(inputs, *kernel):
                at = (
                    p * s.stride + o * s.dilation
                    for p, o, s in zip(place[2:], offset, slides, strict=True)
                )
                scalar = batch[(place[0], first + c, *at)]
                if scalar is not None:
                    terms.add(place, scalar * weight[(place[1], c, *offset)])
        y = terms.sums(k)
        return y if x.ndim == count + 2 else y[0]

    return {"array": array, "torch": _torch(name, 0)}


def _transposed(name: str, count: int) -> dict[str, Any]:
    def array(
        k: Any,
        x: Any,
        weight: Any,
        bias: Any,
        stride: Any,
        padding: Any,
        output_padding: Any,
        groups: Any,
        dilation: Any,
    ) -> Any:
        many, steps, gaps = _settled(count, groups, stride, dilation)
        pads = each("padding", padding, count, 0)
        more = each("output_padding", output_padding, count, 0)
        batch = _batch(name, count, x, weight)
        inputs, each_group = weight.shape[:2]
        if batch.shape[1] != inputs or inputs % many:
            raise ValueError(
                f"{batch.shape[1]} channels do not fit {weight.shape} in {many} groups"
            )
        if any(m >= max(s, d) for m, s, d in zip(more, steps, gaps, strict=True)):
            raise CallError("output_padding is smaller than the stride or the dilation")
        kernel = weight.shape[2:]
        sizes = [
            (n - 1) * s - 2 * p + d * (size - 1) + m + 1
            for n, s, p, d, size, m in zip(
                batch.shape[2:], steps, pads, gaps, kernel, more, strict=True
            )
        ]
        if min(sizes) < 1:
            raise ValueError(f"nothing is left of {batch.shape[2:]} by a padding of {padding}")
        shape = (len(batch), each_group * many, *sizes)
        terms = Sums(shape, _biases(bias, shape[1]))
        for sample, channel, *start in k.np.ndindex(*batch.shape):
            first = channel // (inputs // many) * each_group
            scalar = batch[(sample, channel, *start)]
            for c, *offset in k.np.ndindex(each_group, *kernel):
                at = [
                    i * s - p + o * d
                    for i, s, p, o, d in zip(start, steps, pads, offset, gaps, strict=True)
                ]
                if all(0 <= i < n for i, n in zip(at, sizes, strict=True)):
                    terms.add((sample, first + c, *at), scalar * weight[(channel, c, *offset)])
        y = terms.sums(k)
        return y if x.ndim == count + 2 else y[0]

    return {"array": array, "torch": _torch(name, 1)}


def _torch(name: str, outputs: int) -> Callable[..., Any]:
    """torch's function; a bias that is a number is one for every channel."""

    def call(t: Any, x: Any, weight: Any, bias: Any, **settings: Any) -> Any:
        channels = weight.shape[outputs] * (settings["groups"] if outputs else 1)
        each_bias = bias if bias.dim() else bias.expand(channels).contiguous()
        return getattr(t.nn.functional, name)(x, weight, each_bias, **settings)

    return call


# fmt: off
_PLAIN = "x, weight, bias=0; stride=1, padding=0, dilation=1, groups=1"
_BACK = "x, weight, bias=0; stride=1, padding=0, output_padding=0, groups=1, dilation=1"

ROWS = (
    *(Function(f"conv{n}d", _PLAIN, **_convolution(f"conv{n}d", n), note="padding may be 'same' or 'valid'") for n in (1, 2, 3)),
    *(Function(f"conv_transpose{n}d", _BACK, **_transposed(f"conv_transpose{n}d", n)) for n in (1, 2, 3)),
)
# fmt: on
