"""Layouts: the ways in which a function is called that find what one plain call does not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gradcheck_cli.subjects.function import Layout, One
    from gradcheck_cli.worlds.tensors import Tensor


@dataclass(frozen=True)
class Strided:
    """Inputs whose elements do not stand side by side in memory."""

    def value(self, function: One, tensors: dict[str, Tensor]) -> Tensor:
        """As `Layout.value`."""
        import torch

        return function({name: torch.stack([t, t], -1)[..., 0] for name, t in tensors.items()})


@dataclass(frozen=True)
class Expanded:
    """Inputs whose rows are one and the same memory.

    Attributes:
        names: of the inputs that are expanded.
        copied: whether each row has memory of its own all the same.
    """

    names: Sequence[str]
    copied: bool = False

    def value(self, function: One, tensors: dict[str, Tensor]) -> Tensor:
        """As `Layout.value`."""
        rows = {name: tensors[name][:1].expand_as(tensors[name]) for name in self.names}
        if self.copied:
            rows = {name: t.clone() for name, t in rows.items()}
        return function({**tensors, **rows})


@dataclass(frozen=True)
class Weighed:
    """One number made of the value: `<weights, f>`.

    Attributes:
        layout: how the function is called.
        weights: shaped like the value.
    """

    layout: Layout
    weights: Any

    def value(self, function: One, tensors: dict[str, Tensor]) -> Tensor:
        """As `Layout.value`."""
        import torch

        found = self.layout.value(function, tensors)
        return (found * torch.tensor(self.weights, dtype=torch.float64).to(found)).sum()


@dataclass(frozen=True)
class SlicedCotangent:
    """A cotangent whose elements do not stand side by side in memory."""

    def value(self, function: One, tensors: dict[str, Tensor]) -> Tensor:
        """As `Layout.value`."""
        import torch

        found = function(tensors)
        return torch.stack([found, found.detach()], -1)[..., 0]


@dataclass(frozen=True)
class ExpandedCotangent:
    """A cotangent whose elements are one and the same memory, as that of a sum."""

    def value(self, function: One, tensors: dict[str, Tensor]) -> Tensor:
        """As `Layout.value`."""
        return function(tensors).sum()


@dataclass(frozen=True)
class Twice:
    """Two calls at different points before the first backward.

    Attributes:
        moved: the inputs that are other ones in the second call.
    """

    moved: Sequence[str]

    def value(self, function: One, tensors: dict[str, Tensor]) -> Tensor:
        """As `Layout.value`."""
        import torch

        first = function(tensors)
        others = {name: 0.75 * tensors[name] + 0.125 for name in self.moved}
        second = function({**tensors, **others})
        return torch.cat([first.reshape(-1), second.reshape(-1)])


@dataclass(frozen=True)
class Rows:
    """Another number of samples.

    Attributes:
        names: of the inputs that have a row for each sample.
        moved: those of them whose added rows are other ones; the rows of the others are repeated,
            as they may be what only they can be, such as one-hot.
        several: whether more rows are added; else one is left.
    """

    names: Sequence[str]
    moved: Sequence[str]
    several: bool

    def value(self, function: One, tensors: dict[str, Tensor]) -> Tensor:
        """As `Layout.value`."""
        import torch

        rows = {}
        for name in self.names:
            t = tensors[name]
            more = (0.75 * t + 0.125, 0.5 * t - 0.25) if name in self.moved else (t, t)
            rows[name] = torch.cat([t, *more]) if self.several else t[:1]
        return function({**tensors, **rows})


@dataclass(frozen=True)
class FirstGradient:
    """The gradient itself, to be differentiated once more.

    Attributes:
        wrt: the inputs that it is by.
        weights: the cotangent of the value, of as many numbers as it is told, row-major.
    """

    wrt: Sequence[str]
    weights: Callable[[int], Sequence[float]]

    def value(self, function: One, tensors: dict[str, Tensor]) -> Tensor:
        """As `Layout.value`.

        Raises:
            RuntimeError: nothing of the gradient can be differentiated.
        """
        import torch

        found = function(tensors)
        total = (found.reshape(-1) * torch.tensor(self.weights(found.numel())).to(found)).sum()
        leaves = [tensors[name] for name in self.wrt]
        if not total.requires_grad:
            message = "there is no gradient"
            raise RuntimeError(message)
        grads = torch.autograd.grad(total, leaves, create_graph=True, allow_unused=True)
        kept = [g.reshape(-1) for g in grads if g is not None]
        return torch.cat(kept)


@dataclass(frozen=True, eq=False)
class Along:
    """A function along directions from a point: its only input has a number for each direction.

    Attributes:
        point, directions: for each input an array, and one for each direction.
        layout: how the function is called.
    """

    point: dict[str, Tensor]
    directions: Sequence[dict[str, Tensor]]
    layout: Layout

    def value(self, function: One, tensors: dict[str, Tensor]) -> Tensor:
        """As `Layout.value`."""
        (steps,) = tensors.values()
        moved = {name: t.to(steps) for name, t in self.point.items()}
        for step, direction in zip(steps.unbind(0), self.directions, strict=True):
            for name, t in direction.items():
                moved[name] = moved[name] + step * t.to(steps)
        return self.layout.value(function, moved)
