"""Rows that take elements by integers, or by a condition."""

from __future__ import annotations

from typing import Any

from gradcheck_cli.functions.deviations import Elsewhere
from gradcheck_cli.functions.row import CallError, Function, SettingValue
from gradcheck_cli.functions.tensors import axis_of, fill, integer, integers


def _within(index: Any, size: int, *, negative: bool = False) -> Any:
    """The index, if every one of its integers is a place."""
    if ((index < (-size if negative else 0)) | (index >= size)).any():
        raise IndexError(f"an index is outside 0 to {size - 1}")
    return index


def _axis(x: Any, dim: Any) -> int:
    if not x.ndim:
        raise ValueError("a number has no elements to choose from")
    return axis_of(x.ndim, dim)


def _index_select(k: Any, x: Any, index: Any, dim: Any) -> Any:
    axis = _axis(x, dim)
    if index.ndim > 1:
        raise ValueError(f"index_select takes a vector of indices, not {index.ndim} dimensions")
    return k.np.take(x, _within(index.reshape(-1), x.shape[axis]), axis=axis)


def _take_along(k: Any, x: Any, indices: Any, dim: Any) -> Any:
    if dim is None:
        x, indices, dim = x.reshape(-1), indices.reshape(-1), 0
    axis = _axis(x, dim)
    if indices.ndim != x.ndim:
        raise ValueError(f"indices of {x.ndim} dimensions are needed, not {indices.ndim}")
    shape = list(
        k.np.broadcast_shapes(*((*a.shape[:axis], 1, *a.shape[axis + 1 :]) for a in (x, indices)))
    )
    sizes = {}
    for a in (x, indices):
        shape[axis] = a.shape[axis]
        sizes[id(a)] = tuple(shape)
    whole, places = (k.np.broadcast_to(a, sizes[id(a)]) for a in (x, indices))
    return k.np.take_along_axis(whole, _within(places, x.shape[axis]), axis)


def _smaller(x: Any, index: Any, axis: int) -> tuple[slice, ...]:
    """The part of `x` that an index of as many dimensions speaks of."""
    if index.ndim != x.ndim:
        raise ValueError(f"an index of {x.ndim} dimensions is needed, not {index.ndim}")
    if any(n > m for i, (n, m) in enumerate(zip(index.shape, x.shape, strict=True)) if i != axis):
        raise ValueError(f"an index of shape {index.shape} is larger than {x.shape}")
    return tuple(slice(None) if i == axis else slice(n) for i, n in enumerate(index.shape))


def _gather_elements(k: Any, x: Any, index: Any, dim: Any) -> Any:
    axis = _axis(x, dim)
    part = x[_smaller(x, index, axis)]
    return k.np.take_along_axis(part, _within(index, x.shape[axis]), axis)


def _scatter_add(k: Any, x: Any, index: Any, src: Any, dim: Any) -> Any:
    axis = _axis(x, dim)
    _smaller(x, index, axis)
    _smaller(src, index, -1)
    _within(index, x.shape[axis])
    out = x.copy()
    for place in k.np.ndindex(*index.shape):
        target = (*place[:axis], int(index[place]), *place[axis + 1 :])
        out[target] = out[target] + src[place]
    return out


def _rows_of(x: Any, index: Any, source: Any, dim: Any) -> int:
    axis = _axis(x, dim)
    wanted = (*x.shape[:axis], index.size, *x.shape[axis + 1 :])
    if index.ndim > 1 or source.shape != wanted:
        raise ValueError(f"a source of shape {wanted} is needed, not {source.shape}")
    _within(index, x.shape[axis])
    return axis


def _index_add(k: Any, x: Any, index: Any, source: Any, dim: Any, alpha: Any) -> Any:
    axis = _rows_of(x, index, source, dim)
    out, before = x.copy(), (slice(None),) * axis
    for i, place in enumerate(index.reshape(-1).tolist()):
        more = source[(*before, i, ...)]
        out[(*before, place, ...)] = out[(*before, place, ...)] + (
            more if alpha == 1 else fill(k, (), [_number(k, alpha)]) * more
        )
    return out


