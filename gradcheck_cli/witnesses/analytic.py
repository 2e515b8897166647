"""Analytic: SymPy's derivative of the specification, asked of another process and evaluated in
balls.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from gradcheck_cli.calculus.formulas import formula, lower
from gradcheck_cli.functions import lookup
from gradcheck_cli.language.errors import UserError
from gradcheck_cli.language.parse import parse
from gradcheck_cli.language.program import Builder, Call, Copying, Number, Program, fold
from gradcheck_cli.language.text import program_text
from gradcheck_cli.questions.prepared import Oversize
from gradcheck_cli.records.numbers import json_number
from gradcheck_cli.symbolic.wire import Unreadable, from_wire
from gradcheck_cli.witnesses import Abstention, Answers, PointwiseEstimates, Trust
from gradcheck_cli.witnesses.reference import FIRST_BITS
from gradcheck_cli.witnesses.truth import SIGN_BITS, is_certified
from gradcheck_cli.worlds import balls
from gradcheck_cli.worlds.scalars import ShapeError, TooLarge, expand

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gradcheck_cli.language.program import Node
    from gradcheck_cli.questions.batch import Batch, Point
    from gradcheck_cli.questions.prepared import Prepared
    from gradcheck_cli.records.record import Opinion
    from gradcheck_cli.symbolic.client import Analyst
    from gradcheck_cli.witnesses import Estimates

# Past these sizes SymPy would only run into its time limit.
MAX_PARTIALS, MAX_OPERATIONS = 64, 5_000
# Of a Jacobian, and of second derivatives: every 16 of them are a question of their own.
MAX_SPLIT = 256
# The ball of a formula at a point, or None and why it has none.
_Found: TypeAlias = "tuple[balls.Ball | None, str]"
# SymPy's words for what has no value, for an infinity without a sign, and for the imaginary unit.
_NO_REAL = re.compile(r"\b(?:nan|zoo|I)\b")


@dataclass(frozen=True)
class Formula:
    """A derivative as people write it, in our language and in LaTeX, and the ball of SymPy's
    derivative at the point (None if it has none there, and why).

    Attributes:
        gradient: the formula of the whole array of derivatives, and its LaTeX, where it is one of
            several that have one together.
    """

    text: str
    latex: str
    ball: balls.Ball | None
    reason: str = ""
    gradient: Mapping[str, str] | None = None

    def entry(self) -> Opinion:
        """What a record keeps."""
        texts: Opinion = {"formula": self.text, "latex": self.latex}
        if self.gradient is not None:
            texts["gradient"] = dict(self.gradient)
        if self.ball is None:
            return {"value": None, "reason": self.reason, **texts}
        return {"value": json_number(balls.nearest_float(self.ball)), **texts}


@dataclass(frozen=True)
class Analytic:
    """The witness that differentiates by formulas.

    Attributes:
        analyst: SymPy at work in its process.
    """

    analyst: Analyst
    name: str = "analytic"
    trust: Trust = Trust.PROVED

    def prepare(self, batch: Batch) -> None:
        """Let SymPy begin on what the batch will ask."""
        question = question_text(batch.prepared)
        if isinstance(question, str):
            self.analyst.ask(question)

    def answer(self, batch: Batch) -> Estimates:
        """SymPy's derivatives at each point; the first that is asked for waits for SymPy, no longer
        than the analyst's time limit.
        """
        points = list(batch)
        shape = (len(batch), len(batch.keys))
        return PointwiseEstimates(lambda k: self._testimony(points[k]), shape)

    def _testimony(self, point: Point) -> Answers | Abstention:
        prepared = point.prepared
        question = question_text(prepared)
        if isinstance(question, Abstention):
            return question
        reply = self.analyst.answer(question)
        if "abstained" in reply:
            return Abstention(reply["abstained"])
        items, wire = reply["partials"], reply.get("program")
        texts = tuple(reply.get("texts", [item["formula"] for item in items]))
        key = ("formulas", texts, wire)
        formulas = prepared.share(key, lambda: _Formulas(prepared, texts, wire))
        found = formulas.balls(point)
        pairs = zip(self._shown(point, question, items, found), found, strict=True)
        return Answers(
            [
                Formula(item["formula"], item["latex"], *ball, item.get("gradient"))
                for item, ball in pairs
            ]
        )

    def _shown(
        self, point: Point, question: str, items: list[dict[str, Any]], found: Sequence[_Found]
    ) -> list[dict[str, Any]]:
        """The formulas, or others where one of them has no value at a point where there is one."""
        shown = _read_back(point, items)
        if shown.is_total:
            return items
        lacking = [ball is None for ball, _ in shown.balls(point)]
        if not any(lacking):
            return items
        asked = json.loads(question)
        line = json.dumps({**asked, "everywhere": True})
        others: list[dict[str, Any]] = self.analyst.answer(line).get("partials", [])
        # Of a second derivative there is no more to go by than SymPy's value.
        is_known = "first" not in asked or all(ball is not None for ball, _ in found)
        if not others or not is_known:
            return items
        proposed = zip(lacking, _read_back(point, others).balls(point), found, strict=True)
        better = [
            lacks and own is not None and (ball is None or bool(own.overlaps(ball)))
            for lacks, (own, _), (ball, _) in proposed
        ]
        arrays = [
            item.get("gradient") for item, is_better in zip(items, better, strict=True) if is_better
        ]
        return [
            other if is_better or ("gradient" in item and item["gradient"] in arrays) else item
            for item, other, is_better in zip(items, others, better, strict=True)
        ]


def _read_back(point: Point, items: Sequence[dict[str, Any]]) -> _Formulas:
    """The formulas that are shown, as they read."""
    prepared, texts = point.prepared, tuple(item["formula"] for item in items)
    return prepared.share(("formulas", texts, None), lambda: _Formulas(prepared, texts, None))


def question_text(prepared: Prepared) -> str | Abstention:
    """What SymPy is asked, as a line of JSON, or why it is not asked."""
    return prepared.share("question for SymPy", lambda: _write_question(prepared))


def _write_question(prepared: Prepared) -> str | Abstention:
    expansion, partials = prepared.expansion, len(prepared.elements)
    if isinstance(expansion, Oversize):
        return Abstention(f"SymPy is not asked: {expansion.reason}")
    entries = partials * prepared.parts
    if partials > MAX_PARTIALS or entries > MAX_SPLIT:
        most = MAX_PARTIALS if prepared.parts == 1 else MAX_SPLIT
        return Abstention(f"SymPy is not asked for {entries:,} partials; {most} is the most")
    operations = len(expansion.builder.nodes)
    if operations > MAX_OPERATIONS:
        size = f"{operations:,} scalar operations, {MAX_OPERATIONS:,} is the most"
        return Abstention(f"SymPy is not asked: {size}")
    given = prepared.inputs.items()
    return json.dumps(
        prepared.objective.asked()
        | {
            "program": program_text(prepared.specification),
            "shapes": {name: shape for name, shape in given if isinstance(shape, tuple)},
            "integers": {n: array.tolist() for n, array in given if not isinstance(array, tuple)},
            "wrt": prepared.wrt,
            "cotangent": prepared.weights,
        }
    )


class _Formulas:
    """Formulas as one scalar program: parts that they share are evaluated once."""

    def __init__(self, prepared: Prepared, texts: Sequence[str], wire: str | None) -> None:
        builder = Builder()
        # The node of each formula, or why it has none. What is no program of ours is read from its
        # text, which tells why.
        self._places: list[int | str] = (
            [_place(prepared, builder, text) for text in texts]
            if wire is None
            else _places(prepared, builder, wire, len(texts))
        )
        nodes = builder.nodes
        self.is_total = not any(_may_lack(nodes, node) for node in nodes)
        self._machine = balls.Machine(Program(tuple(nodes), ()))

    def balls(self, point: Point) -> list[_Found]:
        """Each formula's ball at a point, at rising precision, or None and why there is none."""
        uncertain = "the formula has no certain value at this point"
        answers: list[_Found] = [
            (None, place if isinstance(place, str) else uncertain) for place in self._places
        ]
        wanted = {k: place for k, place in enumerate(self._places) if isinstance(place, int)}
        inputs, bits = point.scalars, FIRST_BITS
        while wanted and bits <= 4 * SIGN_BITS:
            values = self._machine.run(inputs, bits, point.dtype.round)
            for k, place in list(wanted.items()):
                ball = balls.plain(values[place])
                if is_certified(ball):
                    answers[k] = (ball, "")
                    del wanted[k]
            bits *= 2
        return answers


