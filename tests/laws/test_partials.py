"""Law: the exact derivative of a row is SymPy's, and is what differences of its value come to."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sympy
from each import each
from flint import arb, ctx

from gradcheck_cli.functions import table

from .points import Sample, all_rows, followed_rows, named, samples
from .slopes import central, close, gradient
from .test_same_meaning import native_form

# SymPy leaves these derivatives unevaluated; `test_partials_are_what_differences_come_to` covers
# them.
NOT_IN_SYMPY = ("floor", "ceil", "trunc")

NUMERIC = [row for row in followed_rows() if any(not p.kind for p in row.parsed.args)]


@each(
    "row",
    [row for row in all_rows() if row.sympy is not None and row.name not in NOT_IN_SYMPY],
    ids=named,
)
def test_partials_are_sympys(row):
    """`sympy.diff` of the row's own SymPy form, evaluated to 50 digits, is the ball of the stated
    partial.
    """
    for sample in samples(row):
        form, unknowns = native_form(sample)
        exact = gradient(sample.text, sample.values)
        for name, unknown in zip(sample.values, unknowns, strict=True):
            value = sympy.re(sympy.diff(form, unknown).evalf(60, subs=unknowns))
            with ctx.workprec(256):
                assert abs(arb(str(value)) - exact[name]) <= 1e-45 * (1 + abs(exact[name])), (
                    f"{sample}: d/d{name} is {value} in SymPy, {exact[name]} in balls"
                )


def missed(sample: Sample) -> list[str]:
    """The inputs for which the exact partial is not what a difference of values comes to."""
    exact = gradient(sample.text, sample.values)
    return [
        name
        for name in sample.numbers
        if not close(exact[name], central(sample.text, sample.values, name), 250)
    ]


@each("row", NUMERIC, ids=named)
def test_partials_are_what_differences_come_to(row):
    """To 250 bits, for every row and setting."""
    for sample in samples(row):
        assert not missed(sample), sample


@pytest.mark.parametrize(
    "row", [row for row in NUMERIC if row.kind == "primitive" and not row.condition], ids=named
)
def test_a_partial_off_by_one_part_in_a_million_is_missed(row, monkeypatch, forget):
    """The comparison above can fail: a row that states its partials wrongly is caught."""
    partials = tuple(
        "1/1000000" if text == "0" else f"({text}) * (1000001/1000000)" for text in row.partials
    )
    honest = samples(row)
    forget()
    monkeypatch.setitem(table(), row.name, replace(row, partials=partials))
    assert any(missed(sample) for sample in honest)
