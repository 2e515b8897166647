"""Rows that put the elements of arrays in other places: copies, turns and arrays made of arrays."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from gradcheck_cli.functions.deviations import Elsewhere
from gradcheck_cli.functions.parts import length_of, part_along, piece_of
from gradcheck_cli.functions.row import CallError, Function
from gradcheck_cli.functions.tensors import axis_of, fill, integer, integers

if TYPE_CHECKING:
    from collections.abc import Callable


def _repeat(k: Any, x: Any, repeats: Any) -> Any:
    counts = integers("repeats", repeats)
    if len(counts) < x.ndim or min(counts, default=0) < 0:
        raise ValueError(f"{counts} is no number of copies for each of {x.ndim} dimensions")
    return k.np.tile(x, counts)


def _repeat_interleave(k: Any, x: Any, repeats: Any, dim: Any) -> Any:
    counts = integers("repeats", repeats)
    x, axis = (x.reshape(-1), 0) if dim is None else (x, axis_of(x.ndim, dim))
    if min(counts, default=0) < 0 or len(counts) not in (1, length_of(x, axis)):
        raise ValueError(f"{counts} is no number of copies for each of {x.shape[axis]} elements")
    return k.np.repeat(x, counts, axis=axis)


def _torch_repeat_interleave(t: Any, x: Any, repeats: Any, dim: Any) -> Any:
    counts = t.tensor(repeats, device=x.device) if isinstance(repeats, tuple) else repeats
    return t.repeat_interleave(x, counts, dim=dim)


def _roll(k: Any, x: Any, shifts: Any, dims: Any) -> Any:
    steps = integers("shifts", shifts)
    if dims is None:
        if len(steps) > 1:
            raise CallError("several shifts need as many dims")
        return k.np.roll(x.reshape(-1), steps[0]).reshape(x.shape) if x.size else x
    axes = tuple(axis_of(x.ndim, d) for d in integers("dims", dims))
    if len(axes) != len(steps):
        raise CallError(f"{len(steps)} shifts need as many dims, not {len(axes)}")
    return k.np.roll(x, steps, axes) if x.ndim else x


def _moved(k: Any, x: Any, source: Any, destination: Any) -> Any:
    start, end = (
        tuple(axis_of(x.ndim, d) for d in integers(name, given))
        for name, given in (("source", source), ("destination", destination))
    )
    if len(start) != len(end) or len(set(start)) < len(start) or len(set(end)) < len(end):
        raise CallError("movedim takes as many destinations as sources, none twice")
    return k.np.moveaxis(x, start, end) if x.ndim else x


def _turned(kit: Any, x: Any, k: Any, dims: Any) -> Any:
    axes = (0, 1) if dims is None else integers("dims", dims)
    first, second = (axis_of(x.ndim, d) for d in axes) if len(axes) == 2 else (0, 0)
    if x.ndim < 2 or first == second:
        raise CallError("rot90 takes two dims of an array that has them")
    return kit.np.rot90(x, integer("k", k), (first, second))


def _mirrored(least: int, axis: int) -> Callable[..., Any]:
    def array(k: Any, x: Any) -> Any:
        if x.ndim < least:
            raise ValueError(f"at least {least} dimensions are needed, not {x.ndim}")
        return k.np.flip(x, axis)

    return array


def _embedded(k: Any, x: Any, offset: Any, dim1: Any, dim2: Any) -> Any:
    shift = integer("offset", offset)
    first, second = axis_of(x.ndim + 1, dim1), axis_of(x.ndim + 1, dim2)
    if not x.ndim or first == second:
        raise ValueError("diag_embed takes a vector, or several, and two dims")
    n = x.shape[-1] + abs(shift)
    out = fill(k, (*x.shape[:-1], n, n), [k.number(0)] * (math.prod(x.shape[:-1]) * n * n))
    for i in range(x.shape[-1]):
        out[..., i + max(-shift, 0), i + max(shift, 0)] = x[..., i]
    return k.np.moveaxis(out, (-2, -1), (first, second))


def _diag(k: Any, x: Any, diagonal: Any) -> Any:
    if x.ndim not in (1, 2):
        raise ValueError(f"diag takes a vector or a matrix, not {x.ndim} dimensions")
    offset = integer("diagonal", diagonal)
    return x.diagonal(offset) if x.ndim == 2 else _embedded(k, x, offset, -2, -1)


def _windows(k: Any, x: Any, dimension: Any, size: Any, step: Any) -> Any:
    axis, width, stride = axis_of(x.ndim, dimension), integer("size", size), integer("step", step)
    length = length_of(x, axis)
    if not 0 <= width <= length or stride < 1:
        raise ValueError(f"windows of {width} every {stride} do not fit into {length} elements")
    starts = range(0, length - width + 1, stride)
    parts = [k.np.moveaxis(part_along(x, axis, slice(s, s + width)), axis, -1) for s in starts]
    return k.np.stack(parts, axis)


def _unflattened(k: Any, x: Any, dim: Any, sizes: Any) -> Any:
    axis = axis_of(x.ndim, dim)
    length, shape = length_of(x, axis), list(integers("sizes", sizes))
    if shape.count(-1) == 1:
        known = -math.prod(shape)
        shape[shape.index(-1)] = length // known if known else 0
    if math.prod(shape) != length or min(shape) < 0:
        raise ValueError(f"{sizes} does not make {length} elements")
    return x.reshape(*x.shape[:axis], *shape, *x.shape[axis + 1 :])


def _mesh(k: Any, *tensors: Any, indexing: Any, piece: Any) -> Any:
    if indexing not in ("ij", "xy"):
        raise CallError(f"indexing is 'ij' or 'xy', not {indexing!r}")
    if piece is not None:
        integer("piece", piece)
    if any(x.ndim > 1 for x in tensors):
        raise ValueError("meshgrid takes vectors and numbers")
    return piece_of("meshgrid", k.np.meshgrid(*tensors, indexing=indexing), piece)


def _blocks(k: Any, *tensors: Any) -> Any:
    if any(x.ndim > 2 for x in tensors):
        raise ValueError("block_diag takes matrices, vectors and numbers")
    parts = [k.np.atleast_2d(x) for x in tensors]
    height, width = (sum(x.shape[i] for x in parts) for i in (0, 1))
    out = fill(k, (height, width), [k.number(0)] * (height * width))
    top, left = 0, 0
    for x in parts:
        out[top : top + x.shape[0], left : left + x.shape[1]] = x
        top, left = top + x.shape[0], left + x.shape[1]
    return out


def _combined(k: Any, *tensors: Any) -> Any:
    if any(x.ndim != 1 for x in tensors):
        raise ValueError("cartesian_prod takes vectors")
    grids = k.np.meshgrid(*tensors, indexing="ij")
    columns = [grid.reshape(-1) for grid in grids]
    return columns[0] if len(columns) == 1 else k.np.stack(columns, 1)


def _stacked(name: str) -> dict[str, Any]:
    """A function of NumPy and torch that stacks arrays."""
    return {
        "array": lambda k, *tensors: getattr(k.np, name)(tensors),
        "torch": lambda t, *tensors: getattr(t, name)(tensors),
    }


def _at_least(name: str) -> dict[str, Any]:
    """The same with as many dimensions at least."""
    return {
        "array": lambda k, x: getattr(k.np, name)(x),
        "torch": lambda t, x: getattr(t, name)(x),
    }


def _sum_to_size(k: Any, x: Any, shape: Any) -> Any:
    sizes = integers("shape", shape)
    new = x.ndim - len(sizes)
    kept = (1,) * new + sizes
    if new < 0 or any(n not in (m, 1) for n, m in zip(kept, x.shape, strict=True)):
        raise ValueError(f"the shape {x.shape} cannot be summed to {sizes}")
    for i, n in enumerate(kept):
        if n == 1 != x.shape[i]:
            x = fill(k, (), [k.number(0)]) + x.sum(axis=i, keepdims=True)
    return x.reshape(sizes)


def _full(k: Any, x: Any, fill_value: Any) -> Any:
    if isinstance(fill_value, bool) or not isinstance(fill_value, int | Fraction):
        raise CallError(f"fill_value is a number, not {fill_value!r}")
    return fill(k, x.shape, [k.number(fill_value)] * x.size)


def _filled(number: int) -> Callable[..., Any]:
    return lambda k, x: fill(k, x.shape, [k.number(number)] * x.size)


# fmt: off
ROWS = (
    Function("repeat", "x; repeats", torch=lambda t, x, repeats: x.repeat(integers("repeats", repeats)), array=_repeat,
             foreign={"np": Elsewhere("repeat_interleave")}, note="copies of x side by side, as many as said for each dim"),
    Function("tile", "x; dims", torch=lambda t, x, dims: t.tile(x, integers("dims", dims)), array=lambda k, x, dims: k.np.tile(x, integers("dims", dims))),
    Function("repeat_interleave", "x; repeats, dim=None", torch=_torch_repeat_interleave, array=_repeat_interleave,
             note="every element so many times; without dim of the flattened x"),
    Function("roll", "x; shifts, dims=None", moves=True, torch=lambda t, x, shifts, dims: t.roll(x, shifts, dims), array=_roll,
             note="without dims of the flattened x, in its old shape"),
    Function("movedim", "x; source, destination", moves=True, torch=lambda t, x, source, destination: t.movedim(x, source, destination), array=_moved,
             aliases=("moveaxis",)),
    Function("fliplr", "x", moves=True, torch=lambda t, x: t.fliplr(x), array=_mirrored(2, 1)),
    Function("flipud", "x", moves=True, torch=lambda t, x: t.flipud(x), array=_mirrored(1, 0)),
    Function("rot90", "x; k=1, dims=None", moves=True, torch=lambda t, x, k, dims: t.rot90(x, k, (0, 1) if dims is None else dims),
             array=_turned, note="a quarter turn, from dim 0 to dim 1 if nothing else is said"),
    Function("diag", "x; diagonal=0", torch=lambda t, x, diagonal: t.diag(x, diagonal), array=_diag,
             foreign={"sympy": "sympy.diag(A, B) is made of blocks: write block_diag(A, B)"}, note="of a vector a matrix, of a matrix its diagonal"),
    Function("diag_embed", "x; offset=0, dim1=-2, dim2=-1", torch=lambda t, x, offset, dim1, dim2: t.diag_embed(x, offset, dim1, dim2), array=_embedded),
    Function("diagflat", "x; offset=0", torch=lambda t, x, offset: t.diagflat(x, offset),
             array=lambda k, x, offset: _embedded(k, x.reshape(-1), offset, -2, -1)),
    Function("unfold", "x; dimension, size, step", torch=lambda t, x, dimension, size, step: x.unfold(dimension, size, step), array=_windows,
             aliases=("unfold_copy",),
             foreign={"torch.nn.functional": "F.unfold(x, kernel_size) takes patches of images, this language's unfold slices of a dim: write x.unfold"},
             note="slices of `size` elements along a dimension, every `step`, as a new last dimension"),
    Function("unflatten", "x; dim, sizes", moves=True, torch=lambda t, x, dim, sizes: t.unflatten(x, dim, integers("sizes", sizes)), array=_unflattened),
    Function("meshgrid", "*tensors; indexing='ij', piece=None",
             torch=lambda t, *tensors, indexing, piece: t.meshgrid(*tensors, indexing=indexing)[piece], array=_mesh,
             foreign={"np": "np.meshgrid(x, y) swaps the first two dims, this language's meshgrid(x, y) does not: write meshgrid(x, y, indexing='xy')[0]"},
             note="written meshgrid(x, y)[0]"),
    Function("block_diag", "*tensors", torch=lambda t, *tensors: t.block_diag(*tensors), array=_blocks),
    Function("cartesian_prod", "*tensors", torch=lambda t, *tensors: t.cartesian_prod(*tensors), array=_combined),
    Function("vstack", "*tensors", **_stacked("vstack"), aliases=("row_stack",)),
    Function("hstack", "*tensors", **_stacked("hstack")),
    Function("dstack", "*tensors", **_stacked("dstack")),
    Function("column_stack", "*tensors", **_stacked("column_stack")),
    Function("atleast_1d", "x", **_at_least("atleast_1d")),
    Function("atleast_2d", "x", **_at_least("atleast_2d")),
    Function("atleast_3d", "x", **_at_least("atleast_3d")),
    Function("sum_to_size", "x; shape", torch=lambda t, x, shape: x.sum_to_size(integers("shape", shape)), array=_sum_to_size,
             note="the sum over the dims along which an array of that shape was broadcast"),
    Function("expand_as", "x, other", derivative=("ybar", "0"), torch=lambda t, x, other: x.expand_as(other),
             array=lambda k, x, other: k.np.broadcast_to(x, other.shape).copy(), note="other only lends its shape"),
    Function("view_as", "x, other", torch=lambda t, x, other: x.reshape_as(other), array=lambda k, x, other: x.reshape(other.shape), aliases=("reshape_as",),
             note="other only lends its shape"),
    Function("broadcast_tensors", "*tensors; piece=None", torch=lambda t, *tensors, piece: t.broadcast_tensors(*tensors)[piece],
             array=lambda k, *tensors, piece: piece_of("broadcast_tensors", k.np.broadcast_arrays(*tensors), piece), note="written broadcast_tensors(x, y)[0]"),
    Function("full_like", "x; fill_value", torch=lambda t, x, fill_value: t.full_like(x, fill_value), array=_full, backward=False,
             note="x only lends its shape"),
    Function("zeros_like", "x", torch=lambda t, x: t.zeros_like(x), array=_filled(0), backward=False, note="x only lends its shape"),
    Function("ones_like", "x", torch=lambda t, x: t.ones_like(x), array=_filled(1), backward=False, note="x only lends its shape"),
)
# fmt: on
