"""Tensor rows: shapes and indices, and what all rows of arrays use."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from gradcheck_cli.functions.deviations import Elsewhere
from gradcheck_cli.functions.elsewhere import torch_needs
from gradcheck_cli.functions.row import CallError, Function

if TYPE_CHECKING:
    from collections.abc import Sequence


def axis_of(ndim: int, dim: Any) -> int:
    """`dim` counted from the front; a 0-dimensional array has dims 0 and -1, as in torch."""
    if not isinstance(dim, int) or isinstance(dim, bool):
        raise CallError(f"a dim is an integer, not {dim}")
    size = max(ndim, 1)
    if not -size <= dim < size:
        raise IndexError(f"dim {dim} is out of range: from {-size} to {size - 1} are there")
    return dim % size


def axes_of(ndim: int, dim: Any) -> tuple[int, ...]:
    """The axes that `dim` (an integer, a tuple, or None for all) means."""
    if dim is None:
        return tuple(range(ndim))
    axes = tuple(axis_of(ndim, d) for d in (dim if isinstance(dim, tuple) else (dim,)))
    if not axes or len(set(axes)) < len(axes):
        raise CallError(f"dim {dim} must name at least one dimension, and none twice")
    return axes if ndim else ()


def integers(name: str, values: Any) -> tuple[int, ...]:
    """`values`, one integer or several, as a tuple."""
    several: tuple[Any, ...] = values if isinstance(values, tuple) else (values,)
    if not all(isinstance(v, int) and not isinstance(v, bool) for v in several):
        raise CallError(f"{name} takes integers, not {', '.join(map(str, several))}")
    return several


def integer(name: str, value: Any) -> int:
    """`value`, which is one integer."""
    several = integers(name, value)
    if len(several) != 1:
        raise CallError(f"{name} takes one integer, not {len(several)}")
    return several[0]


def flag(name: str, value: Any) -> bool:
    """`value`, which is true or false; None counts for false."""
    if isinstance(value, str | tuple) or value not in (True, False, None):
        raise CallError(f"{name} is True or False, not {value!r}")
    return bool(value)


def fill(k: Any, shape: Sequence[int], scalars: Sequence[Any]) -> Any:
    # Item by item: numpy would take apart a scalar that looks like a sequence (a series of balls).
    flat = k.np.empty(len(scalars), dtype=object)
    for i, scalar in enumerate(scalars):
        flat[i] = scalar
    return flat.reshape(shape)


def _reversed(ndim: int) -> tuple[int, ...]:
    return tuple(range(ndim))[::-1]


def _transpose(k: Any, x: Any, dim0: Any, dim1: Any) -> Any:
    if dim0 is None and dim1 is None:
        return x.transpose()
    first, second = axis_of(x.ndim, dim0), axis_of(x.ndim, dim1)
    return k.np.swapaxes(x, first, second) if x.ndim else x


def _flip(k: Any, x: Any, dims: Any) -> Any:
    axes = axes_of(x.ndim, dims)
    return x[(*(slice(None, None, -1 if i in axes else 1) for i in range(x.ndim)), ...)]


def _flatten(k: Any, x: Any, start_dim: Any, end_dim: Any) -> Any:
    first, last = axis_of(x.ndim, start_dim), axis_of(x.ndim, end_dim)
    if first > last:
        raise ValueError(f"start_dim {start_dim} comes after end_dim {end_dim}")
    return x.reshape(*x.shape[:first], math.prod(x.shape[first : last + 1]), *x.shape[last + 1 :])


def _squeeze(k: Any, x: Any, dim: Any) -> Any:
    axes = axes_of(x.ndim, dim)
    return x.reshape([n for i, n in enumerate(x.shape) if n != 1 or i not in axes])


def _broadcast_to(k: Any, x: Any, shape: Any) -> Any:
    sizes = integers("shape", shape)
    new = len(sizes) - x.ndim
    if new < 0 or -1 in sizes[:new]:
        raise ValueError(f"the shape {x.shape} cannot be broadcast to {sizes}")
    return k.np.broadcast_to(
        x, [x.shape[i - new] if n == -1 else n for i, n in enumerate(sizes)]
    ).copy()


def _key(key: tuple[Any, ...]) -> tuple[Any, ...]:
    """A Python index from the parser's hashable one."""
    return tuple(
        ... if item == "..." else slice(*item[1:]) if isinstance(item, tuple) else item
        for item in key
    )


def _getitem(k: Any, x: Any, key: tuple[Any, ...]) -> Any:
    items = _key(key)
    # With `...` numpy gives an array, never a bare scalar.
    return x[items if ... in items else (*items, ...)]


def _gather(k: Any, x: Any, index: Any, dim: Any) -> Any:
    axis = axis_of(x.ndim, dim)
    others = (*x.shape[:axis], *x.shape[axis + 1 :])
    if not x.ndim or index.shape != others:
        raise ValueError(
            f"an index of shape {others} is needed for values of shape {x.shape}, not {index.shape}"
        )
    if ((index < 0) | (index >= x.shape[axis])).any():
        raise IndexError(outside(index, x.shape[axis]))
    return k.np.take_along_axis(x, k.np.expand_dims(index, axis), axis).reshape(others)


def outside(index: Any, size: int) -> str:
    """What is wrong with an index that is no class."""
    message = f"an index is outside 0 to {size - 1}"
    ignored = int(index.min())
    if ignored >= 0:
        return message
    return f"{message}; for a target of {ignored} that a loss ignores write ignore_index={ignored}"


