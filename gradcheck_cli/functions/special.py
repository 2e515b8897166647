"""Special functions: error functions, gamma functions, Bessel and Airy functions."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from gradcheck_cli.functions import taylor
from gradcheck_cli.functions.deviations import Approximation
from gradcheck_cli.functions.row import CallError, Function

if TYPE_CHECKING:
    from collections.abc import Callable

# The reflection formula has n + 2 coefficients; n! overflows float64 from 171 on.
MAX_ORDER = 200
# A sum of more terms is a question of patience.
_MOST_GAMMAS = 64


def _is_wide(x: Any) -> bool:
    """Whether it is a ball of several numbers; a `Real` stands for one."""
    return not hasattr(x, "exact") and not x.is_exact()


def _erfc(x: Any) -> Any:
    """Far right through Tricomi's U: arb's own erfc there loses every digit of a ball that is not
    exact; and from the ends of a ball, where U itself takes a second.
    """
    if x > 100 and _is_wide(x):
        return _erfc(x.upper()).union(_erfc(x.lower()))
    if x > 100:
        half = type(x)(1) / 2
        return (-x * x).exp() * (x * x).hypgeom_u(half, half) / type(x).pi().sqrt()
    return x.erfc()


def _bessel_i(n: int, x: Any) -> Any:
    """The modified Bessel function of order 0 or 1, from its values at the ends of a ball: over a
    wide ball arb takes 0.4 s for that of order 1, and 3 s at 512 bits.
    """
    if not _is_wide(x):
        return x.bessel_i(n)
    low, high = x.lower(), x.upper()
    found = low.bessel_i(n).union(high.bessel_i(n))
    # That of order 0 falls up to 0, where it is 1; that of order 1 grows everywhere.
    return found if n or not x.contains(0) else found.union(type(x)(1))


def _bessel_k1(x: Any) -> Any:
    """From the Wronskian `i0 k1 + i1 k0 = 1 / x`: arb's own k1 takes 20 s at 700.5 and 1536 bits,
    its k0 2 ms.
    """
    if not x > 0:
        return type(x).nan()
    i0, i1 = x.bessel_i(0, scaled=True), x.bessel_i(1, scaled=True)
    return (1 / x - i1 * x.bessel_k(0, scaled=True)) / i0 * (-x).exp()


def _log_gamma(x: Any) -> Any:
    """`log|gamma(x)|`; left of 0 by reflection, as arb knows the right half only."""
    if x > 0:
        return x.lgamma()
    return (type(x).pi() / abs(x.sin_pi())).log() - (1 - x).lgamma() if x < 0 else type(x).nan()


def _gamma_sign(x: Any) -> Any:
    if x > 0:
        return type(x)(1)
    below = x.floor()
    if not (x < 0 and below.is_exact() and not x.contains(below)):
        return type(x).nan()
    return type(x)(1 if (below / 2).is_integer() else -1)


def _torch_gamma_sign(t: Any, x: Any) -> Any:
    """By the sine, which changes its sign where gamma does."""
    below = t.where(x == t.floor(x), t.nan, t.sign(t.sin(t.pi * x)))
    return t.where(x > 0, 1, below).detach()


def _many_log_gammas(p: Any) -> str:
    if isinstance(p, bool) or not isinstance(p, int) or not 1 <= p <= _MOST_GAMMAS:
        raise CallError(f"p is an integer from 1 to {_MOST_GAMMAS}, not {p!r}")
    each = "".join(f" + lgamma(x - {j}/2)" for j in range(p))
    return f"{p * (p - 1)}/4 * log(pi){each}"


def _digamma(x: Any) -> Any:
    """Left of 0 by reflection: arb's own way there can take minutes (-1e15 + 1/2)."""
    if x > 0:
        return x.digamma()
    return (1 - x).digamma() - type(x).pi() * x.cos_pi() / x.sin_pi() if x < 0 else type(x).nan()


