"""The world of fields: what a program comes to at random points of a finite field, where rounding
does not exist, so that what is zero there is zero everywhere.
"""

from __future__ import annotations

from fractions import Fraction
from math import isfinite
from typing import TYPE_CHECKING, Any

from gradcheck_cli.calculus.formulas import formula
from gradcheck_cli.functions import lookup
from gradcheck_cli.functions.arithmetic import OFF
from gradcheck_cli.language.program import Call, Number, Variable
from gradcheck_cli.worlds.angles import Angles
from gradcheck_cli.worlds.balls import balls_of, exact_ball
from gradcheck_cli.worlds.exponents import Exponentials
from gradcheck_cli.worlds.field_values import FieldValue, Nameless, NoForm, plain_number
from gradcheck_cli.worlds.logarithms import Logarithms
from gradcheck_cli.worlds.residues import Residues, Unlucky

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from gradcheck_cli.functions.row import Function
    from gradcheck_cli.language.program import Node, Program
    from gradcheck_cli.worlds.balls import Ball, Literal
    from gradcheck_cli.worlds.residues import Prime

# Comparisons that hold between a number and itself.
_WHERE_EQUAL = frozenset({"==", ">=", "<="})
# A power to a larger integer is one by its logarithm.
_LARGEST_POWER = 2**20


