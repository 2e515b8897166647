"""Subjects with one number for a value, made of what another subject computes: an element of its
value, or a first derivative.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from gradcheck_cli.subjects import Held
from gradcheck_cli.worlds import tensors

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from fractions import Fraction

    import numpy as np

    from gradcheck_cli.recording.recording import Recording
    from gradcheck_cli.subjects import Execution, Subject
    from gradcheck_cli.worlds.tensors import Tensor

Index: TypeAlias = tuple[int, ...]


class Pick(Protocol):
    """Which first derivative: one number out of a gradient."""

    def of(self, gradient: Mapping[str, Tensor]) -> Tensor:
        """That number; one for each row where all inputs have a leading dimension of rows.

        Args:
            gradient: by the inputs' names, each shaped like its input.
        """


@dataclass(frozen=True)
class PartialSlope:
    """The derivative by one element of one input."""

    variable: str
    index: Index

    def of(self, gradient: Mapping[str, Tensor]) -> Tensor:
        """As `Pick.of`."""
        found = gradient[self.variable]
        return found[(..., *self.index)] if self.index else found


@dataclass(frozen=True, eq=False)
class DirectedSlope:
    """The derivative along a direction: `<gradient, direction>`.

    Attributes:
        direction: for each input an array of its shape.
    """

    direction: Mapping[str, np.ndarray[Any, Any]]

    def of(self, gradient: Mapping[str, Tensor]) -> Tensor:
        """As `Pick.of`."""
        total = 0
        for name, weights in self.direction.items():
            found = gradient[name]
            terms = found * tensors.tensor(weights.tolist(), found.detach())
            total = total + (terms.flatten(-weights.ndim).sum(-1) if weights.ndim else terms)
        return total


@dataclass(frozen=True)
class _Single:
    """What both subjects have of the one that they are made of."""

    whole: Subject

    @property
    def name(self) -> str:
        """That of the whole."""
        return self.whole.name

    @property
    def inputs(self) -> tuple[str, ...]:
        """Those of the whole."""
        return self.whole.inputs

    @property
    def words(self) -> tuple[str, ...]:
        """Those of the whole."""
        return self.whole.words

    @property
    def is_code(self) -> bool:
        """That of the whole."""
        return self.whole.is_code

    @property
    def recording(self) -> Recording | None:
        """That of the whole."""
        return self.whole.recording

    def cuts(self, execution: Execution) -> tuple[str, ...]:
        """Those of the whole."""
        return self.whole.cuts(execution)

    def held(self) -> Held | None:
        """That of the whole, made into the same."""
        held = self.whole.held()
        if held is None:
            return None
        rest: Any = replace(self, whole=held.rest)
        return Held(held.whole, rest, held.nodes)


@dataclass(frozen=True)
class ElementSubject(_Single):
    """One element of a value.

    Attributes:
        position: of the element, row-major.
    """

    position: int
    is_elementwise: bool = False

    def run(
        self, inputs: Mapping[str, Tensor], literal: Callable[[Fraction], float], like: Tensor
    ) -> Execution:
        """As `Subject.run`."""
        execution = self.whole.run(inputs, literal, like)
        value = tensors.tensor(execution.result, like).reshape(-1)[self.position]
        return replace(execution, result=value)


@dataclass(frozen=True)
class SlopeSubject(_Single):
    """A first derivative of `<cotangent, f>`, as torch computes it where it is to be differentiated
    once more.

    Attributes:
        cotangent: row-major; None for ones.
        wrt: the inputs of the gradient.
    """

    slope: Pick
    cotangent: Sequence[float] | None
    wrt: tuple[str, ...]

    @property
    def is_elementwise(self) -> bool:
        """That of the whole."""
        return self.whole.is_elementwise

    def run(
        self, inputs: Mapping[str, Tensor], literal: Callable[[Fraction], float], like: Tensor
    ) -> Execution:
        """As `Subject.run`; the value whose derivative it is stands in `primal`."""
        execution = self.whole.run(inputs, literal, like)
        total = weighted_total(execution.result, self.cotangent, like)
        leaves = {name: inputs[name] for name in self.wrt}
        slope = self.slope.of(gradient_of(total, leaves))
        return replace(execution, result=slope, primal=execution.result)


def weighted_total(result: Tensor, cotangent: Sequence[float] | None, like: Tensor) -> Tensor:
    """`<cotangent, result>`."""
    value = tensors.tensor(result, like)
    if cotangent is not None:
        weights = tensors.tensor(list(cotangent), value.detach())
        # A batch of numbers has one weight for all of them.
        value = value * (weights if len(cotangent) == 1 else weights.reshape(value.shape))
    return value.sum()


def gradient_of(total: Tensor, leaves: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """torch's gradient, to be differentiated once more; 0 where it has no path."""
    import torch

    if not total.requires_grad:
        return {name: torch.zeros_like(leaf) for name, leaf in leaves.items()}
    found = torch.autograd.grad(total, list(leaves.values()), create_graph=True, allow_unused=True)
    pairs = zip(leaves.items(), found, strict=True)
    return {name: torch.zeros_like(leaf) if g is None else g for (name, leaf), g in pairs}
