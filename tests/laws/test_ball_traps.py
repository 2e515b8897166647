"""Law: what flint answers wrongly, narrowly or slowly is caught before a verdict rests on it."""

from __future__ import annotations

from fractions import Fraction
from random import Random

import pytest
from asking import reference
from clocks import cpu_budget
from each import each
from flint import arb, ctx

from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.functions import lookup
from gradcheck_cli.functions.arithmetic import OFF
from gradcheck_cli.language.parse import parse
from gradcheck_cli.witnesses.reference import Proof
from gradcheck_cli.witnesses.truth import Certified, Touching
from gradcheck_cli.worlds import balls
from gradcheck_cli.worlds.balls import exact_ball, nearest_float
from gradcheck_cli.worlds.scalars import expand

from .points import (
    call_text,
    case,
    elementwise_rows,
    enclose,
    inputs_of,
    named,
    variants,
    verdicts_of,
)

NAN = arb.nan()
WIDE = arb(0, 1e-20)  # a ball around 0


def row_of(name: str, *args: object) -> object:
    """The ball function of a primitive."""
    return lookup(name).arb(*args)


def test_a_root_never_clips_what_lies_below_zero():
    """Whatever a version of flint makes of a ball across zero, the row has no value for it."""
    assert row_of("sqrt", WIDE).is_nan()
    assert row_of("sqrt", arb(1, 2)).is_nan()
    assert row_of("sqrt", arb(-1)).is_nan()
    assert row_of("sqrt", arb(0)).is_zero()


@pytest.mark.parametrize(
    ("exponent", "expected"), [("0.5", "0"), ("-0.5", "nan"), ("2", "0"), ("0", "1"), ("-2", "nan")]
)
def test_a_power_of_zero_is_said_only_where_it_holds(exponent, expected):
    """flint's own `arb(0)**0.5` looks finite whatever the exponent's sign; here the sign is asked
    for.
    """
    value = row_of("pow", arb(0), arb(float(exponent)))
    assert (
        (value.is_nan() or not value.is_finite()) if expected == "nan" else value == int(expected)
    )


def test_a_power_with_an_undecided_base_or_exponent_has_no_enclosure():
    """A base that may be negative under an exponent that may be no integer."""
    assert row_of("pow", WIDE, arb(0.5)).is_nan()
    assert row_of("pow", arb(-2), arb(2, 1e-20)).is_nan()
    assert row_of("pow", arb(0), WIDE).is_nan()
    assert row_of("pow", arb(-2), arb(3)) == -8


@pytest.mark.parametrize("name", ["floor", "ceil", "trunc", "round", "sign", "heaviside"])
def test_a_step_on_its_edge_holds_both_sides(name):
    """A ball across the edge gives a ball across the jump, never one of the two values."""
    edge = arb(1.5 if name == "round" else 0.0 if name in ("sign", "heaviside") else 2.0)
    low, high = row_of(name, edge - 0.1), row_of(name, edge + 0.1)
    across = row_of(name, edge + WIDE)
    assert across.contains(low) and across.contains(high)
    assert low < high


def test_atan2_across_its_cut_holds_both_sides():
    """The cut is the negative x axis: the ball goes from -pi to pi."""
    across = row_of("atan2", WIDE, arb(-1))
    assert across.contains(arb.pi()) and across.contains(-arb.pi())


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("floor(x)", "x=2"),
        ("sign(x)", "x=0"),
        ("atan2(y, x)", "y=0,x=-1"),
        ("round(x)", "x=1.5"),
        ("heaviside(x)", "x=0"),
    ],
)
def test_on_a_jump_nothing_is_certified(text, at):
    """The reference names the boundary, and no verdict is a pass."""
    proved = reference(case(text, at))
    assert isinstance(proved.partials[0], Touching) and proved.partials[0].jumps
    assert verdicts_of(case(text, at))[0].outcome not in ("agree", "imprecise", "kink")


def test_comparisons_have_three_answers():
    """flint: on overlapping balls `==` and `!=` are both False."""
    a, b = arb(1, 1e-20), arb(1, 1e-21)
    assert not a == b and not a != b  # noqa: SIM201, SIM202 - that is the trap
    for name in ("eq", "ne", "lt", "le", "gt", "ge"):
        assert row_of(name, a, b) is None, name
    one, two = arb(1), arb(2)
    assert [row_of(name, one, two) for name in ("eq", "ne", "lt", "le", "gt", "ge")] == [
        False,
        True,
        True,
        True,
        False,
        False,
    ]
    assert [row_of(name, one, one) for name in ("eq", "ne", "lt", "le", "gt", "ge")] == [
        True,
        False,
        False,
        True,
        False,
        True,
    ]


def test_an_undecided_condition_holds_both_branches():
    """`where` joins them, logic stays undecided, and a branch that is not taken is gone even if it
    is NaN.
    """
    both = row_of("where", None, arb(1), arb(3))
    assert both.contains(arb(1)) and both.contains(arb(3))
    assert row_of("logical_and", None, True) is None and row_of("logical_and", None, False) is False
    assert row_of("logical_or", None, False) is None and row_of("logical_or", None, True) is True
    assert row_of("logical_not", None) is None
    assert row_of("where", True, arb(1), NAN) == 1
    assert row_of("gate", False) is OFF and OFF * NAN is OFF and OFF + arb(1) == 1


