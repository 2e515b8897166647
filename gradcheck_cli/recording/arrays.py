"""Arrays that write down what is computed with them: NumPy code runs on them as it is.

Each carries the real numbers and the scalar node of each of them. NumPy hands every call that it is
part of to it (NEP 13, NEP 18); what leaves NumPy is remarked, or cannot be followed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from gradcheck_cli.recording.array_attributes import ArrayAttributes
from gradcheck_cli.recording.ledger import ArrayLedger, Taped, taped_in, untaped
from gradcheck_cli.recording.numpy_call import NumpyCall
from gradcheck_cli.recording.numpy_calls import moves, named_call, numpy_nodes, ufunc_nodes

if TYPE_CHECKING:
    from collections.abc import Callable

    from gradcheck_cli.recording.tape import Nodes


class TapedArray(ArrayAttributes, NDArrayOperatorsMixin):
    """An array whose elements are scalars on a tape."""

    __slots__ = ()

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **settings: Any) -> Any:
        return _of_ufunc(self.ledger, ufunc, method, inputs, settings)

    def __array_function__(self, function: Any, types: Any, args: Any, keywords: Any) -> Any:
        return _of_function(self.ledger, function, args, keywords)

    def __getitem__(self, key: Any) -> Any:
        index = _held(self.ledger, key)
        return taped(self.ledger, self.values[index], self.nodes[index], is_view=True)

    def __setitem__(self, key: Any, value: Any) -> None:
        if self.scalar:
            message = f"'{type(self.values[()]).__name__}' object does not support item assignment"
            raise TypeError(message)
        with self.ledger.following():
            nodes = self.ledger.fitting(self.ledger.nodes(value), self.values.dtype)
            if _is_mask_of(key, self) and nodes.ndim <= self.nodes.ndim - key.nodes.ndim:
                mask = key.nodes.reshape(key.shape + (1,) * (self.nodes.ndim - key.nodes.ndim))
                nodes, index = self.ledger.row("where", mask, nodes, self.nodes), ...
            else:
                index = _held(self.ledger, key)
        self.values[untaped(key)] = untaped(value)
        self.nodes[index] = nodes

    def __hash__(self) -> int:
        return hash(self.leaving("hash"))

    def __copy__(self) -> TapedArray:
        return TapedArray(self.ledger, self.values.copy(), self.nodes.copy(), scalar=self.scalar)

    def __deepcopy__(self, memo: Any) -> TapedArray:
        return self.__copy__()

    def fill(self, value: Any) -> None:
        """As an array's."""
        self[...] = value

    def sort(self, axis: int = -1) -> None:
        """As an array's."""
        self[...] = np.sort(self, axis)

    def astype(self, dtype: Any, *rest: Any, copy: bool = True, **settings: Any) -> Any:
        """As an array's; numbers that become whole ones are cut off."""
        values = self.values.astype(dtype, *rest)
        if values.dtype == self.values.dtype and not copy:
            return self
        if values.dtype.kind not in "fiub":
            self.ledger.refuse(f"an array of {values.dtype}")
        nodes = self.nodes
        if values.dtype.kind in "iu" and self.values.dtype.kind == "f":
            with self.ledger.following():
                nodes = self.ledger.row("trunc", nodes)
        return taped(self.ledger, values[()] if self.scalar else values, nodes)


def taped(ledger: ArrayLedger, values: Any, nodes: Any, *, is_view: bool = False) -> Any:
    """What is handed to the person's code: arrays where there are nodes, else the plain values."""
    if nodes is None:
        return values
    if isinstance(values, list | tuple):
        pairs = zip(values, nodes, strict=True)
        found = [taped(ledger, v, n, is_view=is_view) for v, n in pairs]
        if isinstance(values, list):
            return found
        return type(values)(*found) if hasattr(values, "_fields") else tuple(found)
    scalar = not isinstance(values, np.ndarray)
    array, nodes = np.asarray(values), np.asarray(nodes)
    if array.shape != nodes.shape:
        ledger.refuse(f"the shape {array.shape} was recorded as {nodes.shape}")
    if scalar or not is_view:
        # A copy that lies in memory as the values do: what is a view of one must be one of both.
        laid = np.empty_like(array, dtype=np.int64, subok=False)
        laid[...] = ledger.fitting(nodes, array.dtype)
        nodes = laid
    return TapedArray(ledger, array, nodes, scalar=scalar)


