"""Autograd: torch's real functions and torch's own backward, in the dtype and on the device asked for. It is on trial."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from gradcheck_cli.functions import lookup
from gradcheck_cli.language.program import Call
from gradcheck_cli.witnesses import Abstention, first_line
from gradcheck_cli.worlds import tensors

if TYPE_CHECKING:
    from gradcheck_cli.case import Case


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
        cut: functions on the way that torch does not differentiate, so that a gradient may miss a part.
        values: torch's forward value of every node of the program, for those who explain.
    """

    forward: tuple[float, ...]
    partials: tuple[Answer, ...]
    cut: tuple[str, ...] = ()
    values: list[Any] = field(default_factory=list, repr=False)


def autograd(case: Case) -> Autograd | Abstention:
    """torch's opinion of a case; an operation that torch lacks for the dtype or device is an abstention."""
    import torch

    dtype = tensors.dtype_of(case.dtype.name)
    like = torch.empty((), dtype=dtype, device=case.device)
    leaves = {name: _leaf(array, like, name in case.wrt) for name, array in case.at.items()}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            values = tensors.run(case.program, leaves, case.literal, like)
            result = values[case.program.result]
            forward = tuple(_numbers(result))
            cut = _cut(case, values)
            if not isinstance(result, torch.Tensor) or not result.requires_grad:
                return Autograd(forward, tuple(Detached(cut) for _ in case.keys), cut, values)
            weights = torch.ones_like(result) if case.cotangent is None else torch.tensor(case.cotangent, dtype=result.dtype, device=case.device)
            # An explicit gradient argument to backward() would import SymPy and symbolic shapes (0.4 s).
            (result * weights).sum().backward()
    except (RuntimeError, TypeError, ValueError, IndexError, NotImplementedError) as error:
        return Abstention(f"torch cannot compute this in {case.dtype.name} on {case.device}: {first_line(error)}")
    return Autograd(forward, _partials(case, leaves, cut), cut, values)


def _leaf(array: Any, like: Any, differentiate: bool) -> Any:
    import torch

    if array.dtype == np.int64:
        return torch.tensor(array, device=like.device)
    leaf = torch.tensor(array, dtype=torch.float64).to(like)
    return leaf.requires_grad_() if differentiate else leaf


def _partials(case: Case, leaves: dict[str, Any], cut: tuple[str, ...]) -> tuple[Answer, ...]:
    found: list[Answer] = []
    for name in case.wrt:
        grad = leaves[name].grad
        if grad is None:
            found += [Detached(cut)] * case.at[name].size
        else:
            found += [Measured(value) for value in _numbers(grad)]
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
