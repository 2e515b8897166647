"""The function table: one function, one row. Importing it imports no heavy library."""

from __future__ import annotations

from functools import cache
from importlib import import_module

from gradcheck_cli.functions.row import Function, RowError

# The files of rows, in the order in which functions are listed.
# fmt: off
_FILES = (
    "arithmetic", "elementary", "special", "activations", "reductions", "statistics",
    "tensors", "parts", "shapes", "indices", "scatters", "linear_algebra", "factors",
    "products", "order", "windows", "convolutions", "resizing", "blends", "unchanged", "norms",
    "distances", "losses", "class_weights", "margins", "layers",
)
# fmt: on


@cache
def table() -> dict[str, Function]:
    """Every row by its name, in the order of the files and their rows."""
    rows: dict[str, Function] = {}
    for file in _FILES:
        for row in import_module(f"{__name__}.{file}").ROWS:
            if row.name in rows:
                raise RowError(f"{row.name}: stated twice")
            rows[row.name] = row
    return rows


@cache
def names() -> dict[str, str]:
    """Every name and alias, to the name of its row."""
    known = {name: name for name in table()}
    for row in table().values():
        for alias in row.aliases:
            if alias in known:
                raise RowError(f"{alias}: a name of both {known[alias]} and {row.name}")
            known[alias] = row.name
    return known


@cache
def constants() -> dict[str, str]:
    """Every name of a number such as pi, to the name of its row."""
    rows = table()
    return {name: row for name, row in names().items() if not rows[row].signature}


@cache
def operators() -> dict[tuple[str, int], str]:
    """(sign, number of arguments) of every operator, to the name of its row."""
    rows = table().values()
    return {(row.operator, len(row.parsed.args)): row.name for row in rows if row.operator}


def lookup(name: str) -> Function:
    """The row called `name` (not an alias).

    Raises:
        KeyError: there is none.
    """
    return table()[name]
