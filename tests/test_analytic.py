"""The analytic opinion: SymPy's derivative, in a process that can be killed, read back and
evaluated in balls.
"""

from __future__ import annotations

import json
import re
import sys

import pytest
from asking import analytic, autograd, case, check_case, evidence, reference
from each import each
from programs import smooth

from gradcheck_cli.calculus.formulas import is_elementwise
from gradcheck_cli.functions import table
from gradcheck_cli.judge.bench import judge
from gradcheck_cli.judge.evidence import agreement
from gradcheck_cli.language.parse import parse
from gradcheck_cli.language.program import in_reading_order
from gradcheck_cli.language.text import program_text
from gradcheck_cli.symbolic import server as analyst_module
from gradcheck_cli.witnesses import Abstention
from gradcheck_cli.witnesses.analytic import MAX_OPERATIONS, MAX_PARTIALS, Formula, question_text

SMOOTH = smooth(120, "the analytic opinion")


class Scripted:
    """An Analyst that answers what it is told to."""

    def __init__(self, *formulas):
        self.formulas = formulas

    def ask(self, question):
        """Nothing is begun."""

    def answer(self, question):
        """The formulas, as SymPy's process would send them."""
        return {"partials": [{"formula": text, "latex": text} for text in self.formulas]}


@each("asked", SMOOTH, ids=str)
def test_sympys_derivative_is_the_reference(asked, analyst):
    """Its ball overlaps the certified one on random smooth programs; its text reads back to the
    same text's program.
    """
    found = case(asked.text, asked.at)
    for answer, formula in zip(reference(found).partials, analytic(found, analyst), strict=True):
        assert isinstance(formula, Formula)
        assert formula.ball is not None, formula.reason
        assert agreement(answer.ball, formula)
        assert set(parse(formula.text).variables) <= set(found.at)


@pytest.mark.parametrize("asked", SMOOTH[:10], ids=str)
def test_a_derivative_off_by_one_part_in_a_million_is_refuted(asked):
    """The comparison above can fail, and the verdict then blames SymPy and not torch."""
    found = case(asked.text, asked.at)
    proved, measured = reference(found), autograd(found)
    lies = [f"{answer.ball.mid().str(30, radius=False)}*(1 + 1e-6)" for answer in proved.partials]
    formulas = analytic(found, Scripted(*lies))
    nobody = Abstention("not asked")
    for answer, formula, verdict in zip(
        proved.partials,
        formulas,
        judge(
            evidence(found, reference=proved, analytic=formulas, autograd=measured, numeric=nobody)
        ),
        strict=True,
    ):
        if not answer.ball.contains(0):
            assert agreement(answer.ball, formula) is False
            assert "SymPy is wrong: its derivative has the value" in verdict.reason
            assert verdict.outcome != "wrong"


@pytest.mark.parametrize(
    ("text", "formula"),
    [
        ("x**2", "2*x"),
        ("sin(x)", "cos(x)"),
        ("exp(2*x)", "2*exp(2*x)"),
        ("x*y", "y"),
        ("relu(x)", "[x > 0]"),
        ("log(x)", "1/x"),
        ("3*x", "3"),
        ("y + 0*x", "0"),
    ],
)
def test_a_short_formula_is_short(text, formula, analyst):
    """What a person would write."""
    found = case(text, ",".join(f"{name}=2" for name in parse(text).variables), wrt=["x"])
    assert analytic(found, analyst)[0].text == formula


@pytest.mark.parametrize(
    ("text", "formula"),
    [
        ("clamp(x, min=0)", "[x >= 0]"), ("clamp(x, max=3)", "[x <= 3]"), ("clip(x, -inf, inf)", "1"), ("clamp(x, min=y)", "[x >= y]"),
        ("max(x, -inf)", "1"), ("max(-inf, x, y)", "[x > y]"), ("min(y, inf, x, 3)", "[minimum(y, x) < 3]*[x < y]"), ("hardtanh(x, max_val=inf)", "[x > -1]"),
        ("clamp(x, min=0)**2", "2*clamp(x, 0)*[x >= 0]"), ("clamp(x, max=3)**2", "2*clamp(x, max=3)*[x <= 3]"),
    ],
)  # fmt: skip
def test_a_bound_that_is_missing_is_no_bound(text, formula, analyst):
    """In no formula stands a step at infinity, nor a default that nobody wrote."""
    found = case(text, ",".join(f"{name}=2" for name in parse(text).variables), wrt=["x"])
    assert analytic(found, analyst)[0].text == formula


