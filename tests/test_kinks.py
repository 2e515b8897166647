"""Kinks: what is proved from the two sides of a boundary, and that nothing unproved agrees."""

from __future__ import annotations

from dataclasses import replace
from math import inf, nan, sqrt

import pytest
from asking import autograd, case, check_case, evidence, noise, numeric, reference

from gradcheck_cli.functions import lookup, table
from gradcheck_cli.judge import sides as kinks
from gradcheck_cli.judge.bench import judge
from gradcheck_cli.judge.sides import boundary_at
from gradcheck_cli.witnesses import Abstention
from gradcheck_cli.witnesses.autograd import Measured
from gradcheck_cli.witnesses.differences import Difference
from gradcheck_cli.witnesses.extrapolation import Slope
from gradcheck_cli.witnesses.truth import Certified, Touching
from gradcheck_cli.worlds import series as germs

NOBODY = Abstention("not asked")


def proved(text, at, position=0):
    """What the two sides come to, with no help from differences."""
    return boundary_at(case(text, at), position, NOBODY)


def said(text, at, *answers):
    """The verdict on the first partial, torch's answers replaced by the ones given; differences are
    not asked.
    """
    found = case(text, at)
    measured = autograd(found)
    if answers:
        measured = replace(measured, partials=tuple(Measured(float(value)) for value in answers))
    return judge(
        evidence(
            found, reference=reference(found), analytic=NOBODY, autograd=measured, numeric=NOBODY
        )
    )[0]


# Slopes by hand: from the definition of each function on either side.
KINKS = [
    ("abs(x)", "x=0", -1, 1), ("relu(x)", "x=0", 0, 1), ("relu(-x)", "x=0", -1, 0), ("leaky_relu(x, 0.25)", "x=0", 0.25, 1), ("clamp(x, 0, 6)", "x=6", 1, 0),
    ("max(x, x**2)", "x=1", 1, 2), ("max(x, -x, x**3)", "x=0", -1, 1), ("sqrt(x**2)", "x=0", -1, 1), ("hypot(x, y)", "x=0,y=0", -1, 1), ("x + abs(x - 2)", "x=2", 0, 2),
    ("max(x, max(2*x, 3*x))", "x=0", 1, 3), ("relu(relu(x - 1) - 1)", "x=2", 0, 1), ("abs(sin(x))", "x=0", -1, 1), ("hardtanh(x)", "x=1", 1, 0), ("elu(x, 0.5)", "x=0", 0.5, 1),
    ("abs(x)*cos(x)", "x=0", -1, 1), ("exp(abs(x))", "x=0", -1, 1), ("min(x, 0)*3", "x=0", 3, 0), ("softshrink(x)", "x=0.5", 0, 1), ("where(x < 1, x, 2*x - 1)", "x=1", 1, 2),
    ("norm([x, y])", "x=0,y=0", -1, 1), ("relu(x)/(1 + x)", "x=0", 0, 1), ("log(1 + abs(x))", "x=0", -1, 1), ("x*sign(x)", "x=0", -1, 1), ("abs(x**3 + x)", "x=0", -1, 1),
]  # fmt: skip
SMOOTH = [
    ("relu(x) - relu(-x)", "x=0", 1), ("tanh(abs(x))*sign(x)", "x=0", 1), ("abs(x)*x", "x=0", 0), ("sqrt(x**4)", "x=0", 0), ("elu(x)", "x=0", 1),
    ("huber_loss(x, 0, delta=1.0)", "x=1", 1), ("huber_loss(x, 0, delta=1.0)", "x=-1", -1), ("smooth_l1_loss(x, 0)", "x=1", 1), ("max(x, exp(x)-1, (x+1)**2/2-1/2)", "x=0", 1),
    ("relu(x)**2", "x=0", 0), ("where(x > 0, sin(x), x)", "x=0", 1), ("where(x != 0, sin(x)/x, 1)", "x=0", 0), ("abs(x)**3", "x=0", 0), ("relu(x) + min(x, 0)", "x=0", 1),
    ("max(x, x)", "x=2", 1), ("celu(x)", "x=0", 1), ("hardswish(x)*0 + x", "x=3", 1), ("softsign(x)", "x=0", 1), ("sqrt((x - 1)**4)", "x=1", 0),
    ("(x**2)**1.5", "x=0", 0), ("max(x**2, x**3)", "x=0", 0), ("relu(x - 1)*(x - 1)", "x=1", 0), ("sqrt(x**2*y**2)*x", "x=0,y=2", 0),
]  # fmt: skip
UNDEFINED = [
    ("sign(x)", "x=0", "a jump from -1 to 1"), ("floor(x)", "x=2", "a jump from 1 to 2"), ("ceil(x)", "x=2", "a jump from 2 to 3"), ("round(x)", "x=2.5", "a jump from 2 to 3"),
    ("where(x > 1, x + 3, x)", "x=1", "a jump from 1 to 4"), ("where(x == 0, 5, x)", "x=0", "a jump: the value is 5, both sides tend to 0"), ("frac(x)", "x=3", "a jump from 1 to 0"),
    ("abs(sign(x))", "x=0", "a jump: the value is 0, both sides tend to 1"), ("sqrt(abs(x))", "x=0", "grows without bound"), ("abs(x)**0.3", "x=0", "grows without bound"),
    ("sign(x)*sqrt(abs(x))", "x=0", "grows without bound"), ("heaviside(x)*3", "x=0", "a jump from 0 to 3"), ("remainder(x, 2)", "x=4", "a jump from 2 to 0"),
    # From its edge on a root, found by integrating the slope.
    ("acos(x)", "x=1", "grows without bound"), ("asin(x)*x", "x=-1", "grows without bound"), ("where(x >= 1, acosh(x), 0)", "x=1", "grows without bound"),
    # Jumps that no slope passes on: through a comparison alone, and below a function that is flat there.
    ("x + where(x > 0, 1, 0)", "x=0", "a jump from 0 to 1"), ("x + round(where(x > 0, 3.25, 1.25))", "x=0", "a jump from 1 to 3"), ("x + ceil(sign(x) + 0.5)", "x=0", "a jump from 0 to 2"),
    ("x + (x >= 0)*2", "x=0", "a jump from 0 to 2"), ("x + cos(sign(x))", "x=0", "a jump: the value is 1, both sides tend to 0.540302"),
    # Jumps that are small beside the value.
    ("floor(x)", "x=1e140", "a jump from 1e+140 to 1e+140, by 1"), ("floor(x*x)", "x=1e300", ", by 1"), ("1e200 + floor(x)*1e-200", "x=3", ", by 1e-200"), ("1e200 + where(x > 0, 1e-200, 0)", "x=0", ", by 1e-200"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "at", "left", "right"), KINKS)
