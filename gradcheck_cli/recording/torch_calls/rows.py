"""Operators that are rows by their own name."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import torch

from gradcheck_cli.functions import lookup, names
from gradcheck_cli.recording.operation import setting_of

if TYPE_CHECKING:
    from gradcheck_cli.functions.row import Function
    from gradcheck_cli.recording.operation import Operation
    from gradcheck_cli.recording.tape import Nodes

# What ATen puts before names of functions.
_PREFIXES = ("special_", "linalg_", "_")
# How a loss is reduced, as ATen counts.
REDUCTIONS = ("none", "mean", "sum")


@cache
def row_of(name: str) -> Function | None:
    """The row that an operator is by its name."""
    for prefix in ("", *_PREFIXES):
        known = names().get(name.removeprefix(prefix))
        if known is not None:
            return lookup(known)
    return None


def by_row(operation: Operation) -> Nodes | None:
    """The nodes of a call of a row, arguments first and settings by their names; None where the
    operator has others.
    """
    row = row_of(operation.name)
    if row is None or not row.signature or row.operator == "[]":
        return None
    given = list(operation.args.items())
    needed = len(row.parsed.args)
    if row.parsed.variadic or len(given) < needed:
        return None
    args, rest = given[:needed], given[needed:]
    if not all(isinstance(v, torch.Tensor | int | float) for _, v in args):
        return None
    settings = _settings(operation, row, rest)
    if settings is None:
        return None
    floats = [operation.nodes(value) for _, value in args]
    return operation.row(row.name, *floats, **settings)


def _settings(
    operation: Operation, row: Function, rest: list[tuple[str, Any]]
) -> dict[str, Any] | None:
    """The settings that arguments are; None where one is no setting of the row and says
    something.
    """
    known = {parameter.name for parameter in row.parsed.settings}
    defaults = {a.name: a.default_value for a in operation.function._schema.arguments}
    found: dict[str, Any] = {}
    for name, value in rest:
        if name == "reduction" and isinstance(value, int):
            found[name] = REDUCTIONS[value]
        elif name in ("dim", "dims", "axis") and name in known:
            found[name] = dims_of(value)
        elif name in known and not isinstance(value, torch.Tensor):
            found[name] = setting_of(value)
        elif not _says_nothing(value, defaults.get(name)):
            return None
    return found


def _says_nothing(value: Any, default: Any) -> bool:
    """Whether an argument is left as it is without being asked for."""
    return value is None or value == default or (value is False and default is not True)


def dims_of(value: Any) -> Any:
    """`dim` as the language has it: None for all."""
    if value is None or (isinstance(value, list | tuple) and not value):
        return None
    return tuple(value) if isinstance(value, list | tuple) else int(value)
