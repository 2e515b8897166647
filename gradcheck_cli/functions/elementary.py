"""Elementary rows: exponentials, logarithms, trigonometric and hyperbolic functions."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

from gradcheck_cli.functions import taylor
from gradcheck_cli.functions.deviations import Elsewhere
from gradcheck_cli.functions.row import Function

if TYPE_CHECKING:
    from collections.abc import Callable


def _times(x: Any, log: Any, inside: Any) -> Any:
    """`x * log`, and 0 where x is exactly 0, whatever number `inside`, the log's argument, is."""
    return type(x)(0) if x.is_zero() and not inside.is_nan() else x * log


def _sinc_slope(x: Any) -> Any:
    """`(cos(pi x) - sinc(x)) / x`; where the ball holds 0, from `|sinc''| <= pi**2 / 3` and the
    slope 0 at 0.
    """
    if x > 0 or x < 0:
        return (x.cos_pi() - x.sinc_pi()) / x
    return x * type(x).pi() ** 2 / 3 * type(x)(0, 1)


def _torch_sinc_slope(t: Any, x: Any) -> Any:
    safe = t.where(x == 0, 1.0, x)
    return t.where(x == 0, 0.0, (t.cos(t.pi * safe) - t.sinc(safe)) / safe).detach()


def _atan2(y: Any, x: Any) -> Any:
    """arb's own, which answers the whole circle for NaN."""
    return type(x).atan2(y, x) if y.is_finite() and x.is_finite() else type(x).nan()


def _atan2_beside(s: Any, y: Any, x: Any) -> Any:
    """The angle on the side of the cut where the point lies; on the cut pi, as for y = +0."""
    right, above = x.sign(), y.sign()
    half_turn = 4 * s.apply("atan", s.constant(1))
    if right == 0 or (above and y.lead < x.lead):
        quarter = above * half_turn / 2
        return quarter if right == 0 else quarter - s.apply("atan", x / y)
    turn = 0 if right > 0 else 1 if above >= 0 else -1
    return s.apply("atan", y / x) + turn * half_turn


def _asin(x: Any) -> Any:
    """flint takes the arcsine of a NaN whose radius is 0."""
    return x if x.is_nan() else x.asin()


def _acos(x: Any) -> Any:
    return x if x.is_nan() else x.acos()


def _log1p_beside(s: Any, x: Any) -> Any:
    """Near x = -1 and far out as `log(1 + x)`."""
    inside = 1 + x
    return s.follow("log1p", x) if inside.lead == s.constant(1).lead else s.logarithm(inside)


def _atanh_beside(s: Any, x: Any) -> Any:
    """At its ends by logarithms."""
    if (1 - x * x).lead == s.constant(1).lead:
        return s.follow("atanh", x)
    return (s.apply("log1p", x) - s.apply("log1p", -x)) / 2


def _atan_beside(s: Any, x: Any) -> Any:
    """Far out by the angle of the reciprocal."""
    if not x.infinity:
        return s.follow("atan", x)
    return x.infinity * 2 * s.apply("atan", s.constant(1)) - s.apply("atan", 1 / x)


def _tanh_beside(s: Any, x: Any) -> Any:
    """Far out one less what vanishes with all its derivatives."""
    sign = x.infinity
    return sign - 2 * sign / (s.exponential(2 * sign * x) + 1) if sign else s.follow("tanh", x)


def _asinh_beside(s: Any, x: Any) -> Any:
    """Far out by a logarithm."""
    sign, one = x.infinity, s.constant(1)
    root = s.apply("sqrt", x * x + one) if sign else one
    return sign * s.logarithm(sign * x + root) if sign else s.follow("asinh", x)


def _acosh_beside(s: Any, x: Any) -> Any:
    """Far out by a logarithm."""
    if not x.infinity:
        return s.follow("acosh", x)
    return s.logarithm(x + s.apply("sqrt", x * x - 1))


def _hyperbolic(name: str, sign: int) -> Callable[[Any, Any], Any]:
    """The germ of `(exp(x) + sign * exp(-x)) / 2`, so written far out."""

    def beside(s: Any, x: Any) -> Any:
        if not x.infinity:
            return s.follow(name, x)
        return (s.exponential(x) + sign * s.exponential(-x)) / 2

    return beside


