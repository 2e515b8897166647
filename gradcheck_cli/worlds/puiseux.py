"""The world of sides: every number is a germ, so a Program says what it does just left or just
right of a point.
"""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING, Any

from gradcheck_cli.calculus.reverse import adjoints, formula
from gradcheck_cli.functions import lookup
from gradcheck_cli.language.program import Builder, Call, Number, Program, Variable
from gradcheck_cli.worlds import balls
from gradcheck_cli.worlds.series import (
    TERMS,
    Germ,
    OutsideDomain,
    UndecidedSign,
    add,
    compare_series,
    constant_series,
    div,
    from_terms,
    least,
    moving,
    mul,
    neg,
    power,
    sub,
    unchanging,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


def run(program: Program, inputs: Mapping[str, Germ], literal: Callable[[Fraction], float]) -> Germ:
    """The germ of a scalar program of primitives.

    Raises:
        Undecided: a sign or an expansion could not be settled.
        OutsideDomain: the program has no values on this side.
    """
    values: list[Any] = []
    for node in program.nodes:
        if isinstance(node, Call):
            values.append(_value(node.function, [values[i] for i in node.args]))
        elif isinstance(node, Number):
            values.append(constant_series(balls.literal_ball(node, literal)))
        else:
            values.append(inputs[node.name])
    found: Germ | Exception = values[program.result]
    if isinstance(found, Exception):
        raise found
    return found


def _value(function: str, args: list[Any]) -> Any:
    """The germ of a call, or why it has none: a branch of `where` that is not taken need not have
    one.
    """
    lack = next(
        (arg for arg in (args[:1] if function == "where" else args) if isinstance(arg, Exception)),
        None,
    )
    if lack is not None:
        return lack
    try:
        return _call(function, args)
    except (UndecidedSign, OutsideDomain) as error:
        return error


def _call(function: str, args: list[Any]) -> Any:
    special = _SPECIAL.get(function)
    if special is not None:
        return special(*args)
    row = lookup(function)
    if row.condition:
        return _comparison(row.operator, *args)
    return _analytic(function, args)


def _pow(x: Germ, y: Germ) -> Germ:
    exponent = unchanging(y)
    if exponent is not None and exponent.is_exact():
        p = balls.midpoint(exponent)
        if p == 0:
            return constant_series(type(exponent)(1))
        return power(x, p)
    return _analytic("exp", [mul(y, _analytic("log", [x]))])


def _abs(x: Germ) -> Germ:
    return neg(x) if x.sign() < 0 else x


def _maximum(x: Germ, y: Germ) -> Germ:
    return y if compare_series(x, y) < 0 else x


def _minimum(x: Germ, y: Germ) -> Germ:
    return x if compare_series(x, y) < 0 else y


def _atan2(y: Germ, x: Germ) -> Germ:
    """The angle on the side of the cut where the germ lies; on the cut itself pi, as for y = +0."""
    from flint import arb

    right, above = x.sign(), y.sign()
    if right == 0 or (above and (y.terms[0][0] < x.terms[0][0])):
        quarter = constant_series(above * arb.pi() / 2)
        return quarter if right == 0 else sub(quarter, _analytic("atan", [div(x, y)]))
    turn = 0 if right > 0 else 1 if above >= 0 else -1
    return add(_analytic("atan", [div(y, x)]), constant_series(turn * arb.pi()))


def _sign(x: Germ) -> Germ:
    from flint import arb

    return constant_series(arb(x.sign()))


def _heaviside(x: Germ) -> Germ:
    from flint import arb

    side = x.sign()
    if side == 0:
        raise UndecidedSign("the step at zero")
    return constant_series(arb(1 if side > 0 else 0))


def _rounded(function: str) -> Callable[[Germ], Germ]:
    def call(x: Germ) -> Germ:
        """Constant beside the point: the value a little further, where nothing is on the cut."""
        from flint import arb

        if x.terms and x.terms[0][0] < 0:
            raise UndecidedSign("a rounded infinity")
        limit = x.at(0)
        beside = moving(x).sign()
        # A nudge towards the side on which the argument lies, far above the precision in force:
        # rounding is constant there.
        return constant_series(lookup(function).arb(limit + arb(beside) / arb(2) ** 600))  # type: ignore[misc]  # a primitive

    return call


def _comparison(operator: str, x: Germ, y: Germ) -> bool:
    side = compare_series(x, y)
    return {
        "<": side < 0,
        "<=": side <= 0,
        ">": side > 0,
        ">=": side >= 0,
        "==": side == 0,
        "!=": side != 0,
    }[operator]


def _xlog(shift: int) -> Callable[[Germ, Germ], Germ]:
    def call(x: Germ, y: Germ) -> Germ:
        from flint import arb

        if not x.terms and x.order is None:
            return x
        return mul(x, _analytic("log", [add(y, constant_series(arb(shift)))]))

    return call


_SPECIAL: dict[str, Callable[..., Any]] = {
    "add": add, "sub": sub, "mul": mul, "neg": neg, "div": div, "pow": _pow, "abs": _abs, "maximum": _maximum, "minimum": _minimum,
    "sign": _sign, "atan2": _atan2, "heaviside": _heaviside, "sqrt": lambda x: power(x, Fraction(1, 2)), "xlogy": _xlog(0), "xlog1py": _xlog(1),
    **{name: _rounded(name) for name in ("floor", "ceil", "trunc", "round")},
    "where": lambda c, x, y: x if c else y, "logical_and": lambda c, d: c and d, "logical_or": lambda c, d: c or d, "logical_not": lambda c: not c,
}  # fmt: skip


def _analytic(function: str, args: Sequence[Germ]) -> Germ:
    """Taylor's series of a smooth primitive in the one argument that changes."""
    changing = [k for k, germ in enumerate(args) if unchanging(germ) is None]
    if len(changing) > 1:
        raise UndecidedSign(f"`{function}` of two changing arguments")
    where = changing[0] if changing else len(args) - 1
    germ = args[where]
    if germ.terms and germ.terms[0][0] < 0:
        raise UndecidedSign(f"`{function}` of an infinity")
    limit = germ.at(0)
    names = lookup(function).parsed.names
    point = {name: limit if k == where else unchanging(args[k]) for k, name in enumerate(names)}
    distance = moving(germ)
    total, product = constant_series(_derivative(function, where, 0, point)), None
    count = 0 if not distance.terms and distance.order is None else TERMS
    for k in range(1, count + 1):
        product = distance if product is None else mul(product, distance)
        scale = _derivative(function, where, k, point) / _factorial(k)
        total = add(total, mul(product, constant_series(scale)))
    if count and distance.terms:
        total = from_terms(
            dict(total.terms), least(total.order, (count + 1) * distance.terms[0][0])
        )
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
        raise UndecidedSign(f"`{function}` is not smooth where it is needed")
    return found


@cache
def _nth(function: str, position: int, order: int) -> Program:
    """The derivative of some order of a primitive in one argument, as primitives over its argument
    names.
    """
    names = lookup(function).parsed.names
    if order == 0:
        return formula(f"{function}({', '.join(names)})")
    lower, name = _nth(function, position, order - 1), names[position]
    builder = Builder()
    output = builder.include(lower, {})[0]
    found = adjoints(builder, output, frozenset([name]))
    return builder.program(found.get(builder.index.get(Variable(name), -1), builder.number(0)))
