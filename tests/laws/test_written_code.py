"""Law: what a row is written as, for torch and for mpmath, comes to what the row means."""

from __future__ import annotations

from dataclasses import replace

import mpmath
import pytest
import torch
from each import each
from flint import arb, ctx

from gradcheck_cli.functions import table
from gradcheck_cli.language.parse import parse
from gradcheck_cli.language.program import fold
from gradcheck_cli.worlds.code import Code, MpmathCode, TorchCode, Unwritable
from gradcheck_cli.worlds.scalars import expand

from .points import enclose, followed_rows, named, samples

LIKE = torch.empty((), dtype=torch.float64)


def by_mpmath(text, values):
    """The value of a program by the text that mpmath is given, as a number of mpmath."""
    program = parse(text)
    expansion = expand(program, dict.fromkeys(program.variables, ()))
    scalars = expansion.builder.program(expansion.values[program.result])
    inputs = {name: Code(name) for name in scalars.variables}
    written = fold(scalars, MpmathCode(float), inputs)[scalars.result].text
    with mpmath.workdps(60):
        names = {name: mpmath.mpf(values[name]) for name in scalars.variables}
        return mpmath.mpf(eval(written, {"mp": mpmath.mp, "mpf": mpmath.mpf, **names}))  # noqa: S307 - a text of ours


def is_in_ball(sample):
    """Whether what mpmath makes of a sample is the number that the balls hold."""
    value = by_mpmath(sample.text, sample.values)
    with mpmath.workdps(60), ctx.workprec(256):
        ball = enclose(sample.text, sample.values)
        return bool(abs(arb(mpmath.nstr(value, 55)) - ball) <= 1e-45 * (1 + abs(ball)))


@each("row", [r for r in followed_rows() if not r.helper], ids=named)
def test_mpmaths_text_lies_in_the_ball(row):
    """At every sample of the row, to 45 digits."""
    for sample in samples(row):
        assert is_in_ball(sample), sample


@pytest.mark.parametrize("name", ["maximum", "log1p", "lgamma", "where", "lt", "trunc"])
def test_a_wrong_form_is_seen(name, monkeypatch):
    """The comparison of the law above can fail."""
    row = table()[name]
    samples(row)  # as the row is
    lie = replace(row, mpmath=lambda m, *args: m.choose(args[0] == args[0], m.mpf(0.625), 0))
    monkeypatch.setitem(table(), name, lie)
    assert not all(is_in_ball(sample) for sample in samples(row))


@each("row", [r for r in followed_rows() if not r.helper], ids=named)
def test_torchs_text_is_what_was_run(row):
    """The text of a sample, evaluated, is the tensor that came of the calls while it was written."""
    for sample in samples(row):
        given = {n: torch.tensor(v, dtype=torch.float64) for n, v in sample.values.items()}
        inputs = {name: Code(name, value=value) for name, value in given.items()}
        program = parse(sample.text)
        world = TorchCode(float, LIKE, "dtype=torch.float64")
        code = fold(program, world, inputs)[program.result]
        again = eval(code.text, {"torch": torch, **given})  # noqa: S307 - a text of ours
        assert torch.equal(torch.nan_to_num(again), torch.nan_to_num(code.value)), code.text


def test_what_is_stopped_is_not_written():
    """A derivative by mpmath would go through it."""
    with pytest.raises(Unwritable, match=r"^`stop_gradient` is not written in mpmath$"):
        by_mpmath("x*stop_gradient(x)", {"x": 2.0})
