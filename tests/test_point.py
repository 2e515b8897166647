"""Points: what `--at` promises, and the whole text of every message (they stand in
`point_messages`).
"""

from __future__ import annotations

import ast
import math
from fractions import Fraction
from pathlib import Path
from random import Random

import numpy as np
import pasted
import program_messages
import pytest
from asking import points
from point_messages import MESSAGES, MISFITS

import gradcheck_cli
from gradcheck_cli.language.errors import PointError
from gradcheck_cli.questions.numbers import Exact, Grid, read_points, read_value


def said(program, at, options):
    """The message of a misfit."""
    with pytest.raises(PointError) as caught:
        points(program, [at], **options)
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


@pytest.mark.parametrize(
    ("program", "at", "options", "message"),
    MISFITS,
    ids=[f"{p[:20]} at {at[:20]}" for p, at, _, _ in MISFITS],
)
def test_a_point_that_does_not_fit_its_program(program, at, options, message):
    """The whole text."""
    assert said(program, at, options) == message


def test_nothing_to_differentiate():
    """A program of constants at no point."""
    with pytest.raises(PointError) as caught:
        points("2 + 3", {})
    assert (
        str(caught.value)
        == "error[no-input]: the program has no input to differentiate\n  = help: use a variable: `x**2` with `--at x=3`"
    )


def raised_codes():
    """Error codes in the sources of the language, of points and of cases: first arguments of what
    makes a mistake.
    """
    root = Path(gradcheck_cli.__file__).parent
    makers = {"Mistake", "NodeError", "mistake", "_error"}
    found = set()
    for path in [*(root / "language").glob("*.py"), *(root / "questions").glob("[!d]*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and getattr(node.func, "id", getattr(node.func, "attr", "")) in makers
                and node.args
            ):
                first = node.args[0]
                found |= {first.value} if isinstance(first, ast.Constant) else set()
    return found


def test_every_error_code_has_a_message_tested():
    """A new code without a test fails here."""
    texts = [
        *program_messages.MESSAGES.values(),
        *MESSAGES.values(),
        *pasted.MESSAGES.values(),
        *(m[3] or "" for m in MISFITS),
        "error[no-input]",
        "error[shape-mismatch]",
        "error[too-many]",
        "error[unreadable]",
    ]
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


@pytest.mark.parametrize(
    ("text", "negative"),
    [
        ("-0.0", True),
        ("-0", True),
        ("-0e5", True),
        ("-0x0p1", True),
        ("0.0", False),
        ("-1 + 1", False),
        ("--0.0", False),
        ("-5*0", False),
    ],
)
def test_minus_zero_is_kept_where_it_is_written(text, negative):
    """As a literal; a computed zero has no sign."""
    found = read_value(text)
    assert (found.value, found.negative_zero) == (0, negative)
    [case] = points("x", {"x": found})
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
    [case] = points("\u00b5*ﬁ", ["\u00b5=2,ﬁ=3"])
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
    assert [found[i].value for i in range(len(found))] == expected
    assert found[0].text == text.split(":", maxsplit=1)[0]
    assert len(expected) == 1 or found[len(found) - 1].text == text.split(":")[1]


def test_grids_multiply():
    """Every pair of values, the last grid fastest."""
    found = points("x*y*z", ["x=0:1:2,y=1:2:3", "z=5"])
    assert [tuple(float(case.at[name]) for name in "xyz") for case in found] == [
        (x, y, 5.0) for x in (0.0, 1.0) for y in (1.0, 1.5, 2.0)
    ]


def test_a_number_that_moved_is_told():
    """With the user's words and the number used; exact ones are not mentioned."""
    [case] = points("x*y", ["x=0.1,y=0.5"], dtypes=["float32"])
    assert [(m.name, m.text, m.used) for m in case.rounded] == [
        ("x", "0.1", float(np.float32("0.1")))
    ]


@pytest.mark.parametrize(
    ("text", "dtype"), [("1e-400", "float64"), ("1e-50", "float32"), ("1e-8", "float16")]
)
def test_a_number_too_small_becomes_zero_and_is_told(text, dtype):
    """Half the smallest subnormal is the border."""
    [case] = points("x", [f"x={text}"], dtypes=[dtype])
    assert case.at["x"] == 0
    assert [m.text for m in case.rounded] == [text]


@pytest.mark.parametrize(
    ("text", "dtype"),
    [
        ("1e400", "float64"),
        ("-1e5000", "float64"),
        ("3.5e38", "float32"),
        ("65520", "float16"),
        ("10**400", "bfloat16"),
    ],
)
def test_a_number_too_large_is_a_mistake(text, dtype):
    """Not an infinity."""
    assert said("x", f"x={text}", {"dtypes": [dtype]}).startswith(
        f"error[out-of-range]: `x` = {text} is beyond the largest {dtype}, "
    )


def test_long_lists_are_read_in_a_moment():
    """20,000 numbers."""
    random = Random("long")  # noqa: S311 - a fixed seed is wanted
    numbers = [str(random.uniform(-9, 9)) for _ in range(20_000)]
    assert [item.value for item in read_value(f"[{','.join(numbers)}]")] == [
        Fraction(number) for number in numbers
    ]