def test_decimals_are_shown_as_they_were_written(analyst):
    """0.1 stays 0.1 and is the dtype's number when it is evaluated."""
    for dtype in ("float64", "float32"):
        found = case("0.1*x**2", "x=3", dtype)
        (formula,) = analytic(found, analyst)
        assert formula.text == "2*0.1*x"
        assert agreement(reference(found).partials[0].ball, formula)


@each(
    "row",
    [row for row in table().values() if is_elementwise(row.name) and row.parsed.args],
    ids=lambda row: row.name,
)
def test_every_elementwise_function_has_a_formula_and_latex_of_it(row, analyst):
    """SymPy abstains from none; what it sets in LaTeX has no name taken apart at its underscore,
    such as logi_{not} or bessel_{j0}.
    """
    forms = {"condition": "({} > 0)", "index": "1", "": "{}"}
    args = [
        forms[parameter.kind].format(name)
        for parameter, name in zip(row.parsed.args, "xyz", strict=False)
    ]
    text = f"{row.name}({', '.join([*args, *(f'{parameter.name}=0.3' for parameter in row.parsed.settings if parameter.required)])})"
    text = (
        f"where({text}, x, 2*x)"
        if row.condition
        else f"x*{text}"
        if "x" not in parse(text).variables
        else text
    )
    found = case(text, ",".join(f"{name}=0.5" for name in parse(text).variables))
    formulas = analytic(found, analyst)
    assert not isinstance(formulas, Abstention), formulas
    for formula in formulas:
        assert parse(formula.text)
        assert not taken_apart(formula.latex), formula.latex


def taken_apart(latex):
    """Names in LaTeX that SymPy made of an unknown name: calligraphic letters, subscripts of
    several letters, comparisons as calls.
    """
    return re.findall(
        r"\\mathcal\{\w+\}|_\{[\w ]*[a-z][\w ]+\}|\\operatorname\{(?:lt|le|gt|ge|eq|ne|logical\w*)\}",
        latex,
    )


@pytest.mark.parametrize(
    ("latex", "names"),
    [
        (r"\mathcal{logi}_{not}{\left(x \right)}", [r"\mathcal{logi}", "_{not}"]),
        (r"\operatorname{bessel}_{j0}{\left(x \right)}", ["_{j0}"]),
        (r"\frac{x_{1}}{2} + \operatorname{erf}{\left(x \right)}", []),
    ],
)
def test_a_name_that_was_taken_apart_is_found(latex, names):
    """The law above can fail."""
    assert taken_apart(latex) == names


@pytest.mark.parametrize(
    ("text", "formulas"),
    [
        ("2**x", ["2**x*log(2)"]),
        ("x**y", ["y*x**(y - 1)", "x**y*log(x)"]),
        ("x**x", ["x**x + x**x*log(x)"]),
    ],
)
def test_a_power_with_a_changing_exponent_is_differentiated(text, formulas, analyst):
    """SymPy's own rule for powers brings in its own logarithm."""
    found = case(text, ",".join(f"{name}=2.5" for name in parse(text).variables))
    answers = analytic(found, analyst)
    assert not isinstance(answers, Abstention), answers
    assert [answer.text for answer in answers] == formulas
    assert all(
        agreement(truth.ball, answer)
        for truth, answer in zip(reference(found).partials, answers, strict=True)
    )


def test_a_program_of_arrays_is_differentiated_element_by_element(analyst):
    """Each element has a formula over the elements."""
    found = case("sum((x @ y)**2)", "x=[1, 2],y=[3, 4]", wrt=["x"])
    first, second = analytic(found, analyst)
    assert (first.text, second.text) == ("2*y[0]*(x @ y)", "2*y[1]*(x @ y)")
    assert first.gradient == second.gradient
    assert first.gradient["formula"] == "2*y*(x @ y)"
    assert all(
        agreement(answer.ball, formula)
        for answer, formula in zip(reference(found).partials, (first, second), strict=True)
    )


