"""Law: a row means the same in torch, in balls and in SymPy, element by element. `test_same_shapes`
has the rest.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

import pytest
import sympy
from each import each
from flint import arb, ctx

from gradcheck_cli.functions import table

from .points import (
    Sample,
    all_rows,
    case,
    case_of,
    elementwise_rows,
    enclose,
    forward_told,
    named,
    samples,
)
from .torch_defects import value_errs

if TYPE_CHECKING:
    from gradcheck_cli.functions.row import Function

# Rows of ours that stand for a derivative torch has no function for; their notes say so.
NOT_IN_TORCH = ("airy_ai_prime", "sinc_slope")

# Values that torch rounds honestly, each in a way of its own: a difference, a quotient, an argument
# times pi, an argument that is squared.
HONEST = [
    ("tanhshrink(x)", "x=0.14"), ("logit(x)", "x=0.49"), ("sinc(x)", "x=2"), ("sinc(x)", "x=-7.3"), ("log_ndtr(x)", "x=11.8"), ("erfcx(x)", "x=-12.8"),
    ("bce_with_logits(x, y)", "x=-10.9,y=-0.1"),
]  # fmt: skip


def with_values(row: Function) -> list[Sample]:
    """A row's samples where torch's value is not known to be wrong; `test_torch_defects` has the
    others.
    """
    found = [sample for sample in samples(row) if not value_errs(sample)]
    assert found, f"no point is left for {row.name}"
    return found


@each("row", [row for row in elementwise_rows() if row.name not in NOT_IN_TORCH], ids=named)
def test_torchs_value_is_the_ball_but_for_rounding(row):
    """float64 lies within 4 ulp, or 4 forward budgets, of the enclosure."""
    for sample in with_values(row):
        told = forward_told(case_of(sample))
        assert told is None, f"{sample}: {told}"


@pytest.mark.parametrize(("text", "at"), HONEST)
def test_an_honestly_rounded_value_is_not_accused(text, at):
    """The forward budget covers what a function does inside."""
    told = forward_told(case(text, at))
    assert told is None


@pytest.mark.parametrize(
    "row",
    [row for row in elementwise_rows() if row.name not in NOT_IN_TORCH and not row.condition],
    ids=named,
)
def test_a_value_off_by_one_part_in_a_million_is_told(row, monkeypatch):
    """The comparison of the law above can fail: a row whose torch lies about its value is caught."""
    lie = replace(
        row, torch=lambda t, *args, **settings: row.torch(t, *args, **settings) * (1 + 1e-6) + 1e-9
    )
    honest = with_values(row)
    monkeypatch.setitem(table(), row.name, lie)
    assert any(forward_told(case_of(sample)) for sample in honest)


def test_rows_that_torch_lacks_answer_as_their_notes_say():
    """airy_ai_prime is NaN in torch; sinc_slope is its formula there, which cancels like 1 / x near
    0.
    """
    import torch

    assert torch.isnan(table()["airy_ai_prime"].torch(torch, torch.tensor(0.5))).item()
    for sample in samples(table()["sinc_slope"]):
        x = sample.values["x"]
        value = table()["sinc_slope"].torch(torch, torch.tensor(x, dtype=torch.float64)).item()
        assert abs(arb(value) - enclose(sample.text, sample.values)) <= 2.0**-53 * (
            16 + 8 / abs(x)
        ), sample


@each("row", [row for row in all_rows() if row.sympy is not None], ids=named)
def test_sympys_value_lies_in_the_ball(row):
    """SymPy's own function, evaluated to 50 digits, is the number that the balls hold."""
    for sample in samples(row):
        value, ball = native_value(sample), enclose(sample.text, sample.values)
        with ctx.workprec(256):
            assert abs(arb(str(value)) - ball) <= 1e-45 * (1 + abs(ball)), (
                f"{sample}: SymPy {value}, balls {ball}"
            )


def native_args(sample: Sample) -> tuple[list[sympy.Expr], dict[sympy.Symbol, sympy.Rational]]:
    """What the row's SymPy form takes, unknowns first: numbers would be rewritten exactly (2**0.3
    has a root of 2**50).
    """
    unknowns = {
        sympy.Symbol(name, real=True): sympy.Rational(Fraction(value))
        for name, value in sample.values.items()
    }
    order = sample.text.partition("(")[2].partition(",")[0]
    left = list(unknowns)
    return [
        sympy.Integer(order) if p.kind == "index" else left.pop(0) for p in sample.row.parsed.args
    ], unknowns


def native_form(sample: Sample) -> tuple[sympy.Expr, dict[sympy.Symbol, sympy.Rational]]:
    """SymPy's form of a sample, and its unknowns; a constant stands before its unknown."""
    args, unknowns = native_args(sample)
    form = sample.row.sympy(sympy, *args)
    return (form if args else form * next(iter(unknowns))), unknowns


def native_value(sample: Sample) -> sympy.Expr:
    """SymPy's value of the row itself; the real part, as loggamma is complex left of 0 and the row
    is not.
    """
    form, unknowns = native_form(sample)
    return sympy.re(form.evalf(60, subs=unknowns))
