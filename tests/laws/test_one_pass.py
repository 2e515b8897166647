"""Law: one pass over SymPy's tree gives what `sympy.diff` gives, and what is printed of it is what
SymPy's own printers print.
"""

from __future__ import annotations

import runpy
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import sympy
from each import each
from programs import smooth
from sympy.printing.str import StrPrinter

from gradcheck_cli.language.parse import parse
from gradcheck_cli.language.program import fold
from gradcheck_cli.symbolic import derivatives, printing, symbols
from gradcheck_cli.worlds.scalars import expand

from .points import elementwise_rows, named

ROWS = [row for row in elementwise_rows() if row.parsed.args]
BENCHMARK = runpy.run_path(str(Path(__file__).parents[2] / "benchmarks" / "expressions.py"))
RANDOM = [asked.text for asked in smooth(60, "one pass")] + [
    asked.text for asked in BENCHMARK["expressions"](60)
]
# What SymPy treats in ways of its own: powers, infinities, extremes of many, numbers before sums,
# shared parts.
CHOSEN = (
    "x**y**2", "e**(x*y)*sin(x)", "2**(-x/3)*3**x", "0**x + x", "(-2)**x", "x**(1/3)*y**(2/3)", "(x**2)**0.5", "(x**2)**(y/2)", "(1/2)**x", "sqrt(2)*x",
    "inf*x*y", "x*y + inf", "clamp(x*y, -1, 2)", "max(x, y, x*y, 2)", "min(x*y, x - y)", "x % y", "where(x > y and x < 2, x*y, y)",
    "(2*x + 2)**3*(3*y + 3)**2", "-(x - y)/(2*x*y)", "1 - x", "1 - x*y", "2 - 3*x", "pi*x - e*y", "1 - pi*x", "x*0.1 + y*0.25", "(x + y)*0.5*(x - y)/3",
    "x**-2*y**-3", "(x*y)**(-3/2)", "1/(x*(y + 1))", "-(x + y)**2", "sin(x)**2/(1 + cos(x)**2)", "sum((x**y - 1)**2)/mean(x*y)", "tanh(0)*(x - y)",
    "y = x; y = 3.7*y*(1 - y); y = 3.7*y*(1 - y); y = 3.7*y*(1 - y); y", "y = x*x; z = tanh(y)*y; z*exp(z)/(1 + y)**2 + z",
)  # fmt: skip


def about(row):
    """A program in which a row stands twice, as a factor and in a power."""
    forms = {"condition": "({} > 0)", "index": "1", "": "{}"}
    args = [
        forms[parameter.kind].format(name)
        for parameter, name in zip(row.parsed.args, "xyz", strict=False)
    ]
    text = f"{row.name}({', '.join([*args, *(f'{parameter.name}=0.3' for parameter in row.parsed.settings if parameter.required)])})"
    return f"where({text}, x, 2*x)" if row.condition else f"x*{text} + 2*y**x/(1 + {text}**2)"


def taken(text):
    """SymPy's form of a program, and its variables."""
    program = parse(text)
    expansion = expand(program, dict.fromkeys(program.variables, ()), "all")
    scalars = expansion.builder.program(int(np.reshape(expansion.values[program.result], -1)[0]))
    return fold(scalars, symbols.SYMBOLS, {})[scalars.result], [
        symbols.symbol(name) for name in program.variables
    ]


@cache
def expected(text):
    """By `sympy.diff`."""
    expression, variables = taken(text)
    return [sympy.diff(expression, variable) for variable in variables]


def missed(text):
    """Derivatives that are not those of `sympy.diff`."""
    return [
        (found, right)
        for found, right in zip(derivatives.derivatives(*taken(text)), expected(text), strict=True)
        if found != right
    ]


@each("text", [*RANDOM, *CHOSEN])
def test_one_pass_is_what_sympy_finds(text):
    """Structurally equal, variable by variable."""
    assert not missed(text)


