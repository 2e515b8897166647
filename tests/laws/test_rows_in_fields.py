"""Law: what the world of fields makes of a row is the function itself, and what a row says of its
derivative is proved there or left open, never refuted.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import pytest
import sympy
from each import each
from flint import arb, ctx

from gradcheck_cli.calculus.formulas import conditions, formula, lower, torch_pullback
from gradcheck_cli.calculus.reverse import adjoints
from gradcheck_cli.functions import table
from gradcheck_cli.functions.arithmetic import OFF
from gradcheck_cli.language.errors import UserError
from gradcheck_cli.language.parse import parse
from gradcheck_cli.language.program import Builder, Call, Program
from gradcheck_cli.worlds.balls import balls_of, exact_ball
from gradcheck_cli.worlds.exponents import Exponentials
from gradcheck_cli.worlds.identity import identity
from gradcheck_cli.worlds.scalars import expand_into

from .points import differentiable_rows, followed_rows, named, samples
from .test_partials import NOT_IN_SYMPY
from .test_same_meaning import native_form

FORMED = [row for row in table().values() if row.fields is not None]


@dataclass
class Real:
    """A ball in the place of a value at random points."""

    ball: Any

    def _with(self, other: Any, call: Any) -> Any:
        return Real(call(self.ball, other.ball if isinstance(other, Real) else exact_ball(other)))

    def __add__(self, other):
        return self._with(other, lambda a, b: a + b)

    __radd__ = __add__

    def __sub__(self, other):
        return self._with(other, lambda a, b: a - b)

    def __rsub__(self, other):
        return self._with(other, lambda a, b: b - a)

    def __mul__(self, other):
        return self._with(other, lambda a, b: a * b)

    __rmul__ = __mul__

    def __truediv__(self, other):
        return self._with(other, lambda a, b: a / b)

    def __rtruediv__(self, other):
        return self._with(other, lambda a, b: b / a)

    def __neg__(self):
        return Real(-self.ball)

    def __pow__(self, n):
        return Real(self.ball**n)


class Reals:
    """What a row's `fields` computes with, over balls."""

    def value(self, name, *args):
        """The function itself."""
        return Real(table()[name].arb(*(self._of(arg) for arg in args)))

    def exp(self, x):
        """The exponential."""
        return Real(self._of(x).exp())

    def log(self, x):
        """The logarithm."""
        return Real(self._of(x).log())

    def power(self, x, y):
        """A power."""
        exponent = Fraction(y) if isinstance(y, int | Fraction) else None
        y = self._of(y) if exponent is None else arb(exponent.numerator) / exponent.denominator
        return Real(self._of(x) ** y)

    def turn(self, x, quarter):
        """Cosine and sine."""
        assert quarter.ball.overlaps(arb(1).atan())
        return Real(self._of(x).cos()), Real(self._of(x).sin())

    def _of(self, x):
        return x.ball if isinstance(x, Real) else arb(x)


def strays(row):
    """The samples of a row at which its form in fields is not its form in balls."""
    for sample in samples(row):
        with ctx.workprec(128):
            given = [
                value if row.parsed.args[k].kind else Real(arb(value))
                for k, value in enumerate(sample.values.values())
            ]
            plain = [arg.ball if isinstance(arg, Real) else arg > 0 for arg in given]
            given = [arg if isinstance(arg, Real) else arg > 0 for arg in given]
            form = row.fields(Reals(), *given)
            gap = abs(form.ball - row.arb(*plain))
            if not gap < 1e-25 * (1 + abs(form.ball)):
                yield sample, form.ball, row.arb(*plain)


@pytest.mark.parametrize("row", FORMED, ids=named)
def test_the_form_in_fields_is_the_function(row):
    """The rules of fields, computed with balls, give the value of the row."""
    assert list(strays(row)) == []


@pytest.mark.parametrize("row", FORMED, ids=named)
def test_a_form_that_is_another_function_strays(row):
    """Off by one part in a million."""
    lie = replace(row, fields=lambda f, *args: row.fields(f, *args) * (1 + Fraction(1, 10**6)))
    honest = samples(row)
    assert len(list(strays(lie))) >= len(honest) / 2 or row.name == "where"


