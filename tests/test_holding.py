"""Derivatives by names that a program assigns: held at what it computes, in the dtype."""

from __future__ import annotations

import pytest
import torch
from asking import points
from screens import CHAIN

from gradcheck_cli.api import check
from gradcheck_cli.language.errors import UserError
from gradcheck_cli.witnesses.reference import Reference
from gradcheck_cli.worlds.balls import nearest_float

AT = {"w0": 0.5, "x0": 1.0, "w1": -0.3, "x1": 2.0, "w2": 0.1}


def lines(text, at, **options):
    """The report as a person reads it."""
    return repr(check(text, at, **options)).splitlines()


def test_an_intermediate_is_an_input_that_is_held():
    """All four opinions are of the cut program; the command that reproduces it is of the whole."""
    report = check(CHAIN, AT, wrt=["h"])
    (record,) = report.records
    (partial,) = record["partials"]
    assert record["outcome"] == "agree"
    assert record["at"] == {**AT, "h": 2.0}
    assert [partial[w]["value"] for w in ("reference", "analytic", "autograd")] == [-0.25] * 3
    assert partial["numeric"]["agrees"]
    assert partial["analytic"]["formula"] == "-1/h**2"
    assert record["notes"] == ["`h` is held at 2.0, the float64 nearest to `1 + k`"]
    assert record["rounded"] == [{"variable": "h", "text": "1 + k", "used": 2.0}]
    at = "w0=0.5,x0=1,w1=-0.3,x1=2,w2=0.1"
    assert record["reproduce"] == f"gradcheck '{CHAIN}' --at {at} --wrt h"
    assert report.gradient("h") == report.truth("h") == -0.25


@pytest.mark.parametrize("dtype", ["float64", "float32", "bfloat16", "float16"])
def test_what_is_held_is_the_number_of_the_dtype(dtype):
    """Nearest to the exact value; torch's own forward may be off by more."""
    (point,) = points("h = x/3; h**2", "x=1", wrt=("h",), dtypes=(dtype,))
    used = torch.tensor(1 / 3, dtype=torch.float64).to(getattr(torch, dtype)).item()
    assert point.scalars == {"h": used}
    (answer,) = Reference().answer(point.batch).testimony(0).partials
    assert nearest_float(answer.ball) == 2 * used


def test_an_exact_value_is_no_rounding():
    """Nothing is noted, and the case is plainly good."""
    (record,) = check("h = 2*x; h**2", {"x": 3.0}, wrt=["h"]).records
    assert (record["at"], record["notes"], record["rounded"]) == ({"x": 3.0, "h": 6.0}, [], [])


def test_terms_that_cancel_are_held_at_what_is_left():
    """The exact difference, which torch's float64 loses."""
    (record,) = check("h = (1 + x) - 1; h*h", {"x": 1e-20}, wrt=["h"]).records
    assert record["at"]["h"] == 1e-20


@pytest.mark.parametrize("x", [800.0, 1e9])
def test_what_is_smaller_than_every_number_is_held_at_0(x):
    """As the dtype has it."""
    (record,) = check("h = exp(-x); h*3", {"x": x}, wrt=["h"]).records
    assert (record["at"]["h"], record["outcome"]) == (0.0, "agree")
    assert record["notes"] == ["`h` is held at 0.0, the float64 nearest to `exp(-x)`"]


def test_tensors_are_held_element_by_element():
    """Each at its number."""
    (record,) = check("h = x*2; s = sum(h**2); s", {"x": [1.0, 2.5]}, wrt=["h"]).records
    assert record["at"] == {"x": [1.0, 2.5], "h": [2.0, 5.0]}
    assert [p["autograd"]["value"] for p in record["partials"]] == [4.0, 10.0]


def test_each_point_of_a_grid_holds_its_own():
    """As the inputs move."""
    report = check("h = x*2; h**3", {"x": "1:3:3"}, wrt=["h"])
    assert [record["at"]["h"] for record in report.records] == [2.0, 4.0, 6.0]
    assert report.gradient("h") == [12.0, 48.0, 108.0]


def test_an_input_beside_it_is_differentiated_with_it_held():
    """Which is said."""
    (record,) = check("h = 2*x; h*x", {"x": 3.0}, wrt=["h", "x"]).records
    assert [p["reference"]["value"] for p in record["partials"]] == [3.0, 6.0]
    assert record["notes"] == ["the derivative by `x` is that with `h` held"]