def _is_mask_of(key: Any, array: Taped) -> bool:
    """Whether an index is a mask that depends on the inputs, of an array or of its first axes."""
    return (
        isinstance(key, Taped)
        and key.values.dtype == np.bool_
        and key.values.shape == array.values.shape[: key.values.ndim]
        and not key.ledger.is_fixed(key.nodes)
    )


def _held(ledger: ArrayLedger, key: Any) -> Any:
    """An index as it is at the point."""
    if any(not ledger.is_fixed(t.nodes) for t in taped_in(key)):
        ledger.remark("index", "[]")
    return untaped(key)


def _of_function(
    ledger: ArrayLedger, function: Callable[..., Any], args: Any, keywords: Any
) -> Any:
    call = named_call(ledger, function, args, keywords)
    if call.name in moves.WRITERS:
        with ledger.following():
            moves.write_in_place(call)
        return function(*untaped(args), **untaped(keywords))
    target = call.get("out")
    kept = {name: untaped(value) for name, value in keywords.items() if name != "out"}
    if target is not None and "out" not in keywords:
        ledger.refuse(f"`{call.name}` with `out` by its place")
    values = function(*untaped(args), **kept)
    with ledger.following():
        nodes = numpy_nodes(NumpyCall(ledger, function, call.name, call.args, values))
    found = taped(ledger, values, nodes, is_view=call.name in moves.MOVERS)
    return found if target is None else _written(ledger, target, found)


def _of_ufunc(ledger: ArrayLedger, ufunc: Any, method: str, inputs: Any, settings: Any) -> Any:
    if method == "at":
        return _at(ledger, ufunc, *inputs)
    outs = settings.pop("out", None)
    kept = {name: untaped(value) for name, value in settings.items()}
    where = settings.pop("where", True) if method == "__call__" else True
    if where is not True:
        if outs is None:
            ledger.refuse(f"`{ufunc.__name__}` with `where` and without `out`")
        kept["out"] = tuple(np.array(untaped(out)) for out in outs)
    values = getattr(ufunc, method)(*untaped(inputs), **kept)
    call = NumpyCall(ledger, ufunc, ufunc.__name__, {"array": None, **settings}, values)
    with ledger.following():
        nodes = ufunc_nodes(call, method, list(inputs))
        if where is not True:
            nodes = call.row("where", call.nodes(where), nodes, call.nodes(outs[0]))
    found = taped(ledger, values, nodes)
    if outs is None or (isinstance(outs[0], Taped) and outs[0].scalar):
        return found
    if len(outs) == 1:
        return _written(ledger, outs[0], found)
    return tuple(_written(ledger, out, part) for out, part in zip(outs, found, strict=True))


def _written(ledger: ArrayLedger, target: Any, found: Any) -> Any:
    """A result written to the memory that was given for it."""
    if isinstance(target, tuple):
        (target,) = target
    if not isinstance(target, Taped):
        ledger.refuse("it writes to an array that was made elsewhere")
    np.copyto(target.values, untaped(found), casting="same_kind")
    target.nodes[...] = ledger.fitting(ledger.nodes(found), target.values.dtype)
    return target


def _at(ledger: ArrayLedger, ufunc: Any, target: Any, key: Any, *operands: Any) -> None:
    """`ufunc.at`: one element after the other, so that the same may be met again."""
    if not isinstance(target, Taped):
        ledger.refuse(f"`{ufunc.__name__}.at` on an array that was made elsewhere")
    index = _held(ledger, key)
    with ledger.following():
        places = np.arange(target.values.size).reshape(target.values.shape)[index]
        spread = [np.broadcast_to(ledger.nodes(v), places.shape).reshape(-1) for v in operands]
        flat = target.nodes.reshape(-1).copy()
        for place, *others in zip(places.reshape(-1).tolist(), *spread, strict=True):
            parts = [_number(ledger, node) for node in (flat[place], *others)]
            call = NumpyCall(ledger, ufunc, ufunc.__name__, {"array": None}, np.float64(0))
            flat[place] = ufunc_nodes(call, "__call__", parts)
    ufunc.at(target.values, index, *untaped(operands))
    target.nodes[...] = flat.reshape(target.nodes.shape)


def _number(ledger: ArrayLedger, node: Nodes) -> Taped:
    return Taped(ledger, np.float64(0), np.asarray(node))