def test_the_cotangent_weighs_the_elements(analyst):
    """<cotangent, x**2>."""
    found = case("x**2", "x=[1, 2]", cotangent="[2, -1]")
    assert [formula.text for formula in analytic(found, analyst)] == ["4*x[0]", "-2*x[1]"]


def test_sympys_own_defect_is_told_as_sympys(analyst):
    """Three branches that touch with slope 1: SymPy adds three Heaviside steps of 1/2."""
    (verdict,) = check_case(case("max(x, exp(x)-1, (x+1)**2/2-1/2)", "x=0"), analyst).verdicts
    assert verdict.outcome == "agree"
    assert verdict.reason.endswith(
        "SymPy is wrong: its derivative has the value 1.5, the true one is 1"
    )


def test_a_formula_that_is_no_text_of_ours_abstains_in_words():
    """A lying or newer SymPy may answer what cannot be read: that is no verdict on torch."""
    (formula,) = analytic(case("x**2", "x=3"), Scripted("Integral(x, y"))
    assert formula.ball is None
    assert (
        formula.reason
        == "the formula could not be evaluated: this is not an expression: '(' was never closed"
    )
    (formula,) = analytic(case("x**2", "x=3"), Scripted("frobnicate(x)"))
    assert formula.reason == "the formula could not be evaluated: no function named `frobnicate`"
    (formula,) = analytic(case("x**2", "x=3"), Scripted("x*c"))
    assert formula.reason == "the formula could not be evaluated: there is no input `c`"


@pytest.mark.parametrize(
    ("text", "at", "name"),
    [("0**x", "x=1", "nan"), ("x*(y - y)**x", "x=1,y=2", "nan"), ("x/0", "x=2", "zoo"), ("(-2)**x", "x=2", "I")],
)  # fmt: skip
def test_what_is_no_real_number_in_sympys_formula_is_named(text, at, name, analyst):
    """Not by the error that reading the formula ends in: nobody wrote that name."""
    formula = analytic(case(text, at, wrt=("x",)), analyst)[0]
    assert formula.reason == f"SymPy's formula has `{name}` in it, which is no real number"


@pytest.mark.parametrize(
    ("text", "at", "value"),
    [("x*sqrt(x)", "x=0", 0), ("x**3/x", "x=0", 0), ("(x*x)/x", "x=0", 1), ("x**y**2", "x=0,y=2", 0)],
)  # fmt: skip
def test_what_cancels_has_the_value_of_what_is_left(text, at, value, analyst):
    """SymPy evaluates where its derivative, as it is put together, has no value; or that has one."""
    assert analytic(case(text, at, wrt=("x",)), analyst)[0].ball == value


def test_an_input_called_zoo_is_an_input():
    """Only what the program lacks is SymPy's."""
    (formula,) = analytic(case("zoo**2", "zoo=3"), Scripted("2*zoo"))
    assert formula.ball is not None
    (formula,) = analytic(case("zoo**2", "zoo=3"), Scripted("zoo*nan"))
    assert formula.reason == "SymPy's formula has `nan` in it, which is no real number"


def test_a_formula_without_a_value_there_says_so():
    """1/(x - 3) at 3."""
    (formula,) = analytic(case("x**2", "x=3"), Scripted("1/(x - 3)"))
    assert formula.ball is None
    assert formula.reason == "the formula has no certain value at this point"


@pytest.mark.parametrize(
    ("text", "at", "told"),
    [
        (
            "sum(x**2)",
            f"x={[1] * (MAX_PARTIALS + 1)}",
            f"SymPy is not asked for {MAX_PARTIALS + 1} partials; {MAX_PARTIALS} is the most",
        ),
        (
            "sum(x @ x)*y",
            f"x={[[1] * 20] * 20},y=1",
            f"scalar operations, {MAX_OPERATIONS:,} is the most",
        ),
    ],
)
def test_a_question_that_is_too_large_is_not_asked(text, at, told):
    """Nothing is sent."""
    found = case(text, at, wrt=["y"] if "y" in text else ())
    assert told in analytic(found, None).reason


