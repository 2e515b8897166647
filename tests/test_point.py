"""Points: what `--at` promises, exact rounding to every dtype, and the whole text of every message."""

from __future__ import annotations

import ast
import math
from fractions import Fraction
from pathlib import Path
from random import Random

import mpmath
import numpy as np
import pytest
import test_parse
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import gradcheck_cli
from gradcheck_cli.case import Request, cases_of
from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.language.constants import MAX_DIGITS, MAX_EXPONENT
from gradcheck_cli.language.errors import PointError
from gradcheck_cli.language.parse import parse
from gradcheck_cli.point import MAX_POINTS, Exact, Grid, read_points, read_value

# The same examples every time, on every machine.
FIXED = settings(derandomize=True, database=None, deadline=None, max_examples=200)

# Each text of --at with all that is said of it.
MESSAGES = {
    "3": """\
error[bad-point]: `3` is not of the form NAME=VALUE
  | 3
  | ^
  = help: for example `--at x=3,y=[1, 2]`""",
    "x==3": """\
error[bad-point]: `x==3` is not of the form NAME=VALUE
  | x==3
  | ^^^^
  = help: for example `--at x=3,y=[1, 2]`""",
    "x=1,,y=2": """\
error[bad-point]: NAME=VALUE is missing here
  | x=1,,y=2
  |     ^
  = help: for example `--at x=3,y=[1, 2]`""",
    "": """\
error[bad-point]: NAME=VALUE is missing here
  | 
  | ^
  = help: for example `--at x=3,y=[1, 2]`""",
    "x=1,x=2": """\
error[duplicate-value]: `x` is given twice
  | x=1,x=2
  |       ^""",
    "x=,y=sigmod(2),z=[1 2]": """\
error[bad-number]: there is no value here
  | x=,y=sigmod(2),z=[1 2]
  |   ^
error[unknown-function]: no function named `sigmod`
  | x=,y=sigmod(2),z=[1 2]
  |      ^^^^^^
  = help: did you mean `sigmoid` or `logsigmoid`? `gradcheck functions` lists all
error[syntax]: this is not an expression: invalid syntax
  | x=,y=sigmod(2),z=[1 2]
  |                     ^""",
    "é=漢+1": """\
error[bad-number]: a point is made of numbers, and `漢` is not one
  | é=漢+1
  |   ^^^^""",
    "x=inf": """\
error[bad-number]: this expression has no finite value
  | x=inf
  |   ^^^""",
    "x=nan": """\
error[unknown-name]: `nan` is not a number one can differentiate at
  | x=nan
  |   ^^^""",
    "x=2/0": """\
error[bad-number]: this expression has no finite value
  | x=2/0
  |   ^^^""",
    "x=sin(pi)": """\
error[bad-number]: this expression cannot be told from 0
  | x=sin(pi)
  |   ^^^^^^^""",
    "x=exp(1e6)": """\
error[bad-number]: this expression is a number far outside every dtype
  | x=exp(1e6)
  |   ^^^^^^^^""",
    "x=stack([1, 2])": """\
error[bad-number]: this is not a single number
  | x=stack([1, 2])
  |   ^^^^^^^^^^^^^""",
    "x=sum(1, dim=3)": """\
error[bad-number]: this is not a number: dim 3 is out of range: from -1 to 0 are there
  | x=sum(1, dim=3)
  |   ^^^^^^^^^^^^^""",
    "x=y=2": """\
error[unsupported-syntax]: one expression is needed here, without assignments
  | x=y=2
  |   ^^^""",
    "x=1;y=2": """\
error[unsupported-syntax]: one expression is needed here, without assignments
  | x=1;y=2
  |   ^""",
    "x=0:1": """\
error[bad-number]: a grid is written start:stop:count
  | x=0:1
  |   ^^^""",
    "x=0:1:0": f"""\
error[bad-number]: the count of a grid is a whole number from 1 to {MAX_POINTS:,}
  | x=0:1:0
  |       ^""",
    f"x=0:1:{MAX_POINTS + 1}": f"""\
error[bad-number]: the count of a grid is a whole number from 1 to {MAX_POINTS:,}
  | x=0:1:{MAX_POINTS + 1}
  |       ^^^^^^^""",
    "x=0::5": """\
error[bad-number]: there is no value here
  | x=0::5
  |     ^""",
    "x=[0:1:5]": """\
error[bad-number]: a grid cannot stand in a list
  | x=[0:1:5]
  |    ^^^^^""",
    "x=[1,,2]": """\
error[bad-number]: there is no value here
  | x=[1,,2]
  |      ^""",
    "x=[1, 2": """\
error[bad-number]: this bracket is not closed
  | x=[1, 2
  |   ^""",
    "x=[1, 2)": """\
error[bad-number]: this bracket closes none
  | x=[1, 2)
  |        ^""",
    "x=1]": """\
error[bad-number]: this bracket closes none
  | x=1]
  |    ^""",
    "x=[[1]2]": """\
error[bad-number]: there is something after the list
  | x=[[1]2]
  |       ^""",
    "x=[1, 2]*2": """\
error[bad-number]: there is something after the list
  | x=[1, 2]*2
  |         ^^""",
    "x=1e5001": f"""\
error[too-large]: this number has more than {MAX_DIGITS:,} digits or an exponent beyond {MAX_EXPONENT:,}
  | x=1e5001
  |   ^^^^^^""",
    "x=(1e-5000)**40000": """\
error[too-large]: this constant has more than 100,000 bits
  | x=(1e-5000)**40000
  |   ^^^^^^^^^^^^^^^^""",
    "x=" + "[" * 70 + "1" + "]" * 70: f"""\
error[too-deep]: brackets are nested more than 64 deep
  | …{"[" * 63}1{"]" * 56}…
  | {" " * 61}^""".replace("[" * 63 + "1" + "]" * 56, "[" * 66 + "1" + "]" * 54),
}

