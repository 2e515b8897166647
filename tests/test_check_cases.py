"""From cases to results: in order, a chunk at a time, each failure where it belongs."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from programs import case
from test_together import Silent, points_of

from gradcheck_cli.checks import check
from gradcheck_cli.checks.check import CHUNK, check_case, check_cases
from gradcheck_cli.functions import table
from gradcheck_cli.language.errors import UserError, mistake
from gradcheck_cli.language.parse import parse
from gradcheck_cli.questions.numbers import read_points
from gradcheck_cli.questions.question import Request, cases_of
from gradcheck_cli.witnesses.analytic import Formula
from gradcheck_cli.witnesses.numeric import numeric
from gradcheck_cli.worlds import scalars

MANY = 2 * CHUNK + 10


def requested(text, at, **options):
    """All cases of a request."""
    return cases_of(Request(parse(text), read_points([at]), **options))


def lengths(cases):
    """Lengths of the chunks that cases are cut into."""
    return [len(chunk) for chunk in check._chunks(cases)]


def test_no_cases_are_no_results():
    """Nothing is asked of an empty run."""
    assert list(check_cases([], Silent())) == []


def test_cases_are_taken_a_chunk_at_a_time():
    """From an iterator, so that a run of a million points needs no list of them; the first results
    come when the first chunk is done.
    """
    taken = []

    def drawn():
        for found in requested("x*y", f"x=1:9:{MANY},y=2"):
            taken.append(found)
            yield found

    results = check_cases(drawn(), Silent())
    assert next(results).evidence.case is taken[0]
    assert len(taken) == CHUNK + 1
    assert [result.evidence.case for result in results] == taken[1:]
    assert len(taken) == MANY


@pytest.mark.parametrize(
    ("cases", "expected"),
    [
        (lambda: requested("x*y", f"x=1:9:{MANY},y=2"), [CHUNK, CHUNK, 10]),
        (lambda: requested("x*y", "x=1:9:6,y=2", dtypes=["float64", "float32"]), [12]),
        (lambda: [*requested("x", "x=1:2:3"), *requested("x", "x=1:2:3")], [3, 3]),
        (
            lambda: [*points_of("x*y", [(1, 2)] * 3), *points_of("x*y", [(1, 2)] * 2, wrt=["x"])],
            [3, 2],
        ),
        (lambda: [*points_of("x*y", [(1, 2)] * 3, cotangent="2")], [3]),
        (lambda: requested("sum(x*y)", f"x={[0.5] * 20},y=1:9:{MANY}"), [88] * 5 + [82]),
        (
            lambda: requested("+".join(f"sin({k}*x)" for k in range(1, 201)), "x=1:9:60"),
            [25, 25, 10],
        ),
    ],
    ids=[
        "a long run",
        "dtypes together",
        "programs apart",
        "wrt apart",
        "one cotangent",
        "arrays",
        "a long program",
    ],
)
def test_a_chunk_is_what_the_program_decides(cases, expected):
    """Never the number of workers, nor what came before."""
    assert lengths(cases()) == expected


def test_a_program_that_is_too_large_goes_alone(monkeypatch):
    """Nothing about it is known but torch's answers, and they take long."""
    monkeypatch.setattr(scalars, "MAX_NODES", 50)
    assert lengths(requested("sum(sin(x))*y", f"x={[0.5] * 60},y=1:9:3")) == [1, 1, 1]


def test_cotangents_that_differ_are_kept_apart():
    """One backward has one cotangent."""
    one, two = points_of("x", [(1,)], cotangent="2"), points_of("x", [(1,)], cotangent="3")
    shared = [
        one[0],
        replace(two[0], unrolled=one[0].unrolled, program=one[0].program),
        replace(one[0], cotangent=None),
    ]
    assert lengths(shared) == [1, 1, 1]
    assert [
        result.evidence.autograd.partials[0].value for result in check_cases(shared, Silent())
    ] == [2, 3, 1]


def test_dtypes_and_points_together_come_in_order():
    """Each result is of its own case, in its own dtype."""
    cases = requested("0.1*x*x", "x=0.1:2:7", dtypes=["float64", "float16", "float32"])
    results = list(check_cases(cases, Silent()))
    assert [result.evidence.case for result in results] == cases
    for found, result in zip(cases, results, strict=True):
        assert all(
            found.dtype.holds(Fraction(answer.value))
            for answer in result.evidence.autograd.partials
        )
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
    for found, result in zip(cases, check_cases(cases, Silent()), strict=True):
        assert result.outcome == "agree"
        assert len(result.evidence.numeric) == found.at["x"].size
        for one, other in zip(
            result.evidence.numeric, numeric(found, check._noise(found)), strict=True
        ):
            assert one.value == pytest.approx(other.value, rel=1e-12)
            assert one.radius < 1e-9


