"""torch's answers along a line of points, many at a time."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from gradcheck_cli.witnesses import VECTOR

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gradcheck_cli.sweeps.asked import SweepQuestion
    from gradcheck_cli.worlds.tensors import Tensor

# Points that torch is given at once: below 32 thousand autograd's own work shows.
BLOCK = 2**17


def torch_answers(
    asked: SweepQuestion, start: int, stop: int
) -> Iterator[tuple[int, Tensor, Tensor]]:
    """(number of the first point, inputs, torch's partials) of one block after the other, both in
    float64; None in the place of partials where torch has no path.

    Raises:
        RuntimeError, TypeError, ValueError, IndexError, NotImplementedError: torch cannot.
    """
    import torch

    for i in range(start, stop, BLOCK):
        x = asked.line.tensor(i, min(i + BLOCK, stop)).to(asked.device)
        rest = -len(x) % VECTOR
        padded = torch.cat([x, x[-1:].expand(rest)]) if rest else x
        partials = partials_at(asked, padded)
        yield (
            i,
            x.to(torch.float64),
            None if partials is None else partials[: len(x)].to(torch.float64),
        )


def partials_at(asked: SweepQuestion, x: Tensor) -> Tensor | None:
    """torch's partials at inputs of the dtype; a multiple of `VECTOR` of them."""
    import torch

    like = torch.empty((), dtype=x.dtype, device=x.device)
    sweep, question = asked.sweep, asked.question
    variable = question.wrt[asked.partial]
    leaves: dict[str, Any] = {
        name: torch.full_like(x, value) for name, value in asked.numbers.items()
    }
    leaves[sweep.moving] = x.clone()
    leaves[variable].requires_grad_()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = question.subject.run(leaves, asked.dtype.round, like).result
        if not isinstance(result, torch.Tensor) or not result.requires_grad:
            return None
        weights = asked.prepared.weights
        (result if weights is None else result * weights[0]).sum().backward()
    return leaves[variable].grad
