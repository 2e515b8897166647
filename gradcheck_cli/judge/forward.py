"""The forward value comes first: a gradient of a value that torch itself gets wrong is not to be
trusted.
"""

from __future__ import annotations

from math import inf, isfinite, isnan
from typing import TYPE_CHECKING

import numpy as np
from flint import arb, ctx

from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.judge.bounds import ForwardNoise
from gradcheck_cli.judge.measure import BUDGET_FACTOR, format_float, largest, ulp
from gradcheck_cli.judge.retrace import retrace
from gradcheck_cli.judge.rounding import rounding
from gradcheck_cli.language.program import Call, Number
from gradcheck_cli.questions.prepared import Oversize
from gradcheck_cli.records.record import FREE_ULPS
from gradcheck_cli.witnesses.autograd import Backward
from gradcheck_cli.witnesses.differences import Difference
from gradcheck_cli.witnesses.numeric import values_beside
from gradcheck_cli.witnesses.reference import Proof
from gradcheck_cli.witnesses.truth import Certified
from gradcheck_cli.worlds.balls import Machine
from gradcheck_cli.worlds.decimals import ball_text
from gradcheck_cli.worlds.scalars import TooLarge

if TYPE_CHECKING:
    from gradcheck_cli.dtypes import DType
    from gradcheck_cli.judge.evidence import Evidence
    from gradcheck_cli.questions.batch import Point
    from gradcheck_cli.worlds.balls import Ball

# Precision of a value beside a point; a value that is not known to it is left aside.
_BITS = 256


def forward_note(evidence: Evidence) -> str | None:
    """What is wrong with torch's value of the program, if anything."""
    proof, backward = evidence.whole("reference", Proof), evidence.whole("autograd", Backward)
    if proof is None or backward is None:
        return None
    with ctx.workprec(256):
        for k, (truth, value) in enumerate(zip(proof.forward, backward.forward, strict=False)):
            if isinstance(truth, Certified):
                place = f" (element {k})" if len(backward.forward) > 1 else ""
                sentence = _sentence(evidence, k, truth.ball, value, place)
                if sentence:
                    return sentence
    return None


def _sentence(
    evidence: Evidence, element: int, truth: Ball, value: float, place: str
) -> str | None:
    """What is wrong with one element of the value."""
    point = evidence.point
    ours = f"torch's {point.prepared.objective.noun}{place} is"
    if not isfinite(value):
        beyond = (
            abs(truth) > largest(point.dtype) and not isnan(value) and (truth > 0) == (value > 0)
        )
        wrong = f"{ours} {format_float(value)} where the true one is {ball_text(truth, 6)}"
        return None if beyond else wrong
    gap = abs(truth - value)
    if gap <= FREE_ULPS * ulp(truth, point.dtype):
        return None
    try:
        room = BUDGET_FACTOR * rounding(point).of_element(point, element, point.dtype).total
    except TooLarge:
        return None
    path = None if gap <= room else retrace(evidence)
    if gap <= room or (path is not None and path.reaches(element)):
        return None
    return f"{ours} off by {float(gap.mid()):.2g}: rounding explains {room:.2g} at most"


def value_without_number(evidence: Evidence, partial: int) -> float | None:
    """torch's value where it is an infinity or NaN that numbers of the point or the program bring
    with them; None elsewhere. A finite value that is proved refutes an infinity, and a NaN where
    the point has none of either.
    """
    point, proof = evidence.point, evidence.whole("reference", Proof)
    backward = evidence.whole("autograd", Backward)
    if proof is None or backward is None:
        return None
    finite = all(map(isfinite, point.scalars.values()))
    if finite and not has_infinity(point):
        return None
    program = point.prepared.gradient
    of_first = [
        (truth, value, True) for truth, value in zip(proof.primal, backward.primal, strict=False)
    ]
    reached = (program.reached[output] >> partial & 1 for output in program.outputs)
    of_value = zip(proof.forward, backward.forward, reached, strict=False)
    for truth, value, has_part in (*of_first, *of_value):
        refuted = isinstance(truth, Certified) and (finite or not isnan(value))
        if has_part and not isfinite(value) and not refuted:
            return value
    return None


