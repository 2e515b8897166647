"""The Python API: `check` and `assert_gradient`, what they take as a point, and what they give."""

from __future__ import annotations

import sys
import traceback
from decimal import Decimal
from fractions import Fraction
from functools import reduce

import mpmath
import numpy as np
import pytest
import sympy
import torch
from each import each

import gradcheck_cli
from gradcheck_cli import PointError, ProgramError, UserError, api, assert_gradient, check
from gradcheck_cli.checks.frame import frame_of
from gradcheck_cli.checks.record import record_of
from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.reports.table import render

pytest_plugins = ["pytester"]


def point(report, name="x"):
    """The numbers that a report's first case was run at."""
    return report.results[0].evidence.case.at[name]


def answers(report):
    """torch's numbers."""
    return [answer.value for answer in report.results[0].evidence.testimonies["autograd"].partials]


def test_a_check_gives_a_report():
    """Every opinion and a verdict for each partial."""
    report = check("sigmoid(x**2) + tanh(x**3)", {"x": 3.0})
    assert report.exit_code == 0
    assert report.summary == {"agree": 1}
    (result,) = report.results
    assert [verdict.outcome for verdict in result.verdicts] == ["agree"]
    assert answers(report)[0] == pytest.approx(0.0007402760985890935)


def test_what_is_public():
    """Two functions, what they give and raise, and a version; another name is an error."""
    names = set(gradcheck_cli.__all__)
    assert names - {"__version__"} == set(api.__all__)
    assert names >= {
        "assert_gradient",
        "check",
        "Report",
        "UserError",
        "PointError",
        "ProgramError",
    }
    assert all(getattr(gradcheck_cli, name) is not None for name in names)
    assert names <= set(dir(gradcheck_cli))
    with pytest.raises(AttributeError, match="module 'gradcheck_cli' has no attribute 'chekc'"):
        _ = gradcheck_cli.chekc


@pytest.mark.parametrize(
    "value", [[1.0, 2.0], (1.0, 2.0), [1, 2], np.array([1.0, 2.0]), np.array([1, 2]), np.float32([1, 2]), torch.tensor([1.0, 2.0]), torch.tensor([1, 2]), "[1, 2]", ["1", 2], [Fraction(1), 2.0]],
    ids=["list", "tuple", "ints", "numpy", "numpy ints", "numpy float32", "torch", "torch ints", "text", "texts", "fractions"],
)  # fmt: skip
def test_a_point_may_come_in_any_form(value):
    """Nested lists, arrays, tensors, texts."""
    assert point(check("x**2", {"x": value})).tolist() == [1.0, 2.0]
    assert answers(check("x**2", {"x": value})) == [2.0, 4.0]


@pytest.mark.parametrize(
    "value",
    [
        3,
        3.0,
        Fraction(3),
        np.float64(3),
        np.float16(3),
        np.int32(3),
        torch.tensor(3.0),
        torch.tensor(3.0, dtype=torch.bfloat16),
        np.array(3),
        "3",
        "6/2",
        Decimal(3),
        Decimal("3.0e0"),
        sympy.Integer(3),
        np.longdouble(3),
        torch.nn.Parameter(torch.tensor(3.0)),
    ],
    ids=repr,
)
def test_a_number_may_come_in_any_form(value):
    """Scalars have no shape."""
    report = check("x**2", {"x": value})
    assert point(report).shape == ()
    assert answers(report) == [6.0]


def test_a_tensor_that_requires_grad_is_taken_as_numbers():
    """Its graph is left alone."""
    leaf = torch.tensor([1.0, 2.0], requires_grad=True)
    assert answers(check("x**2", {"x": leaf})) == [2.0, 4.0]
    assert leaf.grad is None


def test_a_float_means_itself():
    """0.1 is the float64 and 0.1 in float32 is that number rounded; no note, as nobody wrote a
    decimal.
    """
    report = check("x", {"x": 0.1})
    assert float(point(report)) == 0.1
    assert report.results[0].notes == ()
    assert float(point(check("x", {"x": np.float32(0.1)}))) == float(np.float32(0.1)) != 0.1
    assert float(point(check("x", {"x": 0.1}, dtype="float32"))) == float(np.float32(0.1))