def _number(k: Any, value: SettingValue) -> Any:
    if not isinstance(value, int) or isinstance(value, bool):
        raise CallError(f"alpha is an integer here, not {value!r}: multiply the source by it")
    return k.number(value)


def _index_copy(k: Any, x: Any, index: Any, source: Any, dim: Any) -> Any:
    axis = _rows_of(x, index, source, dim)
    places = index.reshape(-1).tolist()
    if len(set(places)) < len(places):
        raise CallError("index_copy of one place twice leaves open which copy stays")
    out, before = x.copy(), (slice(None),) * axis
    for i, place in enumerate(places):
        out[(*before, place, ...)] = source[(*before, i, ...)]
    return out


def _index_fill(k: Any, x: Any, index: Any, value: Any, dim: Any) -> Any:
    axis = _axis(x, dim)
    if index.ndim > 1 or value.ndim:
        raise ValueError("index_fill takes a vector of indices and one number")
    out = x.copy()
    for place in _within(index, x.shape[axis]).reshape(-1).tolist():
        out[(*(slice(None),) * axis, place, ...)] = value[()]
    return out


def _part_key(ndim: int, axis: int, part: Any) -> tuple[Any, ...]:
    return (*(slice(None),) * axis, part, ...)


def _select_scatter(k: Any, x: Any, src: Any, dim: Any, index: Any) -> Any:
    out, key = x.copy(), _part_key(x.ndim, _axis(x, dim), integer("index", index))
    if out[key].shape != src.shape:
        raise ValueError(f"a source of shape {out[key].shape} is needed, not {src.shape}")
    out[key] = src
    return out


def _slice_scatter(k: Any, x: Any, src: Any, dim: Any, start: Any, end: Any, step: Any) -> Any:
    part = slice(*(None if v is None else integer("a slice", v) for v in (start, end, step)))
    if part.step is not None and part.step < 1:
        raise CallError("torch takes only slices with a positive step")
    out, key = x.copy(), _part_key(x.ndim, _axis(x, dim), part)
    if out[key].shape != src.shape:
        raise ValueError(f"a source of shape {out[key].shape} is needed, not {src.shape}")
    out[key] = src
    return out


def _diagonal_scatter(k: Any, x: Any, src: Any, offset: Any, dim1: Any, dim2: Any) -> Any:
    first, second = axis_of(x.ndim, dim1), axis_of(x.ndim, dim2)
    shift = integer("offset", offset)
    shape = x.diagonal(shift, first, second).shape
    if shape != src.shape:
        raise ValueError(f"a source of shape {shape} is needed, not {src.shape}")
    out = k.np.moveaxis(x.copy(), (first, second), (-2, -1))
    for i in range(shape[-1]):
        out[..., i + max(-shift, 0), i + max(shift, 0)] = src[..., i]
    return k.np.moveaxis(out, (-2, -1), (first, second))


def _padding(k: Any, x: Any, pad: Any) -> list[tuple[int, int]]:
    """Before and behind each dim; torch names the last dim first."""
    given = integers("pad", pad)
    if len(given) % 2 or len(given) > 2 * x.ndim:
        raise CallError(f"pad takes two integers for each of at most {x.ndim} dims")
    pairs = list(zip(given[::2], given[1::2], strict=True))
    return [*[(0, 0)] * (x.ndim - len(pairs)), *reversed(pairs)]