def has_infinity(point: Point) -> bool:
    """Whether an infinity is written in the program, or is a setting in it; a decimal beyond the
    dtype's range is one.
    """

    def look() -> bool:
        prepared = point.prepared
        is_large = isinstance(prepared.expansion, Oversize)
        nodes = (point.specification if is_large else prepared.gradient.program).nodes
        return any(
            _is_infinite(node, point.dtype)
            if isinstance(node, Number)
            else isinstance(node, Call) and any(value in (inf, -inf) for _, value in node.settings)
            for node in nodes
        )

    return point.prepared.share(("infinities", point.dtype.name), look)


def _is_infinite(number: Number, dtype: DType) -> bool:
    value = number.value
    if isinstance(value, float):
        return True
    return number.decimal and not isfinite(dtype.round(value))


def overflowing_decimals(point: Point) -> str:
    """The decimals of the program that are beyond the dtype's range, and so infinities, in words;
    empty where there are none.
    """
    program, dtype = point.specification, point.dtype
    numbers = ((i, node) for i, node in enumerate(program.nodes) if isinstance(node, Number))
    beyond = [program.source(i) for i, n in numbers if n.decimal and _is_infinite(n, dtype)]
    return "".join(f"; `{text}` is beyond the range of {dtype.name}" for text in beyond)


def why_numeric_misses(evidence: Evidence, partial: int) -> str:
    """Why the numeric estimate of a partial misses the truth: torch's value is off, at the point or
    beside it, jumps, or a defect of this tool.
    """
    is_off = forward_note(evidence) or _is_float64_off(evidence, partial)
    if is_off or _is_off_beside(evidence.point, partial):
        return "it follows torch's value, which is itself off"
    prepared = evidence.point.prepared
    if not isinstance(prepared.expansion, Oversize):
        program = prepared.gradient
        jumps = [
            program.program.nodes[kink.node]
            for kink in program.kinks
            if kink.jumps and program.dependence[kink.node] >> partial & 1
        ]
        if jumps:
            names = dict.fromkeys(f"`{node.function}`" for node in jumps)  # type: ignore[union-attr]  # kinks belong to calls
            return f"its steps cross the jumps of {', '.join(names)}"
    return "a defect of this tool"


def _is_float64_off(evidence: Evidence, partial: int) -> bool:
    """Whether torch's float64 value, which the differences are made of, is further from the truth
    than rounding explains.
    """
    point, difference = evidence.point, evidence.of("numeric", partial)
    proof = evidence.whole("reference", Proof)
    if proof is None or not isinstance(difference, Difference) or difference.centre is None:
        return False
    gap = abs(arb(difference.centre) - proof.values[point.prepared.gradient.objective])
    room = rounding(point).of_value(point, DTYPES["float64"]).total
    return not gap <= BUDGET_FACTOR * arb(room)


def _is_off_beside(point: Point, partial: int) -> bool:
    """Whether torch's float64 value beside the point is further from the truth than rounding
    explains.
    """
    batch, prepared = point.batch.alone(point.k), point.prepared
    found = None if isinstance(prepared.expansion, Oversize) else values_beside(batch, partial)
    if found is None:
        return False
    rows, values = found
    who = np.zeros(len(rows), dtype=np.int64)
    bounds = ForwardNoise().bounds(batch, who, rows, np.zeros_like(rows))
    if bounds is None:
        return False
    program, name = prepared.gradient.forward_program, prepared.elements[partial]
    machine = Machine(program)
    with ctx.workprec(_BITS):
        for row, value, bound in zip(rows, values.tolist(), bounds.tolist(), strict=True):
            inputs = {**point.scalars, name: float(row[partial])}
            truth = machine.run(inputs, _BITS, point.dtype.round)[program.result]
            if isfinite(value) and truth.is_finite() and not abs(arb(value) - truth) <= 2 * bound:
                return True
    return False
