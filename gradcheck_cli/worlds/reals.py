"""Real numbers: a ball that holds the number, and how it was made, so that it can be known exactly.

A `Real` answers what a `flint.arb` answers, so that the `arb` of a row takes either. A ball around
0 proves nothing: where one is asked for its sign, the number is worked out again as a closed form,
and one that comes to nothing is zero. Of one that does not, others may be asked (`zeros`).
"""

from __future__ import annotations

from fractions import Fraction
from operator import add, mul, neg, sub, truediv
from typing import TYPE_CHECKING, Any, TypeAlias

from flint import arb, fmpq

from gradcheck_cli.functions.arithmetic import OFF
from gradcheck_cli.worlds import closed_angles, closed_functions
from gradcheck_cli.worlds.closed_forms import MOST_BITS, ClosedForm, as_form, dyadic, rational_form
from gradcheck_cli.worlds.zeros import is_zero_elsewhere

if TYPE_CHECKING:
    from collections.abc import Callable

ExactNumber: TypeAlias = Any  # a flint.fmpq, a ClosedForm, or None where nothing exact is known
# A function of exact numbers, and the numbers that it is taken of.
_Recipe: TypeAlias = "tuple[Callable[..., ExactNumber], tuple[Real, ...]]"


class Real:
    """A number in a ball, as `Real(middle, radius)` or from what is one already."""

    __slots__ = ("_exact", "_recipe", "ball")

    ball: Any
    _exact: ExactNumber
    _recipe: _Recipe | None

    def __init__(self, value: Any = 0, radius: Any = None) -> None:
        self._exact, self._recipe = None, None
        if radius is not None:
            self.ball = arb(ball_of(value), ball_of(radius))
        elif isinstance(value, Fraction) and value.denominator != 1:
            self._exact = fmpq(value.numerator, value.denominator)
            self.ball = arb(self._exact)
        else:
            self.ball = arb(int(value) if isinstance(value, int | Fraction) else value)
            self._recipe = _itself, ()

    def __repr__(self) -> str:
        return f"Real({self.ball})"

    @property
    def exact(self) -> ExactNumber:
        """The number itself, found when it is asked for; then the ball of a rational number is as
        narrow as can be.
        """
        if self._recipe is not None:
            _resolve(self)
        return self._exact

    @property
    def fraction(self) -> Fraction | None:
        """The number, where it is known to be this rational one."""
        exact = self.exact
        if exact is None or isinstance(exact, ClosedForm):
            return None
        return Fraction(int(exact.p), int(exact.q))

    @property
    def _settled(self) -> Any:
        """The ball, looked at exactly if it does not tell the sign."""
        if self.ball.contains(0) and not self.ball.is_zero():
            exact = self.exact
            if isinstance(exact, ClosedForm) and is_zero_elsewhere(exact):
                _keep(self, ClosedForm({}))
        return self.ball

    def is_zero(self) -> bool:
        """Whether it is proved to be 0."""
        return bool(self._settled.is_zero())

    def __neg__(self) -> Real:
        return made(-self.ball, neg, self)

    def __abs__(self) -> Any:
        ball = self._settled
        return self if ball >= 0 else -self if ball < 0 else self._call("abs")

    def __add__(self, other: Any) -> Any:
        return _combined(self, other, add)

    def __sub__(self, other: Any) -> Any:
        return _combined(self, other, sub)

    def __mul__(self, other: Any) -> Any:
        return _combined(self, other, mul)

    def __truediv__(self, other: Any) -> Any:
        return _combined(self, other, truediv)

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
        is_positive = bool(self.ball > 0)
        return made(
            self.ball**other.ball,
            lambda x, y: closed_functions.power(x, y, is_positive),
            self,
            other,
        )

    def __lt__(self, other: Any) -> bool:
        return bool((self - other)._settled < 0)

    def __le__(self, other: Any) -> bool:
        return bool((self - other)._settled <= 0)

    def __gt__(self, other: Any) -> bool:
        return bool((self - other)._settled > 0)

    def __ge__(self, other: Any) -> bool:
        return bool((self - other)._settled >= 0)

    def __eq__(self, other: object) -> bool:
        return bool((self - other)._settled.is_zero())

    # Numbers are equal where that is proved, as balls are.
    __hash__ = None  # type: ignore[assignment]

    def contains(self, other: Any) -> bool:
        """Whether the ball holds a number."""
        return bool(self._settled.contains(ball_of(other)))

    def overlaps(self, other: Any) -> bool:
        """Whether it may be the same as another."""
        return bool((self - other)._settled.contains(0))

    def union(self, other: Any) -> Real:
        """A ball around both."""
        other = real(other)
        return self if self == other else Real(self.ball.union(other.ball))

    def max(self, other: Any) -> Any:
        """The larger one."""
        other = real(other)
        return other if self < other else self if self >= other else self._call("max", other)

    def min(self, other: Any) -> Any:
        """The smaller one."""
        other = real(other)
        return other if self > other else self if self <= other else self._call("min", other)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """Any other method of a ball: what it gives is known exactly where a rule says so, else by
        its name.
        """
        if name.startswith("_") or not hasattr(self.ball, name):
            raise AttributeError(name)
        return lambda *args, **keywords: self._call(name, *args, **keywords)

    def _call(self, name: str, *args: Any, **keywords: Any) -> Any:
        others, rule = tuple(map(real, args)), _rule(name)
        full_name = f"{name} {keywords}" if keywords else name
        value = getattr(self.ball, name)(*map(ball_of, args), **keywords)
        if not _is_number(value):
            return value
        if not value.is_finite() or value.rel_accuracy_bits() < 1:
            _ = self.exact
            value = getattr(self.ball, name)(*map(ball_of, args), **keywords)
        return of_function(value, full_name, (self, *others), rule)

    @staticmethod
    def pi() -> Real:
        """The number pi."""
        return made(arb.pi(), closed_functions.pi)

    @staticmethod
    def nan() -> Real:
        """No number."""
        return Real(arb.nan())

    def atan2(self, other: Any) -> Any:
        """The angle of the point (other, self)."""
        return self._call("atan2", other)