@each("nan", [NAN, arb(float("nan"))], ids=repr)
@each(
    "row",
    [
        row
        for row in elementwise_rows()
        if row.kind == "primitive"
        and row.name not in ("where", "gate", "masked_fill")
        and not row.condition
    ],
    ids=named,
)
def test_nan_stays_nan(row, nan):
    """flint: `nan**0` is 1 and `atan2(nan, 1)` a finite ball; a value that could not be enclosed
    must not come back.
    """
    for k in range(len(row.parsed.args)):
        if row.parsed.args[k].kind != "index":
            args = [nan if i == k else arb(1) for i in range(len(row.parsed.args))]
            if row.name == "pow" and k == 1:
                continue  # 1**y is 1 for every y
            assert not row.arb(*args).is_finite(), f"argument {k}"


def test_the_precision_is_put_back():
    """`ctx.prec` is global: neither a run, nor a run out of time, nor a whole check changes it."""
    before = ctx.prec
    program = parse("sin(x) * exp(x)")
    scalars = expand(program, {"x": ()}).builder.program(
        expand(program, {"x": ()}).values[program.result]
    )
    balls.Machine(scalars).run({"x": 0.3}, 500, float)
    assert ctx.prec == before
    long = expand(parse("+".join(f"sin({k} * x)" for k in range(1, 60))), {"x": ()})
    with pytest.raises(balls.OutOfTime):
        balls.Machine(long.builder.program(len(long.builder.nodes) - 1)).run(
            {"x": 0.3}, 500, float, deadline=0.0
        )
    assert ctx.prec == before
    verdicts_of(case("abs(x) + sqrt(x) + digamma(x)", "x=0"))
    assert ctx.prec == before


# Where arb's own functions take seconds to minutes, lose every digit, or overflow.
EXTREMES = (
    "1e15",
    "-999999999999999.5",
    "700.5",
    "-700.5",
    "1e300",
    "-1e300",
    "1e-300",
    "-1e-300",
    "5e-324",
    "123456.789",
    "-0.999999999999",
)


@each(
    "row",
    [
        row
        for row in elementwise_rows()
        if not row.condition and any(not p.kind for p in row.parsed.args)
    ],
    ids=named,
)
def test_extreme_arguments_end_soon(row):
    """Value and derivative, at every precision it takes, in 2 s a point at most; what is
    certified is finite.
    """
    text = call_text(row, variants(row)[0], order=3)
    for value in EXTREMES:
        found = case(text, ",".join(f"{name}={value}" for name in inputs_of(text)))
        with cpu_budget(2.0, f"{text} at {value}"):
            proved = reference(found)
        assert isinstance(proved, Proof)
        assert all(
            answer.ball.is_finite()
            for answer in (*proved.forward, *proved.partials)
            if isinstance(answer, Certified)
        )


@pytest.mark.parametrize("at", ["x=0.3", "x=-7.7", "x=1e15"])
@pytest.mark.parametrize(
    "text",
    [
        "cos(x)**2 + sin(x)**2",
        "exp(log(x**2 + 1)) - x**2",
        "logaddexp(x, -x) - logaddexp(-x, x)",
        "cosh(x/1e15)**2 - sinh(x/1e15)**2",
    ],
)
def test_an_identically_zero_derivative_is_certified_as_zero(text, at):
    """Below 2**-1076, half the smallest float64: the ball holds 0 and nothing that a dtype could
    tell from it.
    """
    proved = reference(case(text, at))
    (answer,) = proved.partials
    assert isinstance(answer, Certified)
    assert answer.ball.contains(0)
    assert abs(answer.ball).upper() < arb(2) ** -1076


def test_nearly_zero_is_not_taken_for_zero():
    """The same with one part in 2**200 of a slope: it is certified, and it is not 0."""
    (answer,) = reference(case("cos(x)**2 + sin(x)**2 + x / 2**200", "x=0.3")).partials
    assert isinstance(answer, Certified)
    assert not answer.ball.contains(0)
    assert abs(answer.ball * arb(2) ** 200 - 1) < 1e-15


def test_the_value_of_a_row_holds_at_any_precision():
    """A ball at 64 bits holds the ball at 800: enclosures, not approximations."""
    for row in elementwise_rows():
        text = call_text(row, variants(row)[0], order=2)
        at = dict.fromkeys(inputs_of(text), 0.3)
        coarse, fine = enclose(text, at, 64), enclose(text, at, 800)
        assert coarse.contains(fine) or not coarse.is_finite(), text


@pytest.mark.parametrize("exponent", [1, 2, 3, 8, 1001])
def test_an_integer_power_of_a_ball_around_zero_holds_its_powers(exponent):
    """arb answers NaN where the midpoint is 0; ours holds every power of every number in the ball,
    and is no wider than twice the largest.
    """
    ball = arb(0.25, 0.5)
    found = lookup("pow").arb(ball, arb(exponent))
    for inside in (-0.25, -0.125, 0.0, 0.5, 0.75):
        assert found.contains(arb(inside) ** exponent)
    assert found.abs_upper() < 2 * arb(0.75) ** exponent
    assert not (arb(0, 0.5) ** arb(2)).is_finite()
    assert lookup("pow").arb(arb(0, 0.5), arb(exponent)).contains(arb(0.5) ** exponent)


def test_a_balls_float_is_the_nearest():
    """flint rounds to nearest, halves to even, subnormals as well: as the dtype does exactly."""
    random = Random("nearest")  # noqa: S311 - points that repeat, not secrets
    wide = [random.getrandbits(120) | 1 for _ in range(300)]
    ties = [2 * (random.getrandbits(52) | 1 << 52) + 1 for _ in range(300)]
    for mantissa in (*wide, *ties):
        for exponent in (-1_190, -1_130, -60, 0, 200, 900):
            value = Fraction(mantissa) * Fraction(2) ** exponent
            with ctx.workprec(256):
                ball = exact_ball(value)
            assert nearest_float(ball) == DTYPES["float64"].round(value)
