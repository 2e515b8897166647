"""One call of a function of NumPy's, as it is recorded."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from inspect import Parameter, Signature, signature
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck_cli.functions import lookup, names
from gradcheck_cli.functions.deviations import Elsewhere
from gradcheck_cli.language.libraries import SYNONYMS
from gradcheck_cli.recording.ledger import Taped, taped_in, untaped

if TYPE_CHECKING:
    from collections.abc import Callable

    from gradcheck_cli.functions.row import Function
    from gradcheck_cli.recording.ledger import ArrayLedger
    from gradcheck_cli.recording.tape import Nodes

# What functions written in C call their arguments, as the documentation has it.
_IN_C = {
    "concatenate": ("arrays", "axis", "out", "dtype", "casting"),
    "where": ("condition", "x", "y"),
    "dot": ("a", "b", "out"), "inner": ("a", "b"), "vdot": ("a", "b"),
    "copyto": ("dst", "src", "casting", "where"), "putmask": ("a", "mask", "values"),
    "empty_like": ("prototype", "dtype", "order", "subok", "shape"),
    "bincount": ("x", "weights", "minlength"),
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class NumpyCall:
    """A call after it was made.

    Attributes:
        function: NumPy's own.
        name: it has no `numpy.` before it.
        args: every argument by its name, defaults filled in.
        result: what it gave for the values.
    """

    ledger: ArrayLedger
    function: Callable[..., Any]
    name: str
    args: dict[str, Any]
    result: Any = None

    def __getitem__(self, name: str) -> Any:
        return self.args[name]

    def get(self, name: str, default: Any = None) -> Any:
        """An argument, or the default where it is not given."""
        value = self.args.get(name, default)
        return default if value is np._NoValue else value

    @property
    def first(self) -> Any:
        """The first argument."""
        return next(iter(self.args.values()))

    def nodes(self, value: Any) -> Nodes:
        """The nodes of an array, a number, or a list of them."""
        return self.ledger.nodes(value)

    def floats(self, value: Any) -> Nodes:
        """The nodes as numbers; those of memory that nothing was written to stay what they are."""
        return self.ledger.fitting(self.ledger.nodes(value), np.float64)

    def row(self, name: str, *args: Nodes, **settings: Any) -> Nodes:
        """What a row of the function table makes of nodes."""
        return self.ledger.row(name, *args, **settings)

    def held(self, value: Any, kind: str = "index") -> Any:
        """An index or a mask as it is at the point."""
        if any(not self.ledger.is_fixed(t.nodes) for t in taped_in(value)):
            self.ledger.remark(kind, self.name)
        return untaped(value)

    def only(self, *allowed: str) -> None:
        """No argument says something but these and the first.

        Raises:
            Unfollowed: another one does.
        """
        told = parameters_of(self.function)
        known = {} if told is None else told.parameters
        rest = [*self.args][1:]
        for name in rest:
            value = self.get(name)
            default = getattr(known.get(name), "default", None)
            if value is None or value is default or name in (*allowed, *_OF_MEMORY):
                continue
            if isinstance(value, Taped | np.ndarray) or value != default:
                self.ledger.refuse(f"`{self.name}` with `{name}`")


# Arguments that say where a result lies, or in which format: the values have it.
_OF_MEMORY = ("out", "dtype", "order", "subok", "casting", "copy", "optimize", "device", "like")


@cache
def parameters_of(function: Any) -> Signature | None:
    """The signature of a function, None where it tells none."""
    try:
        return signature(function)
    except (ValueError, TypeError):
        return None


def arguments_of(function: Any, name: str, args: Any, keywords: Any) -> dict[str, Any] | None:
    """Arguments by name, defaults filled in; None where the function does not tell them."""
    in_c = _IN_C.get(name)
    if in_c is not None:
        return {**dict(zip(in_c, args, strict=False)), **keywords}
    known = parameters_of(function)
    if known is None:
        return None
    given = known.bind(*args, **keywords)
    given.apply_defaults()
    found: dict[str, Any] = dict(given.arguments)
    for parameter in known.parameters.values():
        if parameter.kind is Parameter.VAR_KEYWORD:
            found |= found.pop(parameter.name, {})
    return found


def numpy_row(name: str, libraries: tuple[str, ...]) -> tuple[Function, Elsewhere] | None:
    """The row that a library's function is by its name, and what is its own there."""
    bare = name.rpartition(".")[2]
    known = names().get(bare)
    if known is None:
        return None
    row = lookup(known)
    for library in libraries:
        said = row.foreign.get(f"{library}.{bare}", row.foreign.get(library))
        if isinstance(said, str):
            return None
        if said is not None:
            return (lookup(said.function) if said.function else row), said
    return row, Elsewhere()


def as_setting(name: str) -> str:
    """What the language calls a setting of NumPy's."""
    return SYNONYMS.get(name, name)
