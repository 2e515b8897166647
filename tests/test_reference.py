"""The reference: balls that hold the truth and are narrow enough, or why there is none."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from asking import reference
from clocks import cpu_budget
from each import each
from programs import Asked, case, slopes, smooth

from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.functions import table
from gradcheck_cli.questions.prepared import Oversize
from gradcheck_cli.witnesses import Abstention
from gradcheck_cli.witnesses.bulk_proof import BulkProof
from gradcheck_cli.witnesses.reference import FIRST_BITS, LAST_BITS
from gradcheck_cli.witnesses.truth import SIGN_BITS, Certified, Touching, Undefined, is_certified
from gradcheck_cli.worlds import balls

SMOOTH = smooth(200, "the reference")
# 120 digits of a value over a step of 1e-40, with room: what mpmath's differences leave of a slope
# that is 0.
NOISE = Fraction(1, 10**75)


def partial(text, at, dtype="float64", **options):
    """The reference's answer for the first partial."""
    return reference(case(text, at, dtype, **options)).partials[0]


def holds(ball, value):
    """Whether a ball holds an exact fraction."""
    return bool(abs(ball - balls.exact_ball(value)) <= 0) or ball.contains(balls.exact_ball(value))


@each("asked", SMOOTH, ids=str)
def test_the_correctly_rounded_truth_is_mpmaths(asked):
    """60 digits of mpmath, rounded once to each dtype, and the reference's midpoint, rounded the
    same way, are one number.
    """
    proved = reference(case(asked.text, asked.at))
    for answer, slope in zip(proved.partials, slopes(asked), strict=True):
        assert isinstance(answer, Certified)
        assert abs(balls.midpoint(answer.ball) - slope) <= abs(slope) * Fraction(2) ** -70 + NOISE
        for dtype in DTYPES.values():
            assert (
                dtype.round(balls.midpoint(answer.ball)) == dtype.round(slope)
                or abs(slope) <= NOISE
            )


def test_a_slope_off_by_one_part_in_ten_to_the_eighteen_is_seen(monkeypatch):
    """The law above can fail: a cosine that no float64 can tell from the true one shows in the 60
    digits.
    """
    row = table()["cos"]
    monkeypatch.setitem(
        table(), "cos", replace(row, arb=lambda x: row.arb(x) * (1 + type(x)(2) ** -60))
    )
    asked = Asked("sin(x)", "x=1.25", lambda m, point: m.sin(point["x"]))
    (answer,), (slope,) = reference(case(asked.text, asked.at)).partials, slopes(asked)
    assert DTYPES["float64"].round(balls.midpoint(answer.ball)) == DTYPES["float64"].round(slope)
    assert not abs(balls.midpoint(answer.ball) - slope) <= abs(slope) * Fraction(2) ** -70 + NOISE


@pytest.mark.parametrize(
    ("text", "at", "least"),
    [
        ("sin(x + 2**-100) - sin(x)", "x=1", 2 * FIRST_BITS),  # two numbers that agree in 100 bits
        ("(1 + x) - x", "x=1e300", FIRST_BITS),
        (
            "cos(x)**2 + sin(x)**2",
            "x=1.5",
            16 * FIRST_BITS,
        ),  # identically 1: no precision tells its slope from 0, but below 2**-1076 it is 0 to every dtype
        ("exp(x) - exp(x - 2**-60)", "x=1", FIRST_BITS),
        ("log(exp(x))", "x=300", FIRST_BITS),
    ],
)
def test_precision_rises_until_the_ball_is_narrow(text, at, least):
    """The first 96 bits do not do for these; what comes out is narrow all the same."""
    answer = partial(text, at)
    assert isinstance(answer, Certified)
    assert answer.bits >= least
    assert is_certified(answer.ball)