def real(value: Any) -> Real:
    """A number as a `Real`."""
    return value if isinstance(value, Real) else Real(value)


def ball_of(value: Any) -> Any:
    """A number as a ball; what is none as it is."""
    return value.ball if isinstance(value, Real) else value


def of_function(ball: Any, name: str, args: tuple[Real, ...], rule: Any = None) -> Real:
    """The value of a function in a ball: exactly by a rule for closed forms, else by its name."""
    is_positive = bool(ball > 0)

    def exactly(*exacts: ExactNumber) -> ClosedForm:
        forms = [as_form(exact) for exact in exacts]
        known: ClosedForm | None = None if rule is None else rule(*forms)
        return (
            closed_functions.unknown(name, *forms, positive=is_positive) if known is None else known
        )

    return made(ball, exactly, *args)


def _rule(name: str) -> Any:
    """What is known exactly of a method of balls."""
    return getattr(closed_functions, f"{name}_of", getattr(closed_angles, f"{name}_of", None))


def _is_number(value: Any) -> bool:
    return isinstance(value, arb)


def made(ball: Any, call: Callable[..., ExactNumber], *args: Real) -> Real:
    """A number in a ball, and what makes it of others, were they known exactly."""
    number = Real.__new__(Real)
    number.ball, number._exact, number._recipe = ball, None, (call, args)
    return number


def _combined(x: Real, y: Any, call: Callable[[Any, Any], Any]) -> Any:
    if y is OFF:
        return NotImplemented
    if not isinstance(y, Real):
        y = Real(y)
    number = Real.__new__(Real)
    number.ball, number._exact, number._recipe = call(x.ball, y.ball), None, (call, (x, y))
    return number


def _itself() -> ExactNumber:
    """The number of an inexact ball that comes from nowhere."""
    return None


def _resolve(wanted: Real) -> None:
    """Work out a number, and all that it was made of, as far as that is needed."""
    stack = [wanted]
    while stack:
        number = stack[-1]
        exact = dyadic(number.ball)
        if number._recipe is not None and exact is None and number.ball.is_finite():
            call, args = number._recipe
            missing = [arg for arg in args if arg._recipe is not None]
            if missing:
                stack += missing
                continue
            exacts = [arg._exact for arg in args]
            exact = None if any(e is None for e in exacts) else _called(call, exacts)
        stack.pop()
        if number._recipe is not None:
            _keep(number, exact)


def _called(call: Callable[..., ExactNumber], exacts: list[ExactNumber]) -> ExactNumber:
    if any(isinstance(exact, ClosedForm) for exact in exacts):
        exacts = [as_form(exact) for exact in exacts]
    return call(*exacts)


def _keep(number: Real, exact: ExactNumber) -> None:
    if isinstance(exact, ClosedForm) and exact.rational is not None:
        exact = exact.rational
    if exact is not None and not isinstance(exact, ClosedForm):
        if exact.height_bits() > MOST_BITS:
            exact = rational_form(exact)
        elif not number.ball.is_exact():
            number.ball = arb(exact)
    number._exact, number._recipe = exact, None
