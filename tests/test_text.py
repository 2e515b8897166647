"""Program to text: what is written reads back as the same program."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradcheck_cli.language import text as text_module
from gradcheck_cli.language.errors import ProgramError
from gradcheck_cli.language.parse import parse
from gradcheck_cli.language.program import Number
from gradcheck_cli.language.text import decimal_text, number_text, program_text, setting_text

# The same examples every time, on every machine.
FIXED = settings(derandomize=True, database=None, deadline=None, max_examples=250)

_NUMBERS = st.one_of(
    st.integers(0, 12).map(str),
    st.sampled_from(
        [
            "0.1",
            "1e-08",
            "2.50",
            "1E+20",
            "0.0",
            "5e-324",
            "1e400",
            "1_000.5",
            "0x1F",
            "123456789012345678901234567890",
            "inf",
            "pi",
            "e",
        ]
    ),
    st.decimals(0, 1000, places=3).map(str),
)
_NAMES = st.sampled_from(["x", "y", "β", "W", "t2", "t5", "lambda_"])
_SETTINGS = st.sampled_from(
    ["sum({}, dim=0)", "({}).sum((0, 1), keepdim=True)", "np.std({}, axis=1)", "elu({}, 0.3)", "elu({}, alpha=-1/3)", "norm({}, p=inf)", "norm({}, p=-0.5)",
     "gelu({}, approximate='tanh')", "({}).reshape(2, -1)", "({}).T", "x.permute(1, 0) + {}", "clamp({}, max=2)", "clamp({}, 0)", "clamp({}, -inf, inf)", "cat([{}, x], dim=-1)", "[{}, 1]",
     "softplus({}, beta=1e-08, threshold=3)", "({})[0]", "({})[..., 1:, None]", "({})[()]", "({})[::2, -1]", "cross_entropy({}, y)", "threshold({}, 1, 2.0)"]
)  # fmt: skip
_ONE = st.sampled_from(
    [
        "-{}",
        "+{}",
        "({})",
        "sin({})",
        "-({})",
        "({})**2",
        "{} + 0.1",
        "2*({})",
        "torch.tanh({})",
        "abs({})",
        "--{}",
        "x**-({})",
    ]
)
_TWO = st.sampled_from(
    ["{} + {}", "{} - {}", "({}) * ({})", "{} * {}", "{} / {}", "({}) / ({})", "({})**({})", "({}) % ({})", "({}) @ ({})", "{} - ({})", "atan2({}, {})", "max({}, {})",
     "({})**-({})", "{} / -({})"]
)  # fmt: skip
_COMPARED = st.sampled_from(
    [
        "({}) < ({})",
        "({}) >= ({})",
        "({}) != ({})",
        "0 < ({}) <= ({})",
        "not ({}) > ({})",
        "({}) == 0 or ({}) > 1",
        "({}) < 1 and not ({}) < 2",
    ]
)
_CHOSEN = st.sampled_from(
    [
        "where({}, {}, {})",
        "({1}) if {0} else ({2})",
        "({}) * ({}) + ({})",
        "({0}) and x > 0 or ({0})",
    ]
)


def grown(inner):
    """A larger expression around smaller ones."""
    conditions = st.builds(lambda form, a, b: form.format(a, b), _COMPARED, inner, inner)
    return st.one_of(
        st.builds(lambda form, a: form.format(a), _ONE, inner),
        st.builds(lambda form, a, b: form.format(a, b), _TWO, inner, inner),
        st.builds(lambda form, a: form.format(a), _SETTINGS, inner),
        st.builds(lambda form, c, a, b: form.format(c, a, b), _CHOSEN, conditions, inner, inner),
    )


EXPRESSIONS = st.recursive(st.one_of(_NAMES, _NUMBERS), grown, max_leaves=8)
# Names are given again, inputs' names too, and used before and after.
ASSIGNMENTS = st.lists(
    st.tuples(st.sampled_from(["x", "y", "a", "b", "t2", "t5"]), EXPRESSIONS), max_size=4
)
PROGRAMS = st.builds(
    lambda lines, last: "\n".join([*(f"{name} = {value}" for name, value in lines), last]),
    ASSIGNMENTS,
    EXPRESSIONS,
)


def is_program(text):
    """Whether a text is read at all: forms that use a part twice can make it too long, and a sign
    may stand before a comparison.
    """
    try:
        parse(text)
    except ProgramError:
        return False
    return True


def reads_back(program, written):
    """Whether a text is that of a program."""
    again = parse(written)
    return (again.nodes, again.outputs) == (program.nodes, program.outputs)


@FIXED
@given(PROGRAMS.filter(is_program))
def test_the_text_of_a_program_is_that_program(text):
    """Nodes and outputs are equal, whatever was assigned, shared, named twice or written with other
    signs; and the text is a fixed point.
    """
    program = parse(text)
    written = program_text(program)
    assert reads_back(program, written), written
    assert program_text(parse(written)).count("\n") == written.count("\n")


def test_a_text_without_brackets_is_caught(monkeypatch):
    """The law above sees a writer that forgets them, or a name."""
    texts = ["(x + y)*2", "(-x)**2", "x - (y - 1)", "x**(y + 1)"]
    assert all(reads_back(parse(text), program_text(parse(text))) for text in texts)
    monkeypatch.setattr(text_module, "_within", lambda part, strength: part.text)
    assert not any(reads_back(parse(text), program_text(parse(text))) for text in texts)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("x", "x"),
        ("-x**2", "-x**2"),
        ("(-x)**2", "(-x)**2"),
        ("(-2)**x", "(-2)**x"),
        ("2**(-x)", "2**-x"),
        ("(2**3)**x", "(2**3)**x"),
        ("2**(3**x)", "2**3**x"),
        ("(x + y)*(x - y)/2", "(x + y) * (x - y) / 2"),
        ("x - (y - 1)", "x - (y - 1)"),
        ("x/(y/3)", "x / (y / 3)"),
        ("x/y/3", "x / y / 3"),
        ("-(x + y)", "-(x + y)"),
        ("-(x*y)", "-(x * y)"),
        ("(-x)*y", "-x * y"),
        ("1 < x < 2", "where(1 < x and x < 2, 1, 0)"),
        ("not (x > 0 or y > 0)", "where(not (x > 0 or y > 0), 1, 0)"),
        ("(x > 0) + (y > 0)", "where(x > 0, 1, 0) + where(y > 0, 1, 0)"),
        ("x[0, 1:][..., None]", "x[0, 1:][..., None]"),
        ("(x + 1)[()]", "(x + 1)[()]"),
        ("x @ y.T", "x @ transpose(y)"),
        ("np.std(x)", "std(x, correction=0)"),
        ("norm(x, p=1/3)", "norm(x, p=1/3)"),
        ("elu(x, 1.0)", "elu(x)"),
        ("elu(x, 1)", "elu(x, alpha=1)"),
        ("x.permute(1, 0)", "permute(x, dims=(1, 0))"),
        ("x.flip((0,))", "flip(x, dims=(0,))"),
        ("[x, 2.5]", "stack([x, 2.5])"),
        ("gelu(x, 'tanh')", "gelu(x, approximate='tanh')"),
        ("y = sin(x); y*y", "y = sin(x)\ny * y"),
        ("sin(x)*sin(x)", "t1 = sin(x)\nt1 * t1"),
        ("t1 = cos(x); sin(x)*sin(x)*t1", "t1_ = sin(x)\nt1 = cos(x)\nt1_ * t1_ * t1"),
        ("t1*sin(x)*sin(x)", "t2 = sin(x)\nt1 * t2 * t2"),
        # A name given twice, or to what an input is called, stays with its first owner.
        ("y = x; x = x**2; x + y", "x_2 = x**2\nx_2 + x"),
        ("y = x**2; u = y; y = u*3; y*u", "y = x**2\ny_4 = y * 3\ny_4 * y"),
        (
            "mask = x > 0; where(mask, x, 0)*mask",
            "mask = x > 0\nwhere(mask, x, 0) * where(mask, 1, 0)",
        ),
    ],
)
def test_how_a_program_is_written(text, written):
    """Brackets only where they are needed, names where there are any."""
    assert program_text(parse(text)) == written
    assert reads_back(parse(text), written)


@pytest.mark.parametrize(
    ("literal", "written"),
    [
        ("0.1", "0.1"),
        ("1e-8", "1e-8"),
        ("1e-08", "1e-8"),
        ("100.0", "1e2"),
        ("5.0", "5.0"),
        ("0.0", "0.0"),
        ("1.50", "1.5"),
        ("1e5000", "1e5000"),
        ("1e-5000", "1e-5000"),
        ("1234567890.125", "1234567890.125"),
        ("0." + "1" * 3_000, "0." + "1" * 3_000),
        ("9" * 4_000, "9" * 4_000),
        ("0x" + "f" * 3_998, "0x" + "f" * 3_998),
        ("inf", "inf"),
        ("-inf", "-inf"),
        ("-0.5", "-0.5"),
    ],
)
def test_a_number_is_written_exactly(literal, written):
    """No digit is lost and none made up, beyond what Python turns into text by itself too."""
    program = parse(literal)
    assert program_text(program) == written
    assert reads_back(program, written)


@FIXED
@given(st.integers(-(10**40), 10**40), st.integers(0, 60), st.integers(0, 60))
def test_a_binary_or_decimal_fraction_has_an_exact_decimal_text(numerator, twos, fives):
    """Read by Python's own `Fraction` it is the same number; it is no integer to the language."""
    value = Fraction(numerator, 2**twos * 5**fives)
    text = decimal_text(value)
    assert Fraction(text) == value
    assert any(c in text for c in ".e")
    assert number_text(Number(value, decimal=True)) == text


