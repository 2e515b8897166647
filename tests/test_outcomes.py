"""Outcomes: which is worse, what each exits with, and that no abstention is a pass and no witness
is blamed for another.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from math import inf, nan

import pytest
from asking import autograd, case, changed, evidence, reference

from gradcheck_cli.checks.report import report_of
from gradcheck_cli.checks.result import Result
from gradcheck_cli.judge.bench import judge
from gradcheck_cli.judge.verdict import Verdict
from gradcheck_cli.records.outcome import OUTCOMES, worst_outcome
from gradcheck_cli.records.report import Report
from gradcheck_cli.records.status import exit_code_of, status_by_itself
from gradcheck_cli.witnesses import Abstention
from gradcheck_cli.witnesses.analytic import Formula
from gradcheck_cli.witnesses.autograd import Measured
from gradcheck_cli.witnesses.differences import Difference
from gradcheck_cli.witnesses.reference import Proof
from gradcheck_cli.witnesses.truth import Certified
from gradcheck_cli.worlds import balls

NOBODY = Abstention("not asked")


def gathered(text, at, *answers):
    """What the reference proves, with the answers given for torch's."""
    found = case(text, at)
    measured = replace(autograd(found), partials=tuple(Measured(float(value)) for value in answers))
    return evidence(
        found, reference=reference(found), analytic=NOBODY, autograd=measured, numeric=NOBODY
    )


def code_of(verdicts, *, strict):
    """The exit code of one case with these verdicts."""
    return exit_code_of(
        [
            status_by_itself(
                [{"outcome": verdict.outcome, "failed": verdict.failed} for verdict in verdicts],
                strict=strict,
            )
        ]
    )


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("outcome", OUTCOMES)
def test_exit_codes(outcome, strict):
    """0 as expected, 1 wrong, 4 not verified; imprecise and kink only with --strict."""
    expected = {
        "wrong": 1,
        "inconclusive": 4,
        "undefined": 4,
        "detached": 4,
        "kink": int(strict),
        "imprecise": int(strict),
        "agree": 0,
    }[outcome]
    verdict = Verdict(case("x", "x=1").keys[0], outcome, "")
    assert code_of([verdict], strict=strict) == expected
    assert code_of([replace(verdict, failed=True)], strict=strict) == 1


def test_the_worst_counts():
    """wrong > inconclusive > undefined > detached > kink > imprecise > agree; exit code 1 before 4
    before 0; nothing shown is no pass.
    """
    assert OUTCOMES == (
        "wrong",
        "inconclusive",
        "undefined",
        "detached",
        "kink",
        "imprecise",
        "agree",
    )
    key = case("x", "x=1").keys[0]
    for a, b in product(OUTCOMES, OUTCOMES):
        assert (
            worst_outcome([a, b])
            == worst_outcome([b, a])
            == OUTCOMES[min(OUTCOMES.index(a), OUTCOMES.index(b))]
        )
        codes = [code_of([Verdict(key, outcome, "")], strict=False) for outcome in (a, b)]
        assert code_of([Verdict(key, a, ""), Verdict(key, b, "")], strict=False) == (
            1 if 1 in codes else 4 if 4 in codes else 0
        )
    assert worst_outcome([]) == "inconclusive"
    assert Report([]).exit_code == 5


def test_a_result_is_as_bad_as_its_worst_partial():
    """One wrong element of three."""
    found = gathered("x**2", "x=[1, 2, 3]", 2, 5, 6)
    result = Result(found, judge(found))
    assert [verdict.outcome for verdict in result.verdicts] == ["agree", "wrong", "agree"]
    assert result.outcome == "wrong"
    assert report_of([result]).exit_code == 1
    assert report_of([result]).summary == {"wrong": 1}


def opinions(value):
    """All four witnesses on x**2 at 3, each of which says `value`."""
    found = case("x**2", "x=3")
    proved = reference(found)
    ball = balls.exact_ball(balls.midpoint(proved.partials[0].ball) * 0 + int(value))
    return evidence(
        found,
        reference=proved,
        analytic=(Formula("2*x", "2 x", ball),),
        autograd=replace(autograd(found), partials=(Measured(value),)),
        numeric=(Difference(value, 1e-9),),
    )


