"""Law: SymPy's opaque form of a row differentiates to the exact partial, and its printed formula
reads back.
"""

from __future__ import annotations

from typing import Any

import pytest
import sympy
from each import each

from gradcheck_cli.language.parse import parse
from gradcheck_cli.language.program import fold
from gradcheck_cli.symbolic import symbols
from gradcheck_cli.symbolic.printing import Printer
from gradcheck_cli.worlds.scalars import expand

from .points import Sample, elementwise_rows, enclose, inputs_of, named, samples
from .slopes import close, gradient

ROWS = [
    row
    for row in elementwise_rows()
    if not row.condition and any(not p.kind for p in row.parsed.args)
]


def formula(text: str, name: str) -> str:
    """SymPy's derivative of a program in the tool's own language, every function of the table
    opaque.
    """
    expansion = expand(parse(text), dict.fromkeys(inputs_of(text), ()), "all")
    scalars = expansion.builder.program(expansion.values[parse(text).result])
    value = fold(scalars, symbols.SYMBOLS, {})[scalars.result]
    return str(Printer().doprint(symbols.derivative(value, symbols.symbol(name))))


def missed(sample: Sample) -> list[str]:
    """Inputs whose formula, read back and enclosed, is not the exact partial."""
    exact = gradient(sample.text, sample.values)
    found = {name: formula(sample.text, name) for name in sample.numbers}
    return [
        f"d/d{name} = {text}"
        for name, text in found.items()
        if not close(exact[name], enclose(text, sample.values, 800), 400)
    ]


@each("row", ROWS, ids=named)
def test_fdiff_is_the_exact_partial(row):
    """To 400 bits, at every sampled point and setting."""
    for sample in samples(row):
        assert not missed(sample), sample


@pytest.mark.parametrize("name", ["sigmoid", "tanh", "hypot", "softplus", "bessel_j1"])
def test_a_wrong_fdiff_is_seen(name, monkeypatch):
    """The comparison above can fail: a derivative off by one part in a million is caught."""
    (row,) = [row for row in ROWS if row.name == name]
    honest = symbols._fdiff

    def lie(function: str, settings: Any, position: int) -> Any:
        found = honest(function, settings, position)
        return (
            (lambda *args: found(*args) * sympy.Rational(1_000_001, 1_000_000))
            if function == name
            else found
        )

    monkeypatch.setattr(symbols, "_fdiff", lie)
    assert all(missed(sample) for sample in samples(row))