# Programs and points that do not fit, with all that is said of them.
MISFITS = [
    ("x + y*y", "x=1", {}, """\
error[missing-value]: `--at` gives no value for `y`
  | x + y*y
  |     ^
  = help: for example `--at y=1`"""),
    ("x*sin", "x=1", {}, """\
error[missing-value]: `--at` gives no value for `sin`
  | x*sin
  |   ^^^
  = help: `sin` is a function: write sin(...)"""),
    ("width", "widht=1", {}, """\
error[missing-value]: `--at` gives no value for `width`
  | width
  | ^^^^^
  = help: for example `--at width=1`
error[extra-value]: `--at` gives `widht`, which is not an input of the program
  = help: did you mean `width`?"""),
    ("x", "x=1,y=2", {"wrt": ["z"]}, """\
error[extra-value]: `--at` gives `y`, which is not an input of the program
  = help: it has `x`
error[unknown-input]: `--wrt` names `z`, which is not an input of the program"""),
    ("cross_entropy(x, y)", "x=[1, 2],y=1", {"wrt": ["y"]}, "error[index-input]: `y` holds class indices: there is nothing to differentiate"),
    ("cross_entropy(x, y)", "x=[1, 2],y=1/2", {}, "error[not-an-integer]: `y` holds class indices, and 1/2 is not an integer"),
    ("2 + 3", "x=1", {}, """\
error[extra-value]: `--at` gives `x`, which is not an input of the program
  = help: it has no inputs"""),
    ("x", "x=1", {"dtypes": ["flaot32"]}, """\
error[unknown-dtype]: no dtype named `flaot32`
  = help: did you mean `float32`?"""),
    ("x", "x=[[1, 2], [3]]", {}, "error[ragged]: the rows of `x` are not of equal length"),
    ("x", "x=[1, [2]]", {}, "error[ragged]: the rows of `x` are not of equal length"),
    ("x", "x=[]", {}, "error[empty-tensor]: `x` has no elements: there is nothing to differentiate"),
    ("x", "x=" + "[" * 20 + "1" + "]" * 20, {}, "error[too-deep]: `x` has 20 dimensions; 16 are accepted"),
    ("x", "x=1e400", {}, "error[out-of-range]: `x` = 1e400 is beyond the largest float64, 1.79769e+308"),
    ("x", "x=65520", {"dtypes": ["float16"]}, "error[out-of-range]: `x` = 65520 is beyond the largest float16, 65504"),
    ("x @ y", "x=[1, 2],y=[1, 2, 3]", {}, None),
    ("x*2", "x=[1, 2]", {"cotangent": read_value("[1, 2, 3]")}, "error[shape-mismatch]: the cotangent has shape (3,), the result (2,)"),
    ("x + y", "x=0:1:2000,y=0:1:2000", {}, f"error[too-large]: these grids make more than {MAX_POINTS:,} points"),
]  # fmt: skip


