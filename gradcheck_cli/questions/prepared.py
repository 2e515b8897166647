"""A specification made ready for inputs of given shapes: scalars, their gradient, and what else is
the same for all points that differ in numbers alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from gradcheck_cli.calculus.gradient import GradientProgram, gradient_program
from gradcheck_cli.language.elements import elements_of
from gradcheck_cli.worlds.balls import Machine
from gradcheck_cli.worlds.scalars import Expansion, TooLarge, expand

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gradcheck_cli.language.program import Program
    from gradcheck_cli.questions.arrays import Array

T = TypeVar("T")


@dataclass(frozen=True)
class Oversize:
    """A specification that has no scalar form of bearable size, and why."""

    reason: str


@dataclass(frozen=True, eq=False)
class Prepared:
    """A specification at given shapes; batches of one question share it.

    Attributes:
        inputs: the shape of each variable; of class indices the integers themselves.
        wrt: the inputs to differentiate.
        weights: the cotangent, row-major; None for ones.
    """

    specification: Program
    inputs: Mapping[str, tuple[int, ...] | Array]
    wrt: tuple[str, ...]
    weights: tuple[float, ...] | None
    expansion: Expansion | Oversize
    _shared: dict[object, Any] = field(default_factory=dict)

    def share(self, key: object, make: Callable[[], T]) -> T:
        """What `make` gives, made once."""
        if key not in self._shared:
            self._shared[key] = make()
        made: T = self._shared[key]
        return made

    @property
    def scalars(self) -> Expansion:
        """The specification as scalars.

        Raises:
            TooLarge: it has no scalar form of bearable size.
        """
        if isinstance(self.expansion, Oversize):
            raise TooLarge(self.expansion.reason)
        return self.expansion

    @cached_property
    def outputs(self) -> list[int]:
        """Scalar nodes of the value's elements, row-major."""
        nodes: list[int] = np.reshape(self.scalars.values[self.specification.result], -1).tolist()
        return nodes

    @cached_property
    def shape(self) -> tuple[int, ...] | None:
        """The value's shape; None where the specification is too large to be unrolled."""
        if isinstance(self.expansion, Oversize):
            return None
        return np.shape(self.expansion.values[self.specification.result])

    @cached_property
    def elements(self) -> tuple[str, ...]:
        """Scalar names of every element differentiated."""
        return tuple(name for input_ in self.wrt for name in elements_of(input_, self.size(input_)))

    @cached_property
    def all_elements(self) -> frozenset[str]:
        """Scalar names of every element of every input."""
        return frozenset(name for n in self.inputs for name in elements_of(n, self.size(n)))

    def size(self, name: str) -> tuple[int, ...]:
        """Shape of an input."""
        given = self.inputs[name]
        return given if isinstance(given, tuple) else np.shape(given)

    @cached_property
    def gradient(self) -> GradientProgram:
        """The scalar gradient program.

        Raises:
            TooLarge: as `scalars`.
        """
        return gradient_program(self.scalars.builder, self.outputs, self.elements, self.weights)

    @cached_property
    def machine(self) -> Machine:
        """The gradient program, ready to run in balls.

        Raises:
            TooLarge: as `scalars`.
        """
        return Machine(self.gradient.program)


def unroll(
    specification: Program, inputs: Mapping[str, tuple[int, ...] | Array]
) -> Expansion | Oversize:
    """The scalar program, or why there is none.

    Raises:
        ShapeError: the shapes do not fit.
    """
    try:
        return expand(specification, inputs)
    except TooLarge as error:
        return Oversize(str(error))
