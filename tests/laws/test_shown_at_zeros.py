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

from gradcheck_cli.language.parse import parse
from gradcheck_cli.symbolic import server
from gradcheck_cli.witnesses import Abstention
from gradcheck_cli.witnesses.analytic import Analytic
from gradcheck_cli.witnesses.reference import Proof

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


@pytest.mark.parametrize(("text", "at"), ZEROS)
def test_a_formula_of_arrays_has_a_value_at_zeros_too(text, at):
    """What is written short where it has a value there, else what has one."""
    assert not list(differences(case(text, at), told_there))


def test_a_formula_without_a_value_is_caught():
    """The short forms alone have none there."""
    lacking = [text for text, at in ZEROS if list(differences(case(text, at)))]
    assert "prod(x)" in lacking
    assert "x**y" in lacking
