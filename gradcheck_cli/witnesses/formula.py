"""A person's own backward, as it was recorded, in balls: what it would answer if nothing were
rounded.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any

from flint import arb, ctx

from gradcheck_cli.language.program import Number, Program
from gradcheck_cli.questions.recorded import whole_scalars
from gradcheck_cli.records.numbers import json_number
from gradcheck_cli.witnesses import FORMULA, Abstention, Answers, PointwiseEstimates, Trust
from gradcheck_cli.worlds import balls

if TYPE_CHECKING:
    from gradcheck_cli.questions.batch import Batch, Point
    from gradcheck_cli.questions.prepared import Prepared
    from gradcheck_cli.recording.recording import Recording
    from gradcheck_cli.records.record import Opinion
    from gradcheck_cli.witnesses import Estimates

# Precisions that are tried: at the last one, or where all balls are this narrow, it ends.
_BITS, _NARROW = (128, 512, 2_048), 2.0**-60
# A decimal may be off by so many units of rounding: whoever writes a constant rounds it.
_ROUNDED = 4


@dataclass(frozen=True)
class Evaluated:
    """What the formula comes to, `ball` with its decimals as far off as rounding takes them."""

    exact: balls.Ball
    ball: balls.Ball

    def entry(self) -> Opinion:
        """What a record keeps."""
        return {"value": json_number(balls.nearest_float(self.exact))}


@dataclass(frozen=True)
class OwnFormula:
    """The witness that reads the backward that was recorded."""

    name: str = FORMULA
    trust: Trust = Trust.ON_TRIAL

    def prepare(self, batch: Batch) -> None:
        """Nothing: all is computed here."""

    def answer(self, batch: Batch) -> Estimates | Abstention:
        """The backward's formula at each point; an abstention where it was not followed."""
        recording = batch.question.subject.recording
        if recording is None or recording.unfollowed is not None:
            why = "" if recording is None else f": {recording.unfollowed}"
            return Abstention(f"the backward was not followed{why}")
        points, shape = list(batch), (len(batch), len(batch.keys))
        return PointwiseEstimates(lambda k: _testimony(points[k], recording), shape)


@dataclass(frozen=True)
class _Machine:
    """Forward and backward, ready to run; the node of each partial, -1 where there is none."""

    machine: balls.Machine
    decimals: dict[int, Number]
    partials: list[int]


def _machine(prepared: Prepared, recording: Recording) -> _Machine:
    scalars = whole_scalars(recording, prepared.weights)
    nodes, partials = tuple(scalars.expansion.builder.nodes), []
    for name in prepared.wrt:
        found = recording.gradients.get(name)
        partials += (
            [-1] * prod(prepared.size(name))
            if found is None
            else [scalars.places[i] for i in found.reshape(-1).tolist()]
        )
    decimals = {i: n for i, n in enumerate(nodes) if isinstance(n, Number) and n.decimal}
    return _Machine(balls.Machine(Program(nodes, ())), decimals, partials)


def _testimony(point: Point, recording: Recording) -> Answers:
    prepared = point.prepared
    made = prepared.share("formula", lambda: _machine(prepared, recording))
    pairs: list[tuple[Any, Any]] = []
    for bits in _BITS:
        with ctx.workprec(bits):
            pairs = list(zip(_run(made, point, 0), _run(made, point, _ROUNDED), strict=True))
            if all(_is_narrow(exact) for exact, _ in pairs):
                break
    none = Abstention("the backward gives no gradient")
    unknown = Abstention("the formula has no finite value that is known")
    return Answers(
        [
            none if place < 0 else Evaluated(*pair) if pair[0].is_finite() else unknown
            for place, pair in zip(made.partials, pairs, strict=True)
        ]
    )


def _run(made: _Machine, point: Point, units: int) -> list[Any]:
    """The ball of each partial, decimals widened by so many units of rounding."""
    inputs = {name: arb(value) for name, value in point.scalars.items()}
    known, literal = {}, point.dtype.round
    if units:
        spread = arb(0, units * point.dtype.unit_roundoff)
        for i, number in made.decimals.items():
            ball = balls.literal_ball(number, literal)
            known[i] = ball + ball * spread
    values = made.machine.values(inputs, literal, known=known)
    found = [arb(0) if i < 0 else balls.plain(values[i]) for i in made.partials]
    if not units:
        return found
    # What no number of the dtype can tell apart is not called another formula: a loop that has
    # come to its end is its limit but for that.
    return [ball + ball * arb(0, point.dtype.unit_roundoff) for ball in found]


def _is_narrow(ball: Any) -> bool:
    return bool(ball.is_finite() and (ball.is_zero() or ball.rad() <= abs(ball.mid()) * _NARROW))
