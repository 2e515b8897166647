"""A person's own function on trial, as it runs."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from gradcheck_cli.recording.tape import Unfollowed
from gradcheck_cli.subjects import Execution
from gradcheck_cli.worlds.scalars import TooLarge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from fractions import Fraction

    from gradcheck_cli.recording.recording import Recording
    from gradcheck_cli.subjects import Held
    from gradcheck_cli.worlds.tensors import Tensor

# A function of inputs by their names, with one tensor for a value.
One: TypeAlias = "Callable[[dict[str, Tensor]], Tensor]"
# Every run draws the same numbers.
SEED = 0


class Layout(Protocol):
    """How a function is called, and what is made of its value: a variant."""

    def value(self, function: One, tensors: dict[str, Tensor]) -> Tensor:
        """The value on trial."""


@dataclass(frozen=True)
class Plain:
    """A function called once, as it stands."""

    def value(self, function: One, tensors: dict[str, Tensor]) -> Tensor:
        """The function's own."""
        return function(tensors)


@dataclass(frozen=True, eq=False)
class FunctionSubject:
    """A callable.

    Attributes:
        function: takes its inputs by name and gives a tensor, or several of them in a tuple.
        title: `PKG.MOD:OBJ`, or the callable's own name.
        inputs: names of those that are tensors of numbers.
        layout: how it is called.
        recording: what it computes; None while that is not known.
        spoken: what a command that checks it begins with.
        is_flat: its value is taken as a vector, since nothing is known of its shape.
        parts: which of several tensors of numbers make its value; None for all.
    """

    function: Callable[[dict[str, Any]], Any]
    title: str
    inputs: tuple[str, ...]
    layout: Layout = field(default_factory=Plain)
    recording: Recording | None = None
    spoken: tuple[str, ...] = ()
    is_flat: bool = False
    parts: tuple[int, ...] | None = None
    is_elementwise: bool = False
    is_code: bool = True

    @property
    def name(self) -> str:
        """What reports call it."""
        return self.title

    @property
    def words(self) -> tuple[str, ...]:
        """`gradcheck fn PKG.MOD:OBJ ...`; nothing where no command finds it."""
        return self.spoken

    def run(
        self, inputs: Mapping[str, Tensor], literal: Callable[[Fraction], float], like: Tensor
    ) -> Execution:
        """As `Subject.run`; nothing is known of its nodes."""
        with surroundings(like):
            try:
                value = self.layout.value(self._one, {name: inputs[name] for name in self.inputs})
            except (Unfollowed, TooLarge, RuntimeError):
                raise
            except Exception as error:
                # Whatever a person's code raises, it could not compute this.
                message = f"{type(error).__name__}: {error}"
                raise RuntimeError(message) from error
        return Execution(value)

    def cuts(self, execution: Execution) -> tuple[str, ...]:
        """Nothing is known of them."""
        return ()

    def held(self) -> Held | None:
        """It cannot be taken apart."""
        return None

    def sizes(self, inputs: Mapping[str, Tensor], like: Tensor) -> list[int]:
        """How many elements each of the results has; none where they cannot be had."""
        with surroundings(like):
            try:
                value = self.function({name: inputs[name] for name in self.inputs})
            except Exception:  # noqa: BLE001 - a person's code may raise anything
                return []
        return [t.numel() for t in _tensors(value) if t.is_floating_point()]

    def _one(self, inputs: dict[str, Tensor]) -> Tensor:
        value = as_one(self.function(inputs), self.parts)
        return value.reshape(-1) if self.is_flat else value


def as_one(value: Any, parts: Sequence[int] | None = None) -> Tensor:
    """All numbers of a value in one tensor: of one tensor itself, of several flat, one after the
    other; whole numbers are left out.

    Args:
        parts: those of the tensors of numbers that count; None for all.
    Raises:
        TypeError: there is no tensor of numbers.
    """
    import torch

    found = [t for t in _tensors(value) if t.is_floating_point()]
    if not found:
        message = f"the function gives no tensor of numbers, but {type(value).__name__}"
        raise TypeError(message)
    found = found if parts is None else [found[i] for i in parts]
    if len(found) == 1:
        return found[0]
    return torch.cat([t.reshape(-1) for t in found])


def differentiable_parts(value: Any) -> tuple[int, ...] | None:
    """Which tensors of numbers of a value have a gradient, where some do and others are there to be
    looked at, as the statistics of a norm; None where there is nothing to choose.
    """
    found = [t.requires_grad for t in _tensors(value) if t.is_floating_point()]
    if all(found) or not any(found):
        return None
    return tuple(i for i, has_one in enumerate(found) if has_one)


def _tensors(value: Any) -> Iterator[Any]:
    import torch

    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _tensors(part)
    elif isinstance(value, dict):
        for part in value.values():
            yield from _tensors(part)
    elif hasattr(value, "to_tuple"):  # what many libraries' models give
        yield from _tensors(value.to_tuple())


@contextmanager
def surroundings(like: Tensor) -> Iterator[None]:
    """The same random numbers for every run, new tensors in the dtype under test, and torch left as
    it was.
    """
    import torch

    dtype, state = torch.get_default_dtype(), torch.random.get_rng_state()
    try:
        torch.set_default_dtype(like.dtype)
        # torch.manual_seed() asks every kind of device that there is, which takes 4 ms.
        torch.default_generator.manual_seed(SEED)
        if like.is_cuda:
            torch.cuda.manual_seed(SEED)
        yield
    finally:
        torch.set_default_dtype(dtype)
        torch.random.set_rng_state(state)
