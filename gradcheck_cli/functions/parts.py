"""Rows that take an array apart, along one of its dims."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from gradcheck_cli.functions.deviations import Elsewhere
from gradcheck_cli.functions.row import CallError, Function
from gradcheck_cli.functions.tensors import axis_of, integer, integers

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def piece_of(name: str, parts: Sequence[Any], piece: Any) -> Any:
    """The part that `piece` counts."""
    if piece is None:
        raise CallError(f"{name} answers several arrays: pick one, as in {name}(...)[0]")
    number = integer("piece", piece)
    if not -len(parts) <= number < len(parts):
        raise IndexError(f"{name} answers {len(parts)} arrays, there is no number {number}")
    return parts[number]


def part_along(x: Any, axis: int, key: Any) -> Any:
    return x[(*(slice(None),) * axis, key, ...)]


def length_of(x: Any, axis: int) -> int:
    if not x.ndim:
        raise ValueError("a number has no dimension to take apart")
    return int(x.shape[axis])


def _select(k: Any, x: Any, dim: Any, index: Any) -> Any:
    axis, place = axis_of(x.ndim, dim), integer("index", index)
    size = length_of(x, axis)
    if not -size <= place < size:
        raise IndexError(f"index {place} is out of range for {size} elements along dim {dim}")
    return part_along(x, axis, place)


def _narrow(k: Any, x: Any, dim: Any, start: Any, length: Any) -> Any:
    axis, first, count = axis_of(x.ndim, dim), integer("start", start), integer("length", length)
    size = length_of(x, axis)
    first += size if first < 0 else 0
    if not 0 <= first <= first + count <= size:
        raise IndexError(f"{count} elements from {start} on are not among {size}")
    return part_along(x, axis, slice(first, first + count))


def _unbind(k: Any, x: Any, dim: Any, piece: Any) -> Any:
    axis = axis_of(x.ndim, dim)
    return piece_of("unbind", [part_along(x, axis, i) for i in range(length_of(x, axis))], piece)


def _parts(x: Any, axis: int, ends: Sequence[int]) -> list[Any]:
    """Pieces of `x` between the ends."""
    return [part_along(x, axis, slice(a, b)) for a, b in pairwise([0, *ends])]


def _split(k: Any, x: Any, split_size_or_sections: Any, dim: Any, piece: Any) -> Any:
    axis, sizes = axis_of(x.ndim, dim), integers("split_size_or_sections", split_size_or_sections)
    size = length_of(x, axis)
    if not isinstance(split_size_or_sections, tuple):
        if sizes[0] < 1:
            raise CallError("a part has at least one element")
        ends = [*range(sizes[0], size, sizes[0]), size]
    else:
        ends = [sum(sizes[: i + 1]) for i in range(len(sizes))]
        if min(sizes, default=0) < 0 or sum(sizes) != size:
            raise ValueError(f"parts of {sizes} elements do not make {size}")
    return piece_of("split", _parts(x, axis, ends), piece)


def _chunk(k: Any, x: Any, chunks: Any, dim: Any, piece: Any) -> Any:
    axis, count = axis_of(x.ndim, dim), integer("chunks", chunks)
    if count < 1:
        raise CallError("there is at least one chunk")
    size = length_of(x, axis)
    step = max(-(-size // count), 1)
    return piece_of("chunk", _parts(x, axis, [*range(step, size, step), size]), piece)


def _tensor_split(k: Any, x: Any, indices_or_sections: Any, dim: Any, piece: Any) -> Any:
    axis, given = axis_of(x.ndim, dim), integers("indices_or_sections", indices_or_sections)
    size = length_of(x, axis)
    if isinstance(indices_or_sections, tuple):
        cuts = [0, *given, size]
        parts = [part_along(x, axis, slice(a, b)) for a, b in pairwise(cuts)]
        return piece_of("tensor_split", parts, piece)
    if given[0] < 1:
        raise CallError("there is at least one part")
    least, more = divmod(size, given[0])
    ends = [least * (i + 1) + min(i + 1, more) for i in range(given[0])]
    return piece_of("tensor_split", _parts(x, axis, ends), piece)


def _split_along(name: str, least: int, axis: Callable[[int], int]) -> dict[str, Any]:
    """hsplit, vsplit and dsplit: equal parts, or between indices, along a dim of their own."""

    def array(k: Any, x: Any, indices_or_sections: Any, piece: Any) -> Any:
        integers("indices_or_sections", indices_or_sections)
        if piece is not None:
            integer("piece", piece)
        if x.ndim < least:
            raise ValueError(f"{name} takes at least {least} dimensions, not {x.ndim}")
        dim, whole = axis(x.ndim), indices_or_sections
        if isinstance(whole, int) and whole > 0 and x.shape[dim] % whole:
            raise ValueError(f"{x.shape[dim]} elements make no {whole} equal parts")
        return _tensor_split(k, x, whole, dim, piece)

    def torch(t: Any, x: Any, indices_or_sections: Any, piece: Any) -> Any:
        return getattr(t, name)(x, indices_or_sections)[piece]

    return {"array": array, "torch": torch}


# fmt: off
ROWS = (
    Function("select", "x; dim, index", torch=lambda t, x, dim, index: t.select(x, dim, index), array=_select),
    Function("narrow", "x; dim, start, length", torch=lambda t, x, dim, start, length: t.narrow(x, dim, start, length),
             array=_narrow, aliases=("narrow_copy",)),
    Function("unbind", "x; dim=0, piece=None", torch=lambda t, x, dim, piece: t.unbind(x, dim)[piece], array=_unbind, aliases=("unstack", "unbind_copy"),
             note="written unbind(x)[0]"),
    Function("split", "x; split_size_or_sections, dim=0, piece=None",
             torch=lambda t, x, split_size_or_sections, dim, piece:
             t.split(x, list(split_size_or_sections) if isinstance(split_size_or_sections, tuple) else split_size_or_sections, dim)[piece], array=_split,
             aliases=("unsafe_split", "split_with_sizes", "split_with_sizes_copy", "unsafe_split_with_sizes"),
             foreign={"np": Elsewhere("tensor_split")}, note="written split(x, 2)[0]: into parts of so many elements"),
    Function("chunk", "x; chunks, dim=0, piece=None", torch=lambda t, x, chunks, dim, piece: t.chunk(x, chunks, dim)[piece], array=_chunk,
             aliases=("unsafe_chunk",), note="written chunk(x, 2)[0]: into so many parts"),
    Function("tensor_split", "x; indices_or_sections, dim=0, piece=None",
             torch=lambda t, x, indices_or_sections, dim, piece: t.tensor_split(x, indices_or_sections, dim)[piece], array=_tensor_split,
             aliases=("array_split",), note="written tensor_split(x, 2)[0]: into so many parts, or at the indices of a tuple"),
    Function("hsplit", "x; indices_or_sections, piece=None", **_split_along("hsplit", 1, lambda ndim: 0 if ndim == 1 else 1), note="written hsplit(x, 2)[0]"),
    Function("vsplit", "x; indices_or_sections, piece=None", **_split_along("vsplit", 2, lambda ndim: 0), note="written vsplit(x, 2)[0]"),
    Function("dsplit", "x; indices_or_sections, piece=None", **_split_along("dsplit", 3, lambda ndim: 2), note="written dsplit(x, 2)[0]"),
)
# fmt: on
