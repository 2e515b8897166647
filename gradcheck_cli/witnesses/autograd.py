"""Autograd: torch's real functions and torch's own backward, in the dtype and on the device asked
for. It is on trial.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias, overload

import numpy as np

from gradcheck_cli.functions import lookup
from gradcheck_cli.language.program import Call
from gradcheck_cli.witnesses import VECTOR, Abstention, first_line, is_pointwise
from gradcheck_cli.worlds import tensors

if TYPE_CHECKING:
    from gradcheck_cli.questions.question import Case

# What torch's functions raise where they cannot.
_RAISED = (RuntimeError, TypeError, ValueError, IndexError, NotImplementedError)


@dataclass(frozen=True)
class Measured:
    """What torch answered for one partial, as the dtype's number."""

    value: float


@dataclass(frozen=True)
class Detached:
    """torch has no path from this input to the result; `cut` names the functions that end it."""

    cut: tuple[str, ...]


Answer: TypeAlias = "Measured | Detached | Abstention"


@dataclass(frozen=True)
class Autograd:
    """torch's value and gradient.

    Attributes:
        forward: the value, row-major.
        cut: functions on the way that torch does not differentiate, so that a gradient may miss a
            part.
        values: torch's forward value of every node of the program, for those who explain.
    """

    forward: tuple[float, ...]
    partials: tuple[Answer, ...]
    cut: tuple[str, ...] = ()
    values: Sequence[Any] = field(default_factory=list, repr=False)


def autograd(case: Case) -> Autograd | Abstention:
    """torch's opinion of a case; an operation that torch lacks for the dtype or device is an
    abstention.
    """
    try:
        values, leaves = _run([case])
        return Autograd(
            tuple(_numbers(values[case.program.result])),
            _partials(case, leaves, cut := _cut(case, values)),
            cut,
            values,
        )
    except _RAISED as error:
        return Abstention(
            f"torch cannot compute this in {case.dtype.name} on {case.device}: {first_line(error)}"
        )


def autograd_at(cases: Sequence[Case]) -> list[Autograd | Abstention]:
    """As `autograd`, for cases that differ in the point alone: one forward and one backward where
    each number stands for itself.
    """
    if len(cases) == 1 or not is_pointwise(cases[0]):
        return [autograd(case) for case in cases]
    case, count = cases[0], len(cases)
    try:
        values, leaves = _run(cases)
        forward = _numbers(values[case.program.result])
    except _RAISED:
        forward = []
    if len(forward) < count:
        # torch cannot, or its function mixes numbers: each point is seen by itself.
        return [autograd(case) for case in cases]
    cut = _cut(case, values)
    gradients = [leaves[name].grad for name in case.wrt]
    columns: list[list[Answer]] = [
        [Detached(cut)] * count if g is None else [Measured(value) for value in _numbers(g)]
        for g in gradients
    ]
    return [
        Autograd((forward[k],), tuple(column[k] for column in columns), cut, _Values(values, k))
        for k in range(count)
    ]


def _run(cases: Sequence[Case]) -> tuple[list[Any], dict[str, Any]]:
    """torch's value of every node, and the inputs with their gradients; several cases make a batch
    of numbers.

    Raises:
        RuntimeError, TypeError, ValueError, IndexError, NotImplementedError: as torch's functions
            raise them.
    """
    import torch

    case = cases[0]
    like = torch.empty((), dtype=tensors.dtype_of(case.dtype.name), device=case.device)
    leaves = {
        name: _leaf(array if len(cases) == 1 else _batch(cases, name), like, name in case.wrt)
        for name, array in case.at.items()
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        values = tensors.run(case.program, leaves, case.dtype.round, like)
        result = values[case.program.result]
        if isinstance(result, torch.Tensor) and result.requires_grad:
            weights = (
                torch.ones_like(result)
                if case.cotangent is None
                else torch.tensor(case.cotangent, dtype=result.dtype, device=case.device)
            )
            # An explicit gradient argument to backward() would import SymPy and symbolic shapes
            # (0.4 s).
            (result * weights).sum().backward()
    return values, leaves


def _batch(cases: Sequence[Case], name: str) -> Any:
    """One input at all points, the last repeated as `VECTOR` says.

    Integers are no points: they are the same in all cases that share a program.
    """
    first = cases[0].at[name]
    return (
        first
        if first.dtype == np.int64
        else np.array(
            [case.at[name] for case in cases] + [cases[-1].at[name]] * (-len(cases) % VECTOR)
        )
    )


class _Values(Sequence[Any]):
    """The value of every node at one point of a batch."""

    def __init__(self, batch: list[Any], point: int) -> None:
        self._batch, self._point = batch, point

    def __len__(self) -> int:
        return len(self._batch)

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> list[Any]: ...
    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return [self[i] for i in range(len(self))[index]]
        value = self._batch[index]
        return value[self._point] if getattr(value, "ndim", 0) else value


def _leaf(array: Any, like: Any, differentiate: bool) -> Any:
    import torch

    if array.dtype == np.int64:
        return torch.tensor(array, device=like.device)
    leaf = torch.tensor(array, dtype=torch.float64).to(like)
    return leaf.requires_grad_() if differentiate else leaf


def _partials(case: Case, leaves: dict[str, Any], cut: tuple[str, ...]) -> tuple[Answer, ...]:
    found: list[Answer] = []
    for name in case.wrt:
        gradient = leaves[name].grad
        found += (
            [Detached(cut)] * case.at[name].size
            if gradient is None
            else [Measured(value) for value in _numbers(gradient)]
        )
    return tuple(found)


def _cut(case: Case, values: list[Any]) -> tuple[str, ...]:
    """Functions whose inputs carry a gradient and whose result does not, though it is a number."""
    found: list[str] = []
    for i, node in enumerate(case.program.nodes):
        if not isinstance(node, Call) or lookup(node.function).condition:
            continue
        carried = any(getattr(values[j], "requires_grad", False) for j in node.args)
        if carried and not getattr(values[i], "requires_grad", False):
            found.append(node.function)
    return tuple(dict.fromkeys(found))


def _numbers(value: Any) -> list[float]:
    import torch

    if not isinstance(value, torch.Tensor):
        return [float(value)]
    return [float(v) for v in value.detach().to("cpu", torch.float64).reshape(-1).tolist()]
