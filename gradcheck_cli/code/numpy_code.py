"""Functions of NumPy arrays with a backward by hand, as functions of tensors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gradcheck_cli.code.callables import Adapted, argument_order, defined_at
from gradcheck_cli.language.errors import mistake
from gradcheck_cli.subjects.pair_calls import NumpyPair
from gradcheck_cli.subjects.pairs import as_function

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def adapt_pair(
    forward: Any, backward: Any, title: str, names: Sequence[str], fixed: Mapping[str, Any]
) -> Adapted:
    """A forward and its backward.

    Args:
        backward: None where the forward gives its gradients behind its value.
    Raises:
        PointError: one cannot be called, or the forward has no such arguments.
    """
    for found in (forward, *(() if backward is None else (backward,))):
        if not callable(found):
            kind = type(found).__name__
            raise mistake("bad-object", f"a function of NumPy arrays can be called, {kind} cannot")
    order = argument_order(forward, names, title)
    inputs = tuple(name for name in order if name not in fixed)
    pair = NumpyPair(forward, backward, inputs, dict(fixed))
    return Adapted(as_function(pair), {}, defined_at(forward))
