"""Law: what is stopped is held at its value: the gradient is that of the program with a constant in
its place, in every opinion.
"""

from __future__ import annotations

from dataclasses import replace
from math import exp

import pytest
from asking import alone, autograd, case, changed, check_case, numeric, points, reference
from each import each
from flint import arb, ctx

from gradcheck_cli.calculus.cuts import has_stops, stopped
from gradcheck_cli.checks.record import record_of
from gradcheck_cli.functions import table
from gradcheck_cli.judge.bench import judge
from gradcheck_cli.language.parse import parse
from gradcheck_cli.questions.batch import Point
from gradcheck_cli.subjects.program import ProgramSubject
from gradcheck_cli.witnesses import Abstention
from gradcheck_cli.witnesses.autograd import Backward, Detached, Measured
from gradcheck_cli.witnesses.numeric import Numeric
from gradcheck_cli.witnesses.truth import Certified

from .points import differentiable_rows, enclose, evidence_of, named, samples
from .slopes import gradient

MEANT = "meant: the gradient stated is checked, not that of the value"


def balls_of(point):
    """The proved partials."""
    answers = reference(point).partials
    assert all(isinstance(answer, Certified) for answer in answers), answers
    return [answer.ball for answer in answers]


@each("row", differentiable_rows(), ids=named)
def test_a_factor_that_is_stopped_is_the_slope(row):
    """d/dw of `w * stop_gradient(f(x))` is f(x), and by x it is 0; of `stop_gradient(w) * f(x)` by
    x it is w f'(x). torch agrees wherever it agrees on f.
    """
    for sample in samples(row, 2):
        factor = case(
            f"v*stop_gradient({sample.text})", f"{sample.at},v=1.5", wrt=["v", sample.numbers[0]]
        )
        slope, nothing = balls_of(factor)
        assert slope.overlaps(enclose(sample.text, sample.values))
        assert nothing == 0
        whole = case(f"stop_gradient(v)*{sample.text}", f"{sample.at},v=1.5", wrt=sample.numbers)
        truth = gradient(sample.text, sample.values)
        with ctx.workprec(256):
            for name, ball in zip(sample.numbers, balls_of(whole), strict=True):
                assert ball.overlaps(arb(3) / 2 * truth[name])


@each("row", differentiable_rows(), ids=named)
def test_straight_through_has_the_value_of_one_and_the_slope_of_the_other(row):
    """For every function as the forward part and as the backward one; floor, a step, as well."""
    for sample in samples(row, 2):
        x = sample.numbers[0]
        point = case(f"straight_through({sample.text}, tanh({x}))", sample.at, wrt=[x])
        (slope,) = balls_of(point)
        assert slope.overlaps(gradient(f"tanh({x})", {x: sample.values[x]})[x])
        (value,) = reference(point).forward
        assert value.ball.overlaps(enclose(sample.text, sample.values))
        back = case(f"straight_through(floor({x}), {sample.text})", sample.at, wrt=[x])
        (slope,) = balls_of(back)
        assert slope.overlaps(gradient(sample.text, sample.values)[x])


# Programs, points, and the stated gradient by hand.
STATED = [
    ("x*stop_gradient(x)", "x=3", [3]),
    ("stop_gradient(x)**2", "x=3", [0]),
    ("straight_through(round(x), x)", "x=2.3", [1]),
    ("straight_through(round(x), x)", "x=2.5", [1]),
    ("straight_through(round(x*4)/4, x)**2", "x=0.3", [0.5]),
    ("straight_through(sign(x), clamp(x, -1, 1))", "x=[0.5, 2, 0, -3]", [1, 0, 1, 0]),
    ("straight_through(where(x > 0, 1, 0), sigmoid(x))", "x=0", [0.25]),
    ("sum((x - stop_gradient(max(x)))**2)", "x=[1, 2, 3]", [-4, -2, 0]),
    ("sum((x - stop_gradient(amax(x)))**2)", "x=[1, 3, 3]", [-4, 0, 0]),
    ("stop_gradient(abs(x))*x", "x=0", [0]),
    ("where(stop_gradient(x) > 0, x, -x)", "x=0", [-1]),
    ("relu(stop_gradient(x))*x", "x=0", [0]),
    ("x*stop_gradient(floor(x))", "x=2", [2]),
    ("stop_gradient(stop_gradient(x)*x)*x", "x=3", [9]),
    ("y = stop_gradient(exp(x)); y*x + y", "x=0", [1]),
    ("x*stop_gradient(bessel_j0(0*x))", "x=2", [1]),
    ("stop_gradient(x @ x)*x[0]", "x=[1, 2]", [5, 0]),
    ("(x*y) - stop_gradient(x*y) + 2*y", "x=3,y=5", [5, 5]),
]


