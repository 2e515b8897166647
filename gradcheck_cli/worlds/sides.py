"""The world of sides: what a function does just beside a point, as a series in the distance d > 0 with balls as coefficients.

A germ is a finite sum of c d**e with rational exponents e, plus an unknown remainder O(d**order); so the square root of
d**2 is d, of d is d**(1/2), and a kink, a jump and a vertical tangent are read off the exponents.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING, Any

from gradcheck_cli.calculus import adjoints, formula
from gradcheck_cli.functions import lookup
from gradcheck_cli.language.program import Builder, Call, Number, Program, Variable
from gradcheck_cli.worlds import balls

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

# Terms are kept up to this power above the leading one: enough for tanh(abs(x))*sign(x), sqrt(x**4), x*abs(x)/sin(x).
SPAN = 4
# Derivatives in a Taylor expansion; the remainder is of this order in the distance.
TERMS = 5


class Undecided(Exception):
    """A sign or an expansion could not be settled."""


class OutsideDomain(Exception):
    """The function has no values on this side."""


@dataclass(frozen=True)
class Germ:
    """`sum(c * d**e for e, c in terms) + O(d**order)`; no order means nothing is left out.

    `terms` are in ascending exponents; no coefficient is exactly zero.
    """

    terms: tuple[tuple[Fraction, Any], ...]
    order: Fraction | None = None

    def sign(self) -> int:
        """Sign just beside the point; 0 only for the zero function.

        Raises:
            Undecided: the leading coefficient is not proved to differ from zero, or is not known.
        """
        if not self.terms:
            if self.order is None:
                return 0
            raise Undecided("every known term vanishes")
        lead = self.terms[0][1]
        if lead > 0:
            return 1
        if lead < 0:
            return -1
        raise Undecided("the sign of the leading term is not decided")

    def at(self, exponent: Fraction | int) -> Any:
        """Coefficient of d**exponent.

        Raises:
            Undecided: it lies in the remainder.
        """
        from flint import arb

        if self.order is not None and exponent >= self.order:
            raise Undecided(f"terms of order {exponent} are not known")
        return next((c for e, c in self.terms if e == exponent), arb(0))


def constant(ball: Any) -> Germ:
    """A germ that does not change."""
    return Germ(() if ball.is_zero() else ((Fraction(0), ball),))


def run(program: Program, inputs: Mapping[str, Germ], literal: Callable[[Fraction], float]) -> Germ:
    """The germ of a scalar program of primitives.

    Raises:
        Undecided: a sign or an expansion could not be settled.
        OutsideDomain: the program has no values on this side.
    """
    values: list[Any] = []
    for node in program.nodes:
        if isinstance(node, Call):
            values.append(_call(node.function, [values[i] for i in node.args]))
        elif isinstance(node, Number):
            values.append(constant(balls.number(node, literal)))
        else:
            values.append(inputs[node.name])
    found: Germ = values[program.result]
    return found


def _call(function: str, args: list[Any]) -> Any:
    special = _SPECIAL.get(function)
    if special is not None:
        return special(*args)
    row = lookup(function)
    if row.condition:
        return _compare(row.operator, *args)
    return _analytic(function, args)


def _made(terms: Mapping[Fraction, Any], order: Fraction | None) -> Germ:
    """A germ from collected terms: zeros dropped, cut `SPAN` above the leading exponent."""
    kept = sorted((e, c) for e, c in terms.items() if not c.is_zero() and (order is None or e < order))
    if kept and kept[-1][0] >= kept[0][0] + SPAN:
        cut = kept[0][0] + SPAN
        order = cut if order is None else min(cut, order)
        kept = [(e, c) for e, c in kept if e < cut]
    return Germ(tuple(kept), order)


def _least(*orders: Fraction | None) -> Fraction | None:
    known = [order for order in orders if order is not None]
    return min(known) if known else None


def _add(x: Germ, y: Germ) -> Germ:
    terms = dict(x.terms)
    for e, c in y.terms:
        terms[e] = terms[e] + c if e in terms else c
    return _made(terms, _least(x.order, y.order))


def _neg(x: Germ) -> Germ:
    return Germ(tuple((e, -c) for e, c in x.terms), x.order)


def _sub(x: Germ, y: Germ) -> Germ:
    return _add(x, _neg(y))


def _mul(x: Germ, y: Germ) -> Germ:
    terms: dict[Fraction, Any] = {}
    for e, c in x.terms:
        for f, k in y.terms:
            terms[e + f] = terms[e + f] + c * k if e + f in terms else c * k
    return _made(terms, _least(_rest(x, y), _rest(y, x)))


def _rest(x: Germ, y: Germ) -> Fraction | None:
    """Order of the remainder of x times y; x zero leaves none."""
    if x.order is None or (not y.terms and y.order is None):
        return None
    lead = y.terms[0][0] if y.terms else y.order
    assert lead is not None
    return x.order + lead


def _power(x: Germ, p: Fraction) -> Germ:
    """x**p by the binomial series around the leading term."""
    from flint import arb

    if not x.terms and x.order is None:
        if p > 0:
            return x
        raise OutsideDomain("a power of zero")
    if p.denominator != 1 and x.sign() < 0:
        raise OutsideDomain("a fractional power of a negative number")
    x.sign()
    lead, c = x.terms[0]
    scale = c ** int(p) if p.denominator == 1 else c ** balls.exact(p)
    rest = _mul(_made({e: k / c for e, k in x.terms[1:]}, x.order), Germ(((-lead, arb(1)),)))
    total, factor, power = Germ(((Fraction(0), arb(1)),)), Fraction(1), Germ(((Fraction(0), arb(1)),))
    exact = p.denominator == 1 and p >= 0
    count = min(int(p), TERMS) if exact else TERMS
    for k in range(1, count + 1):
        factor = factor * (p - k + 1) / k
        power = _mul(power, rest)
        total = _add(total, _mul(power, constant(balls.exact(factor))))
    if rest.terms and not (exact and int(p) <= TERMS):
        total = Germ(total.terms, _least(total.order, (count + 1) * rest.terms[0][0]))
        total = _made(dict(total.terms), total.order)
    return _mul(total, Germ(((lead * p, scale),)))


def _pow(x: Germ, y: Germ) -> Germ:
    exponent = _constant(y)
    if exponent is not None and exponent.is_exact():
        p = balls.fraction(exponent)
        if p == 0:
            return constant(type(exponent)(1))
        return _power(x, p)
    return _analytic("exp", [_mul(y, _analytic("log", [x]))])


def _constant(x: Germ) -> Any | None:
    """The ball of a germ that does not change, else None."""
    from flint import arb

    if x.order is not None or any(e != 0 for e, _ in x.terms):
        return None
    return x.terms[0][1] if x.terms else arb(0)


def _div(x: Germ, y: Germ) -> Germ:
    return _mul(x, _power(y, Fraction(-1)))


def _abs(x: Germ) -> Germ:
    return _neg(x) if x.sign() < 0 else x


def _order(x: Germ, y: Germ) -> int:
    """Sign of x - y; a germ is equal to itself also where its coefficients are known only as balls."""
    return 0 if x is y else _sub(x, y).sign()


def _maximum(x: Germ, y: Germ) -> Germ:
    return y if _order(x, y) < 0 else x


def _minimum(x: Germ, y: Germ) -> Germ:
    return x if _order(x, y) < 0 else y


def _moving(x: Germ) -> Germ:
    """x less its limit."""
    return Germ(tuple((e, c) for e, c in x.terms if e != 0), x.order)


def _sign(x: Germ) -> Germ:
    from flint import arb

    return constant(arb(x.sign()))


def _heaviside(x: Germ) -> Germ:
    from flint import arb

    side = x.sign()
    if side == 0:
        raise Undecided("the step at zero")
    return constant(arb(1 if side > 0 else 0))


def _rounded(function: str) -> Callable[[Germ], Germ]:
    def call(x: Germ) -> Germ:
        """Constant beside the point: the value a little further, where nothing is on the cut."""
        from flint import arb

        if x.terms and x.terms[0][0] < 0:
            raise Undecided("a rounded infinity")
        limit = x.at(0)
        beside = _moving(x).sign()
        # A nudge towards the side on which the argument lies, far above the precision in force: rounding is constant there.
        return constant(lookup(function).arb(limit + arb(beside) / arb(2) ** 600))  # type: ignore[misc]  # a primitive

    return call


def _compare(operator: str, x: Germ, y: Germ) -> bool:
    side = _order(x, y)
    return {"<": side < 0, "<=": side <= 0, ">": side > 0, ">=": side >= 0, "==": side == 0, "!=": side != 0}[operator]


def _xlog(shift: int) -> Callable[[Germ, Germ], Germ]:
    def call(x: Germ, y: Germ) -> Germ:
        from flint import arb

        if not x.terms and x.order is None:
            return x
        return _mul(x, _analytic("log", [_add(y, constant(arb(shift)))]))

    return call


_SPECIAL: dict[str, Callable[..., Any]] = {
    "add": _add, "sub": _sub, "mul": _mul, "neg": _neg, "div": _div, "pow": _pow, "abs": _abs, "maximum": _maximum, "minimum": _minimum,
    "sign": _sign, "heaviside": _heaviside, "sqrt": lambda x: _power(x, Fraction(1, 2)), "xlogy": _xlog(0), "xlog1py": _xlog(1),
    **{name: _rounded(name) for name in ("floor", "ceil", "trunc", "round")},
    "where": lambda c, x, y: x if c else y, "logical_and": lambda c, d: c and d, "logical_or": lambda c, d: c or d, "logical_not": lambda c: not c,
}  # fmt: skip


def _analytic(function: str, args: Sequence[Germ]) -> Germ:
    """Taylor's series of a smooth primitive in the one argument that changes."""
    moving = [k for k, germ in enumerate(args) if _constant(germ) is None]
    if len(moving) > 1:
        raise Undecided(f"`{function}` of two changing arguments")
    where = moving[0] if moving else len(args) - 1
    germ = args[where]
    if germ.terms and germ.terms[0][0] < 0:
        raise Undecided(f"`{function}` of an infinity")
    limit = germ.at(0)
    names = lookup(function).parsed.names
    point = {name: limit if k == where else _constant(args[k]) for k, name in enumerate(names)}
    distance = _moving(germ)
    total, power = constant(_derivative(function, where, 0, point)), None
    count = 0 if not distance.terms and distance.order is None else TERMS
    for k in range(1, count + 1):
        power = distance if power is None else _mul(power, distance)
        scale = _derivative(function, where, k, point) / _factorial(k)
        total = _add(total, _mul(power, constant(scale)))
    if count and distance.terms:
        total = _made(dict(total.terms), _least(total.order, (count + 1) * distance.terms[0][0]))
    return total


def _factorial(k: int) -> int:
    return 1 if k < 2 else k * _factorial(k - 1)


def _derivative(function: str, position: int, order: int, point: Mapping[str, Any]) -> Any:
    """The ball of the derivative of some order at the limit.

    Raises:
        Undecided: it is not finite there, or undefined.
    """
    program = _nth(function, position, order)
    found = balls.balls_of(program, point)[program.result]
    found = balls.plain(found)
    if not found.is_finite():
        raise Undecided(f"`{function}` is not smooth where it is needed")
    return found


@cache
def _nth(function: str, position: int, order: int) -> Program:
    """The derivative of some order of a primitive in one argument, as primitives over its argument names."""
    names = lookup(function).parsed.names
    if order == 0:
        return formula(f"{function}({', '.join(names)})")
    lower, name = _nth(function, position, order - 1), names[position]
    builder = Builder()
    output = builder.include(lower, {})[0]
    found = adjoints(builder, output, frozenset([name]))
    return builder.program(found.get(builder.index.get(Variable(name), -1), builder.number(0)))