@pytest.mark.parametrize(
    ("value", "exact"),
    [
        (Decimal("1.0000000596046448"), Fraction("1.0000000596046448")),
        (Fraction(1, 3), Fraction(1, 3)),
        (sympy.Rational(-7, 3), Fraction(-7, 3)),
        (10**30 + 1, Fraction(10**30 + 1)),
        (np.array([Fraction(1, 3)], dtype=object), Fraction(1, 3)),
        (Decimal("-0"), Fraction(0)),
    ],
    ids=repr,
)
@pytest.mark.parametrize("dtype", ["float64", "float32", "bfloat16"])
def test_an_exact_number_is_rounded_once(value, exact, dtype):
    """By way of a float64 1.0000000596046448 would go to the even float32 below."""
    found = point(check("x", {"x": value}, dtype=dtype)).reshape(())
    assert float(found) == DTYPES[dtype].round(exact)
    assert np.signbit(found) == (exact < 0 or str(value).startswith("-"))


@pytest.mark.parametrize("value", [5e-324, 1.7976931348623157e308, 2.0**-1074 * 3, -0.0, 1 / 3])
def test_a_float_arrives_to_the_bit(value):
    """Subnormals, the largest, a negative zero."""
    found = float(point(check("0*x + 1", {"x": value})))
    assert (found, np.signbit(found)) == (value, np.signbit(value))


def test_a_text_is_rounded_once():
    """1 + 2**-24 + 2**-60 lies just above the middle of two float32: by way of float64 it would go
    to the even one below.
    """
    assert float(point(check("x", {"x": "1 + 2**-24 + 2**-60"}, dtype="float32"))) == 1 + 2.0**-23
    assert float(point(check("x", {"x": 1 + 2.0**-24}, dtype="float32"))) == 1.0


def test_a_grid_in_a_text():
    """One case a point."""
    report = check("x**2", {"x": "0:1:5"})
    assert [float(result.evidence.case.at["x"]) for result in report.results] == [
        0,
        0.25,
        0.5,
        0.75,
        1,
    ]


class Hostile:
    """Something that answers no question."""

    def __repr__(self):
        raise RuntimeError("no")


ENDLESS = [1.0]
ENDLESS.append(ENDLESS)
NO_POINTS = {
    "bad-number": [
        True, "y", {1, 2}, {"a": 1}, "0:1:2:3", 1j, b"1", range(3), object(), Hostile(), ["0:1:3"], np.bool_(True), sympy.pi, torch.tensor([True, False]), torch.tensor([1j]),
        torch.tensor([1.0, 2.0]).to_sparse(), torch.empty(2, device="meta"), np.array([None]), np.array(["2020-01-01"], dtype="datetime64[D]"), np.ma.array([1.0], mask=[1]),
    ],
    "ragged": [[1, [2]]], "empty-tensor": [[], (), [[], []], torch.zeros(0), np.zeros((2, 0))],
    "too-deep": [ENDLESS, reduce(lambda inner, _: [inner], range(40), 1.0)],
    "not-finite": [float("nan"), float("inf"), np.array([np.nan]), Decimal("NaN"), Decimal("sNaN"), Decimal("-Infinity"), torch.tensor(float("inf"))],
    "out-of-range": [10**400, -(10**5000), Fraction(10**5000, 3), Decimal("1e400")], "too-large": [Decimal("1e999999999"), Decimal("1e-999999999")],
}  # fmt: skip


@each(
    "code, value",
    [(code, value) for code, values in NO_POINTS.items() for value in values],
    ids=lambda cell: f"{cell[0]} {type(cell[1]).__name__}",
)
@each("input_", ["x", "cotangent"])
def test_what_is_no_point_is_the_users_mistake(code, value, input_):
    """A UserError with a code, whatever it is, at an input and as a cotangent."""
    given = {"x": {"x": value}, "cotangent": {"x": 1.0}}[input_]
    with pytest.raises(UserError) as caught:
        check("x**2", given, **({"cotangent": value} if input_ == "cotangent" else {}))
    (mistake,) = caught.value.mistakes
    assert mistake.code == code
    assert "\n" not in mistake.message


def test_none_is_no_number():
    """For a cotangent it stands for ones."""
    with pytest.raises(UserError, match=r"error\[bad-number\]: `x` = None is not a number"):
        check("x", {"x": None})


def test_what_a_tensor_needs_first_is_told():
    """The way from a tensor without plain numbers to one with them."""
    with pytest.raises(UserError, match=r"is a sparse tensor \(torch.sparse_coo\)\n.*to_dense"):
        check("x", {"x": torch.eye(2).to_sparse()})


