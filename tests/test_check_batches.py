"""From cases to results: in order, a chunk at a time, each failure where it belongs."""

from __future__ import annotations

import gc
import weakref
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from asking import case, check_case, check_together, groups, noise, numeric, points
from test_together import Silent, points_of

from gradcheck_cli.checks.check import check_batches, panel
from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.functions import table
from gradcheck_cli.language.errors import UserError
from gradcheck_cli.language.parse import parse
from gradcheck_cli.questions.batching import MOST_POINTS, batches
from gradcheck_cli.questions.numbers import read_points, read_value
from gradcheck_cli.questions.points import points_of as points_of_grid
from gradcheck_cli.questions.question import question_of
from gradcheck_cli.witnesses import formula_balls
from gradcheck_cli.witnesses.analytic import Analytic, Formula
from gradcheck_cli.witnesses.autograd import Autograd
from gradcheck_cli.witnesses.numeric import Numeric
from gradcheck_cli.witnesses.reference import Reference
from gradcheck_cli.worlds import scalars

MANY = 2 * MOST_POINTS + 10


def requested(text, at, **options):
    """All points of a request."""
    return points(text, [at], **options)


def lengths(asked):
    """How many points go together, all dtypes counted."""
    return [sum(map(len, group)) for group in asked]


def checked(asked, analyst):
    """The results of groups of batches."""
    return check_batches(asked, panel(analyst))


def test_no_cases_are_no_results():
    """Nothing is asked of an empty run."""
    assert list(checked([], Silent())) == []


def test_points_are_taken_a_batch_at_a_time():
    """From an iterator, so that a run of a million points needs no list of them; the first results
    come when the first batch is done.
    """
    taken = []
    at = read_points([f"x=1:9:{MANY},y=2"])
    question = question_of(parse("x*y"), at)

    def drawn():
        for point in points_of_grid(at):
            taken.append(point)
            yield point

    results = checked(batches(question, drawn(), [(DTYPES["float64"], "cpu")]), Silent())
    first = next(results)
    assert float(first.evidence.point.at["x"]) == 1
    assert len(taken) == MOST_POINTS + 1
    assert len(list(results)) == MANY - 1
    assert len(taken) == MANY


@pytest.mark.parametrize(
    ("text", "at", "options", "expected"),
    [
        ("x*y", f"x=1:9:{MANY},y=2", {}, [MOST_POINTS, MOST_POINTS, 10]), ("x*y", "x=1:9:6,y=2", {"dtypes": ["float64", "float32"]}, [12]),
        ("sum(x*y)", f"x={[0.5] * 20},y=1:9:{MANY}", {}, [88] * 5 + [82]), ("+".join(f"sin({k}*x)" for k in range(1, 201)), "x=1:9:60", {}, [25, 25, 10]),
        ("x*y", f"x=1:9:{MANY},y=2", {"most": 1}, [1] * MANY),
    ],
    ids=["a long run", "dtypes together", "arrays", "a long program", "one by one"],
)  # fmt: skip
def test_a_batch_is_what_the_program_decides(text, at, options, expected):
    """Never the number of workers, nor what came before."""
    assert lengths(groups(text, [at], **options)) == expected


def test_points_of_other_shapes_go_apart():
    """A batch is of one shape, and of one set of class indices."""
    question = question_of(parse("sum(x)"), ["x"])
    shapes = [read_value(text) for text in ("[1, 2]", "[3, 4]", "[1, 2, 3]", "[1]")]
    parts = batches(question, ({"x": value} for value in shapes), [(DTYPES["float64"], "cpu")])
    assert lengths(parts) == [2, 1, 1]


def test_a_program_that_is_too_large_goes_alone(monkeypatch):
    """Nothing about it is known but torch's answers, and they take long."""
    monkeypatch.setattr(scalars, "MAX_NODES", 50)
    assert lengths(groups("sum(sin(x))*y", [f"x={[0.5] * 60},y=1:9:3"])) == [1, 1, 1]


@pytest.mark.parametrize(("cotangent", "slope"), [("2", 2), ("3", 3), (None, 1)])
def test_a_batch_has_one_cotangent(cotangent, slope):
    """One backward has one."""
    asked = groups("x", ["x=1:2:2"], cotangent=cotangent)
    found = [r.evidence.of("autograd", 0).value for r in checked(asked, Silent())]
    assert found == [slope, slope]


