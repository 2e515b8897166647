"""Rows that slide a window over the last dims: pools and convolutions."""

from __future__ import annotations

import math
import operator
from functools import reduce
from typing import TYPE_CHECKING, Any

from gradcheck_cli.functions.deviations import Elsewhere
from gradcheck_cli.functions.row import CallError, Function
from gradcheck_cli.functions.tensors import fill, integers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def _each(name: str, value: Any, count: int, least: int) -> tuple[int, ...]:
    """An integer for each dim that is slid over."""
    given = integers(name, value)
    given = given * count if len(given) == 1 else given
    if len(given) != count or min(given) < least:
        raise CallError(f"{name} is one integer or {count}, from {least} on, not {value}")
    return given


def _checked(count: int, stride: Any, padding: Any, dilation: Any) -> None:
    """Settings before shapes: what is wrong in itself fits nothing."""
    if stride is not None:
        _each("stride", stride, count, 1)
    _each("padding", padding, count, 0)
    _each("dilation", dilation, count, 1)


class _Window:
    """Where a window goes along the last dims."""

    def __init__(self, k: Any, sizes: tuple[int, ...], kernel: tuple[int, ...], *how: Any) -> None:
        self.np, self.sizes, self.kernel = k.np, sizes, kernel
        stride, padding, dilation = how
        count = len(sizes)
        self.stride = kernel if stride is None else _each("stride", stride, count, 1)
        self.padding = _each("padding", padding, count, 0)
        self.dilation = _each("dilation", dilation, count, 1)
        reach = [d * (n - 1) + 1 for d, n in zip(self.dilation, kernel, strict=True)]
        room = [n + 2 * p - r for n, p, r in zip(sizes, self.padding, reach, strict=True)]
        if min(room) < 0:
            raise ValueError(f"a window of {kernel} does not fit into {sizes}")
        self.shape = tuple(n // s + 1 for n, s in zip(room, self.stride, strict=True))

    def places(
        self,
    ) -> Iterator[tuple[tuple[int, ...], list[tuple[tuple[int, ...], tuple[int, ...]]]]]:
        """Each place of the window, with the elements in it: where in the window, where in x."""
        for place in self.np.ndindex(*self.shape):
            inside = []
            for offset in self.np.ndindex(*self.kernel):
                at = tuple(
                    p * s - pad + o * d
                    for p, s, pad, o, d in zip(
                        place, self.stride, self.padding, offset, self.dilation, strict=True
                    )
                )
                if all(0 <= i < n for i, n in zip(at, self.sizes, strict=True)):
                    inside.append((offset, at))
            yield place, inside


def _pool(name: str, count: int, fold: Callable[[Any, list[Any], int], Any]) -> Callable[..., Any]:
    def array(
        k: Any, x: Any, kernel_size: Any, stride: Any, padding: Any, dilation: Any = 1
    ) -> Any:
        kernel = _each("kernel_size", kernel_size, count, 1)
        _checked(count, stride, padding, dilation)
        if x.ndim not in (count + 1, count + 2):
            raise ValueError(f"{name} takes {count + 1} or {count + 2} dimensions, not {x.ndim}")
        window = _Window(k, x.shape[-count:], kernel, stride, padding, dilation)
        if any(2 * p > n for p, n in zip(window.padding, kernel, strict=True)):
            raise CallError(f"padding is at most half of the kernel of {kernel_size}")
        lead = x.shape[:-count]
        found = []
        for one in x.reshape(math.prod(lead), *x.shape[-count:]):
            found += [
                fold(k, [one[at] for _, at in inside], math.prod(kernel))
                for _, inside in window.places()
            ]
        return fill(k, (*lead, *window.shape), found)

    return array


def _largest(k: Any, scalars: list[Any], size: int) -> Any:
    if not scalars:
        raise ValueError("a window holds no element at all")
    return reduce(lambda a, b: k.call("maximum", a, b), scalars)


def _mean(k: Any, scalars: list[Any], size: int) -> Any:
    return reduce(operator.add, scalars) / size


def _convolution(name: str, count: int) -> Callable[..., Any]:
    def array(
        k: Any, x: Any, weight: Any, stride: Any, padding: Any, dilation: Any, groups: Any
    ) -> Any:
        (many,) = _each("groups", groups, 1, 1)
        _checked(count, stride, padding, dilation)
        if weight.ndim != count + 2 or x.ndim not in (count + 1, count + 2):
            raise ValueError(f"{name} takes {count + 2} dimensions, not {x.ndim} and {weight.ndim}")
        batch = x if x.ndim == count + 2 else x[None]
        outputs, each = weight.shape[0], weight.shape[1]
        if batch.shape[1] != each * many or outputs % many:
            raise ValueError(
                f"{batch.shape[1]} channels do not fit {weight.shape} in {many} groups"
            )
        window = _Window(k, batch.shape[2:], weight.shape[2:], stride, padding, dilation)
        found = []
        for one in batch:
            for o in range(outputs):
                first = o // (outputs // many) * each
                for _, inside in window.places():
                    terms = [
                        one[(first + c, *at)] * weight[(o, c, *offset)]
                        for c in range(each)
                        for offset, at in inside
                    ]
                    found.append(reduce(operator.add, terms) if terms else k.number(0))
        y = fill(k, (len(batch), outputs, *window.shape), found)
        return y if x.ndim == count + 2 else y[0]

    return array


# fmt: off
# Behind the two tensors torch has the bias.
_NAMED = dict.fromkeys(("torch", "torch.nn.functional"), Elsewhere(named=("stride", "padding", "dilation", "groups")))
_POOLS = "x; kernel_size, stride=None, padding=0"

ROWS = (
    Function("max_pool1d", f"{_POOLS}, dilation=1", torch=lambda t, x, **settings: t.nn.functional.max_pool1d(x, **settings),
             array=_pool("max_pool1d", 1, _largest)),
    Function("max_pool2d", f"{_POOLS}, dilation=1", torch=lambda t, x, **settings: t.nn.functional.max_pool2d(x, **settings),
             array=_pool("max_pool2d", 2, _largest)),
    Function("avg_pool1d", _POOLS, torch=lambda t, x, **settings: t.nn.functional.avg_pool1d(x, **settings), array=_pool("avg_pool1d", 1, _mean)),
    Function("avg_pool2d", _POOLS, torch=lambda t, x, **settings: t.nn.functional.avg_pool2d(x, **settings), array=_pool("avg_pool2d", 2, _mean)),
    Function("conv1d", "x, weight; stride=1, padding=0, dilation=1, groups=1",
             torch=lambda t, x, weight, **settings: t.nn.functional.conv1d(x, weight, **settings), array=_convolution("conv1d", 1), foreign=_NAMED,
             note="without a bias: add it as b[:, None]"),
)
# fmt: on
