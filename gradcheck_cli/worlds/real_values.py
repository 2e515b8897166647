"""The world of real numbers: primitives and programs of primitives at numbers that may be known
exactly.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

from flint import arb, ctx

from gradcheck_cli.functions import lookup
from gradcheck_cli.functions.arithmetic import OFF
from gradcheck_cli.language.program import Call, Number, fold
from gradcheck_cli.worlds import balls
from gradcheck_cli.worlds.reals import Real, ball_of, made, of_function, real

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gradcheck_cli.functions.row import Function
    from gradcheck_cli.language.program import Program
    from gradcheck_cli.worlds.balls import Literal


def plain_real(value: Any) -> Real:
    """A structural zero as an ordinary one."""
    return Real(0) if value is OFF else real(value)


def literal_real(node: Number, literal: Literal) -> Real:
    """A literal, rounded as `literal` says where it is a decimal."""
    if node.decimal and isinstance(node.value, Fraction):
        return Real(literal(node.value))
    return Real(node.value)


def primitive_value(row: Function, args: list[Any]) -> Any:
    """The value of a primitive of numbers; True, False or None of a condition."""
    assert row.arb is not None, "it is a primitive"
    try:
        try:
            value = row.arb(*args)
        except (AttributeError, TypeError):  # what it asks of a ball a `Real` does not answer
            value = _by_name(row, args)
    except (ArithmeticError, ValueError):  # as in the world of balls
        return Real.nan()
    is_number = value is not None and value is not OFF and not isinstance(value, bool)
    return real(value) if is_number else value


def _by_name(row: Function, args: list[Any]) -> Any:
    assert row.arb is not None, "it is a primitive"
    value = row.arb(*map(ball_of, args))
    known = isinstance(value, arb) and all(isinstance(arg, Real) for arg in args)
    return of_function(value, row.name, tuple(args)) if known else value


class _Numbers:
    """The world of numbers, one for each node."""

    def number(self, node: Number) -> Any:
        """The literal, exactly."""
        return Real(node.value)

    def variable(self, name: str) -> Any:
        """Every input is given.

        Raises:
            KeyError: this one is not.
        """
        raise KeyError(name)

    def call(self, node: Call, args: list[Any]) -> Any:
        """The value of a primitive."""
        return primitive_value(lookup(node.function), args)


def reals_of(program: Program, inputs: Mapping[str, Any]) -> list[Any]:
    """The number of every node of a program of primitives; True, False or None for a condition."""
    return fold(program, _Numbers(), inputs)


def outputs_of(program: Program, inputs: Mapping[str, Any]) -> list[Real]:
    """The outputs of a program of primitives, in balls; exactly where one of them says little.

    An output is worked out exactly when it is asked for its sign and the ball does not tell.
    """
    found = balls.balls_of(program, {name: ball_of(value) for name, value in inputs.items()})
    values = [balls.plain(found[i]) for i in program.outputs]
    if not all(map(_says_much, values)):
        exactly = reals_of(program, inputs)
        return [plain_real(exactly[i]) for i in program.outputs]
    numbers = tuple(value for value in inputs.values() if isinstance(value, Real))

    def recipe(i: int) -> Any:
        return lambda *_: plain_real(reals_of(program, inputs)[i]).exact

    return [
        made(value, recipe(i), *numbers) for value, i in zip(values, program.outputs, strict=True)
    ]


def _says_much(ball: Any) -> bool:
    """Whether a ball is narrow and tells its sign."""
    return bool(ball.is_zero() or ball.rel_accuracy_bits() > ctx.prec // 2)
