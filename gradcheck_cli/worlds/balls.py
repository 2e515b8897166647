"""The world of balls: every number is a `flint.arb`, an interval that provably holds the true
value.
"""

from __future__ import annotations

from copy import copy
from fractions import Fraction
from functools import partial
from math import inf, isnan
from time import thread_time
from typing import TYPE_CHECKING, Any, TypeAlias

from gradcheck_cli.calculus.formulas import meaning
from gradcheck_cli.functions import table
from gradcheck_cli.functions.arithmetic import OFF
from gradcheck_cli.language.program import Number, Program, Variable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence, Set

Ball: TypeAlias = Any  # flint ships no types
Literal: TypeAlias = "Callable[[Fraction], Fraction | float]"
# Given the place of a value that was computed, and all values so far.
After: TypeAlias = "Callable[[int, list[Any]], None]"
# Where the value goes, the function, where its arguments are.
_Step: TypeAlias = "tuple[int, Callable[..., Any], tuple[int, ...]]"


class OutOfTime(Exception):
    """Balls were still being computed when the time was up."""


class Machine:
    """A scalar program made ready to run at many points: rows are looked up, derived functions
    taken apart, constants kept.

    The values of a run stand at the indices of the program's nodes; those of the steps inside
    derived functions come after them.
    """

    def __init__(self, program: Program) -> None:
        self._size = len(program.nodes)
        self._variables: list[tuple[int, str]] = []
        self._numbers: list[tuple[int, Number]] = []
        self._steps: list[_Step] = []
        self._fixed: list[_Step] = []  # steps that no variable reaches: their values are constants
        self._moving: set[int] = set()
        # Comparisons with an input on either side, and what they say where it is NaN.
        self._of_inputs: list[tuple[int, tuple[int, ...], bool]] = []
        self._kept: dict[tuple[int, Literal], list[Any]] = {}
        rows = table()
        for i, node in enumerate(program.nodes):
            if isinstance(node, Variable):
                self._variables.append((i, node.name))
                self._moving.add(i)
            elif isinstance(node, Number):
                self._numbers.append((i, node))
            elif (row := rows[node.function]).arb is not None:
                self._step(i, row.arb, node.args)
                if row.condition and row.operator and not self._moving.isdisjoint(node.args):
                    self._of_inputs.append((i, node.args, row.operator == "!="))
            else:
                self._include(
                    i,
                    meaning(row.name, node.settings),
                    dict(zip(row.parsed.names, node.args, strict=True)),
                )

    def run(
        self,
        inputs: Mapping[str, float],
        bits: int,
        literal: Literal,
        deadline: float = float("inf"),
    ) -> list[Any]:
        """The ball of every node of the program (True, False or None for a condition, `OFF` for a
        branch not taken), those of the steps inside derived functions behind them.

        Args:
            inputs: exact floats, infinities and NaN among them. A comparison with an input that is
                NaN does not hold, as in IEEE 754; a ball that is NaN elsewhere is merely unknown.
            bits: working precision.
            literal: rounds a decimal literal to the dtype under test, or keeps it. Constants are
                computed once for each precision and `literal`.
            deadline: of `time.thread_time`, looked at now and then.
        Raises:
            OutOfTime: the deadline passed.
        """
        import flint

        with flint.ctx.workprec(bits):
            nan = {i for i, name in self._variables if isnan(inputs[name])}
            given = {name: flint.arb(inputs[name]) for _, name in self._variables}
            machine = self._where_nan(nan) if nan else self
            return machine.values(given, literal, deadline)

    def _where_nan(self, places: Set[int]) -> Machine:
        """The machine for a point where inputs at some places are NaN."""
        answers = {i: answer for i, args, answer in self._of_inputs if not places.isdisjoint(args)}
        machine = copy(self)
        machine._steps = [
            (i, partial(_saying, answers[i]), args) if i in answers else (i, call, args)
            for i, call, args in self._steps
        ]
        return machine

    def values(
        self,
        inputs: Mapping[str, Ball],
        literal: Literal,
        deadline: float = float("inf"),
        after: After | None = None,
        known: Mapping[int, Any] | None = None,
    ) -> list[Any]:
        """As `run`, at the precision in force, for inputs that are balls already.

        Args:
            known: values that stand in their places whatever their nodes say.
            after: is given the place of every value that was computed, and all values so far; it
                may put another in its place.
        Raises:
            OutOfTime: the deadline passed.
        """
        import flint

        key = (flint.ctx.prec, literal)
        if key not in self._kept:
            self._kept[key] = self._constants(literal, deadline)
        values = self._kept[key].copy()
        for i, name in self._variables:
            values[i] = inputs[name]
        steps = self._steps
        if known or after is not None:
            values = [known.get(i, value) for i, value in enumerate(values)] if known else values
            steps = [step for step in (*self._fixed, *steps) if not known or step[0] not in known]
        if after is None:
            take_steps(steps, values, deadline)
        else:
            for step in steps:
                take_steps((step,), values, deadline)
                after(step[0], values)
        return values

    def _constants(self, literal: Literal, deadline: float) -> list[Any]:
        """A place for every value, those of constants filled in."""
        values: list[Any] = [None] * self._size
        for i, node in self._numbers:
            values[i] = literal_ball(node, literal)
        take_steps(self._fixed, values, deadline)
        return values

    def _step(self, place: int, call: Callable[..., Any], args: tuple[int, ...]) -> None:
        if self._moving.isdisjoint(args):
            self._fixed.append((place, call, args))
        else:
            self._moving.add(place)
            self._steps.append((place, call, args))

    def _include(self, place: int, program: Program, inputs: Mapping[str, int]) -> None:
        """The steps of a derived function, its value at `place`."""
        where: list[int] = []
        for node in program.nodes:
            if isinstance(node, Variable):
                where.append(inputs[node.name])
                continue
            where.append(self._size)
            self._size += 1
            if isinstance(node, Number):
                self._numbers.append((where[-1], node))
            else:
                call = table()[node.function].arb
                assert call is not None, "a meaning is made of primitives"
                self._step(where[-1], call, tuple(where[j] for j in node.args))
        self._step(place, _itself, (where[program.result],))