def _along_channels(k: Any, x: Any, other: Any) -> Any:
    """Numbers of the channels, which are dim 1 of `other`; a single one is a number."""
    if x.ndim > 1:
        raise ValueError(f"one number a channel is needed, not {x.ndim} dimensions")
    if x.size == 1:
        return x.reshape(())
    channels = other.shape[1] if other.ndim > 1 else 1
    if x.size != channels:
        raise ValueError(f"one number a channel is needed: {channels}, not {x.size}")
    return x.reshape(channels, *(1,) * (other.ndim - 2))


def _torch_along_channels(t: Any, x: Any, other: Any) -> Any:
    return x.reshape(-1, *(1,) * (other.dim() - 2)) if x.numel() > 1 else x.reshape(())


def _transposed_back(shapes: Sequence[Sequence[int]], dim0: Any, dim1: Any) -> tuple[str, ...]:
    return ("transpose(ybar)" if dim0 is None else f"transpose(ybar, {dim0}, {dim1})",)


def _reshaped_back(shapes: Sequence[Sequence[int]], **settings: Any) -> tuple[str, ...]:
    """To the shape that there was before."""
    (shape,) = shapes
    return (f"reshape(ybar, {', '.join(map(str, shape))})",) if shape else ()


# fmt: off
ROWS = (
    Function("transpose", "x; dim0=None, dim1=None",
             moves=True, derivative=_transposed_back,
             torch=lambda t, x, dim0, dim1: t.transpose(x, dim0, dim1) if dim0 is not None else x.permute(_reversed(x.ndim)), array=_transpose,
             aliases=("t", "swapaxes", "swapdims", "t_copy", "transpose_copy"), foreign={"np.transpose": Elsewhere("permute")},
             note="without dims their order is reversed; a vector stays as it is"),
    Function("permute", "x; dims=None", moves=True, torch=lambda t, x, dims: t.permute(x, _reversed(x.dim()) if dims is None else integers("dims", dims)),
             array=lambda k, x, dims: x.transpose(_reversed(x.ndim) if dims is None else integers("dims", dims)), aliases=("permute_dims", "permute_copy"),
             note="without dims their order is reversed"),
    Function("flip",      "x; dims=None", moves=True, torch=lambda t, x, dims: t.flip(x, axes_of(x.dim(), dims)), array=_flip,
             foreign={"torch": torch_needs("flip", "dims", "0")}),
    Function("reshape", "x; shape", moves=True, derivative=_reshaped_back, torch=lambda t, x, shape: t.reshape(x, integers("shape", shape)),
             array=lambda k, x, shape: x.reshape(integers("shape", shape)), aliases=("view", "view_copy"),
             foreign={"sympy": "sympy.reshape(seq, how) groups a sequence by a pattern: write reshape(x, 2, 3)"}),
    Function("flatten", "x; start_dim=0, end_dim=-1", moves=True, derivative=_reshaped_back,
             torch=lambda t, x, start_dim, end_dim: t.flatten(x, start_dim, end_dim), array=_flatten,
             aliases=("ravel",), foreign={"sympy": Elsewhere(named=("start_dim",))}),
    Function("unsqueeze", "x; dim", moves=True, derivative=_reshaped_back,
             torch=lambda t, x, dim: t.unsqueeze(x, dim), array=lambda k, x, dim: k.np.expand_dims(x, axis_of(x.ndim + 1, dim)),
             aliases=("expand_dims", "unsqueeze_copy")),
    Function("squeeze",   "x; dim=None", moves=True, derivative=_reshaped_back,
             torch=lambda t, x, dim: t.squeeze(x) if dim is None else t.squeeze(x, dim), array=_squeeze, aliases=("squeeze_copy",)),
    Function("broadcast_to", "x; shape", derivative=lambda shapes, shape: ("ybar",),
             torch=lambda t, x, shape: x.expand(integers("shape", shape)), array=_broadcast_to, aliases=("expand", "expand_copy"),
             foreign={"sympy": "sympy.expand(x) writes x as a sum, which changes no value: write x"}),
    Function("broadcast_like", "x, other", helper=True, derivative=("ybar", "0"), torch=lambda t, x, other: t.broadcast_tensors(x, other)[0],
             array=lambda k, x, other: k.np.broadcast_arrays(x, other)[0], note="x in the shape that x and other have together"),
    Function("along_channels", "x, other:held", helper=True, torch=_torch_along_channels, array=_along_channels,
             note="one number, or one for each channel of other, as it broadcasts against other"),
    Function("stack", "*tensors; dim=0", torch=lambda t, *tensors, dim: t.stack(tensors, dim=dim),
             array=lambda k, *tensors, dim: k.np.stack(tensors, axis=axis_of(tensors[0].ndim + 1, dim))),
    Function("cat", "*tensors; dim=0", torch=lambda t, *tensors, dim: t.cat(tensors, dim=dim),
             array=lambda k, *tensors, dim: k.np.concatenate(tensors, axis=axis_of(tensors[0].ndim, dim)), aliases=("concat", "concatenate")),
    Function("getitem",   "x; key", torch=lambda t, x, key: x[_key(key)], array=_getitem, note="written x[0, 1:]", operator="[]"),
    Function("gather",    "x, index:index; dim=-1", torch=lambda t, x, index, dim: t.gather(x, dim, index.long().unsqueeze(dim)).squeeze(dim), array=_gather,
             foreign=dict.fromkeys(("torch", "Tensor"), Elsewhere("gather_elements")),
             note="one element along dim for each index, so index has the shape of x without dim"),
    Function("detach",    "x", torch=lambda t, x: x.detach(), means="x", backward=False),
)
# fmt: on
