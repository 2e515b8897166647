"""Functions that stand in for others while NumPy code is recorded: those that make memory which
something recorded may be written to, and the functions of `math`.
"""

from __future__ import annotations

import math
import sys
import sysconfig
from contextlib import contextmanager
from math import isfinite
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck_cli.functions import lookup, names
from gradcheck_cli.recording.arrays import TapedArray, taped
from gradcheck_cli.recording.ledger import UNSET, Taped, taped_in, untaped
from gradcheck_cli.recording.places import is_of_person

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from gradcheck_cli.recording.ledger import ArrayLedger

# They make arrays that are filled later on.
_MAKERS = ("zeros", "ones", "empty", "full", "zeros_like", "ones_like", "empty_like", "full_like",
           "eye", "identity")  # fmt: skip
# They make arrays of what they are given.
_GATHERERS = ("array", "asarray", "asanyarray", "ascontiguousarray", "asfortranarray")


# They take a list for an array, without asking its elements.
_OF_LISTS = ("sum", "mean", "max", "min", "prod", "std", "var", "average", "median", "exp", "log",
             "sqrt", "square", "tanh", "abs", "cumsum", "dot")  # fmt: skip
# Where libraries are installed: their code is left as it is.
_INSTALLED = tuple({sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib")})


@contextmanager
def substituted(ledger: ArrayLedger, functions: Sequence[Any]) -> Iterator[None]:
    """In the modules of these functions, and in those of the person's that they use, what makes
    arrays makes such as can be written down. NumPy itself stays as it is: extensions rest on it.
    """
    replaced = _replacements(ledger)
    changed: list[tuple[dict[str, Any], str, Any]] = []
    try:
        for space in _spaces(functions):
            for name, value in list(space.items()):
                if id(value) in replaced:
                    changed.append((space, name, value))
                    space[name] = replaced[id(value)]
        yield
    finally:
        for space, name, value in changed:
            space[name] = value


class _Standing(ModuleType):
    """A module with some of its functions replaced."""

    def __init__(self, module: Any, replaced: Mapping[str, Any]) -> None:
        super().__init__(module.__name__)
        self.__dict__.update(replaced)
        self._module = module

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)


def _replacements(ledger: ArrayLedger) -> dict[int, Any]:
    """What stands for what, by its identity."""
    tricks = np.lib.stride_tricks
    of_tricks = {"as_strided": _strided(ledger, tricks.as_strided)}
    of_numpy = {name: _maker(ledger, getattr(np, name)) for name in _MAKERS}
    of_numpy |= {name: _gatherer(ledger, getattr(np, name)) for name in _GATHERERS}
    of_numpy |= {name: _of_list(of_numpy["array"], getattr(np, name)) for name in _OF_LISTS}
    of_math = _of_math(ledger)
    of_random = {n: _drawing(ledger, f) for n, f in vars(np.random).items() if _draws(f)}
    pairs = [(np, of_numpy), (math, of_math), (tricks, of_tricks), (np.random, of_random)]
    found = {id(getattr(m, name)): f for m, given in pairs for name, f in given.items()}
    found[id(tricks)] = _Standing(tricks, of_tricks)
    found[id(np.lib)] = _Standing(np.lib, {"stride_tricks": found[id(tricks)]})
    found[id(np.random)] = _Standing(np.random, of_random)
    inner = {"lib": found[id(np.lib)], "random": found[id(np.random)]}
    found[id(np)] = _Standing(np, of_numpy | inner)
    found[id(math)] = _Standing(math, of_math)
    return found


def _spaces(functions: Sequence[Any]) -> list[dict[str, Any]]:
    """The names of every module of the person's that these functions can reach."""
    left = [space for f in functions if (space := _space_of(_bare(f))) is not None]
    roots = {_root(space) for space in left}
    found: dict[int, dict[str, Any]] = {}
    while left:
        space = left.pop()
        if id(space) in found:
            continue
        found[id(space)] = space
        inner = [_space_of(value) for value in list(space.values())]
        left += [s for s in inner if s is not None and (_root(s) in roots or _is_persons(s))]
    return list(found.values())


def _bare(function: Any) -> Any:
    """The function behind a method, a partial call or a wrapper."""
    for name in ("__func__", "func", "__wrapped__"):
        function = getattr(function, name, function)
    return function


def _space_of(value: Any) -> dict[str, Any] | None:
    """The names of the module that something is, or is defined in."""
    if isinstance(value, ModuleType):
        return vars(value)
    if isinstance(value, FunctionType):
        return value.__globals__
    module = sys.modules.get(getattr(value, "__module__", None) or "")
    return None if module is None else vars(module)


def _root(space: dict[str, Any]) -> str:
    return str(space.get("__name__", "")).partition(".")[0]


def _is_persons(space: dict[str, Any]) -> bool:
    file = space.get("__file__")
    if not isinstance(file, str):
        return space.get("__name__") == "__main__"
    return is_of_person(file) and not file.startswith(_INSTALLED)


def _of_list(gather: Callable[..., Any], original: Callable[..., Any]) -> Callable[..., Any]:
    def compute(value: Any, *args: Any, **keywords: Any) -> Any:
        listed = isinstance(value, list | tuple) and taped_in(value)
        number = isinstance(value, int | float | np.number) and not args
        return original(gather(value) if listed or number else value, *args, **keywords)

    return compute


def _maker(ledger: ArrayLedger, original: Callable[..., Any]) -> Callable[..., Any]:
    unset = original.__name__.startswith("empty")

    def make(*args: Any, **keywords: Any) -> Any:
        if taped_in([*args, keywords]) and original.__name__ != "full":
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
        if isinstance(value, TapedArray):
            dtype = args[0] if args else keywords.get("dtype")
            fresh = original.__name__ == "array" and bool(keywords.get("copy", True))
            array = value.astype(value.dtype if dtype is None else dtype, copy=fresh)
            return TapedArray(ledger, array.values, array.nodes)
        values = original(untaped(value) if found else value, *args, **keywords)
        if found:
            with ledger.following():
                return taped(ledger, values, ledger.nodes(value))
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
