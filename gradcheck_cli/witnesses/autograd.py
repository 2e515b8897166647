"""Autograd: torch's own backward of the subject, in the dtype and on the device asked for. It is on
trial.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np

from gradcheck_cli.questions.prepared import Oversize
from gradcheck_cli.records.numbers import json_number
from gradcheck_cli.witnesses import (
    TORCH_ERRORS,
    VECTOR,
    Abstention,
    BulkEstimates,
    PointwiseEstimates,
    Trust,
    first_line,
)
from gradcheck_cli.worlds import tensors

if TYPE_CHECKING:
    from gradcheck_cli.questions.batch import Batch
    from gradcheck_cli.records.record import Opinion
    from gradcheck_cli.subjects import Execution, NodeValues
    from gradcheck_cli.witnesses import Estimates, Floats


class Measured(NamedTuple):
    """What torch answered for one partial, as the dtype's number."""

    value: float
    ball: None = None

    def entry(self) -> Opinion:
        """What a record keeps, the judge's measures apart."""
        return {"value": json_number(self.value)}


@dataclass(frozen=True)
class Detached:
    """torch has no path from this input to the result; `cut` names the functions that end it."""

    cut: tuple[str, ...]
    ball: None = None

    def entry(self) -> Opinion:
        """What a record keeps."""
        past = f" past {', '.join(self.cut)}" if self.cut else ""
        return {"abstained": f"no path from the input to the result{past}"}


TorchAnswer: TypeAlias = "Measured | Detached | Abstention"


@dataclass(frozen=True, eq=False)
class MeasuredNumbers(Sequence[Any]):
    """What torch answered for partials in a row, where it answered for each; a `Measured` is made
    when it is asked for.
    """

    values: Floats

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, k: Any) -> Any:
        return Measured(float(self.values[k]))


@dataclass(frozen=True)
class Backward:
    """torch's value and gradient at one point.

    Attributes:
        forward: the value, row-major; of a second derivative the first one.
        cut: functions on the way that torch does not differentiate, so that a gradient may miss a
            part.
        execution: torch's forward values, for those who explain.
        primal: of a second derivative the value of the program, row-major; else nothing.
    """

    forward: tuple[float, ...]
    partials: Sequence[TorchAnswer]
    cut: tuple[str, ...]
    execution: NodeValues = field(repr=False)
    primal: tuple[float, ...] = ()

    @property
    def numbers(self) -> Floats:
        """The partials as numbers, NaN where torch answered none."""
        if isinstance(self.partials, MeasuredNumbers):
            return self.partials.values
        return np.array([getattr(answer, "value", np.nan) for answer in self.partials])


@dataclass(frozen=True)
class Autograd:
    """The witness on trial."""

    name: str = "autograd"
    trust: Trust = Trust.ON_TRIAL

    def prepare(self, batch: Batch) -> None:
        """Nothing: all is computed here."""

    def answer(self, batch: Batch) -> Estimates:
        """torch's opinion; an operation that torch lacks for the dtype or device is an abstention.

        Points go through torch together where each number stands for itself.
        """
        if len(batch) > 1 and batch.is_of_numbers:
            together = _of_numbers(batch)
            if together is not None:
                return together
        shape = (len(batch), len(batch.keys))
        return PointwiseEstimates(lambda k: _of_point(batch.alone(k)), shape)


def _of_point(batch: Batch) -> Backward | Abstention:
    """The opinion on the first point."""
    try:
        execution, leaves = run_once(batch)
        cut = batch.question.subject.cuts(execution)
        forward = tuple(floats_of(execution.result).tolist())
        primal = tuple(_primal(execution))
    except TORCH_ERRORS as error:
        place = f"{batch.dtype.name} on {batch.device}"
        return Abstention(f"torch cannot compute this in {place}: {first_line(error)}")
    return Backward(forward, _answers(batch, leaves, cut), cut, execution, primal)


def _answers(batch: Batch, leaves: dict[str, Any], cut: tuple[str, ...]) -> Sequence[TorchAnswer]:
    gradients = {name: _gradient(batch, leaves[name]) for name in batch.question.wrt}
    is_bulk = bool(gradients) and isinstance(batch.prepared.expansion, Oversize)
    if is_bulk and all(gradient is not None for gradient in gradients.values()):
        return MeasuredNumbers(np.concatenate([floats_of(g) for g in gradients.values()]))
    partials: list[TorchAnswer] = []
    for name, gradient in gradients.items():
        if gradient is None:
            partials += [Detached(cut)] * batch.points[name][0].size
        else:
            partials += map(Measured, floats_of(gradient).tolist())
    return tuple(partials)


