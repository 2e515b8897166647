"""How many digits of an answer are right, and what there is to be right about."""

from __future__ import annotations

from math import inf, isfinite, isnan, log10
from typing import TYPE_CHECKING, Any, NamedTuple

from gradcheck_cli.judge.measure import ulp
from gradcheck_cli.judge.replay import round_ball
from gradcheck_cli.judge.sides import boundary_at
from gradcheck_cli.records.record import FREE_ULPS
from gradcheck_cli.witnesses import Abstention
from gradcheck_cli.witnesses.truth import Certified, Touching, Undefined

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gradcheck_cli.dtypes import DType
    from gradcheck_cli.judge.verdict import Verdict
    from gradcheck_cli.questions.batch import Point
    from gradcheck_cli.witnesses.reference import Proof


class Goal(NamedTuple):
    """What is proved of one partial: the derivative twice, or the least and the greatest
    subgradient.
    """

    low: Any
    high: Any

    def is_same(self, other: Goal | None) -> bool:
        """Whether the same may be proved of another program's partial."""
        return other is not None and all(a.overlaps(b) for a, b in zip(self, other, strict=True))


def goals_of(
    point: Point, proof: Proof, verdicts: Sequence[Verdict | None]
) -> tuple[Goal | None, ...]:
    """For each partial what is proved of it, by the reference or from the sides of a boundary; None
    where that is nothing.
    """
    return tuple(_goal(point, k, proof, verdict) for k, verdict in enumerate(verdicts))


def _goal(point: Point, partial: int, proof: Proof, verdict: Verdict | None) -> Goal | None:
    truth = proof.partials[partial]
    if isinstance(truth, Certified):
        return Goal(truth.truth, truth.truth)
    if verdict is not None and verdict.truth is not None:
        return Goal(verdict.truth, verdict.truth)
    if isinstance(truth, Touching) or (isinstance(truth, Undefined) and not truth.of_value):
        boundary = boundary_at(point, partial, Abstention("not asked"))
        if boundary.kind in ("smooth", "edge"):
            return Goal(boundary.slope, boundary.slope)
        if boundary.kind == "kink" and boundary.sides is not None and boundary.sides.proved:
            return Goal(boundary.low, boundary.high)
    return None


def right_digits(answer: float, goal: Goal, dtype: DType) -> float:
    """How many decimal digits of an answer are right: from 0 to as many as the dtype has, which it
    has as the nearest number that there is, or as a subgradient.
    """
    most = -log10(dtype.unit_roundoff)
    if isnan(answer):
        return 0.0
    if any(float(round_ball(ball, dtype).mid()) == answer for ball in goal):
        return most
    if not isfinite(answer):
        return 0.0
    low, high = (ball.mid() for ball in goal)
    room = FREE_ULPS * max(ulp(ball, dtype) for ball in goal)
    if low < high and low - room <= answer <= high + room:
        return most
    # A truth of 0 has no digits of its own: those of 1 count.
    size = max(float(abs(ball).mid()) for ball in goal) or 1.0
    relative = min(float(abs(ball - answer).mid()) for ball in goal) / size
    return min(max(-log10(relative), 0.0), most) if 0 < relative < inf else 0.0
