"""Further ways of torch's own to the same gradient, each on trial as `backward` is: forward mode,
backward under `create_graph=True`, where torch uses other formulas for some functions, and a
vmapped backward. They are asked where the user says so.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from gradcheck_cli.records.numbers import json_number
from gradcheck_cli.subjects.single import SlopeSubject
from gradcheck_cli.witnesses import (
    TORCH_ERRORS,
    Abstention,
    Answers,
    PointwiseEstimates,
    Trust,
    first_line,
)
from gradcheck_cli.worlds import tensors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from gradcheck_cli.questions.batch import Batch
    from gradcheck_cli.records.record import Opinion
    from gradcheck_cli.witnesses import Answer, Estimates

# Forward mode takes a pass for each partial; a guess: a second of work.
MAX_PASSES = 1_024
_NO_PATH = "no path from the input to the result"


@dataclass(frozen=True)
class ModeAnswer:
    """What torch answered in another mode, as the dtype's number."""

    value: float
    ball: None = None

    def entry(self) -> Opinion:
        """What a record keeps."""
        return {"value": json_number(self.value)}


@dataclass(frozen=True)
class Mode:
    """torch in one of its modes.

    Attributes:
        gradients: the gradient by each input that is differentiated, at a single point; None where
            torch has no path from it.
    """

    name: str
    gradients: Callable[[_Call], list[Any]]
    trust: Trust = Trust.ON_TRIAL

    def prepare(self, batch: Batch) -> None:
        """Nothing: all is computed here."""

    def answer(self, batch: Batch) -> Estimates | Abstention:
        """torch's opinion of each point by itself; what torch lacks in this mode is an
        abstention.
        """
        if isinstance(batch.question.subject, SlopeSubject):
            return Abstention("not asked of second derivatives")
        shape = (len(batch), len(batch.keys))
        return PointwiseEstimates(lambda k: self._testimony(batch.alone(k)), shape)

    def _testimony(self, batch: Batch) -> Answers | Abstention:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                gradients = self.gradients(_Call(batch))
        except TORCH_ERRORS as error:
            return Abstention(f"torch cannot do this in this mode: {first_line(error)}")
        answers: list[Answer] = []
        for name, gradient in zip(batch.question.wrt, gradients, strict=True):
            if gradient is None:
                answers += [Abstention(_NO_PATH)] * batch.points[name][0].size
            else:
                flat = gradient.detach().to("cpu").double().reshape(-1).tolist()
                answers += map(ModeAnswer, flat)
        return Answers(answers)


class _Call:
    """The subject of a batch of one point, ready to be called by torch's own transforms."""

    def __init__(self, batch: Batch) -> None:
        import torch

        self.batch, self.wrt = batch, batch.question.wrt
        self.like = torch.empty((), dtype=tensors.dtype_of(batch.dtype.name), device=batch.device)
        self.inputs = {name: self._tensor(array[0]) for name, array in batch.points.items()}

    def _tensor(self, array: Any) -> Any:
        import torch

        if array.dtype == np.int64:
            return torch.tensor(array, device=self.like.device)
        return torch.tensor(array, dtype=torch.float64).to(self.like)

    def result(self, inputs: Mapping[str, Any]) -> Any:
        """The value for other tensors in the place of some inputs."""
        batch = self.batch
        given = {**self.inputs, **inputs}
        execution = batch.question.subject.run(given, batch.dtype.round, self.like)
        return tensors.tensor(execution.result, self.like)

    def weighted(self, value: Any) -> Any:
        """`<cotangent, value>`."""
        import torch

        if self.batch.cotangent is None:
            return value.sum()
        weights = torch.tensor(self.batch.cotangent, dtype=value.dtype, device=value.device)
        return (value * weights).sum()


def _forward(call: _Call) -> list[Any]:
    """One pass with a tangent for each element, as `torch.autograd.forward_ad` makes it."""
    import torch
    from torch.autograd import forward_ad

    passes = sum(call.inputs[name].numel() for name in call.wrt)
    if passes > MAX_PASSES:
        raise ValueError(f"{passes:,} partials take as many passes; {MAX_PASSES:,} is the most")
    gradients: list[Any] = []
    for name in call.wrt:
        x = call.inputs[name]
        slopes = []
        for k in range(x.numel()):
            tangent = torch.zeros_like(x)
            tangent.reshape(-1)[k] = 1
            with forward_ad.dual_level():
                value = call.result({name: forward_ad.make_dual(x, tangent)})
                slope = forward_ad.unpack_dual(value).tangent
                slopes.append(None if slope is None else call.weighted(slope))
        if any(slope is None for slope in slopes):
            gradients.append(None)
        else:
            gradients.append(torch.stack(slopes))
    return gradients


def _create_graph(call: _Call) -> list[Any]:
    """As `backward` with a graph of the gradient itself, from which second derivatives start."""
    import torch

    leaves = {name: call.inputs[name].clone().requires_grad_() for name in call.wrt}
    total = call.weighted(call.result(leaves))
    if not total.requires_grad:
        return [None] * len(leaves)
    found = torch.autograd.grad(total, list(leaves.values()), create_graph=True, allow_unused=True)
    return list(found)


def _vmap(call: _Call) -> list[Any]:
    """`torch.func.vmap(torch.func.grad(f))`, of a batch that holds the point once."""
    import torch

    def total(*values: Any) -> Any:
        return call.weighted(call.result(dict(zip(call.wrt, values, strict=True))))

    places = tuple(range(len(call.wrt)))
    batched = torch.func.vmap(torch.func.grad(total, argnums=places))
    return [part[0] for part in batched(*(call.inputs[name][None] for name in call.wrt))]


_Gradients: TypeAlias = "Callable[[_Call], list[Any]]"
# By the names that a user asks for them by.
WAYS: dict[str, _Gradients] = {
    "forward": _forward,
    "create_graph": _create_graph,
    "vmap": _vmap,
}


def mode_witnesses(names: Iterable[str]) -> tuple[Mode, ...]:
    """A witness for each mode but `reverse`, which is always heard."""
    return tuple(Mode(name, WAYS[name]) for name in names if name in WAYS)