def test_a_kink_is_proved_with_both_slopes(text, at, left, right):
    """Left and right derivatives, exactly, with no differences taken."""
    found = proved(text, at)
    assert found.kind == "kink", found.words
    assert found.sides.proved
    assert (found.sides.left.value, found.sides.right.value) == (left, right)
    assert (found.low.contains(min(left, right)), found.high.contains(max(left, right))) == (
        True,
        True,
    )


@pytest.mark.parametrize(("text", "at", "slope"), SMOOTH)
def test_a_boundary_without_a_kink_is_proved_smooth(text, at, slope):
    """Both sides have the slope, to 50 digits."""
    found = proved(text, at)
    assert found.kind == "smooth", found.words
    assert found.slope.contains(slope)
    assert abs(float(found.slope.rad())) < 1e-50


@pytest.mark.parametrize(("text", "at", "told"), UNDEFINED)
def test_a_jump_and_a_vertical_tangent_are_proved(text, at, told):
    """No derivative, and why."""
    found = proved(text, at)
    assert found.kind == "undefined", found.words
    assert told in found.words


@pytest.mark.parametrize(
    ("text", "at"), [(text, at) for text, at, _ in UNDEFINED if "heaviside" not in text]
)
def test_what_is_undefined_never_agrees(text, at):
    """Whatever torch answers; of heaviside it answers nothing."""
    for answer in (0.0, 1.0):
        assert said(text, at, answer).outcome not in ("agree", "imprecise", "kink")


