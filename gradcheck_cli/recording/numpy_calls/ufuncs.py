"""Universal functions: element by element, and what else they can be asked for: `np.add.at`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck_cli.recording.numpy_call import numpy_row

if TYPE_CHECKING:
    from gradcheck_cli.recording.numpy_call import NumpyCall
    from gradcheck_cli.recording.tape import Nodes

# What an extension may call its own functions as well: only these two libraries' are known.
_LIBRARIES = {"np": "numpy", "scipy.special": "scipy.special"}


def library_of(ufunc: Any) -> str:
    """The library that a universal function is of, empty where it is none that is known."""
    import sys

    for short, module in _LIBRARIES.items():
        if getattr(sys.modules.get(module), ufunc.__name__, None) is ufunc:
            return short
    return ""


def elementwise(call: NumpyCall, inputs: list[Any]) -> Any:
    """The nodes of a call, of each of its results; None where it is not known."""
    rule = CALLS.get(call.name)
    if rule is not None:
        return rule(call, *inputs)
    library = library_of(call.function)
    known = numpy_row(call.name, (library,)) if library else None
    if known is None:
        return None
    row, _ = known
    if row.parsed.settings or row.parsed.variadic or len(row.parsed.args) != len(inputs):
        return None
    return call.row(row.name, *map(call.nodes, inputs))


def _as_row(name: str) -> Any:
    return lambda call, *inputs: call.row(name, *map(call.floats, inputs))


def _logical(name: str) -> Any:
    def rule(call: NumpyCall, *inputs: Any) -> Nodes | None:
        if call.name not in _OF_TRUTH and np.asarray(call.result).dtype != np.bool_:
            return None
        return call.row(name, *map(call.nodes, inputs))

    return rule


_OF_TRUTH = ("logical_and", "logical_or", "logical_not", "logical_xor")


def _exclusive(call: NumpyCall, a: Any, b: Any) -> Nodes | None:
    if call.name not in _OF_TRUTH and np.asarray(call.result).dtype != np.bool_:
        return None
    x, y = (call.ledger.tape.conditions(call.nodes(v)) for v in (a, b))
    both, none = (
        call.row("logical_and", x, y),
        call.row("logical_not", call.row("logical_or", x, y)),
    )
    return call.row("logical_not", call.row("logical_or", both, none))


def _floor_divide(call: NumpyCall, a: Any, b: Any) -> Nodes:
    return call.row("floor", call.row("div", call.floats(a), call.floats(b)))


def _divmod(call: NumpyCall, a: Any, b: Any) -> tuple[Nodes, Nodes]:
    return _floor_divide(call, a, b), call.row("remainder", call.floats(a), call.floats(b))


def _parts(call: NumpyCall, x: Any) -> tuple[Nodes, Nodes]:
    return call.row("frac", call.floats(x)), call.row("trunc", call.floats(x))


def _step(call: NumpyCall, x: Any, at_zero: Any) -> Nodes:
    nodes, zero, one = call.floats(x), call.floats(0), call.floats(1)
    step = call.row("where", call.row("gt", nodes, zero), one, zero)
    return call.row("where", call.row("eq", nodes, zero), call.floats(at_zero), step)


def _with_sign(call: NumpyCall, x: Any, sign: Any) -> Nodes:
    size = call.row("abs", call.floats(x))
    below = call.row("lt", call.floats(sign), call.floats(0))
    return call.row("where", below, call.row("neg", size), size)


def _same(call: NumpyCall, x: Any) -> Nodes:
    return call.nodes(x)


def _found(call: NumpyCall, *inputs: Any) -> None:
    """What holds of all numbers about: whether they are finite."""
    call.held(list(inputs))


def _product(call: NumpyCall, a: Any, b: Any) -> Nodes:
    return call.row("matmul", call.floats(a), call.floats(b))


def _dotted(call: NumpyCall, a: Any, b: Any) -> Nodes:
    return call.row("sum", call.row("mul", call.floats(a), call.floats(b)), dim=-1)


CALLS: dict[str, Any] = {
    "greater": _as_row("gt"), "greater_equal": _as_row("ge"), "less": _as_row("lt"),
    "less_equal": _as_row("le"), "equal": _as_row("eq"), "not_equal": _as_row("ne"),
    "logical_and": _logical("logical_and"), "bitwise_and": _logical("logical_and"),
    "logical_or": _logical("logical_or"), "bitwise_or": _logical("logical_or"),
    "logical_not": _logical("logical_not"), "invert": _logical("logical_not"),
    "logical_xor": _exclusive, "bitwise_xor": _exclusive,
    "floor_divide": _floor_divide, "divmod": _divmod, "modf": _parts,
    "float_power": _as_row("pow"), "rint": _as_row("round"), "heaviside": _step,
    "copysign": _with_sign, "positive": _same, "conjugate": _same, "degrees": _as_row("rad2deg"),
    "radians": _as_row("deg2rad"), "isnan": _found, "isinf": _found, "isfinite": _found,
    "signbit": lambda call, x: call.row("lt", call.floats(x), call.floats(0)),
    "matmul": _product, "vecdot": _dotted, "matvec": _product,
}  # fmt: skip