def _places(prepared: Prepared, builder: Builder, wire: str, wanted: int) -> list[int | str]:
    """The nodes of formulas that came as one program, added to `builder`; in words why they have
    none.
    """
    try:
        program = from_wire(json.loads(wire), prepared.all_elements)
        if len(program.outputs) != wanted:
            raise Unreadable(f"{len(program.outputs)} formulas came for {wanted} partials")
    except (ValueError, RecursionError) as error:
        return [f"the formula could not be evaluated: {error}"] * wanted
    expanded = Builder()
    outputs = lower(expanded, program, {})
    return list(_as_sympy(builder, expanded.program(*outputs)))


def _place(prepared: Prepared, builder: Builder, text: str) -> int | str:
    """The node of a formula, its program added to `builder`; in words why it has none."""
    try:
        program = parse(text)
        expansion = expand(program, {name: prepared.inputs[name] for name in program.variables})
    except (UserError, ShapeError, TooLarge, KeyError) as error:
        return _why_unreadable(prepared, text, error)
    output = int(np.reshape(expansion.values[program.result], -1)[0])
    return _as_sympy(builder, expansion.builder.program(output))[0]


def _why_unreadable(prepared: Prepared, text: str, error: Exception) -> str:
    """Why a formula is no program over the inputs, in words."""
    names = (name for name in _NO_REAL.findall(text) if name not in prepared.inputs)
    name = next(names, None)
    if name is not None:
        return f"SymPy's formula has `{name}` in it, which is no real number"
    why = error.mistakes[0].message if isinstance(error, UserError) else str(error)
    if isinstance(error, KeyError):
        why = f"there is no input `{error.args[0]}`"
    return f"the formula could not be evaluated: {why}"


def _may_lack(nodes: Sequence[Node], node: Node) -> bool:
    """Whether a step has no value for some arguments; one that divides by a number has."""
    if not isinstance(node, Call) or not lookup(node.function).domain:
        return False
    last = nodes[node.args[-1]]
    return not (
        lookup(node.function).operator in ("/", "**")
        and isinstance(last, Number)
        and last.value > 0
    )


class _AsSymPy(Copying):
    """At a kink where the table says less, SymPy's convention stands in: its opinion is its own."""

    def call(self, node: Call, args: list[int]) -> int:
        row = lookup(node.function)
        if not row.convention:
            return super().call(node, args)
        bound = dict(zip(row.parsed.names, args, strict=True))
        return lower(self.builder, formula(row.convention), bound)[0]


def _as_sympy(builder: Builder, program: Program) -> tuple[int, ...]:
    """The outputs of `program`, copied into `builder` as SymPy means them."""
    values = fold(program, _AsSymPy(builder), {})
    return tuple(values[i] for i in program.outputs)