@pytest.mark.parametrize(
    ("text", "at", "left", "right"),
    [
        ("acos(1 - x**2)", "x=0", -sqrt(2), sqrt(2)),
        ("acosh(1 + x**2)*exp(x)", "x=0", -sqrt(2), sqrt(2)),
        ("i1(abs(x))", "x=0", -0.5, 0.5),
        ("sinc(abs(x)) + abs(bessel_j1(x))", "x=0", -0.5, 0.5),
        ("lgamma(1 + abs(x))", "x=0", 0.5772156649015329, -0.5772156649015329),
    ],
)
def test_a_kink_of_special_functions_is_proved(text, at, left, right):
    """Where derivatives are infinite or have holes, their series does not go through them."""
    found = proved(text, at)
    assert (found.kind, found.sides.proved) == ("kink", True)
    assert found.sides.left.value == pytest.approx(left, rel=1e-15)
    assert found.sides.right.value == pytest.approx(right, rel=1e-15)


def test_slopes_that_differ_far_below_their_size_are_told_apart():
    """By 2**-1400 of themselves: no float sees that, and 1,024 bits do not either."""
    found = proved("2**700*x + abs(x)*2**-700", "x=0")
    assert found.kind == "kink"
    assert (found.high - found.low).contains(2.0**-699)


@pytest.mark.parametrize(
    "text",
    ["where(x == 0, 0, (i1(x) - x/2)/x**2)", "where(x == 0, 0, (sinc(x) - 1 + (pi*x)**2/6)/x**3)"],
)
def test_a_series_ends_where_its_derivatives_have_holes(text):
    """The third derivative of i1 at 0 is 3/8; that of the branch `where(x == 0, 1/2, ...)` of its
    slope is 0. What goes through the hole is not known.
    """
    assert proved(text, "x=0").kind == "unknown"


@pytest.mark.parametrize(
    ("text", "at", "slope", "side"),
    [
        ("x*sqrt(x)", "x=0", 0, "right"),
        ("sin(x) + x*sqrt(x)", "x=0", 1, "right"),
        ("(1 - x)**1.5", "x=1", 0, "left"),
        ("x**2.5 + 3*x", "x=0", 3, "right"),
    ],
)
def test_at_the_edge_of_the_domain_one_side_is_proved(text, at, slope, side):
    """The other has no values."""
    found = proved(text, at)
    assert found.kind == "edge"
    assert found.slope.contains(slope)
    assert found.words.startswith(
        f"the function has values on the {side} only; {side} derivative {slope}"
    )
    assert (found.sides.left is None, found.sides.right is None) == (
        side == "right",
        side == "left",
    )


@pytest.mark.parametrize(("text", "at", "left", "right"), KINKS)
def test_an_answer_beyond_a_kinks_slopes_is_wrong(text, at, left, right):
    """Both ends and the middle are subgradients; a part in a hundred beyond, and no number, are
    lies.
    """
    low, high = min(left, right), max(left, right)
    others = len(case(text, at).keys) - 1
    for answer in (low, high, (low + high) / 2):
        assert said(text, at, answer, *[0.0] * others).outcome == "kink", answer
    for answer in (low - 0.01, high + 0.01, nan, inf, -inf):
        assert said(text, at, answer, *[0.0] * others).outcome == "wrong", answer


# torch's own formula for these is infinite at the point, so how far rounding could take it is
# unknown.
UNBOUNDED = ("sqrt(x**4)", "sqrt((x - 1)**4)", "sqrt(x**2*y**2)*x")


@pytest.mark.parametrize(("text", "at", "slope"), SMOOTH)
def test_an_answer_off_a_proved_slope_is_wrong(text, at, slope):
    """What torch makes of valid subgradients of the parts is not enough where the whole is smooth."""
    others = len(case(text, at).keys) - 1
    assert said(text, at, slope, *[0.0] * others).outcome == "agree"
    for answer in (slope + 1e-3, slope - 0.5):
        assert said(text, at, answer, *[0.0] * others).outcome == (
            "inconclusive" if text in UNBOUNDED else "wrong"
        ), answer
    for answer in (nan, inf):
        assert said(text, at, answer, *[0.0] * others).outcome == "wrong", answer


def test_sides_do_not_stand_in_for_a_value_that_is_not_there():
    """x*x*abs(x)/sin(x) tends to 0 from both sides and has no value at 0."""
    for answer in (0.0, 1.0, nan):
        assert said("x*x*abs(x)/sin(x)", "x=0", answer).outcome in ("undefined", "inconclusive")


