"""The world of tensors: torch's real functions on a dtype and a device."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any, TypeAlias

from gradcheck_cli.functions import Function, lookup
from gradcheck_cli.language.program import Call, Number, Program, Variable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Tensor: TypeAlias = Any  # torch is imported where it is used

# Beyond this a float64 does not hold every integer, so an exact integer is handed to torch as a float.
_EXACT_INTEGERS = 2**53


def run(program: Program, inputs: Mapping[str, Tensor], literal: Callable[[Fraction], float], like: Tensor) -> list[Any]:
    """The value of every node: tensors, and Python numbers for constants, as in a user's own line of torch.

    Args:
        inputs: a tensor for each variable.
        literal: rounds a decimal literal to the dtype under test.
        like: a tensor of the dtype and device that constants take where torch wants a tensor.
    Raises:
        RuntimeError, TypeError, ValueError, IndexError: as torch's functions raise them.
    """
    values: list[Any] = []
    for node in program.nodes:
        if isinstance(node, Variable):
            values.append(inputs[node.name])
        elif isinstance(node, Number):
            values.append(_constant(node, literal))
        else:
            values.append(_call(node, [values[i] for i in node.args], literal, like))
    return values


def _constant(node: Number, literal: Callable[[Fraction], float]) -> float | int:
    if isinstance(node.value, float):
        return node.value
    if node.decimal:
        return literal(node.value)
    if node.value.denominator == 1 and abs(node.value) < _EXACT_INTEGERS:
        return int(node.value)
    try:
        return float(node.value)
    except OverflowError:
        return float("inf") if node.value > 0 else float("-inf")


def _call(node: Call, args: list[Any], literal: Callable[[Fraction], float], like: Tensor) -> Any:
    import torch

    row = lookup(node.function)
    settings = {name: _setting(value, literal) for name, value in row.bound(dict(node.settings)).items()}
    kinds = [parameter.kind for parameter in row.parsed.args]
    args = [torch.as_tensor(a, device=like.device).long() if k < len(kinds) and kinds[k] == "index" else a for k, a in enumerate(args)]
    if not any(isinstance(a, torch.Tensor) for a in args):
        return _of_constants(row, args, settings, like)
    if not _as_python_numbers(row, args):
        args = [tensor(a, like) for a in args]
    return row.torch(torch, *args, **settings)


def _as_python_numbers(row: Function, args: list[Any]) -> bool:
    """Whether torch's function takes the constants among `args` as Python numbers."""
    import torch

    if not row.scalars:
        return False
    return bool(row.operator) or (isinstance(args[0], torch.Tensor) and not any(isinstance(a, torch.Tensor) for a in args[1:]))


def _of_constants(row: Function, args: list[Any], settings: Mapping[str, Any], like: Tensor) -> Any:
    """A call of constants alone, in float64 as Python would compute it; a tensor only where the result is one."""
    import torch

    exact = torch.empty((), dtype=torch.float64)
    value = row.torch(torch, *[tensor(a, exact) for a in args], **settings)
    if not isinstance(value, torch.Tensor):
        return value
    if value.dim() or row.kind == "structural":
        return value.to(like)
    return value.item()


def tensor(value: Any, like: Tensor) -> Tensor:
    """`value` as a tensor: unchanged if it is one, else of the dtype and device of `like`."""
    import torch

    if isinstance(value, torch.Tensor):
        return value
    if isinstance(value, bool):
        return torch.tensor(value, device=like.device)
    return torch.tensor(value, dtype=like.dtype, device=like.device)


def _setting(value: Any, literal: Callable[[Fraction], float]) -> Any:
    return literal(value) if isinstance(value, Fraction) else value


def dtype_of(name: str) -> Any:
    """torch's dtype called `name`."""
    import torch

    return getattr(torch, name)
