"""Rows that slide a window over the last dims and fold what is in it: pools."""

from __future__ import annotations

import math
import operator
from itertools import product
from typing import TYPE_CHECKING, Any

from gradcheck_cli.functions.row import CallError, Function
from gradcheck_cli.functions.tensors import fill, flag, integer, integers

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def each(name: str, value: Any, count: int, least: int) -> tuple[int, ...]:
    """An integer for each dim that is slid over."""
    given = integers(name, value)
    given = given * count if len(given) == 1 else given
    if len(given) != count or min(given) < least:
        raise CallError(f"{name} is one integer or {count}, from {least} on, not {value}")
    return given


class Slide:
    """Where a window begins along one dim, and which elements of it are there."""

    def __init__(self, size: int, kernel: int, stride: int, padding: int, dilation: int) -> None:
        self.size, self.kernel, self.stride = size, kernel, stride
        self.padding, self.dilation = padding, dilation
        self.reach = dilation * (kernel - 1) + 1

    def count(self, *, ceil: bool = False) -> int:
        """How many places there are; with `ceil` one that is not filled counts, if it begins
        before the padding behind.
        """
        room = self.size + 2 * self.padding - self.reach
        if room < 0 and not (ceil and room + self.stride > 0):
            raise ValueError(f"a window of {self.kernel} does not fit into {self.size}")
        if not ceil:
            return room // self.stride + 1
        found = -(-room // self.stride) + 1
        return found - 1 if (found - 1) * self.stride >= self.size + self.padding else found

    def inside(self, place: int) -> list[tuple[int, int]]:
        """Of the window at a place each element that is there: where in the window, where in x."""
        first = place * self.stride - self.padding
        pairs = ((o, first + o * self.dilation) for o in range(self.kernel))
        return [(o, i) for o, i in pairs if 0 <= i < self.size]

    def padded(self, place: int) -> int:
        """How many elements the window at a place has, those of the padding counted."""
        first = place * self.stride - self.padding
        return min(first + self.kernel, self.size + self.padding) - first


def ranked(name: str, x: Any, count: int) -> None:
    """Refuse arrays of other dimensions than channels, or samples of them, before the last ones."""
    if x.ndim not in (count + 1, count + 2):
        raise ValueError(f"{name} takes {count + 1} or {count + 2} dimensions, not {x.ndim}")


def folded(k: Any, x: Any, parts: Sequence[Sequence[Any]], fold: Callable[..., Any]) -> Any:
    """Along each of the last dims a list of what belongs to each place; `fold` makes a number of
    each row of elements, and is given rows of one length.
    """
    lead, shape = x.shape[: -len(parts)], tuple(map(len, parts))
    rows = [
        [one[at] for at in product(*map(operator.getitem, parts, place))]
        for one in x.reshape(math.prod(lead), *x.shape[-len(parts) :])
        for place in k.np.ndindex(*shape)
    ]
    if not all(rows):
        raise ValueError("a window holds no element at all")
    found: list[Any] = [None] * len(rows)
    for length in sorted({*map(len, rows)}):
        places = [i for i, row in enumerate(rows) if len(row) == length]
        elements = [scalar for i in places for scalar in rows[i]]
        scalars = fold(k, fill(k, (len(places), length), elements))
        for i, scalar in zip(places, scalars, strict=True):
            found[i] = scalar
    return fill(k, (*lead, *shape), found)


def _slides(x: Any, count: int, kernel_size: Any, stride: Any, *more: Any) -> list[Slide]:
    """The windows of a pool, which half of them at most may leave."""
    kernel = each("kernel_size", kernel_size, count, 1)
    steps = kernel if stride is None or stride == () else each("stride", stride, count, 1)
    padding, dilation = (
        each(name, value, count, least)
        for name, value, least in zip(("padding", "dilation"), more, (0, 1), strict=True)
    )
    if any(2 * p > n for p, n in zip(padding, kernel, strict=True)):
        raise CallError(f"padding is at most half of the kernel of {kernel_size}")
    return [Slide(*given) for given in zip(x, kernel, steps, padding, dilation, strict=True)]


def _max_pool(name: str, count: int) -> dict[str, Any]:
    def array(
        k: Any,
        x: Any,
        kernel_size: Any,
        stride: Any,
        padding: Any,
        dilation: Any,
        ceil_mode: Any,
    ) -> Any:
        slides = _slides(
            x.shape[-count:] if x.ndim > count else (1,) * count,
            count, kernel_size, stride, padding, dilation,
        )  # fmt: skip
        ranked(name, x, count)
        ceil = flag("ceil_mode", ceil_mode)
        parts = [[[i for _, i in s.inside(p)] for p in range(s.count(ceil=ceil))] for s in slides]
        return folded(k, x, parts, greatest)

    return {"array": array, "torch": _functional(name)}


def _avg_pool(name: str, count: int) -> dict[str, Any]:
    def array(
        k: Any,
        x: Any,
        kernel_size: Any,
        stride: Any,
        padding: Any,
        ceil_mode: Any,
        count_include_pad: Any,
    ) -> Any:
        sizes = x.shape[-count:] if x.ndim > count else (1,) * count
        slides = _slides(sizes, count, kernel_size, stride, padding, 1)
        ranked(name, x, count)
        ceil = flag("ceil_mode", ceil_mode)
        with_padding = flag("count_include_pad", count_include_pad)
        parts = [[[i for _, i in s.inside(p)] for p in range(s.count(ceil=ceil))] for s in slides]
        if not with_padding:
            return folded(k, x, parts, mean_of)
        sums = folded(k, x, parts, lambda k, rows: k.totals(rows))
        padded = (
            [s.padded(p) for p in range(len(ps))] for s, ps in zip(slides, parts, strict=True)
        )
        sizes = [k.number(math.prod(each_dim)) for each_dim in product(*padded)]
        return k.elementwise("div", sums, fill(k, sums.shape[-count:], sizes))

    return {"array": array, "torch": _functional(name)}


def _functional(name: str) -> Callable[..., Any]:
    return lambda t, x, **settings: getattr(t.nn.functional, name)(x, **settings)


def greatest(k: Any, rows: Any) -> Any:
    """The largest of each row."""
    return k.extremes("maximum", rows)


def mean_of(k: Any, rows: Any) -> Any:
    """The mean of each row."""
    return k.elementwise("div", fill(k, (len(rows),), k.totals(rows)), k.number(rows.shape[1]))


def output_sizes(name: str, output_size: Any, sizes: Sequence[int]) -> list[int]:
    """A size for each of the last dims; None leaves it what it is."""
    given = output_size if isinstance(output_size, tuple) else (output_size,) * len(sizes)
    if len(given) != len(sizes):
        raise CallError(f"{name} is one integer or {len(sizes)}, not {output_size}")
    found = [n if g is None else integer(name, g) for g, n in zip(given, sizes, strict=True)]
    if min(found) < 1:
        raise CallError(f"{name} is from 1 on, not {output_size}")
    return found


def _adaptive(name: str, count: int, fold: Callable[..., Any]) -> dict[str, Any]:
    def array(k: Any, x: Any, output_size: Any) -> Any:
        ranked(name, x, count)
        wanted = output_sizes("output_size", output_size, x.shape[-count:])
        return adapted(k, x, wanted, fold)

    return {"array": array, "torch": _functional(name)}


def adapted(k: Any, x: Any, wanted: Sequence[int], fold: Callable[..., Any]) -> Any:
    """So many parts along each of the last dims, as even as they can be; neighbours may overlap."""
    parts = [
        [range(i * n // m, -(-(i + 1) * n // m)) for i in range(m)]
        for n, m in zip(x.shape[-len(wanted) :], wanted, strict=True)
    ]
    return folded(k, x, parts, fold)


# fmt: off
_POOL = "x; kernel_size, stride=None, padding=0"
_MAX, _AVG = f"{_POOL}, dilation=1, ceil_mode=False", f"{_POOL}, ceil_mode=False, count_include_pad=True"
_PARTS = "of as many even parts as output_size says along each dim"

_PAIRED = {"torch": "torch.adaptive_max_pool1d(x, n) answers values and indices: write F.adaptive_max_pool1d(x, n)"}

ROWS = (
    *(Function(f"max_pool{n}d", _MAX, **_max_pool(f"max_pool{n}d", n)) for n in (1, 2, 3)),
    *(Function(f"avg_pool{n}d", _AVG, **_avg_pool(f"avg_pool{n}d", n)) for n in (1, 2, 3)),
    *(Function(f"adaptive_max_pool{n}d", "x; output_size", **_adaptive(f"adaptive_max_pool{n}d", n, greatest), foreign=_PAIRED if n == 1 else {},
               note=f"the largest {_PARTS}")
      for n in (1, 2, 3)),
    *(Function(f"adaptive_avg_pool{n}d", "x; output_size", **_adaptive(f"adaptive_avg_pool{n}d", n, mean_of), note=f"the mean {_PARTS}")
      for n in (1, 2, 3)),
)
# fmt: on