def pulled_back(sample, scale=1):
    """For each argument, what torch's backward gives less the exact partial, or nothing if the row
    says nothing; as one program.
    """
    (row, text), builder = sample[:2], Builder()
    program = parse(text)
    inputs = {name: builder.variable(name) for name in sample.values}
    call = next(n for n in program.nodes if isinstance(n, Call) and n.function == row.name)
    value = int(expand_into(builder, parse(text), inputs))
    gaps = []
    slopes = adjoints(builder, value, frozenset(inputs))
    for position, name in enumerate(sample.numbers):
        formula_of = torch_pullback(row.name, position, call.settings)
        if formula_of is None or inputs[name] not in slopes or conditions(row.name):
            continue
        given = {"ybar": builder.number(scale), "y": value}
        given |= dict(zip(row.parsed.names, inputs.values(), strict=True))
        gaps.append(builder.call("sub", *lower(builder, formula_of, given), slopes[inputs[name]]))
    return Program(tuple(builder.nodes), tuple(gaps)), gaps


def asked(row):
    """The first point of each variant of a row for which it states what torch's backward does."""
    return [sample for sample in samples(row)[::6] if pulled_back(sample)[1]]


def answers(row, scale=1):
    """What the world of fields says of a row's pullback at each of them."""
    for sample in asked(row):
        program, gaps = pulled_back(sample, scale)
        at = {name: Fraction(value) for name, value in sample.values.items()}
        yield identity(program, gaps, at, 1)


WITH_PULLBACK = [row for row in differentiable_rows() if row.pullback]


@each("row", WITH_PULLBACK, ids=named)
def test_pullbacks_are_proved(row):
    """torch's formula is the exact derivative, as an identity."""
    assert [answer for answer in answers(row) if answer.holds is not True] == []


@each("row", WITH_PULLBACK, ids=named)
def test_a_pullback_off_by_one_part_in_a_million_is_not_proved(row):
    """Unless the slope is zero at the point."""
    for sample, answer in zip(asked(row), answers(row, Fraction(1000001, 1000000)), strict=True):
        assert answer.holds is not True or is_flat(sample)


def is_flat(sample):
    """Whether all slopes at a point are zero."""
    program, gaps = pulled_back(sample, 2)
    values = balls_of(program, {name: arb(value) for name, value in sample.values.items()})
    return all(values[i] is OFF or values[i] == 0 for i in gaps)


def sympys(row):
    """For each argument of a row its stated partial less SymPy's derivative, as a program with the
    gap and the point, where the language reads what SymPy writes.
    """
    sample = samples(row)[0]
    form, unknowns = native_form(sample)
    at = {name: Fraction(value) for name, value in sample.values.items()}
    for name, text, unknown in zip(row.parsed.names, row.partials, unknowns, strict=True):
        builder = Builder()
        inputs = {given: builder.variable(given) for given in sample.values}
        ours = lower(
            builder, formula(text), dict(zip(row.parsed.names, inputs.values(), strict=True))
        )
        try:
            theirs = parse(str(sympy.diff(form, unknown)))
            gap = builder.call("sub", *ours, int(expand_into(builder, theirs, inputs)))
        except (UserError, KeyError):
            continue
        yield name, identity(Program(tuple(builder.nodes), (gap,)), [gap], at, 1)


SYMPYS = [
    row
    for row in followed_rows()
    if row.sympy
    and row.partials
    and not any(p.kind for p in row.parsed.args)
    and row.name not in NOT_IN_SYMPY
]


@each("row", SYMPYS, ids=named)
def test_sympys_derivatives_are_never_refuted(row):
    """Proved or left open."""
    assert [name for name, answer in sympys(row) if answer.holds is False] == []


def test_most_of_sympys_derivatives_are_proved():
    """So that the law above has something to say."""
    answers = [answer.holds for row in SYMPYS for _, answer in sympys(row)]
    assert answers.count(True) >= 30, answers


def test_an_exponential_that_is_no_homomorphism_is_seen(monkeypatch):
    """Where exp is drawn for each argument, the pullbacks that rest on it are open."""
    monkeypatch.setattr(Exponentials, "exp", lambda self, a: self.drawn())
    assert [answer.holds for answer in answers(table()["logaddexp"])] == [None]
