"""The chain rule at a point, as it is done on paper: for each name of the program its value, its
local partials, and its adjoint, proved in balls; beside it what torch has for it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gradcheck_cli.subjects.stepwise import StepwiseSubject
from gradcheck_cli.witnesses import TORCH_ERRORS, Abstention
from gradcheck_cli.witnesses.autograd import floats_of, run_once
from gradcheck_cli.witnesses.course import Course
from gradcheck_cli.witnesses.step_formulas import StepFormula
from gradcheck_cli.worlds.scalars import TooLarge

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gradcheck_cli.questions.batch import Point
    from gradcheck_cli.symbolic.client import Analyst
    from gradcheck_cli.witnesses.course import Pass
    from gradcheck_cli.witnesses.unrolled_steps import Numbers, UnrolledStep


@dataclass(frozen=True)
class LocalPartial:
    """The derivative of one step by a name that it is written in.

    Attributes:
        of: the step.
        value: None where it is too long to be written down.
        elementwise: the value holds the slope of each element by the one in the same place; else it
            has the dimensions of the step, then those of the name.
        contribution: what the name receives of the step's adjoint.
    """

    of: str
    formula: StepFormula
    value: Numbers | None
    elementwise: bool
    contribution: Numbers


@dataclass(frozen=True)
class TracedName:
    """A name of the program, an input or a step.

    Attributes:
        words: the step as it is written; None for an input.
        local: empty for the result, whose adjoint is the cotangent.
        adjoint: None where the name carries no derivative.
        torch: what autograd has for it, row-major; None where it has nothing.
    """

    name: str
    words: str | None
    value: Numbers
    local: tuple[LocalPartial, ...]
    adjoint: Numbers | None
    torch: tuple[float, ...] | None


@dataclass(frozen=True)
class Chain:
    """Who writes the chain rule down.

    Attributes:
        analyst: knows the formulas.
        every: each operation is a step.
    """

    analyst: Analyst
    every: bool = False

    def trace(self, point: Point) -> tuple[TracedName, ...] | Abstention:
        """Every name of the program, in the order of the backward pass."""
        try:
            point.prepared.scalars  # noqa: B018 - raises
            key = "chain", self.every
            course = point.prepared.share(key, lambda: Course.of(point, every=self.every))
            return self._told(point, course)
        except TooLarge as error:
            return Abstention(str(error))

    def _told(self, point: Point, course: Course) -> tuple[TracedName, ...]:
        for question in course.questions.values():
            self.analyst.ask(question.line)
        found = course.proved(point)
        torch = _torch_adjoints(point, course)
        formulas = {
            (step, name): formula
            for step, question in course.questions.items()
            for name, formula in question.formulas(self.analyst.answer(question.line)).items()
        }
        names = [*(step.step.name for step in reversed(course.steps)), *course.inputs]
        words = {step.step.name: step.step.words for step in course.steps}
        return tuple(
            TracedName(
                name,
                words.get(name),
                found.values[name],
                tuple(_local(step, name, found, formulas) for step in course.users(name)),
                found.adjoints.get(name),
                torch.get(name),
            )
            for name in names
        )


def _local(
    step: UnrolledStep,
    name: str,
    found: Pass,
    formulas: Mapping[tuple[str, str], StepFormula],
) -> LocalPartial:
    key = step.step.name, name
    formula = formulas.get(key, StepFormula())
    slopes, part = found.slopes.get(key), found.parts[key]
    return LocalPartial(step.step.name, formula, slopes, step.is_diagonal(name), part)


def chain_of(analyst: Analyst, *, trace: bool, every: bool) -> Chain | None:
    """Who writes the chain rule down, where that is asked."""
    return Chain(analyst, every) if trace else None


def _torch_adjoints(point: Point, course: Course) -> dict[str, tuple[float, ...]]:
    """What autograd has for each name."""
    batch = point.batch.alone(point.k)
    subject = StepwiseSubject(point.specification, course.chain)
    batch = replace(batch, question=replace(batch.question, subject=subject))
    try:
        execution, leaves = run_once(batch)
    except TORCH_ERRORS:
        return {}
    names = (step.step.name for step in course.steps)
    tensors = {**leaves, **dict(zip(names, execution.nodes, strict=True))}
    gradients = {name: getattr(tensor, "grad", None) for name, tensor in tensors.items()}
    return {
        name: tuple(floats_of(gradient).tolist())
        for name, gradient in gradients.items()
        if gradient is not None
    }
