"""The court: what the comparisons of one point share."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import isfinite
from typing import TYPE_CHECKING

import numpy as np

from gradcheck_cli.judge.approximations import approximations
from gradcheck_cli.judge.branch import crossed_kinks
from gradcheck_cli.judge.cause import cut_cause
from gradcheck_cli.judge.culprit import Inquiry
from gradcheck_cli.judge.forward import forward_note, has_infinity
from gradcheck_cli.judge.pins import pins_of
from gradcheck_cli.judge.retrace import retrace
from gradcheck_cli.judge.rounding import rounding
from gradcheck_cli.witnesses.autograd import Backward
from gradcheck_cli.witnesses.modes import WAYS
from gradcheck_cli.witnesses.reference import Proof
from gradcheck_cli.worlds.scalars import TooLarge

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gradcheck_cli.calculus.kinks import Kink
    from gradcheck_cli.judge.approximations import Approximated
    from gradcheck_cli.judge.evidence import Evidence, Tolerance
    from gradcheck_cli.judge.retrace import Path
    from gradcheck_cli.questions.batch import Point
    from gradcheck_cli.records.outcome import Cause


@dataclass(frozen=True, eq=False)
class Court:
    """One point on trial; what is asked of it is found out when somebody asks, once.

    Attributes:
        budgets: that of each partial, where they are known already.
        brief: whether outcomes are wanted alone: what only explains them is not looked for.
    """

    evidence: Evidence
    tolerance: Tolerance | None
    budgets: Sequence[float] | None = None
    brief: bool = False

    @property
    def point(self) -> Point:
        """The point on trial."""
        return self.evidence.point

    @cached_property
    def is_second(self) -> bool:
        """Whether the partials are second derivatives."""
        return self.point.prepared.objective.order == 2

    @cached_property
    def modes(self) -> tuple[str, ...]:
        """The witnesses that are other modes of torch."""
        return tuple(name for name in self.evidence if name in WAYS)

    @cached_property
    def is_finite(self) -> bool:
        """Whether all of torch's values are numbers."""
        backward = self.evidence.whole("autograd", Backward)
        if backward is None:
            return False
        return all(map(isfinite, (*backward.forward, *backward.primal)))

    @cached_property
    def has_infinities(self) -> bool:
        """Whether a number of the point or of the program is an infinity, or NaN."""
        points, k = self.point.batch.points, self.point.k
        is_finite = all(np.isfinite(array[k]).all() for array in points.values())
        return not is_finite or has_infinity(self.point)

    def value_without_bound(self, element: int) -> float | None:
        """torch's value of an element that has no bound, where that is an infinity or NaN and the
        point or the program has one; None elsewhere.
        """
        backward = self.evidence.whole("autograd", Backward)
        if backward is None or self.is_finite or not self.has_infinities:
            return None
        value = backward.forward[element]
        return None if isfinite(value) else value

    @cached_property
    def cut(self) -> str:
        """Functions that torch does not differentiate, in words; empty if there are none."""
        backward = self.evidence.whole("autograd", Backward)
        return "" if backward is None else ", ".join(f"`{name}`" for name in backward.cut)

    @cached_property
    def cut_cause(self) -> Cause:
        """Why those functions end a path: the user's own cut, or a derivative that torch lacks."""
        backward = self.evidence.whole("autograd", Backward)
        return cut_cause(() if backward is None else backward.cut)

    @cached_property
    def crossed(self) -> list[Kink]:
        """The kinks on whose other side torch's own values lie."""
        return crossed_kinks(self.evidence)

    @cached_property
    def path(self) -> Path | None:
        """torch's gradient program along its own forward values."""
        return retrace(self.evidence)

    @cached_property
    def inquiry(self) -> Inquiry | None:
        """Who is to blame, where numbers of torch's program are; None where it is too large."""
        proof = self.evidence.whole("reference", Proof)
        try:
            trace = rounding(self.point).gradient
        except TooLarge:
            return None
        backward = self.evidence.whole("autograd", Backward)
        if proof is None or backward is None:
            return None
        pins = pins_of(self.point, trace.expansion, backward.execution)
        return Inquiry(self.point, trace, proof.bits, pins)

    @cached_property
    def approximated(self) -> tuple[Approximated, ...]:
        """What torch approximates on purpose at the point."""
        return approximations(self.point)

    @cached_property
    def forward_is_off(self) -> bool:
        """Whether torch's value is further from the truth than rounding explains."""
        return forward_note(self.evidence) is not None