def test_dtypes_and_points_together_come_in_order():
    """Each result is of its own point, in its own dtype."""
    asked = groups("0.1*x*x", ["x=0.1:2:7"], dtypes=["float64", "float16", "float32"])
    wanted = [point for group in asked for row in zip(*group, strict=True) for point in row]
    results = list(checked(asked, Silent()))
    assert [result.evidence.point for result in results] == wanted
    for found, result in zip(wanted, results, strict=True):
        answers = result.evidence.testimonies["autograd"].partials
        assert all(found.dtype.holds(Fraction(answer.value)) for answer in answers)
        assert result.outcome == "agree"


@pytest.mark.parametrize(
    ("text", "at", "wrt"),
    [
        ("x*sin(y)", "x=1:2:5,y=-1:1:7", ["x"]),
        ("sum(x*y*z)", "x=[1, 2],y=1:2:5,z=[3, 4]", ["x"]),
        ("x*y", "x=1:2:5,y=3", ["x"]),
    ],
)
def test_inputs_that_are_held_are_each_points_own(text, at, wrt):
    """What is not differentiated moves with the points all the same."""
    cases = requested(text, at, wrt=wrt)
    for found, result in zip(cases, check_together(cases, Silent()), strict=True):
        assert result.outcome == "agree"
        ours = result.evidence.testimonies["numeric"].partials
        assert len(ours) == found.at["x"].size
        for one, other in zip(ours, numeric(found, noise()), strict=True):
            assert one.value == pytest.approx(other.value, rel=1e-12)
            assert one.radius < 1e-9


def test_class_indices_are_the_same_at_all_points():
    """They are part of the program."""
    cases = requested("nll_loss(log_softmax(x*y, 0), t)", "x=[1, 2, 3],t=2,y=1:2:5")
    assert [result.outcome for result in check_together(cases, Silent())] == ["agree"] * 5
    polygamma = requested("polygamma(n, x)", "n=2,x=1:2:5")
    assert [result.outcome for result in check_together(polygamma, Silent())] == ["agree"] * 5


def test_a_step_of_ones_own_is_each_points():
    """((x + h)**3 - (x - h)**3) / 2h = 3 x**2 + h**2."""
    results = check_together(requested("x**3", "x=1:4:4"), Silent(), step=0.5)
    assert [result.evidence.of("numeric", 0).value for result in results] == [
        3 * x**2 + 0.25 for x in (1, 2, 3, 4)
    ]


@pytest.mark.parametrize(
    ("text", "dtype", "points"),
    [
        ("log(1 - minimum(sigmoid(x), 1 - 1e-8))", "float32", [(1.0,), (30.0,), (2.0,)]),
        ("relu((1 + x) - 1)", "bfloat16", [(1.0,), (2.0**-10,), (2.0**-4,)]),
        ("sqrt(x**4)", "float64", [(1.0,), (0.0,), (2.0,)]),
    ],
)
def test_why_an_answer_is_wrong_is_told_as_for_one_point(text, dtype, points):
    """The values of the nodes that explain are the point's own."""
    cases = points_of(text, points, dtype)
    together = [result.verdicts[0].reason for result in check_together(cases, Silent())]
    assert together == [check_case(found, Silent()).verdicts[0].reason for found in cases]
    assert len(set(together)) > 1


def test_the_values_of_a_point_are_numbers():
    """One a node of the specification."""
    results = list(check_together(points_of("sin(x) + 2", [(1.0,), (2.0,)]), Silent()))
    for x, result in zip((1.0, 2.0), results, strict=True):
        execution = result.evidence.testimonies["autograd"].execution
        values = [number(execution.node(i)) for i in range(4)]
        assert values == pytest.approx([x, np.sin(x), 2, np.sin(x) + 2])


def number(value):
    """A tensor's number, or a number."""
    return value.item() if hasattr(value, "item") else value


def test_a_point_that_cannot_be_read_costs_no_other():
    """The results before it are given first, then its error is raised."""
    question = question_of(parse("x"), ["x"])
    drawn = ({"x": read_value(text)} for text in ("1", "2", "1e400"))
    results = checked(batches(question, drawn, [(DTYPES["float64"], "cpu")]), Silent())
    assert [next(results).outcome, next(results).outcome] == ["agree", "agree"]
    with pytest.raises(UserError, match="beyond"):
        next(results)


