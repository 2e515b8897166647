"""The partials of a large program in arrays of balls: what enclosures in float64 leave open is
proved so, as far as time allows.
"""

from __future__ import annotations

from itertools import islice
from time import thread_time
from typing import TYPE_CHECKING, Any

import numpy as np
from flint import ctx

from gradcheck_cli.functions import lookup
from gradcheck_cli.functions.arithmetic import OFF
from gradcheck_cli.functions.row import CallError
from gradcheck_cli.language.program import Call
from gradcheck_cli.witnesses import Abstention
from gradcheck_cli.witnesses.bulk_proof import gradient_in
from gradcheck_cli.witnesses.reference import domain_left
from gradcheck_cli.witnesses.truth import Certified, Undefined, is_certified
from gradcheck_cli.worlds.arrays import Arrays
from gradcheck_cli.worlds.ball_arrays import BallArrays
from gradcheck_cli.worlds.balls import OutOfTime, plain
from gradcheck_cli.worlds.decimals import ball_text
from gradcheck_cli.worlds.scalars import TooLarge

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gradcheck_cli.questions.batch import Point

# Seconds of computing, and the precisions that are tried in it.
LIMIT = 10.0
_BITS = (128, 512, 2048)

# Elements of an array without a finite value, at most, of which the domain is looked at.
_LOOKED_AT = 100

_LATE = Abstention(f"it was not proved within {LIMIT:g} s")


class Watched(Arrays):
    """The world of arrays of balls that sees what its value rests on leave its domain.

    Attributes:
        left: how it is left, of the element that was seen last; None where it was not.
    """

    left: Undefined | None = None

    def share(self, node: Call, numbers: Sequence[Any], y: Any, ybar: Any, position: int) -> Any:
        """As that of every world."""
        if not lookup(node.function).condition and lookup(node.function).domain:
            self.left = self._seen(node, numbers, y, ybar) or self.left
        return super().share(node, numbers, y, ybar, position)

    def _seen(self, node: Call, numbers: Sequence[Any], y: Any, ybar: Any) -> Undefined | None:
        """What goes into the value, as its cotangent is no structural zero, and has none."""
        lost = ~self.kit.is_settled(y)
        if not lost.any():
            return None
        call = Call(node.function, tuple(range(len(numbers))), node.settings)
        arrays = np.broadcast_arrays(lost, ybar.value, *(x.value for x in numbers))
        elements = zip(*(array.reshape(-1).tolist() for array in arrays), strict=True)
        counted = (x for is_lost, share, *x in elements if is_lost and share is not OFF)
        for values in islice(counted, _LOOKED_AT):
            cause = domain_left(call, values)
            if cause is not None:
                words = ", ".join(ball_text(plain(x), 6) for x in values)
                place = f"{node.function}({words}) has no finite value"
                return Undefined(place, of_value=True, cause=cause)
        return None


class Proving:
    """A point whose partials are proved together, when one of them is first asked for."""

    def __init__(self, point: Point) -> None:
        self._point = point
        self._deadline = thread_time() + LIMIT
        self._runs: list[list[Any] | Abstention] = []
        self._left: Undefined | None = None

    def partial(self, position: int) -> Certified | Undefined | Abstention:
        """What is proved of one partial."""
        found: Certified | Abstention = _LATE
        for k, bits in enumerate(_BITS):
            run = self._run(k)
            if isinstance(run, Abstention):
                return found if k else run
            ball = plain(run[position])
            if is_certified(ball):
                return Certified(ball, bits)
            if self._left is not None and not ball.is_finite():
                return self._left
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
        world = Watched(BallArrays(self._point.dtype.round, self._deadline))
        try:
            with ctx.workprec(bits):
                value, parts = gradient_in(self._point, world)
                # What has one value has none where a part of it has none.
                if value.value.size == 1 and not world.kit.is_settled(value).any():
                    self._left = world.left
        except OutOfTime:
            return _LATE
        except (TooLarge, CallError) as error:
            return Abstention(str(error))
        return [x for part in parts for x in np.ravel(part.value).tolist()]
