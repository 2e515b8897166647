"""The partials of a large program in arrays of balls: what enclosures in float64 leave open is
proved so, as far as time allows.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import thread_time
from typing import TYPE_CHECKING, Any

import numpy as np
from flint import ctx

from gradcheck_cli.functions.row import CallError
from gradcheck_cli.witnesses import Abstention
from gradcheck_cli.witnesses.bulk_proof import gradient_in
from gradcheck_cli.witnesses.truth import Certified, Undefined, is_certified
from gradcheck_cli.witnesses.watched import Watched
from gradcheck_cli.worlds.ball_arrays import BallArrays, is_known
from gradcheck_cli.worlds.balls import OutOfTime, plain
from gradcheck_cli.worlds.marks import NONE
from gradcheck_cli.worlds.reaching import Reaching
from gradcheck_cli.worlds.scalars import TooLarge

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gradcheck_cli.questions.batch import Point
    from gradcheck_cli.worlds.track import Tracked

# Seconds of computing, and the precisions that are tried in it.
LIMIT = 10.0
_FIRST, _MIDDLE, _LAST = 128, 512, 2048

_LATE = Abstention(f"it was not proved within {LIMIT:g} s")


@dataclass(frozen=True)
class Unbounded(Abstention):
    """An element of the value has no finite enclosure.

    Attributes:
        place: that of the element, row-major.
    """

    reason: str = "no derivative is proved: an element of the value has no finite enclosure"
    place: int = 0


@dataclass(frozen=True)
class RunInBalls:
    """All partials at one precision.

    Attributes:
        troubles: for each partial why elements of the value that rest on its input have none; None
            where they have one.
    """

    balls: list[Any]
    troubles: Sequence[Undefined | Abstention | None]


class Proving:
    """A point whose partials are proved together, when one of them is first asked for."""

    def __init__(self, point: Point) -> None:
        self._point = point
        self._deadline = thread_time() + LIMIT
        self._runs: dict[int, RunInBalls | Abstention] = {}

    def partial(self, position: int) -> Certified | Undefined | Abstention:
        """What is proved of one partial."""
        found: Abstention | None = None
        bits: int | None = _FIRST
        while bits is not None:
            run = self._run(bits)
            if isinstance(run, Abstention):
                return found or run
            ball, trouble = plain(run.balls[position]), run.troubles[position]
            if isinstance(trouble, Undefined):
                return trouble
            if trouble is None and is_certified(ball):
                return Certified(ball, bits)
            found = trouble or _unproved(ball, bits)
            bits = _more(bits, ball)
        assert found is not None
        return found

    def _run(self, bits: int) -> RunInBalls | Abstention:
        """All partials at a precision."""
        if bits not in self._runs:
            self._runs[bits] = self._at(bits)
        return self._runs[bits]

    def _at(self, bits: int) -> RunInBalls | Abstention:
        world = Watched(BallArrays(self._point.dtype.round, self._deadline))
        try:
            with ctx.workprec(bits):
                result, parts = gradient_in(self._point, world)
                troubles = self._troubles(world, result)
        except OutOfTime:
            return _LATE
        except (TooLarge, CallError) as error:
            return Abstention(str(error))
        return RunInBalls([x for part in parts for x in np.ravel(part.value).tolist()], troubles)

    def _troubles(self, world: Watched, result: Tracked) -> Sequence[Undefined | Abstention | None]:
        """For each partial what is wrong with an element of the value that rests on its input: the
        first that is undefined, or else one without a bound.
        """
        lost = ~world.kit.is_settled(result.number)
        marks = np.full(result.shape, NONE) if result.trouble is None else result.trouble
        if not lost.any() and (marks == NONE).all():
            return [None] * len(self._point.keys)
        flat, places = marks.reshape(-1), np.arange(marks.size).reshape(result.shape)
        unbounded = np.where(lost, marks.size + places, NONE)
        _, parts = gradient_in(self._point, Reaching(), np.where(marks < NONE, places, unbounded))
        found = [place for part in parts for place in part.reshape(-1).tolist()]
        said: dict[int, Undefined | Unbounded | None] = {NONE: None}
        for place in set(found) - said.keys():
            said[place] = (
                world.undefined(flat[place], self._point.specification)
                if place < marks.size
                else Unbounded(place=place - marks.size)
            )
        return [said[place] for place in found]


def _more(bits: int, ball: Any) -> int | None:
    """The next precision that is tried; None for no other. What is not told from 0 is 0 mostly, and
    only the most bits show that.
    """
    if bits == _LAST:
        return None
    is_zero = is_known(ball) and ball.contains(0)
    return _LAST if bits == _MIDDLE or is_zero else _MIDDLE


def _unproved(ball: Any, bits: int) -> Abstention:
    if is_known(ball):
        return Abstention(f"the derivative could not be enclosed tightly with {bits} bits")
    touched = "a piecewise function may sit on its boundary, or a formula is not finite"
    return Abstention(f"no derivative is proved: {touched}")
