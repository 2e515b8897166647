"""Law: what is differentiated without SymPy's evaluation is, once SymPy evaluates it, what
`sympy.diff` gives; and nothing in it makes SymPy search.
"""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest
import sympy
from asking import case
from each import each

from gradcheck_cli.language.parse import parse
from gradcheck_cli.language.program import fold
from gradcheck_cli.symbolic import printing, readings, symbols, unevaluated, wire
from gradcheck_cli.witnesses.formula_balls import Formulas
from gradcheck_cli.worlds.scalars import expand

from .points import elementwise_rows, named
from .test_one_pass import CHOSEN, RANDOM, about, expected, taken

ROWS = [row for row in elementwise_rows() if row.parsed.args]
# What SymPy's own evaluation has to say of: nan, the imaginary unit, infinities.
EVALUATED = (
    "0**x + x", "(-2)**x", "inf*x*y", "x*y + inf", "x*(y - y)**x", "x/0", "(x - x)**-1", "(x**2)**0.5", "(x**2)**(y/2)", "(1/2)**x", "sqrt(x**4)", "sqrt(x/y)", "(y*(2*x**2))**0.5",
)  # fmt: skip
TEXTS = [text for text in [*RANDOM, *CHOSEN] if text not in EVALUATED]
# SymPy knows its own exponential in them, which is no function of the table.
OF_ITS_OWN = ("e**(x*y)*sin(x)",)


def scalars_of(text):
    """A program of numbers, every function whole."""
    program = parse(text)
    expansion = expand(program, dict.fromkeys(program.variables, ()), "all")
    return expansion.builder.program(int(np.reshape(expansion.values[program.result], -1)[0]))


def gradient(text):
    """Its derivatives by all variables, unevaluated."""
    scalars = scalars_of(text)
    value = fold(scalars, unevaluated.Unevaluated(), {})[scalars.result]
    variables = [symbols.symbol(name) for name in parse(text).variables]
    return list(unevaluated.bare_derivatives(value, variables))


def evaluated(expression):
    """The same, put together by SymPy from its parts."""
    found = {}
    for part in unevaluated.parts_in_order([expression]):
        args = [found[id(arg)] for arg in part.args]
        found[id(part)] = symbols._applied(part.func, args) if args else part
    return found[id(expression)]


def is_same(one, other):
    """Whether two expressions of SymPy's are one, written out where that is needed: it multiplies a
    number into a sum or not, as they come.
    """
    return one == other or sympy.expand(one - other) == 0 or sympy.simplify(one - other) == 0


def missed(text):
    """Derivatives that are not those of `sympy.diff`."""
    pairs = zip(gradient(text), map(symbols._ours, expected(text)), strict=True)
    return [(one, other) for one, other in pairs if not is_same(evaluated(one), other)]


@each("text", [text for text in TEXTS if text not in OF_ITS_OWN])
def test_evaluated_it_is_what_sympy_finds(text):
    """Variable by variable."""
    assert not missed(text)


@each("row", ROWS, ids=named)
def test_evaluated_it_is_what_sympy_finds_of_every_row(row):
    """As a factor and in a power."""
    assert not missed(about(row))


@pytest.mark.parametrize("text", EVALUATED)
def test_what_evaluation_has_something_to_say_of_is_left_to_it(text):
    """It names what is no real number there."""
    with pytest.raises(unevaluated.Evaluates):
        gradient(text)


LIES = {
    "a product without its last factor": ("bare_product", lambda honest: lambda *factors: honest(*factors[: max(1, len(factors) - 1)])),
    "a sum without its last term": ("bare_sum", lambda honest: lambda terms: honest(list(terms)[: max(1, len(terms) - 1)])),
    "the base of a power alone": ("bare_power", lambda honest: lambda base, exponent: base),
    "a power's slope without its exponent's": ("_of_power", lambda honest: lambda part, base, exponent: honest(part, base, sympy.S.Zero)),
    "a power's slope without its base's": ("_of_power", lambda honest: lambda part, base, exponent: honest(part, sympy.S.Zero, exponent)),
    "the slope of the first argument for all": ("_of_function", lambda honest: lambda part, position: honest(part, 0)),
}  # fmt: skip


@pytest.mark.parametrize("lie", LIES)
def test_a_wrong_rule_is_seen(lie, monkeypatch):
    """The comparison above can fail."""
    name, wrong = LIES[lie]
    monkeypatch.setattr(unevaluated, name, wrong(getattr(unevaluated, name)))
    assert any(missed(text) for text in [*CHOSEN[:3], *map(about, ROWS[:3]), *TEXTS])


# Minus times minus in a term of a sum, and three of them.
SIGNS = (
    "exp(x) - (z - x)",
    "x*y - (z - 2*(y - x))",
    "sin(x) - (y - (z - (w - x)))",
    "x**2 - -3*-x*-y",
)


def values_of(text):
    """Of each derivative the value of the program that is sent, and that of SymPy's own formula."""
    at = ",".join(f"{name}={0.7 + 0.4 * k}" for k, name in enumerate(parse(text).variables))
    found = case(text, at)
    sent = unevaluated.bare_program(gradient(text))
    theirs = readings.reading(symbols.gradient(*taken(text)), printing.Order())
    one, other = (
        Formulas(found.prepared, (), json.dumps(wire.to_wire(program))).balls(found)
        for program in (sent, theirs)
    )
    return zip(one, other, strict=True)


@pytest.mark.parametrize("text", [*OF_ITS_OWN, *SIGNS, *TEXTS])
def test_the_program_of_it_has_the_value_that_sympy_finds(text):
    """In balls, where SymPy's formula has one."""
    for (ball, reason), (right, _) in values_of(text):
        assert right is None or ball is not None, reason
        assert right is None or ball.overlaps(right)


def test_a_lost_sign_is_seen(monkeypatch):
    """Where the sign of a term is taken for that of its first factor."""
    monkeypatch.setattr(readings, "_is_minus", lambda term: term.args[0].is_negative)
    pairs = [pair for text in SIGNS for pair in values_of(text)]
    assert any(not one.overlaps(other) for (one, _), (other, _) in pairs)


def test_sympy_searches_for_nothing(monkeypatch):
    """Its assumption engine, which hangs on some expressions, is not asked at all."""
    engine, asked = sys.modules["sympy.core.assumptions"], []
    for text in RANDOM:
        gradient(text)  # what is stated of functions is found once
    honest = engine._ask
    monkeypatch.setattr(engine, "_ask", lambda fact, of: asked.append(fact) or honest(fact, of))
    for text in RANDOM:
        unevaluated.bare_program(gradient(text))
    assert not asked


def test_a_deep_expression_is_no_deeper_than_a_shallow_one():
    """Nothing recurses, and what is shared is differentiated once: SymPy's evaluation of this one
    compares factors as deep as they are, for minutes.
    """
    text = "y = x\n" + "y = sin(y) + y\n" * 1_500 + "y"
    program = unevaluated.bare_program(gradient(text))
    assert len(program.nodes) < 10 * 1_500
