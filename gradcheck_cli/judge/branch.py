"""The branch torch took: where rounding moves a value across a kink, torch differentiates the other
side.
"""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gradcheck_cli.language.program import Call
from gradcheck_cli.witnesses.autograd import Backward
from gradcheck_cli.witnesses.reference import Proof
from gradcheck_cli.worlds import balls
from gradcheck_cli.worlds.scalars import Expansion

if TYPE_CHECKING:
    from gradcheck_cli.calculus.kinks import Kink
    from gradcheck_cli.judge.evidence import Evidence
    from gradcheck_cli.questions.batch import Point
    from gradcheck_cli.subjects import NodeValues

_BITS = 128


class Branch(NamedTuple):
    """The exact gradient program with torch's own values in it, and the kinks that they cross."""

    values: list[Any]
    crossed: list[Kink]


def branch_taken(evidence: Evidence) -> Branch | None:
    """The branch that torch's own values lie on; None where that cannot be told.

    The exact gradient is evaluated again with torch's own value in place of every node; where an
    argument of a kink then has another sign, or none, rounding has decided the branch.
    """
    proof, backward = evidence.whole("reference", Proof), evidence.whole("autograd", Backward)
    prepared = evidence.point.prepared
    if proof is None or backward is None or not isinstance(prepared.expansion, Expansion):
        return None
    values = _along_torch(evidence.point, prepared.expansion, backward.execution)
    kinks = prepared.gradient.kinks
    return Branch(values, [kink for kink in kinks if _is_crossed(kink, values, proof.values)])


def other_branch(branch: Branch | None, point: Point, partial: int) -> tuple[str, Any] | None:
    """(the function whose kink rounding crossed, the derivative on torch's side), or None where
    torch took the true branch.
    """
    if branch is None:
        return None
    program = point.prepared.gradient
    node = program.partials[partial]
    crossed = [kink for kink in branch.crossed if program.dependence[kink.node] >> partial & 1]
    if not crossed or node is None:
        return None
    origin = point.prepared.scalars.origin[crossed[0].node]
    return point.specification.source(origin), balls.plain(branch.values[node])


def _along_torch(point: Point, expansion: Expansion, execution: NodeValues) -> list[Any]:
    """Balls of the exact program with torch's values put in for the nodes that torch computed."""
    from flint import arb, ctx

    instead: dict[int, Any] = {}
    for i, node in enumerate(point.specification.nodes):
        value = execution.node(i)
        if isinstance(node, Call) and hasattr(value, "is_floating_point"):
            if not value.is_floating_point():
                continue
            numbers = value.detach().reshape(-1).double().tolist()
            places = np.reshape(expansion.values[i], -1).tolist()
            pairs = zip(places, numbers, strict=False)
            instead |= {k: arb(number) for k, number in pairs if isfinite(number)}
    with ctx.workprec(_BITS):
        inputs = {name: arb(value) for name, value in point.scalars.items()}
        return point.prepared.machine.values(inputs, point.dtype.round, instead=instead)


def _is_crossed(kink: Kink, torch: list[Any], true: list[Any]) -> bool:
    """Whether torch is on another side of a kink, or on another step of a function that jumps."""
    if _side(torch[kink.expression]) != _side(true[kink.expression]):
        return True
    ours, right = torch[kink.node], true[kink.node]
    balls_both = hasattr(ours, "overlaps") and hasattr(right, "overlaps")
    return kink.jumps and balls_both and not ours.overlaps(right)


def _side(ball: Any) -> int:
    return 1 if ball > 0 else -1 if ball < 0 else 0
