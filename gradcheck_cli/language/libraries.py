"""What other libraries call things: prefixes, keywords, functions that mean something else."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, NamedTuple

from gradcheck_cli.functions import lookup, names
from gradcheck_cli.functions.deviations import Elsewhere
from gradcheck_cli.functions.other_names import ACCEPTED, INSTEAD
from gradcheck_cli.language.errors import NodeError, did_you_mean, elide

if TYPE_CHECKING:
    from collections.abc import Container

    from gradcheck_cli.functions.row import Function, SettingValue

# fmt: off
PREFIXES = (
    "torch", "torch.nn.functional", "nn.functional", "F", "torch.special", "torch.linalg", "np", "numpy", "np.linalg", "numpy.linalg",
    "math", "sympy", "sp", "scipy.special", "special", "jnp", "jax.numpy", "jnp.linalg", "jax.numpy.linalg", "jax.scipy.special",
)
# One library under several names; `special` is whose meaning is the narrower.
_LIBRARY = {
    "F": "torch.nn.functional", "nn.functional": "torch.nn.functional", "numpy": "np", "numpy.linalg": "np.linalg", "sp": "sympy", "special": "scipy.special",
    "jnp": "np", "jax.numpy": "np", "jnp.linalg": "np.linalg", "jax.numpy.linalg": "np.linalg", "jax.scipy.special": "scipy.special",
}
# fmt: on
# The library of what is called on a tensor.
METHODS = "Tensor"
# Libraries whose extremes take any number of arguments.
_FOLDING = ("sympy",)
# Attributes that transpose, by their settings.
ATTRIBUTES: dict[str, dict[str, SettingValue]] = {
    "T": {},
    "H": {},
    "mT": {"dim0": -2, "dim1": -1},
    "mH": {"dim0": -2, "dim1": -1},
}
# The same setting under the names other libraries give it.
SYNONYMS = {"axis": "dim", "keepdims": "keepdim", "ddof": "correction", "ord": "p"}
# A prefix has at most three links: `torch.nn.functional`.
_LINKS = 4


class Callee(NamedTuple):
    """What a call means.

    Attributes:
        row: the function.
        prefix: the library's prefix as it is written, "" without one.
        receiver: what a method is called on.
        elsewhere: what the library means by the name, where that is something of its own.
    """

    row: Function
    prefix: str = ""
    receiver: tuple[ast.expr, ...] = ()
    elsewhere: Elsewhere = Elsewhere()


def links(node: ast.expr) -> list[str]:
    """`["torch", "special", "erf"]` for `torch.special.erf`; empty for what is no such name."""
    path: list[str] = []
    while isinstance(node, ast.Attribute) and len(path) < _LINKS:
        path.append(node.attr)
        node = node.value
    return [node.id, *reversed(path)] if isinstance(node, ast.Name) else []


def strip_prefix(path: list[str]) -> str | None:
    """The bare name behind a known library prefix, or None."""
    prefix = ".".join(path[:-1])
    return path[-1] if prefix in PREFIXES or prefix in ACCEPTED else None


def callee(node: ast.Call, assigned: Container[str]) -> Callee:
    """The function that a call means, in the library whose prefix it has.

    Args:
        assigned: names that are no library's prefix here, because the program assigns them.
    Raises:
        NodeError: no such function or prefix, or a function that means something else there.
    """
    func = node.func
    if isinstance(func, ast.Name):
        return Callee(_row(func.id, func))
    if not isinstance(func, ast.Attribute):
        raise NodeError("unsupported-syntax", "only a function of the language can be called", func)
    path = links(func)
    is_free = bool(path) and path[0] not in assigned
    bare = strip_prefix(path) if is_free else None
    if bare is None:
        if is_free and len(path) > 2 and path[-2] not in ATTRIBUTES:
            raise unknown_prefix(func, path, f"there is no attribute `{elide(path[1])}`")
        return _meant(func.attr, _own_name(func), METHODS)._replace(receiver=(func.value,))
    prefix = ".".join(path[:-1])
    if prefix in ACCEPTED:
        return _accepted(prefix, bare, func)
    return _meant(bare, func, _LIBRARY.get(prefix, prefix))._replace(prefix=prefix)


def _meant(name: str, node: ast.expr, library: str) -> Callee:
    """What a library means by a name that the language has too."""
    row = _row(name, node)
    elsewhere = _elsewhere(row, library, name)
    if isinstance(elsewhere, str):
        raise NodeError("foreign-meaning", elsewhere, node)
    return Callee(lookup(elsewhere.function) if elsewhere.function else row, elsewhere=elsewhere)


def _accepted(prefix: str, name: str, node: ast.expr) -> Callee:
    """The function that a call means in a library of which only some names are known."""
    known = ACCEPTED[prefix]
    if name not in known:
        own = names().get(name)
        way_out = f"if torch's is meant, write `{own}({lookup(own).signature})`" if own else ""
        way_out = INSTEAD.get(name, "") or way_out or did_you_mean(name, known)
        message = f"`{elide(prefix)}.{elide(name)}` is none that is known to be one of these"
        raise NodeError("unknown-function", message, node, way_out)
    elsewhere = known[name]
    return Callee(lookup(elsewhere.function), prefix, (), elsewhere)


def _own_name(func: ast.Attribute) -> ast.expr:
    """The name behind the last dot, as a node of its own."""
    name = ast.copy_location(ast.Name(func.attr), func)
    if func.end_lineno is not None and func.end_col_offset is not None:
        name.lineno = func.end_lineno
        name.col_offset = max(func.end_col_offset - len(func.attr.encode()), 0)
    return name


def _elsewhere(row: Function, library: str, name: str) -> Elsewhere | str:
    """What a library means by a name: the narrowest that the row says of it."""
    return row.foreign.get(f"{library}.{name}", row.foreign.get(library, Elsewhere()))


def unknown_prefix(func: ast.expr, path: list[str], otherwise: str = "") -> NodeError:
    """The mistake of a prefix that belongs to no known library.

    Args:
        otherwise: what is wrong if its first name was meant as an input.
    """
    prefix = ".".join(path[:-1])
    near = did_you_mean(prefix, PREFIXES)
    known = ", ".join(f"`{known}.`" for known in PREFIXES if known not in _LIBRARY)
    way_out = f"{near} known are {known}".lstrip()
    if otherwise and path[0] not in {known.partition(".")[0] for known in PREFIXES}:
        way_out = f"{way_out}; if `{elide(path[0])}` is an input: {otherwise}"
    return NodeError("unknown-prefix", f"`{elide(prefix)}.` is no known prefix", func, way_out)


def _row(name: str, node: ast.expr) -> Function:
    known = names()
    row = lookup(known[name]) if name in known else None
    if row is not None and row.operator != "[]":
        return row
    if row is not None:
        way_out = "elements are written `x[0, 1:]`"
    else:
        way_out = INSTEAD.get(name) or INSTEAD.get(name.lower()) or did_you_mean(name, known)
        way_out = (
            f"{way_out}{';' * (name.lower() in INSTEAD)} `gradcheck functions` lists all".lstrip()
        )
    raise NodeError("unknown-function", f"no function named `{elide(name)}`", node, way_out)


def binary_row(call: Callee, node: ast.Call, positional: list[ast.expr]) -> str:
    """The binary row that a call of `max`, `min`, `Max` or `Min` folds with, or nothing.

    `torch.max(x, 0)` and `x.max(0)` reduce along a dim; `max(x, 0)` compares with 0, as in Python.
    What NumPy gets behind the first argument is an axis or `out`, whatever it is.

    Raises:
        NodeError: `np.max` of two arrays.
    """
    row = call.row
    if not row.folds or node.keywords or len(positional) < 2:
        return ""
    is_dotted = bool(call.prefix or call.receiver)
    if is_dotted and not row.is_extreme and _is_dim(positional[1]):
        return ""
    library = _LIBRARY.get(call.prefix, call.prefix)
    if library.startswith("np") and not row.is_extreme:
        message = f"{call.prefix}.{row.name}(x, axis) takes no second array"
        way_out = f"{call.prefix}.{row.folds}(x, y)"
        raise NodeError("foreign-meaning", f"{message}: write {way_out}", node)
    takes_many = not is_dotted or library in _FOLDING
    return row.folds if takes_many or len(positional) == 2 else ""


def _is_dim(node: ast.expr) -> bool:
    """Whether an argument is a literal integer or a tuple of such."""
    if isinstance(node, ast.UnaryOp):
        return _is_dim(node.operand)
    if isinstance(node, ast.Tuple):
        return all(_is_dim(item) for item in node.elts)
    return isinstance(node, ast.Constant) and (node.value is None or isinstance(node.value, int))
