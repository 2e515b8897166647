"""Of several values those that have a gradient."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gradcheck_cli.subjects.function import differentiable_parts, surroundings
from gradcheck_cli.worlds import tensors

if TYPE_CHECKING:
    from gradcheck_cli.code.call import CodeCall


def with_parts(call: CodeCall) -> CodeCall:
    """The same, its value made of what has a gradient.

    Raises:
        RuntimeError: the function raises, whatever it is.
    """
    import torch

    like = torch.empty((), dtype=tensors.dtype_of(call.dtype.name), device=call.device)
    leaves = {
        name: torch.tensor(array, dtype=torch.float64).to(like).requires_grad_(name in call.wrt)
        for name, array in call.arrays.items()
    }
    with surroundings(like):
        try:
            value = call.subject.function(leaves)
        except RuntimeError:
            raise
        except Exception as error:
            message = f"{type(error).__name__}: {error}"
            raise RuntimeError(message) from error
    return replace(call, subject=replace(call.subject, parts=differentiable_parts(value)))