@pytest.mark.parametrize(("text", "at", "slopes"), STATED)
def test_every_opinion_holds_what_is_stopped(text, at, slopes, analyst):
    """agree, with a note; reference, SymPy and differences say what is right by hand; where torch
    has no path none is missing.
    """
    result = check_case(case(text, at), analyst)
    assert [v.outcome for v in result.verdicts] == ["agree"] * len(slopes), result.verdicts
    assert any(MEANT in note for note in result.notes)
    for k, (slope, verdict) in enumerate(zip(slopes, result.verdicts, strict=True)):
        assert float(result.evidence.of("reference", k).ball.mid()) == slope
        difference = result.evidence.of("numeric", k)
        assert abs(difference.value - slope) <= difference.radius < 1e-9
        assert verdict.agrees["numeric"] is not False
        assert verdict.agrees["analytic"] is not False
        answer = result.evidence.of("autograd", k)
        assert answer == (Detached(()) if isinstance(answer, Detached) else Measured(slope))
        assert slope == 0 or isinstance(answer, Measured)
    assert record_of(result)["outcome"] == "agree"


@pytest.mark.parametrize(
    ("text", "at", "slopes"),
    [
        ("x**2*stop_gradient(x)", "x=3", [6]),
        ("straight_through(round(x), x**3)", "x=2", [12]),
        ("straight_through(round(x), x**3)*y", "x=1.5,y=2", [18, 6.75, 6.75, 0]),
        ("stop_gradient(x)**3", "x=2", [0]),
    ],
)
def test_second_derivatives_hold_what_is_stopped(text, at, slopes, analyst):
    """Those of the stated gradient, by hand."""
    result = check_case(points(text, at, order=2)[0], analyst)
    assert [v.outcome for v in result.verdicts] == ["agree"] * len(slopes), result.verdicts
    for k, slope in enumerate(slopes):
        assert float(result.evidence.of("reference", k).ball.mid()) == slope
        difference = result.evidence.of("numeric", k)
        assert abs(difference.value - slope) <= difference.radius < 1e-9


def test_a_jacobian_holds_what_is_stopped(analyst):
    """Row by row."""
    result = check_case(points("[x*stop_gradient(y), y**2]", "x=1,y=2", jacobian=True)[0], analyst)
    assert [v.outcome for v in result.verdicts] == ["agree"] * 4
    slopes = [float(result.evidence.of("reference", k).ball.mid()) for k in range(4)]
    assert slopes == [2, 0, 0, 4]
    assert [result.evidence.of("numeric", k).value for k in range(4)] == pytest.approx(slopes)


def test_kinks_beside_a_stop_are_proved_with_what_is_held():
    """The value that is held is the one at the point, not the limit beside it: floor is 1 at 1, so
    the slopes are 1 - 1 and 1 + 1.
    """
    (verdict,) = judged("x*stop_gradient(floor(x)) + abs(x - 1)", "x=1")
    assert (verdict.outcome, verdict.sides.left.value, verdict.sides.right.value) == ("kink", 0, 2)
    assert verdict.sides.proved
    (verdict,) = judged("relu(straight_through(round(x), x))", "x=0")
    assert (verdict.outcome, verdict.sides.left.value, verdict.sides.right.value) == ("kink", 0, 1)
    (verdict,) = judged("relu(stop_gradient(x) - x)", "x=2")
    assert (verdict.outcome, verdict.sides.left.value, verdict.sides.right.value) == ("kink", -1, 0)


