"""What other libraries call things: prefixes, keywords, functions that mean something else."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from gradcheck_cli.functions import lookup, names
from gradcheck_cli.language.errors import NodeError, did_you_mean, elide

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

    from gradcheck_cli.functions.row import Function, SettingValue

# fmt: off
PREFIXES = (
    "torch.nn.functional", "torch.special", "torch.linalg", "torch", "nn.functional", "F", "np", "numpy", "np.linalg", "numpy.linalg",
    "math", "sp", "sympy", "scipy.special", "special",
)
# The same setting under the names other libraries give it.
SYNONYMS = {"axis": "dim", "keepdims": "keepdim", "ddof": "correction"}
_FAMILY = {"numpy": "np", "np.linalg": "np", "numpy.linalg": "np", "sp": "sympy", "scipy.special": "scipy"}
# fmt: on
# A prefix has at most three links: `torch.nn.functional`.
_LINKS = 4


def links(node: ast.expr) -> list[str]:
    """`["torch", "special", "erf"]` for `torch.special.erf`; empty for what is no such name."""
    path: list[str] = []
    while isinstance(node, ast.Attribute) and len(path) < _LINKS:
        path.append(node.attr)
        node = node.value
    return [node.id, *reversed(path)] if isinstance(node, ast.Name) else []


def strip_prefix(path: list[str]) -> str | None:
    """The bare name behind a known library prefix, or None."""
    return path[-1] if len(path) > 1 and ".".join(path[:-1]) in PREFIXES else None


def callee(
    node: ast.Call, assigned: Container[str]
) -> tuple[Function, list[ast.expr], Mapping[str, SettingValue]]:
    """(row, what a method is called on, settings that the library presets) of a call.

    Args:
        assigned: names that are no library's prefix here, because the program assigns them.
    Raises:
        NodeError: no such function, or one that means something else under this prefix.
    """
    func = node.func
    if isinstance(func, ast.Name):
        return _row(func.id, func), [], {}
    if not isinstance(func, ast.Attribute):
        raise NodeError("unsupported-syntax", "only a function of the language can be called", func)
    path = links(func)
    bare = strip_prefix(path) if path and path[0] not in assigned else None
    if bare is None:
        return _row(func.attr, func), [func.value], {}
    row = _row(bare, func)
    library = ".".join(path[:-1])
    foreign = row.foreign.get(_FAMILY.get(library, library), {})
    if isinstance(foreign, str):
        raise NodeError("foreign-meaning", foreign, func)
    return row, [], foreign


def _row(name: str, node: ast.expr) -> Function:
    known = names()
    row = lookup(known[name]) if name in known else None
    if row is not None and row.operator != "[]":
        return row
    if row is not None:
        way_out = "elements are written `x[0, 1:]`"
    else:
        way_out = f"{did_you_mean(name, known)} `gradcheck functions` lists all".lstrip()
    raise NodeError("unknown-function", f"no function named `{elide(name)}`", node, way_out)


def binary_row(row: Function, node: ast.Call, positional: list[ast.expr]) -> str:
    """The binary row that a call of `max`, `min`, `Max` or `Min` folds with, or nothing.

    `torch.max(x, 0)`, `np.max(x, 0)` and `x.max(0)` reduce along a dim; `max(x, 0)` compares with
    0, as in Python.
    """
    if not row.folds or node.keywords or len(positional) < 2:
        return ""
    is_dotted = isinstance(node.func, ast.Attribute)
    return "" if is_dotted and not row.is_extreme and _is_dim(positional[1]) else row.folds


def _is_dim(node: ast.expr) -> bool:
    """Whether an argument is a literal integer or a tuple of such."""
    if isinstance(node, ast.UnaryOp):
        return _is_dim(node.operand)
    if isinstance(node, ast.Tuple):
        return all(_is_dim(item) for item in node.elts)
    return isinstance(node, ast.Constant) and (node.value is None or isinstance(node.value, int))
