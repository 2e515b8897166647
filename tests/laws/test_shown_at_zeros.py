"""Law: a formula that is shown has a value at the point that it is shown for, wherever one was
proved: at zeros too, where what people write short divides by one.
"""

from __future__ import annotations

import json
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest
from asking import case, reference
from each import each

import gradcheck_cli
from gradcheck_cli.calculus.totality import Bearing
from gradcheck_cli.language.parse import parse
from gradcheck_cli.symbolic import server
from gradcheck_cli.witnesses import Abstention
from gradcheck_cli.witnesses.analytic import Analytic, question_text
from gradcheck_cli.witnesses.formula_balls import Formulas
from gradcheck_cli.witnesses.reference import Proof
from gradcheck_cli.witnesses.truth import Certified

from .points import elementwise_rows, named, samples
from .test_shown_formulas import differences

if TYPE_CHECKING:
    from gradcheck_cli.questions.batch import Point

SPECIAL = ("0", "1", "-1")
ZEROS = [
    ("prod(x)", "x=[0, 2, 3]"),
    ("prod(x)", "x=[0, 0, 3]"),
    ("sum(prod(x, dim=0)*y)", "x=[[0, 2], [3, 4]],y=[1, 2]"),
    ("cumprod(x)", "x=[2, 0, 3]"),
    ("cumprod(x, dim=0)", "x=[2, 0, 3]"),
    ("det(A)", "A=[[1, 2], [2, 4]]"),
    ("x**y", "x=0,y=2"),
    ("sum(x**y)", "x=[0, 1],y=[2, 0]"),
    ("sum(sinc(x)*y)", "x=[0, 1],y=[2, 0]"),
    ("sum(x)/y*x[0]", "x=[0, 1],y=2"),
    ("norm(x)**2", "x=[0, 1]"),
    ("sum(softmax(x))*prod(x)", "x=[0, 0]"),
]
# Of two numbers that are one all around neither is the larger.
TIES = [
    ("maximum(relu(x), x)", "x=2", [1]),
    ("minimum(x, abs(x))*y", "x=2,y=3", [3, 2]),
    ("maximum(maximum(3/10, x), x)", "x=2", [1]),
    ("sum(maximum(relu(x), x)*y)", "x=[1, -2],y=[1, 2]", [1, 0, 1, 0]),
]


class InProcess:
    """SymPy at work in this process."""

    def answer(self, question: str) -> dict[str, Any]:
        """What it says."""
        return server._reply(json.loads(question))


def told_there(found: Point) -> list[dict[str, Any]]:
    """What is shown of each element at the point."""
    testimony = Analytic(InProcess()).answer(found.batch).testimony(found.k)
    if isinstance(testimony, Abstention):
        return []
    entries = [answer.entry() for answer in testimony.partials]
    return [{**entry, "gradient": entry.get("gradient")} for entry in entries]


@each("row", elementwise_rows(), ids=named)
def test_the_formula_of_a_row_has_a_value_at_special_points_too(row):
    """Wherever one was proved: at zeros, and where something is 1."""
    text = samples(row)[0].text
    names = parse(text).variables
    for values in list(product(SPECIAL, repeat=len(names)))[:9]:
        at = ",".join(f"{n}={value}" for n, value in zip(names, values, strict=True))
        found = case(text, at)
        if isinstance(reference(found), Proof):
            assert not list(differences(found, told_there)), at


def told_at_tie(found: Point) -> list[str]:
    """What is shown of each element where there is a derivative."""
    testimony = Analytic(InProcess()).answer(found.batch).testimony(found.k)
    return [answer.entry(is_right=True)["formula"] for answer in testimony.partials]


def values_of(found: Point, formulas: list[str]) -> list[Any]:
    """Exact ones; a step is 1/2 at its jump."""
    return [ball for ball, _ in Formulas(found.prepared, tuple(formulas), None).balls(found)]


@pytest.mark.parametrize(("text", "at", "right"), TIES)
def test_a_formula_has_the_derivative_at_a_tie_of_what_is_one(text, at, right):
    """And what people write for the larger of two has not."""
    found = case(text, at)
    written = [entry["formula"] for entry in told_there(found)]
    assert values_of(found, told_at_tie(found)) == right
    assert values_of(found, written) != right


