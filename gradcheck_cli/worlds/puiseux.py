"""The world of sides: every number is a Puiseux series, so a Program says what it does just left or
just right of a point.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias

from gradcheck_cli.functions import lookup
from gradcheck_cli.language.program import Call, Number, Program, fold
from gradcheck_cli.worlds import balls
from gradcheck_cli.worlds.germs import Iterate, germ_of
from gradcheck_cli.worlds.series import (
    OutsideDomain,
    Puiseux,
    UndecidedSign,
    compare_series,
    constant_series,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# A number, a condition, or why there is neither.
Beside: TypeAlias = "Puiseux | bool | UndecidedSign | OutsideDomain"
# Series that need each other are given up at this depth.
_DEPTH = 12


class Sides:
    """The world of one-sided series, at the precision in force. A row's `germ` is given it first.

    Attributes:
        jumped: a function whose value may jump was met, and its argument changes.
    """

    def __init__(self, literal: balls.Literal) -> None:
        self.jumped = False
        self._literal = literal
        self._iterates: list[Iterate] = []

    def beside(self, program: Program, inputs: Mapping[str, Any]) -> Puiseux:
        """The series of a scalar program of primitives.

        Args:
            inputs: a series for each variable.
        Raises:
            UndecidedSign: a sign or an expansion could not be settled.
            OutsideDomain: the program has no values on this side.
        """
        value = fold(program, self, inputs)[program.result]
        if isinstance(value, Exception):
            raise value
        assert isinstance(value, Puiseux)
        return value

    def number(self, node: Number) -> Beside:
        """A literal does not change."""
        return constant_series(balls.literal_ball(node, self._literal))

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
        kinds = [parameter.kind for parameter in lookup(node.function).parsed.args]
        needed = [arg for kind, arg in zip(kinds, args, strict=True) if kind == "condition"]
        lack = next((arg for arg in needed or args if isinstance(arg, Exception)), None)
        if lack is not None:
            return lack
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
        if row.jumps and any(isinstance(x, Puiseux) and x.constant is None for x in args):
            self.jumped = True
        return germ_of(self, row, args) if row.germ is None else row.germ(self, *args)

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
        from flint import arb

        return constant_series(arb(int(value)))

    @staticmethod
    def compare(x: Puiseux, y: Puiseux) -> int:
        """Sign of x - y.

        Raises:
            UndecidedSign: it could not be settled.
        """
        return compare_series(x, y)
