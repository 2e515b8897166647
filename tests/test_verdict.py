"""The judge, fed lies about torch's gradient."""

from __future__ import annotations

from dataclasses import replace
from math import exp, inf, nan

import pytest
import torch
from asking import autograd, case, changed, check_case, evidence, reference
from each import each
from programs import smooth

from gradcheck_cli.functions import table
from gradcheck_cli.judge.bench import judge
from gradcheck_cli.judge.evidence import Tolerance
from gradcheck_cli.judge.rounding import rounding
from gradcheck_cli.records.status import exit_code_of, status_by_itself
from gradcheck_cli.witnesses import Abstention
from gradcheck_cli.witnesses.autograd import Detached, Measured

NOBODY = Abstention("not asked")
SMOOTH = smooth(80, "the judge")


def gathered(text, at, dtype="float64", *answers):
    """What the reference proves, with torch's own answers or the ones given."""
    found = case(text, at, dtype)
    measured = autograd(found)
    if answers:
        measured = replace(measured, partials=tuple(Measured(float(value)) for value in answers))
    return evidence(
        found, reference=reference(found), analytic=NOBODY, autograd=measured, numeric=NOBODY
    )


def said(text, at, dtype="float64", *answers, tolerance=None):
    """The verdict on the first partial."""
    return judge(gathered(text, at, dtype, *answers), tolerance)[0]


def told_falsely(asked, lie):
    """Verdicts on answers that a function made of torch's, with the room that rounding explains for
    each.
    """
    found = gathered(asked.text, asked.at)
    lies = tuple(Measured(lie(answer.value)) for answer in found.testimonies["autograd"].partials)
    rooms = [
        4 * rounding(found.case).of_partial(found.case, k, found.case.dtype).total
        for k in range(len(lies))
    ]
    return zip(
        judge(changed(found, autograd=replace(found.testimonies["autograd"], partials=lies))),
        rooms,
        lies,
        found.testimonies["autograd"].partials,
        strict=True,
    )


@each("asked", SMOOTH, ids=str)
def test_torchs_own_answers_are_never_wrong_on_smooth_programs(asked):
    """No false alarm."""
    assert all(
        verdict.outcome in ("agree", "imprecise")
        for verdict in judge(gathered(asked.text, asked.at))
    )


@pytest.mark.parametrize(
    "scale", [1 + 1e-6, 1 - 1e-6, -1.0, 2.0, 0.0], ids=["above", "below", "sign", "twice", "zero"]
)
def test_a_scaled_gradient_is_wrong(scale):
    """One part in a million, a sign, a factor: wrong wherever rounding explains less, and never an
    agreement with more than half the digits off.
    """
    caught = lies = 0
    for asked in SMOOTH:
        for verdict, room, lie, honest in told_falsely(asked, lambda value: value * scale):
            moved = abs(lie.value - honest.value)
            if moved > 2 * room and honest.value != 0:
                assert verdict.outcome == "wrong", asked
                caught += 1
            elif honest.value != 0 and moved > 1e-7 * abs(honest.value):
                assert verdict.outcome != "agree", asked
            lies += honest.value != 0
    assert caught > 0.97 * lies > 100


@pytest.mark.parametrize("answer", [nan, inf, -inf])
@pytest.mark.parametrize("dtype", ["float64", "float32", "bfloat16", "float16"])
def test_no_number_where_there_is_one_is_wrong(answer, dtype):
    """In every dtype, whatever the tolerance."""
    for tolerance in (None, Tolerance(1e10, 1e10)):
        verdict = said("sin(x)", "x=1", dtype, answer, tolerance=tolerance)
        assert verdict.outcome == "wrong"
        assert verdict.reason.startswith(f"torch answers {answer:g} where the derivative is 0.54")
    assert said("0*x", "x=1", dtype, answer).outcome == "wrong"


