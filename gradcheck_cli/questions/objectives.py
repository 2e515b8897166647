"""Objectives: what of a program is differentiated. Its value under a cotangent; one element of the
value, for a Jacobian; a first derivative, for second ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from gradcheck_cli.calculus.gradient import weighted_sum
from gradcheck_cli.calculus.reverse import adjoints
from gradcheck_cli.language.elements import element, indices_of
from gradcheck_cli.language.program import Variable
from gradcheck_cli.subjects.single import ElementSubject, PartialSlope, SlopeSubject

if TYPE_CHECKING:
    from gradcheck_cli.subjects import Subject
    from gradcheck_cli.subjects.single import DirectedSlope, Index
    from gradcheck_cli.worlds.scalars import Expansion


@dataclass(frozen=True)
class PartialKey:
    """Which partial: the variable, and the element's index in it.

    Attributes:
        output: which element of the value is differentiated, where each is by itself.
        first: the element by which is differentiated first, of a second derivative; `directed`
            where that is along a direction.
    """

    variable: str
    index: Index
    output: Index | None = None
    first: tuple[str, Index] | None = None
    directed: bool = False


class Objective(Protocol):
    """What is differentiated."""

    @property
    def noun(self) -> str:
        """What it is called in a sentence."""

    @property
    def is_value(self) -> bool:
        """Whether it is the whole value, to be weighted by a cotangent; else it is one number."""

    @property
    def order(self) -> int:
        """The order of its derivatives."""

    @property
    def pivots(self) -> frozenset[str]:
        """Scalar names of the elements by which is differentiated first."""

    def key(self, variable: str, index: Index) -> PartialKey:
        """Which partial its derivative by an element is."""

    def outputs(self, expansion: Expansion, result: int, *, as_torch: bool = False) -> list[int]:
        """Its scalar nodes, which may be added to the expansion of a program.

        Args:
            result: the program's.
            as_torch: by the formulas of torch's backward.
        """

    def on_trial(self, subject: Subject) -> Subject:
        """The subject that computes it."""

    def asked(self) -> dict[str, Any]:
        """What a question for SymPy says of it, as JSON holds it."""


@dataclass(frozen=True)
class WholeValue:
    """The value."""

    noun: str = "value"
    is_value: bool = True
    order: int = 1
    pivots: frozenset[str] = frozenset()

    def key(self, variable: str, index: Index) -> PartialKey:
        """As `Objective.key`."""
        return PartialKey(variable, index)

    def outputs(self, expansion: Expansion, result: int, *, as_torch: bool = False) -> list[int]:
        """As `Objective.outputs`."""
        nodes: list[int] = np.reshape(expansion.values[result], -1).tolist()
        return nodes

    def on_trial(self, subject: Subject) -> Subject:
        """The subject itself."""
        return subject

    def asked(self) -> dict[str, Any]:
        """Nothing."""
        return {}


THE_VALUE = WholeValue()


@dataclass(frozen=True)
class ElementOfValue:
    """One element of the value.

    Attributes:
        position: the same, row-major.
    """

    index: Index
    position: int
    is_value: bool = False
    order: int = 1
    pivots: frozenset[str] = frozenset()

    @property
    def noun(self) -> str:
        """`value [0,1]`."""
        return f"value {element('', self.index)}"

    def key(self, variable: str, index: Index) -> PartialKey:
        """As `Objective.key`."""
        return PartialKey(variable, index, output=self.index)

    def outputs(self, expansion: Expansion, result: int, *, as_torch: bool = False) -> list[int]:
        """As `Objective.outputs`."""
        return [THE_VALUE.outputs(expansion, result)[self.position]]

    def on_trial(self, subject: Subject) -> Subject:
        """As `Objective.on_trial`."""
        return ElementSubject(subject, self.position)

    def asked(self) -> dict[str, Any]:
        """Its position."""
        return {"output": self.position}


@dataclass(frozen=True, eq=False)
class FirstDerivative:
    """A first derivative of `<cotangent, f>`.

    Attributes:
        cotangent: row-major; None for ones.
        shapes: those of the inputs that are differentiated.
    """

    slope: PartialSlope | DirectedSlope
    cotangent: tuple[float, ...] | None
    shapes: dict[str, Index]
    is_value: bool = False
    order: int = 2

    @property
    def noun(self) -> str:
        """`first derivative ∂f/∂x`."""
        if isinstance(self.slope, PartialSlope):
            return f"first derivative ∂f/∂{element(self.slope.variable, self.slope.index)}"
        return "first derivative ∇f·v"

    @property
    def first(self) -> tuple[str, Index] | None:
        """The element by which is differentiated first; None for a direction."""
        slope = self.slope
        return (slope.variable, slope.index) if isinstance(slope, PartialSlope) else None

    def key(self, variable: str, index: Index) -> PartialKey:
        """As `Objective.key`."""
        return PartialKey(variable, index, first=self.first, directed=self.first is None)

    @property
    def pivots(self) -> frozenset[str]:
        """As `Objective.pivots`."""
        return frozenset(self.coefficients)

    @cached_property
    def coefficients(self) -> dict[str, Fraction]:
        """The weight of each partial, by scalar names; those that weigh nothing are left out."""
        if isinstance(self.slope, PartialSlope):
            return {element(self.slope.variable, self.slope.index): Fraction(1)}
        return {
            element(name, index): Fraction(float(weights[index]))
            for name, weights in self.slope.direction.items()
            for index in indices_of(weights.shape)
        }

    def outputs(self, expansion: Expansion, result: int, *, as_torch: bool = False) -> list[int]:
        """As `Objective.outputs`."""
        builder, origin = expansion.builder, expansion.origin
        objective = weighted_sum(builder, THE_VALUE.outputs(expansion, result), self.cotangent)
        origin += [result] * (len(builder.nodes) - len(origin))
        names = frozenset(
            element(name, index) for name, size in self.shapes.items() for index in indices_of(size)
        )
        adjoint = adjoints(builder, objective, names, as_torch=as_torch, origin=origin)
        terms = [
            (weight, adjoint[node])
            for name, weight in self.coefficients.items()
            if (node := builder.index.get(Variable(name))) in adjoint and node is not None
        ]
        if not terms:
            output = builder.number(0)
        elif isinstance(self.slope, PartialSlope):
            output = terms[0][1]
        else:
            weights, nodes = zip(*terms, strict=True)
            output = weighted_sum(builder, nodes, weights)
        origin += [result] * (len(builder.nodes) - len(origin))
        return [output]

    def on_trial(self, subject: Subject) -> Subject:
        """As `Objective.on_trial`."""
        return SlopeSubject(subject, self.slope, self.cotangent, tuple(self.shapes))

    def asked(self) -> dict[str, Any]:
        """By which elements is differentiated first, with their weights, and the cotangent."""
        weights = {name: float(weight) for name, weight in self.coefficients.items()}
        return {"first": weights, "weights": self.cotangent}
