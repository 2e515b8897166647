"""The world of symbols: SymPy expressions over opaque functions.

Every function of the table is a SymPy `Function` that knows nothing but its derivative, which is
SymPy's own derivative of what it means, found once. So expressions stay as short as the user wrote
them, and SymPy's assumption engine, which hangs at random on one expression in a thousand, is never
asked anything.
"""

from __future__ import annotations

from fractions import Fraction
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import sympy

from gradcheck_cli.calculus.formulas import conditions
from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.functions import lookup, table
from gradcheck_cli.language.parse import parse
from gradcheck_cli.language.program import Call, CallSettings, Number, fold
from gradcheck_cli.language.text import number_text
from gradcheck_cli.symbolic.derivatives import derivatives, parts, spare

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gradcheck_cli.symbolic.derivatives import Expression

# A real number of which nothing else is known. What is unknown is stated too, or SymPy would search
# for it again and again.
_FACTS = dict.fromkeys(
    [
        f"is_{sign}"
        for sign in ("zero", "nonzero", "positive", "negative", "nonpositive", "nonnegative")
    ]
    + [
        f"is_extended_{sign}"
        for sign in ("nonzero", "positive", "negative", "nonpositive", "nonnegative")
    ]
    + [
        "is_integer",
        "is_noninteger",
        "is_even",
        "is_odd",
        "is_prime",
        "is_composite",
        "is_rational",
        "is_irrational",
    ]
    + ["is_algebraic", "is_transcendental", "is_antihermitian", "is_polar"]
) | {"is_real": True}

_INFINITE = frozenset((sympy.oo, -sympy.oo))


class SlopeStep(NamedTuple):
    """A part of a partial: made of which arguments and earlier parts, or an `atom` as it is."""

    build: Any
    where: list[int]
    atom: Expression | None


class NoDerivative(Exception):
    """SymPy has no derivative in terms of the table's functions."""


class Symbols:
    """The world of SymPy's expressions; an input that is not given is a real unknown."""

    def number(self, node: Number) -> Expression:
        """An exact number; a decimal that some dtype rounds stays a symbol that is printed as the
        decimal.
        """
        if isinstance(node.value, float):
            return sympy.oo if node.value > 0 else -sympy.oo
        exact = sympy.Rational(node.value.numerator, node.value.denominator)
        if not node.decimal or DTYPES["bfloat16"].holds(node.value):
            return exact
        sign = -1 if node.value < 0 else 1
        text = number_text(Number(abs(node.value), decimal=True))
        return sign * sympy.Symbol(text, positive=True)

    def variable(self, name: str) -> Expression:
        """A real unknown."""
        return symbol(name)

    def call(self, node: Call, args: list[Expression]) -> Expression:
        """Arithmetic and constants are SymPy's own, every other function is opaque."""
        return apply(node.function, args, node.settings)


SYMBOLS = Symbols()


def symbol(name: str) -> Expression:
    """A real unknown."""
    return sympy.Symbol(name, real=True)


def apply(function: str, args: list[Expression], settings: CallSettings) -> Expression:
    """A function of the table applied to expressions."""
    row = lookup(function)
    if row.is_extreme:
        # SymPy's Max and Min take any number of arguments, and so does their derivative.
        args = [
            inner
            for arg in args
            for inner in (arg.args if getattr(arg, "row", "") == function else (arg,))
        ]
    elif row.sympy is not None and (row.operator or not args):
        if row.operator in ("**", "/"):
            spare(args[row.operator == "/"])
        return row.sympy(sympy, *args)
    return opaque(function, settings)(*args)


def decimal_symbol(value: float) -> Expression:
    """A float, exact where every dtype holds it, else a symbol printed as its shortest decimal."""
    return SYMBOLS.number(Number(Fraction(repr(value)), decimal=True))


def opaque(function: str, settings: CallSettings = ()) -> Any:
    """The SymPy class of a function: no evaluation, no assumptions but that it is real, and
    `fdiff`.
    """
    return _with_settings(function, settings) if settings else _opaque(function, ())


@cache
def _opaque(function: str, settings: CallSettings) -> Any:
    """One class for each function and settings: `cache` tells calls with and without a default
    apart.
    """

    def fdiff(self: Any, argindex: int = 1) -> Expression:
        if lookup(function).is_extreme:
            return _extreme_slope(function, list(self.args), argindex - 1)
        return _fdiff(function, settings, argindex - 1)(*self.args)

    members = {**_FACTS, "fdiff": fdiff, "row": function, "settings": settings}
    return type(function, (sympy.Function,), members)


# The settings are numbers of the users', of which there is no end.
_with_settings = lru_cache(maxsize=1024)(_opaque.__wrapped__)


def _extreme_slope(function: str, args: list[Expression], position: int) -> Expression:
    """As SymPy's own `Max.fdiff`: the slope in the argument beside the extreme of the others."""
    others = [arg for k, arg in enumerate(args) if k != position]
    rest = others[0] if len(others) == 1 else _applied(opaque(function), others)
    return _fdiff(function, (), 0)(args[position], rest)


