"""The steps of a program as scalars, ready for balls: of each its value, and what it hands back of
the adjoint that it is given.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import nan
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from gradcheck_cli.calculus.gradient import GradientProgram, gradient_program
from gradcheck_cli.language.elements import elements_of
from gradcheck_cli.language.program import Program, reach
from gradcheck_cli.witnesses.reference import touching_kinks
from gradcheck_cli.witnesses.truth import is_certified
from gradcheck_cli.worlds import balls
from gradcheck_cli.worlds.scalars import expand

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gradcheck_cli.language.named_steps import NamedStep
    from gradcheck_cli.worlds.scalars import Expansion

Extents: TypeAlias = "tuple[int, ...]"

# A Jacobian has at most so many rows and entries to be written down.
_MOST_ROWS, _MOST_ENTRIES = 64, 4_096


@dataclass(frozen=True)
class Numbers:
    """Balls in the shape of an array, row-major.

    Attributes:
        reason: why some of them have no value.
        exact: whether more precision would change nothing about the reason.
    """

    shape: Extents
    balls: tuple[balls.Ball, ...]
    reason: str = ""
    exact: bool = False

    @property
    def is_final(self) -> bool:
        """Whether all of it is certain."""
        return all(map(is_certified, self.balls)) or self.exact


@dataclass(frozen=True, eq=False)
class UnrolledStep:
    """A step at given shapes.

    Attributes:
        shapes: of the names in it that carry a derivative.
        shape: of its value.
        gradient: of `<adjoint, value>`, by all elements of these names.
    """

    step: NamedStep
    shapes: Mapping[str, Extents]
    shape: Extents
    expansion: Expansion
    outputs: Sequence[int]
    gradient: GradientProgram

    @cached_property
    def _forward(self) -> balls.Machine:
        return balls.Machine(Program(self.gradient.program.nodes[: self.gradient.forward], ()))

    @cached_property
    def _backward(self) -> balls.Machine:
        return balls.Machine(self.gradient.program)

    def value(self, known: Mapping[str, Any], literal: balls.Literal, deadline: float) -> Numbers:
        """The value.

        Args:
            known: the ball of every element that comes before.
        """
        unasked = dict.fromkeys(_adjoint_names(len(self.outputs)), balls.exact_ball(0))
        values = self._forward.values({**known, **unasked}, literal, deadline)
        found = tuple(balls.plain(values[i]) for i in self.outputs)
        is_finite = all(ball.is_finite() for ball in found)
        return Numbers(self.shape, found, "" if is_finite else "not finite")

    def handed_back(
        self,
        known: Mapping[str, Any],
        adjoint: Sequence[Any],
        literal: balls.Literal,
        deadline: float,
    ) -> dict[str, Numbers]:
        """What each name receives for an adjoint of the value."""
        given = dict(zip(_adjoint_names(len(adjoint)), adjoint, strict=True))
        values = self._backward.values({**known, **given}, literal, deadline)
        near = touching_kinks(self.gradient, values)
        found: dict[str, Numbers] = {}
        start = 0
        for name, shape in self.shapes.items():
            numbers: list[Any] = []
            reasons: dict[str, bool] = {}
            for k in range(start, start := start + int(np.prod(shape))):
                node = self.gradient.partials[k]
                ball = balls.exact_ball(0) if node is None else balls.plain(values[node])
                at = [kink for kink in near if self.gradient.dependence[kink.node] >> k & 1]
                if at:
                    words = self.step.program.source(self.expansion.origin[at[0].node])
                    exact = all(values[kink.expression].is_zero() for kink in at)
                    kind = "jump" if any(kink.jumps for kink in at) else "kink"
                    reasons[f"{kind} of `{words}`"] = exact
                    ball = balls.exact_ball(nan)
                elif not ball.is_finite():
                    reasons["not finite"] = False
                numbers.append(ball)
            reason = next(iter(reasons), "")
            found[name] = Numbers(
                shape, tuple(numbers), reason, all(reasons.values()) and bool(reason)
            )
        return found

    def is_diagonal(self, name: str) -> bool:
        """Whether each element of the value rests on the one element of a name that stands in the
        same place, if on any.
        """
        return self.shapes[name] == self.shape and bool(self.shape) and self._diagonal[name]

    @cached_property
    def _diagonal(self) -> dict[str, bool]:
        found: dict[str, bool] = {}
        program = Program(self.gradient.program.nodes[: self.gradient.forward], ())
        for name, shape in self.shapes.items():
            bits = {element: 1 << k for k, element in enumerate(elements_of(name, shape))}
            reached = reach(program, bits)
            found[name] = all(reached[i] in (0, 1 << k) for k, i in enumerate(self.outputs))
        return found

    def slopes(
        self, known: Mapping[str, Any], literal: balls.Literal, deadline: float
    ) -> dict[str, Numbers]:
        """The derivatives by each name: in the shape of the name where the value is a number or
        each element has a slope of its own, else the Jacobian, its rows first; a Jacobian that is
        too long is left out.
        """
        one, zero = balls.exact_ball(1), balls.exact_ball(0)
        count = len(self.outputs)
        together = self.handed_back(known, [one] * count, literal, deadline)
        found = {n: v for n, v in together.items() if not self.shape or self.is_diagonal(n)}
        entries = count * max((len(v.balls) for v in together.values()), default=0)
        if len(found) == len(together) or count > _MOST_ROWS or entries > _MOST_ENTRIES:
            return found
        rows = [
            self.handed_back(
                known, [one if j == k else zero for j in range(count)], literal, deadline
            )
            for k in range(count)
        ]
        for name in together.keys() - found.keys():
            parts = [row[name] for row in rows]
            flat = tuple(ball for part in parts for ball in part.balls)
            reasons = [part for part in parts if part.reason]
            reason, exact = (
                (reasons[0].reason, all(p.exact for p in reasons)) if reasons else ("", False)
            )
            found[name] = Numbers((*self.shape, *self.shapes[name]), flat, reason, exact)
        return found


def unrolled(step: NamedStep, inputs: Mapping[str, Any], live: Sequence[str]) -> UnrolledStep:
    """A step as scalars.

    Args:
        inputs: the shape of each name before it; of class indices the integers themselves.
        live: the names that carry a derivative.
    Raises:
        TooLarge: it has too many.
    """
    names = step.program.variables
    expansion = expand(step.program, {name: inputs[name] for name in names})
    builder = expansion.builder
    value = expansion.values[step.program.result]
    outputs = np.reshape(value, -1).tolist()
    terms = [
        builder.call("mul", builder.variable(name), i)
        for name, i in zip(_adjoint_names(len(outputs)), outputs, strict=True)
    ]
    total = terms[0]
    for term in terms[1:]:
        total = builder.call("add", total, term)
    expansion.origin += [step.program.result] * (len(builder.nodes) - len(expansion.origin))
    shapes = {name: inputs[name] for name in names if name in live}
    elements = tuple(e for name, shape in shapes.items() for e in elements_of(name, shape))
    gradient = gradient_program(builder, [total], elements, None)
    return UnrolledStep(step, shapes, np.shape(value), expansion, outputs, gradient)


def _adjoint_names(count: int) -> list[str]:
    """Names of inputs that hold an adjoint, which no user can write."""
    return [f"adjoint {k}" for k in range(count)]