@pytest.mark.parametrize("at", [None, [1], "x=2", {3: 1}, 5], ids=repr)
def test_a_point_takes_names(at):
    """Neither a list nor the words of a command line."""
    with pytest.raises(UserError, match=r"error\[bad-point\]: `at` takes names of inputs"):
        check("x", at)


@pytest.mark.parametrize("text", [None, 3, b"x"])
def test_a_program_is_a_text_or_a_function(text):
    """Nothing else is."""
    with pytest.raises(
        UserError, match=r"error\[wrong-type\]: a program is a text or a function, "
    ):
        check(text, {"x": 1})


def test_a_mistake_is_told_in_pythons_words():
    """Nobody has typed `--at`."""
    with pytest.raises(UserError) as caught:
        check("x*y", {"x": 1, "z": 2}, wrt="q")
    told = str(caught.value)
    assert "`at` gives no value for `y`" in told
    assert '= help: for example `{"y": 1}`' in told
    assert "`at` gives `z`, which is not an input" in told
    assert "`wrt` names `q`, which is not an input" in told
    assert "--" not in told


@pytest.mark.parametrize(
    ("name", "value", "same"),
    [
        ("dtype", torch.float32, "float32"), ("dtype", [torch.float32, "float16"], ["float32", "float16"]), ("dtype", np.float32, "float32"), ("dtype", np.dtype("float16"), "float16"),
        ("dtype", torch.bfloat16, "bfloat16"), ("device", torch.device("cpu"), "cpu"), ("rtol", Decimal("1e-3"), "1e-3"), ("rtol", Fraction(1, 1000), "1e-3"),
        ("atol", np.float32(0.5), 0.5), ("atol", torch.tensor(2), 2), ("step", Fraction(1, 8), 0.125), ("strict", np.bool_(True), True), ("jacobian", 1, True), ("order", np.int64(2), 2),
        ("wrt", iter(["x"]), "x"), ("modes", ("forward",), "forward"),
    ],
    ids=lambda value: value[:20] if isinstance(value, str) else type(value).__name__,
)  # fmt: skip
def test_a_setting_may_come_in_any_form(name, value, same):
    """Objects of torch and NumPy, exact numbers."""
    first, second = (
        documented(check("x**3 + sinc(x)", {"x": 0.5}, **{name: v})) for v in (value, same)
    )
    assert first == second


def documented(report):
    """What is stored of a report's cases, but for the words in which a setting was given."""
    return [{**record_of(result, strict=False), "reproduce": None} for result in report.results]


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("dtype", torch.int32, "no dtype named `int32`"), ("dtype", 3, "`dtype` takes names, not 3"), ("dtype", [], "`dtype` takes a name or several, not []"), ("dtype", int, "no dtype named `int`"),
        ("device", 0, "`device` takes names, not 0"), ("device", [None], "`device` takes names, not None"), ("wrt", 3, "`wrt` takes names, not 3"), ("wrt", [torch.ones(1)], "`wrt` takes names, not tensor([1.])"),
        ("rtol", True, "`rtol` takes a number, not True"), ("rtol", [1], "`rtol` takes a number, not [1]"), ("rtol", float("nan"), "rtol takes a finite number that is not negative"), ("atol", float("inf"), "atol takes a finite number"), ("atol", 10**5000, "atol is beyond"),
        ("atol", torch.ones(2), "`atol` takes a number, not tensor([1., 1.])"), ("step", Hostile(), "`step` takes a number, not <Hostile>"), ("order", 3, "`3` is no order"), ("order", 2.5, "`2.5` is no order"),
        ("strict", "no", "`strict` takes True or False, not 'no'"), ("jacobian", "yes", "`jacobian` takes True or False, not 'yes'"), ("strict", 2, "`strict` takes True or False, not 2"),
        ("modes", 3, "`modes` takes names, not 3"), ("modes", "foward", "no mode named `foward`"),
    ],
    ids=lambda value: value[:20] if isinstance(value, str) else type(value).__name__,
)  # fmt: skip
def test_a_setting_of_another_kind_is_the_users_mistake(name, value, words):
    """Told by its name, and never as a failure of a part within."""
    with pytest.raises(UserError) as caught:
        check("x**2", {"x": 1.0}, **{name: value})
    assert words in str(caught.value)


def test_pythons_own_float_is_what_libraries_take_it_for():
    """float64, where the name `float` is torch's for float32."""
    for dtype, name in ((float, "float64"), ("float", "float32"), (torch.half, "float16")):
        (result,) = check("x**2", {"x": 1.0}, dtype=dtype).results
        assert result.evidence.point.dtype.name == name


