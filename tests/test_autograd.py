"""Backward: torch's real backward, in the dtype asked for; a missing path or derivative is told in
words.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from asking import autograd, case, check_case
from programs import smooth

from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.functions import table
from gradcheck_cli.witnesses import Abstention
from gradcheck_cli.witnesses.autograd import Backward, Detached, Measured

# What only takes a shape from its argument: nothing of it is missing where torch has no path.
SHAPED = ("zeros_like", "ones_like")
CUT = [
    row
    for row in table().values()
    if not (row.backward or row.stops)
    and row.name not in ("gate", "detach", "heaviside", "gammasgn", "full_like", *SHAPED)
]


def values(found):
    """torch's partials as numbers."""
    return [answer.value for answer in found.partials]


@pytest.mark.parametrize("asked", smooth(40, "autograd"), ids=str)
def test_it_is_what_torch_answers_to_the_same_line(asked):
    """The same line by torch's own calls, and `backward`: the value to the bit, the gradient but
    for the order of its sums.

    A part that stands twice in the text is one node with us, so torch adds up its cotangents in
    another order.
    """
    found = case(asked.text, asked.at)
    inputs = {
        name: torch.tensor(float(array), dtype=torch.float64, requires_grad=True)
        for name, array in found.at.items()
    }
    names = (
        "sin",
        "cos",
        "tanh",
        "atan",
        "sigmoid",
        "erf",
        "exp",
        "log1p",
        "sqrt",
        "asinh",
        "expm1",
        "logaddexp",
        "hypot",
    )
    torchs = SimpleNamespace(
        **{name: getattr(torch, name) for name in names}, softplus=torch.nn.functional.softplus
    )
    result = asked.value(torchs, inputs)
    result.backward()
    measured = autograd(found)
    assert measured.forward == (float(result.detach()),)
    assert values(measured) == pytest.approx(
        [float(inputs[name].grad) for name in found.question.wrt], rel=1e-12, abs=1e-12
    )
    assert measured.cut == ()


def test_another_function_is_another_answer():
    """Nothing is rewritten on the way: a sigmoid and a sigmoid written out are one function and two
    backwards.
    """
    assert values(autograd(case("sigmoid(x)", "x=40"))) == [0.0]
    assert values(autograd(case("1/(1 + exp(-x))", "x=40"))) == pytest.approx(
        [4.248354255291589e-18]
    )
    assert values(autograd(case("x*x/x", "x=0")))[0] != values(autograd(case("x", "x=0")))[0]


@pytest.mark.parametrize("row", CUT, ids=lambda row: row.name)
def test_a_function_without_a_derivative_ends_the_path_in_words(row, analyst):
    """Named alone; beside another path, whose part of the gradient torch then gives for the whole,
    it makes the answer wrong.
    """
    alone = case(f"{row.name}(x)", "x=0.7")
    assert autograd(alone).partials == (Detached((row.name,)),)
    (verdict,) = check_case(alone, analyst).verdicts
    assert verdict.outcome == "detached"
    assert (
        f"torch has no path from `x` to the result past `{row.name}`, so it gives no gradient; the derivative is "
        in verdict.reason
    )
    assert verdict.failed is ("0 all the same" not in verdict.reason)
    both = case(f"x**2 + 3*{row.name}(x)", "x=0.7")
    measured = autograd(both)
    assert measured.cut == (row.name,)
    assert values(measured) == [2 * 0.7]
    (verdict,) = check_case(both, analyst).verdicts
    assert verdict.outcome == "wrong"
    assert (
        f"torch has no derivative for `{row.name}` and leaves that part out: torch answers 1.4 where the derivative is "
        in verdict.reason
    )


@pytest.mark.parametrize("name", SHAPED)
def test_a_function_of_a_shape_alone_leaves_nothing_out(name, analyst):
    """Alone it has no path and no slope; beside another path torch's gradient is the whole."""
    alone = case(f"{name}(x)", "x=0.7")
    (verdict,) = check_case(alone, analyst).verdicts
    assert (verdict.outcome, verdict.failed) == ("detached", False)
    both = case(f"x**2 + 3*{name}(x)", "x=0.7")
    assert autograd(both).cut == (name,)
    (verdict,) = check_case(both, analyst).verdicts
    assert verdict.outcome == "agree"


def test_a_function_whose_backward_raises_is_an_abstention(analyst):
    """heaviside has a path, and torch refuses to go it."""
    told = "torch cannot compute this in float64 on cpu: derivative for aten::heaviside is not implemented"
    found = case("x**2 + heaviside(x)", "x=0.7")
    assert autograd(found) == Abstention(told)
    (verdict,) = check_case(found, analyst).verdicts
    assert (verdict.outcome, verdict.reason) == ("inconclusive", told)


def test_rows_that_say_torch_differentiates_them_are_not_cut():
    """The other half: no row is called cut that is not."""
    for row in table().values():
        if (
            row.backward
            and row.kind == "primitive"
            and len(row.parsed.args) == 1
            and not row.condition
            and not row.parsed.args[0].kind
        ):
            assert autograd(case(f"{row.name}(x)", "x=0.7")).cut == (), row.name


def test_an_input_without_a_path_is_detached_and_the_others_are_not():
    """detach cuts one of two."""
    measured = autograd(case("detach(x)*y", "x=3,y=4"))
    assert measured.partials == (Detached(("detach",)), Measured(3.0))
    assert measured.cut == ("detach",)


def test_an_input_with_a_slope_of_zero_has_a_path():
    """0 is an answer, not a missing one."""
    assert autograd(case("y + 0*x", "x=1,y=2")).partials == (Measured(1.0), Measured(0.0))


