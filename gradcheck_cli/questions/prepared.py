"""A specification made ready for inputs of given shapes: scalars, their gradient, and what else is
the same for all points that differ in numbers alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from math import prod
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from gradcheck_cli.calculus.formulas import is_elementwise
from gradcheck_cli.calculus.gradient import GradientProgram, gradient_program
from gradcheck_cli.language.elements import elements_of
from gradcheck_cli.language.program import Call, Program, reach
from gradcheck_cli.questions.objectives import THE_VALUE
from gradcheck_cli.questions.seeded import seeded_numbers
from gradcheck_cli.worlds.balls import Machine
from gradcheck_cli.worlds.scalars import Expansion, ShapeError, TooLarge, expand
from gradcheck_cli.worlds.sizes import Size, program_size

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gradcheck_cli.questions.arrays import Array
    from gradcheck_cli.questions.objectives import Objective

T = TypeVar("T")
# Partials times scalar operations of a check that is made under a second cotangent, at most: about
# half a minute.
MAX_JUDGED_TWICE = 10_000_000
# Scalar operations of a program that is taken apart, at most: beyond it the gradient, its budgets
# and the report on them take minutes, and arrays a second.
MAX_SINGLE = 100_000
# Nodes of a program of numbers whose scalars are not counted before they are made, at most.
_FEW_NODES = 1_000


@dataclass(frozen=True)
class Oversize:
    """A specification that has no scalar form of bearable size, and why.

    Attributes:
        shape: that of its value; None where it is not known.
    """

    reason: str
    shape: tuple[int, ...] | None = None


@dataclass(frozen=True, eq=False)
class Prepared:
    """A specification at given shapes; batches of one question share it.

    Attributes:
        inputs: the shape of each variable; of class indices the integers themselves.
        wrt: the inputs to differentiate.
        weights: the cotangent, row-major; None for ones.
        expansion: the specification as scalars, and what its objective adds to them.
        objective: what is differentiated; `number` is its scalar node where it is not the value.
        parts: how many there are of the question that this one is a part of.
    """

    specification: Program
    inputs: Mapping[str, tuple[int, ...] | Array]
    wrt: tuple[str, ...]
    weights: tuple[float, ...] | None
    expansion: Expansion | Oversize
    objective: Objective = THE_VALUE
    number: tuple[int, ...] = ()
    parts: int = 1
    _shared: dict[object, Any] = field(default_factory=dict)

    def share(self, key: object, make: Callable[[], T]) -> T:
        """What `make` gives, made once."""
        if key not in self._shared:
            self._shared[key] = make()
        made: T = self._shared[key]
        return made

    def apart(self) -> Prepared:
        """The same, sharing nothing: for what is shared and holds on to it, as two that hold each
        other are freed by the garbage collector alone.
        """
        return replace(self, _shared={})

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
        """Scalar nodes of what is differentiated: of the value's elements, row-major."""
        if not self.objective.is_value:
            self.scalars  # noqa: B018 - raises
            return list(self.number)
        return THE_VALUE.grow(self.specification, self.scalars).outputs

    @cached_property
    def shape(self) -> tuple[int, ...] | None:
        """The shape of what is differentiated; None where the specification is too large to be
        unrolled.
        """
        if not self.objective.is_value:
            return ()
        if isinstance(self.expansion, Oversize):
            return self.expansion.shape
        return np.shape(self.expansion.values[self.specification.result])

    @cached_property
    def _is_elementwise(self) -> bool:
        """Whether every function of an input acts on each element by itself."""
        program = self.specification
        moving = reach(program, dict.fromkeys(program.variables, 1))
        return all(
            is_elementwise(node.function, node.settings)
            for node, moves in zip(program.nodes, moving, strict=True)
            if isinstance(node, Call) and moves
        )

    def aimed_at(self, objective: Objective, parts: int = 1) -> Prepared:
        """The same specification, one number made of its value being differentiated."""
        grown, nodes = self.expansion, tuple[int, ...]()
        if not isinstance(grown, Oversize):
            try:
                grown, outputs, *_ = objective.grow(self.specification, grown.copy())
                nodes = tuple(outputs)
            except TooLarge as error:
                grown = Oversize(str(error))
        return replace(
            self,
            weights=None,
            expansion=grown,
            objective=objective,
            number=nodes,
            parts=parts,
            _shared={},
        )

    @cached_property
    def reweighted(self) -> Prepared | None:
        """The same under a seeded cotangent; None where ones are not asked, or hide nothing, or the
        program is too large to be judged twice.
        """
        if self.weights is not None or not self.is_mixing or self.is_long:
            return None
        count = prod(self.shape) if self.shape is not None else len(self.outputs)
        weights = tuple(seeded_numbers("cotangent", count))
        return replace(self, weights=weights, _shared={})

    @cached_property
    def is_long(self) -> bool:
        """Whether the budgets of all partials take so long that they are computed only once; in
        bulk they do not.
        """
        if isinstance(self.expansion, Oversize):
            return False
        return len(self.elements) * len(self.scalars.builder.nodes) > MAX_JUDGED_TWICE

    @cached_property
    def is_mixing(self) -> bool:
        """Whether elements of the inputs mix in the value: an element of it rests on several of one
        input, or two of them on the same several.

        Then a cotangent of ones may hide what is wrong: the terms that it adds up cancel in softmax
        and in layer_norm.
        """
        if isinstance(self.expansion, Oversize):
            is_large = self.objective.is_value and self.shape is not None and prod(self.shape) > 1
            return is_large and not self._is_elementwise
        outputs = self.outputs
        if len(outputs) < 2 or self._is_elementwise:
            return False
        names = [elements_of(input_, self.size(input_)) for input_ in self.wrt]
        bits = {name: 1 << k for k, name in enumerate(n for group in names for n in group)}
        groups = [sum(bits[name] for name in group) for group in names]
        reached = reach(Program(tuple(self.scalars.builder.nodes), ()), bits)
        masks = [reached[i] for i in outputs]
        if any((mask & group).bit_count() > 1 for mask in masks for group in groups):
            return True
        several = [mask for mask in masks if mask.bit_count() > 1]
        return len(set(several)) < len(several)

    @cached_property
    def elements(self) -> tuple[str, ...]:
        """Scalar names of every element differentiated."""
        return tuple(name for input_ in self.wrt for name in elements_of(input_, self.size(input_)))

    @cached_property
    def pivots(self) -> int:
        """Of a second derivative the elements by which is differentiated first, as bits in the
        order of `elements`.
        """
        return sum(1 << k for k, name in enumerate(self.elements) if name in self.objective.pivots)

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
    size = None if _is_small(specification, inputs) else program_size(specification, inputs)
    if isinstance(size, Size) and size.operations > MAX_SINGLE:
        many = f"it comes to {size.operations:,} scalar operations, more than {MAX_SINGLE:,}"
        return Oversize(many, size.shape)
    try:
        return expand(specification, inputs)
    except TooLarge as error:
        if isinstance(size, ShapeError):
            raise size from error
        return Oversize(str(error))


def _is_small(specification: Program, inputs: Mapping[str, tuple[int, ...] | Array]) -> bool:
    """Whether there are few nodes, and only functions of numbers: a node is a few scalars then."""
    nodes = specification.nodes
    return (
        len(nodes) <= _FEW_NODES
        and all(isinstance(size, tuple) and not size for size in inputs.values())
        and all(
            is_elementwise(node.function, node.settings) for node in nodes if isinstance(node, Call)
        )
    )