AROUND = {
    "no_grad": torch.no_grad, "inference_mode": torch.inference_mode, "anomaly": lambda: torch.autograd.set_detect_anomaly(True),
    "autocast": lambda: torch.autocast("cpu", dtype=torch.bfloat16), "another device": lambda: torch.device("meta"),
}  # fmt: skip


@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize(
    ("text", "at", "options"),
    [
        ("x**2*sin(x)", {"x": 2.0}, {"modes": ["forward", "create_graph", "vmap"]}),
        ("x**2*sin(x)", {"x": 2.0}, {"order": 2}),
        ("sum(x @ y)*0.1", {"x": [[1.5, 2.0]], "y": [[0.1], [0.2]]}, {"dtype": "float32"}),
        ("softmax(x)", {"x": [0.25, 1.5, 3.0]}, {"jacobian": True}),
        ("where(x > 0, sqrt(x), 0)", {"x": -1.0}, {}),
    ],
)
def test_what_is_switched_around_a_call_does_not_reach_into_it(around, text, at, options):
    """The same report, to the last digit; and the caller's switches are as before."""
    plain = documented(check(text, at, **options))
    assert plain[0]["outcome"] != "detached"
    with AROUND[around]():
        before = torch.is_grad_enabled(), torch.is_inference_mode_enabled()
        within = documented(check(text, at, **options))
        assert (torch.is_grad_enabled(), torch.is_inference_mode_enabled()) == before
    assert within == plain


def test_a_tensor_of_inference_mode_is_numbers():
    """torch refuses to differentiate by one."""
    with torch.inference_mode():
        value = torch.tensor([1.0, 2.0])
        assert answers(check("x**2", {"x": value})) == [2.0, 4.0]
    assert answers(check("x**2", {"x": value})) == [2.0, 4.0]


def test_every_option_reaches_its_place():
    """wrt, cotangent, dtypes, tolerance, step, strict."""
    assert answers(check("x*y", {"x": 2, "y": 3}, wrt=["y"])) == [2.0]
    assert answers(check("x**2", {"x": [1, 2]}, cotangent=np.array([1.0, -1.0]))) == [2.0, -4.0]
    assert [
        result.evidence.case.dtype.name
        for result in check("x", {"x": 1}, dtype=["float32", "float16"]).results
    ] == ["float32", "float16"]
    assert check("sinc(x)", {"x": 1e-8}).results[0].outcome == "imprecise"
    assert check("sinc(x)", {"x": 1e-8}, atol=1e-7).results[0].outcome == "agree"
    assert check("sinc(x)", {"x": 1e-8}, rtol=0.5).results[0].outcome == "agree"
    assert check("x**3", {"x": 3}, step=1.0).results[0].evidence.of("numeric", 0).value == 28.0
    assert check("relu(x)", {"x": 0}).exit_code == 0
    assert check("relu(x)", {"x": 0}, strict=True).exit_code == 1


def test_an_assertion_that_holds_gives_the_report():
    """As `check` does."""
    assert assert_gradient("x**2", {"x": 3}).exit_code == 0


@pytest.mark.parametrize(
    ("text", "at", "options", "told"),
    [
        ("sqrt(x**4)", {"x": 0}, {}, "torch answers nan where the derivative is 0"), ("1/x", {"x": 0}, {}, "there is nothing to differentiate"),
        ("detach(x)", {"x": 1}, {}, "torch has no path from `x`"), ("relu(x)", {"x": 0}, {"strict": True}, "left derivative 0, right derivative 1"),
    ],
)  # fmt: skip
def test_an_assertion_that_fails_shows_the_table(text, at, options, told):
    """Wrong, and what could not be verified too; the message is the report a person reads."""
    with pytest.raises(AssertionError) as caught:
        assert_gradient(text, at, **options)
    message = str(caught.value)
    assert message.startswith(f"\n{text}\n")
    assert told in " ".join(message.split())
    assert "outcome" in message
    assert "\x1b" not in message


def test_a_mistake_is_no_failed_assertion():
    """A program that cannot be read says nothing about a gradient."""
    with pytest.raises(UserError, match="no function named `sigmod`"):
        assert_gradient("sigmod(x)", {"x": 1})


