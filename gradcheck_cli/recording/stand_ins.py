"""Functions that stand in for others while NumPy code is recorded: those that make memory which
something recorded may be written to, those that take numbers out of arrays, and those of `math`.
"""

from __future__ import annotations

import math
import sys
from math import isfinite
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck_cli.functions import lookup, names
from gradcheck_cli.recording.arrays import TapedArray, taped
from gradcheck_cli.recording.ledger import UNSET, ArrayLedger, Taped, taped_in, untaped

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# They make arrays that are filled later on.
_MAKERS = ("zeros", "ones", "empty", "full", "zeros_like", "ones_like", "empty_like", "full_like",
           "eye", "identity")  # fmt: skip
# They make arrays of what they are given.
_GATHERERS = ("array", "asarray", "asanyarray", "ascontiguousarray", "asfortranarray")


# Functions of `scipy.special` that are written in Python.
_SPECIAL = ("softmax", "log_softmax", "logsumexp")
# They take a list for an array, without asking its elements.
_OF_LISTS = ("sum", "mean", "max", "min", "prod", "std", "var", "average", "median", "exp", "log",
             "sqrt", "square", "tanh", "abs", "cumsum", "dot")  # fmt: skip


def stand_ins(ledger: ArrayLedger) -> dict[int, Any]:
    """What stands for what, by its identity."""
    tricks = np.lib.stride_tricks
    of_tricks = {"as_strided": _strided(ledger, tricks.as_strided)}
    of_numpy = {name: _maker(ledger, getattr(np, name)) for name in _MAKERS}
    of_numpy |= {name: _gatherer(ledger, getattr(np, name)) for name in _GATHERERS}
    of_numpy |= {name: _of_list(of_numpy["array"], getattr(np, name)) for name in _OF_LISTS}
    of_numpy["apply_along_axis"] = _along_axis(np.apply_along_axis)
    of_numpy["vectorize"] = lambda *args, **keywords: Vectorized(
        ledger, np.vectorize(*args, **keywords)
    )
    of_math = _of_math(ledger)
    of_random = {n: _drawing(ledger, f) for n, f in vars(np.random).items() if _draws(f)}
    pairs = [(np, of_numpy), (math, of_math), (tricks, of_tricks), (np.random, of_random)]
    special = sys.modules.get("scipy.special")
    of_special = {n: _special(ledger, getattr(special, n)) for n in _SPECIAL if special is not None}
    pairs += [] if special is None else [(special, of_special)]
    found = {id(getattr(m, name)): f for m, given in pairs for name, f in given.items()}
    found[id(special)] = _Standing(special, of_special) if special is not None else None
    found[id(float)] = _Float()
    found[id(tricks)] = _Standing(tricks, of_tricks)
    found[id(np.lib)] = _Standing(np.lib, {"stride_tricks": found[id(tricks)]})
    found[id(np.random)] = _Standing(np.random, of_random)
    inner = {"lib": found[id(np.lib)], "random": found[id(np.random)]}
    found[id(np)] = _Standing(np, of_numpy | inner)
    found[id(math)] = _Standing(math, of_math)
    return found


def _special(ledger: ArrayLedger, original: Callable[..., Any]) -> Callable[..., Any]:
    """A function that SciPy has in Python, of the whole array where no axis is given."""

    def compute(x: Any, axis: Any = None, **keywords: Any) -> Any:
        if not isinstance(x, TapedArray) or keywords.keys() - {"keepdims"}:
            return original(x, axis=axis, **keywords)
        values = original(x.values, axis=axis, **keywords)
        name, nodes = original.__name__, x.nodes
        with ledger.following():
            if name == "logsumexp":
                kept = bool(keywords.get("keepdims", False))
                return taped(ledger, values, ledger.row(name, nodes, dim=axis, keepdim=kept))
            rows = nodes.reshape(-1) if axis is None else nodes
            found = ledger.row(name, rows, dim=0 if axis is None else axis)
            return taped(ledger, values, found.reshape(nodes.shape))

    return compute


class _Standing(ModuleType):
    """A module with some of its functions replaced."""

    def __init__(self, module: Any, replaced: Mapping[str, Any]) -> None:
        super().__init__(module.__name__)
        self.__dict__.update(replaced)
        self._module = module

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)


class _Float:
    """`float`, which makes of a recorded number the same number, that goes on being followed."""

    dtype = np.dtype(float)

    def __call__(self, *args: Any) -> Any:
        (value,) = args or (0.0,)
        return value.item() if isinstance(value, TapedArray) else float(value)

    def __instancecheck__(self, value: Any) -> bool:
        return isinstance(value, float)

    def __getattr__(self, name: str) -> Any:
        return getattr(float, name)


class Vectorized:
    """`np.vectorize`, element by element."""

    def __init__(self, ledger: ArrayLedger, original: Any) -> None:
        self._ledger, self._original = ledger, original

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        original = self._original
        if not taped_in(list(args)) or original.signature or original.excluded or keywords:
            return original(*args, **keywords)
        spread = np.broadcast_arrays(*args)
        shape = spread[0].shape
        found = [original.pyfunc(*[a[index] for a in spread]) for index in np.ndindex(*shape)]
        with self._ledger.following():
            nodes = np.reshape([self._ledger.nodes(value) for value in found], shape)
            values = np.reshape([untaped(value) for value in found], shape)
            return taped(self._ledger, values, nodes)


