"""Numbers as text: what is printed holds what was meant, and no line break falls into a number."""

from __future__ import annotations

import shlex
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.text import Text

from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.questions.numbers import read_value
from gradcheck_cli.records.numbers import typed_text
from gradcheck_cli.reports.digits import with_bar
from gradcheck_cli.reports.format import array_text, escape_controls, inert, torch_number
from gradcheck_cli.reports.wrap import TOKEN, shorten, wrap, wrap_command

# The same examples every time, on every machine.
FIXED = settings(derandomize=True, database=None, deadline=None)

finite = st.floats(allow_nan=False, allow_infinity=False)


@FIXED
@given(finite, st.floats(min_value=0, max_value=1e300))
def test_the_printed_bar_holds_the_bar(value: float, radius: float) -> None:
    """Rounding for print only ever widens the interval, by less than a tenth of the bar and a
    digit.
    """
    shown, bar = (Decimal(part) for part in with_bar(value, radius).split(" ± "))
    middle = Decimal(repr(value))
    assert Fraction(shown) - Fraction(bar) <= Fraction(middle) - Fraction(radius)
    assert Fraction(shown) + Fraction(bar) >= Fraction(middle) + Fraction(radius)
    assert Fraction(bar) <= Fraction(radius) * Fraction(13, 10)


@pytest.mark.parametrize(
    ("value", "radius", "text"),
    [
        (0.0007402760985886271, 1.0549354055531246e-13, "0.00074027609859 ± 1.1e-13"),
        (1.0, 0.0, "1.0 ± 0"),
        (2.0, 3e-14, "2.0 ± 3e-14"),
        (123456.789, 12.5, "123457 ± 13.0"),
        (1.9e-30, 8.4e-33, "1.9e-30 ± 8.4e-33"),
        (3e-20, 1e-15, "0 ± 1.1e-15"),
        (2.5, float("inf"), "2.5 ± inf"),
        (float("nan"), 1.0, "nan ± 1.0"),
    ],
)
def test_values_are_rounded_to_their_bar(value: float, radius: float, text: str) -> None:
    """Two digits of the bar, no digit of the value below them."""
    assert with_bar(value, radius) == text


@pytest.mark.parametrize("name", DTYPES)
@FIXED
@given(value=finite)
def test_what_torch_answered_reads_back_as_the_same_number(name: str, value: float) -> None:
    """Nine digits are enough for the narrow formats, `repr` for float64."""
    held = DTYPES[name].round(Fraction(value))
    shown = torch_number(held, name)
    assert (
        float(shown) == held
        if abs(held) == float("inf")
        else DTYPES[name].round(Fraction(shown)) == held
    )


@FIXED
@given(st.lists(finite, min_size=1, max_size=4))
def test_typed_text_reads_back_bit_for_bit(values: list[float]) -> None:
    """What a point shows can be typed again, -0.0 included."""
    found = read_value(typed_text(values))
    assert isinstance(found, list)
    again = [-0.0 if number.negative_zero else float(number.value) for number in found]  # type: ignore[union-attr]
    assert np.array(again).tobytes() == np.array(values).tobytes()


def test_a_long_array_is_told_by_its_first_numbers() -> None:
    """And whole when asked for."""
    array = [[float(20 * i + j) for j in range(20)] for i in range(3)]
    assert array_text(array) == "0, 1, 2, … (60 numbers, shape (3, 20))"
    assert array_text(array, whole=True) == typed_text(array)
    assert array_text([[1.0, 0.5]]) == "[[1, 0.5]]"
    assert array_text(["nan", "-inf", -0.0, 1e16, 3]) == "[nan, -inf, -0.0, 1e+16, 3]"


def test_nothing_that_drives_a_terminal_is_printed() -> None:
    """Escape sequences, text direction, carriage returns; line ends stay."""
    assert escape_controls("a\x1b[1m\rb\n\u202ec∂") == "a\\x1b[1m\\rb\n\\u202ec∂"


words = st.lists(
    st.one_of(
        finite.map(repr),
        st.sampled_from(
            [
                "sigmoid(x**2)+1.5e-10*tanh(x)",
                "∂f/∂W[10,11]",
                "a_rather_long_name",
                "漢字",
                "±",
                ";",
            ]
        ),
    )
)


@FIXED
@given(words, st.integers(8, 60), st.integers(0, 4))
def test_wrapping_loses_nothing_and_breaks_no_number(
    parts: list[str], width: int, indent: int
) -> None:
    """The same tokens in the same order; only a single number may be wider than the line."""
    text = " ".join(parts)
    lines = [line.plain for line in wrap(Text(text), width, indent)]
    assert "".join("".join(lines).split()) == "".join(text.split())
    assert [t["number"] for line in lines for t in TOKEN.finditer(line) if t["number"]] == [
        t["number"] for t in TOKEN.finditer(text) if t["number"]
    ]
    for line in lines:
        assert Text(line).cell_len <= width or TOKEN.fullmatch(line)["number"]  # type: ignore[index]


@FIXED
@given(
    st.lists(
        st.sampled_from(
            [
                "gradcheck",
                "--at",
                "x=0.12345678901234567",
                "sigmoid(x**2) + tanh(x**3)*1.5",
                "y = x\ny*2",
                "it's",
                "[[1.0, 2.0]]",
                "::unmet-and-more",
            ]
        ),
        min_size=1,
    )
)
@pytest.mark.parametrize("width", [20, 40, 80])
def test_a_wrapped_command_is_the_same_command(width: int, argv: list[str]) -> None:
    """A shell drops a backslash with its line end; what is left has the same arguments. No line of
    it has to be marked, as what a CI server would take for its own command is.
    """
    wrapped = wrap_command(shlex.join(argv), width, 11)
    assert shlex.split(wrapped.replace("\\\n", "")) == argv
    assert inert(f"reproduce: {wrapped}") == f"reproduce: {wrapped}"
    numbers = [t["number"] for t in TOKEN.finditer(wrapped) if t["number"]]
    assert set(numbers) == {t["number"] for t in TOKEN.finditer(shlex.join(argv)) if t["number"]}


def test_shortened_cuts_between_tokens() -> None:
    """A number is there whole or not at all."""
    assert shorten("x + 123.456", 9) == "x + …"
    assert shorten("x + 123.456", 11) == "x + 123.456"
