"""The Python API: `check` and `assert_gradient`, and what they take as a point."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch

import gradcheck_cli
from gradcheck_cli import assert_gradient, check
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
    """Two functions and a version; another name is an error."""
    assert set(gradcheck_cli.__all__) == {"__version__", "assert_gradient", "check"}
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


@pytest.mark.parametrize(
    "value",
    [
        float("nan"),
        float("inf"),
        True,
        None,
        "y",
        {1, 2},
        [1, [2]],
        [],
        {"a": 1},
        "0:1:2:3",
        1j,
        np.array([np.nan]),
    ],
    ids=repr,
)
def test_what_is_no_point_is_the_users_mistake(value):
    """A UserError with a code, whatever it is."""
    with pytest.raises(UserError, match=r"error\[[a-z-]+\]: "):
        check("x**2", {"x": value})


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
        def close(self):
            closed.append(True)

        def ask(self, question):
            raise KeyboardInterrupt

    monkeypatch.setattr(gradcheck_cli.api, "Analyst", Counting)
    with pytest.raises(KeyboardInterrupt):
        check("x**2", {"x": 3})
    assert closed == [True]
