"""A program without a point: nothing is checked, and its derivatives are told as formulas."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from gradcheck_cli.functions import names
from gradcheck_cli.language.errors import Mistake, PointError, UserError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gradcheck_cli.language.program import Program
    from gradcheck_cli.symbolic.client import Analyst


class NoPointError(PointError):
    """No input has a value.

    Attributes:
        formulas: the program, and below it the derivative by each input as SymPy has it, where all
            inputs may be numbers.
    """

    def __init__(
        self, mistakes: Iterable[Mistake], program: Program, formulas: Sequence[str]
    ) -> None:
        mistakes = tuple(mistakes)
        inputs = program.variables
        if formulas:
            some = ", ".join(f"`{name}`" for name in inputs)
            point = ",".join(f"{name}=1" for name in inputs)
            message = f"nothing is checked: `--at` gives no value for {some}"
            command = shlex.join(["gradcheck", program.text, "--at", point])
            way_out = f"check it at a point, for example: {command}"
            mistakes = (Mistake("missing-value", message, help=way_out),)
        super().__init__(mistakes)
        self.formulas = formulas


def formula_lines(program: Program, wrt: Sequence[str], analyst: Analyst) -> list[str]:
    """The program, and `∂f/∂x = 2*x` for each input, all of them numbers; nothing where SymPy has
    no formula.
    """
    from gradcheck_cli.dtypes import DTYPES
    from gradcheck_cli.questions.numbers import read_value
    from gradcheck_cli.questions.question import question_of
    from gradcheck_cli.witnesses.analytic import question_text

    if {*program.variables} & {*names()}:  # a function without its parentheses
        return []
    point = dict.fromkeys(program.variables, read_value("1"))
    try:
        question = question_of(program, point, wrt)
        arrays, _ = question.arrays(point, DTYPES["float64"])  # type: ignore[arg-type]  # a number
        prepared, _ = question.prepared(arrays, DTYPES["float64"])
    except UserError:  # an input that is a tensor
        return []
    asked = question_text(prepared)
    reply = analyst.answer(asked) if isinstance(asked, str) else {}
    texts = [partial["formula"] for partial in reply.get("partials", ())]
    lines = [f"∂f/∂{name} = {text}" for name, text in zip(question.wrt, texts, strict=False)]
    return [program.text, *lines] if lines else []
