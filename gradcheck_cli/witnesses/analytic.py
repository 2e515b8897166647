"""Analytic: SymPy's derivative of the Program, asked of another process and evaluated in balls."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from gradcheck_cli.calculus.gradient import scalar_inputs
from gradcheck_cli.calculus.reverse import lower
from gradcheck_cli.language.errors import UserError
from gradcheck_cli.language.parse import parse
from gradcheck_cli.language.program import Builder, Call, Program
from gradcheck_cli.language.text import program_text
from gradcheck_cli.questions.question import index_variables
from gradcheck_cli.symbolic.wire import Unreadable, from_wire
from gradcheck_cli.witnesses import Abstention
from gradcheck_cli.witnesses.reference import FIRST_BITS, SIGN_BITS, is_certified
from gradcheck_cli.worlds import balls
from gradcheck_cli.worlds.scalars import ShapeError, TooLarge, expand

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gradcheck_cli.questions.question import Case
    from gradcheck_cli.symbolic.client import Analyst

# Past these sizes SymPy would only run into its time limit.
MAX_PARTIALS, MAX_NODES = 64, 5_000


@dataclass(frozen=True)
class Formula:
    """SymPy's derivative: its text in our language, its LaTeX, and its ball at the point (None if
    it has none there).
    """

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
    texts, sent = tuple(item["formula"] for item in answer["partials"]), answer.get("program")
    formulas: _Formulas = _shared(
        case, ("formulas", texts, sent), lambda: _Formulas(case, texts, sent)
    )
    enclosed = formulas.balls(case)
    return tuple(
        Formula(item["formula"], item["latex"], *found)
        for item, found in zip(answer["partials"], enclosed, strict=True)
    )


def _shared(case: Case, key: tuple[object, ...], make: Callable[[], Any]) -> Any:
    """What is the same for all points of a grid, made once."""
    known = case.unrolled.derivatives
    if key not in known:
        known[key] = make()
    return known[key]


def _question(case: Case) -> str | Abstention:
    weights = None if case.cotangent is None else tuple(case.cotangent.reshape(-1).tolist())
    found: str | Abstention = _shared(case, ("question", case.wrt, weights), lambda: _asked(case))
    return found


def _asked(case: Case) -> str | Abstention:
    expansion = case.unrolled.expansion
    if isinstance(expansion, TooLarge):
        return Abstention(f"SymPy is not asked: {expansion}")
    if len(case.keys) > MAX_PARTIALS:
        return Abstention(
            f"SymPy is not asked for {len(case.keys)} partials; {MAX_PARTIALS} is the most"
        )
    if len(expansion.builder.nodes) > MAX_NODES:
        return Abstention(
            f"SymPy is not asked: {len(expansion.builder.nodes):,} scalar operations, {MAX_NODES:,} is the most"
        )
    indices = index_variables(case.program)
    return json.dumps(
        {
            "program": program_text(case.program),
            "shapes": {name: array.shape for name, array in case.at.items() if name not in indices},
            "integers": {
                name: array.tolist() for name, array in case.at.items() if name in indices
            },
            "wrt": case.wrt,
            "cotangent": None if case.cotangent is None else case.cotangent.reshape(-1).tolist(),
        }
    )


class _Formulas:
    """Formulas as one scalar program: parts that they share are evaluated once."""

    def __init__(self, case: Case, texts: Sequence[str], sent: str | None) -> None:
        builder = Builder()
        # The node of each formula, or why it has none. What is no program of ours is read from its
        # text, which tells why.
        self._places = (
            [_place(case, builder, text) for text in texts]
            if sent is None
            else _places(case, builder, sent, len(texts))
        )
        self._machine = balls.Machine(Program(tuple(builder.nodes), ()))

    def balls(self, case: Case) -> list[tuple[balls.Ball | None, str]]:
        """Each formula's ball at the case's point, at rising precision, or None and why there is
        none.
        """
        found = [
            (
                None,
                place
                if isinstance(place, str)
                else "the formula has no certain value at this point",
            )
            for place in self._places
        ]
        wanted = {k: place for k, place in enumerate(self._places) if isinstance(place, int)}
        inputs, bits = scalar_inputs(case), FIRST_BITS
        while wanted and bits <= 4 * SIGN_BITS:
            values = self._machine.run(inputs, bits, case.dtype.round)
            for k, place in list(wanted.items()):
                ball = balls.plain(values[place])
                if is_certified(ball):
                    found[k] = (ball, "")
                    del wanted[k]
            bits *= 2
        return found


def _places(case: Case, builder: Builder, sent: str, wanted: int) -> list[int | str]:
    """The nodes of formulas that came as one program, added to `builder`; in words why they have
    none.
    """
    try:
        program = from_wire(json.loads(sent), scalar_inputs(case))
        if len(program.outputs) != wanted:
            raise Unreadable(f"{len(program.outputs)} formulas came for {wanted} partials")
    except (ValueError, RecursionError) as error:
        return [f"the formula could not be evaluated: {error}"] * wanted
    expanded = Builder()
    outputs = lower(expanded, program, {})
    return list(_as_sympy(builder, expanded.program(*outputs)))


def _place(case: Case, builder: Builder, text: str) -> int | str:
    """The node of a formula, its program added to `builder`; in words why it has none."""
    try:
        program = parse(text)
        # SymPy's zoo and nan come back as names that are no inputs.
        expansion = expand(
            program, {name: case.unrolled.inputs[name] for name in program.variables}
        )
    except (UserError, ShapeError, TooLarge, KeyError) as error:
        return f"the formula could not be evaluated: {str(error).splitlines()[0]}"
    output = int(np.reshape(expansion.values[program.result], -1)[0])
    return _as_sympy(builder, expansion.builder.program(output))[0]


def _as_sympy(builder: Builder, program: Program) -> tuple[int, ...]:
    """The outputs of `program` with SymPy's convention Heaviside(0) = 1/2, so that its opinion at a
    kink is its own.
    """
    where = list[int]()
    for node in program.nodes:
        if isinstance(node, Call) and node.function == "heaviside":
            one = builder.number(1)
            where.append(
                builder.call(
                    "div",
                    builder.call("add", builder.call("sign", where[node.args[0]]), one),
                    builder.number(2),
                )
            )
        elif isinstance(node, Call):
            where.append(
                builder.call(node.function, *[where[i] for i in node.args], settings=node.settings)
            )
        else:
            where.append(builder.add(node))
    return tuple(where[i] for i in program.outputs)
