"""The Python API: `check` and `assert_gradient`, and what they take as a point."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from functools import reduce

import numpy as np
import pytest
import sympy
import torch

import gradcheck_cli
from gradcheck_cli import assert_gradient, check
from gradcheck_cli.checks.record import record_of
from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.language.errors import UserError

pytestmark = pytest.mark.usefixtures("shared")


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
    """Two functions, their error and a version; another name is an error."""
    names = {"UserError", "__version__", "assert_gradient", "check"}
    assert set(gradcheck_cli.__all__) == names
    assert gradcheck_cli.UserError is UserError
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


@pytest.mark.parametrize(
    ("code", "value"),
    [(code, value) for code, values in NO_POINTS.items() for value in values],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
@pytest.mark.parametrize("input_", ["x", "cotangent"])
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


@pytest.mark.parametrize("text", [None, 3, b"x", len, torch.sin])
def test_a_program_is_a_text(text):
    """Functions of one's own are not checked here."""
    with pytest.raises(UserError, match=r"error\[wrong-type\]: a program is a text, not "):
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
        ("dtype", torch.int32, "no dtype named `int32`"), ("dtype", 3, "`dtype` takes names, not 3"), ("dtype", [], "`dtype` takes a name or several, not []"), ("dtype", float, "no dtype named `float`"),
        ("device", 0, "`device` takes names, not 0"), ("device", [None], "`device` takes names, not None"), ("wrt", 3, "`wrt` takes names, not 3"), ("wrt", [torch.ones(1)], "`wrt` takes names, not tensor([1.])"),
        ("rtol", True, "`rtol` takes a number, not True"), ("rtol", [1], "`rtol` takes a number, not [1]"), ("rtol", float("nan"), "rtol takes a number that is not negative"), ("atol", 10**5000, "atol is beyond"),
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
