"""The branch torch took: where rounding moves a value across a kink, torch differentiates the other
side.
"""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

from flint import arb, ctx

from gradcheck_cli.calculus.formulas import conditions
from gradcheck_cli.functions import lookup
from gradcheck_cli.judge.pins import constants_of, pins_of
from gradcheck_cli.judge.replay import kernel_step
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
    argument of a kink then has another sign, or none, rounding has decided the branch. What a
    function compares within itself it has rounded as well (`10*x > 1` in a softplus).
    """
    proof, backward = evidence.whole("reference", Proof), evidence.whole("autograd", Backward)
    prepared = evidence.point.prepared
    if proof is None or backward is None or not isinstance(prepared.expansion, Expansion):
        return []
    program, given = prepared.gradient, (evidence.point, prepared.expansion, backward.execution)
    nodes, values = program.program.nodes, _along_torch(*given)
    crossed = [k for k in program.kinks if _is_crossed(k, nodes[k.node], values, proof.values)]
    compared = [k for k in program.kinks if _is_choice(nodes[k.node]) and k not in crossed]
    if compared:
        steps = _along_torch(*given, rounded=True)
        crossed += [k for k in compared if _is_crossed(k, nodes[k.node], steps, proof.values)]
    return crossed


def _is_choice(node: Node) -> bool:
    """Whether a node is decided by a comparison."""
    return isinstance(node, Call) and bool(conditions(node.function))


def other_branch(crossed: Sequence[Kink], point: Point, partial: int) -> str:
    """The function whose kink rounding crossed; empty where torch took the true branch."""
    if not crossed:
        return ""
    program = point.prepared.gradient
    for kink in crossed:
        if program.dependence[kink.node] >> partial & 1:
            return point.specification.source(point.prepared.scalars.origin[kink.node])
    return ""


def _along_torch(
    point: Point, expansion: Expansion, execution: NodeValues, *, rounded: bool = False
) -> list[Any]:
    """Balls of the exact program with torch's values put in for the nodes that torch computed, and
    for the constants as torch was given them.

    Args:
        rounded: round the steps in between as torch's kernels do, as far as that is known.
    """
    constants = constants_of(point, expansion, execution)
    pins = {place: constant.rounded for place, constant in constants.items()}
    pins |= pins_of(point, expansion, execution)
    nodes, forward = point.prepared.gradient.program.nodes, point.prepared.gradient.forward

    def put(place: int, values: list[Any]) -> None:
        node = nodes[place]
        if place < forward and isinstance(node, Call):
            step = kernel_step(node, [values[i] for i in node.args], point.dtype)
            values[place] = values[place] if step is None else step

    with ctx.workprec(_BITS):
        inputs = {name: arb(value) for name, value in point.scalars.items()}
        known = {place: arb(number) for place, number in pins.items() if isfinite(number)}
        after, machine = put if rounded else None, point.prepared.machine
        return machine.values(inputs, point.dtype.round, after=after, known=known)


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
