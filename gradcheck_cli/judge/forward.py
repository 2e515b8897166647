"""The forward value comes first: a gradient of a value that torch itself gets wrong is not to be
trusted.
"""

from __future__ import annotations

from math import isfinite, isnan
from typing import TYPE_CHECKING

from gradcheck_cli.calculus.gradient import gradient_program
from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.judge.measure import BUDGET_FACTOR, FREE_ULPS, format_float, largest, ulp
from gradcheck_cli.judge.rounding import rounding
from gradcheck_cli.witnesses.autograd import Autograd
from gradcheck_cli.witnesses.numeric import Difference
from gradcheck_cli.witnesses.reference import Certified, Reference
from gradcheck_cli.worlds.scalars import TooLarge

if TYPE_CHECKING:
    from gradcheck_cli.judge.evidence import Evidence
    from gradcheck_cli.worlds import balls


def forward_note(evidence: Evidence) -> str | None:
    """What is wrong with torch's value of the program, if anything."""
    from flint import ctx

    proved, measured = evidence.reference, evidence.autograd
    if not isinstance(proved, Reference) or not isinstance(measured, Autograd):
        return None
    with ctx.workprec(256):
        for k, (truth, value) in enumerate(zip(proved.forward, measured.forward, strict=False)):
            if isinstance(truth, Certified):
                told = _compare(evidence, k, truth.ball, value)
                if told:
                    return told
    return None


def _compare(evidence: Evidence, element: int, truth: balls.Ball, value: float) -> str | None:
    from flint import arb

    case = evidence.case
    place = f" (element {element})" if len(evidence.autograd.forward) > 1 else ""  # type: ignore[union-attr]  # an Autograd, else nothing is compared
    told = f"torch's value{place} is {format_float(value)} where the true one is {truth.str(6, radius=False)}"
    if not isfinite(value):
        beyond = (
            abs(truth) > largest(case.dtype) and not isnan(value) and (value > 0) == (truth > 0)
        )
        return None if beyond else told
    gap = abs(arb(value) - truth)
    if gap <= FREE_ULPS * ulp(truth, case.dtype):
        return None
    try:
        room = rounding(case).of_element(case, element, case.dtype).total
    except TooLarge:
        return None
    if gap <= BUDGET_FACTOR * arb(room):
        return None
    return f"torch's value{place} is off by {float(gap.mid()):.2g}: rounding explains {BUDGET_FACTOR * room:.2g} at most"


def why_numeric_misses(evidence: Evidence, position: int) -> str:
    """Why the numeric estimate of a partial misses the truth: torch's value is off, jumps, or a
    defect of this tool.
    """
    if forward_note(evidence) or _float64_is_off(evidence, position):
        return "it follows torch's value, which is itself off"
    program = gradient_program(evidence.case)
    if not isinstance(program, TooLarge):
        jumps = [k for k in program.kinks if k.jumps and program.dependence[k.node] >> position & 1]
        if jumps:
            names = dict.fromkeys(program.program.nodes[k.node].function for k in jumps)  # type: ignore[union-attr]  # kinks belong to calls
            return f"its steps cross the jumps of {', '.join(f'`{name}`' for name in names)}"
    return "a defect of this tool"


def _float64_is_off(evidence: Evidence, position: int) -> bool:
    """Whether torch's float64 value, which the differences are made of, is further from the truth
    than rounding explains.
    """
    from flint import arb

    case, (_, _, _, difference) = evidence.case, evidence.of(position)
    program = gradient_program(case)
    if (
        isinstance(program, TooLarge)
        or not isinstance(evidence.reference, Reference)
        or not isinstance(difference, Difference)
        or difference.centre is None
    ):
        return False
    gap = abs(arb(difference.centre) - evidence.reference.values[program.objective])
    room = rounding(case).of_value(case, DTYPES["float64"]).total
    return not gap <= BUDGET_FACTOR * arb(room)