@pytest.mark.parametrize("at", [{"x": 2.0, "y": 2.0}, {"x": 0.0, "y": 0.0}], ids=str)
def test_a_kink_is_shown_as_it_is_written(at):
    """There is no derivative, so that no formula has it."""
    (record,) = gradcheck_cli.check("maximum(x, y)", at=at).records
    assert [p["analytic"]["formula"] for p in record["partials"]] == ["[x > y]", "[y > x]"]


def test_the_formula_of_an_array_is_not_told_where_an_element_has_another():
    """All elements have their own then."""
    (record,) = gradcheck_cli.check("sum(maximum(relu(x), x))", at={"x": [1.0, -2.0]}).records
    said = [partial["analytic"] for partial in record["partials"]]
    assert all("gradient" not in entry for entry in said)
    assert "heaviside" in said[0]["formula"]
    assert "heaviside" not in said[1]["formula"]


@pytest.mark.parametrize(("text", "at"), ZEROS)
def test_a_formula_of_arrays_has_a_value_at_zeros_too(text, at):
    """What is written short where it has a value there, else what has one."""
    assert not list(differences(case(text, at), told_there))


# Points where a part of the value is 0, or an edge of a domain.
EDGES = [
    ("sqrt(x**2 + y**2)", "x=0,y=0"),
    ("sqrt(x**2)*y", "x=0,y=2"),
    ("y*where(x > 0, log(x), 0)", "x=-1,y=2"),
    ("x**1.5*y", "x=0,y=2"),
    ("sum(sqrt(x))", "x=[0, 1]"),
    ("stack([log(x), y])[1]*x", "x=0,y=2"),
    ("exp(x)/(1 + exp(x))", "x=0"),
    ("(x + y)**3/(x + y)", "x=1,y=-1"),
    ("x*atan(1/y)", "x=0,y=2"),
    ("sqrt(1 + sin(x)**2)*log(2 + cos(x))", "x=0"),
    ("sqrt(x**2 - x**4)", "x=0"),
    ("max(sqrt(x), y)", "x=0,y=2"),
    ("acos(x)", "x=1"),
    ("x/abs(y)", "x=0,y=-2"),
]


def claimed(found: Point) -> bool:
    """Whether it is said that the formulas have a value wherever the program has one."""
    reply = server._reply(json.loads(question_text(found.prepared)))
    return bool(reply.get("total"))


def lacks(found: Point) -> bool:
    """Whether a formula has no value at a point where the program has one."""
    proof = reference(found)
    has_value = all(isinstance(value, Certified) for value in getattr(proof, "forward", [None]))
    reply = server._reply(json.loads(question_text(found.prepared)))
    texts = [item["formula"] for item in reply["partials"]]
    return has_value and any(
        ball is None for ball, _ in Formulas(found.prepared, texts, None).balls(found)
    )


@each("row", elementwise_rows(), ids=named)
def test_formulas_that_are_said_to_have_values_have_them(row):
    """At zeros, and where something is 1, wherever the program has one."""
    text = samples(row)[0].text
    names = parse(text).variables
    for values in list(product(SPECIAL, repeat=len(names)))[:9]:
        at = ",".join(f"{n}={value}" for n, value in zip(names, values, strict=True))
        found = case(text, at)
        assert not (claimed(found) and lacks(found)), at


@pytest.mark.parametrize(("text", "at"), EDGES + ZEROS)
def test_formulas_of_composites_that_are_said_to_have_values_have_them(text, at):
    """At edges too."""
    found = case(text, at)
    assert not (claimed(found) and lacks(found))


def test_what_is_said_of_values_is_put_to_the_test(monkeypatch):
    """Some of these formulas have none, which is not said of them; of most smooth programs it is
    said that theirs have.
    """
    lacking = [text for text, at in EDGES + ZEROS if lacks(case(text, at))]
    assert {"sqrt(x**2 + y**2)", "sum(sqrt(x))", "prod(x)", "acos(x)"} <= set(lacking)
    smooth = ("exp(x)/(1 + exp(x))", "sqrt(1 + sin(x)**2)*log(2 + cos(x))", "1/(1 + exp(-x))")
    assert all(claimed(case(text, "x=0")) for text in smooth)
    monkeypatch.setattr(Bearing, "is_positive", lambda self, place: True)
    assert any(claimed(found) and lacks(found) for found in (case(*each) for each in EDGES))


def test_a_formula_without_a_value_is_caught():
    """The short forms alone have none there."""
    lacking = [text for text, at in ZEROS if list(differences(case(text, at)))]
    assert "prod(x)" in lacking
    assert "x**y" in lacking