def test_equal_names_are_held_apart():
    """One of two equal steps."""
    (record,) = check("p = 3*b; q = 3*b; p*q", {"b": 2.0}, wrt=["p"]).records
    assert (record["at"], record["partials"][0]["reference"]["value"]) == (
        {"b": 2.0, "p": 6.0},
        6.0,
    )


def test_a_name_that_is_assigned_again_has_a_number():
    """As the chain rule calls it; the bare name is the input."""
    (record,) = check("x = 2*x; x**2", {"x": 3.0}, wrt=["x_2"]).records
    assert (record["at"], record["partials"][0]["autograd"]["value"]) == (
        {"x": 3.0, "x_2": 6.0},
        12.0,
    )
    (record,) = check("x = 2*x; x**2", {"x": 3.0}, wrt=["x"]).records
    assert record["partials"][0]["autograd"]["value"] == 24.0


def test_second_derivatives_and_jacobians_by_it():
    """The cut program is a program as any other."""
    (record,) = check("h = 2*x; h**3", {"x": 1.0}, wrt=["h"], order=2).records
    assert record["partials"][0]["reference"]["value"] == 12.0
    (record,) = check("h = 2*x; [h, h**2]", {"x": 1.0}, wrt=["h"], jacobian=True).records
    assert [p["reference"]["value"] for p in record["partials"]] == [1.0, 4.0]


def test_a_lie_of_the_cut_program_is_seen():
    """A gradient of torch that is off is wrong there too."""
    (record,) = check("h = 2*x; h*detach(h)", {"x": 1.5}, wrt=["h"]).records
    assert record["outcome"] == "wrong"
    assert record["partials"][0]["remedy"] is None


def test_the_trace_ends_at_what_is_held():
    """It is an input there."""
    (record,) = check(CHAIN, AT, wrt=["k"], trace=True).records
    assert [(row["name"], row["step"]) for row in record["trace"]] == [
        ("f", "1/h"),
        ("h", "1 + k"),
        ("k", None),
    ]


@pytest.mark.parametrize(
    ("text", "at", "wrt", "message"),
    [
        (CHAIN, AT, ["q"],
         "error[unknown-input]: `wrt` names `q`, which is not an input of the program\n"
         "  = help: it has `w0`, `x0`, `w1`, `x1`, `w2`"),
        (CHAIN, AT, ["w0", "h"],
         "error[unknown-input]: `w0` has no part in the result where `h` is held\n"
         "  = help: ask for one of them, then for the other"),
        (CHAIN, AT, ["k", "h"],
         "error[unknown-input]: `k` has no part in the result where `k`, `h` are held\n"
         "  = help: ask for one of them, then for the other"),
        ("u = x**2; x*3", {"x": 1.0}, ["u"],
         "error[unknown-input]: `u` has no part in the result where `u` is held"),
        ("y = log(x); y**2", {"x": 0.0}, ["y"],
         "error[not-finite]: `y` has no finite value in float64 here, and cannot be held"),
        ("y = exp(x); y**2", {"x": 800.0}, ["y"],
         "error[not-finite]: `y` has no finite value in float64 here, and cannot be held"),
        ("y = exp(x); y**2", {"x": 1e6}, ["y"],
         "error[not-finite]: `y` has no finite value in float64 here, and cannot be held"),
    ],
)  # fmt: skip
def test_what_cannot_be_held_is_refused(text, at, wrt, message):
    """The whole message."""
    with pytest.raises(UserError) as caught:
        check(text, at, wrt=wrt)
    (mistake,) = caught.value.mistakes
    assert str(mistake) == message


def test_a_claim_is_about_the_whole_program():
    """The whole message."""
    with pytest.raises(UserError) as caught:
        check("h = 1 + x; 1/h", {"x": 1.0}, wrt=["h"], claim="dh = -1/h**2")
    assert str(caught.value.mistakes[0]) == (
        "error[conflicting-options]: a claim is about the whole program, which is cut where `h` is held\n"
        "  = help: a claim says what it is a derivative by: `dh = ...` of an assigned `h`"
    )
