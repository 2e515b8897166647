"""Rows that answer the numbers that they are given: copies, and other names of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gradcheck_cli.functions.deviations import Elsewhere
from gradcheck_cli.functions.row import Function

if TYPE_CHECKING:
    from collections.abc import Callable


def _same(name: str, torch: Callable[..., Any] | None = None, **more: Any) -> Function:
    """A row whose value is its argument, by torch's function of that name."""
    function = torch or (lambda t, x: getattr(t, name)(x))
    return Function(name, "x", torch=function, means="x", pullback=("ybar",), rounds=(0, 0), **more)


# fmt: off
_REAL = "inputs are real here, and so is what is made of them"

ROWS = (
    _same("clone", aliases=("alias_copy",)),
    _same("contiguous", lambda t, x: x.contiguous()),
    _same("positive"),
    _same("real", note=_REAL),
    _same("conj", note=_REAL),
    _same("conj_physical", note=_REAL),
    _same("resolve_conj", note=_REAL),
    _same("resolve_neg", note=_REAL),
    Function("nan_to_num", "x; nan=0.0, posinf=None, neginf=None", torch=lambda t, x, nan, posinf, neginf: t.nan_to_num(x, nan, posinf, neginf),
             means="x", pullback=("ybar",), rounds=(0, 0), foreign={"np": Elsewhere(named=("nan", "posinf", "neginf"))},
             note="x where it is a number; elsewhere there is no derivative to check"),
)
# fmt: on
