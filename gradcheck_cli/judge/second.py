"""The two sides of a point for a second derivative: those of the first one, which has to exist at
the point and beside it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flint import ctx

from gradcheck_cli.judge.sides import Boundary, boundary_at
from gradcheck_cli.language.program import Program, prune
from gradcheck_cli.witnesses import Abstention
from gradcheck_cli.witnesses.reference import Proof, Reference
from gradcheck_cli.witnesses.second import first_order
from gradcheck_cli.witnesses.truth import SIGN_BITS, Certified
from gradcheck_cli.worlds.powers import DISTANCE
from gradcheck_cli.worlds.puiseux import Sides
from gradcheck_cli.worlds.reals import Real
from gradcheck_cli.worlds.scalars import TooLarge
from gradcheck_cli.worlds.series import OutsideDomain, Puiseux, UndecidedSign, constant_series

if TYPE_CHECKING:
    from gradcheck_cli.calculus.kinks import Kink
    from gradcheck_cli.questions.batch import Point
    from gradcheck_cli.witnesses import Answer
    from gradcheck_cli.worlds.zeros import ZeroTest

_UNASKED = Abstention("differences are not asked")


def boundary_beside(
    point: Point, partial: int, difference: Answer, zero_test: ZeroTest | None = None
) -> Boundary:
    """As `boundary_at`, of a second derivative too."""
    if point.prepared.objective.order == 1:
        return boundary_at(point, partial, difference, zero_test=zero_test)
    pivot = point.prepared.pivots
    if pivot.bit_count() != 1:
        words = "a derivative along a direction is not looked at from two sides"
        return Boundary("unknown", words)
    before, place = first_order(point), pivot.bit_length() - 1
    first = _first(before, place, zero_test)
    if isinstance(first, Boundary):
        return first
    if place != partial and _stays_on_a_kink(before, place, partial):
        words = "the first derivative is not proved to exist beside the point"
        return Boundary("unknown", words)
    return boundary_at(point, partial, difference, first, zero_test)


def _first(before: Point, place: int, zero_test: ZeroTest | None) -> Any:
    """The first derivative as a ball; what holds where there is none, or none is proved."""
    noun = "the first derivative"
    proof = Reference().answer(before.batch).testimony(before.k)
    if not isinstance(proof, Proof):
        return Boundary("unknown", getattr(proof, "reason", f"{noun} is not proved"))
    answer = proof.partials[place]
    if isinstance(answer, Certified):
        return answer.truth
    if isinstance(answer, Abstention):
        return Boundary("unknown", answer.reason)
    found = boundary_at(before, place, _UNASKED, zero_test=zero_test)
    if found.kind in ("smooth", "edge"):
        return found.slope
    if found.kind == "unknown":
        return Boundary("unknown", f"{noun} is not proved: {found.words}")
    return Boundary("undefined", f"{noun} does not exist here: {found.words}", cause=found.cause)


def _stays_on_a_kink(before: Point, place: int, partial: int) -> bool:
    """Whether a kink of the function that the first derivative has to do with may last along the
    other coordinate: then that derivative need not exist beside the point, whatever its formula
    says.
    """
    program = before.prepared.gradient
    try:
        values = before.prepared.machine.run(before.scalars, SIGN_BITS, before.dtype.round)
    except TooLarge:
        return True
    touching = (
        kink
        for kink in program.kinks
        if program.dependence[kink.node] >> place & 1
        and not (values[kink.expression] > 0 or values[kink.expression] < 0)
    )
    return any(not _is_left(before, kink, partial) for kink in touching)


def _is_left(before: Point, kink: Kink, partial: int) -> bool:
    """Whether a kink is proved to be left on both sides along a coordinate."""
    gradient = before.prepared.gradient
    expression = prune(Program(gradient.program.nodes, (kink.expression,)))
    name = gradient.elements[partial]
    with ctx.workprec(SIGN_BITS):
        for side in (-1, 1):
            inputs = {key: constant_series(value) for key, value in before.scalars.items()}
            inputs[name] = inputs[name] + Puiseux(((DISTANCE, Real(side)),))
            try:
                if Sides(before.dtype.round).beside(expression, inputs).sign() == 0:
                    return False
            except OutsideDomain:
                continue
            except UndecidedSign:
                return False
    return True
