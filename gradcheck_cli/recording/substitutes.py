"""While NumPy code is recorded, other functions stand in its modules for some of NumPy's."""

from __future__ import annotations

import sys
import sysconfig
from contextlib import contextmanager
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck_cli.recording.places import is_of_person
from gradcheck_cli.recording.stand_ins import Vectorized, stand_ins

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gradcheck_cli.recording.ledger import ArrayLedger

# Where libraries are installed: their code is left as it is.
_INSTALLED = tuple({sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib")})


@contextmanager
def substituted(ledger: ArrayLedger, functions: Sequence[Any]) -> Iterator[None]:
    """In the modules of these functions, and in those of the person's that they use, what makes
    arrays makes such as can be written down. NumPy itself stays as it is: extensions rest on it.
    """
    replaced = stand_ins(ledger)
    changed: list[tuple[dict[str, Any], str, Any]] = []
    try:
        for space in _spaces(functions):
            if "float" not in space:
                changed.append((space, "float", _ABSENT))
                space["float"] = replaced[id(float)]
            for name, value in list(space.items()):
                if id(value) in replaced:
                    changed.append((space, name, value))
                    space[name] = replaced[id(value)]
                elif isinstance(value, np.vectorize):
                    changed.append((space, name, value))
                    space[name] = Vectorized(ledger, value)
        yield
    finally:
        for space, name, value in changed:
            if value is _ABSENT:
                space.pop(name, None)
            else:
                space[name] = value


_ABSENT = object()


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