def _saying(answer: bool, *_: Ball) -> bool:
    return answer


def _itself(value: Ball) -> Ball:
    return value


# So many steps are taken between two looks at the clock.
_BLOCK = 64


def take_steps(steps: Sequence[_Step], values: list[Any], deadline: float) -> None:
    """Take the steps in order, each writing its value to its place.

    Raises:
        OutOfTime: the deadline passed.
    """
    for begin in range(0, len(steps), _BLOCK):
        if deadline < inf and thread_time() > deadline:
            raise OutOfTime
        for place, call, args in steps[begin : begin + _BLOCK]:
            try:
                if len(args) == 2:
                    values[place] = call(values[args[0]], values[args[1]])
                elif len(args) == 1:
                    values[place] = call(values[args[0]])
                else:
                    values[place] = call(*[values[i] for i in args])
            except (TypeError, AttributeError):
                # Sums and products know structural zeros, other functions see a plain 0.
                values[place] = _of_plain(call, [values[i] for i in args])
            except (
                ArithmeticError,
                ValueError,
            ):  # what flint raises for an argument it cannot take: no enclosure is NaN
                values[place] = _nothing()


def _of_plain(call: Callable[..., Any], args: Sequence[Any]) -> Any:
    """The value for arguments of which some are structural zeros.

    Raises:
        TypeError, AttributeError: that is not what was wrong.
    """
    if not any(value is OFF for value in args):
        return call(*args)  # raises again
    try:
        return call(*map(plain, args))
    except (ArithmeticError, ValueError):
        return _nothing()


def _nothing() -> Ball:
    """The ball of no number."""
    from flint import arb

    return arb.nan()


def balls_of(
    program: Program,
    inputs: Mapping[str, Ball],
    literal: Literal = lambda value: value,
    deadline: float = float("inf"),
) -> list[Any]:
    """As `Machine.values`, for a program that is run once."""
    return Machine(program).values(inputs, literal, deadline)


def literal_ball(node: Number, literal: Literal) -> Ball:
    """The ball of a literal, rounded as `literal` says where it is a decimal."""
    return exact_ball(
        literal(node.value) if node.decimal and isinstance(node.value, Fraction) else node.value
    )


def exact_ball(value: Fraction | float) -> Ball:
    """A float, or a rational number, as a ball: exact if dyadic, else to the working precision."""
    import flint

    if isinstance(value, float):
        return flint.arb(value)
    return (
        flint.arb(value.numerator)
        if value.denominator == 1
        else flint.arb(flint.fmpq(value.numerator, value.denominator))
    )


def plain(value: Any) -> Ball:
    """A structural zero as an ordinary one."""
    return exact_ball(0) if value is OFF else value


# Exponents beyond this are far outside every dtype; as a `Fraction` they would fill the memory.
_MAX_EXPONENT = 40_000


def midpoint(ball: Ball) -> Fraction:
    """The midpoint of a finite ball, exactly.

    Raises:
        OverflowError: it is so large or so small that no `Fraction` should hold it.
    """
    mantissa, exponent = ball.mid().man_exp()
    shift = int(exponent)
    if abs(shift) > _MAX_EXPONENT:
        raise OverflowError("a number far outside every dtype")
    return Fraction(int(mantissa) << shift) if shift >= 0 else Fraction(int(mantissa), 1 << -shift)


def nearest_float(ball: Ball) -> float:
    """The float64 nearest to a ball's midpoint, halves to even: so flint rounds (a law says)."""
    return float(ball.mid())