def _pad(k: Any, x: Any, pad: Any, mode: Any, value: Any) -> Any:
    modes = {"constant": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}
    if mode not in modes:
        raise CallError(f"mode is {', '.join(map(repr, modes))}, not {mode!r}")
    if mode != "constant" and value is not None:
        raise CallError(f"a value is for mode='constant', not {mode!r}")
    for axis, given in enumerate(_padding(k, x, pad)):
        (before, behind), size = given, x.shape[axis]
        # torch wraps what is left after cutting, and cuts what it has padded otherwise.
        if mode == "circular":
            x = x[_part_key(x.ndim, axis, slice(max(-before, 0), size - max(-behind, 0)))]
            before, behind, size = max(before, 0), max(behind, 0), x.shape[axis]
        most = {"reflect": size - 1, "circular": size}.get(mode)
        if (most is not None and max(before, behind) > most) or (mode == "replicate" and not size):
            raise ValueError(f"{mode} padding of {max(before, behind)} is too large for {size}")
        widths = [(0, 0)] * x.ndim
        widths[axis] = max(before, 0), max(behind, 0)
        more = {} if mode != "constant" else {"constant_values": _filler(k, value)}
        x = k.np.pad(x, widths, mode=modes[mode], **more)
        cut = slice(max(-before, 0), x.shape[axis] - max(-behind, 0))
        x = x[_part_key(x.ndim, axis, cut)]
    return x


def _filler(k: Any, value: Any) -> Any:
    return fill(k, (), [k.number(0 if value is None else value)])[()]


# fmt: off
_BY_PLACES = ("x", "dim", "index")

ROWS = (
    Function("index_select", "x, index:index; dim", places=_BY_PLACES, torch=lambda t, x, index, dim: t.index_select(x, dim, index), array=_index_select),
    Function("take", "x, index:index", torch=lambda t, x, index: t.take(x, index),
             array=lambda k, x, index: x.reshape(-1)[_within(index, x.size, negative=True)], note="elements of the flattened x"),
    Function("take_along_dim", "x, indices:index; dim=None", torch=lambda t, x, indices, dim: t.take_along_dim(x, indices, dim), array=_take_along,
             aliases=("take_along_axis",), foreign={"np": Elsewhere(defaults={"dim": -1})}, note="without dim of the flattened x"),
    Function("gather_elements", "x, index:index; dim", places=_BY_PLACES, torch=lambda t, x, index, dim: t.gather(x, dim, index), array=_gather_elements,
             note="torch.gather(x, dim, index): an index for every element of the result"),
    Function("scatter_add", "x, index:index, src; dim", places=("x", "dim", "index", "src"),
             torch=lambda t, x, index, src, dim: t.scatter_add(x, dim, index, src),
             array=_scatter_add),
    Function("index_add", "x, index:index, source; dim, alpha=1", places=("x", "dim", "index", "source"),
             torch=lambda t, x, index, source, dim, alpha: t.index_add(x, dim, index, source, alpha=alpha), array=_index_add),
    Function("index_copy", "x, index:index, source; dim", places=("x", "dim", "index", "source"),
             torch=lambda t, x, index, source, dim: t.index_copy(x, dim, index, source), array=_index_copy),
    Function("index_fill", "x, index:index, value; dim", places=("x", "dim", "index", "value"),
             torch=lambda t, x, index, value, dim: t.index_fill(x, dim, index, value), array=_index_fill),
    Function("select_scatter", "x, src; dim, index", torch=lambda t, x, src, dim, index: t.select_scatter(x, src, dim, index), array=_select_scatter),
    Function("slice_scatter", "x, src; dim=0, start=None, end=None, step=1",
             torch=lambda t, x, src, dim, start, end, step: t.slice_scatter(x, src, dim, start, end, step), array=_slice_scatter),
    Function("diagonal_scatter", "x, src; offset=0, dim1=0, dim2=1",
             torch=lambda t, x, src, offset, dim1, dim2: t.diagonal_scatter(x, src, offset, dim1, dim2), array=_diagonal_scatter),
    Function("constant_pad_nd", "x; pad, value=0", torch=lambda t, x, pad, value: t.constant_pad_nd(x, integers("pad", pad), value),
             array=lambda k, x, pad, value: _pad(k, x, pad, "constant", value), note="two integers for each dim, the last dim first"),
    Function("pad", "x; pad, mode='constant', value=None",
             torch=lambda t, x, pad, mode, value: t.nn.functional.pad(x, integers("pad", pad), mode, value), array=_pad,
             foreign={"np": "np.pad(x, widths) names the first dim first, this language's pad(x, pad) the last, as torch does: write pad(x, (before, behind))"},
             note="two integers for each dim, the last dim first; negative ones cut"),
)
# fmt: on