def _polygamma(n: Any, x: Any) -> Any:
    """`(-1)**(n+1) n! zeta(n+1, x)`; left of 0 by reflection. NaN unless n is a small enough
    integer.
    """
    order = type(x)(n)
    if not (order.is_exact() and order.is_integer() and order >= 0 and order <= MAX_ORDER):
        return type(x).nan()
    if order.is_zero():
        return _digamma(x)
    n = int(order.unique_fmpz())
    sign = -1 if n % 2 == 0 else 1
    if x > 0:
        return sign * (order + 1).gamma() * (order + 1).zeta(x)
    if not x < 0:
        return type(x).nan()
    # psi_n(x) = (-1)**n psi_n(1 - x) - pi * d^n/dx^n cot(pi x)
    cot = x.cos_pi() / x.sin_pi()
    bent = sum((c * cot**k for k, c in enumerate(_cotangent(n)) if c), type(x)(0))
    return -sign * _polygamma(n, 1 - x) - type(x).pi() * (-type(x).pi()) ** n * bent


@cache
def _cotangent(n: int) -> tuple[int, ...]:
    """Coefficients of `(-1)**n d^n/dz^n cot(z)` as a polynomial in `cot(z)`; none is negative."""
    if n == 0:
        return (0, 1)
    slope = [k * c for k, c in enumerate(_cotangent(n - 1))][1:]
    return tuple(a + b for a, b in zip([*slope, 0, 0], [0, 0, *slope], strict=True))


def _erfc_beside(s: Any, x: Any) -> Any:
    """Far out `exp(-x**2) / (x sqrt(pi)) (1 + O(x**-2))`."""
    sign = x.infinity
    if sign <= 0:
        return 2 - _erfc_beside(s, -x) if sign else s.follow("erfc", x)
    root_pi = s.apply("sqrt", 4 * s.apply("atan", s.constant(1)))
    return s.exponential(-x * x) / (x * root_pi) * s.constant(1).cut((x**-2).lead)


# A series at a pole further left is not looked for.
_FURTHEST_POLE = 50


