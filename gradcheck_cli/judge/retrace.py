"""torch's own path: its gradient program run again from its own forward values, so that an answer
is held against what torch made of them, however far rounding had taken them before.

Where an answer is what torch's formula gives on this path, and each forward value what its function
gives of torch's own arguments, rounding explains the answer to all orders.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np
from flint import arb, ctx

from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.functions import lookup
from gradcheck_cli.functions.arithmetic import OFF
from gradcheck_cli.judge.graph import Ledger
from gradcheck_cli.judge.measure import BUDGET_FACTOR, ulp
from gradcheck_cli.judge.rounding import rounding
from gradcheck_cli.language.program import Call
from gradcheck_cli.records.record import FREE_ULPS
from gradcheck_cli.witnesses.autograd import Backward
from gradcheck_cli.worlds import balls
from gradcheck_cli.worlds.scalars import TooLarge

if TYPE_CHECKING:
    from gradcheck_cli.judge.evidence import Evidence
    from gradcheck_cli.judge.trace import Trace
    from gradcheck_cli.questions.batch import Point
    from gradcheck_cli.subjects import NodeValues
    from gradcheck_cli.worlds.scalars import Expansion

# Bits of the balls: far below any dtype's spacing, as the path is a point and rounding.
_BITS = 256


@dataclass(frozen=True, eq=False)
class Path:
    """torch's gradient program along torch's own forward values.

    Attributes:
        values: for each node the ball in which torch's number lies, if rounding is all that
            happened.
        strays: nodes of the forward that are not what rounding makes of their arguments.
    """

    point: Point
    trace: Trace
    values: list[Any]
    strays: frozenset[int]

    def explains(self, partial: int, answer: float) -> bool:
        """Whether rounding takes torch's formula to an answer for a partial."""
        node = self.trace.partials[partial]
        slope = balls.plain(self.values[node]) if node >= 0 else arb(0)
        if not slope.is_finite() or self.strays & self.trace.upstream(node):
            return False
        room = arb(FREE_ULPS * ulp(slope, self.point.dtype))
        return bool(slope.lower() - room <= arb(answer) <= slope.upper() + room)

    def budget(self, partial: int) -> float:
        """How far rounding takes a partial anywhere between the true path and this one."""
        return self.trace.budget_between(self.point, self.trace.partials[partial], self.values)

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
    return Path(point, trace, values, frozenset(walk.strays))


def pins_of(point: Point, expansion: Expansion, execution: NodeValues) -> dict[int, float]:
    """torch's own numbers, by the scalar nodes that they are values of."""
    pins: dict[int, float] = {}
    for i, node in enumerate(point.specification.nodes):
        value = execution.node(i)
        if not isinstance(node, Call) or not hasattr(value, "is_floating_point"):
            continue
        if value.is_floating_point():
            numbers = value.detach().reshape(-1).double().tolist()
            places = np.reshape(expansion.values[i], -1).tolist()
            if len(places) == len(numbers):
                pins.update(zip(places, numbers, strict=True))
    return pins


@dataclass(frozen=True)
class Constant:
    """A constant beside a tensor: Python's float64, and the number of the dtype that torch makes of
    it where it compares it, or takes it for a tensor. Sums and products of half precision take it
    in float32.
    """

    exact: float
    rounded: float

    @property
    def ball(self) -> Any:
        """All that torch may take it for."""
        single = DTYPES["float32"].round(Fraction(self.exact))
        return arb(self.exact).union(arb(self.rounded)).union(arb(single))


def constants_of(point: Point, expansion: Expansion, execution: NodeValues) -> dict[int, Constant]:
    """The constants of the program that Python holds, by their scalar nodes."""
    constants: dict[int, Constant] = {}
    for i, place in enumerate(expansion.values):
        value = execution.node(i)
        if isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value):
            rounded = point.dtype.round(Fraction(value))
            if isfinite(rounded):
                constants[int(place)] = Constant(float(value), rounded)
    return constants


@dataclass(eq=False)
class _Walk:
    """Puts torch's numbers in their places, and lets all other values round."""

    point: Point
    trace: Trace
    pins: dict[int, float]
    constants: dict[int, Constant]
    strays: set[int] = field(default_factory=set)
    ledger: Ledger | None = None

    def step(self, place: int, values: list[Any]) -> None:
        """As `worlds.balls.After`."""
        graph, dtype = self.trace.graph, self.point.dtype
        if place >= graph.size:
            return
        if self.ledger is None:
            self.ledger = Ledger(graph, dtype, values)
        error, value = self.ledger.entry(place, values), values[place]
        if value is OFF or value is None or isinstance(value, bool):
            return
        if error is not None:
            value = values[place] = value + arb(0, BUDGET_FACTOR * error.upper())
        pin = self.pins.get(place)
        if pin is not None and isfinite(pin):
            if not (value.contains(arb(pin)) or self._is_near(place, values, arb(pin))):
                self.strays.add(place)
            values[place] = arb(pin)
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