def test_a_difference_that_fixed_precision_takes_for_zero_is_resolved():
    """1 - tanh(200)**2 is 0.0 with 30, 50, 100 and 150 digits of mpmath; it is 4 exp(-400) and its
    slope -8 exp(-400), but for exp(-800).
    """
    import mpmath

    proved = reference(case("1 - tanh(x)**2", "x=200"))
    assert proved.forward[0].bits >= 8 * FIRST_BITS
    with mpmath.workdps(40):
        for answer, factor in ((proved.forward[0], 4), (proved.partials[0], -8)):
            found = mpmath.mpf(answer.ball.mid().str(35, radius=False))
            assert abs(found / (factor * mpmath.exp(-400)) - 1) < mpmath.mpf(2) ** -70


@pytest.mark.parametrize(
    "text", ["x - x", "0*x", "cos(x)**2 + sin(x)**2", "log(exp(x)) - x", "(x+1)**2 - x**2 - 2*x"]
)
def test_a_slope_that_is_zero_is_certified_as_zero(text):
    """Exactly, or to less than half the smallest float64."""
    answer = partial(text, "x=1.5")
    assert isinstance(answer, Certified)
    assert answer.ball.contains(0)
    assert abs(answer.ball).upper() < balls.exact_ball(Fraction(2) ** -1075)


def test_the_ball_is_at_the_dtypes_number_and_not_at_the_text():
    """0.1 in float32 is 0.100000001490116...: its square has twice that as its slope, exactly."""
    for dtype in DTYPES.values():
        at = Fraction(dtype.round(Fraction(1, 10)))
        answer = partial("x**2", "x=0.1", dtype.name)
        assert holds(answer.ball, 2 * at)
        assert not holds(answer.ball, Fraction(2, 10))


def test_literals_are_rounded_to_the_dtype_and_integers_and_pi_are_not():
    """The slope of c*x is the literal as the dtype holds it."""
    for dtype in DTYPES.values():
        assert holds(
            partial("0.1*x", "x=1", dtype.name).ball, Fraction(dtype.round(Fraction(1, 10)))
        )
    assert holds(partial("123456789*x", "x=1", "bfloat16").ball, Fraction(123456789))
    assert partial("pi*x", "x=1", "bfloat16").ball.overlaps(type(partial("x", "x=1").ball).pi())


# What python-flint answers too readily (numbers that look finite and are not the function's).
@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("sqrt(x)", "x=-1"),
        ("log(x)", "x=-1"),
        ("x**0.5", "x=-2"),
        ("asin(x)", "x=2"),
        ("log(x)", "x=0"),
        ("1/x", "x=0"),
        ("x**(-1)", "x=0"),
        ("lgamma(x)", "x=-2"),
        ("atanh(x)", "x=1"),
    ],
)
def test_outside_the_domain_nothing_is_certified(text, at):
    """No enclosure of a value that is not there."""
    answer = partial(text, at)
    assert isinstance(answer, Undefined)
    assert answer.of_value
    assert "has no finite value" in answer.reason


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("sqrt(x)", "x=0"),
        ("asin(x)", "x=1"),
        ("acos(x)", "x=-1"),
        ("x**0.5", "x=0"),
        ("sqrt(x**2)", "x=0"),
    ],
)
def test_a_slope_that_is_not_finite_is_no_certified_slope(text, at):
    """The value is there; its derivative has no enclosure."""
    proved = reference(case(text, at))
    assert isinstance(proved.forward[0], Certified)
    assert isinstance(proved.partials[0], Undefined)
    assert not proved.partials[0].of_value