def test_a_formula_that_is_too_long_is_not_shown(monkeypatch):
    """In words, and at once: the text of a logistic map of 60 steps has some 10**18 characters."""
    monkeypatch.setattr(sys, "setrecursionlimit", lambda limit: None)
    question = json.loads(
        question_text(case("y = x\n" + "y = 3.7*y*(1 - y)\n" * 60 + "y", "x=0.5").prepared)
    )
    assert analyst_module.derive(question) == {
        "abstained": "the formula has more than 50,000 characters"
    }
    monkeypatch.setattr(analyst_module, "MAX_FORMULA", 6)
    short, long = (
        json.loads(question_text(case(text, "x=0.5").prepared)) for text in ("sin(x)", "x*sin(x)")
    )
    assert analyst_module.derive(short)["partials"][0]["formula"] == "cos(x)"
    assert analyst_module.derive(long) == {"abstained": "the formula has more than 6 characters"}


@pytest.mark.parametrize("step", ["y = x*(y + 1)", "y = 1/(x + y)"])
def test_what_is_nested_too_deeply_is_told(step, analyst):
    """Its formula is too long for anybody; the process lives on."""
    pid = analyst._server.child.pid if analyst._server else None
    deep = case("y = x\n" + f"{step}\n" * 2_000 + "y", "x=0.5")
    assert analytic(deep, analyst) == Abstention("the formula has more than 50,000 characters")
    assert pid in (None, analyst._server.child.pid)


def test_what_sympy_cannot_descend_is_told(monkeypatch):
    """Where SymPy evaluates, as it does beside an infinity, it recurses; the limit is reached in
    words.
    """
    monkeypatch.setattr(sys, "setrecursionlimit", lambda limit: None)
    deep = case("y = x\n" + "y = x*(y + 1)\n" * 2_000 + "min(y, inf)", "x=0.5").prepared
    question = question_text(deep, formulas=False)
    *_, answer = analyst_module.answers(iter([question.encode()]))
    told = {"abstained": "the expression is nested too deeply for SymPy"}
    assert json.loads(answer) == told


def test_questions_of_a_grid_each_get_their_own_answer(analyst):
    """Answers are kept apart by the question; the points of a grid share one."""
    for text, told in (("x**5", "5*x**4"), ("x**6", "6*x**5"), ("x**5", "5*x**4")):
        assert analytic(case(text, "x=2"), analyst)[0].text == told


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("where(x > 0 and y != 2, sin(x)*0.1, -y**2)", "x=1,y=2"),
        ("y = softplus(x, beta=0.3); z = y*y; gelu(z, approximate='tanh') + max(z, y, 1)", "x=1"),
        ("2.5", "x=1"),
        ("x*pi - 0*y", "x=1,y=2"),
        ("clamp(x, min=0)*2**-50", "x=1"),
    ],
)
def test_a_program_of_numbers_is_sent_as_its_nodes(text, at):
    """They are what its text comes to element by element."""
    found = case(f"{text} + x", at)
    sent = json.loads(question_text(found.prepared))
    written = sent | {"program": program_text(found.specification)}
    del written["scalars"]
    read, received = (analyst_module._asked(asked) for asked in (written, sent))
    assert in_reading_order(received.scalars).nodes == in_reading_order(read.scalars).nodes
    assert received.program.nodes == read.program.nodes
    assert received.wanted == read.wanted


@pytest.mark.parametrize(
    ("text", "at"),
    [("sum(x)*y", "x=[1, 2],y=2"), ("[x, y][1]", "x=1,y=2"), ("polygamma(n, x)", "n=1,x=2")],
)
def test_a_program_of_arrays_or_indices_is_sent_as_its_text(text, at, analyst):
    """Its elements are found where SymPy is."""
    question = question_text(case(text, at).prepared, formulas=False)
    assert "scalars" not in json.loads(question)
    assert "program" in analyst.answer(question)


def test_what_is_sent_is_data():
    """The question holds the program as the language writes it, shapes and integers; nothing that
    SymPy would execute.
    """
    sent = json.loads(question_text(case("x**2 + y", "x=3,y=[1, 2]").prepared))
    assert sent == {
        "program": "x**2 + y",
        "shapes": {"x": [], "y": [2]},
        "integers": {},
        "wrt": ["x", "y"],
        "cotangent": None,
    }
