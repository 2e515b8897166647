"""The partials of a large program in arrays of balls: what enclosures in float64 leave open is
proved so, as far as time allows.
"""

from __future__ import annotations

from time import thread_time
from typing import TYPE_CHECKING, Any

import numpy as np
from flint import ctx

from gradcheck_cli.witnesses import Abstention
from gradcheck_cli.witnesses.bulk_proof import gradient_in
from gradcheck_cli.witnesses.truth import Certified, is_certified
from gradcheck_cli.worlds.ball_arrays import BallArrays
from gradcheck_cli.worlds.balls import OutOfTime, plain
from gradcheck_cli.worlds.scalars import TooLarge

if TYPE_CHECKING:
    from gradcheck_cli.questions.batch import Point

# Seconds of computing, and the precisions that are tried in it.
LIMIT = 10.0
_BITS = (128, 512, 2048)

_LATE = Abstention(f"it was not proved within {LIMIT:g} s")


class Proving:
    """A point whose partials are proved together, when one of them is first asked for."""

    def __init__(self, point: Point) -> None:
        self._point = point
        self._deadline = thread_time() + LIMIT
        self._runs: list[list[Any] | Abstention] = []

    def partial(self, position: int) -> Certified | Abstention:
        """What is proved of one partial."""
        found: Certified | Abstention = _LATE
        for k, bits in enumerate(_BITS):
            run = self._run(k)
            if isinstance(run, Abstention):
                return found if k else run
            ball = plain(run[position])
            if is_certified(ball):
                return Certified(ball, bits)
            touched = "a piecewise function may sit on its boundary, or a formula is not finite"
            found = Abstention(
                f"no derivative is proved: {touched}"
                if not ball.is_finite()
                else f"the derivative could not be enclosed tightly with {bits} bits"
            )
        return found

    def _run(self, k: int) -> list[Any] | Abstention:
        """All partials at a precision."""
        while len(self._runs) <= k:
            self._runs.append(self._at(_BITS[len(self._runs)]))
        return self._runs[k]

    def _at(self, bits: int) -> list[Any] | Abstention:
        kit = BallArrays(self._point.dtype.round, self._deadline)
        try:
            with ctx.workprec(bits):
                parts = gradient_in(self._point, kit, as_torch=False)[1]
        except OutOfTime:
            return _LATE
        except TooLarge as error:
            return Abstention(str(error))
        return [x for part in parts for x in np.ravel(part.value).tolist()]
