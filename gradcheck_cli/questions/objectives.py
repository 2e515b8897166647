"""Objectives: what of a program is differentiated. Its value under a cotangent; one element of the
value, for a Jacobian; a first derivative, for second ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from gradcheck_cli.calculus.gradient import weighted_sum
from gradcheck_cli.calculus.reverse import adjoints
from gradcheck_cli.language.elements import element, elements_of, indices_of
from gradcheck_cli.language.program import Variable
from gradcheck_cli.subjects.single import ElementSubject, PartialSlope, SlopeSubject
from gradcheck_cli.worlds.backward import torch_backward

if TYPE_CHECKING:
    from gradcheck_cli.language.program import Program
    from gradcheck_cli.subjects import Subject
    from gradcheck_cli.subjects.single import DirectedSlope, Index
    from gradcheck_cli.worlds.scalars import Expansion


@dataclass(unsafe_hash=True)
class PartialKey:
    """Which partial: the variable, and the element's index in it. It is never changed, and not
    frozen, as very many are made: that would be a call for each field.

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


class Grown(NamedTuple):
    """A program as scalars with what is differentiated of it.

    Attributes:
        outputs: the nodes of that.
        forward: how many nodes come before a first derivative; 0 where there is none.
        sums: nodes of it that add up cotangents, which torch may do in any order.
    """

    expansion: Expansion
    outputs: list[int]
    forward: int = 0
    sums: frozenset[int] = frozenset()


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

    def grow(self, program: Program, expansion: Expansion, *, as_torch: bool = False) -> Grown:
        """The program as scalars with those of the objective, which may be added to `expansion`.

        Args:
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

    def grow(self, program: Program, expansion: Expansion, *, as_torch: bool = False) -> Grown:
        """As `Objective.grow`."""
        places = expansion.values[program.result]
        if isinstance(places, int):
            return Grown(expansion, [places])
        return Grown(expansion, places.reshape(-1).tolist())

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

    def grow(self, program: Program, expansion: Expansion, *, as_torch: bool = False) -> Grown:
        """As `Objective.grow`."""
        return Grown(expansion, THE_VALUE.grow(program, expansion).outputs[self.position :][:1])

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

    def grow(self, program: Program, expansion: Expansion, *, as_torch: bool = False) -> Grown:
        """As `Objective.grow`."""
        builder, origin = expansion.builder, expansion.origin
        outputs = THE_VALUE.grow(program, expansion).outputs
        objective = weighted_sum(builder, outputs, self.cotangent)
        origin += [program.result] * (len(builder.nodes) - len(origin))
        forward, sums = len(builder.nodes), frozenset[int]()
        if as_torch:
            found = torch_backward(program, expansion, objective, self._names)
            expansion, sums = found.expansion, frozenset(found.sums)
            builder, origin = expansion.builder, expansion.origin
            partials = found.partials
        else:
            adjoint = adjoints(builder, objective, frozenset(self._names), origin=origin)
            nodes = [builder.index.get(Variable(name), -1) for name in self._names]
            partials = [adjoint.get(node, -1) for node in nodes]
        known = dict(zip(self._names, partials, strict=True))
        terms = [(w, known[name]) for name, w in self.coefficients.items() if known[name] >= 0]
        weights, places = [float(weight) for weight, _ in terms], [node for _, node in terms]
        if not places:
            output = builder.number(0)
        elif isinstance(self.slope, PartialSlope):
            output = places[0]
        else:
            output = weighted_sum(builder, places, weights)
        origin += [program.result] * (len(builder.nodes) - len(origin))
        return Grown(expansion, [output], forward, sums)

    @cached_property
    def _names(self) -> tuple[str, ...]:
        """Scalar names of the elements of the gradient."""
        return tuple(name for key, size in self.shapes.items() for name in elements_of(key, size))

    def on_trial(self, subject: Subject) -> Subject:
        """As `Objective.on_trial`."""
        return SlopeSubject(subject, self.slope, self.cotangent, tuple(self.shapes))

    def asked(self) -> dict[str, Any]:
        """By which elements is differentiated first, with their weights, and the cotangent."""
        weights = {name: float(weight) for name, weight in self.coefficients.items()}
        return {"first": weights, "weights": self.cotangent}
