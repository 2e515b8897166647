"""Where torch's value went wrong: torch's forward held against the balls, node by node."""

from __future__ import annotations

from fractions import Fraction
from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck_cli.judge.measure import format_ball
from gradcheck_cli.language.program import Call
from gradcheck_cli.witnesses.autograd import Autograd
from gradcheck_cli.witnesses.reference import Reference
from gradcheck_cli.worlds import balls
from gradcheck_cli.worlds.scalars import Expansion

if TYPE_CHECKING:
    from gradcheck_cli.judge.evidence import Evidence


def why_not_finite(evidence: Evidence) -> str:
    """`: ...` naming the first node that torch cannot hold, and the number whose rounding did it;
    empty if none.
    """
    reference, autograd, expansion = (
        evidence.reference,
        evidence.autograd,
        evidence.case.unrolled.expansion,
    )
    if (
        not isinstance(reference, Reference)
        or not isinstance(autograd, Autograd)
        or not isinstance(expansion, Expansion)
    ):
        return ""
    look = _Look(evidence, reference, autograd, expansion)
    for i, node in enumerate(evidence.case.program.nodes):
        if isinstance(node, Call):
            for k, (ours, true) in enumerate(zip(look.torch(i), look.true(i), strict=False)):
                if not isfinite(ours) and true is not None and true.is_finite():
                    return look.tell(i, k, ours)
    for i, node in enumerate(evidence.case.program.nodes):
        if isinstance(node, Call):
            for ours, true in zip(look.torch(i), look.true(i), strict=False):
                if ours == 0 and true is not None and true.is_finite() and not true.contains(0):
                    return f": `{evidence.case.program.source(i)}` is 0 in {evidence.case.dtype.name}, where it is {format_ball(true)}"
    return ": its backward overflows, divides by 0 or multiplies an infinity by 0"


class _Look:
    def __init__(
        self, evidence: Evidence, reference: Reference, autograd: Autograd, expansion: Expansion
    ) -> None:
        self.case, self.values, self.answers, self.expansion = (
            evidence.case,
            reference.values,
            autograd.values,
            expansion,
        )

    def torch(self, node: int) -> list[float]:
        """torch's elements of a node."""
        value = self.answers[node]
        if hasattr(value, "detach"):
            return [float(v) for v in value.detach().reshape(-1).tolist()]
        # A Python number is rounded to the dtype where torch uses it.
        return (
            [self.case.dtype.round(Fraction(value)) if isfinite(value) else value]
            if isinstance(value, int | float)
            else []
        )

    def true(self, node: int) -> list[Any]:
        """The balls of the same elements; None for what is not a number."""
        indices = np.reshape(self.expansion.values[node], -1).tolist()
        return [v if hasattr(v := self.values[i], "is_finite") else None for i in indices]

    def tell(self, node: int, element: int, ours: float) -> str:
        program = self.case.program
        words = f": `{program.source(node)}` is {ours:g} in {self.case.dtype.name}"
        true = self.true(node)[element]
        if not abs(true) < balls.exact_ball(self.case.dtype.largest):
            return f"{words}, {true.str(6, radius=False)} being beyond its range"
        culprit = self.rounded_argument(node, element)
        if culprit is None:
            return words
        place, true = culprit
        rounded = self.case.dtype.round(balls.midpoint(true))
        return f"{words}, because `{program.source(place)}` rounds to {rounded:g} (it is {true.str(12, radius=False)})"

    def rounded_argument(self, node: int, element: int) -> tuple[int, Any] | None:
        """The node further up whose rounding moved this one to the edge: follow the argument that
        torch holds most wrongly.
        """
        program = self.case.program
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
            moved = not gap > abs(true[k]) and self.case.dtype.round(
                balls.midpoint(true[k])
            ) == self.case.dtype.round(Fraction(ours[k]))
            if worst is None or relative > worst[0]:
                worst = relative, j, k, true[k], moved
        return worst[1:] if worst else None