def said(program, at, options):
    """The message of a misfit."""
    with pytest.raises(PointError) as caught:
        cases_of(Request(parse(program), read_points([at]), **options))
    return str(caught.value)


def value(text):
    """The exact value of one number."""
    found = read_value(text)
    assert isinstance(found, Exact)
    return found.value


def plain(found):
    """Nested lists of exact values."""
    return [plain(item) for item in found] if isinstance(found, list) else found.value


@pytest.mark.parametrize("text", MESSAGES, ids=lambda text: repr(text[:30]))
def test_a_message_says_what_and_where(text):
    """The whole text, all mistakes in one go."""
    with pytest.raises(PointError) as caught:
        read_points([text])
    assert str(caught.value) == MESSAGES[text]


@pytest.mark.parametrize(("program", "at", "options", "message"), MISFITS, ids=[f"{p[:20]} at {at[:20]}" for p, at, _, _ in MISFITS])
def test_a_point_that_does_not_fit_its_program(program, at, options, message):
    """The whole text; of shapes at least the code, the place and both shapes, the rest is numpy's."""
    found = said(program, at, options)
    if message is None:
        assert found.startswith("error[shape-mismatch]: shapes do not fit: ")
        assert found.endswith("(inputs: `x` (2,), `y` (3,))\n  | x @ y\n  | ^^^^^")
    else:
        assert found == message


def test_nothing_to_differentiate():
    """A program of constants at no point."""
    with pytest.raises(PointError) as caught:
        cases_of(Request(parse("2 + 3"), {}))
    assert str(caught.value) == "error[no-input]: the program has no input to differentiate\n  = help: use a variable: `x**2` with `--at x=3`"


def raised_codes():
    """Error codes in the sources of the language, of points and of cases: first arguments of what makes a mistake."""
    root = Path(gradcheck_cli.__file__).parent
    makers = {"Mistake", "NodeError", "mistake", "_error"}
    found = set()
    for path in [*(root / "language").glob("*.py"), root / "point.py", root / "case.py"]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) in makers and node.args:
                first = node.args[0]
                found |= {first.value} if isinstance(first, ast.Constant) else set()
    return found


def test_every_error_code_has_a_message_tested():
    """A new code without a test fails here."""
    texts = [*test_parse.MESSAGES.values(), *MESSAGES.values(), *(m[3] or "" for m in MISFITS), "error[no-input]", "error[shape-mismatch]", "error[too-many]"]
    codes = raised_codes()
    assert len(codes) > 25
    assert {code for code in codes if not any(f"error[{code}]" in text for text in texts)} == set()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3", Fraction(3)),
        ("-3", Fraction(-3)),
        ("+.5", Fraction(1, 2)),
        ("5.", Fraction(5)),
        ("007", Fraction(7)),
        ("1_000", Fraction(1000)),
        ("1e-3", Fraction(1, 1000)),
        ("1E+3", Fraction(1000)),
        ("1e" + "0" * 5_000 + "3", Fraction(1000)),
        ("0.1", Fraction(1, 10)),
        ("2**-50", Fraction(1, 2**50)),
        ("-2**2", Fraction(-4)),
        ("1/3", Fraction(1, 3)),
        ("(1 + 2)*3", Fraction(9)),
        ("0x1.8p-3", Fraction(3, 16)),
        ("-0x.8P+1", Fraction(-1)),
        ("0x10", Fraction(16)),
        ("0x1.8", Fraction(3, 2)),
        ("max(1, 2)", Fraction(2)),
        ("mean([1, 2])", Fraction(3, 2)),
        ("where(1 < 2, 3, 4)", Fraction(3)),
        ("sqrt(4)", Fraction(2)),
        (" 1 ", Fraction(1)),
        ("1e5000 + 1e-5000", 10**5000 + Fraction(1, 10**5000)),
        ("--1", Fraction(1)),
    ],
    ids=lambda x: str(x)[:20] if isinstance(x, str) else "",
)
def test_a_number_is_exact(text, expected):
    """No float is on the way: a decimal is its digits."""
    assert value(text) == expected