@pytest.mark.parametrize(
    ("text", "at", "function"),
    [
        ("relu(x)", "x=0", "maximum"),
        ("abs(x)", "x=0", "abs"),
        ("floor(x)", "x=2", "floor"),
        ("sign(x)", "x=0", "sign"),
        ("where(x > 1, x, 2*x)", "x=1", "where"),
        ("atan2(y, x)", "y=0,x=-1", "atan2"),
    ],
)
def test_a_boundary_is_no_certified_slope(text, at, function):
    """The operation that sits on its boundary is named; balls there would be a hull, or a value of
    one side.
    """
    answer = partial(text, at)
    assert isinstance(answer, Touching)
    assert answer.function == function


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("relu(x - 1)", "x=1+2**-50"),
        ("floor(x)", "x=2-2**-50"),
        ("sign(x)", "x=2**-1000"),
        ("max(x, y)", "x=1,y=1+2**-52"),
    ],
)
def test_beside_a_boundary_the_slope_is_certified(text, at):
    """A sign decided by the last bit is decided."""
    assert isinstance(partial(text, at), Certified)


def test_a_boundary_that_only_bits_beyond_the_first_decide():
    """sin(x)**2 + cos(x)**2 - 1 is 0 for all x: never decided, and told as touching at the last
    sign bits.
    """
    answer = reference(case("abs(sin(x)**2 + cos(x)**2 - 1) * x", "x=1.5"))
    assert isinstance(answer.partials[0], Touching)
    assert not answer.partials[0].exact
    assert answer.bits >= SIGN_BITS
    close = partial("relu(exp(x) - exp(x - 2**-200) - 1)", "x=1.5")
    assert isinstance(close, Certified)


def test_a_branch_not_taken_spoils_nothing():
    """sin(x)/x at 0 has no value; where does not take it."""
    proved = reference(case("where(x > 0, log(x), x**2)", "x=-3"))
    assert holds(proved.partials[0].ball, Fraction(-6))


def test_extreme_arguments_take_no_minutes():
    """arb's own digamma left of 0 and bessel_k at many bits run for minutes."""
    with cpu_budget(5):
        assert isinstance(partial("lgamma(x)", "x=-1e15+0.5"), Certified)
        assert isinstance(partial("modified_bessel_k0(x)", "x=700.5"), Certified)


def test_a_program_that_is_too_large_for_scalars_is_run_in_arrays():
    """At once; its second derivative is not begun, with the size in words."""
    asked = case("sum(x @ x)", "x=" + str([[0.5] * 70] * 70))
    found = reference(asked)
    assert isinstance(found, BulkProof)
    assert found.partials[0].ball.contains(70)
    assert isinstance(asked.prepared.expansion, Oversize)
    size = "it comes to 695,800 scalar operations, more than 100,000"
    assert asked.prepared.expansion == Oversize(size, ())


def test_time_runs_out_in_words():
    """A deadline that has passed gives an abstention, not an exception and not a half-done ball."""
    found = reference(case(" + ".join(f"sin({k}*x)" for k in range(1, 100)), "x=1.5"), limit=-1.0)
    assert found == Abstention("no certified reference in the time allowed")


def test_the_deadline_is_kept_on_a_program_that_would_take_longer():
    """Each term needs 288,000 bits: without a deadline precision rises to the last one tried, with
    one it stops before.
    """
    text = "+".join(f"exp(2e5*x)*(1 - tanh(1e5*x - {k}*1e-9)**2)" for k in range(400))
    with cpu_budget(3):
        found = reference(case(text, "x=1"), limit=0.3)
    assert isinstance(found.partials[0], Abstention)
    assert (
        found.partials[0].reason
        == f"the derivative could not be enclosed tightly with {found.bits} bits"
    )
    assert found.bits < LAST_BITS / 2


def test_each_element_has_its_own_answer():
    """A vector that sits on a kink in one element is certified in the others."""
    answers = reference(case("relu(x)", "x=[-1, 0, 2]")).partials
    assert [type(answer) for answer in answers] == [Certified, Touching, Certified]


def test_the_cotangent_weighs_the_elements():
    """<cotangent, x**2> has the slope 2 w x, exactly."""
    answers = reference(case("x**2", "x=[1, 2, 3]", cotangent="[1, -1, 0.5]")).partials
    assert all(
        holds(answer.ball, Fraction(expected))
        for answer, expected in zip(answers, (2, -4, 3), strict=True)
    )
