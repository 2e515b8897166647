"""The branch torch took: where rounding moves a value across a kink, torch differentiates the other
side.
"""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck_cli.calculus.gradient import gradient_program, scalar_inputs
from gradcheck_cli.language.program import Call
from gradcheck_cli.witnesses.autograd import Autograd
from gradcheck_cli.witnesses.reference import Reference
from gradcheck_cli.worlds import balls
from gradcheck_cli.worlds.scalars import Expansion, TooLarge

if TYPE_CHECKING:
    from gradcheck_cli.calculus.gradient import Kink
    from gradcheck_cli.judge.evidence import Evidence

_BITS = 128


def other_branch(evidence: Evidence, position: int) -> tuple[str, Any] | None:
    """(the function whose kink rounding crossed, the derivative on torch's side), or None where
    torch took the true branch.

    The exact gradient is evaluated again with torch's own value in place of every node of the
    user's program; where an argument of a kink then has another sign, or none, rounding has decided
    the branch.
    """
    case, proved, measured = evidence.case, evidence.reference, evidence.autograd
    program, expansion = gradient_program(case), case.unrolled.expansion
    if (
        isinstance(program, TooLarge)
        or not isinstance(proved, Reference)
        or not isinstance(measured, Autograd)
        or not isinstance(expansion, Expansion)
    ):
        return None
    values = _along_torch(evidence, expansion, measured)
    crossed = [
        kink
        for kink in program.kinks
        if program.dependence[kink.node] >> position & 1 and _crossed(kink, values, proved.values)
    ]
    node = program.gradient[position]
    if not crossed or node is None:
        return None
    return case.program.source(expansion.origin[crossed[0].node]), balls.plain(values[node])


def _along_torch(evidence: Evidence, expansion: Expansion, measured: Autograd) -> list[Any]:
    """Balls of the exact program with torch's values put in for the nodes that torch computed."""
    from flint import arb, ctx

    case = evidence.case
    instead: dict[int, Any] = {}
    for i, node in enumerate(case.program.nodes):
        if (
            isinstance(node, Call)
            and hasattr(measured.values[i], "is_floating_point")
            and measured.values[i].is_floating_point()
        ):
            found = measured.values[i].detach().reshape(-1).double().tolist()
            places = np.reshape(expansion.values[i], -1).tolist()
            instead |= {k: arb(v) for k, v in zip(places, found, strict=False) if isfinite(v)}
    program = gradient_program(case)
    assert not isinstance(program, TooLarge)
    with ctx.workprec(_BITS):
        inputs = {name: arb(value) for name, value in scalar_inputs(case).items()}
        return balls.balls_of(program.program, inputs, case.literal, instead=instead)


def _crossed(kink: Kink, torch: list[Any], true: list[Any]) -> bool:
    """Whether torch is on another side of a kink, or on another step of a function that jumps."""
    if _side(torch[kink.expression]) != _side(true[kink.expression]):
        return True
    ours, right = torch[kink.node], true[kink.node]
    return (
        kink.jumps
        and hasattr(ours, "overlaps")
        and hasattr(right, "overlaps")
        and not ours.overlaps(right)
    )


def _side(ball: Any) -> int:
    return 1 if ball > 0 else -1 if ball < 0 else 0