def test_infinity_of_the_right_sign_is_the_rounded_answer_beyond_the_range():
    """exp(12) is 162,754; float16 ends at 65,504."""
    verdict = said("exp(x)", "x=12", "float16", inf)
    assert (verdict.outcome, verdict.reason) == (
        "agree",
        "overflow: the derivative, 162755, is beyond the largest float16",
    )
    assert said("-exp(x)", "x=12", "float16", -inf).outcome == "agree"
    for text, answer in (
        ("exp(x)", -inf),
        ("-exp(x)", inf),
        ("exp(x)", nan),
        ("exp(x)", 65504),
        ("exp(x)", 0),
    ):
        assert said(text, "x=12", "float16", answer).outcome == "wrong", (text, answer)
    assert said("exp(x)", "x=11", "float16", inf).outcome == "wrong", "59,874 is a float16"


def test_zero_is_the_rounded_answer_below_the_range():
    """exp(-20) is 2e-9; half the smallest float16 is 3e-8."""
    verdict = said("exp(x)", "x=-20", "float16", 0)
    assert (verdict.outcome, verdict.reason) == (
        "agree",
        "underflow: the derivative, 2.06115e-09, is below half the smallest float16",
    )
    assert said("exp(x)", "x=-20", "float16", 1e-4).outcome == "wrong"
    assert said("exp(x)", "x=-5", "float16", 0).outcome == "wrong"


def test_where_the_derivative_is_zero_only_rounding_is_an_excuse():
    """A relative measure means nothing there: the room is the budget."""
    assert said("0*x", "x=3", "float64", 0).outcome == "agree"
    assert said("0*x", "x=3", "float64", 1e-300).outcome == "wrong", "nothing rounds in 0*x"
    assert said("x**0", "x=3", "float64", 1).outcome == "wrong"
    text = "cos(x)**2 + sin(x)**2"
    assert said(text, "x=1.5").outcome == "agree"
    assert said(text, "x=1.5", "float64", 1e-16).outcome == "agree"
    assert said(text, "x=1.5", "float64", 1e-14).outcome == "wrong"


# tanh'(15) = 3.7e-13 is what 1 - y**2 leaves of numbers next to 1: rounding explains 4 * 3e-16, or
# 0.4 %.
LOST = ("tanh(x)", "x=15")
TRUE = 4 / (exp(15) + exp(-15)) ** 2


@pytest.mark.parametrize(
    ("off", "outcome"),
    [
        (1e-15, "agree"),
        (1e-9, "agree"),
        (1.4e-8, "agree"),
        (1.6e-8, "imprecise"),
        (1e-4, "imprecise"),
        (0.1, "wrong"),
        (-1.0, "wrong"),
        (-2.0, "wrong"),
    ],
)
def test_half_the_digits_is_the_limit_of_what_rounding_excuses(off, outcome):
    """sqrt(2u) is 1.5e-8 in float64: explained and below it agrees, explained and above it is
    imprecise, unexplained is wrong.
    """
    verdict = said(*LOST, "float64", TRUE * (1 + off))
    assert verdict.outcome == outcome, verdict.reason
    if outcome == "imprecise":
        assert (
            "more than half the digits are lost to rounding: in the backward of `tanh(x)`"
            in verdict.reason
        )
    if outcome == "wrong":
        assert "rounding explains" in verdict.reason


def test_the_error_is_told_in_every_unit():
    """Error, relative error, ulps and tolerance are those of the answer."""
    verdict = said("x**2", "x=3", "float64", 6 + 3 * 2.0**-50)
    assert (verdict.error, verdict.ulps) == (3 * 2.0**-50, 3.0)
    assert verdict.relative_error == pytest.approx(2.0**-51)
    assert verdict.tolerance == 4 * 2.0**-50


