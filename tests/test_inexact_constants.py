"""Kinks at constants that no dtype holds: torch compares with the rounded constant, so at the number
nearest to it torch sees a tie, or another side than the true one.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from math import inf

import pytest
from asking import autograd, case, evidence, reference
from each import each
from mpmath import mp

from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.judge.bench import judge
from gradcheck_cli.witnesses import Abstention
from gradcheck_cli.witnesses.autograd import Measured

NOBODY = Abstention("not asked")
with mp.workdps(60):
    VALUES = {
        "1/3": Fraction(1, 3),
        "2/3": Fraction(2, 3),
        "1/10": Fraction(1, 10),
        "pi": Fraction(str(mp.pi)),
        "sqrt(2)": Fraction(str(mp.sqrt(2))),
        "2049": Fraction(2049),
        "9007199254740993": Fraction(2**53 + 1),
    }
# The program, its slopes left and right of the constant by hand, and what torch makes of a tie.
PROGRAMS = [
    ("maximum(x, C)", 0, 1, 0.5), ("minimum(C, x)", 1, 0, 0.5), ("max([x, C])", 0, 1, 0.5), ("fmax(x, C)", 0, 1, 1), ("fmin(x, C)", 1, 0, 1), ("clamp(x, C, 1e4)", 0, 1, 1),
    ("clamp(x, 0, C)", 1, 0, 1), ("where(x >= C, x, 2*x)", 2, 1, 1), ("where(C <= x, x, 2*x)", 2, 1, 1), ("where(x < C, x, 2*x)", 1, 2, 2), ("where(not (x <= C), x, 2*x)", 2, 1, 2),
    ("x*(x > C)", 0, 1, 0), ("x*(x >= C) + 3*x", 3, 4, 4), ("2*maximum(x, C) + minimum(x, C)", 1, 2, 1.5), ("l1_loss(x, C)", -1, 1, 0),
]  # fmt: skip


def asked(text, at, dtype, answer=None):
    """The verdict and torch's answer, replaced by another where one is given."""
    found = case(text, f"x={at!r}", dtype)
    measured = autograd(found)
    if answer is not None:
        measured = replace(measured, partials=(Measured(float(answer)),))
    said = evidence(found, reference=reference(found), analytic=NOBODY, autograd=measured, numeric=NOBODY)  # fmt: skip
    return judge(said)[0], measured.partials[0].value


@pytest.mark.parametrize("dtype", sorted(DTYPES))
@each("constant", VALUES)
@each("text, left, right, tie", PROGRAMS, ids=str)
def test_a_constant_is_what_torch_rounds_it_to(text, left, right, tie, constant, dtype):
    """torch's tie is explained by the rounding of the constant, and neither what lies between the
    two sides nor beyond them is.
    """
    exact = VALUES[constant]
    at = DTYPES[dtype].round(exact)
    if at in (exact, inf) or (at > 1e4 and "1e4" in text):
        return  # the dtype has the constant: an honest kink; or it is met beyond another bound
    text = text.replace("C", constant)
    truth = left if Fraction(at) < exact else right
    verdict, answer = asked(text, at, dtype)
    assert answer == tie, "torch's own convention is another"
    if tie == truth:
        assert verdict.outcome == "agree"
        return
    assert (verdict.outcome, verdict.cause) == ("imprecise", "kink within rounding"), verdict.reason
    assert f"where the derivative is {truth}" in verdict.reason
    assert asked(text, at, dtype, truth)[0].outcome == "agree"
    between = (3 * tie + truth) / 4
    for lie in {left + right - truth, between, tie + 0.25, -tie - 1} - {tie, truth}:
        assert asked(text, at, dtype, lie)[0].outcome == "wrong", lie


@pytest.mark.parametrize("dtype", sorted(DTYPES))
def test_away_from_the_constant_nothing_is_excused(dtype):
    """Two floats beside it torch takes the side that is true; the tie's answer is wrong there."""
    at = DTYPES[dtype].round(Fraction(1, 3))
    at += 2 * float(DTYPES[dtype].ulp(Fraction(at)))
    verdict, answer = asked("maximum(x, 1/3)", at, dtype)
    assert (verdict.outcome, answer) == ("agree", 1)
    assert asked("maximum(x, 1/3)", at, dtype, 0.5)[0].outcome == "wrong"


def test_a_missing_part_is_no_kink():
    """At a constant, too, a half of the gradient that is missing is found."""
    verdict, _ = asked("x*detach(x) + maximum(x, 1/3)", 1 / 3, "float64")
    assert verdict.outcome == "wrong"