@lru_cache(maxsize=1024)
def slope_steps(
    function: str, settings: CallSettings, position: int
) -> tuple[list[SlopeStep], int]:
    """SymPy's partial of a function by one of its arguments, and which of its parts it is."""
    dummies = [sympy.Dummy(name, real=True) for name in lookup(function).parsed.names]
    derivative = _partial(function, settings, position, dummies)
    index = {dummy: i for i, dummy in enumerate(dummies)}
    steps: list[SlopeStep] = []
    for part in parts(derivative):
        if part not in index:
            where = [index[arg] for arg in part.args]
            steps.append(SlopeStep(part.func, where, None if part.args else part))
            index[part] = len(index)
    return steps, index[derivative]


def _fdiff(function: str, settings: CallSettings, position: int) -> Any:
    """A function of the arguments that gives the partial as an expression."""
    steps, result = slope_steps(function, settings, position)

    def partial(*args: Expression) -> Expression:
        values = list(args)
        for build, where, atom in steps:
            if build is sympy.Pow:
                spare(values[where[0]])
            inner = [values[i] for i in where]
            values.append(_applied(build, inner) if atom is None else atom)
        return values[result]

    return partial


def _applied(build: Any, args: list[Expression]) -> Expression:
    """A function of some arguments, where an infinity is a bound that is missing: it counts for
    nothing among those of an extreme, and a step there is what it is beyond all numbers.
    """
    row = lookup(build.row) if hasattr(build, "row") and not _INFINITE.isdisjoint(args) else None
    if row is None or row.sympy is None:
        return build(*args)
    if row.is_extreme:
        # What never comes first: the larger of it and 0 is 0.
        zero = sympy.S.Zero
        bounds = [
            arg for arg in args if arg not in _INFINITE or row.sympy(sympy, arg, zero) is not zero
        ]
        return build(*bounds) if len(bounds) > 1 else (bounds or args)[0]
    value = row.sympy(sympy, *args) if _INFINITE.issuperset(args) else None
    return value if value is not None and value.is_Rational else build(*args)


def _partial(
    function: str, settings: CallSettings, position: int, dummies: list[Expression]
) -> Expression:
    row = lookup(function)
    bound = dict(zip(row.parsed.names, dummies, strict=True))
    if row.kind == "derived":
        for name, value in row.numbers(dict(settings)).items():
            exact = value if isinstance(value, float) else Fraction(value)
            bound[name] = SYMBOLS.number(Number(exact, isinstance(value, Fraction)))
        meaning = parse(row.meaning(row.bound(dict(settings))))
        return derivative(fold(meaning, SYMBOLS, bound)[meaning.result], dummies[position])
    if row.sympy is not None:
        try:
            return derivative(row.sympy(sympy, *dummies), dummies[position])
        except NoDerivative:
            pass
    # SymPy lacks the function or its derivative: the row's own partial stands in.
    stated = parse(row.partials[position], conditions(function))
    return fold(stated, SYMBOLS, bound)[stated.result]


@cache
def _known() -> dict[tuple[Any, tuple[Any, ...]], str]:
    """SymPy's classes, with their constant arguments, to the rows that are stated by them."""
    found: dict[tuple[Any, tuple[Any, ...]], str] = {}
    for row in table().values():
        if row.sympy is None:
            continue
        dummies = [sympy.Dummy(name, real=True) for name in row.parsed.names]
        native = row.sympy(sympy, *dummies)
        if (
            isinstance(native, sympy.Function | sympy.Max | sympy.Min)
            and [a for a in native.args if a in dummies] == dummies
        ):
            found.setdefault(
                (native.func, tuple(None if a in dummies else a for a in native.args)), row.name
            )
    return found


def derivative(expression: Expression, variable: Expression) -> Expression:
    """SymPy's derivative in terms of the table's functions.

    Raises:
        NoDerivative: a function is left that the table lacks.
    """
    return next(gradient(expression, [variable]))


def gradient(expression: Expression, variables: Iterable[Expression]) -> Iterator[Expression]:
    """SymPy's derivative by each variable, in terms of the table's functions.

    Raises:
        NoDerivative: a function is left that the table lacks.
    """
    return map(_ours, derivatives(expression, variables))


def _ours(native: Expression) -> Expression:
    """SymPy's own functions replaced by the table's; a delta at a jump is zero almost everywhere.

    Raises:
        NoDerivative: a function is left that the table lacks.
    """
    done: dict[Expression, Expression] = {}
    for node in parts(native):
        args = tuple([done[a] for a in node.args])
        if isinstance(node, sympy.DiracDelta):
            done[node] = sympy.S.Zero
        elif isinstance(node, sympy.Function | sympy.Max | sympy.Min) and not hasattr(node, "row"):
            done[node] = _row_for(node)(*args)
        elif isinstance(node, sympy.Derivative | sympy.Subs | sympy.Piecewise):
            raise NoDerivative(str(node))
        else:
            done[node] = node if args == node.args else node.func(*args)
    return done[native]


def _row_for(node: Expression) -> Any:
    if isinstance(node, sympy.Heaviside):
        return lambda x, *_: opaque("heaviside")(x)
    for (func, pattern), name in _known().items():
        if (
            node.func is func
            and len(pattern) == len(node.args)
            and all(p is None or p == a for p, a in zip(pattern, node.args, strict=True))
        ):
            kept = [k for k, p in enumerate(pattern) if p is None]
            return lambda *args, name=name, kept=kept: opaque(name)(*[args[k] for k in kept])
    if node.func is sympy.polygamma and node.args[0] == 0:
        return lambda n, x: opaque("digamma")(x)
    raise NoDerivative(str(node.func))
