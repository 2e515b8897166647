"""Rows of convolutions, and of those that are transposed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gradcheck_cli.functions.row import CallError, Function
from gradcheck_cli.functions.windows import Slide, each, ranked

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def _biases(bias: Any, outputs: int) -> Any:
    """What is added to each channel."""
    if bias.ndim and bias.shape != (outputs,):
        raise ValueError(f"a bias for each of {outputs} channels is needed, not {bias.shape}")
    return bias if bias.ndim else bias.reshape(1).repeat(outputs)


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


def _padded(k: Any, batch: Any, pads: Sequence[tuple[int, int]]) -> Any:
    """Samples with holes around them, or less of them where it is less than nothing."""
    around = [(0, 0), (0, 0), *((max(a, 0), max(b, 0)) for a, b in pads)]
    wide = k.np.pad(batch, around, constant_values=k.np.array(k.hole, dtype=object))
    ends = ((max(-a, 0), n - max(-b, 0)) for (a, b), n in zip(pads, wide.shape[2:], strict=True))
    return wide[(..., *(slice(*pair) for pair in ends))]


def _slid(
    k: Any, batch: Any, weight: Any, biases: Any, steps: Sequence[int], gaps: Sequence[int]
) -> Any:
    """The weighted sums of the windows of padded samples.

    Args:
        weight: of each group the outputs, the inputs and the kernel.
    """
    groups, outputs, inputs, *kernel = weight.shape
    for size, width, gap in zip(batch.shape[2:], kernel, gaps, strict=True):
        Slide(size, width, 1, 0, gap).count()  # raises where it does not fit
    dims = range(2, batch.ndim)
    reach = [gap * (width - 1) + 1 for width, gap in zip(kernel, gaps, strict=True)]
    windows = k.np.lib.stride_tricks.sliding_window_view(batch, reach, axis=tuple(dims))
    windows = windows[(..., *(slice(None, None, n) for n in (*steps, *gaps)))]
    # Of each group samples, places, inputs, kernel.
    windows = windows.reshape(len(batch), groups, inputs, *windows.shape[2:])
    windows = k.np.moveaxis(windows, (1, 2), (0, 1 + batch.ndim - 2 + 1))
    found = [
        k.weighted(windows[g], weight[g], biases[g * outputs : (g + 1) * outputs])
        for g in range(groups)
    ]
    return k.np.moveaxis(k.np.concatenate(found, axis=-1), -1, 1)


def _grouped(weight: Any, many: int, *, turned: bool) -> Any:
    """Weights with the groups first: of each its outputs, its inputs and the kernel.

    Args:
        turned: they are stated with the inputs first, and meet an input from its other end.
    """
    weight = weight.reshape(many, len(weight) // many, *weight.shape[1:])
    if not turned:
        return weight
    return weight.swapaxes(1, 2)[(..., *[slice(None, None, -1)] * (weight.ndim - 3))]


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
        pads = _paddings(padding, weight.shape[2:], steps, gaps)
        biases, grouped = _biases(bias, outputs), _grouped(weight, many, turned=False)
        y = _slid(k, _padded(k, batch, pads), grouped, biases, steps, gaps)
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
        around = each("padding", padding, count, 0)
        more = each("output_padding", output_padding, count, 0)
        batch = _batch(name, count, x, weight)
        inputs, each_group, *kernel = weight.shape
        if batch.shape[1] != inputs or inputs % many:
            raise ValueError(
                f"{batch.shape[1]} channels do not fit {weight.shape} in {many} groups"
            )
        if any(m >= max(s, d) for m, s, d in zip(more, steps, gaps, strict=True)):
            raise CallError("output_padding is smaller than the stride or the dilation")
        reach = [d * (n - 1) for d, n in zip(gaps, kernel, strict=True)]
        pads = [(r - p, r - p + m) for r, p, m in zip(reach, around, more, strict=True)]
        spread = _spread(k, batch, steps)
        sizes = (n + a + b - r for n, (a, b), r in zip(spread.shape[2:], pads, reach, strict=True))
        if min(sizes) < 1:
            raise ValueError(f"nothing is left of {batch.shape[2:]} by a padding of {padding}")
        biases = _biases(bias, each_group * many)
        grouped = _grouped(weight, many, turned=True)
        y = _slid(k, _padded(k, spread, pads), grouped, biases, (1,) * count, gaps)
        return y if x.ndim == count + 2 else y[0]

    return {"array": array, "torch": _torch(name, 1)}


def _spread(k: Any, batch: Any, steps: Sequence[int]) -> Any:
    """Samples with holes between their elements: one element every so many."""
    sizes = [(n - 1) * s + 1 for n, s in zip(batch.shape[2:], steps, strict=True)]
    found = k.np.full((*batch.shape[:2], *sizes), k.np.array(k.hole, dtype=object))
    found[(..., *(slice(None, None, s) for s in steps))] = batch
    return found


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
