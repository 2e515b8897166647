"""torch's own path: its gradient program run again from its own forward values, so that an answer
is held against what torch made of them, however far rounding had taken them before.

Where an answer is what torch's formula gives on this path, and each forward value what its function
gives of torch's own arguments, rounding explains the answer to all orders.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from math import isfinite
from typing import TYPE_CHECKING, Any

from flint import arb, ctx

from gradcheck_cli.calculus.formulas import meaning
from gradcheck_cli.functions import lookup
from gradcheck_cli.functions.arithmetic import OFF
from gradcheck_cli.judge.graph import Ledger
from gradcheck_cli.judge.measure import BUDGET_FACTOR, ulp
from gradcheck_cli.judge.pins import Constant, constants_of, pins_of
from gradcheck_cli.judge.replay import kernel_step
from gradcheck_cli.judge.rounding import rounding
from gradcheck_cli.judge.trace import budget_of
from gradcheck_cli.language.program import Call
from gradcheck_cli.records.record import FREE_ULPS
from gradcheck_cli.witnesses.autograd import Backward
from gradcheck_cli.worlds import balls
from gradcheck_cli.worlds.scalars import TooLarge

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gradcheck_cli.dtypes import DType
    from gradcheck_cli.judge.evidence import Evidence
    from gradcheck_cli.judge.spread import Spread
    from gradcheck_cli.judge.trace import Trace
    from gradcheck_cli.questions.batch import Point

# Bits of the balls: far below any dtype's spacing, as the path is a point and rounding.
_BITS = 256


@dataclass(frozen=True, eq=False)
class Path:
    """torch's gradient program along torch's own forward values.

    Attributes:
        values: for each node the ball in which torch's number lies, if rounding is all that
            happened.
        strays: nodes of the forward that are not what rounding makes of their arguments.
        undecided: comparisons of which it is not known how torch decides them.
    """

    point: Point
    trace: Trace
    values: list[Any]
    strays: frozenset[int]
    undecided: frozenset[int]

    def explains(self, partial: int, answer: float) -> bool:
        """Whether rounding takes torch's formula to an answer for a partial."""
        node = self.trace.partials[partial]
        slope = balls.plain(self.values[node]) if node >= 0 else arb(0)
        if not slope.is_finite() or self.strays & self.trace.upstream(node):
            return False
        room = arb(FREE_ULPS * ulp(slope, self.point.dtype))
        return bool(slope.lower() - room <= arb(answer) <= slope.upper() + room)

    def has_no_end(self, partial: int) -> bool:
        """Whether torch's formula has no finite value on it: rounding may lead to a pole."""
        node = self.trace.partials[partial]
        if node < 0 or self.strays & self.trace.upstream(node):
            return False
        return not balls.plain(self.values[node]).is_finite()

    def is_open(self, partial: int) -> bool:
        """Whether it rests on a comparison that torch may have decided either way."""
        return not self.undecided.isdisjoint(self.trace.upstream(self.trace.partials[partial]))

    def budget(self, partial: int) -> float:
        """How far rounding takes a partial anywhere between the true path and this one."""
        node = self.trace.partials[partial]
        return budget_of(self._between, node).total if node >= 0 else 0.0

    @cached_property
    def _between(self) -> Spread:
        return self.trace.between(self.point, self.values)

    def is_wide(self, partial: int, truth: Any) -> bool:
        """Whether rounding could take a partial so far that a wrong formula would not show."""
        slope = balls.plain(self.values[self.trace.partials[partial]])
        return not slope.rad() <= abs(slope).lower() / 2 or not slope.rad() <= abs(truth) / 2

    def reaches(self, element: int) -> bool:
        """Whether an element of the value is what rounding makes of torch's own arguments."""
        return not self.strays & self.trace.upstream(self.trace.outputs[element])


def retrace(evidence: Evidence) -> Path | None:
    """torch's path; None where its forward values are not known, or not finite."""
    point, backward = evidence.point, evidence.whole("autograd", Backward)
    if backward is None:
        return None
    try:
        trace = rounding(point).gradient
    except TooLarge:
        return None
    if trace.eliminated:
        return None
    pins = dict(zip(trace.outputs, backward.forward, strict=False))
    constants = constants_of(point, trace.expansion, backward.execution)
    given = {i: c.rounded for i, c in constants.items() if i not in trace.inner_constants}
    pins = given | pins | pins_of(point, trace.expansion, backward.execution)
    walk = _Walk(point, trace, pins, constants)
    known = {i: arb(given[i]) for i in trace.graph.numbers if i in given}
    with ctx.workprec(_BITS):
        inputs = {name: arb(value) for name, value in point.scalars.items()}
        values = trace.graph.machine.values(inputs, point.dtype.round, after=walk.step, known=known)
        # A call that hands its argument on, such as detach, has no node of its own.
        for place, pin in walk.pins.items():
            is_call = isinstance(trace.graph.nodes[place], Call)
            if not is_call and not (values[place] - arb(pin)).is_zero():
                walk.strays.add(place)
    return Path(point, trace, values, frozenset(walk.strays), frozenset(walk.undecided))


