"""The world of symbols: SymPy expressions over opaque functions.

Every function of the table is a SymPy `Function` that knows nothing but its derivative, which is SymPy's own
derivative of what it means, found once. So expressions stay as short as the user wrote them, and SymPy's assumption
engine, which hangs at random on one expression in a thousand, is never asked anything.
"""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias

import sympy
from sympy.printing.latex import LatexPrinter
from sympy.printing.str import StrPrinter

from gradcheck_cli.calculus import conditions
from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.functions import lookup, table
from gradcheck_cli.language.parse import parse
from gradcheck_cli.language.program import Call, Number, Program, Settings
from gradcheck_cli.language.text import number_text, setting_text

if TYPE_CHECKING:
    from collections.abc import Mapping

Expression: TypeAlias = Any  # SymPy ships no types

_EXTREMES = ("maximum", "minimum")
_NATIVE = ("add", "sub", "mul", "div", "neg", "pow", "pi", "e")


class NoDerivative(Exception):
    """SymPy has no derivative in terms of the table's functions."""


def run(program: Program, inputs: Mapping[str, Expression]) -> list[Expression]:
    """SymPy's form of every node of a scalar program."""
    values: list[Expression] = []
    for node in program.nodes:
        if isinstance(node, Number):
            values.append(_number(node))
        elif isinstance(node, Call):
            values.append(apply(node.function, [values[i] for i in node.args], node.settings))
        else:
            values.append(inputs[node.name] if node.name in inputs else symbol(node.name))
    return values


def symbol(name: str) -> Expression:
    """A real unknown."""
    return sympy.Symbol(name, real=True)


def apply(function: str, args: list[Expression], settings: Settings) -> Expression:
    """A function of the table applied to expressions."""
    if function == "pi":
        return sympy.pi
    if function == "e":
        return sympy.E
    if function in _EXTREMES:
        # SymPy's Max and Min take any number of arguments, and so does their derivative.
        args = [inner for arg in args for inner in (arg.args if getattr(arg, "row", "") == function else (arg,))]
    if function in _NATIVE:
        return lookup(function).sympy(sympy, *args)  # type: ignore[misc]  # arithmetic has its SymPy form
    return opaque(function, settings)(*args)


def _number(node: Number) -> Expression:
    """An exact number; a decimal that some dtype rounds stays a symbol that is printed as the decimal."""
    if isinstance(node.value, float):
        return sympy.oo if node.value > 0 else -sympy.oo
    exact = sympy.Rational(node.value.numerator, node.value.denominator)
    if not node.decimal or DTYPES["bfloat16"].holds(node.value):
        return exact
    sign = -1 if node.value < 0 else 1
    return sign * sympy.Symbol(number_text(Number(abs(node.value), decimal=True)), positive=True)


def decimal(value: float) -> Expression:
    """A float, exact where every dtype holds it, else a symbol printed as its shortest decimal."""
    return _number(Number(Fraction(repr(value)), decimal=True))


def opaque(function: str, settings: Settings = ()) -> Any:
    """The SymPy class of a function: no evaluation, no assumptions but that it is real, and `fdiff`."""
    return _opaque(function, settings)


@cache
def _opaque(function: str, settings: Settings) -> Any:
    """One class for each function and settings: `cache` tells calls with and without a default apart."""

    def fdiff(self: Any, argindex: int = 1) -> Expression:
        if function in _EXTREMES:
            return _extreme_slope(function, list(self.args), argindex - 1)
        return _fdiff(function, settings, argindex - 1)(*self.args)

    members = {"fdiff": fdiff, "is_extended_real": True, "is_real": True, "row": function, "settings": settings}
    return type(function, (sympy.Function,), members)


def _extreme_slope(function: str, args: list[Expression], position: int) -> Expression:
    """As SymPy's own `Max.fdiff`: Heaviside of the argument less the extreme of the others."""
    others = [arg for k, arg in enumerate(args) if k != position]
    rest = others[0] if len(others) == 1 else opaque(function)(*others)
    difference = args[position] - rest
    return opaque("heaviside")(difference if function == "maximum" else -difference)


@cache
def _fdiff(function: str, settings: Settings, position: int) -> Any:
    """A function of the arguments that gives the partial as an expression."""
    names = lookup(function).parsed.names
    dummies = [sympy.Dummy(name, real=True) for name in names]
    derivative = _partial(function, settings, position, dummies)
    return lambda *args: derivative.xreplace(dict(zip(dummies, args, strict=True)))


def _partial(function: str, settings: Settings, position: int, dummies: list[Expression]) -> Expression:
    row = lookup(function)
    bound = dict(zip(row.parsed.names, dummies, strict=True))
    if row.kind == "derived":
        for name, value in row.numbers(dict(settings)).items():
            bound[name] = _number(Number(value if isinstance(value, float) else Fraction(value), isinstance(value, Fraction)))
        meaning = parse(row.meaning(row.bound(dict(settings))))
        return derivative(run(meaning, bound)[meaning.result], dummies[position])
    if row.sympy is not None:
        try:
            return derivative(row.sympy(sympy, *dummies), dummies[position])
        except NoDerivative:
            pass
    # SymPy lacks the function or its derivative: the row's own partial stands in.
    stated = parse(row.partials[position], conditions(function))
    return run(stated, bound)[stated.result]


