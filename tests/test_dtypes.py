"""Numbers of a point, rounded to each dtype once and exactly."""

from __future__ import annotations

import math
from fractions import Fraction
from random import Random

import mpmath
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.questions.numbers import Exact, read_value

# The same examples every time, on every machine.
FIXED = settings(derandomize=True, database=None, deadline=None, max_examples=200)


def value(text):
    """The exact value of one number."""
    found = read_value(text)
    assert isinstance(found, Exact)
    return found.value


IRRATIONAL = [
    ("pi/4", lambda m: m.pi / 4), ("e", lambda m: m.e), ("sqrt(2)", lambda m: m.sqrt(2)), ("2**0.5", lambda m: m.sqrt(2)), ("10**-0.5", lambda m: 1 / m.sqrt(10)),
    ("log(3)", lambda m: m.log(3)), ("exp(-30)", lambda m: m.exp(-30)), ("sin(1e22)", lambda m: m.sin(m.mpf(10) ** 22)), ("atan2(1, 2)", lambda m: m.atan2(1, 2)),
    ("-pi", lambda m: -m.pi), ("tan(1.5)", lambda m: m.tan(m.mpf(3) / 2)), ("1 - cos(1e-8)", lambda m: 1 - m.cos(m.mpf(10) ** -8)), ("erf(0.3)", lambda m: m.erf(m.mpf(3) / 10)),
    ("sqrt(2)*1e-300", lambda m: m.sqrt(2) / m.mpf(10) ** 300), ("lgamma(1/3)", lambda m: m.loggamma(m.mpf(1) / 3)), ("355/113 - pi", lambda m: m.mpf(355) / 113 - m.pi),
    ("digamma(2.5)", lambda m: m.psi(0, m.mpf(5) / 2)), ("tanh(20)", lambda m: m.tanh(20)), ("sin(1e300)", lambda m: m.sin(m.mpf(10) ** 300)),
]  # fmt: skip


@pytest.mark.parametrize(("text", "formula"), IRRATIONAL, ids=[text for text, _ in IRRATIONAL])
def test_an_irrational_point_is_correct_to_the_last_bit(text, formula):
    """In every dtype, against mpmath with 200 digits to spare, rounded by mpmath."""
    with mpmath.workdps(520):
        truth = +formula(mpmath)
    for dtype in DTYPES.values():
        with mpmath.workprec(dtype.digits):
            rounded = +truth
        if abs(rounded) >= mpmath.mpf(2) ** dtype.least:  # mpmath has no subnormals
            assert dtype.round(value(text)) == rounded


def test_a_wrong_last_bit_is_caught():
    """The law above sees one unit in the last place."""
    assert DTYPES["float64"].round(value("pi/4")) == math.pi / 4 != math.nextafter(math.pi / 4, 1)


@st.composite
def between_neighbours(draw):
    """(dtype, exact number, the neighbour it belongs to): at or near the middle of two neighbouring
    numbers of a format.
    """
    dtype = draw(st.sampled_from(list(DTYPES.values())))
    exponent = draw(
        st.sampled_from(
            [
                dtype.least,
                dtype.least + 1,
                -1,
                0,
                1,
                dtype.most - 1,
                draw(st.integers(dtype.least, dtype.most - 1)),
            ]
        )
    )
    spacing = Fraction(2) ** (exponent - dtype.digits + 1)
    # Normal significands have all digits; below them, at the least exponent, are the subnormals.
    lowest = 0 if exponent == dtype.least else 2 ** (dtype.digits - 1)
    n = draw(st.integers(lowest, 2**dtype.digits - 2))
    off = draw(st.sampled_from([0, 1, -1])) * Fraction(1, 10 ** draw(st.integers(1, 60))) / 2
    expected = n + (off > 0) if off else n + n % 2
    sign = draw(st.sampled_from([1, -1]))
    return dtype, sign * (n + Fraction(1, 2) + off) * spacing, sign * expected * spacing


@FIXED
@given(between_neighbours())
def test_rounding_is_to_the_nearest_and_halves_go_to_even(drawn):
    """At the middle and as little as 1e-60 off it, in every format, among its subnormals too."""
    dtype, exact, expected = drawn
    assert Fraction(dtype.round(exact)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1.000000059604644775390625", 1.0),  # 1 + 2**-24: the middle, to even
        ("1.00000005960464477539062500", 1.0),
        (
            "1.000000059604644775390625000000000000001",
            1 + 2**-23,
        ),  # a float64 on the way would lose the last digit
        ("1.000000059604644775390624999999999999999", 1.0),
        ("1.000000178813934326171875", 1 + 2**-22),  # 1 + 3*2**-24: the middle, to even
        ("1.000000178813934326171874999999999999999", 1 + 2**-23),
        ("-1.000000059604644775390625000000000000001", -1 - 2**-23),
        ("7.006492321624085e-46", 0.0),  # below half the smallest subnormal
        ("7.006492321624086e-46", 2.0**-149),
        (
            "340282356779733661637539395458142568448",
            None,
        ),  # the middle between the largest and 2**128: beyond
        ("340282356779733661637539395458142568447", (2 - 2.0**-23) * 2.0**127),
    ],
)
def test_float32_is_rounded_from_the_decimal(text, expected):
    """Never through float64."""
    assert DTYPES["float32"].round(value(text)) == (math.inf if expected is None else expected)


def test_a_float64_on_the_way_is_caught():
    """The law above sees the difference that two roundings make."""
    text = "1.000000059604644775390625000000000000001"
    assert float(np.float32(float(text))) == 1.0 != DTYPES["float32"].round(value(text))


def test_torch_rounds_as_we_do():
    """On random doubles to float32, and on random float32 numbers to the two formats of 16 bits."""
    random = Random("rounding")  # noqa: S311 - a fixed seed is wanted
    doubles = [random.uniform(-1, 1) * 2.0 ** random.randint(-160, 130) for _ in range(3_000)]
    singles = [
        float(np.float32(random.uniform(-1, 1) * 2.0 ** random.randint(-30, 20)))
        for _ in range(3_000)
    ]
    for name, numbers in (("float32", doubles), ("float16", singles), ("bfloat16", singles)):
        theirs = (
            torch.tensor(numbers, dtype=torch.float64)
            .to(torch.float32)
            .to(getattr(torch, name))
            .double()
            .tolist()
        )
        assert [DTYPES[name].round(Fraction(number)) for number in numbers] == theirs


def test_torch_rounds_doubles_to_bfloat16_twice():
    """Found: torch goes through float32, so that just above the middle it rounds down. We round
    once.
    """
    number = 1 + 2.0**-8 + 2.0**-40
    assert DTYPES["bfloat16"].round(Fraction(number)) == 1 + 2.0**-7
    assert float(torch.tensor(number, dtype=torch.float64).to(torch.bfloat16)) == 1.0


def test_a_negative_number_too_small_becomes_minus_zero():
    """As IEEE 754 rounds it; `1/x` and `atan2` tell the difference."""
    assert math.copysign(1, DTYPES["float64"].round(Fraction(-1, 10**400))) == -1