def test_class_indices_are_the_same_at_all_points():
    """They are part of the program."""
    cases = requested("nll_loss(log_softmax(x*y, 0), t)", "x=[1, 2, 3],t=2,y=1:2:5")
    assert [result.outcome for result in check_cases(cases, Silent())] == ["agree"] * 5
    polygamma = requested("polygamma(n, x)", "n=2,x=1:2:5")
    assert [result.outcome for result in check_cases(polygamma, Silent())] == ["agree"] * 5


def test_a_step_of_ones_own_is_each_points():
    """((x + h)**3 - (x - h)**3) / 2h = 3 x**2 + h**2."""
    results = check_cases(requested("x**3", "x=1:4:4"), Silent(), step=0.5)
    assert [result.evidence.numeric[0].value for result in results] == [
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
    together = [result.verdicts[0].reason for result in check_cases(cases, Silent())]
    assert together == [check_case(replace(found), Silent()).verdicts[0].reason for found in cases]
    assert len(set(together)) > 1


def test_the_values_of_a_point_are_numbers():
    """One a node, as many as the program has, also from the end and in slices."""
    results = list(check_cases(points_of("sin(x) + 2", [(1.0,), (2.0,)]), Silent()))
    for x, result in zip((1.0, 2.0), results, strict=True):
        values = result.evidence.autograd.values
        assert [shown(value) for value in values] == pytest.approx([x, np.sin(x), 2, np.sin(x) + 2])
        assert shown(values[-1]) == shown(values[3])
        assert [shown(value) for value in values[:2]] == [shown(values[0]), shown(values[1])]


def shown(value):
    """A tensor's number, or a number."""
    return value.item() if hasattr(value, "item") else value


def test_a_point_that_cannot_be_read_costs_no_other():
    """The results before it are given first, then its error is raised."""

    def drawn():
        yield from points_of("x", [(1,), (2,)])
        raise mistake("out-of-range", "beyond")

    results = check_cases(drawn(), Silent())
    assert [next(results).outcome, next(results).outcome] == ["agree", "agree"]
    with pytest.raises(UserError, match="beyond"):
        next(results)


def test_a_defect_is_raised_at_the_case_it_belongs_to(monkeypatch):
    """Also where it shows while the whole chunk is worked on."""
    cases = points_of("x**2", [(1,), (2,), (3,)])
    own = check._noise

    def failing(found):
        if float(found.at["x"]) == 2:
            raise ZeroDivisionError("a defect")
        return own(found)

    monkeypatch.setattr(check, "_noise", failing)
    results = check_cases(cases, Silent())
    assert next(results).outcome == "agree"
    with pytest.raises(ZeroDivisionError, match="a defect"):
        next(results)


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
    from gradcheck_cli.witnesses import analytic

    read, analyst = [], Counting("2*x + heaviside(x - 1)")
    monkeypatch.setattr(analytic, "parse", lambda text: read.append(text) or parse(text))
    cases = requested("x**2 + relu(x - 1)", "x=0:2:5")
    formulas = [result.evidence.analytic[0] for result in check_cases(cases, analyst)]
    assert read == ["2*x + heaviside(x - 1)"]
    assert analyst.asked == 1
    assert [float(formula.ball.mid()) for formula in formulas] == [0, 1, 2.5, 4, 5]
    analyst.formula = "3*x"
    assert float(next(check_cases([cases[2]], analyst)).evidence.analytic[0].ball) == 3, (
        "another answer is another formula"
    )


def test_a_formula_without_a_value_at_one_point_has_one_at_the_others():
    """In words at that point alone."""
    cases = requested("x*log(x) - x", "x=0:2:3")
    first, *others = [
        result.evidence.analytic[0] for result in check_cases(cases, Counting("log(x)"))
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

    (result,) = check_cases([case("x*y", "x=2,y=3")], Two())
    bad, good = result.evidence.analytic
    assert bad == Formula("zoo*x", "", None, "the formula could not be evaluated: 'zoo'")
    assert float(good.ball) == 2


def test_results_do_not_wait_for_the_rest(monkeypatch):
    """A chunk of one program is judged case by case: torch's second call comes after the first
    chunk's results.
    """
    row, calls = table()["sin"], []
    monkeypatch.setitem(
        table(), "sin", replace(row, torch=lambda t, x: calls.append(x.shape) or t.sin(x))
    )
    results = check_cases(requested("sin(x)", f"x=1:2:{CHUNK + 2}"), Silent())
    for _ in range(CHUNK):
        next(results)
    assert len(calls) == 2
    next(results)
    assert len(calls) == 4