@pytest.mark.parametrize(
    ("tolerance", "off", "outcome"),
    [
        (Tolerance(rtol=1e-3), 1e-4, "agree"), (Tolerance(rtol=1e-3), 1e-2, "wrong"), (Tolerance(atol=1e-3), 1e-4, "agree"), (Tolerance(atol=1e-3), 1e-2, "wrong"),
        (Tolerance(rtol=1e-3, atol=1e-3), 1.5e-3, "agree"), (Tolerance(), 0.0, "agree"), (Tolerance(rtol=1e-12), 1e-9, "wrong"),
    ],
)  # fmt: skip
def test_a_tolerance_of_ones_own_replaces_the_limits(tolerance, off, outcome):
    """Agree iff |A - T| <= atol + rtol |T|, here with T = 1; the cause of the rest is told."""
    verdict = said("x + 0*x", "x=1", "float64", 1 + off, tolerance=tolerance)
    assert verdict.outcome == outcome
    assert verdict.reason.startswith("within the tolerance given: ") is (outcome == "agree")
    assert ("rounding explains 0 at most" in verdict.reason) is (off != 0), (
        "a right slope of 1 has no rounding in it"
    )
    assert verdict.tolerance == pytest.approx(tolerance.atol + tolerance.rtol)


def test_outside_ones_own_tolerance_rounding_is_still_told():
    """An error that the computed limits would pass."""
    verdict = said(*LOST, "float64", TRUE * (1 + 1e-9), tolerance=Tolerance(rtol=1e-12))
    assert verdict.outcome == "imprecise"
    assert (
        "more than the tolerance given, lost to rounding: in the backward of `tanh(x)`"
        in verdict.reason
    )
    assert said(*LOST, "float64", TRUE * (1 + 1e-9)).outcome == "agree"
    assert said(*LOST, "float64", 0.0, tolerance=Tolerance(atol=1e-5)).outcome == "agree", (
        "what an absolute tolerance lets through"
    )
    assert said(*LOST, "float64", 0.0).outcome == "wrong"


def test_there_is_no_absolute_tolerance_by_default():
    """sigmoid'(40) = 4e-18, which torch.autograd.gradcheck passes as 0."""
    verdict = said("sigmoid(x)", "x=40")
    assert verdict.outcome == "imprecise"
    assert verdict.undecided


@pytest.mark.parametrize(
    ("text", "code", "told"),
    [
        ("detach(x)*2", 1, "the derivative is 2"),
        ("detach(x)*0", 4, "the derivative is 0 all the same"),
        ("detach(abs(x - 3))", 4, "gives no gradient"),
    ],
)
def test_a_missing_path_is_wrong_where_the_slope_is_not_zero(text, code, told):
    """detached fails the check only if something is missing; at a kink nobody knows."""
    found = gathered(text, "x=3")
    assert found.testimonies["autograd"].partials == (Detached(("detach",)),)
    verdicts = judge(found)
    assert verdicts[0].outcome == "detached"
    assert verdicts[0].reason.endswith(told)
    partials = [{"outcome": verdict.outcome, "failed": verdict.failed} for verdict in verdicts]
    assert exit_code_of([status_by_itself(partials, strict=False)]) == code


def test_a_detached_answer_is_told_without_the_reference_too():
    """No truth, no failure, no pass."""
    found = changed(gathered("detach(x)", "x=3"), reference=NOBODY)
    (verdict,) = judge(found)
    assert (verdict.outcome, verdict.failed) == ("detached", False)


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (0.0, "kink"),
        (1.0, "kink"),
        (0.5, "kink"),
        (-0.001, "wrong"),
        (1.001, "wrong"),
        (nan, "wrong"),
        (inf, "wrong"),
    ],
)
def test_at_a_kink_what_lies_between_the_slopes_is_a_subgradient(answer, outcome):
    """relu at 0: all of [0, 1], nothing beyond it, and a number."""
    verdict = said("relu(x)", "x=0", "float64", answer)
    assert verdict.outcome == outcome
    assert (verdict.sides.left.value, verdict.sides.right.value, verdict.sides.proved) == (
        0.0,
        1.0,
        True,
    )


def test_a_pole_has_no_derivative_whatever_torch_answers():
    """There is nothing to compare with, so nothing agrees and nothing is wrong."""
    for answer in (0.0, inf, nan, -1.0):
        assert said("1/x", "x=0", "float64", answer).outcome == "undefined"
        assert said("sqrt(x)", "x=-1", "float64", answer).outcome == "undefined"