@pytest.mark.torch_fact
@pytest.mark.parametrize(
    ("text", "at", "torchs"),
    [
        ("relu(x) - relu(-x)", "x=0", "0"),
        ("tanh(abs(x))*sign(x)", "x=0", "0"),
        ("sqrt(x**4)", "x=0", "nan"),
    ],
)
def test_torch_itself_is_wrong_at_these(text, at, torchs, analyst):
    """Findings, with the true slope proved."""
    (verdict,) = check_case(case(text, at), analyst).verdicts
    assert verdict.outcome == "wrong"
    assert verdict.reason.startswith(f"torch answers {torchs} where the derivative is ")
    assert "left and right derivatives are both " in verdict.reason


@pytest.mark.torch_fact
def test_max_of_three_has_the_hull_of_its_slopes():
    """torch halves ties one by one: 0.25, 0.25, 0.5."""
    found = case("max(x, y, z)", "x=1,y=1,z=1")
    assert [answer.value for answer in autograd(found).partials] == [0.25, 0.25, 0.5]
    for position in range(3):
        sides_found = boundary_at(found, position, NOBODY)
        assert (sides_found.kind, sides_found.sides.left.value, sides_found.sides.right.value) == (
            "kink",
            0,
            1,
        )


def test_each_input_has_sides_of_its_own():
    """abs(x)*y at x = 0: a kink along x, none along y."""
    assert proved("abs(x)*y", "x=0,y=3").kind == "kink"
    assert isinstance(reference(case("abs(x)*y", "x=0,y=3")).partials[1], Certified)
    assert said("abs(x)*y", "x=0,y=3", 0.0, 0.0).outcome == "kink"


@pytest.mark.parametrize("lie", [2, 1, 0])
def test_a_side_that_lies_is_caught(lie, monkeypatch):
    """abs beside 0 with a false slope on one side: the bar that differences put around that side
    misses what was proved.
    """
    row = lookup("abs")
    liar = lambda s, x: row.germ(s, x) if x.sign() > 0 else x * s.constant(lie)  # noqa: E731
    monkeypatch.setitem(table(), "abs", replace(row, germ=liar))
    found = proved("abs(x)", "x=0")
    assert (found.kind, found.sides.left.value) != ("kink", -1)
    estimated = numeric(case("abs(x)", "x=0"), noise())[0]
    left = found.sides.left
    assert abs(estimated.left.value - left.value) > estimated.left.radius + left.radius


@pytest.mark.parametrize(("text", "at", "left", "right"), KINKS)
def test_the_differences_say_the_same_as_the_proof(text, at, left, right):
    """An independent opinion on every side proved: the one-sided bars hold the proved slopes."""
    found = case(text, at)
    estimated = numeric(found, noise())[0]
    for side, slope in ((estimated.left, left), (estimated.right, right)):
        assert abs(side.value - slope) <= side.radius + 1e-15


# Where the series give up: an oscillation, a function of two changing arguments.
UNPROVED = [("where(x == 0, 0, x**2*sin(1/x))", "x=0"), ("abs(x)*sin(1/(x**2 + 0*x))", "x=0.0")]


@pytest.mark.parametrize("answer", [0.0, 1.0, 0.5, -3.0])
def test_where_nothing_is_proved_nothing_agrees(answer):
    """Neither by estimates nor without them."""
    text, at = UNPROVED[0]
    found = case(text, at)
    measured = replace(autograd(found), partials=(Measured(answer),))
    for opinion in (
        NOBODY,
        numeric(found)[0],
        Difference(answer, 1e-9, Slope(answer, 1e-9), Slope(answer, 1e-9)),
    ):
        (verdict,) = judge(
            evidence(
                found,
                reference=reference(found),
                analytic=NOBODY,
                autograd=measured,
                numeric=(opinion,),
            )
        )
        assert verdict.outcome != "agree"
        assert verdict.outcome != "wrong"