@pytest.mark.parametrize("witness", [Reference, Analytic, Autograd, Numeric])
def test_an_opinion_that_fails_is_absent_where_it_fails(witness, monkeypatch):
    """Also where it shows while the whole batch is worked on; the verdict rests on the others, and
    without the reference or torch there is none.
    """
    own = witness.answer

    def failing(self, batch):
        if (batch.points["x"] == 2).any():
            raise ZeroDivisionError("a defect")
        return own(self, batch)

    monkeypatch.setattr(witness, "answer", failing)
    results = list(check_together(points_of("x**2", [(1,), (2,), (3,)]), Silent()))
    needed = witness in (Reference, Autograd)
    assert [r.outcome for r in results] == ["agree", "inconclusive" if needed else "agree", "agree"]
    absent = results[1].evidence.testimonies[witness.name]
    assert (
        absent.reason == "this opinion failed, a defect of this tool: ZeroDivisionError: a defect"
    )


def test_an_opinion_that_fails_when_it_is_read_is_absent(monkeypatch):
    """A testimony is made when it is asked for, and may fail then."""

    def failing(self, point):
        raise RecursionError("a defect")

    monkeypatch.setattr(Analytic, "_testimony", failing)
    (result,) = check_together(points_of("x**2", [(1,)]), Silent())
    assert result.outcome == "agree"
    assert "RecursionError" in result.evidence.of("analytic", 0).reason


class Counting(Silent):
    """Answers with one formula and counts."""

    def __init__(self, formula):
        self.formula, self.asked = formula, 0

    def ask(self, question):
        """Counted."""
        self.asked += 1

    def answer(self, question):
        """The formula."""
        return {"partials": [{"formula": self.formula, "latex": self.formula}]}


def test_a_formula_is_read_once_and_evaluated_at_each_point(monkeypatch):
    """SymPy is asked once a chunk; its formula's ball is each point's own, with SymPy's value of
    the step at 0.
    """

    read, analyst = [], Counting("2*x + heaviside(x - 1)")
    monkeypatch.setattr(formula_balls, "parse", lambda text: read.append(text) or parse(text))
    cases = requested("x**2 + relu(x - 1)", "x=0:2:5")
    formulas = [result.evidence.of("analytic", 0) for result in check_together(cases, analyst)]
    assert read == ["2*x + heaviside(x - 1)"]
    assert analyst.asked == 1
    assert [float(formula.ball.mid()) for formula in formulas] == [0, 1, 2.5, 4, 5]
    analyst.formula = "3*x"
    assert float(next(check_together([cases[2]], analyst)).evidence.of("analytic", 0).ball) == 3, (
        "another answer is another formula"
    )


def test_a_formula_without_a_value_at_one_point_has_one_at_the_others():
    """In words at that point alone."""
    cases = requested("x*log(x) - x", "x=0:2:3")
    first, *others = [
        result.evidence.of("analytic", 0) for result in check_together(cases, Counting("log(x)"))
    ]
    assert first == Formula(
        "log(x)", "log(x)", None, "the formula has no certain value at this point"
    )
    assert all(formula.ball is not None for formula in others)


def test_formulas_of_one_case_stand_alone():
    """One that cannot be read says so, beside one that can."""

    class Two(Silent):
        def answer(self, question):
            return {"partials": [{"formula": text, "latex": ""} for text in ("zoo*x", "x")]}

    (result,) = check_together([case("x*y", "x=2,y=3")], Two())
    bad, good = result.evidence.testimonies["analytic"].partials
    assert bad == Formula(
        "zoo*x", "", None, "SymPy's formula has `zoo` in it, which is no real number"
    )
    assert float(good.ball) == 2


def test_results_do_not_wait_for_the_rest(monkeypatch):
    """A chunk of one program is judged case by case: torch's second call comes after the first
    chunk's results.
    """
    row, calls = table()["sin"], []
    monkeypatch.setitem(
        table(), "sin", replace(row, torch=lambda t, x: calls.append(x.shape) or t.sin(x))
    )
    results = checked(groups("sin(x)", [f"x=1:2:{MOST_POINTS + 2}"]), Silent())
    for _ in range(MOST_POINTS):
        next(results)
    assert len(calls) == 2
    next(results)
    assert len(calls) == 4


@pytest.mark.parametrize("text", ["sin(x)*y", "sum(exp(x*[1, 2]) + y)"])
def test_what_a_check_made_is_freed_as_soon_as_it_is_done(text):
    """Nothing of it holds itself: a suite's checks leave nothing to the garbage collector, which
    took a tenth of their time.
    """
    asked = groups(text, "x=1.5,y=2")
    made = [weakref.ref(thing) for thing in (asked[0][0], asked[0][0].prepared)]
    gc.disable()
    try:
        assert len(list(checked(asked, Silent()))) == 1
        del asked
        assert [thing() for thing in made] == [None, None]
    finally:
        gc.enable()
