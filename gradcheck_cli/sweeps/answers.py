"""torch's answers along a line of points, many at a time."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from gradcheck_cli.witnesses import VECTOR

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gradcheck_cli.sweeps.asked import SweepQuestion
    from gradcheck_cli.worlds.tensors import Tensor

# Points that torch is given at once: below 32 thousand autograd's own work shows.
BLOCK = 2**17


def torch_answers(
    asked: SweepQuestion, start: int, stop: int
) -> Iterator[tuple[int, dict[str, Tensor], Tensor | None]]:
    """(number of the first point, inputs that move, torch's partials) of one block after the other,
    in float64; None in the place of partials where torch has no path.

    Raises:
        RuntimeError, TypeError, ValueError, IndexError, NotImplementedError: torch cannot.
    """
    import torch

    for i in range(start, stop, BLOCK):
        columns = asked.track.columns(i, min(i + BLOCK, stop))
        columns = {name: column.to(asked.device) for name, column in columns.items()}
        count = len(next(iter(columns.values())))
        rest = -count % VECTOR
        padded = {
            name: torch.cat([column, column[-1:].expand(rest)]) if rest else column
            for name, column in columns.items()
        }
        partials = partials_at(asked, padded)
        if partials is not None:
            partials = partials[:count].to(torch.float64)
        yield i, {name: column.to(torch.float64) for name, column in columns.items()}, partials


def partials_at(asked: SweepQuestion, columns: Mapping[str, Tensor]) -> Tensor | None:
    """torch's partials at inputs of the dtype; a multiple of `VECTOR` of them."""
    import torch

    first = next(iter(columns.values()))
    like = torch.empty((), dtype=first.dtype, device=first.device)
    question = asked.question
    variable = question.wrt[asked.partial]
    leaves: dict[str, Any] = {
        name: torch.full_like(first, value) for name, value in asked.numbers.items()
    }
    leaves |= {name: column.clone() for name, column in columns.items()}
    leaves[variable].requires_grad_()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = question.subject.run(leaves, asked.dtype.round, like).result
        if not isinstance(result, torch.Tensor) or not result.requires_grad:
            return None
        weights = asked.prepared.weights
        (result if weights is None else result * weights[0]).sum().backward()
    return leaves[variable].grad