def test_sides_that_cannot_be_settled_fall_back_on_estimates(monkeypatch):
    """A kink that differences see and no series proves is a kink with estimated slopes, and what
    lies between them is never `agree`.
    """

    def undecided(*args):
        raise germs.UndecidedSign("nothing is settled today")

    monkeypatch.setattr(kinks, "_prove", undecided)
    found = case("abs(x)", "x=0")
    finding = boundary_at(found, 0, numeric(found, noise())[0])
    assert finding.kind == "kink"
    assert not finding.sides.proved
    assert finding.words.endswith("estimated")
    assert boundary_at(found, 0, NOBODY).kind == "unknown"
    smooth = case("abs(x)*x", "x=0")
    unknown = boundary_at(smooth, 0, numeric(smooth, noise())[0])
    assert unknown.kind == "unknown", "bars that meet prove nothing"
    jump = case("sign(x)", "x=0")
    assert boundary_at(jump, 0, numeric(jump, noise())[0]).kind == "unknown"
    assert boundary_at(found, 0, numeric(found)[0]).kind == "unknown", "nothing bounds the noise"


def test_a_slope_that_is_certified_needs_no_sides(monkeypatch):
    """Away from every boundary the sides are not asked."""
    monkeypatch.setattr(kinks, "_prove", lambda *args: pytest.fail("asked"))
    assert said("relu(x)", "x=2**-1000").outcome == "agree"


def test_an_undecided_sign_is_no_proof():
    """sin(x)**2 + cos(x)**2 - 1 is zero, and no number of bits says so: told as touching, and
    nothing agrees.
    """
    text, at = "abs(sin(x)**2 + cos(x)**2 - 1)*x", "x=1.5"
    assert isinstance(reference(case(text, at)).partials[0], Touching)
    for answer in (0.0, 1.0):
        assert said(text, at, answer).outcome != "agree" or proved(text, at).kind == "smooth"


@pytest.mark.parametrize(
    ("dtype", "tiny"),
    [("float64", "2**-60"), ("float32", "2**-30"), ("float16", "2**-14"), ("bfloat16", "2**-12")],
)
def test_a_kink_within_rounding_is_told(dtype, tiny, analyst):
    """1 + x rounds to 1, so torch stands on the kink that the exact sum lies to the right of; where
    the sum is exact it does not.
    """
    (verdict,) = check_case(case("relu((1 + x) - 1)", f"x={tiny}", dtype), analyst).verdicts
    assert verdict.outcome == "imprecise"
    assert verdict.reason.startswith(
        "kink within rounding: torch answers 0 where the derivative is 1, because rounding takes it across the kink of `relu((1 + x) - 1)`"
    )
    (verdict,) = check_case(case("relu((1 + x) - 1)", "x=2**-4", dtype), analyst).verdicts
    assert verdict.outcome == "agree"
    assert said("relu((1 + x) - 1)", "x=2**-60", 1.3).outcome == "wrong", (
        "the slope of neither side"
    )


def test_unproved_programs_are_told_so():
    """The reason says what could not be settled."""
    text, at = UNPROVED[0]
    verdict = said(text, at)
    assert verdict.outcome in ("inconclusive", "undefined", "wrong")
    assert verdict.reason


@pytest.mark.parametrize(
    ("text", "at", "side", "slope"),
    [
        ("where(x > 0, sqrt(x - 1), 0)", "x=0", "left", 0),
        ("where(x > 1, sqrt(x - 2), 3*x)", "x=1", "left", 3),
        ("where(x >= 0, x, sqrt(-x - 1))", "x=0", "right", 1),
        ("where(x < 0, sqrt(-x - 1), 2*x)", "x=0", "right", 2),
        ("where(x > 0, x, sqrt(x))", "x=0", "right", 1),
    ],
)
def test_a_branch_that_is_not_taken_need_not_have_values(text, at, side, slope):
    """The side on which the other branch is taken has its derivative, and torch's NaN is wrong
    there.
    """
    verdict = said(text, at)
    assert (verdict.outcome, verdict.sides.proved) == ("wrong", True)
    assert getattr(verdict.sides, side).value == slope
    assert getattr(verdict.sides, "right" if side == "left" else "left") is None
    assert said(text, at, slope).outcome == "kink"
    assert said(text, at, slope + 1).outcome == "wrong"