@pytest.mark.parametrize(("text", "negative"), [("-0.0", True), ("-0", True), ("-0e5", True), ("-0x0p1", True), ("0.0", False), ("-1 + 1", False), ("--0.0", False), ("-5*0", False)])
def test_minus_zero_is_kept_where_it_is_written(text, negative):
    """As a literal; a computed zero has no sign."""
    found = read_value(text)
    assert (found.value, found.negative_zero) == (0, negative)
    [case] = cases_of(Request(parse("x"), {"x": found}))
    assert math.copysign(1, case.at["x"]) == (-1 if negative else 1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[1, 2]", [1, 2]),
        ("[[1, 2], [3, 4]]", [[1, 2], [3, 4]]),
        ("(1, 2)", [1, 2]),
        ("(1,)", [1]),
        ("[1, ]", [1]),
        ("[]", []),
        ("[(1, 2), (3, 4)]", [[1, 2], [3, 4]]),
        ("[(1 + 2)*3, (4)]", [9, 4]),
        ("[max(1, 2), -2**2]", [2, -4]),
        ("[max(1, 2, 3), [0x1p-1]]", [3, [Fraction(1, 2)]]),
        ("[\n  [1, 2],\n  [3, 4],\n]", [[1, 2], [3, 4]]),
    ],
)
def test_a_list_holds_expressions(text, expected):
    """Nested, with brackets of calls and of sums among its own."""
    assert plain(read_value(text)) == expected


def test_a_list_beside_numbers():
    """Commas inside brackets belong to the value; several --at add up."""
    found = read_points(["x=max(1, 2),y=[1, 2]", " z = (3) "])
    assert {name: plain(item) for name, item in found.items()} == {"x": 2, "y": [1, 2], "z": 3}


def test_names_are_read_as_in_the_program():
    """Python reads names in NFKC: a micro sign is a Greek mu, a ligature its letters."""
    [case] = cases_of(Request(parse("\u00b5*ﬁ"), read_points(["\u00b5=2,ﬁ=3"])))
    assert {name: float(at) for name, at in case.at.items()} == {"\u03bc": 2.0, "fi": 3.0}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0:1:5", [0, Fraction(1, 4), Fraction(1, 2), Fraction(3, 4), 1]),
        ("1:0:3", [1, Fraction(1, 2), 0]),
        ("2:5:1", [2]),
        ("3:3:2", [3, 3]),
        ("-1/3:1/3:3", [Fraction(-1, 3), 0, Fraction(1, 3)]),
        ("0:0.3:4", [0, Fraction(1, 10), Fraction(1, 5), Fraction(3, 10)]),
        ("0:1:002", [0, 1]),
    ],
)
def test_a_grid_is_exact_and_has_both_ends(text, expected):
    """Not a running sum of a rounded step; ends keep the user's words."""
    found = read_value(text)
    assert isinstance(found, Grid)
    assert [item.value for item in found.values] == expected
    assert found.values[0].text == text.split(":", maxsplit=1)[0]
    assert len(expected) == 1 or found.values[-1].text == text.split(":")[1]