def _from_pole(name: str, step: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """The germ of a function with `f(x) = f(x + 1) - step(x)`: at the pole -n by its germ at 1."""

    def beside(s: Any, x: Any) -> Any:
        limit = None if x.infinity else x.at(0).fraction
        if limit is None or limit.denominator != 1 or not -_FURTHEST_POLE <= limit <= 0:
            return s.follow(name, x)
        above = s.follow(name, x + (1 - int(limit)))
        for k in range(1 - int(limit)):
            above = above - step(s, x + k)
        return above

    return beside


# `trigamma` of ATen's `native/Math.h`.
_TRIGAMMA = "torch's backward sums a short series, good to some 5e-10"

# fmt: off
# Zero at the poles 0, -1, -2, ... and nowhere negative.
_POLES = "maximum(x, x - floor(x))"

ROWS = (
    Function("erf", "x", torch=lambda t, x: t.erf(x), sympy=lambda s, x: s.erf(x), arb=lambda x: x.erf(), series=lambda x: x.erf(), monotone=1,
             partials=("2 / sqrt(pi) * exp(-x**2)",),
             germ=lambda s, x: 1 - _erfc_beside(s, x) if x.infinity else s.follow("erf", x)),
    Function("erfc", "x", torch=lambda t, x: t.erfc(x), sympy=lambda s, x: s.erfc(x), arb=_erfc, monotone=-1, partials=("-2 / sqrt(pi) * exp(-x**2)",),
             germ=_erfc_beside, fields=lambda f, x: 1 - f.value("erf", x)),
    Function("erfinv", "x", torch=lambda t, x: t.erfinv(x), sympy=lambda s, x: s.erfinv(x), arb=lambda x: x.erfinv(),
             monotone=1, partials=("sqrt(pi) / 2 * exp(erfinv(x)**2)",), pullback=("sqrt(pi) / 2 * exp(y**2) * ybar",), domain=("1 - x**2",), rounds=(4, 4)),
    Function("erfcx",    "x", torch=lambda t, x: t.special.erfcx(x),    means="exp(x**2) * erfc(x)",          pullback=("(2 * x * y - 2 / sqrt(pi)) * ybar",),
             rounds=(8, 8)),
    Function("ndtr",     "x", derivative=("exp(-x**2 / 2) / sqrt(2 * pi)",), torch=lambda t, x: t.special.ndtr(x),     means="(1 + erf(x / sqrt(2))) / 2"),
    Function("ndtri",    "x", torch=lambda t, x: t.special.ndtri(x),    means="sqrt(2) * erfinv(2 * x - 1)",  pullback=("ybar * sqrt(2 * pi) * exp(y**2 / 2)",),
             rounds=(4, 4)),
    Function("log_ndtr", "x", torch=lambda t, x: t.special.log_ndtr(x), means="log(erfc(-x / sqrt(2)) / 2)",
             pullback=("ybar / sqrt(2 * pi) * exp(-(y + x**2 / 2))",), rounds=(8, 8)),

    Function("lgamma", "x", torch=lambda t, x: t.lgamma(x), sympy=lambda s, x: s.loggamma(x), arb=_log_gamma, series=taylor.lgamma, partials=("digamma(x)",),
             domain=(_POLES,),
             germ=_from_pole("lgamma", lambda s, x: s.apply("log", s.apply("abs", x))), aliases=("gammaln", "loggamma"),
             foreign={"sympy.loggamma": "sympy.loggamma(x) is complex left of 0, not log|gamma(x)|: write lgamma(x)",
                      "scipy.special.loggamma": "scipy.special.loggamma(x) is NaN left of 0, not log|gamma(x)|: write gammaln(x)"},
             rounds=(4, 4), note="log|gamma(x)|, real left of 0 as well",
             mpmath=lambda m, x: m.choose(x > 0, m.loggamma(x), m.log(abs(m.gamma(x))))),
    # torch has neither; they are given to it as people write them.
    Function("gammasgn", "x", torch=_torch_gamma_sign, arb=_gamma_sign, partials=("0",), domain=(_POLES,), backward=False, rounds=(0, 0),
             note="the sign of gamma, constant between its poles",
             mpmath=lambda m, x: m.sign(m.gamma(x))),
    Function("gamma", "x", derivative=("gamma(x) * digamma(x)",),
             torch=lambda t, x: _torch_gamma_sign(t, x) * t.exp(t.lgamma(x)), means="gammasgn(x) * exp(lgamma(x))", latex=r"\Gamma",
             aliases=("tgamma",), note="torch has none: exp(lgamma(x)), with its sign left of 0"),
    Function("digamma", "x", torch=lambda t, x: t.digamma(x), sympy=lambda s, x: s.polygamma(0, x), arb=_digamma, partials=("polygamma(1, x)",),
             domain=(_POLES,), aliases=("psi",), germ=_from_pole("digamma", lambda s, x: 1 / x), rounds=(8, 8),
             approximates=lambda: Approximation("abs(x) < 100", _TRIGAMMA, wide=True), fields=lambda f, x: f.value("polygamma", 0, x)),
    Function("polygamma", "n:index, x", torch=lambda t, n, x: t.polygamma(int(n), x), sympy=lambda s, n, x: s.polygamma(n, x), arb=_polygamma,
             partials=("0", "polygamma(n + 1, x)"), domain=(_POLES,), rounds=(8, 8), note="n is a constant integer from 0 to 200 and is not differentiated"),

    Function("i0",  "x", torch=lambda t, x: t.i0(x),          sympy=lambda s, x: s.besseli(0, x), arb=lambda x: _bessel_i(0, x), partials=("i1(x)",),
             rounds=(8, 8)),
    Function("i1", "x", derivative=("i0(x) - i1(x) / x",), torch=lambda t, x: t.special.i1(x), sympy=lambda s, x: s.besseli(1, x),
             arb=lambda x: _bessel_i(1, x), monotone=1, partials=("where(x == 0, 1/2, i0(x) - i1(x) / x)",),
             pullback=("ybar * where(x == 0, 1/2, i0(x) - y / x)",), rounds=(8, 8)),
    Function("i0e", "x", torch=lambda t, x: t.special.i0e(x), means="exp(-abs(x)) * i0(x)", pullback=("ybar * (i1e(x) - sign(x) * y)",), rounds=(8, 8)),
    Function("i1e", "x", derivative=("i0e(x) - i1e(x) * (sign(x) + 1 / x)",), torch=lambda t, x: t.special.i1e(x), means="exp(-abs(x)) * i1(x)",
             pullback=("ybar * where(x == 0, 1/2, i0e(x) - y * (sign(x) + 1 / x))",), rounds=(8, 8)),

    Function("mvlgamma", "x; p", torch=lambda t, x, p: t.mvlgamma(x, p), means=_many_log_gammas, aliases=("multigammaln",),
             note="the logarithm of the gamma function of p by p matrices, for x above (p - 1)/2"),
    Function("spherical_bessel_j0", "x", torch=lambda t, x: t.special.spherical_bessel_j0(x), means="sinc(x / pi)", backward=False),
    Function("bessel_j0", "x", torch=lambda t, x: t.special.bessel_j0(x), sympy=lambda s, x: s.besselj(0, x), arb=lambda x: x.bessel_j(0),
             partials=("-bessel_j1(x)",), backward=False, rounds=(8, 8)),
    Function("bessel_j1", "x", derivative=("bessel_j0(x) - bessel_j1(x) / x",),
             torch=lambda t, x: t.special.bessel_j1(x), sympy=lambda s, x: s.besselj(1, x), arb=lambda x: x.bessel_j(1),
             partials=("where(x == 0, 1/2, bessel_j0(x) - bessel_j1(x) / x)",), backward=False, rounds=(8, 8)),
    Function("bessel_y0", "x", torch=lambda t, x: t.special.bessel_y0(x), sympy=lambda s, x: s.bessely(0, x), arb=lambda x: x.bessel_y(0),
             partials=("-bessel_y1(x)",), domain=("x",), backward=False, rounds=(8, 8)),
    Function("bessel_y1", "x", torch=lambda t, x: t.special.bessel_y1(x), sympy=lambda s, x: s.bessely(1, x), arb=lambda x: x.bessel_y(1),
             partials=("bessel_y0(x) - bessel_y1(x) / x",), domain=("x",), backward=False, rounds=(8, 8)),
    Function("modified_bessel_i0", "x", torch=lambda t, x: t.special.modified_bessel_i0(x), means="i0(x)", backward=False,
             note="the same as i0, which torch differentiates"),
    Function("modified_bessel_i1", "x", torch=lambda t, x: t.special.modified_bessel_i1(x), means="i1(x)", backward=False,
             note="the same as i1, which torch differentiates"),
    Function("modified_bessel_k0", "x", torch=lambda t, x: t.special.modified_bessel_k0(x), sympy=lambda s, x: s.besselk(0, x), arb=lambda x: x.bessel_k(0),
             partials=("-modified_bessel_k1(x)",), domain=("x",), backward=False, rounds=(8, 8)),
    Function("modified_bessel_k1", "x", torch=lambda t, x: t.special.modified_bessel_k1(x), sympy=lambda s, x: s.besselk(1, x), arb=_bessel_k1,
             partials=("-modified_bessel_k0(x) - modified_bessel_k1(x) / x",), domain=("x",), backward=False, rounds=(8, 8)),
    Function("scaled_modified_bessel_k0", "x", derivative=("scaled_modified_bessel_k0(x) - scaled_modified_bessel_k1(x)",),
             torch=lambda t, x: t.special.scaled_modified_bessel_k0(x), means="exp(x) * modified_bessel_k0(x)",
             backward=False),
    Function("scaled_modified_bessel_k1", "x", derivative=("scaled_modified_bessel_k1(x) - scaled_modified_bessel_k0(x) - scaled_modified_bessel_k1(x) / x",),
             torch=lambda t, x: t.special.scaled_modified_bessel_k1(x), means="exp(x) * modified_bessel_k1(x)",
             backward=False),

    Function("airy_ai", "x", torch=lambda t, x: t.special.airy_ai(x), sympy=lambda s, x: s.airyai(x), arb=lambda x: x.airy_ai(), partials=("airy_ai_prime(x)",),
             backward=False, rounds=(8, 8)),
    Function("airy_ai_prime", "x", torch=lambda t, x: t.full_like(x, t.nan), sympy=lambda s, x: s.airyaiprime(x), arb=lambda x: x.airy_ai(derivative=1),
             partials=("x * airy_ai(x)",), backward=False, note="the derivative of airy_ai; torch has no function for it and answers NaN",
             mpmath=lambda m, x: m.airyai(x, derivative=1)),
)
# fmt: on