# A derivative exists, on one side at least; torch's own formula is infinite or 0/0 at all of them.
NAN_IS_WRONG = [
    ("where(x == 0, 0, cos(pi*x)/x - sin(pi*x)/(pi*x**2))", "x=0"), ("d = sqrt(3*sum((x - y)**2))/l; (1 + d)*exp(-d)", "x=[1,2],y=[1,2],l=0.5"),
    ("d = sqrt(5*sum((x - y)**2))/l; (1 + d + d**2/3)*exp(-d)", "x=[0.1,0.7],y=[0.1,0.7],l=0.3"), ("acos(x)**2", "x=1"), ("acosh(x)**2", "x=1"), ("acos(cos(x))", "x=0"),
    ("acosh(1 + 2*sum((u - v)**2)/((1 - sum(u**2))*(1 - sum(v**2))))", "u=[0.3,-0.1],v=[0.3,-0.1]"), ("acos(sum(a*b)/(norm(a)*norm(b)))", "a=[1,2],b=[2,4]"),
    ("acos(sum(a*b)/(norm(a)*norm(b)))", "a=[0.1,0.7],b=[-0.1,-0.7]"), ("where(x > 0, x**2*log(x), 0)", "x=0"), ("where(x > 0, exp(-1/x), 0)", "x=0"), ("xlogy(x**2, abs(x))", "x=0"),
    ("where(x == 0, 0, x*tanh(1/x))", "x=0"), ("where(x == 0, 0, x*sigmoid(1/x))", "x=0"), ("where(x < 1, (1 - x)**2*atanh(x), 0)", "x=1"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "at"), NAN_IS_WRONG)
def test_no_number_where_a_derivative_exists_is_wrong(text, at):
    """Never quietly inconclusive; what was proved is told."""
    others = len(case(text, at).keys) - 1
    verdict = said(text, at, nan, *[nan] * others)
    assert (verdict.outcome, verdict.sides.proved) == ("wrong", True), verdict.reason


def test_the_angle_between_parallel_vectors_has_two_slopes():
    """acos at 1 less a number that no ball tells from 0. By hand: a moved by d along the first axis
    turns by d times 2, its other component, over |a|**2 = 5.
    """
    found = proved("acos(sum(a*b)/(norm(a)*norm(b)))", "a=[1,2],b=[2,4]")
    assert (found.kind, found.sides.left.value, found.sides.right.value) == ("kink", -0.4, 0.4)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("where(x == 0, 5, x*sqrt(x))", "a jump: the value is 5, beside it it tends to 0"),
        ("sin(abs(x))/abs(x)", "the function has no value at the point itself"),
        ("0**abs(x)", "a jump: the value is 1, both sides tend to 0"),
    ],
)
def test_a_value_that_is_not_the_limit_is_no_slope(text, told):
    """On one side, on both, and where there is no value."""
    found = proved(text, "x=0")
    assert (found.kind, found.words) == ("undefined", told)


@pytest.mark.parametrize(
    "text",
    ["abs(x)*(sin(2) - 2*sin(1)*cos(1))", "relu(x*digamma(1.5)) - (digamma(0.5) + 2)*relu(x)"],
)
def test_what_no_algebra_settles_is_not_told(text):
    """These numbers are equal, 4,096 bits do not tell them apart, and no rule here says so: neither
    smooth nor a kink.
    """
    assert proved(text, "x=0").kind == "unknown"
    assert said(text, "x=0", 0.0).outcome == "inconclusive"


@pytest.mark.parametrize(
    ("text", "at", "side", "slope"),
    [("acosh(x)**2", "x=1", "right", 2), ("acos(x)**2", "x=1", "left", -2), ("xlogy(x, x)*x", "x=0", "right", 0)],
)  # fmt: skip
def test_on_an_edge_the_rule_is_told(text, at, side, slope):
    """NaN is wrong there, because the side that has values counts; a number that is not its slope
    is wrong for the same reason.
    """
    verdict = said(text, at, nan)
    assert verdict.outcome == "wrong"
    assert verdict.reason == (
        "torch answers nan, though the derivative of the side with values counts where the formula for the derivative "
        f"is not finite: the function has values on the {side} only; {side} derivative {slope}"
    )
    assert said(text, at, slope).outcome == "kink"
    assert said(text, at, slope + 0.5).outcome == "wrong"