def judged(text, at):
    """The verdicts from reference and autograd alone."""
    return judge(evidence_of(case(text, at)))


@pytest.mark.parametrize("row", ["sin", "exp", "tanh", "floor"])
def test_a_gradient_that_follows_what_is_stopped_is_caught(row, monkeypatch, analyst):
    """A torch function that leaks, as a missing detach() would."""
    leaky = replace(table()["stop_gradient"], torch=lambda t, x: x * 1)
    monkeypatch.setitem(table(), "stop_gradient", leaky)
    (result,) = [check_case(case(f"x*stop_gradient({row}(x))", "x=0.7"), analyst)]
    assert [v.outcome for v in result.verdicts] == ["agree" if row == "floor" else "wrong"]


def test_a_cut_that_is_not_meant_is_told_beside_one_that_is():
    """`detach` stays what it is; a function without a derivative inside a stop misses nothing."""
    (verdict,) = judged("detach(x)*stop_gradient(x)", "x=2")
    assert (verdict.outcome, verdict.failed, verdict.cause) == ("detached", True, "no path")
    assert "past `detach`" in verdict.reason
    (verdict,) = judged("bessel_j0(x)*stop_gradient(x) + x", "x=2")
    assert verdict.outcome == "wrong"
    assert "torch has no derivative for `bessel_j0`" in verdict.reason
    assert autograd(case("x*stop_gradient(detach(x))", "x=2")).cut == ()


def test_an_answer_where_nothing_is_stated_is_wrong():
    """A gradient of 1 past a stop."""
    point = case("stop_gradient(x)**2", "x=3")
    said = evidence_of(point)
    whole = said.testimonies["autograd"]
    lying = Backward(whole.forward, (Measured(1.0),), (), whole.execution)
    assert judge(changed(said, autograd=lying))[0].outcome == "wrong"


def test_a_value_that_is_none_has_no_gradient_though_it_is_stopped():
    """log(-1) is stopped, and the value is NaN all the same."""
    (verdict,) = judged("stop_gradient(log(x)) + x", "x=-1")
    assert verdict.outcome == "undefined"


class Opaque(ProgramSubject):
    """A subject of which it is not known what it stops."""

    def held(self):
        """Nothing."""


def test_differences_abstain_where_a_subject_cannot_be_held():
    """Rather than answer for the value."""
    point = alone(case("x*stop_gradient(x)", "x=3"))
    question = replace(point.question, subject=Opaque(point.specification))
    said = numeric(Point(replace(point.batch, question=question), 0))
    assert isinstance(said, Abstention)
    assert "cannot be held" in said.reason


def test_points_that_go_through_torch_together_are_held_each_at_its_own():
    """As each of them alone."""
    found = points("stop_gradient(exp(x))*x*y", "x=0:2:3,y=1:2:2")
    (group,) = {id(point.batch): point.batch for point in found}.values()
    assert len(group) == 6
    together = Numeric().answer(group)
    for k, point in enumerate(found):
        x, y = float(point.at["x"]), float(point.at["y"])
        truth = [exp(x) * y, exp(x) * x]
        values = [answer.value for answer in together.testimony(k).partials]
        assert values == pytest.approx(truth, rel=1e-6, abs=1e-9)


def test_the_table_says_which_arguments_are_stopped():
    """And `detach` is the identity."""
    assert stopped("stop_gradient") == {0}
    assert stopped("straight_through") == {0}
    assert not any(stopped(name) for name in ("detach", "floor", "sign", "heaviside", "softmax"))
    assert has_stops(parse("straight_through(x, y)").nodes)
    assert not has_stops(parse("detach(floor(x))").nodes)