def test_all_that_agree_agree():
    """The starting point of the tests below."""
    (verdict,) = judge(opinions(6.0))
    assert (verdict.outcome, verdict.reason) == ("agree", "within 4 ulp of the true value")


@pytest.mark.parametrize("analytic", [True, False])
@pytest.mark.parametrize("numeric", [True, False])
@pytest.mark.parametrize("measured", [True, False])
@pytest.mark.parametrize("proved", [True, False])
def test_nothing_abstaining_yields_a_pass(analytic, numeric, measured, proved):
    """Agreement needs torch's answer and the reference, and no other witness can stand in for
    either.
    """
    full = opinions(6.0)
    kept = {"reference": proved, "analytic": analytic, "autograd": measured, "numeric": numeric}
    found = evidence(
        full.point,
        **{name: full.testimonies[name] if stays else NOBODY for name, stays in kept.items()},
    )
    (verdict,) = judge(found)
    assert verdict.outcome == ("agree" if measured and proved else "inconclusive")
    if not measured:
        assert verdict.reason == "not asked"
    elif not proved:
        assert (
            verdict.reason == "not asked; torch answers 6, which nothing here confirms or refutes"
        )


def test_an_abstention_on_one_partial_is_that_partials_alone():
    """A reference that could not enclose one element of two."""
    found = gathered("x**2", "x=[1, 2]", 2, 4)
    proved = replace(
        found.testimonies["reference"],
        partials=(Abstention("too wide"), found.testimonies["reference"].partials[1]),
    )
    assert [verdict.outcome for verdict in judge(changed(found, reference=proved))] == [
        "inconclusive",
        "agree",
    ]


def test_sympy_off_the_truth_is_sympys():
    """Said, with both numbers; torch's own outcome stands."""
    for answer, outcome in ((6.0, "agree"), (6.1, "wrong")):
        found = opinions(6.0)
        lie = changed(
            found,
            analytic=(
                Formula(
                    "3*x",
                    "3 x",
                    balls.exact_ball(
                        balls.midpoint(found.testimonies["reference"].partials[0].ball) * 3 / 2
                    ),
                ),
            ),
        )
        (verdict,) = judge(
            changed(
                lie, autograd=replace(lie.testimonies["autograd"], partials=(Measured(answer),))
            )
        )
        assert verdict.outcome == outcome
        assert verdict.reason.endswith(
            "SymPy is wrong: its derivative has the value 9, the true one is 6"
        )


def test_a_numeric_estimate_off_its_bar_is_a_defect_of_ours():
    """Said as such; torch's own outcome stands. A bar of infinity claims nothing."""
    found = changed(opinions(6.0), numeric=(Difference(6.5, 0.1),))
    (verdict,) = judge(found)
    assert verdict.outcome == "agree"
    assert (
        "the numeric estimate 6.5 misses 6 by more than its bar: a defect of this tool"
        in verdict.reason
    )
    (verdict,) = judge(changed(found, numeric=(Difference(6.5, inf),)))
    assert "misses" not in verdict.reason
    (verdict,) = judge(changed(found, numeric=(Difference(nan, 0.1),)))
    assert "misses" in verdict.reason


def test_the_reference_is_not_taken_on_trust():
    """A reference that lies makes torch wrong: it is what settles, so its own tests hold it against
    mpmath.
    """
    found = opinions(6.0)
    lie = Proof(
        found.testimonies["reference"].forward,
        (
            Certified(
                balls.exact_ball(
                    balls.midpoint(found.testimonies["reference"].partials[0].ball) + 1
                ),
                96,
            ),
        ),
    )
    (verdict,) = judge(changed(found, reference=lie))
    assert verdict.outcome == "wrong"
    assert "SymPy is wrong" in verdict.reason
    assert "misses 7 by more than its bar" in verdict.reason