class _Lie(torch.autograd.Function):
    """tanh with a backward that is a tenth too small."""

    @staticmethod
    def forward(ctx, x):
        """tanh."""
        y = x.tanh()
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx, ybar):
        """0.9 times the slope."""
        (y,) = ctx.saved_tensors
        return 0.9 * ybar * (1 - y * y)


def test_where_a_dtype_cannot_tell_float64_does(analyst, monkeypatch):
    """tanh at 8 in float32: rounding alone takes half the slope, so a lie of a tenth hides there,
    and float64 finds it.
    """
    (honest,) = check_case(case("tanh(x)", "x=8", "float32"), analyst).verdicts
    assert honest.outcome == "imprecise"
    words = "float32 cannot tell this formula from a wrong one here; in float64: agree"
    assert words in honest.reason
    monkeypatch.setitem(table(), "tanh", replace(table()["tanh"], torch=lambda t, x: _Lie.apply(x)))
    alone = judge(
        evidence(
            found := case("tanh(x)", "x=8", "float32"),
            reference=reference(found),
            analytic=NOBODY,
            autograd=autograd(found),
            numeric=NOBODY,
        )
    )[0]
    assert (alone.outcome, alone.undecided) == ("imprecise", True), (
        "without float64 the lie is not seen"
    )
    (verdict,) = check_case(found, analyst).verdicts
    assert verdict.outcome == "wrong"
    assert "in float64 it is wrong beyond rounding: torch answers" in verdict.reason


def test_a_value_that_is_off_is_told_before_the_derivative(analyst, monkeypatch):
    """A note on the whole case; the derivative of the lie is then wrong as well."""
    monkeypatch.setitem(
        table(), "sin", replace(table()["sin"], torch=lambda t, x: t.sin(x) * (1 + 1e-6))
    )
    result = check_case(case("sin(x)", "x=1"), analyst)
    assert any(
        note.startswith("torch's value is off by 8.4e-07: rounding explains ")
        for note in result.notes
    )
    assert result.outcome == "wrong"


def test_a_value_that_is_right_is_not_told(analyst):
    """No note on an honest value."""
    assert check_case(case("sin(x)", "x=1"), analyst).notes == ()


def test_why_nan_names_the_number_that_rounding_moved(analyst):
    """1 - 1e-8 is 1 in float32, its logarithm's argument 0."""
    text = "log(1 - minimum(sigmoid(x), 1 - 1e-8))"
    (verdict,) = check_case(case(text, "x=30", "float32"), analyst).verdicts
    assert verdict.outcome == "wrong"
    assert verdict.reason.startswith(
        "torch answers nan where the derivative is 0: `minimum(sigmoid(x), 1 - 1e-8)` rounds to 1 (it is 1 - 1e-08)"
    )
    (verdict,) = check_case(case(text, "x=30"), analyst).verdicts
    assert verdict.outcome == "agree"


@pytest.mark.parametrize(
    ("text", "at", "zero"),
    [
        # exp(-100000) and exp(-1e300): next to nothing, and not 0.
        ("exp(x)/(1 + exp(x))", "x=1e5", "0 to every dtype"),
        ("exp(x)/(1 + exp(x))", "x=1e300", "0 to every dtype"),
        # A sum of terms that cancel is proved to be next to nothing.
        ("log(exp(x)) - x", "x=800", "0 to every dtype"),
        # No term at all, and a factor of 0.
        ("where(x > 0, sqrt(x), 0)", "x=-1", "0"),
        ("sqrt(x**4)", "x=0", "0"),
    ],
)
def test_what_is_next_to_nothing_is_not_called_0(analyst, text, at, zero):
    """Only a derivative that is exactly 0 is."""
    (verdict,) = check_case(case(text, at), analyst).verdicts
    assert verdict.reason.startswith(f"torch answers nan where the derivative is {zero}: ")