def test_a_fraction_without_decimals_is_a_quotient():
    """As a setting it is one constant."""
    assert decimal_text(Fraction(1, 3)) == "1/3"
    assert (
        setting_text((Fraction(-1, 3), 2, True, None, "a", float("inf"), ()))
        == "(-1/3, 2, True, None, 'a', inf, ())"
    )


@pytest.mark.parametrize(
    "text",
    [
        "sin(" * 80 + "x" + ")" * 80,
        "-" * 500 + "x",
        "x" + ".T" * 500,
        "x**" * 500 + "x",
        "x" + "[0]" * 500,
        "not " * 500 + "x > 0",
    ],
)
def test_a_deep_program_is_written_in_pieces(text):
    """Python's parser gives up at about 90 brackets within brackets; no line of ours has more than
    50, or prefixes.
    """
    program = parse(text)
    written = program_text(program)
    assert reads_back(program, written)
    assert all(
        line.count("(") + line.count("[") + line.count("-") + line.count("**") + line.count("not ")
        <= 50
        for line in written.splitlines()
    )


def test_a_long_sum_is_written_in_lines():
    """Not as one line that grows with every term: that took a minute for 20,000 terms."""
    program = parse(" + ".join(["x"] * 3_000))
    written = program_text(program)
    assert reads_back(program, written)
    assert max(map(len, written.splitlines())) < 2_100


def test_a_doubled_condition_is_not_written_out():
    """60 doublings would be 2**60 comparisons."""
    text = "c = x > 0\n" + "c = c and c\n" * 60 + "where(c, x, 0)"
    program = parse(text)
    assert reads_back(program, program_text(program))
    assert len(program_text(program)) < 2_000