class Fields:
    """The values of a scalar program of primitives at some random points.

    What a row's `fields` is given to compute with.

    Args:
        eager: whether logarithms of all inputs are taken, so that what is a product of theirs is
            found to be one.

    Attributes:
        only_arithmetic: whether nothing but field operations on inputs was used.
        follows: whether a branch at the given point was followed.
    """

    def __init__(
        self, prime: Prime, points: int, random: Random, literal: Literal, *, eager: bool
    ) -> None:
        self.exponentials = Exponentials(prime, points, random)
        self.angles = Angles(prime, points, random)
        self.logarithms = Logarithms(self.exponentials, prime.p, points)
        self.only_arithmetic, self.follows = True, False
        self.largest = self.made = 1
        self._eager = eager
        self.prime, self._points, self._literal = prime, points, literal
        self._drawn: dict[Any, FieldValue] = {}

    def run(self, program: Program, balls: Sequence[Any]) -> list[Any]:
        """The values of all nodes; True or False for a condition, a `Nameless` where there is
        none.
        """
        values: list[Any] = []
        moving: list[bool] = []
        for node, ball in zip(program.nodes, balls, strict=False):
            places = node.args if isinstance(node, Call) else ()
            moving.append(isinstance(node, Variable) or any(moving[i] for i in places))
            try:
                args = [values[i] for i in places]
                value = self._value(node, args, ball, moving=moving[-1])
                # What is handed on by a branch moves as much as where it is from.
                sources = [i for i in places if values[i] is value]
                moving[-1] = moving[-1] and (not sources or any(moving[i] for i in sources))
            except NoForm as error:
                value = Nameless(str(error), is_luck=False)
            except Unlucky as error:
                value = Nameless(str(error), is_luck=True)
            values.append(self._noted(value, ball))
        return values

    def _noted(self, value: Any, ball: Ball) -> Any:
        if isinstance(value, Nameless):
            value.ball = ball
        elif isinstance(value, FieldValue):
            value.ball, self.made = ball, self.made + 1
            value.sign = value.sign or _sign(ball)
            self.largest = max(self.largest, value.above, value.below)
            self.logarithms.know(value)
        return value

    def _value(self, node: Node, args: list[Any], ball: Ball, *, moving: bool) -> Any:
        if isinstance(node, Variable):
            drawn = self.exponentials.drawn(_sign(ball))
            if self._eager and drawn.sign:
                self.logarithms.of_size(drawn)
            return drawn
        if isinstance(node, Number):
            value = node.value
            if node.decimal and isinstance(value, Fraction):
                value = self._literal(value)
            return self._number(value)
        row = lookup(node.function)
        is_same = len(args) == 2 and args[0] is args[1] and isinstance(args[0], FieldValue)
        if row.condition and is_same:
            # A branch handed on what it is compared with.
            return row.operator in _WHERE_EQUAL
        if row.kinks and moving:
            self._require_side(row, args)
        if row.condition:
            return self._decided(row, args, ball)
        if row.fields is not None:
            return row.fields(self, *args)
        if not row.stops and row.partials and set(row.partials) == {"0"}:
            return self._constant(row, args, ball)
        return self.value(node.function, *args)

    def _number(self, value: Any) -> FieldValue:
        if isinstance(value, float) and not isfinite(value):
            raise NoForm("an infinity")
        return plain_number(self.prime.p, self._points, Fraction(value))

    def _require_side(self, row: Function, args: Sequence[Any]) -> None:
        """Nothing, if the given point lies off the kinks of a call, whose branch is then followed.

        Raises:
            NoForm: it may lie on one.
        """
        self.follows = True
        if all(isinstance(arg, FieldValue) and arg.number is not None for arg in args):
            return  # on the branch that is followed it compares numbers
        given = dict(zip(row.parsed.names, [arg.ball for arg in args], strict=True))
        for text in row.kinks:
            program = formula(text)
            ball = balls_of(program, given)[program.result]
            if not (ball > 0 or ball < 0):
                raise NoForm(f"a point on the boundary of `{row.name}`")

    @staticmethod
    def _decided(row: Function, args: Sequence[Any], ball: Ball) -> bool:
        for arg in args:
            if isinstance(arg, Nameless) and not row.kinks:
                raise arg.error
        if ball is None:
            raise NoForm(f"`{row.name}` is not decided")
        return bool(ball)

    def _constant(self, row: Function, args: Sequence[Any], ball: Ball) -> Any:
        """The value of what is constant beside the point: an integer."""
        for arg in args:
            if isinstance(arg, Nameless):
                raise arg.error
        if ball is OFF:
            return OFF
        number = ball.unique_fmpz() if ball.is_finite() else None
        if number is None:
            raise NoForm(f"`{row.name}` is not decided")
        return self._number(Fraction(int(number)))

    # What rows compute with.

    def value(self, name: str, *args: Any) -> FieldValue:
        """A random number, the same for the same function of the same arguments."""
        self.only_arithmetic = False
        given = [self._of(arg) for arg in args]
        key = (name, *(arg.at.flat for arg in given))
        if key not in self._drawn:
            ball = self._ball_of(name, given)
            self._drawn[key] = self._noted(self.exponentials.drawn(_sign(ball)), ball)
        return self._drawn[key]

    def exp(self, x: Any) -> FieldValue:
        """The exponential."""
        self.only_arithmetic = False
        return self.exponentials.exp(self._of(x))

    def log(self, x: Any) -> FieldValue:
        """The logarithm of what has to be positive at the point."""
        self.only_arithmetic = False
        return self.logarithms.of(self._of(x))

    def power(self, x: Any, y: Any) -> FieldValue:
        """x to the power y; x has to be positive for a y that is no integer, and is to be positive
        at the point for a large one.
        """
        x, y = self._of(x), self._of(y)
        n = y.number
        if n is not None and n.denominator == 1 and abs(n) <= _LARGEST_POWER:
            raised: FieldValue = x ** int(n)
            return raised
        if n is not None and n.denominator == 1:
            log = y * self.logarithms.where_positive(x)
        else:
            log = y * self.log(x)
        power = self.exponentials.exp(log)
        power.sign, power.log = 1, log
        return power

    def turn(self, x: Any, quarter: FieldValue) -> tuple[FieldValue, FieldValue]:
        """Cosine and sine: (z + 1/z) / 2 and (z - 1/z) / 2i of z = cos + i*sin.

        Args:
            quarter: a quarter of pi.
        """
        self.only_arithmetic = False
        self.angles.know_quarter(quarter, lambda: self.power(2, Fraction(1, 2)))
        z, p = self.angles.at(self._of(x)), self.prime.p
        above, below = 2 * max(z.above, z.below) + 1, z.above + z.below + 1
        parts = z.at.flat[: self._points], z.at.flat[self._points :]
        cos, sin = (FieldValue(Residues(p, part), above, below) for part in parts)
        return cos, sin

    def _of(self, x: Any) -> FieldValue:
        if isinstance(x, FieldValue):
            return x
        if isinstance(x, Nameless):
            raise x.error
        return self._number(Fraction(0 if x is OFF else x))

    @staticmethod
    def _ball_of(name: str, args: Sequence[FieldValue]) -> Ball | None:
        """The value of a function at the given point, where those of its arguments are known."""
        arb = lookup(name).arb
        balls = [x.ball if x.number is None else exact_ball(x.number) for x in args]
        if arb is None or None in balls:
            return None
        try:
            return arb(*balls)
        except (ArithmeticError, ValueError):  # no enclosure
            return None


def _sign(ball: Ball) -> int:
    """1, -1, or 0 where it is not known."""
    if ball is None or isinstance(ball, bool) or ball is OFF:
        return 0
    return 1 if ball > 0 else -1 if ball < 0 else 0
