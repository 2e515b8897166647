"""ATen's operators as rows of the function table: which nodes a call makes.

An operator is found in this order: a function of its name in one of the files here; a row of its
name, when its arguments are those of the row; what only moves elements, asked of the call itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gradcheck_cli.recording.torch_calls import (
    arithmetic,
    convolutions,
    derived,
    distances,
    linear,
    matrices,
    moves,
    pieces,
    reductions,
    scattering,
)
from gradcheck_cli.recording.torch_calls.rows import by_row

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gradcheck_cli.recording.operation import Operation

_FILES = (arithmetic, reductions, pieces, convolutions, matrices, distances, scattering, derived)


def nodes_of(operation: Operation) -> Sequence[Any] | None:
    """The nodes of every tensor of the result, in order; None where no rule knows the operator."""
    for file in _FILES:
        rule = file.OPERATORS.get(operation.name)
        found = None if rule is None else rule(operation)
        if found is not None:
            return found if isinstance(found, tuple) else (found,)
    found = by_row(operation)
    if found is not None:
        return (found,)
    return moves.moved(operation) or linear.mapped(operation)