def _along_axis(original: Callable[..., Any]) -> Callable[..., Any]:
    def compute(function: Any, axis: int, array: Any, *args: Any, **keywords: Any) -> Any:
        if not isinstance(array, TapedArray):
            return original(function, axis, array, *args, **keywords)
        moveaxis: Any = np.moveaxis
        rows = moveaxis(array, axis, -1)
        places = list(np.ndindex(*rows.shape[:-1]))
        parts = np.stack([np.add(function(rows[i], *args, **keywords), 0) for i in places])
        found = parts.reshape(rows.shape[:-1] + parts.shape[1:])
        return moveaxis(found, -1, axis) if parts.ndim > 1 else found

    return compute


def _of_list(gather: Callable[..., Any], original: Callable[..., Any]) -> Callable[..., Any]:
    def compute(value: Any, *args: Any, **keywords: Any) -> Any:
        listed = isinstance(value, list | tuple) and taped_in(value)
        number = isinstance(value, int | float | np.number) and not args
        return original(gather(value) if listed or number else value, *args, **keywords)

    return compute


def _maker(ledger: ArrayLedger, original: Callable[..., Any]) -> Callable[..., Any]:
    unset = original.__name__.startswith("empty")

    def make(*args: Any, **keywords: Any) -> Any:
        if original.__name__.endswith("_like") and taped_in([*args, keywords]):
            return original(*args, **keywords)
        values = original(*untaped(args), **untaped(keywords))
        if not _is_for_numbers(values):
            return values
        if original.__name__ == "full":
            fill = args[1] if len(args) > 1 else keywords["fill_value"]
            with ledger.following():
                return taped(ledger, values, np.broadcast_to(ledger.nodes(fill), values.shape))
        if unset:
            values[...] = False if values.dtype == np.bool_ else np.nan
            return taped(ledger, values, np.full(values.shape, UNSET))
        return taped(ledger, values, ledger.constants(values))

    return make


def _gatherer(ledger: ArrayLedger, original: Callable[..., Any]) -> Callable[..., Any]:
    def gather(value: Any, *args: Any, **keywords: Any) -> Any:
        found = taped_in(value)
        dtype = args[0] if args else keywords.get("dtype")
        if found and keywords.get("ndmin", 0) > np.ndim(untaped(value)):
            ledger.refuse(f"`{original.__name__}` with `ndmin`")
        if isinstance(value, TapedArray):
            fresh = original.__name__ == "array" and bool(keywords.get("copy", True))
            array = value.astype(value.dtype if dtype is None else dtype, copy=fresh)
            return TapedArray(ledger, array.values, array.nodes)
        if found:
            with ledger.following():
                array = taped(ledger, original(untaped(value)), ledger.nodes(value))
            return array if dtype is None else array.astype(dtype)
        values = original(value, *args, **keywords)
        if (
            not _is_for_numbers(values)
            or isinstance(value, np.ndarray)
            or not np.isfinite(values).all()
        ):
            return values
        return taped(ledger, values, ledger.constants(values))

    return gather


def _draws(function: Any) -> bool:
    """Whether a function draws from the numbers that are seeded for every run."""
    return isinstance(getattr(function, "__self__", None), np.random.RandomState)


def _drawing(ledger: ArrayLedger, original: Callable[..., Any]) -> Callable[..., Any]:
    def draw(*args: Any, **keywords: Any) -> Any:
        if any(not ledger.is_fixed(t.nodes) for t in taped_in([*args, keywords])):
            ledger.refuse(f"`{original.__name__}` of numbers that depend on the inputs")
        values = original(*untaped(args), **untaped(keywords))
        if not isinstance(values, np.ndarray | float):
            return values
        ledger.remark("random", original.__name__)
        return (
            taped(ledger, values, ledger.constants(values))
            if _is_for_numbers(np.asarray(values))
            else values
        )

    return draw


def _is_for_numbers(values: Any) -> bool:
    """Whether numbers or truth values may be written to it."""
    return bool(values.dtype.kind in "fb")


def _strided(ledger: ArrayLedger, original: Callable[..., Any]) -> Callable[..., Any]:
    def view(x: Any, shape: Any = None, strides: Any = None, **keywords: Any) -> Any:
        if not isinstance(x, Taped):
            return original(x, shape, strides, **keywords)
        values = original(x.values, shape, strides, **keywords)
        size = x.values.itemsize
        steps = None if strides is None else tuple(step // size * 8 for step in strides)
        return taped(ledger, values, original(x.nodes, shape, steps, **keywords), is_view=True)

    return view


def _of_math(ledger: ArrayLedger) -> dict[str, Any]:
    """The functions of `math` that are rows of the same name and arguments."""
    found: dict[str, Any] = {}
    for name, original in vars(math).items():
        row = lookup(names()[name]) if callable(original) and name in names() else None
        if row is not None and row.signature and not row.parsed.settings:
            found[name] = _scalar(ledger, original, row.name, len(row.parsed.args))
    return found


def _scalar(ledger: ArrayLedger, original: Any, row: str, count: int) -> Callable[..., Any]:
    def compute(*args: Any) -> Any:
        value = original(*untaped(args))
        # Of a plain number as well, as sqrt(2) is none: 1/sqrt(2) is sqrt(2)/2.
        known = all(isinstance(a, Taped | int | float) for a in args) and len(args) == count
        if not known or not isfinite(value) or float(value).is_integer():
            return value
        with ledger.following():
            nodes = ledger.row(row, *[np.reshape(ledger.nodes(v), ()) for v in args])
        return taped(ledger, np.float64(value), nodes)

    return compute
