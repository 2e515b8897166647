"""Real numbers: a ball that holds the number, and beside it the exact number where that is known.

A `Real` answers what a `flint.arb` answers, so that the `arb` of a row takes either. A ball around
0 proves nothing; an exact number that comes to nothing is zero, and so is its ball.
"""

from __future__ import annotations

from fractions import Fraction
from operator import add, mul, sub, truediv
from typing import TYPE_CHECKING, Any, TypeAlias

from gradcheck_cli.functions.arithmetic import OFF
from gradcheck_cli.worlds import closed_functions as closed
from gradcheck_cli.worlds.closed_forms import MOST_BITS, ClosedForm, rational_form

if TYPE_CHECKING:
    from collections.abc import Callable

Exact: TypeAlias = Any  # a flint.fmpq, a ClosedForm, or None


class Real:
    """A number in a ball, as `Real(middle, radius)` or from what is one already.

    Attributes:
        exact: the number itself; None where only the ball is known.
    """

    __slots__ = ("ball", "exact")

    def __init__(self, value: Any = 0, radius: Any = None) -> None:
        from flint import arb, fmpq

        if radius is not None:
            self.ball, self.exact = arb(value, radius), None
            return
        if isinstance(value, Real):
            self.ball, self.exact = value.ball, value.exact
        elif isinstance(value, int | Fraction | fmpq):
            self.exact = fmpq(value.numerator, value.denominator)
            self.ball = arb(self.exact)
        else:
            self.ball = arb(value)
            self.exact = _dyadic(self.ball)

    def __repr__(self) -> str:
        return f"Real({self.ball})"

    @property
    def fraction(self) -> Fraction | None:
        """The number, where it is known to be this rational one."""
        if self.exact is None or isinstance(self.exact, ClosedForm):
            return None
        return Fraction(int(self.exact.p), int(self.exact.q))

    def is_zero(self) -> bool:
        """Whether it is proved to be 0."""
        return bool(self.ball.is_zero())

    def __neg__(self) -> Real:
        return _made(-self.ball, None if self.exact is None else -self.exact)

    def __pos__(self) -> Real:
        return self

    def __abs__(self) -> Real:
        return self if self.ball >= 0 else -self if self.ball < 0 else self._opaque("abs")

    def _with(self, other: Any, call: Callable[[Any, Any], Any]) -> Any:
        if other is OFF:
            return NotImplemented
        other = real(other)
        ball = call(self.ball, other.ball)
        return _made(ball, _both(self, other, call) if ball.is_finite() else None)

    def __add__(self, other: Any) -> Any:
        return self._with(other, add)

    def __sub__(self, other: Any) -> Any:
        return self._with(other, sub)

    def __mul__(self, other: Any) -> Any:
        return self._with(other, mul)

    def __truediv__(self, other: Any) -> Any:
        return self._with(other, truediv)

    def __rsub__(self, other: Any) -> Any:
        return real(other) - self

    def __rtruediv__(self, other: Any) -> Any:
        return real(other) / self

    def __rpow__(self, other: Any) -> Real:
        return real(other) ** self

    __radd__, __rmul__ = __add__, __mul__

    def __pow__(self, other: Any) -> Real:
        """x**y for x > 0, or a whole y."""
        other = real(other)
        ball, p = self.ball**other.ball, other.fraction
        if self.exact is None or other.exact is None or not ball.is_finite():
            return _made(ball, None)
        x = _form(self.exact)
        if p is not None and p.denominator == 1 and not x.is_zero:
            return _made(ball, closed.power(x, p))
        if not self.ball > 0:
            return _made(ball, None)
        if p is not None:
            return _made(ball, closed.power(x, p))
        return _made(ball, closed.exp_of(_form(other.exact) * closed.log_of(x)))

    def _less(self, other: Any) -> Any:
        """A ball of the sign of self - other."""
        other = real(other)
        if self.exact is not None and other.exact is not None:
            return (self - other).ball
        return self.ball - other.ball

    def __lt__(self, other: Any) -> bool:
        return bool(self._less(other) < 0)

    def __le__(self, other: Any) -> bool:
        return bool(self._less(other) <= 0)

    def __gt__(self, other: Any) -> bool:
        return bool(self._less(other) > 0)

    def __ge__(self, other: Any) -> bool:
        return bool(self._less(other) >= 0)

    def __eq__(self, other: object) -> bool:
        return bool(self._less(other).is_zero())

    # Numbers are equal where that is proved, as balls are.
    __hash__ = None  # type: ignore[assignment]

    def contains(self, other: Any) -> bool:
        """Whether the ball holds a number."""
        return bool(self.ball.contains(ball_of(other)))

    def overlaps(self, other: Any) -> bool:
        """Whether it may be the same as another."""
        return bool(self._less(other).contains(0))

    def union(self, other: Any) -> Real:
        """A ball around both."""
        other = real(other)
        return self if self == other else _made(self.ball.union(other.ball), None)

    def max(self, other: Any) -> Real:
        """The larger one."""
        other = real(other)
        return other if self < other else self if self >= other else self._opaque("max", other)

    def min(self, other: Any) -> Real:
        """The smaller one."""
        other = real(other)
        return other if self > other else self if self <= other else self._opaque("min", other)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """Any other method of a ball: what it gives is known exactly where a rule says so, else by
        its name.
        """
        if name.startswith("__") or not hasattr(self.ball, name):
            raise AttributeError(name)
        rule = getattr(closed, f"{name}_of", None)

        def call(*args: Any, **keywords: Any) -> Any:
            return self._opaque(name, *args, rule=rule, **keywords)

        return call

    def _opaque(self, name: str, *args: Any, rule: Any = None, **keywords: Any) -> Any:
        from flint import arb

        value = getattr(self.ball, name)(*map(ball_of, args), **keywords)
        if not isinstance(value, arb):
            return value
        return of_function(value, f"{name} {keywords}", [self, *args], rule)

    @staticmethod
    def pi() -> Real:
        """The number pi."""
        from flint import arb

        return _made(arb.pi(), closed.pi())

    @staticmethod
    def nan() -> Real:
        """No number."""
        from flint import arb

        return _made(arb.nan(), None)

    def atan2(self, other: Any) -> Real:
        """The angle of the point (other, self)."""
        other = real(other)
        return of_function(self.ball.atan2(other.ball), "angle", [self, other])


