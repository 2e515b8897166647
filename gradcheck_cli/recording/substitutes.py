"""Functions that stand in for others while NumPy code is recorded: those that make memory which
something recorded may be written to, and the functions of `math`.
"""

from __future__ import annotations

import math
import sys
from contextlib import contextmanager
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck_cli.functions import lookup, names
from gradcheck_cli.recording.arrays import made
from gradcheck_cli.recording.ledger import UNSET, Taped, plain, taped_in
from gradcheck_cli.recording.places import is_of_person

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from gradcheck_cli.recording.ledger import Ledger

# They make arrays that are filled later on.
_MAKERS = ("zeros", "ones", "empty", "full", "zeros_like", "ones_like", "empty_like", "full_like",
           "eye", "identity")  # fmt: skip
# They make arrays of what they are given.
_GATHERERS = ("array", "asarray", "asanyarray", "ascontiguousarray", "asfortranarray")


@contextmanager
def substituted(ledger: Ledger, functions: Sequence[Any]) -> Iterator[None]:
    """NumPy and `math`, and the modules of these functions where they have imported names of them,
    with functions that make what can be written down.
    """
    found: dict[int, Any] = {}
    kept = []
    for module, standing in ((np, _of_numpy(ledger)), (math, _of_math(ledger))):
        for name, function in standing.items():
            original = getattr(module, name)
            kept.append(original)
            found[id(original)] = function
    original = np.lib.stride_tricks.as_strided
    kept.append(original)
    found[id(original)] = _strided(ledger, original)
    places: list[dict[str, Any]] = [vars(np), vars(math), vars(np.lib.stride_tricks)]
    places += [
        space for f in functions if (space := getattr(_bare(f), "__globals__", None)) is not None
    ]
    changed: list[tuple[dict[str, Any], str, Any]] = []
    try:
        for space in places:
            for name, value in list(space.items()):
                if id(value) in found and not isinstance(value, ModuleType):
                    changed.append((space, name, value))
                    space[name] = found[id(value)]
        yield
    finally:
        for space, name, value in reversed(changed):
            space[name] = value


def _bare(function: Any) -> Any:
    """The function behind a method, a partial call or a wrapper."""
    for name in ("__func__", "func", "__wrapped__"):
        function = getattr(function, name, function)
    return function


def _of_numpy(ledger: Ledger) -> dict[str, Any]:
    makers = {name: _maker(ledger, getattr(np, name)) for name in _MAKERS}
    return makers | {name: _gatherer(ledger, getattr(np, name)) for name in _GATHERERS}


def _maker(ledger: Ledger, original: Callable[..., Any]) -> Callable[..., Any]:
    unset = original.__name__.startswith("empty")

    def make(*args: Any, **keywords: Any) -> Any:
        if taped_in([*args, keywords]) and original.__name__ != "full":
            return original(*args, **keywords)
        values = original(*plain(args), **plain(keywords))
        if not _is_for_numbers(values):
            return values
        if original.__name__ == "full":
            fill = args[1] if len(args) > 1 else keywords["fill_value"]
            with ledger.following():
                return made(ledger, values, np.broadcast_to(ledger.nodes(fill), values.shape))
        if unset:
            values[...] = False if values.dtype == np.bool_ else np.nan
            return made(ledger, values, np.full(values.shape, UNSET))
        return made(ledger, values, ledger.constants(values))

    return make


def _gatherer(ledger: Ledger, original: Callable[..., Any]) -> Callable[..., Any]:
    def gather(value: Any, *args: Any, **keywords: Any) -> Any:
        found = taped_in(value)
        if isinstance(value, Taped):
            dtype = args[0] if args else keywords.get("dtype")
            fresh = original.__name__ == "array" and keywords.get("copy", True)
            same = value if dtype is None else value.astype(dtype, copy=False)  # type: ignore[attr-defined]
            array = same.copy() if fresh and same is value else same
            return made(ledger, np.asarray(array.values), array.nodes, is_view=True) if array.scalar else array
        values = original(plain(value) if found else value, *args, **keywords)
        if found:
            with ledger.following():
                return made(ledger, values, ledger.nodes(value))
        if not _is_for_numbers(values) or isinstance(value, np.ndarray) or not np.isfinite(values).all():
            return values
        return made(ledger, values, ledger.constants(values))

    return gather


def _is_for_numbers(values: Any) -> bool:
    """Whether numbers or truth values may be written to it, by a person's code."""
    frame = sys._getframe(2)
    return values.dtype.kind in "fb" and is_of_person(frame.f_code.co_filename)


def _strided(ledger: Ledger, original: Callable[..., Any]) -> Callable[..., Any]:
    def view(x: Any, shape: Any = None, strides: Any = None, **keywords: Any) -> Any:
        if not isinstance(x, Taped):
            return original(x, shape, strides, **keywords)
        values = original(x.values, shape, strides, **keywords)
        size = x.values.itemsize
        steps = None if strides is None else tuple(step // size * 8 for step in strides)
        return made(ledger, values, original(x.nodes, shape, steps, **keywords), is_view=True)

    return view


def _of_math(ledger: Ledger) -> dict[str, Any]:
    """The functions of `math` that are rows of the same name and arguments."""
    found: dict[str, Any] = {}
    for name, original in vars(math).items():
        row = lookup(names()[name]) if callable(original) and name in names() else None
        if row is not None and row.signature and not row.parsed.settings:
            found[name] = _scalar(ledger, original, row.name, len(row.parsed.args))
    return found


def _scalar(ledger: Ledger, original: Callable[..., Any], row: str, count: int) -> Callable[..., Any]:  # fmt: skip
    def compute(*args: Any) -> Any:
        if not any(isinstance(value, Taped) for value in args) or len(args) != count:
            return original(*args)
        value = original(*plain(args))
        with ledger.following():
            nodes = ledger.row(row, *[np.reshape(ledger.nodes(v), ()) for v in args])
        return made(ledger, np.float64(value), nodes)

    return compute
