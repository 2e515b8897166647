"""Analytic: SymPy's derivative of the Program, asked of another process, read back and evaluated in balls."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from gradcheck_cli.case import index_variables
from gradcheck_cli.gradient import scalar_inputs
from gradcheck_cli.language.errors import UserError
from gradcheck_cli.language.parse import parse
from gradcheck_cli.language.program import Builder, Call, Program
from gradcheck_cli.language.text import program_text
from gradcheck_cli.witnesses import Abstention
from gradcheck_cli.witnesses.reference import FIRST_BITS, SIGN_BITS, certified
from gradcheck_cli.worlds import balls
from gradcheck_cli.worlds.scalars import Expansion, ShapeError, TooLarge, expand

if TYPE_CHECKING:
    from gradcheck_cli.case import Case
    from gradcheck_cli.witnesses.process import Analyst

# Past these sizes SymPy would only run into its time limit.
MAX_PARTIALS, MAX_NODES = 64, 5_000


@dataclass(frozen=True)
class Formula:
    """SymPy's derivative: its text in our language, its LaTeX, and its ball at the point (None if it has none there)."""

    text: str
    latex: str
    ball: balls.Ball | None
    reason: str = ""


Answer: TypeAlias = "Formula | Abstention"


def ask(case: Case, analyst: Analyst) -> None:
    """Let SymPy begin on a case's question."""
    question = _question(case)
    if isinstance(question, str):
        analyst.ask(question)


def analytic(case: Case, analyst: Analyst) -> tuple[Answer, ...] | Abstention:
    """SymPy's derivatives at the point of a case, waiting no longer than the analyst's time limit."""
    question = _question(case)
    if isinstance(question, Abstention):
        return question
    answer = analyst.answer(question)
    if "abstained" in answer:
        return Abstention(answer["abstained"])
    return tuple(_evaluate(case, item["formula"], item["latex"]) for item in answer["partials"])


def _question(case: Case) -> str | Abstention:
    expansion = case.unrolled.expansion
    if isinstance(expansion, TooLarge):
        return Abstention(f"SymPy is not asked: {expansion}")
    if len(case.keys) > MAX_PARTIALS:
        return Abstention(f"SymPy is not asked for {len(case.keys)} partials; {MAX_PARTIALS} is the most")
    if len(expansion.builder.nodes) > MAX_NODES:
        return Abstention(f"SymPy is not asked: {len(expansion.builder.nodes):,} scalar operations, {MAX_NODES:,} is the most")
    indices = index_variables(case.program)
    return json.dumps(
        {
            "program": program_text(case.program),
            "shapes": {name: array.shape for name, array in case.at.items() if name not in indices},
            "integers": {name: array.tolist() for name, array in case.at.items() if name in indices},
            "wrt": case.wrt,
            "cotangent": None if case.cotangent is None else case.cotangent.reshape(-1).tolist(),
        }
    )


def _evaluate(case: Case, text: str, latex: str) -> Answer:
    """A formula's ball at the case's point, at rising precision."""
    try:
        program = parse(text)
        # SymPy's zoo and nan come back as names that are no inputs.
        expansion = expand(program, {name: case.unrolled.inputs[name] for name in program.variables})
    except (UserError, ShapeError, TooLarge, KeyError) as error:
        return Formula(text, latex, None, f"the formula could not be evaluated: {str(error).splitlines()[0]}")
    return _enclose(case, expansion, program.result, text, latex)


def _enclose(case: Case, expansion: Expansion, result: int, text: str, latex: str) -> Formula:
    output = int(np.reshape(expansion.values[result], -1)[0])
    scalars = _as_sympy(expansion.builder.program(output))
    inputs = scalar_inputs(case)
    bits = FIRST_BITS
    while True:
        ball = balls.plain(balls.run(scalars, inputs, bits, case.literal)[scalars.result])
        if certified(ball):
            return Formula(text, latex, ball)
        bits *= 2
        if bits > 4 * SIGN_BITS:
            return Formula(text, latex, None, "the formula has no certain value at this point")


def _as_sympy(program: Program) -> Program:
    """`program` with SymPy's convention Heaviside(0) = 1/2, so that its opinion at a kink is its own."""
    builder, where = Builder(), list[int]()
    for node in program.nodes:
        if isinstance(node, Call) and node.function == "heaviside":
            one = builder.number(1)
            where.append(builder.call("div", builder.call("add", builder.call("sign", where[node.args[0]]), one), builder.number(2)))
        elif isinstance(node, Call):
            where.append(builder.call(node.function, *[where[i] for i in node.args], settings=node.settings))
        else:
            where.append(builder.add(node))
    return builder.program(where[program.result])
