"""A scalar program as torch evaluates it: what each node rounds, and how far that moves a result.

Errors are bounds: `u (c |v| + m |x f'(x)|) + eta` of a node with value v and argument x, u the unit
roundoff and eta half the smallest subnormal. What the dtype holds exactly has none.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from flint import arb

from gradcheck_cli.calculus.reverse import slope_of
from gradcheck_cli.functions import lookup
from gradcheck_cli.functions.arithmetic import OFF
from gradcheck_cli.language.program import Builder, Call, Number, Program
from gradcheck_cli.worlds import balls

if TYPE_CHECKING:
    from collections.abc import Container, Sequence
    from fractions import Fraction

    from gradcheck_cli.dtypes import DType
    from gradcheck_cli.language.program import CallSettings


# Larger than the exponent of any number.
_NO_UNIT = 2**62


class Rounds(NamedTuple):
    """How a node rounds.

    Attributes:
        c, m: roundings of the value, and of the argument as the function passes it on.
        effect: node of `x f'(x)`, -1 where m is 0.
        correct: its result is the number of the dtype nearest to the exact one.
        chained: it is a step of a sum that may be added up in any order.
        plain: it rounds its value once, and nothing else.
    """

    c: int
    m: int
    effect: int
    correct: bool
    chained: bool
    plain: bool


class Ledger:
    """The errors of a graph's nodes, entered one after the other.

    Attributes:
        held: whether the dtype holds the value of a node exactly, whatever was done on the way.
        sums: for a node of a sum in any order the sizes added so far; `lows` the exponent of the
            last bit of all that was added.
    """

    def __init__(self, graph: Graph, dtype: DType, values: Sequence[Any]) -> None:
        self.graph, self.dtype = graph, dtype
        self.held = [True] * graph.size
        for i in graph.numbers:
            self.held[i] = holds(values[i], dtype)
        self.sums: dict[int, Any] = {}
        self.lows: dict[int, int] = {}
        self.unit, self.least = units(dtype)

    def entry(self, index: int, values: Sequence[Any]) -> Any:
        """The rounding error that a call makes, None if it makes none; those of its arguments are
        entered already.
        """
        held, how, value = self.held, self.graph.rounds[index], values[index]
        exact = False not in [held[j] for j in self.graph.args[index]]
        if how is None or value is OFF:
            held[index] = exact
            return None
        if exact and self._is_exact(index, how, values):
            return None
        held[index] = False
        return self.error(index, values)

    def error(self, index: int, values: Sequence[Any]) -> Any:
        """`u (c |v| + m |x f'(x)|) + eta` of a call that rounds; of a step of a sum in any order
        the sizes of all terms count. None for an infinity.
        """
        how, value = self.graph.rounds[index], values[index]
        assert how is not None
        if value.is_exact() and is_infinity(value):
            return None
        if how.plain:
            return self.unit * abs(value) + self.least
        args = self.graph.args[index]
        if how.chained:
            a, b = (self.sums.get(j) or abs(balls.plain(values[j])) for j in args)
            size = self.sums[index] = a + b
        else:
            size = how.c * abs(value)
        # The argument of exp may be an infinity, which is as it stands.
        if how.m and not is_infinity(values[args[-1]]):
            size = size + how.m * abs(self._effect(index, how, values))
        return self.unit * size + self.least

    def _is_exact(self, index: int, how: Rounds, values: Sequence[Any]) -> bool:
        """Whether a call of exact arguments makes no error."""
        value = values[index]
        # A relative error of 0 is 0; what is at stake beside it, underflow, is not.
        sure = how.correct or (value.is_zero() and not how.m)
        return sure and holds(value, self.dtype) and self._in_any_order(index, values)

    def _in_any_order(self, index: int, values: Sequence[Any]) -> bool:
        """Whether the dtype holds every sum of some terms of a sum, as it does where all of them
        together, in size, are few enough of the smallest unit among them; so for any other call.
        """
        how, args = self.graph.rounds[index], self.graph.args[index]
        assert how is not None
        if not how.chained:
            return True
        size = self.sums[index] = sum(self.sums.get(j) or abs(balls.plain(values[j])) for j in args)
        if not size.is_finite():
            return False
        units = [self.lows.get(j, _unit(balls.plain(values[j]))) for j in args]
        low = self.lows[index] = min(units)
        mantissa, shift = size.mid().man_exp()
        bits = int(mantissa).bit_length() + int(shift) - low
        return bool(size.is_exact() and bits <= self.dtype.digits)

    def _effect(self, index: int, how: Rounds, values: Sequence[Any]) -> Any:
        """`x f'(x)`; computed here where the slopes, which come last, are not there yet."""
        value = values[how.effect]
        if value is not None:
            return balls.plain(value)
        node = self.graph.nodes[index]
        assert isinstance(node, Call)
        program = _effect_program(node.function, node.settings)
        inputs = {str(k): values[j] for k, j in enumerate(node.args)}
        return balls.plain(balls.balls_of(program, inputs)[program.result])


def _unit(ball: Any) -> int:
    """The exponent of the last bit of a number; of 0 one that is no least."""
    return _NO_UNIT if ball.is_zero() else int(ball.mid().man_exp()[1])


class Graph:
    """A scalar program with a slope node for every edge.

    Attributes:
        size: how many nodes torch evaluates; those of slopes come after them.
        args: for each node its arguments.
        edges: for each node (argument, slope node) of every argument that rounding can move.
        rounds: for each node how it rounds, None for one that does not.
        numbers, calls: those of torch's nodes that are numbers, and calls.
        whole: all nodes, those of slopes included; `machine` runs them in balls.
    """

    def __init__(self, builder: Builder, chained: Container[int]) -> None:
        self.size = len(builder.nodes)
        self.nodes = tuple(builder.nodes)
        self.args = [node.args if isinstance(node, Call) else () for node in self.nodes]
        self.edges = [_edges(builder, i) for i in range(self.size)]
        self.numbers = [i for i in range(self.size) if isinstance(self.nodes[i], Number)]
        self.calls = [i for i, node in enumerate(self.nodes) if isinstance(node, Call)]
        self.rounds = [_rounds(builder, i, i in chained) for i in range(self.size)]
        last = len(builder.nodes) - 1
        self.whole = Program(tuple(builder.nodes), (last,))
        self.machine = balls.Machine(self.whole)

    def errors(self, values: Sequence[Any], dtype: DType, *, near: bool = False) -> list[Any]:
        """The rounding error that each node makes itself, None where it makes none.

        Args:
            near: at points beside this one, where nothing is exact that is so here.
        """
        ledger = Ledger(self, dtype, values)
        found: list[Any] = [None] * self.size
        for i in self.calls:
            if not near:
                found[i] = ledger.entry(i, values)
            elif self.rounds[i] is not None and values[i] is not OFF:
                found[i] = ledger.error(i, values)
        return found

    def weights(self, output: int, values: Sequence[Any]) -> dict[int, Any]:
        """How far an error at each node can move the output: one pass backwards, in balls (a weight
        may exceed any float).

        Paths add up in size and never cancel: torch may take one of two paths only.
        """
        edges, found = self.edges, {output: arb(1)}
        for i in range(output, -1, -1):
            weight = found.get(i)
            if weight is None:
                continue
            for j, slope in edges[i]:
                factor = values[slope]
                if factor is not OFF:
                    passed = weight * abs(factor)
                    found[j] = found[j] + passed if j in found else passed
        return found


def is_infinity(ball: Any) -> bool:
    """Whether a ball is exactly an infinity, as `-inf` in a mask."""
    return bool(ball.is_exact() and not ball.is_finite() and not ball.is_nan())


def holds(ball: Any, dtype: DType) -> bool:
    """Whether a ball is exactly one finite number, and the dtype has it."""
    if not ball.is_exact() or not ball.is_finite():
        return False
    mantissa, shift = ball.mid().man_exp()
    bits, exponent = int(mantissa).bit_length(), int(shift)
    fine = bits <= dtype.digits and exponent >= dtype.least - dtype.digits + 1
    return not bits or (fine and exponent + bits - 1 <= dtype.most)


@cache
def units(dtype: DType) -> tuple[Any, Any]:
    """`u` and `eta` as balls."""
    return arb(dtype.unit_roundoff), balls.exact_ball(dtype.smallest / 2)


def _edges(builder: Builder, index: int) -> list[tuple[int, int]]:
    """(argument, slope node) for every argument of a node that is a number."""
    node = builder.nodes[index]
    if not isinstance(node, Call) or lookup(node.function).condition:
        return []
    found = []
    for position, j in enumerate(node.args):
        argument = builder.nodes[j]
        if isinstance(argument, Number) or (
            isinstance(argument, Call) and lookup(argument.function).condition
        ):
            continue
        slope = slope_of(builder, node, position)
        if slope is not None:
            found.append((j, slope))
    return found


def _rounds(builder: Builder, index: int, chained: bool) -> Rounds | None:
    """How a node rounds; None for one that does not, such as a product with a power of two."""
    node = builder.nodes[index]
    if not isinstance(node, Call):
        return None
    row = lookup(node.function)
    if row.condition or not any(row.rounds):
        return None
    factors = node.args if row.operator == "*" else node.args[1:] if row.operator == "/" else ()
    if any(isinstance(f := builder.nodes[i], Number) and _power_of_two(f.value) for i in factors):
        return None
    c, m = row.rounds
    # torch's float32 sqrt is one ulp off for one argument in five.
    correct = row.operator in ("+", "-", "*", "/")
    plain = c == 1 and not m and not chained
    return Rounds(c, m, _argument_effect(builder, index), correct, chained, plain)


def _power_of_two(value: Fraction | float) -> bool:
    if isinstance(value, float) or not value:
        return False
    n, d = abs(value.numerator), value.denominator
    return n & (n - 1) == 0 and d & (d - 1) == 0


@cache
def _effect_program(function: str, settings: CallSettings) -> Program:
    """`x f'(x)` of a function's last argument; its variables are the positions of the arguments."""
    builder = Builder()
    args = [builder.variable(str(k)) for k in range(len(lookup(function).parsed.args))]
    call = builder.call(function, *args, settings=settings)
    effect = _argument_effect(builder, call)
    return builder.program(effect if effect >= 0 else builder.number(0))


def _argument_effect(builder: Builder, index: int) -> int:
    """Node of `x f'(x)` for functions whose argument is rounded on the way in, else -1."""
    node = builder.nodes[index]
    assert isinstance(node, Call)
    if not lookup(node.function).rounds[1]:
        return -1
    last = len(node.args) - 1
    slope = slope_of(builder, node, last)
    return -1 if slope is None else builder.call("mul", node.args[last], slope)