def _tangent_in_fields(f: Any, x: Any) -> Any:
    cos, sin = f.turn(x, f.value("atan", 1))
    return sin / cos


def _sinc_in_fields(f: Any, x: Any) -> Any:
    quarter = f.value("atan", 1)
    return f.turn(4 * quarter * x, quarter)[1] / (4 * quarter * x)


def _sinc_slope_in_fields(f: Any, x: Any) -> Any:
    quarter = f.value("atan", 1)
    cos, sin = f.turn(4 * quarter * x, quarter)
    return (cos - sin / (4 * quarter * x)) / x


def _grown(t: Any, size: Any, e: Any) -> tuple[Any]:
    """At least `size * exp(e)`, where that is no more than thrice as much."""
    return (size * t.where(e <= 1, 1 + 2 * e, float("inf")),)


def _tan_steep(t: Any, y: Any, x: Any, e: Any) -> tuple[Any]:
    """By the addition theorem, with tan(e) below 0.275 and so is its product with |y|."""
    return (t.where(e * (1 + abs(y)) <= 0.25, 2.1 * (1 + y * y), float("inf")),)


# fmt: off
ROWS = (
    Function("exp", "x", torch=lambda t, x: t.exp(x), sympy=lambda s, x: s.exp(x), arb=lambda x: x.exp(), series=lambda x: x.exp(), monotone=1,
             steep=lambda t, y, x, e: _grown(t, abs(y), e), partials=("exp(x)",), pullback=("ybar * y",),
             germ=lambda s, x: s.exponential(x), rounds=(2, 1), latex="e^{%s}", foreign={"sympy": Elsewhere(scalars=True)},
             fields=lambda f, x: f.exp(x)),
    Function("expm1", "x", derivative=("exp(x)",),
             torch=lambda t, x: t.expm1(x), sympy=lambda s, x: s.exp(x) - 1, arb=lambda x: x.expm1(), series=taylor.expm1, monotone=1, partials=("exp(x)",),
             pullback=("ybar * (y + 1)",), germ=lambda s, x: s.exponential(x) - 1 if x.infinity else s.follow("expm1", x),
             fields=lambda f, x: f.exp(x) - 1,
             mpmath=lambda m, x: m.expm1(x)),
    Function("exp2", "x", torch=lambda t, x: t.exp2(x), means="2**x", pullback=("ybar * y * log(2)",)),
    Function("log", "x", torch=lambda t, x: t.log(x), sympy=lambda s, x: s.log(x), arb=lambda x: x.log(), series=lambda x: x.log(), monotone=1,
             partials=("1 / x",), pullback=("ybar / x",),
             domain=("x",), aliases=("ln",), germ=lambda s, x: s.logarithm(x), latex=r"\log", fields=lambda f, x: f.log(x)),
    Function("log1p", "x", torch=lambda t, x: t.log1p(x), sympy=lambda s, x: s.log(1 + x), arb=lambda x: x.log1p(), series=taylor.log1p, monotone=1,
             partials=("1 / (1 + x)",),
             pullback=("ybar / (1 + x)",), domain=("1 + x",), germ=_log1p_beside, fields=lambda f, x: f.log(1 + x),
             mpmath=lambda m, x: m.log1p(x)),
    Function("log2", "x", torch=lambda t, x: t.log2(x), means="log(x) / log(2)", pullback=("ybar / (x * log(2))",)),
    Function("log10", "x", torch=lambda t, x: t.log10(x), means="log(x) / log(10)", pullback=("ybar / (x * log(10))",)),

    Function("sin",  "x", torch=lambda t, x: t.sin(x),  sympy=lambda s, x: s.sin(x),  arb=lambda x: x.sin(),  series=lambda x: x.sin(),
             steep=lambda t, y, x, e: (t.ones_like(y),), partials=("cos(x)",),
             latex=r"\sin",
             fields=lambda f, x: f.turn(x, f.value("atan", 1))[1]),
    Function("cos",  "x", torch=lambda t, x: t.cos(x),  sympy=lambda s, x: s.cos(x),  arb=lambda x: x.cos(),  series=lambda x: x.cos(),
             steep=lambda t, y, x, e: (t.ones_like(y),), partials=("-sin(x)",),
             latex=r"\cos",
             fields=lambda f, x: f.turn(x, f.value("atan", 1))[0]),
    Function("tan", "x", torch=lambda t, x: t.tan(x), sympy=lambda s, x: s.tan(x), arb=lambda x: x.tan(), series=lambda x: x.tan(), partials=("1 + tan(x)**2",),
             pullback=("ybar * (1 + y**2)",), domain=("abs(cos(x))",), latex=r"\tan", aliases=("tg",),
             steep=_tan_steep, fields=_tangent_in_fields),
    Function("asin", "x", derivative=("1 / sqrt(1 - x**2)",),
             torch=lambda t, x: t.asin(x), sympy=lambda s, x: s.asin(x), arb=_asin, series=lambda x: x.asin(), monotone=1, partials=("1 / sqrt(1 - x**2)",),
             pullback=("ybar * rsqrt(1 - x * x)",), domain=("1 - x**2",), aliases=("arcsin",)),
    Function("acos", "x", derivative=("-1 / sqrt(1 - x**2)",),
             torch=lambda t, x: t.acos(x), sympy=lambda s, x: s.acos(x), arb=_acos, series=lambda x: x.acos(), monotone=-1, partials=("-1 / sqrt(1 - x**2)",),
             pullback=("ybar * -rsqrt(1 - x * x)",), domain=("1 - x**2",), aliases=("arccos",),
             fields=lambda f, x: 2 * f.value("atan", 1) - f.value("asin", x)),
    Function("atan", "x", torch=lambda t, x: t.atan(x), sympy=lambda s, x: s.atan(x), arb=lambda x: x.atan(), series=lambda x: x.atan(), monotone=1,
             partials=("1 / (1 + x**2)",),
             pullback=("ybar / (x * x + 1)",), aliases=("arctan", "arctg"), germ=_atan_beside),
    # Differentiable on the cut itself, but the value jumps there: zero where y = 0 and x <= 0.
    Function("atan2", "y, x", torch=lambda t, y, x: t.atan2(y, x), sympy=lambda s, y, x: s.atan2(y, x), arb=_atan2, aliases=("arctan2",),
             partials=("x / (x**2 + y**2)", "-y / (x**2 + y**2)"), kinks=("maximum(x, abs(y))",), jumps=True,
             germ=_atan2_beside,
             note="jumps from pi to -pi across the negative x axis"),

    Function("sinh",  "x", torch=lambda t, x: t.sinh(x),  sympy=lambda s, x: s.sinh(x),  arb=lambda x: x.sinh(),  series=taylor.sinh, monotone=1,
             steep=lambda t, y, x, e: _grown(t, abs(y) + 1, e), partials=("cosh(x)",),
             germ=_hyperbolic("sinh", -1), latex=r"\sinh", fields=lambda f, x: (f.exp(x) - 1 / f.exp(x)) / 2),
    Function("cosh",  "x", torch=lambda t, x: t.cosh(x),  sympy=lambda s, x: s.cosh(x),  arb=lambda x: x.cosh(),  series=taylor.cosh,
             steep=lambda t, y, x, e: _grown(t, abs(y), e), partials=("sinh(x)",),
             germ=_hyperbolic("cosh", 1), latex=r"\cosh", fields=lambda f, x: (f.exp(x) + 1 / f.exp(x)) / 2),
    Function("tanh", "x", torch=lambda t, x: t.tanh(x), sympy=lambda s, x: s.tanh(x), arb=lambda x: x.tanh(), series=taylor.tanh, monotone=1,
             steep=lambda t, y, x, e: (1 - y * y + 2 * e + 2.0**-44,), partials=("1 / cosh(x)**2",),
             pullback=("ybar * (1 - y * y)",), germ=_tanh_beside, latex=r"\tanh",
             fields=lambda f, x: 1 - 2 / (f.exp(x)**2 + 1)),
    Function("asinh", "x", derivative=("1 / sqrt(x**2 + 1)",),
             torch=lambda t, x: t.asinh(x), sympy=lambda s, x: s.asinh(x), arb=lambda x: x.asinh(), series=taylor.asinh, monotone=1,
             partials=("1 / sqrt(x**2 + 1)",),
             pullback=("ybar * rsqrt(x**2 + 1)",), aliases=("arcsinh", "arsinh"), germ=_asinh_beside,
             fields=lambda f, x: f.log(x + f.power(x * x + 1, Fraction(1, 2)))),
    Function("acosh", "x", derivative=("1 / sqrt(x**2 - 1)",),
             torch=lambda t, x: t.acosh(x), sympy=lambda s, x: s.acosh(x), arb=lambda x: x.acosh(), monotone=1, partials=("1 / sqrt(x**2 - 1)",),
             pullback=("ybar * rsqrt(x * x - 1)",), domain=("x - 1",), aliases=("arccosh", "arcosh"), germ=_acosh_beside,
             fields=lambda f, x: f.log(x + f.power(x * x - 1, Fraction(1, 2)))),
    Function("atanh", "x", torch=lambda t, x: t.atanh(x), sympy=lambda s, x: s.atanh(x), arb=lambda x: x.atanh(), monotone=1, partials=("1 / (1 - x**2)",),
             pullback=("ybar / (1 - x**2)",), domain=("1 - x**2",), aliases=("arctanh", "artanh"), germ=_atanh_beside,
             fields=lambda f, x: (f.log(1 + x) - f.log(1 - x)) / 2),

    # torch has none of these; they are given to it as people write them.
    Function("sec", "x", derivative=("sec(x) * tan(x)",), torch=lambda t, x: 1 / t.cos(x), means="1 / cos(x)", latex=r"\sec"),
    Function("csc", "x", derivative=("-csc(x) * cot(x)",), torch=lambda t, x: 1 / t.sin(x), means="1 / sin(x)", latex=r"\csc", aliases=("cosec",)),
    Function("cot", "x", derivative=("-csc(x)**2",), torch=lambda t, x: t.cos(x) / t.sin(x), means="cos(x) / sin(x)", latex=r"\cot", aliases=("ctg", "cotan")),
    Function("asec", "x", torch=lambda t, x: t.acos(1 / x), means="acos(1 / x)", aliases=("arcsec",)),
    Function("acsc", "x", torch=lambda t, x: t.asin(1 / x), means="asin(1 / x)", aliases=("arccsc",)),
    Function("acot", "x", derivative=("-1 / (1 + x**2)",), torch=lambda t, x: t.atan(1 / x), means="atan(1 / x)", aliases=("arccot",),
             note="between -pi/2 and pi/2, with a jump at 0, as in SymPy"),
    Function("sech", "x", derivative=("-sech(x) * tanh(x)",), torch=lambda t, x: 1 / t.cosh(x), means="1 / cosh(x)"),
    Function("csch", "x", derivative=("-csch(x) * coth(x)",), torch=lambda t, x: 1 / t.sinh(x), means="1 / sinh(x)"),
    Function("coth", "x", derivative=("-csch(x)**2",), torch=lambda t, x: 1 / t.tanh(x), means="1 / tanh(x)", latex=r"\coth"),
    Function("asech", "x", torch=lambda t, x: t.acosh(1 / x), means="acosh(1 / x)", aliases=("arcsech",)),
    Function("acsch", "x", torch=lambda t, x: t.asinh(1 / x), means="asinh(1 / x)", aliases=("arccsch",)),
    Function("acoth", "x", derivative=("1 / (1 - x**2)",), torch=lambda t, x: t.atanh(1 / x), means="atanh(1 / x)", aliases=("arccoth",)),
    Function("cbrt", "x", derivative=("1 / (3 * cbrt(x)**2)",),
             torch=lambda t, x: t.sign(x) * t.abs(x) ** (1 / 3), means="sign(x) * abs(x)**(1 / 3)", latex=r"\sqrt[3]{%s}",
             foreign={"sympy": "sympy.cbrt(x) is complex left of 0, this language's cbrt(x) is real: write cbrt(x), or x**(1/3) where x > 0"},
             note="real left of 0 as well"),

    Function("hypot", "x, other", torch=lambda t, x, other: t.hypot(x, other), means="sqrt(x**2 + other**2)", pullback=("ybar * x / y", "ybar * other / y")),
    Function("logaddexp", "x, other", derivative=("sigmoid(x - other)", "sigmoid(other - x)"),
             torch=lambda t, x, other: t.logaddexp(x, other), means="log(exp(x) + exp(other))",
             pullback=("ybar / (1 + exp(other - x))", "ybar / (1 + exp(x - other))")),
    Function("logaddexp2", "x, other", torch=lambda t, x, other: t.logaddexp2(x, other), means="log2(2**x + 2**other)",
             pullback=("ybar / (1 + 2**(other - x))", "ybar / (1 + 2**(x - other))")),
    Function("xlogy", "x, y", torch=lambda t, x, y: t.xlogy(x, y), sympy=lambda s, x, y: x * s.log(y), arb=lambda x, y: _times(x, y.log(), y),
             partials=("log(y)", "x / where(y == 0, where(x == 0, 1, y), y)"), pullback=("ybar * log(y)", "ybar * x / y"), domain=("where(x == 0, 1, y)",),
             scalars=True, germ=lambda s, x, y: x if x.lead is None else x * s.apply("log", y), note="0 where x = 0, for every y but NaN",
             fields=lambda f, x, y: x * f.log(y),
             mpmath=lambda m, x, y: m.choose(x == 0, 0, x * m.log(y))),
    Function("xlog1py", "x, y", torch=lambda t, x, y: t.special.xlog1py(x, y), sympy=lambda s, x, y: x * s.log(1 + y),
             arb=lambda x, y: _times(x, y.log1p(), 1 + y), partials=("log1p(y)", "x / where(1 + y == 0, where(x == 0, 1, 1 + y), 1 + y)"),
             pullback=("ybar * log1p(y)", "ybar * x / (1 + y)"), domain=("where(x == 0, 1, 1 + y)",), scalars=True,
             germ=lambda s, x, y: x if x.lead is None else x * s.apply("log1p", y), note="0 where x = 0, for every y but NaN",
             fields=lambda f, x, y: x * f.log(1 + y),
             mpmath=lambda m, x, y: m.choose(x == 0, 0, x * m.log1p(y))),

    Function("sinc", "x", derivative=("(cos(pi * x) - sinc(x)) / x",),
             torch=lambda t, x: t.sinc(x), sympy=lambda s, x: s.sinc(s.pi * x), arb=lambda x: x.sinc_pi(), series=taylor.sinc, partials=("sinc_slope(x)",),
             pullback=("where(x == 0, 0, ybar * ((pi * x * cos(pi * x) - sin(pi * x)) / (pi * x * x)))",),
             rounds=(2, 2), in_bulk="sin(pi * (x - 2 * trunc(x / 2))) / (pi * x)",
             foreign={"sympy": "sympy.sinc(x) is sin(x)/x, this language's sinc(x) is sin(pi*x)/(pi*x): write sinc(x/pi)"},
             note="sin(pi*x) / (pi*x), and 1 at 0", fields=_sinc_in_fields),
    # A row of its own: the slope of a `where` inside sinc's partial would lose sinc''(0) = -pi**2 / 3.
    Function("sinc_slope", "x", helper=True, torch=_torch_sinc_slope, arb=_sinc_slope, in_bulk="(cos(pi * (x - 2 * trunc(x / 2))) - sinc(x)) / x",
             series=taylor.sinc_slope, partials=("where(x == 0, -pi**2 / 3, -pi**2 * sinc(x) - 2 * sinc_slope(x) / x)",),
             fields=_sinc_slope_in_fields, backward=False, note="the derivative of sinc; torch has no function for it and is given its formula"),
    Function("entr",    "x", torch=lambda t, x: t.special.entr(x), means="-xlogy(x, x)", pullback=("ybar * (-log(x) - 1)",)),
    Function("logit",   "x", derivative=("1 / (x * (1 - x))",), torch=lambda t, x: t.logit(x),   means="log(x / (1 - x))"),
    Function("deg2rad", "x", torch=lambda t, x: t.deg2rad(x), means="x * (pi / 180)"),
    Function("rad2deg", "x", torch=lambda t, x: t.rad2deg(x), means="x * (180 / pi)"),
)
# fmt: on
