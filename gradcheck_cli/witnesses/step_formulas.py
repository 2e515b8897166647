"""What is asked of a step's formulas, and what they are: the derivatives of a step of numbers, or
how a step of arrays hands its adjoint back.
"""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gradcheck_cli.calculus.formulas import is_elementwise
from gradcheck_cli.language.parse import parse
from gradcheck_cli.language.program import Builder, Call
from gradcheck_cli.language.text import program_text
from gradcheck_cli.witnesses.analytic import MAX_OPERATIONS, MAX_PARTIALS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gradcheck_cli.language.program import Program
    from gradcheck_cli.witnesses.unrolled_steps import UnrolledStep

# A step under its adjoint, as a number.
_WEIGHTED = "sum(adjoint * step)"


class StepFormula(NamedTuple):
    """The formula of a local partial; empty where none is known.

    Attributes:
        adjoint: what it calls the adjoint of the step, where it says what the name receives of it;
            empty where it is the derivative itself.
    """

    text: str = ""
    latex: str = ""
    adjoint: str = ""


class StepQuestion(NamedTuple):
    """A question about a step, as a line of JSON, and how its answer is read."""

    line: str
    shapes: Mapping[str, tuple[int, ...]]
    adjoint: str

    def formulas(self, reply: Mapping[str, Any]) -> dict[str, StepFormula]:
        """The formulas of an answer, by names."""
        partials, place = reply.get("partials", ()), 0
        found: dict[str, StepFormula] = {}
        for name, shape in self.shapes.items():
            if place < len(partials):
                said = partials[place]
                said = said.get("gradient", {}) if shape else said
                text, latex = said.get("formula", ""), said.get("latex", "")
                found[name] = StepFormula(text, latex, self.adjoint if text else "")
            place += int(np.prod(shape))
        return found


def step_question(step: UnrolledStep, given: Mapping[str, Any]) -> StepQuestion | None:
    """What is asked of a step; None where it is too long for a formula.

    Args:
        given: the shape of each name before it; of class indices the integers themselves.
    """
    program = replace(step.step.program, names={})
    calls = [node for node in program.nodes if isinstance(node, Call)]
    is_plain = all(is_elementwise(node.function, node.settings) for node in calls)
    shapes = {n: () if is_plain else given[n] for n in program.variables}
    integers = {n: array.tolist() for n, array in shapes.items() if not isinstance(array, tuple)}
    shapes = {n: shape for n, shape in shapes.items() if n not in integers}
    sizes = sum(int(np.prod(shapes[name])) for name in step.shapes)
    is_long = sizes > MAX_PARTIALS or len(step.expansion.builder.nodes) > MAX_OPERATIONS
    if not step.shapes or is_long:
        return None
    adjoint = ""
    if step.shape and not is_plain:
        adjoint = _adjoint_name(step)
        program = _weighted(program, adjoint)
        shapes[adjoint] = step.shape
    question = {
        "program": program_text(program),
        "shapes": shapes,
        "integers": integers,
        "wrt": list(step.shapes),
        "cotangent": None,
    }
    return StepQuestion(json.dumps(question), {n: shapes[n] for n in step.shapes}, adjoint)


def _adjoint_name(step: UnrolledStep) -> str:
    """`dh` for a step `h`, unless an input of the step is called so."""
    taken = step.step.program.variables
    names = (f"d{step.step.name}{'_' * k}" for k in count())
    return next(name for name in names if name not in taken)


def _weighted(program: Program, adjoint: str) -> Program:
    builder = Builder()
    (value,) = builder.include(program, {})
    bound = {"adjoint": builder.variable(adjoint), "step": value}
    return builder.program(*builder.include(parse(_WEIGHTED), bound))