def derivative_text(function: str, position: int) -> str:
    """SymPy's derivative of an elementwise function at its default settings, over its argument names."""
    names = lookup(function).parsed.names
    return str(Printer().doprint(_partial(function, (), position, [symbol(name) for name in names])))


@cache
def _known() -> dict[tuple[Any, tuple[Any, ...]], str]:
    """SymPy's classes, with their constant arguments, to the rows that are stated by them."""
    found: dict[tuple[Any, tuple[Any, ...]], str] = {}
    for row in table().values():
        if row.sympy is None or row.name in _NATIVE:
            continue
        dummies = [sympy.Dummy(name, real=True) for name in row.parsed.names]
        native = row.sympy(sympy, *dummies)
        if isinstance(native, sympy.Function | sympy.Max | sympy.Min) and [a for a in native.args if a in dummies] == dummies:
            found.setdefault((native.func, tuple(None if a in dummies else a for a in native.args)), row.name)
    return found


def derivative(expression: Expression, variable: Expression) -> Expression:
    """SymPy's derivative in terms of the table's functions.

    Raises:
        NoDerivative: a function is left that the table lacks.
    """
    return _ours(sympy.diff(expression, variable))


def _ours(native: Expression) -> Expression:
    """SymPy's own functions replaced by the table's; a delta at a jump is zero almost everywhere.

    Raises:
        NoDerivative: a function is left that the table lacks.
    """
    done: dict[Expression, Expression] = {}
    for node in sympy.postorder_traversal(native):
        if node in done:
            continue
        args = [done[a] for a in node.args]
        if hasattr(node, "row"):
            done[node] = node.func(*args)
        elif isinstance(node, sympy.DiracDelta):
            done[node] = sympy.S.Zero
        elif isinstance(node, sympy.Function | sympy.Max | sympy.Min):
            done[node] = _row_for(node)(*args)
        elif isinstance(node, sympy.Derivative | sympy.Subs | sympy.Piecewise):
            raise NoDerivative(str(node))
        else:
            done[node] = node.func(*args) if args else node
    return done[native]


def _row_for(node: Expression) -> Any:
    if isinstance(node, sympy.Heaviside):
        return lambda x, *_: opaque("heaviside")(x)
    for (func, pattern), name in _known().items():
        if node.func is func and len(pattern) == len(node.args) and all(p is None or p == a for p, a in zip(pattern, node.args, strict=True)):
            kept = [k for k, p in enumerate(pattern) if p is None]
            return lambda *args, name=name, kept=kept: opaque(name)(*[args[k] for k in kept])
    if node.func is sympy.polygamma and node.args[0] == 0:
        return lambda n, x: opaque("digamma")(x)
    raise NoDerivative(str(node.func))


class Printer(StrPrinter):  # type: ignore[misc]  # SymPy ships no types
    """SymPy's text form in the tool's own language, so that it can be read back."""

    def _print_Function(self, expr: Expression) -> str:
        row = lookup(getattr(expr, "row", ""))
        args = [self._print(a) for a in expr.args]
        if row.condition and row.operator != "not":
            return f"({args[0]} {row.operator} {args[1]})"
        if row.operator == "%":
            return f"(({args[0]}) % ({args[1]}))"
        args += [f"{name}={setting_text(value)}" for name, value in expr.settings if value != row.bound({})[name]]
        return f"(not {args[0]})" if row.operator == "not" else f"{row.name}({', '.join(args)})"

    def _print_Abs(self, expr: Expression) -> str:
        return f"abs({self._print(expr.args[0])})"

    def _print_sign(self, expr: Expression) -> str:
        return f"sign({self._print(expr.args[0])})"

    def _print_Exp1(self, expr: Expression) -> str:
        return "e"

    def _print_Infinity(self, expr: Expression) -> str:
        return "inf"

    def _print_NegativeInfinity(self, expr: Expression) -> str:
        return "-inf"


class LaTeX(LatexPrinter):  # type: ignore[misc]  # SymPy ships no types
    """SymPy's LaTeX, with roots, absolute values and powers of e as one writes them."""

    _NAMES = ("sin", "cos", "tan", "sinh", "cosh", "tanh", "log")
    _SIGNS = {"lt": "<", "le": r"\le", "gt": ">", "ge": r"\ge", "eq": "=", "ne": r"\ne", "logical_and": r"\land", "logical_or": r"\lor"}  # noqa: RUF012 - never changed
    _FORMS = {"logical_not": r"\lnot %s", "sqrt": r"\sqrt{%s}", "abs": r"\left|%s\right|", "exp": "e^{%s}"}  # noqa: RUF012 - never changed

    def _print_Function(self, expr: Expression, exp: str | None = None) -> str:
        row = lookup(getattr(expr, "row", ""))
        args = [self._print(a) for a in expr.args]
        power = "" if exp is None else f"^{{{exp}}}"
        if row.name in self._FORMS:
            inner = self._FORMS[row.name] % args[0]
            return rf"\left({inner}\right){power}" if power else inner
        if row.name in self._SIGNS:
            return rf"\left({args[0]} {self._SIGNS[row.name]} {args[1]}\right)"
        name = rf"\{row.name}" if row.name in self._NAMES else rf"\operatorname{{{row.name.replace('_', chr(92) + '_')}}}"
        return rf"{name}{power}\left({', '.join(args)}\right)"