def test_grids_multiply():
    """Every pair of values, the last grid fastest."""
    found = cases_of(Request(parse("x*y*z"), read_points(["x=0:1:2,y=1:2:3", "z=5"])))
    assert [tuple(float(case.at[name]) for name in "xyz") for case in found] == [(x, y, 5.0) for x in (0.0, 1.0) for y in (1.0, 1.5, 2.0)]


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
    """(dtype, exact number, the neighbour it belongs to): at or near the middle of two neighbouring numbers of a format."""
    dtype = draw(st.sampled_from(list(DTYPES.values())))
    exponent = draw(st.sampled_from([dtype.least, dtype.least + 1, -1, 0, 1, dtype.most - 1, draw(st.integers(dtype.least, dtype.most - 1))]))
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
        ("1.000000059604644775390625000000000000001", 1 + 2**-23),  # a float64 on the way would lose the last digit
        ("1.000000059604644775390624999999999999999", 1.0),
        ("1.000000178813934326171875", 1 + 2**-22),  # 1 + 3*2**-24: the middle, to even
        ("1.000000178813934326171874999999999999999", 1 + 2**-23),
        ("-1.000000059604644775390625000000000000001", -1 - 2**-23),
        ("7.006492321624085e-46", 0.0),  # below half the smallest subnormal
        ("7.006492321624086e-46", 2.0**-149),
        ("340282356779733661637539395458142568448", None),  # the middle between the largest and 2**128: beyond
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
    random = Random("rounding")
    doubles = [random.uniform(-1, 1) * 2.0 ** random.randint(-160, 130) for _ in range(3_000)]
    singles = [float(np.float32(random.uniform(-1, 1) * 2.0 ** random.randint(-30, 20))) for _ in range(3_000)]
    for name, numbers in (("float32", doubles), ("float16", singles), ("bfloat16", singles)):
        theirs = torch.tensor(numbers, dtype=torch.float64).to(torch.float32).to(getattr(torch, name)).double().tolist()
        assert [DTYPES[name].round(Fraction(number)) for number in numbers] == theirs


def test_torch_rounds_doubles_to_bfloat16_twice():
    """Found: torch goes through float32, so that just above the middle it rounds down. We round once."""
    number = 1 + 2.0**-8 + 2.0**-40
    assert DTYPES["bfloat16"].round(Fraction(number)) == 1 + 2.0**-7
    assert float(torch.tensor(number, dtype=torch.float64).to(torch.bfloat16)) == 1.0


def test_a_number_that_moved_is_told():
    """With the user's words and the number used; exact ones are not mentioned."""
    [case] = cases_of(Request(parse("x*y"), read_points(["x=0.1,y=0.5"]), dtypes=["float32"]))
    assert [(m.name, m.text, m.used) for m in case.moved] == [("x", "0.1", float(np.float32("0.1")))]


@pytest.mark.parametrize(("text", "dtype"), [("1e-400", "float64"), ("1e-50", "float32"), ("1e-8", "float16")])
def test_a_number_too_small_becomes_zero_and_is_told(text, dtype):
    """Half the smallest subnormal is the border."""
    [case] = cases_of(Request(parse("x"), read_points([f"x={text}"]), dtypes=[dtype]))
    assert case.at["x"] == 0
    assert [m.text for m in case.moved] == [text]


@pytest.mark.parametrize(("text", "dtype"), [("1e400", "float64"), ("-1e5000", "float64"), ("3.5e38", "float32"), ("65520", "float16"), ("10**400", "bfloat16")])
def test_a_number_too_large_is_a_mistake(text, dtype):
    """Not an infinity."""
    assert said("x", f"x={text}", {"dtypes": [dtype]}).startswith(f"error[out-of-range]: `x` = {text} is beyond the largest {dtype}, ")


def test_a_negative_number_too_small_becomes_minus_zero():
    """As IEEE 754 rounds it; `1/x` and `atan2` tell the difference."""
    assert math.copysign(1, DTYPES["float64"].round(Fraction(-1, 10**400))) == -1


def test_long_lists_are_read_in_a_moment():
    """20,000 numbers."""
    random = Random("long")
    numbers = [str(random.uniform(-9, 9)) for _ in range(20_000)]
    assert [item.value for item in read_value(f"[{','.join(numbers)}]")] == [Fraction(number) for number in numbers]
