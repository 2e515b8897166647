"""The world of sides: every number is a Puiseux series, so a Program says what it does just left or
just right of a point.
"""

from __future__ import annotations

from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias

from gradcheck_cli.functions import lookup
from gradcheck_cli.language.program import Call, Number, Program, fold
from gradcheck_cli.worlds.expansions import exp_of_terms, log_of_scale, parted
from gradcheck_cli.worlds.germs import Iterate, germ_of
from gradcheck_cli.worlds.powers import ONE
from gradcheck_cli.worlds.real_values import literal_real, primitive_value
from gradcheck_cli.worlds.reals import Real
from gradcheck_cli.worlds.series import (
    OutsideDomain,
    Puiseux,
    UndecidedSign,
    constant_series,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gradcheck_cli.functions.row import Function
    from gradcheck_cli.worlds.balls import Literal

# A number, a condition, or why there is neither.
Beside: TypeAlias = "Puiseux | bool | UndecidedSign | OutsideDomain"
# Series that need each other are given up at this depth.
_DEPTH = 12


class Sides:
    """The world of one-sided series, at the precision in force. A row's `germ` is given it first.

    Attributes:
        jumped: a function whose value may jump was met, and its argument changes.
    """

    def __init__(self, literal: Literal) -> None:
        self.jumped = False
        self._literal = literal
        self._iterates: list[Iterate] = []
        self._held: dict[Call, Beside] = {}

    def beside(self, program: Program, inputs: Mapping[str, Any]) -> Puiseux:
        """The series of a scalar program of primitives.

        Args:
            inputs: a series for each variable.
        Raises:
            UndecidedSign: a sign or an expansion could not be settled.
            OutsideDomain: the program has no values on this side.
        """
        self._hold(program, inputs)
        value = fold(program, self, inputs)[program.result]
        if isinstance(value, Exception):
            raise value
        assert isinstance(value, Puiseux)
        return value

    def _hold(self, program: Program, inputs: Mapping[str, Any]) -> None:
        """Take the values at the point of what is stopped: the limits beside it may be others."""
        calls = (node for node in program.nodes if isinstance(node, Call))
        stops = {node for node in calls if lookup(node.function).stops}
        if stops:
            point = {name: constant_series(series.at(0)) for name, series in inputs.items()}
            pairs = zip(program.nodes, fold(program, Sides(self._literal), point), strict=True)
            self._held |= {n: v for n, v in pairs if isinstance(n, Call) and n in stops}

    def number(self, node: Number) -> Beside:
        """A literal does not change."""
        return constant_series(literal_real(node, self._literal))

    def variable(self, name: str) -> Beside:
        """Every input is given.

        Raises:
            KeyError: this one is not.
        """
        raise KeyError(name)

    def call(self, node: Call, args: list[Beside]) -> Beside:
        """The series of a call, or why it has none: a branch of `where` that is not taken need not
        have one.
        """
        if node in self._held:
            return self._held[node]
        wanted = _wanted(node.function)
        for arg in [args[k] for k in wanted] if wanted else args:
            if isinstance(arg, Exception):
                return arg
        try:
            value: Beside = self.apply(node.function, *args)
        except (UndecidedSign, OutsideDomain) as why:
            return why
        return value

    def apply(self, function: str, *args: Any) -> Any:
        """A function of the table applied to series.

        Raises:
            UndecidedSign: its series could not be settled.
            OutsideDomain: it has no values on this side.
        """
        for iterate in self._iterates:
            if iterate.is_of(function, args):
                iterate.asked = True
                return iterate.known
        row = lookup(function)
        constants = [x.constant for x in args if isinstance(x, Puiseux)]
        if None in constants:
            self.jumped = self.jumped or row.jumps
        elif len(constants) == len(args):
            value = _of_constants(row, constants)
            if value is not None:
                return value
        return germ_of(self, row, args) if row.germ is None else row.germ(self, *args)

    def follow(self, function: str, *args: Any) -> Puiseux:
        """The series of a function as it follows from the rest of its row, for a `germ` that states
        it elsewhere.

        Raises:
            UndecidedSign: its series could not be settled.
            OutsideDomain: it has no values on this side.
        """
        return germ_of(self, lookup(function), args)

    def exponential(self, x: Puiseux) -> Puiseux:
        """e**x, also where x grows without bound.

        Raises:
            UndecidedSign: it is not known how x grows.
        """
        large, rest = parted(x)
        bounded = self.follow("exp", rest)
        return exp_of_terms(large) * bounded if large else bounded

    def logarithm(self, x: Puiseux) -> Puiseux:
        """log(x), also where x vanishes or grows without bound.

        Raises:
            UndecidedSign: the sign of x is not decided, or it is the logarithm of a logarithm.
            OutsideDomain: x is not positive.
        """
        if x.lead == ONE:
            return self.follow("log", x)
        unbounded, scale, monic = log_of_scale(x)
        return unbounded + constant_series(scale.log()) + self.follow("log", monic)

    @staticmethod
    def extreme(x: Puiseux, y: Puiseux, sign: int) -> Puiseux:
        """The larger of two for `sign` 1, the smaller for -1; either one as far as they are the
        same.

        Raises:
            UndecidedSign: it could not be settled.
        """
        difference = Puiseux() if x is y else y - x
        if not difference.terms and difference.order is not None and not difference.growth:
            return x.cut(difference.order)
        return y if sign * difference.sign() > 0 else x

    @contextmanager
    def finding(self, iterate: Iterate) -> Iterator[None]:
        """While a series is being found from itself.

        Raises:
            UndecidedSign: too many need each other.
        """
        if len(self._iterates) >= _DEPTH:
            raise UndecidedSign(f"the series of `{iterate.function}` leads too deep")
        self._iterates.append(iterate)
        try:
            yield
        finally:
            self._iterates.pop()

    @staticmethod
    def constant(value: int) -> Puiseux:
        """A number."""
        return constant_series(Real(int(value)))

    @staticmethod
    def compare(x: Puiseux, y: Puiseux) -> int:
        """Sign of x - y; a series is equal to itself also where its coefficients are known only as
        balls.

        Raises:
            UndecidedSign: it could not be settled.
        """
        return 0 if x is y else (x - y).sign()


@cache
def _wanted(function: str) -> tuple[int, ...]:
    """The positions of the conditions of a function."""
    parameters = enumerate(lookup(function).parsed.args)
    return tuple(k for k, parameter in parameters if parameter.kind == "condition")


def _of_constants(row: Function, constants: list[Any]) -> Puiseux | bool | None:
    """The value of a primitive of numbers; None where it is not finite, or not decided."""
    value = primitive_value(row, constants)
    if isinstance(value, bool) or value is None:
        return value
    return constant_series(value) if value.is_finite() else None
