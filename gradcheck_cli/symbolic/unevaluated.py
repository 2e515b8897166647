"""SymPy's expressions as they are put together, nothing evaluated: SymPy puts in order, collects
and cancels whatever it is given, which takes most of its time and on some expressions never ends.

The slopes of functions are SymPy's own, from `fdiff`; the rules for sums, products and powers stand
here. A law evaluates what they give and holds it equal to `sympy.diff`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import sympy

from gradcheck_cli.functions import lookup
from gradcheck_cli.symbolic.readings import ExpressionReader
from gradcheck_cli.symbolic.symbols import SYMBOLS, opaque, slope_steps

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from gradcheck_cli.language.program import Call, Number, Program
    from gradcheck_cli.symbolic.derivatives import Expression

_ZERO, _ONE, _MINUS = sympy.S.Zero, sympy.S.One, sympy.S.NegativeOne
# The function that is known by its name.
_LOG = "log"


class Evaluates(Exception):
    """SymPy's evaluation has something to say of an expression: an infinity, or a power that is
    another thing, or no real number for all exponents.
    """


def bare_node(kind: type[Expression], *args: Expression) -> Expression:
    """A node of SymPy's, as it is."""
    return sympy.Basic.__new__(kind, *args)


def bare_sum(terms: Sequence[Expression]) -> Expression:
    """A sum."""
    kept = [term for term in terms if term is not _ZERO]
    return bare_node(sympy.Add, *kept) if len(kept) > 1 else kept[0] if kept else _ZERO


def bare_product(*factors: Expression) -> Expression:
    """A product."""
    kept = [factor for factor in factors if factor is not _ONE]
    if any(factor is _ZERO for factor in kept):
        return _ZERO
    return bare_node(sympy.Mul, *kept) if len(kept) > 1 else kept[0] if kept else _ONE


def bare_power(base: Expression, exponent: Expression) -> Expression:
    """A power.

    Raises:
        Evaluates: it is not real, or has no value, for every exponent or for some; or it is a root
            of a power: SymPy makes `x**2` of `(x**4)**(1/2)`.
    """
    if exponent is _ZERO or exponent is _ONE:
        return base if exponent is _ONE else _ONE
    if base.is_Number and not base.is_positive and not (base.is_negative and exponent.is_Integer):
        raise Evaluates
    if not exponent.is_Integer and _has_powers(base):
        raise Evaluates
    return bare_node(sympy.Pow, base, exponent)


def _has_powers(base: Expression) -> bool:
    """Whether an expression is a power or a product with one."""
    factors = [base]
    while factors:
        factor = factors.pop()
        if factor.is_Pow:
            return True
        factors += factor.args if factor.is_Mul else ()
    return False


_ARITHMETIC: dict[tuple[str, int], Callable[..., Expression]] = {
    ("+", 2): lambda x, y: bare_sum((x, y)),
    ("-", 2): lambda x, y: _ZERO if x is y else bare_sum((x, bare_product(_MINUS, y))),
    ("-", 1): lambda x: bare_product(_MINUS, x),
    ("*", 2): bare_product,
    ("/", 2): lambda x, y: bare_product(x, bare_power(y, _MINUS)),
    ("**", 2): bare_power,
}
_BUILDING: dict[type[Expression], Callable[..., Expression]] = {
    sympy.Add: lambda *terms: bare_sum(terms),
    sympy.Mul: bare_product,
    sympy.Pow: bare_power,
}


class Unevaluated:
    """The world of SymPy's expressions, nothing evaluated."""

    def number(self, number: Number) -> Expression:
        """As `Symbols.number`.

        Raises:
            Evaluates: an infinity.
        """
        if isinstance(number.value, float):
            raise Evaluates
        return SYMBOLS.number(number)

    def variable(self, name: str) -> Expression:
        """A real unknown."""
        return SYMBOLS.variable(name)

    def call(self, call: Call, args: list[Expression]) -> Expression:
        """Arithmetic and constants are SymPy's own, every other function is opaque."""
        row = lookup(call.function)
        arithmetic = _ARITHMETIC.get((row.operator, len(args)))
        if row.sympy is not None and arithmetic is not None:
            return arithmetic(*args)
        if row.sympy is not None and not args:
            return row.sympy(sympy)
        if row.is_extreme:
            args = [
                inner
                for arg in args
                for inner in (arg.args if getattr(arg, "row", "") == call.function else (arg,))
            ]
        return bare_node(opaque(call.function, call.settings), *args)


