"""Analytic: SymPy's derivative of the specification, asked of another process and evaluated in
balls.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from gradcheck_cli.calculus.formulas import is_elementwise
from gradcheck_cli.language.program import Call
from gradcheck_cli.language.text import program_text
from gradcheck_cli.questions.prepared import Oversize
from gradcheck_cli.records.numbers import json_number
from gradcheck_cli.symbolic.wire import to_wire
from gradcheck_cli.witnesses import Abstention, Answers, PointwiseEstimates, Trust
from gradcheck_cli.witnesses.formula_balls import Formulas
from gradcheck_cli.worlds import balls

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gradcheck_cli.questions.batch import Batch, Point
    from gradcheck_cli.questions.prepared import Prepared
    from gradcheck_cli.records.record import Opinion
    from gradcheck_cli.symbolic.client import Analyst
    from gradcheck_cli.witnesses import Estimates
    from gradcheck_cli.witnesses.formula_balls import Evaluation

# Past these sizes SymPy would only run into its time limit.
MAX_PARTIALS, MAX_OPERATIONS = 64, 5_000
# Of a Jacobian, and of second derivatives: every 16 of them are a question of their own.
MAX_SPLIT = 256


@dataclass(frozen=True)
class Formula:
    """A derivative as people write it, in our language and in LaTeX, and the ball of SymPy's
    derivative at the point (None if it has none there, and why).

    Attributes:
        text, latex: empty where no formula is wanted.
        gradient: the formula of the whole array of derivatives, and its LaTeX, where it is one of
            several that have one together.
        at_tie: the formula that holds here, and its LaTeX, where the text has another value: of two
            numbers that are one all around neither is the larger.
    """

    text: str
    latex: str
    ball: balls.Ball | None
    reason: str = ""
    gradient: Mapping[str, str] | None = None
    at_tie: Mapping[str, str] | None = None

    def entry(self, *, is_right: bool = False) -> Opinion:
        """What a record keeps.

        Args:
            is_right: there is a derivative, and SymPy has it: so this is no kink.
        """
        texts: Opinion = {"formula": self.text, "latex": self.latex} if self.text else {}
        if is_right and self.at_tie is not None:
            texts = dict(self.at_tie)
        elif self.gradient is not None:
            texts["gradient"] = dict(self.gradient)
        if self.ball is None:
            return {"value": None, "reason": self.reason, **texts}
        return {"value": json_number(balls.nearest_float(self.ball)), **texts}


@dataclass(frozen=True)
class Analytic:
    """The witness that differentiates by formulas.

    Attributes:
        analyst: SymPy at work in its process.
        formulas: whether formulas are wanted; what is evaluated is the same without them.
    """

    analyst: Analyst
    formulas: bool = True
    name: str = "analytic"
    trust: Trust = Trust.PROVED

    def prepare(self, batch: Batch) -> None:
        """Let SymPy begin on what the batch will ask."""
        question = question_text(batch.prepared, formulas=self.formulas)
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
        question = question_text(prepared, formulas=self.formulas)
        if isinstance(question, Abstention):
            return question
        reply = self.analyst.answer(question)
        if "abstained" in reply:
            return Abstention(reply["abstained"])
        items, wire = reply.get("partials"), reply.get("program")
        texts = tuple(reply.get("texts") or [item["formula"] for item in items or ()])
        found = _balls(point, texts, wire)
        if wire is not None and any(ball is None for ball, _ in found):
            found = self._evaluated(point, question, found)
        if items is None:
            return Answers([Formula("", "", *ball) for ball in found])
        if not reply.get("total") or prepared.gradient.kinks:
            items = self._shown(point, question, items, found)
        pairs = zip(items, found, strict=True)
        return Answers(
            [
                Formula(
                    item["formula"], item["latex"], *ball, item.get("gradient"), item.get("at_tie")
                )
                for item, ball in pairs
            ]
        )

    def _evaluated(self, point: Point, question: str, found: list[Evaluation]) -> list[Evaluation]:
        """Where SymPy's derivative has no value as it is put together, that of what SymPy makes of
        it: it cancels what stands above and below a line.
        """
        asked = {**json.loads(question), "formulas": False, "evaluated": True}
        reply = self.analyst.answer(json.dumps(asked))
        if "program" not in reply:
            return found
        others = _balls(point, (), reply["program"])
        pairs = zip(found, others, strict=True)
        return [other if one[0] is None and other[0] is not None else one for one, other in pairs]

    def _shown(
        self, point: Point, question: str, items: list[dict[str, Any]], found: Sequence[Evaluation]
    ) -> list[dict[str, Any]]:
        """The formulas, or others where one of them has no value at a point where there is one; the
        others beside them where they have another value than SymPy's derivative.
        """
        shown = _read_back(point, items)
        if shown.is_total and not point.prepared.gradient.kinks:
            return items
        written = [ball for ball, _ in shown.balls(point)]
        lacking = [
            ball is None or not (own is None or bool(ball.overlaps(own)))
            for ball, (own, _) in zip(written, found, strict=True)
        ]
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
            item.get("gradient")
            for item, is_better, ball in zip(items, better, written, strict=True)
            if is_better and ball is None
        ]
        return [
            {**item, "at_tie": other}
            if is_better and ball is not None
            else other
            if is_better or ("gradient" in item and item["gradient"] in arrays)
            else item
            for item, other, is_better, ball in zip(items, others, better, written, strict=True)
        ]


def _balls(point: Point, texts: tuple[str, ...], wire: str | None) -> list[Evaluation]:
    """The balls of formulas at a point; they are read once for all points."""
    prepared, key = point.prepared, ("formulas", texts, wire)
    return prepared.share(key, lambda: Formulas(prepared, texts, wire)).balls(point)


def _read_back(point: Point, items: Sequence[dict[str, Any]]) -> Formulas:
    """The formulas that are shown, as they read."""
    prepared, texts = point.prepared, tuple(item["formula"] for item in items)
    return prepared.share(("formulas", texts, None), lambda: Formulas(prepared, texts, None))


def question_text(prepared: Prepared, *, formulas: bool = True) -> str | Abstention:
    """What SymPy is asked, as a line of JSON, or why it is not asked.

    Args:
        formulas: whether those that are shown are wanted.
    """
    key = ("question for SymPy", formulas)
    return prepared.share(key, partial(_write_question, prepared, formulas=formulas))


def _write_question(prepared: Prepared, *, formulas: bool) -> str | Abstention:
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
    program = prepared.specification
    is_short = _is_of_numbers(prepared)
    return json.dumps(
        prepared.objective.asked()
        | ({"scalars": to_wire(program)} if is_short else {"program": program_text(program)})
        | {
            "shapes": {name: shape for name, shape in given if isinstance(shape, tuple)},
            "integers": {n: array.tolist() for n, array in given if not isinstance(array, tuple)},
            "wrt": prepared.wrt,
            "cotangent": prepared.weights,
        }
        | ({} if formulas else {"formulas": False})
    )


def _is_of_numbers(prepared: Prepared) -> bool:
    """Whether a program is one of numbers as it stands."""
    calls = (node for node in prepared.specification.nodes if isinstance(node, Call))
    given = prepared.inputs.values()
    return all(isinstance(shape, tuple) and not shape for shape in given) and all(
        is_elementwise(node.function, node.settings) for node in calls
    )