def real(value: Any) -> Real:
    """A number as a `Real`."""
    return value if isinstance(value, Real) else Real(value)


def of_function(ball: Any, name: str, args: list[Any], rule: Any = None) -> Real:
    """The value of a function in a ball: exactly by a rule for closed forms, else by its name."""
    exacts = [real(arg).exact for arg in args]
    if None in exacts or not ball.is_finite():
        return _made(ball, None)
    forms = [_form(exact) for exact in exacts]
    known = None if rule is None else rule(*forms)
    if known is None:
        known = closed.unknown(name, *forms, positive=bool(ball > 0))
    return _made(ball, known)


def ball_of(value: Any) -> Any:
    """A number as a ball; what is none as it is."""
    return value.ball if isinstance(value, Real) else value


def _form(exact: Exact) -> ClosedForm:
    if isinstance(exact, ClosedForm):
        return exact
    return ClosedForm({(): exact} if exact else {})


def _both(x: Real, y: Real, call: Callable[[Any, Any], Any]) -> Exact:
    if x.exact is None or y.exact is None:
        return None
    if isinstance(x.exact, ClosedForm) or isinstance(y.exact, ClosedForm):
        return call(_form(x.exact), _form(y.exact))
    value = call(x.exact, y.exact)
    return rational_form(value) if value.height_bits() > MOST_BITS else value


def _made(ball: Any, exact: Exact) -> Real:
    """A number whose ball is as narrow as is known of it."""
    from flint import arb

    made = Real.__new__(Real)
    if isinstance(exact, ClosedForm) and exact.rational is not None:
        exact = exact.rational
    if ball.is_exact():
        if exact is None or isinstance(exact, ClosedForm):
            known = _dyadic(ball)
            exact = exact if known is None else known
    elif exact is not None and not isinstance(exact, ClosedForm):
        ball = arb(exact)
    made.ball, made.exact = ball, exact if ball.is_finite() else None
    return made


def _dyadic(ball: Any) -> Exact:
    """The number of an exact ball, unless it takes too many bits to write."""
    from flint import fmpq

    if not (ball.is_exact() and ball.is_finite()):
        return None
    mantissa, exponent = ball.man_exp()
    if abs(exponent) > MOST_BITS:
        return None
    return fmpq(mantissa << exponent, 1) if exponent >= 0 else fmpq(mantissa, 1 << -exponent)
