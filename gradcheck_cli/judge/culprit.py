"""Where torch's value went wrong: torch's forward held against the balls, node by node."""

from __future__ import annotations

from fractions import Fraction
from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck_cli.judge.measure import format_ball
from gradcheck_cli.language.program import Call
from gradcheck_cli.records.outcome import Cause
from gradcheck_cli.witnesses.autograd import Backward
from gradcheck_cli.witnesses.reference import Proof
from gradcheck_cli.worlds import balls
from gradcheck_cli.worlds.scalars import Expansion

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gradcheck_cli.judge.evidence import Evidence


def why_not_finite(evidence: Evidence) -> tuple[str, Cause]:
    """`: ...` naming the first node that torch cannot hold and the number whose rounding did it,
    empty if none; and the cause.
    """
    proof, backward = evidence.whole("reference", Proof), evidence.whole("autograd", Backward)
    expansion = evidence.point.prepared.expansion
    if proof is None or backward is None or not isinstance(expansion, Expansion):
        return "", Cause.UNKNOWN
    look = _Look(evidence, proof, backward, expansion)
    return look.first_infinity() or look.first_zero() or _ELSEWHERE


_ELSEWHERE = (
    ": its backward overflows, divides by 0 or multiplies an infinity by 0",
    Cause.UNKNOWN,
)


class _Look:
    """torch's forward values beside the true ones."""

    def __init__(
        self, evidence: Evidence, proof: Proof, backward: Backward, expansion: Expansion
    ) -> None:
        point = evidence.point
        self.program, self.dtype = point.specification, point.dtype
        self.values, self.execution, self.expansion = proof.values, backward.execution, expansion

    def _pairs(self) -> Iterator[tuple[int, int, float, Any]]:
        """(node, element, torch's number, the true ball) of every call whose true value is
        finite.
        """
        for i, node in enumerate(self.program.nodes):
            if isinstance(node, Call):
                for k, (ours, true) in enumerate(zip(self.torch(i), self.true(i), strict=False)):
                    if true is not None and true.is_finite():
                        yield i, k, ours, true

    def first_infinity(self) -> tuple[str, Cause] | None:
        """The first node that torch cannot hold."""
        bad = (pair for pair in self._pairs() if not isfinite(pair[2]))
        return next((self.account(i, k, ours) for i, k, ours, _ in bad), None)

    def first_zero(self) -> tuple[str, Cause] | None:
        """The first node that is 0 to torch and is not."""
        for i, _, ours, true in self._pairs():
            if ours == 0 and not true.contains(0):
                words = f": `{self.program.source(i)}` is 0 in {self.dtype.name}"
                return f"{words}, where it is {format_ball(true)}", Cause.UNDERFLOW
        return None

    def torch(self, node: int) -> list[float]:
        """torch's elements of a node."""
        value = self.execution.node(node)
        if hasattr(value, "detach"):
            return [float(v) for v in value.detach().reshape(-1).tolist()]
        # A Python number is rounded to the dtype where torch uses it.
        return (
            [self.dtype.round(Fraction(value)) if isfinite(value) else value]
            if isinstance(value, int | float)
            else []
        )

    def true(self, node: int) -> list[Any]:
        """The balls of the same elements; None for what is not a number."""
        indices = np.reshape(self.expansion.values[node], -1).tolist()
        return [v if hasattr(v := self.values[i], "is_finite") else None for i in indices]

    def account(self, node: int, element: int, ours: float) -> tuple[str, Cause]:
        """What became of a node that torch cannot hold, and why."""
        words = f": `{self.program.source(node)}` is {ours:g} in {self.dtype.name}"
        true = self.true(node)[element]
        if not abs(true) < balls.exact_ball(self.dtype.largest):
            return f"{words}, {true.str(6, radius=False)} being beyond its range", Cause.OVERFLOW
        argument = self.rounded_argument(node, element)
        if argument is None:
            return words, Cause.UNKNOWN
        place, true = argument
        rounded = f"{self.dtype.round(balls.midpoint(true)):g}"
        place_words = f"`{self.program.source(place)}` rounds to {rounded}"
        exactly = true.str(12, radius=False)
        return f"{words}, because {place_words} (it is {exactly})", Cause.ROUNDING

    def rounded_argument(self, node: int, element: int) -> tuple[int, Any] | None:
        """The node further up whose rounding moved this one to the edge: follow the argument that
        torch holds most wrongly.
        """
        program = self.program
        found: tuple[int, Any] | None = None
        for _ in range(len(program.nodes)):
            call = program.nodes[node]
            step = self._worst(call, node, element) if isinstance(call, Call) else None
            if step is None:
                return found
            node, element, true, moved = step
            if moved:
                found = node, true
        return found

    def _worst(self, call: Call, node: int, element: int) -> tuple[int, int, Any, bool] | None:
        """(node, element, true value, whether rounding alone made torch's value of it) of the
        argument most off.
        """
        worst: tuple[float, int, int, Any, bool] | None = None
        for j in call.args:
            ours, true = self.torch(j), self.true(j)
            k = element if element < len(ours) else 0
            if (
                k >= len(ours)
                or k >= len(true)
                or true[k] is None
                or not true[k].is_finite()
                or not isfinite(ours[k])
            ):
                continue
            gap = abs(balls.exact_ball(Fraction(ours[k])) - true[k])
            if gap.contains(0):
                continue
            relative = (
                float((gap / abs(true[k])).mid()) if not true[k].contains(0) else float("inf")
            )
            if len(call.args) > 1 and true[k].overlaps(
                self.true(node)[min(element, len(self.true(node)) - 1)]
            ):
                relative = float("inf")  # the node hands this argument on: clamp, maximum, where
            moved = not gap > abs(true[k]) and self.dtype.round(
                balls.midpoint(true[k])
            ) == self.dtype.round(Fraction(ours[k]))
            if worst is None or relative > worst[0]:
                worst = relative, j, k, true[k], moved
        return worst[1:] if worst else None
