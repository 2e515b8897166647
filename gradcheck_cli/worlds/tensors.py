"""The world of tensors: torch's real functions on a dtype and a device."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any, TypeAlias

from gradcheck_cli.functions import lookup

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gradcheck_cli.functions.row import Function
    from gradcheck_cli.language.program import Call, Number

Tensor: TypeAlias = Any  # torch is imported where it is used

# Beyond this a float64 does not hold every integer, so an exact integer is handed to torch as a
# float.
_EXACT_INTEGERS = 2**53


class Tensors:
    """The world of tensors of one dtype on one device; constants are Python numbers, as in a user's
    own line of torch. Its calls raise RuntimeError, TypeError, ValueError, IndexError or
    NotImplementedError, as torch's functions do.

    Args:
        literal: rounds a decimal literal to the dtype under test.
        like: a tensor of the dtype and device that constants take where torch wants a tensor.
    """

    def __init__(self, literal: Callable[[Fraction], float], like: Tensor) -> None:
        self._literal, self.like = literal, like

    def number(self, node: Number) -> float | int:
        """A Python number."""
        if isinstance(node.value, float):
            return node.value
        if node.decimal:
            return self._literal(node.value)
        whole = node.value.numerator
        if node.value.denominator == 1 and abs(whole) < _EXACT_INTEGERS:
            return whole
        try:
            return float(node.value)
        except OverflowError:
            return float("inf") if node.value > 0 else float("-inf")

    def variable(self, name: str) -> Tensor:
        """Every input is given.

        Raises:
            KeyError: this one is not.
        """
        raise KeyError(name)

    def call(self, node: Call, args: list[Any]) -> Any:
        """What torch's own function gives; a Python number where all arguments are numbers."""
        import torch

        row, like = lookup(node.function), self.like
        signature, settings = row.parsed, dict[str, Any]()
        if signature.settings:
            bound = row.bound(dict(node.settings))
            settings = {name: self._setting(value) for name, value in bound.items()}
        for k, parameter in enumerate(signature.args[: len(args)]):
            if parameter.kind == "index":
                args[k] = torch.as_tensor(args[k], device=like.device).long()
        tensors = [isinstance(a, torch.Tensor) for a in args]
        if True not in tensors:
            return _of_constants(row, args, settings, like)
        # Beside a tensor, or behind one that stands first, torch's function takes the constants as
        # Python numbers.
        if False in tensors and not (
            row.scalars and (row.operator or (tensors[0] and True not in tensors[1:]))
        ):
            args = [tensor(a, like) for a in args]
        return row.torch(torch, *args, **settings)

    def _setting(self, value: Any) -> Any:
        return self._literal(value) if isinstance(value, Fraction) else value


def _of_constants(row: Function, args: list[Any], settings: Mapping[str, Any], like: Tensor) -> Any:
    """A call of constants alone, in float64 as Python would compute it; a tensor only where the
    result is one.
    """
    import torch

    exact = [torch.tensor(a) if isinstance(a, bool) else float64_of(a) for a in args]
    value = row.torch(torch, *exact, **settings)
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
    if isinstance(value, int | float) and like.dtype == torch.float64:
        return float64_of(value).to(like.device)
    return torch.tensor(value, dtype=like.dtype, device=like.device)


def float64_of(value: float) -> Tensor:
    """A number as a tensor of float64; `torch.tensor` takes ten times as long."""
    import torch

    return torch.full((), float(value), dtype=torch.float64)


def dtype_of(name: str) -> Any:
    """torch's dtype called `name`."""
    import torch

    return getattr(torch, name)
