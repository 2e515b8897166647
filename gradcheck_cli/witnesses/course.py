"""The steps of a question at given shapes, and the numbers of the chain rule at a point: forwards
for values, backwards for adjoints.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from time import thread_time
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck_cli.language.elements import elements_of
from gradcheck_cli.language.named_steps import NamedSteps, named_steps, without
from gradcheck_cli.witnesses.reference import FIRST_BITS
from gradcheck_cli.witnesses.step_formulas import step_question
from gradcheck_cli.witnesses.unrolled_steps import Numbers, UnrolledStep, unrolled
from gradcheck_cli.worlds import balls

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gradcheck_cli.questions.batch import Point
    from gradcheck_cli.witnesses.step_formulas import StepQuestion

# Two terms that cancel are told to be 0 by balls narrower than every dtype: 1,100 bits and some.
_LAST_BITS = 4_096
# Seconds of computing for one point.
_LIMIT = 5.0


@dataclass(frozen=True)
class Pass:
    """What one pass forwards and backwards finds."""

    values: Mapping[str, Numbers]
    adjoints: Mapping[str, Numbers]
    slopes: Mapping[tuple[str, str], Numbers]
    parts: Mapping[tuple[str, str], Numbers]

    @property
    def is_final(self) -> bool:
        """Whether more precision would change nothing."""
        groups = (self.values, self.adjoints, self.slopes, self.parts)
        return all(numbers.is_final for group in groups for numbers in group.values())


@dataclass(frozen=True, eq=False)
class Course:
    """The steps of a program at given shapes, those that its result needs not among them.

    Attributes:
        inputs: the inputs that are differentiated or that a step is written in.
    """

    chain: NamedSteps
    steps: Sequence[UnrolledStep]
    inputs: Sequence[str]
    live: frozenset[str]
    shapes: Mapping[str, Any]

    @classmethod
    def of(cls, point: Point, *, every: bool) -> Course:
        """That of a question.

        Raises:
            TooLarge: it has no scalar form of bearable size.
        """
        prepared, wrt = point.prepared, point.question.wrt
        held = point.question.held
        chain = named_steps(point.specification.text, every=every)
        if held is not None:
            chain = without(chain, held.programs)
        shapes: dict[str, Any] = dict(prepared.inputs)
        live = set(wrt)
        steps: list[UnrolledStep] = []
        for step in chain.steps:
            names = step.program.variables
            step_unrolled = unrolled(step, shapes, [name for name in names if name in live])
            steps.append(step_unrolled)
            shapes[step.name] = step_unrolled.shape
            if any(name in live for name in names):
                live.add(step.name)
        inputs = [name for name in prepared.specification.variables if name in wrt]
        return cls(chain, steps, inputs, frozenset(live), shapes)

    def users(self, name: str) -> list[UnrolledStep]:
        """The steps that are written in a name and have a part in the result, the last first."""
        return [s for s in reversed(self.steps) if name in s.shapes and s.step.name in self.needed]

    @cached_property
    def needed(self) -> set[str]:
        """The steps that the result rests on."""
        found = {self.chain.result}
        for step in reversed(self.steps):
            if step.step.name in found:
                found.update(step.step.program.variables)
        return found

    @cached_property
    def questions(self) -> dict[str, StepQuestion]:
        """What is asked of the steps' formulas."""
        asked = {s.step.name: step_question(s, self.shapes) for s in self.steps}
        return {name: question for name, question in asked.items() if question is not None}

    def proved(self, point: Point) -> Pass:
        """All numbers, at rising precision."""
        from flint import ctx

        deadline, bits = thread_time() + _LIMIT, FIRST_BITS
        with ctx.workprec(bits):
            found = self._pass(point, float("inf"))
        while not found.is_final and bits < _LAST_BITS:
            bits *= 2
            try:
                with ctx.workprec(bits):
                    found = self._pass(point, deadline)
            except balls.OutOfTime:
                break
        return found

    def _pass(self, point: Point, deadline: float) -> Pass:
        literal = point.dtype.round
        known = {name: balls.exact_ball(value) for name, value in point.scalars.items()}
        values = {name: _of_array(name, point.at[name]) for name in self.inputs}
        for step in self.steps:
            numbers = step.value(known, literal, deadline)
            values[step.step.name] = numbers
            known |= zip(elements_of(step.step.name, step.shape), numbers.balls, strict=True)
        result = self.chain.result
        shape = self.shapes[result]
        weights = np.ones(shape) if point.batch.cotangent is None else point.batch.cotangent
        adjoints = {result: _of_array(result, weights)}
        slopes: dict[tuple[str, str], Numbers] = {}
        parts: dict[tuple[str, str], Numbers] = {}
        for step in (s for s in reversed(self.steps) if s.step.name in self.needed and s.shapes):
            name = step.step.name
            back = step.handed_back(known, adjoints[name].balls, literal, deadline)
            for other, part in back.items():
                parts[name, other] = part
                adjoints[other] = _sum(adjoints[other], part) if other in adjoints else part
            slopes |= {(name, n): v for n, v in step.slopes(known, literal, deadline).items()}
        for name in (*self.live,):
            if name not in adjoints:
                adjoints[name] = _of_array(name, np.zeros(self.shapes[name]))
        return Pass(values, adjoints, slopes, parts)


def _of_array(name: str, array: Any) -> Numbers:
    flat = np.asarray(array, dtype=np.float64).reshape(-1).tolist()
    return Numbers(np.shape(array), tuple(map(balls.exact_ball, flat)))


def _sum(one: Numbers, other: Numbers) -> Numbers:
    """Contributions together."""
    total = tuple(a + b for a, b in zip(one.balls, other.balls, strict=True))
    reason = one.reason or other.reason
    exact = all(part.exact for part in (one, other) if part.reason)
    return Numbers(one.shape, total, reason, bool(reason) and exact)
