"""What is told as a remedy is held by the same check as a program, and at the numbers beside."""

from __future__ import annotations

from dataclasses import replace
from math import nan

import pytest
from asking import autograd, case, check_case, reference

from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.judge.acceptance import Acceptance, Candidate
from gradcheck_cli.judge.forward import forward_note
from gradcheck_cli.witnesses.autograd import Measured

# Rounding makes a tie, or takes torch across one; another function's convention there cures nothing.
TIES = [
    ("relu(x - 1/10)", "1/10"), ("fmax(x - 1/3, 0)", "1/3"), ("relu(1/3 - x)", "1/3"), ("maximum(x, 1/3)", "1/3"), ("minimum(x, 2/3)", "2/3"), ("hardtanh(3*x - 1)", "2/3"),
    ("clamp(3*x, 1, 2)", "1/3"), ("fmin(x, pi)", "pi"), ("max(x, sqrt(2))", "sqrt(2)"), ("relu6(x*3 - 2)", "2/3"), ("leaky_relu(x - 1/3)", "1/3"),
    ("where(x >= 1/3, x, 2*x)", "1/3"), ("x*(x > 1/3)", "1/3"),
]  # fmt: skip
# Where rewriting leads to programs that lose the value, or everything under another cotangent.
DESTROYED = [
    ("layer_norm(x)", "x=[1e200,1,1]", "float64"), ("layer_norm(x)", "x=[1e30,1,1]", "float32"), ("x/norm(x)", "x=[1e200,1]", "float64"), ("x/norm(x)", "x=[1e-200,1e-201]", "float64"),
    ("softmax(x)*log(softmax(x))", "x=[1000,1,1]", "float64"), ("log(softmax(x))", "x=[1000,1,1]", "float64"),
    ("x/sqrt(x@x)", "x=[1e200,1]", "float64"), ("exp(x)/sum(exp(x))", "x=[1000,999]", "float64"),
]  # fmt: skip


@pytest.mark.parametrize("dtype", sorted(DTYPES))
@pytest.mark.parametrize(("text", "at"), TIES)
def test_a_convention_at_a_tie_is_no_remedy(text, at, dtype, analyst):
    """Not of one function for another's."""
    (verdict,) = check_case(case(text, f"x={at}", dtype), analyst).verdicts
    assert verdict.remedy is None, verdict.reason
    assert verdict.outcome in ("agree", "imprecise", "kink", "undefined"), verdict.reason


def test_a_tie_that_is_taken_apart_has_a_remedy(analyst):
    """Where the other program takes torch to the true side, and not to a better tie."""
    (verdict,) = check_case(case("abs((x + 1e-17) - 1)", "x=1"), analyst).verdicts
    assert verdict.remedy.program == "abs(1e-17 + (x - 1))"


@pytest.mark.parametrize(("text", "at", "dtype"), DESTROYED)
def test_a_remedy_passes_the_check_of_a_program(text, at, dtype, analyst):
    """Its partial, under the seeded cotangent too, and its value."""
    result = check_case(case(text, at, dtype), analyst)
    ailing = [k for k, v in enumerate(result.verdicts) if v.outcome in ("wrong", "imprecise")]
    assert ailing, "nothing is to be cured"
    for k in ailing:
        remedy = result.verdicts[k].remedy
        if remedy is None:
            continue
        again = check_case(case(remedy.program, at, dtype), analyst)
        assert again.verdicts[k].outcome not in ("wrong", "inconclusive"), remedy.program
        assert forward_note(again.evidence) is None, remedy.program
        if again.also is not None:
            assert again.also.verdicts[k].outcome not in ("wrong", "inconclusive"), remedy.program


def accepts(text, other, at, backward=None):
    """Whether another program is accepted for the first partial of one."""
    point, candidate = case(text, at), case(other, at)
    answers = backward or autograd(candidate)
    court = Acceptance(point, autograd(point), limit=1.0, enough=15.0)
    return court.accepts(Candidate(candidate, answers, reference(candidate)), 0)


def test_a_candidate_that_lies_is_not_accepted():
    """About a partial, about its value, under the seeded cotangent, and beside the point."""
    good = autograd(case("2*x", "x=[0.5,1]"))
    assert accepts("x + x", "2*x", "x=[0.5,1]", good)
    assert not accepts("x + log1p(exp(y))", "x + softplus(y)", "x=1,y=21"), "torch gives x + y"
    assert not accepts("x + x", "2*x", "x=[0.5,1]", replace(good, forward=(nan, 2.0)))
    lie = (Measured(2.1), Measured(2.0))
    assert not accepts("x + x", "2*x", "x=[0.5,1]", replace(good, partials=lie))
    assert not accepts("x", "where(abs(x - 0.5) < 1e-16, x, 2*x)", "x=0.5")
    assert not accepts("softmax(x)", "softmax(x) + 0*detach(x)*x - detach(x) + x", "x=[1,2]")


def test_a_cut_that_ones_hide_is_not_accepted():
    """Under ones the derivative of a softmax is 0, with and without a path to it."""
    assert accepts("softmax(x)", "softmax(x)", "x=[1,2]")
    assert not accepts("softmax(x)", "softmax(detach(x)) + 0*x", "x=[1,2]")
