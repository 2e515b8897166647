"""A decimal beyond the dtype's range is an infinity there: what is computed of it is none, too."""

from __future__ import annotations

from math import isfinite

import pytest
from asking import case, check_case
from each import each

from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.records.outcome import Cause

# The least decimals that no number of the dtype is near.
BEYOND = {"float64": "1e400", "float32": "1e39", "float16": "70000.5", "bfloat16": "4e38"}
# torch's value is an infinity or NaN.
WITHOUT_VALUE = [
    "x + C", "x + C - C", "sin(x) - C", "x**2 + C", "sin(x)*0 + C", "C/x", "x*C", "x*C*(1/C)", "maximum(x, C)", "where(x < C, C, x)", "x - x*C", "C**x", "sum([x, C])",
    "(x - C)*(x + C)", "exp(x*C)", "-C + relu(x)", "C + 0*x", "hypot(x, C)",
]  # fmt: skip
# It is a number, and the derivative is one: what the infinity leaves of the program, by hand.
WITH_VALUE = [("x/C", 0), ("minimum(x, C)", 1), ("clamp(x, -C, C)", 1), ("x + exp(-C)", 1), ("where(x > 0, x, C)", 1), ("x*tanh(C)", 1), ("sin(x)/C + 2*x", 2)]  # fmt: skip


def verdict_on(analyst, text, dtype, **how):
    result = check_case(case(text, "x=1", dtype, **how), analyst)
    return result.verdicts[0]


@pytest.mark.parametrize("dtype", sorted(DTYPES))
@each("text", WITHOUT_VALUE)
def test_an_infinite_value_has_no_derivative(text, dtype, analyst):
    """As with an infinity in its place; and the decimal is named."""
    decimal = BEYOND[dtype]
    verdict = verdict_on(analyst, text.replace("C", decimal), dtype)
    assert (verdict.outcome, verdict.cause) == ("undefined", Cause.OUTSIDE_DOMAIN), verdict.reason
    assert "there is nothing to differentiate: torch's value is " in verdict.reason
    assert f"{decimal}` is beyond the range of {dtype}" in verdict.reason
    assert verdict_on(analyst, text.replace("C", "inf"), dtype).outcome == "undefined"


@pytest.mark.parametrize("dtype", sorted(DTYPES))
@each("text, slope", WITH_VALUE)
def test_an_infinity_that_leaves_a_value_leaves_a_derivative(text, slope, dtype, analyst):
    """No decimal is refused for its size alone."""
    verdict = verdict_on(analyst, text.replace("C", BEYOND[dtype]), dtype)
    assert (verdict.outcome, verdict.error) == ("agree", 0.0), verdict.reason
    found = case(text.replace("C", BEYOND[dtype]), "x=1", dtype)
    assert isfinite(check_case(found, analyst).evidence.of("autograd", 0).value)
    assert check_case(found, analyst).evidence.of("autograd", 0).value == slope


@pytest.mark.parametrize("text", ["x**2 + 1e400", "x**2 + inf", "x**3 - 1e400 + 1e400"])
def test_a_second_derivative_of_no_value_is_none(text):
    """That torch's first derivative is a number helps nothing."""
    from gradcheck_cli import check

    assert [r.outcome for r in check(text, {"x": 1.0}, order=2).results] == ["undefined"]
    assert [r.outcome for r in check("x**3", {"x": 1.0}, order=2).results] == ["agree"]


def test_an_exact_integer_stays_one(analyst):
    """10**400 is no float, and no infinity: torch's infinity is the nearest there is to it."""
    assert verdict_on(analyst, "x + 10**400", "float64").outcome == "agree"