def parts_in_order(outputs: Sequence[Expression]) -> list[Expression]:
    """Every node once, each after its own parts; no recursion over depth."""
    done = set[int]()
    found: list[Expression] = []
    stack = list(reversed(outputs))
    while stack:
        top = stack[-1]
        waiting = [] if id(top) in done else [arg for arg in top.args if id(arg) not in done]
        if waiting:
            stack += waiting
            continue
        stack.pop()
        if id(top) not in done:
            done.add(id(top))
            found.append(top)
    return found


def bare_derivatives(
    expression: Expression, variables: Sequence[Expression]
) -> Iterator[Expression]:
    """The derivative by each variable."""
    nodes = parts_in_order([expression])
    where = {id(part): i for i, part in enumerate(nodes)}
    args = [[where[id(arg)] for arg in part.args] for part in nodes]
    partials: dict[tuple[int, int], Expression] = {}
    for variable in variables:
        found: list[Expression] = []
        for i, part in enumerate(nodes):
            inner = [found[j] for j in args[i]]
            if part is variable or (part.is_Symbol and part == variable):
                found.append(_ONE)
            elif all(slope is _ZERO for slope in inner):
                found.append(_ZERO)
            else:
                found.append(_slope(part, inner, i, partials))
        yield found[-1]


def _slope(
    part: Expression,
    inner: list[Expression],
    place: int,
    partials: dict[tuple[int, int], Expression],
) -> Expression:
    """The derivative of a node, of those of its parts."""
    if part.is_Add:
        return bare_sum(inner)
    if part.is_Mul:
        pairs = enumerate(inner)
        return bare_sum([bare_product(*part.args[:k], s, *part.args[k + 1 :]) for k, s in pairs])
    if part.is_Pow:
        return _of_power(part, *inner)
    terms = []
    for position, slope in enumerate(inner):
        if slope is not _ZERO:
            known = partials.get((place, position))
            if known is None:
                known = partials[place, position] = _of_function(part, position)
            terms.append(bare_product(known, slope))
    return bare_sum(terms)


def _of_power(part: Expression, base_slope: Expression, exponent_slope: Expression) -> Expression:
    base, exponent = part.args
    less = exponent - _ONE if exponent.is_Number else bare_sum((exponent, _MINUS))
    terms = (
        [bare_product(exponent, bare_power(base, less), base_slope)]
        if base_slope is not _ZERO
        else []
    )
    if exponent_slope is not _ZERO:
        terms.append(bare_product(part, bare_node(opaque(_LOG), base), exponent_slope))
    return bare_sum(terms)


def _of_function(part: Expression, position: int) -> Expression:
    """SymPy's own slope of a function by one of its arguments."""
    row, args = lookup(part.row), list(part.args)
    if row.is_extreme:
        # The slope in the argument beside the extreme of the others.
        others = [arg for k, arg in enumerate(args) if k != position]
        rest = others[0] if len(others) == 1 else bare_node(part.func, *others)
        args, position = [args[position], rest], 0
    steps, result = slope_steps(part.row, part.settings, position)
    for kind, where, atom in steps:
        if atom is not None:
            args.append(atom)
        else:
            build, inner = _BUILDING.get(kind), [args[i] for i in where]
            args.append(bare_node(kind, *inner) if build is None else build(*inner))
    return args[result]


def bare_program(outputs: Sequence[Expression]) -> Program:
    """One program whose outputs are the expressions."""
    reader = _AsBuilt(parts_in_order(outputs))
    return reader.builder.program(*map(reader.read, outputs))


class _AsBuilt(ExpressionReader):
    """Reads what stands there, by identity, each part after its own parts."""

    def __init__(self, nodes: Sequence[Expression]) -> None:
        super().__init__(_AsTheyStand())
        self._nodes = nodes  # kept, so that no other gets their identity
        self._where: dict[int, int] = {}
        for part in nodes:
            self._where[id(part)] = self.place(part)

    def read(self, expression: Expression) -> int:
        place = self._where.get(id(expression))
        return self.place(expression) if place is None else place

    def below(self, factor: Expression) -> bool:
        return bool(factor.exp.is_Number and factor.exp.is_negative)


class _AsTheyStand:
    """The order of terms and factors that were put together so."""

    def terms(self, total: Expression) -> Sequence[Expression]:
        """All of them."""
        terms: Sequence[Expression] = total.args
        return terms

    def factors(self, product: Expression) -> Sequence[Expression]:
        """All of them."""
        factors: Sequence[Expression] = product.args
        return factors
