"""The function that differences are made of where a first derivative is on trial: torch's own first
derivative at every row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gradcheck_cli.subjects.single import SlopeSubject, gradient_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from gradcheck_cli.questions.batch import Batch

    Rows = Callable[[Any, dict[str, Any]], Any]


def original(batch: Batch) -> Batch:
    """The batch whose values are differentiated first; the batch itself where none are."""
    is_slope = isinstance(batch.question.subject, SlopeSubject)
    return batch.whole if is_slope and batch.whole is not None else batch


def slopes(batch: Batch, function: Rows) -> Rows:
    """torch's first derivatives where the batch asks for second ones, else the function itself.

    Args:
        function: batch of vectors (rows) and of moving inputs to batch of `<cotangent, f>`, of the
            batch that `original` gives; the rows are independent of each other.
    """
    subject = batch.question.subject
    if not isinstance(subject, SlopeSubject):
        return function
    slope, wrt = subject.slope, batch.question.wrt
    shapes = {name: batch.prepared.size(name) for name in wrt}

    def first(rows: Any, moving: dict[str, Any]) -> Any:
        import torch

        with torch.enable_grad():
            leaf = rows.detach().requires_grad_()
            gradient = gradient_of(function(leaf, moving).sum(), {"rows": leaf})["rows"].detach()
        parts: dict[str, Any] = {}
        for name, shape in shapes.items():
            size = torch.Size(shape).numel()
            parts[name], gradient = gradient[:, :size], gradient[:, size:]
            parts[name] = parts[name].reshape(len(rows), *shape)
        return slope.of(parts)

    return first