@dataclass(eq=False)
class _Walk:
    """Puts torch's numbers in their places, and lets all other values round.

    Attributes:
        undecided: comparisons that rounding leaves open.
        points: torch's own numbers, and those that its kernels make of them as far as is known.
    """

    point: Point
    trace: Trace
    pins: dict[int, float]
    constants: dict[int, Constant]
    strays: set[int] = field(default_factory=set)
    undecided: set[int] = field(default_factory=set)
    points: dict[int, Any] = field(default_factory=dict)
    ledger: Ledger | None = None

    def step(self, place: int, values: list[Any]) -> None:
        """As `worlds.balls.After`."""
        graph, dtype = self.trace.graph, self.point.dtype
        if place >= graph.size:
            return
        if self.ledger is None:
            self.ledger = Ledger(graph, dtype, values)
        error, value = self.ledger.entry(place, values), values[place]
        node = graph.nodes[place]
        assert isinstance(node, Call)
        if value is None and lookup(node.function).condition:
            self._decide(place, node, values)
        if value is OFF or value is None or isinstance(value, bool):
            return
        step = kernel_step(node, [self.points.get(j, values[j]) for j in node.args], dtype)
        if step is not None:
            self.points[place] = step
        if error is not None:
            value = values[place] = value + arb(0, BUDGET_FACTOR * error.upper())
        pin = self.pins.get(place)
        if pin is not None and isfinite(pin):
            is_near = value.contains(arb(pin)) or self._is_near(place, values, arb(pin))
            if not (is_near or self._is_beyond(place, node, values, pin)):
                self.strays.add(place)
            values[place] = self.points[place] = arb(pin)
            self.ledger.held[place] = True

    def _is_near(self, place: int, values: list[Any], pin: Any) -> bool:
        """Whether a number is what rounding makes of constants that are not of the dtype."""
        args, call = self.trace.graph.args[place], self.trace.graph.nodes[place]
        if self.constants.keys().isdisjoint(args) or self.ledger is None:
            return False
        arb_of = lookup(call.function).arb if isinstance(call, Call) else None
        if arb_of is None or self.trace.graph.rounds[place] is None:
            return False
        given = [self.constants[j].ball if j in self.constants else values[j] for j in args]
        values[place] = arb_of(*given)
        error = self.ledger.error(place, values) or arb(0)
        return bool((values[place] + arb(0, BUDGET_FACTOR * error.upper())).contains(pin))

    def _is_beyond(self, place: int, node: Call, values: list[Any], pin: float) -> bool:
        """Whether a call gives torch's number once the comparisons within it go as its kernel has
        them: on the other side of a jump.
        """
        assert self.ledger is not None
        found = _within_kernel(node, [values[j] for j in node.args], self.point.dtype)
        if found is None or not found.is_finite():
            return False
        beyond = list(values)
        beyond[place] = found
        room = BUDGET_FACTOR * self.ledger.error(place, beyond).upper()
        return bool((found + arb(0, room)).contains(arb(pin)))

    def _decide(self, place: int, node: Call, values: list[Any]) -> None:
        """Which way torch takes where rounding leaves a comparison open, if its numbers are known:
        both ways at once would let pass what lies in between.
        """
        row, args = lookup(node.function), [self.points.get(j, values[j]) for j in node.args]
        if row.arb is not None and all(j in self.points or _is_point(values[j]) for j in node.args):
            values[place] = row.arb(*args)
        if values[place] is None:
            self.undecided.add(place)


def _is_point(value: Any) -> bool:
    """Whether a value is known: true or false, or one number."""
    return isinstance(value, bool) or (hasattr(value, "is_exact") and value.is_exact())


def _within_kernel(call: Call, args: Sequence[Any], dtype: DType) -> Any:
    """The value of a function that compares something, its comparisons those of rounded numbers;
    None for one that compares nothing.
    """
    row = lookup(call.function)
    program = meaning(call.function, call.settings) if row.kind == "derived" else None
    calls = (node for node in program.nodes if isinstance(node, Call)) if program else ()
    if program is None or not any(lookup(node.function).condition for node in calls):
        return None
    nodes, points = program.nodes, dict[int, Any]()

    def after(place: int, values: list[Any]) -> None:
        node = nodes[place]
        assert isinstance(node, Call)
        inner, given = lookup(node.function), [points.get(j, values[j]) for j in node.args]
        if inner.condition and inner.arb is not None:
            values[place] = inner.arb(*given)
        elif (step := kernel_step(node, given, dtype)) is not None:
            points[place] = step

    inputs = dict(zip(row.parsed.names, args, strict=True))
    values = balls.Machine(program).values(inputs, dtype.round, after=after)
    return balls.plain(values[program.result])