def test_the_process_is_closed_whatever_happens(monkeypatch):
    """SymPy's process does not outlive the call, if the case fails too."""
    closed = []

    class Counting:
        def start(self):
            pass

        def close(self):
            closed.append(True)

        def ask(self, question):
            raise KeyboardInterrupt

    monkeypatch.setattr(gradcheck_cli.api, "Analyst", Counting)
    with pytest.raises(KeyboardInterrupt):
        check("x**2", {"x": 3})
    assert closed == [True]


# --- what a report says of itself
# ----------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [40, 80, 200])
def test_the_repr_of_a_report_is_its_table(width, monkeypatch):
    """As wide as the terminal, without colours; 80 columns where there is none."""
    report = check("sigmoid(x**2)+tanh(x**3)", {"x": 3})
    monkeypatch.setenv("COLUMNS", str(width))
    assert repr(report) + "\n" == render(report, width=width)
    monkeypatch.delenv("COLUMNS")
    assert repr(report) + "\n" == render(report, width=80)
    assert "\x1b" not in repr(report)


@pytest.mark.parametrize(
    ("text", "at", "options", "asked", "expected"),
    [
        ("x**2", {"x": 3}, {}, ("x",), 6.0),
        ("x**2*y", {"x": [1, 2], "y": 3}, {}, ("x",), [6.0, 12.0]),
        ("x**2*y", {"x": [1, 2], "y": 3}, {}, ("y",), 5.0),
        ("sum(W**2)", {"W": [[1, 2, 3], [4, 5, 6]]}, {}, ("W",), [[2.0, 4.0, 6.0], [8.0, 10.0, 12.0]]),
        ("x**2", {"x": "0:2:3"}, {}, ("x",), [0.0, 2.0, 4.0]),
        ("x**2", {"x": [1]}, {"dtype": "float64,float32"}, ("x",), [[2.0], [2.0]]),
        ("W @ x", {"W": [[1, 2, 3], [4, 5, 6]], "x": [1, 1, 1]}, {"jacobian": True}, ("x",), [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]),
        ("2*W*x", {"W": [[1, 2]], "x": 3}, {"jacobian": True}, ("W",), [[[[6.0, 0.0]], [[0.0, 6.0]]]]),
        ("x**2*y", {"x": [1, 2], "y": 3}, {"order": 2}, ("x",), [[6.0, 0.0], [0.0, 6.0]]),
        ("x**2*y", {"x": [1, 2], "y": 3}, {"order": 2}, ("x", "y"), [2.0, 4.0]),
        ("x**2*y", {"x": [1, 2], "y": 3}, {"order": 2}, ("y", "y"), 0.0),
    ],
)  # fmt: skip
def test_derivatives_have_the_shape_of_the_input(text, at, options, asked, expected):
    """Torch's and the true ones; of a Jacobian the value's first, of second derivatives two."""
    report = check(text, at, **options)
    assert report.gradient(*asked) == expected
    assert report.truth(*asked) == expected


def test_torch_is_not_the_truth():
    """What torch answers is given as it is, the truth as the float nearest to it."""
    report = check("sigmoid(x)", {"x": 40})
    assert report.gradient("x") == 0.0
    assert report.truth("x") == float(mpmath.exp(-40) / (1 + mpmath.exp(-40)) ** 2)


def test_what_is_not_there_is_none():
    """At a kink, outside the domain, without a path; NaN is what torch itself answers."""
    kink = check("relu(x)", {"x": [0, 1]})
    assert (kink.gradient("x"), kink.truth("x")) == ([0.0, 1.0], [None, 1.0])
    assert check("detach(x)", {"x": 1}).gradient("x") is None
    assert check("1/x", {"x": 0}).truth("x") is None
    lost = check("where(x>0, sqrt(x), 0)", {"x": -1})
    assert np.isnan(lost.gradient("x"))
    assert lost.truth("x") == 0.0
    with pytest.raises(TypeError):
        _ = kink.truth("x")[0] <= 1


@pytest.mark.parametrize(
    ("options", "asked", "told"),
    [
        ({}, ("weihgt",), r"unknown-input.*\n.*did you mean `weight`"), ({}, ("weight", "q"), "unknown-input"), ({"wrt": ["x"]}, ("weight",), "not-differentiated"),
        ({}, ("x", "weight"), "not-differentiated.*\n.*order=2"), ({"order": 2, "wrt": ["x"]}, ("x", "weight"), "not-differentiated"),
    ],
)  # fmt: skip
def test_what_was_not_asked_cannot_be_given(options, asked, told):
    """The mistake says what was; no number stands in."""
    report = check("weight*x", {"x": 1, "weight": 2}, **options)
    for method in (report.gradient, report.truth):
        with pytest.raises(PointError, match=told):
            method(*asked)