@each("row", ROWS, ids=named)
def test_one_pass_is_what_sympy_finds_of_every_row(row):
    """Over the opaque function, and over SymPy's own where the row names one."""
    assert not missed(about(row))
    if row.sympy is not None and row.parsed.names:
        names = [sympy.Symbol(name, real=True) for name in row.parsed.names]
        native = names[0] * row.sympy(sympy, *names)
        assert list(derivatives.derivatives(native, names)) == [
            sympy.diff(native, name) for name in names
        ]


LIES = {
    "a product without its last term": ("_of_product", lambda factors, slopes: sympy.Add(*[sympy.Mul(*factors[:k], s, *factors[k + 1 :]) for k, s in enumerate(slopes[:-1])])),
    "a power without its base's slope": ("_of_power", lambda power, base, exponent: power * exponent * sympy.log(power.base)),
    "a power without its exponent's slope": ("_of_power", lambda power, base, exponent: power * base * power.exp / power.base),
    "infinity times zero is zero": ("_UNBOUNDED", frozenset()),
    "the slope of the first argument for all": ("_Tree._slope", lambda self, index, position: self.nodes[index].fdiff(1)),
}  # fmt: skip


@pytest.mark.parametrize("lie", LIES)
def test_a_wrong_rule_is_seen(lie, monkeypatch):
    """The comparison above can fail."""
    name, wrong = LIES[lie]
    monkeypatch.setattr(f"gradcheck_cli.symbolic.derivatives.{name}", wrong)
    assert any(missed(text) for text in [*RANDOM, *CHOSEN, *map(about, ROWS)])


def plain(printer, theirs):
    """SymPy's own printer with our words for functions: it orders the terms itself, and prints
    every part anew.
    """
    words = {
        name: member
        for name, member in vars(printer).items()
        if name.startswith("_print") or name.isupper()
    }
    return type("Plain", (theirs,), words)()


def misprinted(text):
    """Formulas whose text is not what SymPy's printer says."""
    ours, theirs = printing.Printer(), plain(printing.Printer, StrPrinter)
    found = [
        (ours.doprint(formula), theirs.doprint(formula))
        for formula in symbols.gradient(*taken(text))
    ]
    return [pair for pair in found if pair[0] != pair[1]]


@each("text", [*RANDOM, *CHOSEN, *map(about, ROWS)])
def test_what_is_printed_is_what_sympy_prints(text):
    """The order of terms and factors, brackets, fractions and roots."""
    assert not misprinted(text)


MISPRINTS = {
    "terms from last to first": ("Order._by_powers", lambda self, total: sorted(total.args, key=self.key, reverse=True)),
    "-x + 1 for 1 - x": ("Order._one_before_minus", lambda self, total: None),
    "factors as they come": ("Order.factors", lambda self, product: list(product.args)),
}  # fmt: skip


@pytest.mark.parametrize("lie", MISPRINTS)
def test_a_misprint_is_seen(lie, monkeypatch):
    """The comparison above can fail."""
    name, wrong = MISPRINTS[lie]
    monkeypatch.setattr(f"gradcheck_cli.symbolic.printing.{name}", wrong)
    assert any(misprinted(text) for text in [*RANDOM, *CHOSEN])


def searches(monkeypatch):
    """How often SymPy's assumption engine goes searching while the random programs are
    differentiated and printed.
    """
    engine = sys.modules["sympy.core.assumptions"]
    asked, honest = [], engine._ask

    def counting(fact, expression):
        asked.append(fact)
        return honest(fact, expression)

    with monkeypatch.context() as patched:
        patched.setattr(engine, "_ask", counting)
        sympy.core.cache.clear_cache()
        printer = printing.Printer()
        for text in RANDOM:
            for formula in symbols.gradient(*taken(text)):
                printer.doprint(formula)
    return len(asked)


def test_sympy_is_spared_its_searches(monkeypatch):
    """Where it searches it may hang: on one expression in a thousand, at random. Without what
    spares it, it searches all the time.
    """
    symbols.derivative(*taken("x")[:1], symbols.symbol("x"))
    quiet = searches(monkeypatch)
    monkeypatch.setattr(symbols, "spare", lambda base: None)
    assert searches(monkeypatch) > 5 * quiet
    assert quiet < len(RANDOM)