def _of_numbers(batch: Batch) -> BulkEstimates | None:
    """The opinion on all points of a batch of numbers; None where torch cannot, or mixes them."""
    count = len(batch)
    try:
        execution, leaves = run_once(batch)
        forward, primal = floats_of(execution.result).tolist(), _primal(execution)
    except TORCH_ERRORS:
        return None
    if len(forward) < count:
        return None
    cut = batch.question.subject.cuts(execution)
    gradients = [_gradient(batch, leaves[name]) for name in batch.question.wrt]
    value = np.full((count, len(gradients)), np.nan)
    for p, gradient in enumerate(gradients):
        if gradient is not None:
            value[:, p] = floats_of(gradient)[:count]
    detached = [gradient is None for gradient in gradients]
    rows = value.tolist()

    def backward(k: int) -> Backward:
        pairs = zip(rows[k], detached, strict=True)
        partials = tuple(Detached(cut) if none else Measured(number) for number, none in pairs)
        value = tuple(primal[k : k + 1] or primal[:1])
        return Backward((forward[k],), partials, cut, execution.point(k), value)

    answered = np.broadcast_to(~np.array(detached), value.shape)
    return BulkEstimates(value, np.zeros_like(value), answered, backward)


def run_once(batch: Batch) -> tuple[Execution, dict[str, Any]]:
    """torch's values, and the inputs with their gradients; several points make a batch of numbers.

    Raises:
        RuntimeError, TypeError, ValueError, IndexError, NotImplementedError: torch cannot.
    """
    import torch

    like = torch.empty((), dtype=tensors.dtype_of(batch.dtype.name), device=batch.device)
    wrt = batch.question.wrt
    leaves = {name: _leaf(_input(batch, name), like, name in wrt) for name in batch.points}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        execution = batch.question.subject.run(leaves, batch.dtype.round, like)
        result = execution.result
        if isinstance(result, torch.Tensor) and result.requires_grad:
            _weighted(batch, result).backward()
    return execution, leaves


def _weighted(batch: Batch, result: Any) -> Any:
    """The number that is differentiated. An explicit gradient argument to backward() would import
    SymPy and symbolic shapes (0.4 s).
    """
    import torch

    if batch.cotangent is not None:
        weights = torch.tensor(batch.cotangent, dtype=result.dtype, device=batch.device)
        return (result * weights).sum()
    # Each of several numbers has a cotangent of its own in memory, which the sum alone would not
    # give it.
    return (result * torch.ones_like(result)).sum() if result.dim() else result


def _gradient(batch: Batch, leaf: Any) -> Any:
    """What torch's backward left, None where it has no path; a second derivative without one is 0,
    as to `torch.autograd.functional.hessian`.
    """
    if leaf.grad is None and batch.prepared.objective.order > 1:
        return leaf.detach().new_zeros(leaf.shape)
    return leaf.grad


def _primal(execution: Execution) -> list[float]:
    """The value whose derivative was differentiated, row-major; nothing where there is none."""
    found: list[float] = []
    if execution.primal is not None:
        found = floats_of(execution.primal).tolist()
    return found


def _input(batch: Batch, name: str) -> Any:
    """One input: of a single point as it is, of several all of them, the last repeated as `VECTOR`
    says.
    """
    array = batch.points[name]
    if len(batch) == 1 or array.dtype == np.int64:
        return array[0]
    return np.concatenate([array, np.repeat(array[-1:], -len(array) % VECTOR, axis=0)])


def _leaf(array: Any, like: Any, differentiate: bool) -> Any:
    import torch

    if array.dtype == np.int64:
        return torch.tensor(array, device=like.device)
    exact = torch.tensor(array, dtype=torch.float64) if array.ndim else tensors.float64_of(array)
    leaf = exact.to(like)
    return leaf.requires_grad_() if differentiate else leaf


def floats_of(value: Any) -> Floats:
    """A result of torch, or a Python number, as float64 numbers in a row."""
    import torch

    if not isinstance(value, torch.Tensor):
        return np.array([float(value)])
    if not value.dim() and value.is_floating_point():
        return np.array([value.item()])
    # Forced: backward may leave a tensor of zeros that has no memory.
    flat: Floats = value.detach().to("cpu", torch.float64).reshape(-1).numpy(force=True)
    return flat