def test_products_with_a_direction_have_the_shape_of_the_input():
    """Second derivatives by many numbers; the direction itself is the report's."""
    report = check("sum(x**2)", {"x": [1] * 20}, order=2)
    direction = report.records[0]["direction"]["x"]
    assert report.gradient("x") == [2 * number for number in direction]
    with pytest.raises(PointError, match="not-differentiated"):
        report.gradient("x", "x")


def test_a_frame_has_a_row_for_each_partial():
    """With the point, each opinion and torch's error; what is not there is NaN."""
    pd = pytest.importorskip("pandas", reason="pandas is not installed")
    report = check("relu(x)*W", {"x": "-1:1:3", "W": [1, 2]}, dtype="float64,float32")
    frame = report.frame()
    assert isinstance(frame, pd.DataFrame)
    assert len(frame) == sum(len(record["partials"]) for record in report.records) == 18
    assert list(frame["at.x"]) == [x for x in (-1.0, 0.0, 1.0) for _ in range(6)]
    assert list(frame["partial"].unique()) == ["∂f/∂x", "∂f/∂W[0]", "∂f/∂W[1]"]
    kinks = frame[frame.outcome == "kink"]
    assert list(kinks["at.x"]) == [0.0, 0.0]
    assert kinks.reference.isna().all()
    assert not (kinks.error <= kinks.tolerance).any()
    rest = frame[frame.outcome == "agree"]
    assert (rest.error <= rest.tolerance).all()
    numbers = [
        "reference",
        "analytic",
        "autograd",
        "numeric",
        "radius",
        "error",
        "ulps",
        "tolerance",
    ]
    assert {str(kind) for kind in frame[numbers].dtypes} == {"float64"}


def test_a_frame_says_what_is_worse_under_the_seeded_cotangent(monkeypatch):
    """It counts in the outcome, so it has rows."""
    pytest.importorskip("pandas", reason="pandas is not installed")
    record = check("softmax(x)", {"x": [1, 2]}).records[0]
    record["also"]["partials"][1]["outcome"] = "wrong"
    frame = frame_of([record])
    assert list(frame.also) == [False, False, True]
    assert list(frame.outcome) == ["agree", "agree", "wrong"]


def test_without_pandas_a_frame_says_what_it_needs(monkeypatch):
    """And nothing else needs it."""
    monkeypatch.setitem(sys.modules, "pandas", None)
    report = check("x**2", {"x": 3})
    assert report.gradient("x") == 6.0
    with pytest.raises(ImportError, match="`frame` needs pandas, which is not installed"):
        report.frame()


@pytest.mark.parametrize(
    ("thing", "what"),
    [
        (3, "a value of type `int`"), (None, "a value of type `NoneType`"), (b"x", "a value of type `bytes`"),
    ],
)  # fmt: skip
def test_what_is_no_text_is_told_what_is(thing, what):
    """The help says what to write."""
    for ask in (check, assert_gradient):
        with pytest.raises(ProgramError, match="write what it computes") as caught:
            ask(thing, {"x": 1})
        told = f"error[wrong-type]: a program is a text or a function, not {what}"
        assert told in str(caught.value)


@pytest.mark.parametrize("ask", [check, assert_gradient])
@pytest.mark.parametrize(("text", "at"), [("sigmod(x)", {"x": 1}), ("x", {"x": "y"}), ("x", {})])
def test_a_mistake_ends_where_it_is_made(ask, text, at):
    """Its traceback has the user's own line and none inside the package but one that is hidden."""
    with pytest.raises(UserError) as caught:
        ask(text, at)
    inner = list(traceback.walk_tb(caught.tb))[1:]
    assert len(inner) == 1
    assert "__tracebackhide__" in inner[0][0].f_locals
    assert caught.value.__cause__ is None


def test_a_failed_assertion_hides_its_own_frames(pytester):
    """pytest shows the line of the test and the table."""
    pytester.makepyfile(
        """
        from gradcheck_cli import assert_gradient

        def test_it():
            assert_gradient("sqrt(x**4)", {"x": 0})
        """
    )
    result = pytester.runpytest_inprocess("-p", "no:cacheprovider")
    text = result.stdout.str()
    assert "torch answers nan where the derivative is 0" in text
    assert "AssertionError" in text
    assert "test_it" in text
    assert "raise AssertionError" not in text
    assert "api.py" not in text
