"""The world of balls: every number is a `flint.arb`, an interval that provably holds the true value."""

from __future__ import annotations

from fractions import Fraction
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeAlias

from gradcheck_cli.calculus import meaning
from gradcheck_cli.functions import table
from gradcheck_cli.functions.arithmetic import OFF
from gradcheck_cli.language.program import Call, Number, Program

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gradcheck_cli.functions import Function
    from gradcheck_cli.language.program import Settings

Ball: TypeAlias = Any  # flint ships no types


class OutOfTime(Exception):
    """Balls were still being computed when the time was up."""


def run(program: Program, inputs: Mapping[str, float], bits: int, literal: Callable[[Fraction], Fraction | float], deadline: float = float("inf")) -> list[Any]:
    """The ball of every node of a scalar program (True, False or None for a condition, `OFF` for a branch not taken).

    Args:
        inputs: exact floats.
        bits: working precision.
        literal: rounds a decimal literal to the dtype under test, or keeps it.
        deadline: of `time.monotonic`, looked at between nodes.
    Raises:
        OutOfTime: the deadline passed.
    """
    from flint import arb, ctx

    with ctx.workprec(bits):
        return balls_of(program, {name: arb(value) for name, value in inputs.items()}, literal, deadline)


def balls_of(
    program: Program,
    inputs: Mapping[str, Ball],
    literal: Callable[[Fraction], Fraction | float] = lambda value: value,
    deadline: float = float("inf"),
    instead: Mapping[int, Ball] | None = None,
) -> list[Any]:
    """As `run`, at the precision in force, for inputs that are balls already, and with other values put `instead` of some nodes."""
    from flint import arb

    rows = table()
    values: list[Any] = []
    for i, node in enumerate(program.nodes):
        if instead is not None and i in instead:
            values.append(instead[i])
        elif isinstance(node, Call):
            row, args = rows[node.function], [values[j] for j in node.args]
            try:
                values.append(row.arb(*args) if row.arb is not None else _derived(row, node.settings, args, literal))
            except (ArithmeticError, ValueError):  # what flint raises for an argument it cannot take: no enclosure is NaN
                values.append(arb.nan())
            if i % 64 == 0 and monotonic() > deadline:
                raise OutOfTime
        elif isinstance(node, Number):
            values.append(number(node, literal))
        else:
            values.append(inputs[node.name])
    return values


def _derived(row: Function, settings: Settings, args: list[Ball], literal: Callable[[Fraction], Fraction | float]) -> Any:
    """The ball of a derived function: of its meaning, at the precision in force."""
    program = meaning(row.name, settings)
    return balls_of(program, dict(zip(row.parsed.names, args, strict=True)), literal)[program.result]


def number(node: Number, literal: Callable[[Fraction], Fraction | float]) -> Ball:
    """The ball of a literal, rounded as `literal` says where it is a decimal."""
    from flint import arb

    value = literal(node.value) if node.decimal and isinstance(node.value, Fraction) else node.value
    return arb(value) if isinstance(value, float) else exact(value)


def exact(value: Fraction) -> Ball:
    """A rational number as a ball: exact if dyadic, else to the working precision."""
    from flint import arb, fmpq

    return arb(value.numerator) if value.denominator == 1 else arb(fmpq(value.numerator, value.denominator))


def plain(value: Any) -> Ball:
    """A structural zero as an ordinary one."""
    from flint import arb

    return arb(0) if value is OFF else value


# Exponents beyond this are far outside every dtype; as a `Fraction` they would fill the memory.
_MAX_EXPONENT = 40_000


def fraction(ball: Ball) -> Fraction:
    """The midpoint of a finite ball, exactly.

    Raises:
        OverflowError: it is so large or so small that no `Fraction` should hold it.
    """
    mantissa, exponent = ball.mid().man_exp()
    if abs(int(exponent)) > _MAX_EXPONENT:
        raise OverflowError("a number far outside every dtype")
    return Fraction(int(mantissa)) * Fraction(2) ** int(exponent)
