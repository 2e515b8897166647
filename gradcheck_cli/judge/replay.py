"""torch's gradient program replayed: every operation exact, its result rounded to the dtype, with
one node or another spared. The node whose exact value alone mends a result is the culprit.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

import numpy as np
from flint import arb, ctx, fmpz

from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.functions import lookup
from gradcheck_cli.functions.arithmetic import OFF
from gradcheck_cli.language.program import Call
from gradcheck_cli.witnesses import TORCH_ERRORS
from gradcheck_cli.worlds import balls, tensors

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gradcheck_cli.dtypes import DType
    from gradcheck_cli.judge.trace import Trace
    from gradcheck_cli.questions.batch import Point

# What is spared of a node: its rounding altogether, the dtype's limits on exponents alone, or
# nothing: then it is computed anew all the same, where torch's own value would stand else.
Spared: TypeAlias = Literal["rounding", "range", "nothing"]
# What is spared everywhere.
EVERYWHERE = -1


class Rounded(NamedTuple):
    """What became of one number: the exact result of an operation, and the number of the dtype."""

    place: int
    exact: Any
    rounded: Any


@dataclass(frozen=True, eq=False)
class Rerun:
    """One replay.

    Attributes:
        slopes: the ball of each partial.
        lost: numbers that the dtype's range does not hold: infinities, zeros, short subnormals.
        values: of all nodes.
    """

    slopes: Sequence[Any]
    lost: Sequence[Rounded]
    values: Sequence[Any] = field(repr=False)


class Replay:
    """Replays of one point; those that were made are kept.

    Args:
        bits: precision that shows what rounding drops.
        pins: torch's own values, by their scalars: they stand where nothing before them is spared.
    """

    def __init__(
        self, point: Point, trace: Trace, bits: int, pins: Mapping[int, float] | None = None
    ) -> None:
        self.point, self.trace, self.bits, self.pins = point, trace, bits, pins or {}
        self._runs: dict[tuple[int | None, Spared, bool], Rerun] = {}

    @cached_property
    def results(self) -> frozenset[int]:
        """Scalars that are elements of what the user's own nodes give; all other scalars of
        the forward are steps inside one.
        """
        found = (np.reshape(places, -1).tolist() for places in self.trace.expansion.values)
        return frozenset(place for places in found for place in places)

    def run(
        self, node: int | None = None, spared: Spared = "rounding", *, forward_alone: bool = False
    ) -> Rerun:
        """A replay that spares one node of the user's program, or `EVERYWHERE`; None for no node.

        Args:
            forward_alone: spare the node's value, and not what is computed of it in the backward.
        """
        key = node, spared, forward_alone
        if key not in self._runs:
            self._runs[key] = self._replayed(_Hand(self, node, spared, forward_alone))
        return self._runs[key]

    def _replayed(self, hand: _Hand) -> Rerun:
        machine, partials = self.trace.graph.machine, self.trace.partials
        with ctx.workprec(self.bits):
            inputs = {name: arb(value) for name, value in self.point.scalars.items()}
            values = machine.values(inputs, self.point.dtype.round, after=hand.step)
            slopes = [balls.plain(values[i]) if i >= 0 else arb(0) for i in partials]
        return Rerun(slopes, hand.lost, values)


@dataclass(eq=False)
class _Hand:
    """Rounds one value after the other."""

    replay: Replay
    node: int | None
    spared: Spared
    forward_alone: bool
    lost: list[Rounded] = field(default_factory=list)
    changed: set[int] = field(default_factory=set)

    def step(self, place: int, values: list[Any]) -> None:
        """As `worlds.balls.After`."""
        trace, dtype = self.replay.trace, self.replay.point.dtype
        if place >= trace.graph.size:
            return
        call, value = trace.graph.nodes[place], values[place]
        assert isinstance(call, Call)
        is_spared, pin = self._is_spared(place), self.replay.pins.get(place)
        if is_spared or not self.changed.isdisjoint(call.args):
            self.changed.add(place)
            pin = None
        if value is OFF or self._is_masked(place, call, values):
            # torch gives a branch not taken the cotangent 0, and multiplies that by what comes.
            values[place] = balls.plain(OFF)
            return
        if value is None or isinstance(value, bool):
            values[place] = bool(value)  # a comparison with NaN fails
            return
        if not value.is_finite():
            values[place] = _by_torch(call, [values[i] for i in call.args], pin)
            return
        spared = self.spared if is_spared else None
        if spared != "rounding":
            if place in trace.inner_constants:
                dtype = DTYPES["float64"]
            elif place < trace.forward and place not in self.replay.results:
                dtype = kernel_dtype(dtype)
            rounded = round_ball(value, dtype) if pin is None else arb(pin)
            if _is_lost(value, dtype):
                self.lost.append(Rounded(place, value, rounded))
            is_limited = spared != "range"
            values[place] = rounded if is_limited else round_ball(value, dtype, limited=False)

    def _is_masked(self, place: int, call: Call, values: list[Any]) -> bool:
        """Whether this is `where` itself passing on 0 instead of a cotangent, whatever that is."""
        trace = self.replay.trace
        origin = trace.expansion.origin
        for j in call.args:
            node = trace.graph.nodes[j]
            is_gate = isinstance(node, Call) and _is_gate(node.function)
            if is_gate and origin[j] == origin[place] and values[j].is_zero():
                return lookup(call.function).operator == "*"
        return False

    def _is_spared(self, place: int) -> bool:
        if self.node == EVERYWHERE:
            return True
        trace = self.replay.trace
        node = trace.expansion.origin[place]
        if node != self.node and node not in trace.constants(self.node):
            return False
        return place < trace.forward or not self.forward_alone


@cache
def _is_gate(function: str) -> bool:
    """Whether a function is 1 or 0, as a condition has it."""
    row = lookup(function)
    kinds = [parameter.kind for parameter in row.parsed.args]
    return kinds == ["condition"] and not row.condition


def kernel_dtype(dtype: DType) -> DType:
    """The format that torch's kernels on the CPU compute in before they round their result."""
    single = DTYPES["float32"]
    return single if dtype.digits < single.digits else dtype


