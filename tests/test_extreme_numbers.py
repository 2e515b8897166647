"""Numbers whose powers of ten have hundreds of digits are written shortly, wherever they stand."""

from __future__ import annotations

import json
import re
from math import cosh, exp, log10

import pytest
from asking import case, check_case
from flint import arb, ctx

from gradcheck_cli.worlds.decimals import ball_text, digits_of

# The derivative's power of ten, by hand.
PROGRAMS = [
    ("exp(x)", 1e300, 1e300 * log10(exp(1))), ("expm1(x)", 1e300, 1e300 * log10(exp(1))), ("sinh(x)", 1e250, 1e250 * log10(exp(1))), ("exp(-x)", 240_000, -240_000 * log10(exp(1))),
    ("exp(cosh(x))", 100.0, cosh(100) * log10(exp(1))), ("3**x", 1e200, 1e200 * log10(3)), ("exp(x) - exp(2*x)", 1e100, 2e100 * log10(exp(1))), ("exp(x) + [1, 2]", 1e300, 1e300 * log10(exp(1))),
]  # fmt: skip


@pytest.mark.parametrize(("text", "x", "power"), PROGRAMS)
def test_a_number_beyond_all_dtypes_is_written_by_its_power(text, x, power, analyst):
    """In the sentence, in the proved digits and in notes; no report has long lines for it."""
    result = check_case(case(text, f"x={x}"), analyst)
    (verdict,) = result.verdicts
    truth = result.evidence.of("reference", 0)
    digits = truth.entry()["digits"]
    for words in (digits, verdict.reason):
        (written,) = set(re.findall(r"10\^\(([^()]*)\)", words))
        assert float(written) == pytest.approx(power, rel=1e-5)
    assert len(verdict.reason) < 500
    assert len(json.dumps(digits)) < 40


@pytest.mark.parametrize(
    ("power", "words"),
    [(99_998, "1.00000e+99998"), (-99_998, "1.00000e-99998"), (100_001, "10^(1.00001e+5)"), (-100_001, "10^(-1.00001e+5)")],
)  # fmt: skip
def test_from_where_on(power, words):
    """Up to 99,999 a power of ten stands as it is; the sign stands before the number."""
    with ctx.workprec(400_000):
        ball = arb(10) ** power
        assert ball_text(ball, 6) == words
        assert ball_text(-ball, 6) == f"-{words}"
        assert digits_of(ball, 6) == words


def test_what_is_no_number_of_its_own():
    """A ball around 0, an infinity, NaN: as flint writes them."""
    assert digits_of(arb(0, 1), 6) == "0"
    assert ball_text(arb(0), 6) == "0"
    assert ball_text(arb("nan"), 6) == "nan"
    assert "inf" in ball_text(arb("inf"), 6)
