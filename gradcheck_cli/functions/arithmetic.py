"""Arithmetic, comparison and piecewise rows: the primitives that most other rows are made of."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from gradcheck_cli.functions import taylor
from gradcheck_cli.functions.deviations import Elsewhere
from gradcheck_cli.functions.row import Function


class Off:
    """A structural zero: the cotangent of a branch that was not taken. Times NaN it is still zero.

    `0 * nan` is NaN in every arithmetic, rightly so; but a branch that `where` did not select has
    no part in the function near the point, whatever its own derivative is there.
    """

    def __mul__(self, other: Any) -> Off:
        return self

    def __add__(self, other: Any) -> Any:
        return other

    def __sub__(self, other: Any) -> Any:
        return -other

    def __rsub__(self, other: Any) -> Any:
        return other

    def __neg__(self) -> Off:
        return self

    __rmul__ = __truediv__ = __mul__
    __radd__ = __add__


OFF = Off()


def _ball(x: Any, value: float, radius: float) -> Any:
    return type(x)(value, radius)


def _power(x: Any, y: Any) -> Any:
    """`x**y` for reals: NaN unless x > 0, or y is an exact integer, or x is exactly 0 and y > 0."""
    if x is OFF and y > 0:
        return x
    if x.is_nan():
        return x  # arb says nan**0 = 1
    if y.is_exact() and y.is_integer():
        if not (x > 0 or x < 0) and y > 0 and not x.is_exact():
            # arb answers NaN around the midpoint 0; the power lies within plus and minus that of
            # the larger end.
            bound = (x.abs_upper() ** y).upper()
            return bound.union(-bound)
        return x**y
    if x > 0:
        return x**y
    # arb(0)**0.5 looks finite whatever the exponent's sign; say it only where it holds.
    return type(x)(0) if x.is_zero() and y > 0 else type(x).nan()


def _power_beside(s: Any, x: Any, y: Any) -> Any:
    """By the binomial series where the exponent is an exact number, else `exp(y log x)`."""
    exponent = y.exact
    if exponent is None and x.lead is None and y.sign() > 0:
        return x
    if exponent is None:
        return s.apply("exp", y * s.apply("log", x))
    return s.constant(1) if exponent == 0 else x**exponent


def _square_root(x: Any) -> Any:
    """NaN when the ball reaches below zero: arb would silently clip it."""
    return x.sqrt() if x >= 0 else type(x).nan()


def _sign(x: Any) -> Any:
    return (
        type(x)(1)
        if x > 0
        else type(x)(-1)
        if x < 0
        else x
        if x.is_zero() or x.is_nan()
        else _ball(x, 0, 1)
    )


def _step(x: Any) -> Any:
    """Slope of `maximum(x, 0)`; at 0 all of [0, 1], the convex hull of its slopes (Clarke's
    gradient).
    """
    return type(x)(1) if x > 0 else type(x)(0) if x < 0 else x if x.is_nan() else _ball(x, 0.5, 0.5)


def _step_beside(s: Any, x: Any) -> Any:
    """On one side of 0; what stays at 0 has no side."""
    sign = x.sign()
    return s.constant(sign > 0) if sign else s.follow("heaviside", x)


def _halves(x: Any) -> Any:
    """Nearest integer, halves to even."""
    near = (x + type(x)(0.5)).floor()
    tie = near - x == 0.5
    return near - 1 if tie and not (near / 2).is_integer() else near


def _truncated(x: Any) -> Any:
    return x.floor() if x >= 0 else x.ceil() if x < 0 else x.floor().union(x.ceil())


def _compare(holds: Any, fails: Any) -> bool | None:
    """Three-valued: None where the balls overlap."""
    return True if holds else False if fails else None


def _both(c: bool | None, d: bool | None) -> bool | None:
    return False if c is False or d is False else None if c is None or d is None else True


def _either(c: bool | None, d: bool | None) -> bool | None:
    return True if c is True or d is True else None if c is None or d is None else False


def _where(c: bool | None, x: Any, y: Any) -> Any:
    return x if c is True else y if c is False else x.union(y)


def _gate(c: bool | None) -> Any:
    from flint import arb

    return arb(1) if c is True else OFF if c is False else arb(0.5, 0.5)


# A bound that is taken from a size may itself be rounded: it is taken a little larger.
_MORE = 1 + 2.0**-25


def _quotient_steep(t: Any, q: Any, x: Any, y: Any, ex: Any, ey: Any) -> tuple[Any, Any]:
    room = abs(y) - ey * _MORE
    room = t.where(room > 0, room, float("nan"))
    return 1 / room, (abs(x) + ex) / room / room


def _power_steep(t: Any, p: Any, x: Any, y: Any, ex: Any, ey: Any) -> tuple[Any, Any]:
    """|x| grows or falls in its power; a whole one from 1 on has a slope at 0 too."""
    low, high = abs(x) - ex * _MORE, abs(x) + ex
    whole = (ey == 0) & (y == t.floor(y)) & (y >= 1)
    if not y.ndim and whole:
        return (abs(y) * high ** (y - 1), y)
    low = t.where((low > 0) & ((x > 0) | (ey == 0)), low, float("nan"))
    log = t.maximum(abs(t.log(low)), abs(t.log(high)))
    far = t.exp(ey * log * _MORE) * _MORE
    inside = (abs(y) + ey) * t.maximum(low ** (y - 1), high ** (y - 1)) * far
    slope = t.where(whole, abs(y) * high ** (y - 1), inside)
    slope = t.where((y == 0) & (ey == 0), 0.0, slope)
    return slope, t.maximum(low**y, high**y) * far * log


# fmt: off
# Where two are equal torch gives each half.
_HALF = "where(x == y, ybar / 2, where(%s, ybar, 0))"

ROWS = (
    Function("pi", "", torch=lambda t: t.pi, means="4 * atan(1)", sympy=lambda s: s.pi),
    Function("e",  "", torch=lambda t: t.e,  means="exp(1)", sympy=lambda s: s.E, aliases=("E",)),

    Function("add", "x, y", torch=lambda t, x, y: x + y, sympy=lambda s, x, y: x + y, arb=lambda x, y: x + y, series=lambda x, y: x + y, partials=("1", "1"),
             operator="+", scalars=True, germ=lambda s, x, y: x + y, rounds=(1, 0), fields=lambda f, x, y: x + y),
    Function("sub", "x, y", torch=lambda t, x, y: x - y, sympy=lambda s, x, y: x - y, arb=lambda x, y: x - y, series=lambda x, y: x - y, partials=("1", "-1"),
             operator="-", scalars=True, aliases=("subtract",), germ=lambda s, x, y: x - y, rounds=(1, 0), fields=lambda f, x, y: x - y),
    Function("mul", "x, y", torch=lambda t, x, y: x * y, sympy=lambda s, x, y: x * y, arb=lambda x, y: x * y, series=lambda x, y: x * y, partials=("y", "x"),
             operator="*", scalars=True, aliases=("multiply",), germ=lambda s, x, y: x * y, rounds=(1, 0), fields=lambda f, x, y: x * y),
    Function("div", "x, y", torch=lambda t, x, y: x / y, sympy=lambda s, x, y: x / y, arb=lambda x, y: x / y, series=lambda x, y: x / y,
             partials=("1 / y", "-x / y / y"), operator="/",
             scalars=True, aliases=("divide", "true_divide"), pullback=("ybar / y", "-ybar * (x / y / y)"), domain=("abs(y)",), germ=lambda s, x, y: x / y,
             rounds=(1, 0), steep=_quotient_steep, foreign={"sympy": "sympy.div(x, y) divides polynomials, with a remainder: write x / y"},
             fields=lambda f, x, y: x / y),
    Function("pow", "x, y", derivative=("y * x**(y - 1)", "x**y * log(x)"),
             torch=lambda t, x, y: x ** y, sympy=lambda s, x, y: x ** y, arb=_power, operator="**", scalars=True, aliases=("power", "Pow"),
             series=taylor.raised, steep=_power_steep, partials=("where(y == 0, 0, y * x**(y - 1))", "where(x == 0, where(y > 0, 0, log(x)), x**y * log(x))"),
             pullback=("where(y == 0, 0, ybar * (y * x**(y - 1)))", "where(x == 0, 0, ybar * (x**y * log(x)))"),
             domain=("where(x > 0, 1, where(x == 0, where(y == 0, 1, y), where(y == floor(y), 1, -1)))",),
             germ=_power_beside, note="x < 0 needs an integer exponent; x = 0 a positive one, or 0", fields=lambda f, x, y: f.power(x, y)),
    Function("neg", "x", torch=lambda t, x: -x, sympy=lambda s, x: -x, arb=lambda x: -x, series=lambda x: -x, monotone=-1, partials=("-1",), operator="-",
             scalars=True, aliases=("negative",), germ=lambda s, x: -x, rounds=(0, 0), fields=lambda f, x: -x),

    Function("abs", "x", derivative=("sign(x)",),
             torch=lambda t, x: t.abs(x), sympy=lambda s, x: s.Abs(x), arb=abs, partials=("2 * heaviside(x) - 1",), pullback=("ybar * sign(x)",),
             kinks=("x",), aliases=("Abs", "fabs", "absolute"), germ=lambda s, x: s.extreme(x, -x, 1), rounds=(0, 0), latex=r"\left|%s\right|",
             fields=lambda f, x: x if x.ball > 0 else -x,
             mpmath=lambda m, x: abs(x)),
    Function("sign", "x", torch=lambda t, x: t.sign(x), sympy=lambda s, x: s.sign(x), arb=_sign, monotone=1, partials=("0",), kinks=("x",), jumps=True,
             aliases=("sgn",), germ=lambda s, x: s.constant(x.sign()), rounds=(0, 0)),
    Function("heaviside", "x", torch=lambda t, x: t.heaviside(x, t.full_like(x, 0.5)), sympy=lambda s, x: s.Heaviside(x), arb=_step, monotone=1,
             partials=("0",),
             kinks=("x",), jumps=True, backward=False, aliases=("Heaviside",), germ=_step_beside, rounds=(0, 0), convention="(sign(x) + 1) / 2",
             note="any of [0, 1] at 0; torch is given 1/2 there",
             mpmath=lambda m, x: m.choose(x > 0, 1, m.choose(x < 0, 0, m.mpf(0.5)))),
    Function("maximum", "x, y", derivative=("where(x > y, 1, 0)", "where(y > x, 1, 0)"),
             torch=lambda t, x, y: t.maximum(x, y), sympy=lambda s, x, y: s.Max(x, y), arb=lambda x, y: x.max(y),
             partials=("heaviside(x - y)", "heaviside(y - x)"), kinks=("x - y",), folds="maximum", aliases=("Max",),
             pullback=(_HALF % "x > y", _HALF % "y > x"), germ=lambda s, x, y: s.extreme(x, y, 1), rounds=(0, 0),
             fields=lambda f, x, y: x if x.ball > y.ball else y,
             mpmath=lambda m, x, y: m.choose(x > y, x, y)),
    Function("minimum", "x, y", derivative=("where(x < y, 1, 0)", "where(y < x, 1, 0)"),
             torch=lambda t, x, y: t.minimum(x, y), sympy=lambda s, x, y: s.Min(x, y), arb=lambda x, y: x.min(y),
             partials=("heaviside(y - x)", "heaviside(x - y)"), kinks=("x - y",), folds="minimum", aliases=("Min",),
             pullback=(_HALF % "x < y", _HALF % "y < x"), germ=lambda s, x, y: s.extreme(x, y, -1), rounds=(0, 0),
             fields=lambda f, x, y: x if x.ball < y.ball else y,
             mpmath=lambda m, x, y: m.choose(x < y, x, y)),
    Function("fmax",       "x, y", torch=lambda t, x, y: t.fmax(x, y),    means="maximum(x, y)", pullback=("where(x >= y, ybar, 0)", "where(x < y, ybar, 0)"),
             rounds=(0, 0)),
    Function("fmin",       "x, y", torch=lambda t, x, y: t.fmin(x, y),    means="minimum(x, y)", pullback=("where(x <= y, ybar, 0)", "where(x > y, ybar, 0)"),
             rounds=(0, 0)),
    Function("clamp", "x, min=-inf, max=inf", torch=lambda t, x, lo, hi: t.clamp(x, lo, hi), means="minimum(maximum(x, min), max)", scalars=True,
             pullback=("where(x >= min, where(x <= max, ybar, 0), 0)", "where(x < min, where(min < max, ybar, 0), 0)",
                       "where(x > max, ybar, where(max < min, ybar, 0))"),
             rounds=(0, 0), aliases=("clip",)),

    Function("square",     "x", torch=lambda t, x: t.square(x),     means="x**2",        pullback=("ybar * (2 * x)",), rounds=(1, 0)),
    Function("reciprocal", "x", torch=lambda t, x: t.reciprocal(x), means="1 / x",       pullback=("-ybar * (y * y)",), rounds=(1, 0)),
    Function("sqrt", "x", torch=lambda t, x: t.sqrt(x), sympy=lambda s, x: s.sqrt(x), arb=_square_root, series=lambda x: x.sqrt(), monotone=1,
             partials=("1 / (2 * sqrt(x))",),
             pullback=("ybar / (2 * y)",), domain=("x",), germ=lambda s, x: x ** Fraction(1, 2), rounds=(1, 0), latex=r"\sqrt{%s}",
             steep=lambda t, y, x, e: (t.where(e <= 0.75 * x, 1 / y, float("inf")),),
             foreign={"sympy": Elsewhere(scalars=True)}, fields=lambda f, x: f.power(x, Fraction(1, 2))),
    Function("rsqrt",      "x", torch=lambda t, x: t.rsqrt(x),      means="1 / sqrt(x)", pullback=("-1/2 * ybar * y**3",)),

    Function("floor", "x", torch=lambda t, x: t.floor(x), sympy=lambda s, x: s.floor(x), arb=lambda x: x.floor(), monotone=1, partials=("0",),
             kinks=("x - floor(x)",), jumps=True, rounds=(0, 0)),
    Function("ceil", "x", torch=lambda t, x: t.ceil(x), sympy=lambda s, x: s.ceiling(x), arb=lambda x: x.ceil(), monotone=1, partials=("0",),
             kinks=("ceil(x) - x",), jumps=True, aliases=("ceiling",), rounds=(0, 0),
             mpmath=lambda m, x: m.ceil(x)),
    Function("trunc", "x", torch=lambda t, x: t.trunc(x), sympy=lambda s, x: s.sign(x) * s.floor(s.Abs(x)), arb=_truncated, partials=("0",),
             kinks=("where(abs(x) < 1, 1, x - floor(x))",), jumps=True, aliases=("fix",), rounds=(0, 0),
             mpmath=lambda m, x: m.sign(x) * m.floor(abs(x))),
    Function("round", "x", torch=lambda t, x: t.round(x), arb=_halves, partials=("0",), kinks=("x + 1/2 - floor(x + 1/2)",), jumps=True,
             note="halves go to the even neighbour", rounds=(0, 0),
             mpmath=lambda m, x: m.nint(x)),
    Function("frac",      "x",    torch=lambda t, x: t.frac(x),         means="x - trunc(x)",
             foreign={"sympy": "sympy.frac(x) is x - floor(x), this language's frac(x) is x - trunc(x): write x - floor(x)"}),
    Function("fmod",      "x, y", torch=lambda t, x, y: t.fmod(x, y),      means="x - y * trunc(x / y)", scalars=True),
    Function("remainder", "x, y", torch=lambda t, x, y: t.remainder(x, y), means="x - y * floor(x / y)", operator="%", scalars=True, aliases=("mod", "Mod"),
             foreign={"math": "math.remainder(x, y) rounds x/y to the nearest integer, this language's remainder(x, y) rounds down: write x - y*round(x/y)"}),

    Function("where", "c:condition, x, y", torch=lambda t, c, x, y: t.where(c, x, y), arb=_where, partials=("0", "gate(c)", "gate(logical_not(c))"),
             operator="if", germ=lambda s, c, x, y: x if c else y, rounds=(0, 0),
             note="a branch that is not taken has no part in the derivative; torch multiplies its gradient by 0, which leaves NaN where that is infinite",
             fields=lambda f, c, x, y: x if c else y,
             mpmath=lambda m, c, x, y: m.choose(c, x, y)),
    Function("masked_fill", "x, mask:condition, value", torch=lambda t, x, mask, value: t.masked_fill(x, mask, value),
             arb=lambda x, c, value: _where(c, value, x),
             partials=("gate(logical_not(mask))", "0", "gate(mask)"), germ=lambda s, x, c, value: value if c else x, rounds=(0, 0),
             fields=lambda f, x, c, value: value if c else x,
             mpmath=lambda m, x, c, value: m.choose(c, value, x)),
    Function("gate", "c:condition", helper=True, torch=lambda t, c: t.where(c, 1.0, 0.0), arb=_gate, partials=("0",), backward=False,
             note="1 where c holds, a zero that even NaN cannot spoil elsewhere: the slope of `where`", germ=lambda s, c: s.constant(c), rounds=(0, 0)),

    Function("stop_gradient", "x", torch=lambda t, x: x.detach(), arb=lambda x: x, series=lambda x: x, monotone=1, partials=("0",), backward=False,
             stops=True, rounds=(0, 0),
             note="the value of x, held fixed where a gradient is formed; a cut by `detach`, which is the identity, is told as a missing path",
             fields=lambda f, x: x),
    Function("straight_through", "forward, backward", derivative=("0", "ybar"), torch=lambda t, x, y: y + (x - y).detach(),
             means="backward + stop_gradient(forward - backward)",
             note="the value of forward with the gradient of backward, as in straight_through(round(x), x)"),

    Function("lt", "x, y", torch=lambda t, x, y: x < y, arb=lambda x, y: _compare(x < y, x >= y), partials=("0", "0"), kinks=("x - y",), operator="<",
             condition=True, scalars=True, jumps=True, germ=lambda s, x, y: s.compare(x, y) < 0, latex=r"\left(%s < %s\right)",
             mpmath=lambda m, x, y: x < y),
    Function("le", "x, y", torch=lambda t, x, y: x <= y, arb=lambda x, y: _compare(x <= y, x > y), partials=("0", "0"), kinks=("x - y",), operator="<=",
             condition=True, scalars=True, jumps=True, germ=lambda s, x, y: s.compare(x, y) <= 0, latex=r"\left(%s \le %s\right)",
             mpmath=lambda m, x, y: x <= y),
    Function("gt", "x, y", torch=lambda t, x, y: x > y, arb=lambda x, y: _compare(x > y, x <= y), partials=("0", "0"), kinks=("x - y",), operator=">",
             condition=True, scalars=True, jumps=True, germ=lambda s, x, y: s.compare(x, y) > 0, latex=r"\left(%s > %s\right)",
             mpmath=lambda m, x, y: x > y),
    Function("ge", "x, y", torch=lambda t, x, y: x >= y, arb=lambda x, y: _compare(x >= y, x < y), partials=("0", "0"), kinks=("x - y",), operator=">=",
             condition=True, scalars=True, jumps=True, germ=lambda s, x, y: s.compare(x, y) >= 0, latex=r"\left(%s \ge %s\right)",
             mpmath=lambda m, x, y: x >= y),
    Function("eq", "x, y", torch=lambda t, x, y: x == y, arb=lambda x, y: _compare(x == y, not x.overlaps(y)), partials=("0", "0"), kinks=("x - y",),
             operator="==", condition=True, scalars=True, jumps=True, germ=lambda s, x, y: s.compare(x, y) == 0, latex=r"\left(%s = %s\right)",
             mpmath=lambda m, x, y: x == y),
    Function("ne", "x, y", torch=lambda t, x, y: x != y, arb=lambda x, y: _compare(not x.overlaps(y), x == y), partials=("0", "0"), kinks=("x - y",),
             operator="!=", condition=True, scalars=True, jumps=True, germ=lambda s, x, y: s.compare(x, y) != 0, latex=r"\left(%s \ne %s\right)",
             mpmath=lambda m, x, y: x != y),
    Function("logical_and", "c:condition, d:condition", torch=lambda t, c, d: t.logical_and(c, d), arb=_both, partials=("0", "0"), operator="and",
             condition=True, jumps=True, germ=lambda s, c, d: c and d, latex=r"\left(%s \land %s\right)",
             mpmath=lambda m, c, d: m.choose(c, d, False)),
    Function("logical_or", "c:condition, d:condition", torch=lambda t, c, d: t.logical_or(c, d), arb=_either, partials=("0", "0"), operator="or",
             condition=True, jumps=True, germ=lambda s, c, d: c or d, latex=r"\left(%s \lor %s\right)",
             mpmath=lambda m, c, d: m.choose(c, True, d)),
    Function("logical_not", "c:condition", torch=lambda t, c: t.logical_not(c), arb=lambda c: None if c is None else not c, partials=("0",), operator="not",
             condition=True, jumps=True, germ=lambda s, c: not c, latex=r"\lnot %s",
             mpmath=lambda m, c: m.choose(c, False, True)),
)
# fmt: on
