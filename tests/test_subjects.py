"""What is on trial need not be a Program: a callable of torch beside a specification, from question
to report.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import torch
from asking import noise
from test_together import Silent

from gradcheck_cli.checks.check import check_batches, panel
from gradcheck_cli.checks.report import report_of
from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.language.parse import parse
from gradcheck_cli.questions.batching import batches
from gradcheck_cli.questions.numbers import read_points
from gradcheck_cli.questions.points import points_of
from gradcheck_cli.questions.question import question_of
from gradcheck_cli.records.outcome import Cause, Outcome
from gradcheck_cli.reports import renderer
from gradcheck_cli.subjects import Execution
from gradcheck_cli.subjects.program import ProgramSubject

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class CallableSubject:
    """A function of torch tensors, called with its inputs by name."""

    name: str
    inputs: tuple[str, ...]
    call: Callable[..., Any]
    is_elementwise: bool = False
    missing: tuple[str, ...] = ()
    is_code: bool = False
    recording: None = None

    @property
    def words(self) -> tuple[str, ...]:
        """As a command of its own would begin."""
        return "gradcheck", "fn", self.name

    def run(self, inputs: Any, literal: Any, like: Any) -> Execution:
        """The result alone: it has no nodes."""
        return Execution(self.call(**inputs))

    def cuts(self, execution: Execution) -> tuple[str, ...]:
        """What it says of itself."""
        return self.missing


class Scaled(torch.autograd.Function):
    """x**2 whose backward is off by a factor."""

    factor = 1.0

    @staticmethod
    def forward(x: Any) -> Any:
        """x**2."""
        return x**2

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        """Kept for the backward."""
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx: Any, ybar: Any) -> Any:
        """2 x, scaled."""
        (x,) = ctx.saved_tensors
        return ybar * 2 * x * Scaled.factor


def results(call, specification, at, dtypes=("float64",), **options):
    """What is said of a callable at some points."""
    given = read_points([at])
    program = parse(specification)
    subject = CallableSubject("package.module:square", program.variables, call, **options)
    question = question_of(program, given, subject=subject)
    runs = [(DTYPES[name], "cpu") for name in dtypes]
    return list(check_batches(batches(question, points_of(given), runs), panel(Silent())))


def test_a_right_callable_agrees_everywhere():
    """Arrays, grids and several dtypes; the reference is the specification's."""
    found = results(lambda x, w: (w @ x).sum() ** 2, "sum(w @ x)**2", "x=[1, 2],w=[[1, 2], [3, 4]]")
    assert [verdict.outcome for result in found for verdict in result.verdicts] == ["agree"] * 6
    grid = results(lambda x: x**2, "x**2", "x=0.1:2:5", ("float64", "float32"))
    assert [result.outcome for result in grid] == ["agree"] * 10
    assert all(result.verdicts[0].agrees["numeric"] for result in grid)


@pytest.mark.parametrize("is_elementwise", [False, True])
@pytest.mark.parametrize("factor", [1 + 1e-14, 0.5, -1.0])
def test_a_backward_that_is_off_is_wrong(factor, is_elementwise, monkeypatch):
    """Alone or in a batch: a hand-written backward is held against the specification."""
    monkeypatch.setattr(Scaled, "factor", factor)
    found = results(Scaled.apply, "x**2", "x=1.1:3:3", is_elementwise=is_elementwise)
    assert [result.outcome for result in found] == [Outcome.WRONG] * 3
    monkeypatch.setattr(Scaled, "factor", 1.0)
    honest = results(Scaled.apply, "x**2", "x=1.1:3:3", is_elementwise=is_elementwise)
    assert [result.outcome for result in honest] == [Outcome.AGREE] * 3


def test_a_forward_that_is_off_is_noted():
    """The value comes first, and the differences follow it."""
    (result,) = results(lambda x: x**2 * (1 + 1e-6), "x**2", "x=3")
    assert result.outcome == Outcome.WRONG
    assert result.verdicts[0].cause is Cause.LIMITED_APPROXIMATION
    assert "torch's value is off by" in result.notes[0]


@pytest.mark.parametrize(
    ("call", "at", "outcome", "cause"),
    [
        (lambda x: x.detach() * 2, "x=3", Outcome.DETACHED, Cause.NO_PATH), (lambda x: torch.relu(x) * 2, "x=0", Outcome.WRONG, Cause.UNKNOWN),
        (lambda x: x * 2 + (x - x.detach()) / 0 * 0, "x=3", Outcome.WRONG, Cause.UNKNOWN), (lambda x: torch.linalg.nothing(x) + x, "x=3", None, None),
    ],
    ids=["detached", "another function", "nan", "a defect of the user's"],
)  # fmt: skip
def test_what_goes_wrong_in_a_callable_is_judged(call, at, outcome, cause):
    """Without nodes to name there is no place to blame, and the verdict stands all the same. After
    an exception there is no opinion, and so no verdict.
    """
    (result,) = results(call, "2*x", at)
    if outcome is None:
        assert result.outcome == Outcome.INCONCLUSIVE
        assert "AttributeError: module 'torch.linalg' has no attribute" in result.verdicts[0].reason
        return
    assert (result.outcome, result.verdicts[0].cause) == (outcome, cause)


def test_missing_derivatives_are_named_by_the_subject():
    """It alone knows what its own code is made of."""
    (result,) = results(lambda x: x.detach() * x, "x**2", "x=3", missing=("their_op",))
    assert result.verdicts[0].cause is Cause.MISSING_DERIVATIVE
    assert result.verdicts[0].reason.startswith("torch has no derivative for `their_op`")


def test_reports_ask_the_subject_for_its_name_and_command():
    """Every format renders it."""
    report = report_of(results(lambda x: x**2, "x**2", "x=3", ("float32",)))
    (record,) = report.records
    assert record["expression"] == "package.module:square"
    assert record["reproduce"].startswith("gradcheck fn package.module:square --at x=3")
    assert record["partials"][0]["outcome"] == "agree"
    for form in ("table", "json", "csv", "markdown", "junit"):
        assert "package.module:square" in renderer(form)(report)


def test_a_program_is_its_own_specification():
    """The first subject: what it is and what it runs are one Program."""
    program = parse("sin(x)*y")
    subject = ProgramSubject(program)
    assert (subject.name, subject.inputs) == ("sin(x)*y", ("x", "y"))
    assert subject.is_elementwise
    assert not ProgramSubject(parse("sum(x)")).is_elementwise
    question = question_of(program, ["x", "y"])
    assert question.subject == subject


def test_estimates_are_arrays_over_the_batch():
    """Value, radius and whether there is an answer, for every partial at every point; all four
    witnesses overlap.
    """
    given = read_points(["x=-1:1:3,y=2"])
    question = question_of(parse("abs(x)*y**2"), given)
    ((batch,),) = batches(question, points_of(given), [(DTYPES["float64"], "cpu")])
    reference, analytic, autograd, numeric = (w.answer(batch) for w in panel(Silent()))
    assert not analytic.answered.any()
    for estimates in (reference, autograd, numeric):
        assert estimates.value.shape == estimates.radius.shape == estimates.answered.shape == (3, 2)
    assert reference.answered.tolist() == [[True, True], [False, True], [True, True]]
    settled = reference.answered
    assert abs(autograd.value - reference.value)[settled].max() == 0
    assert (abs(numeric.value - reference.value) <= numeric.radius + 1e-15)[settled].all()
    assert noise().level(next(iter(batch))) > 0