def test_a_comparison_is_no_cut():
    """`where` takes its condition's sign, not its slope."""
    measured = autograd(case("where(x > 0, x**2, y)", "x=3,y=1"))
    assert measured.cut == ()
    assert values(measured) == [6.0, 0.0]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("text", ["sin(x)*exp(y)", "tanh(x @ y)", "sum(relu(x)*y)", "sigmoid(x)/y"])
def test_every_dtype_answers_in_its_own_numbers(text, dtype):
    """Half precision on the CPU as well; each number is one that the dtype holds, and near the
    float64 one.
    """
    at = "x=[0.5, -1.25],y=[2, 0.3]" if "@" in text or "sum" in text else "x=0.5,y=0.3"
    measured, fine = autograd(case(text, at, dtype)), autograd(case(text, at))
    assert all(
        DTYPES[dtype].holds(Fraction(value)) for value in (*values(measured), *measured.forward)
    )
    assert np.allclose(values(measured), values(fine), rtol=20 * DTYPES[dtype].unit_roundoff)


def test_the_leaf_is_the_cases_number_exactly():
    """0.1 in float16 is 0.0999755859375; float64's 0.1 would give another square."""
    assert autograd(case("x**2", "x=0.1", "float16")).partials == (
        Measured(float(np.float16(2) * np.float16(0.1))),
    )
    assert autograd(case("x", "x=0.1", "float16")).forward == (float(np.float16(0.1)),)


def test_what_torch_lacks_in_a_dtype_is_an_abstention(analyst):
    """Determinants in half precision: torch's first line is the reason, and the outcome is no pass."""
    found = case("det(x)", "x=[[1, 2], [3, 4]]", "float16")
    measured = autograd(found)
    assert isinstance(measured, Abstention)
    assert measured.reason.startswith("torch cannot compute this in float16 on cpu: ")
    assert "\n" not in measured.reason
    result = check_case(found, analyst)
    assert result.outcome == "inconclusive"
    assert measured.reason in result.verdicts[0].reason


@pytest.mark.parametrize(
    "error", [RuntimeError, TypeError, ValueError, IndexError, NotImplementedError]
)
def test_whatever_torch_raises_is_an_abstention(error, monkeypatch):
    """Never an exception of ours."""

    def lacking(t, x):
        raise error("not implemented for 'Half'\nmore")

    monkeypatch.setitem(table(), "sin", replace(table()["sin"], torch=lacking))
    assert autograd(case("sin(x)", "x=1")) == Abstention(
        "torch cannot compute this in float64 on cpu: not implemented for 'Half'"
    )


def test_the_cotangent_weighs_the_elements():
    """Ones if none is given."""
    assert values(autograd(case("x**2", "x=[1, 2, 3]"))) == [2, 4, 6]
    assert values(autograd(case("x**2", "x=[1, 2, 3]", cotangent="[1, -1, 0.5]"))) == [2, -4, 3]
    assert values(autograd(case("x**2", "x=3", cotangent="-2"))) == [-12]


def test_only_what_is_asked_for_is_differentiated():
    """Elements row-major, inputs in the order of `wrt`."""
    assert values(autograd(case("sum(x*y)", "x=[[1, 2], [3, 4]],y=5", wrt=["y", "x"]))) == [
        10,
        5,
        5,
        5,
        5,
    ]
    assert values(autograd(case("sum(x*y)", "x=[[1, 2], [3, 4]],y=5", wrt=["y"]))) == [10]


def test_a_lying_backward_is_what_is_measured(monkeypatch):
    """torch's own backward is on trial: whatever it answers is reported."""

    class Lie(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.sin()

        @staticmethod
        def backward(ctx, ybar):
            return ybar * 7

    monkeypatch.setitem(table(), "sin", replace(table()["sin"], torch=lambda t, x: Lie.apply(x)))
    assert values(autograd(case("sin(x)", "x=1"))) == [7.0]


def test_torch_is_left_as_it_was():
    """No global setting changes."""
    before = torch.is_grad_enabled(), torch.get_default_dtype(), torch.initial_seed()
    autograd(case("sin(x)", "x=1", "float16"))
    assert (torch.is_grad_enabled(), torch.get_default_dtype(), torch.initial_seed()) == before


def test_a_graph_ten_thousand_deep_is_walked():
    """No recursion of ours; torch's engine has none either."""
    measured = autograd(case("y = x\n" + "y = sin(y)\n" * 2_000 + "y", "x=0.5"))
    assert isinstance(measured, Backward)
    assert np.isfinite(values(measured)).all()


cuda = pytest.mark.skipif(
    not torch.cuda.is_available(), reason="torch sees no CUDA device on this machine"
)


@cuda
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("asked", smooth(10, "cuda"), ids=str)
def test_a_gpu_is_put_on_trial_too(asked, dtype, analyst):
    """Every outcome on the device is one that is explained; no answer is wrong."""
    found = case(asked.text, asked.at, dtype, device="cuda")
    measured = autograd(found)
    assert measured.values[found.specification.result].is_cuda
    assert all(DTYPES[dtype].holds(Fraction(value)) for value in values(measured))
    assert check_case(found, analyst).outcome in ("agree", "imprecise")


@cuda
def test_a_lie_on_a_gpu_is_caught(monkeypatch, analyst):
    """One part in a hundred, in float32."""
    monkeypatch.setitem(
        table(),
        "sin",
        replace(table()["sin"], torch=lambda t, x: t.sin(x) + 0.01 * (x - x.detach())),
    )
    assert check_case(case("sin(x)", "x=1", "float32", device="cuda"), analyst).outcome == "wrong"
