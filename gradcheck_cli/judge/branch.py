"""The branch torch took: where rounding moves a value across a kink, torch differentiates the other
side.
"""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

from flint import arb, ctx

from gradcheck_cli.functions import lookup
from gradcheck_cli.judge.retrace import constants_of, pins_of
from gradcheck_cli.language.program import Call
from gradcheck_cli.witnesses.autograd import Backward
from gradcheck_cli.witnesses.reference import Proof
from gradcheck_cli.worlds.scalars import Expansion

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gradcheck_cli.calculus.kinks import Kink
    from gradcheck_cli.judge.evidence import Evidence
    from gradcheck_cli.language.program import Node
    from gradcheck_cli.questions.batch import Point
    from gradcheck_cli.subjects import NodeValues

_BITS = 128


def crossed_kinks(evidence: Evidence) -> list[Kink]:
    """The kinks on whose other side torch's own values lie; none where that cannot be told.

    The exact gradient is evaluated again with torch's own value in place of every node; where an
    argument of a kink then has another sign, or none, rounding has decided the branch.
    """
    proof, backward = evidence.whole("reference", Proof), evidence.whole("autograd", Backward)
    prepared = evidence.point.prepared
    if proof is None or backward is None or not isinstance(prepared.expansion, Expansion):
        return []
    values = _along_torch(evidence.point, prepared.expansion, backward.execution)
    program = prepared.gradient
    nodes = program.program.nodes
    return [k for k in program.kinks if _is_crossed(k, nodes[k.node], values, proof.values)]


def other_branch(crossed: Sequence[Kink], point: Point, partial: int) -> str:
    """The function whose kink rounding crossed; empty where torch took the true branch."""
    program = point.prepared.gradient
    for kink in crossed:
        if program.dependence[kink.node] >> partial & 1:
            return point.specification.source(point.prepared.scalars.origin[kink.node])
    return ""


def _along_torch(point: Point, expansion: Expansion, execution: NodeValues) -> list[Any]:
    """Balls of the exact program with torch's values put in for the nodes that torch computed, and
    for the constants as torch was given them.
    """
    constants = constants_of(point, expansion, execution)
    pins = {place: constant.rounded for place, constant in constants.items()}
    pins |= pins_of(point, expansion, execution)
    with ctx.workprec(_BITS):
        inputs = {name: arb(value) for name, value in point.scalars.items()}
        known = {place: arb(number) for place, number in pins.items() if isfinite(number)}
        return point.prepared.machine.values(inputs, point.dtype.round, known=known)


def _is_crossed(kink: Kink, node: Node, torch: list[Any], true: list[Any]) -> bool:
    """Whether torch is on another side of a kink, or on another step of a function of steps."""
    if _side(torch[kink.expression]) != _side(true[kink.expression]):
        return True
    steps = isinstance(node, Call) and set(lookup(node.function).partials) == {"0"}
    ours, right = torch[kink.node], true[kink.node]
    balls_both = hasattr(ours, "overlaps") and hasattr(right, "overlaps")
    return steps and kink.jumps and balls_both and not ours.overlaps(right)


def _side(ball: Any) -> int:
    return 1 if ball > 0 else -1 if ball < 0 else 0