def kernel_step(call: Call, args: Sequence[Any], dtype: DType) -> Any:
    """What a step inside a kernel makes of exact numbers; None where that is not known: an argument
    is none, or the function is not one that is rounded to the nearest number.
    """
    row = lookup(call.function)
    if row.operator not in ("+", "-", "*", "/") or row.arb is None:
        return None
    plain = [balls.plain(arg) for arg in args]
    if not all(arg.is_exact() and arg.is_finite() for arg in plain):
        return None
    exact = row.arb(*plain)
    return round_ball(exact, kernel_dtype(dtype)) if exact.is_finite() else None


def _is_lost(exact: Any, dtype: DType) -> bool:
    """Whether a number other than 0 lies beyond the dtype's range, so that digits are lost."""
    if exact.is_zero():
        return False
    mantissa, shift = exact.mid().man_exp()
    top = int(mantissa).bit_length() + int(shift) - 1
    if top > dtype.most:
        return True
    if top >= dtype.least:
        return False
    gap = abs(round_ball(exact, dtype) - exact)
    return not gap <= abs(exact) * dtype.unit_roundoff


def round_ball(ball: Any, dtype: DType, *, limited: bool = True) -> Any:
    """The number of the dtype nearest to a ball's midpoint, as a ball.

    Args:
        limited: False for exponents without limits.
    """
    mantissa, shift = ball.mid().man_exp()
    mantissa, shift = int(mantissa), int(shift)
    bits = mantissa.bit_length()
    if not bits:
        return arb(0)
    top = bits + shift - 1
    if limited and top > dtype.most:
        return arb("inf") if mantissa > 0 else arb("-inf")
    digits = dtype.digits if not limited else min(dtype.digits, top - dtype.least + dtype.digits)
    if digits < 0:
        return arb(0)
    drop = bits - digits
    if drop > 0:
        mantissa = _shifted(mantissa, drop)
        shift += drop
    rounded = arb(mantissa) * arb(2) ** arb(fmpz(shift))
    if limited and rounded > balls.exact_ball(dtype.largest):
        return arb("inf")
    if limited and -rounded > balls.exact_ball(dtype.largest):
        return arb("-inf")
    return rounded


def _shifted(mantissa: int, drop: int) -> int:
    """An integer without its last bits, to the nearest, halves to even."""
    kept, rest, half = mantissa >> drop, mantissa & ((1 << drop) - 1), 1 << (drop - 1)
    return kept + 1 if rest > half or (rest == half and kept & 1) else kept


def _by_torch(call: Call, args: Sequence[Any], pin: float | None) -> Any:
    """A call whose result is no finite number, as IEEE 754 has it: by torch's own function, where
    what torch made of it is not known.
    """
    import torch

    if pin is not None:
        return arb(pin)
    row, exact = lookup(call.function), torch.empty((), dtype=torch.float64)
    numbers = [arg if isinstance(arg, bool) else float(balls.plain(arg).mid()) for arg in args]
    try:
        settings = row.bound(dict(call.settings))
        value = row.torch(torch, *[tensors.tensor(x, exact) for x in numbers], **settings)
        return arb(float(value))
    except TORCH_ERRORS:
        return arb.nan()
