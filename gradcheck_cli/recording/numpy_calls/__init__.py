"""NumPy's functions as rows of the function table: which nodes a call makes.

A function is found in this order: a rule of its name in one of the files here; what only moves
elements, asked of the function itself; a row of its name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck_cli.recording.ledger import Taped, untaped
from gradcheck_cli.recording.numpy_call import NumpyCall, arguments_of, numpy_row
from gradcheck_cli.recording.numpy_calls import choices, moves, products, reductions, ufuncs

if TYPE_CHECKING:
    from collections.abc import Callable

    from gradcheck_cli.recording.ledger import ArrayLedger

_FILES = (reductions, products, choices)
_REDUCTIONS = {"add": "sum", "multiply": "prod", "maximum": "amax", "minimum": "amin"}
_RUNNING = {"add": "cumsum", "multiply": "cumprod"}


def numpy_name(function: Any) -> str:
    """What a function is called behind `numpy.`."""
    module = getattr(function, "__module__", "") or ""
    inner = "linalg." if module == "numpy.linalg" else ""
    return f"{inner}{function.__name__}"


def named_call(
    ledger: ArrayLedger, function: Callable[..., Any], args: Any, keywords: Any
) -> NumpyCall:
    """A call that is still to be made.

    Raises:
        Unfollowed: it does not tell what its arguments are.
    """
    name = numpy_name(function)
    given = arguments_of(function, name, args, keywords)
    if given is None:
        ledger.refuse(f"`numpy.{name}`")
    return NumpyCall(ledger, function, name, given)


def numpy_nodes(call: NumpyCall) -> Any:
    """The nodes of all that a call gives, in lists as that is; None where it gives plain numbers.

    Raises:
        Unfollowed: nothing is known of the function.
    """
    if call.name in choices.FACTS:
        return None
    if call.name in choices.INDICES or call.name in choices.ESCAPES:
        call.held(list(call.args.values()), "index" if call.name in choices.INDICES else "escape")
        return None
    for file in _FILES:
        rule = file.CALLS.get(call.name)
        if rule is not None:
            return rule(call)
    if call.name in moves.MOVERS:
        return moves.moved_elements(call)
    return _by_row(call)


def _by_row(call: NumpyCall) -> Any:
    """A row of the same name, of arrays alone."""
    libraries = ("np.linalg", "np") if call.name.startswith("linalg.") else ("np",)
    known = numpy_row(call.name, libraries)
    if known is None or known[0].parsed.settings or known[0].parsed.variadic:
        call.ledger.refuse(f"`numpy.{call.name}` has no row in the function table")
    count = len(known[0].parsed.args)
    names = list(call.args)
    call.only(*names[:count])
    return call.row(known[0].name, *[call.nodes(call[name]) for name in names[:count]])


def ufunc_nodes(call: NumpyCall, method: str, inputs: list[Any]) -> Any:
    """The nodes of a call of a universal function, or of one of its methods.

    Raises:
        Unfollowed: nothing is known of it.
    """
    found = None
    if method == "__call__":
        found = ufuncs.elementwise(call, inputs)
    elif method == "outer":
        found = ufuncs.elementwise(call, _crossed(*inputs))
    elif method in ("reduce", "accumulate"):
        found = _along(call, method, *inputs)
    if found is None and call.name not in ("isnan", "isinf", "isfinite"):
        call.ledger.refuse(f"`{call.name}` has no row in the function table")
    return found


def _crossed(a: Any, b: Any) -> list[Any]:
    """Two arrays, each element of one with each of the other."""
    first = a if isinstance(a, Taped) else np.asarray(a)
    index = (..., *[None] * np.ndim(untaped(b)))
    if isinstance(first, Taped):
        return [Taped(first.ledger, first.values[index], first.nodes[index]), b]
    return [first[index], b]


def _along(call: NumpyCall, method: str, value: Any) -> Any:
    call.only("axis", "keepdims", "array", "where")
    axis = call.get("axis", 0)
    if method == "accumulate":
        name = _RUNNING.get(call.name)
        return None if name is None else call.row(name, call.floats(value), dim=axis)
    name = _REDUCTIONS.get(call.name)
    if name is not None and call.get("where", True) is True:
        over = reductions.dims_over(axis, call.get("keepdims", False))
        if name == "prod" and isinstance(over["dim"], tuple):
            return None
        return call.row(name, call.floats(value), **over)
    if call.name in ("logical_and", "logical_or"):
        nodes = call.ledger.tape.conditions(call.nodes(value))
        return reductions.folded_along(
            call, call.name, nodes, axis, bool(call.get("keepdims", False))
        )
    return None
