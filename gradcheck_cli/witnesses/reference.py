"""The reference: value and gradient in balls, precision doubled until they are certified.

Source: Johansson, "Arb: efficient arbitrary-precision midpoint-radius interval arithmetic" (2017).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from time import thread_time
from typing import TYPE_CHECKING, Any

from gradcheck_cli.calculus.formulas import formula
from gradcheck_cli.functions import lookup
from gradcheck_cli.functions.arithmetic import OFF
from gradcheck_cli.language.program import Call, Program
from gradcheck_cli.records.outcome import Cause
from gradcheck_cli.witnesses import Abstention, PointwiseEstimates, Trust
from gradcheck_cli.witnesses.bulk_proof import BulkProof, bulk_proof, is_in_bulk
from gradcheck_cli.witnesses.second import first_order, lacking
from gradcheck_cli.witnesses.truth import (
    SIGN_BITS,
    Certified,
    Touching,
    Undefined,
    is_certified,
)
from gradcheck_cli.worlds import balls
from gradcheck_cli.worlds.decimals import ball_text
from gradcheck_cli.worlds.scalars import TooLarge

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gradcheck_cli.calculus.gradient import GradientProgram
    from gradcheck_cli.calculus.kinks import Kink
    from gradcheck_cli.questions.batch import Batch, Point
    from gradcheck_cli.witnesses.truth import Truth
    from gradcheck_cli.worlds.scalars import Expansion

FIRST_BITS, LAST_BITS = 96, 32_768
# Seconds of computing for one point: 96 bits take milliseconds; a cascade to 32,768 bits on a large
# program must end all the same.
REFERENCE_LIMIT = 5.0


@dataclass(frozen=True)
class Proof:
    """What is proved at one point: the program's value (one answer an element, row-major) and every
    partial asked for.

    Attributes:
        values: balls of the scalar nodes at the last precision, for those who explain.
        primal: of a second derivative the value of the program, row-major; else nothing.
    """

    forward: tuple[Truth, ...]
    partials: tuple[Truth, ...]
    values: list[Any] = field(default_factory=list, repr=False)
    bits: int = FIRST_BITS
    primal: tuple[Truth, ...] = ()


@dataclass(frozen=True)
class Reference:
    """The witness that settles the others.

    Attributes:
        limit: seconds of computing for one point.
    """

    limit: float = REFERENCE_LIMIT
    name: str = "reference"
    trust: Trust = Trust.PROVED

    def prepare(self, batch: Batch) -> None:
        """Nothing: all is computed here."""

    def answer(self, batch: Batch) -> PointwiseEstimates:
        """The certified value and gradient of each point, or why there is none."""
        points = list(batch)
        return PointwiseEstimates(lambda k: self._prove(points[k]), (len(batch), len(batch.keys)))

    def _prove(self, point: Point) -> Proof | BulkProof | Abstention:
        if is_in_bulk(point):
            return bulk_proof(point)
        return self._of_scalars(point)

    def _of_scalars(self, point: Point) -> Proof | Abstention:
        try:
            proof = _certify(point, thread_time() + self.limit)
            if point.prepared.objective.order == 1:
                return proof
            return _resting_on(point, proof, self._of_scalars(first_order(point)))
        except TooLarge as error:
            return Abstention(f"no certified reference: {error}")


def _resting_on(
    point: Point, second: Proof | Abstention, first: Proof | Abstention
) -> Proof | Abstention:
    """What is proved of second derivatives: where a first one that is differentiated again is not
    proved to exist, that is said of the second ones.
    """
    if isinstance(first, Abstention) or isinstance(second, Abstention):
        return first if isinstance(first, Abstention) else second
    missing = lacking(point, first.partials)
    partials = second.partials if missing is None else (missing,) * len(second.partials)
    return replace(second, partials=partials, primal=first.forward)


def _certify(point: Point, deadline: float) -> Proof | Abstention:
    prepared = point.prepared
    machine, inputs, bits = prepared.machine, point.scalars, FIRST_BITS
    proof: Proof | None = None
    while bits <= LAST_BITS:
        try:
            values = machine.run(inputs, bits, point.dtype.round, deadline)
        except balls.OutOfTime:
            break
        proof = _merge(proof, _read(point, prepared.gradient, values, bits))
        if all(_is_final(answer, bits) for answer in (*proof.forward, *proof.partials)):
            break
        bits *= 2
    return proof or Abstention("no certified reference in the time allowed")


def _merge(old: Proof | None, new: Proof) -> Proof:
    """What was certified at a lower precision stays as it was."""
    if old is None:
        return new

    def best(before: tuple[Truth, ...], after: tuple[Truth, ...]) -> tuple[Truth, ...]:
        pairs = zip(before, after, strict=True)
        return tuple(a if isinstance(a, Certified) else b for a, b in pairs)

    return Proof(
        best(old.forward, new.forward), best(old.partials, new.partials), new.values, new.bits
    )


def _is_final(answer: Truth, bits: int) -> bool:
    """Whether more precision would change nothing."""
    if isinstance(answer, Touching):
        return answer.exact or bits >= SIGN_BITS
    if isinstance(answer, Undefined):
        return answer.of_value or bits >= SIGN_BITS
    return isinstance(answer, Certified)


def _read(point: Point, program: GradientProgram, values: list[Any], bits: int) -> Proof:
    troubles = {
        i: _trouble(point, program, values, i)
        for i in program.outputs
        if not balls.plain(values[i]).is_finite()
    }
    forward = tuple(
        troubles[i] if i in troubles else _forward(balls.plain(values[i]), bits)
        for i in program.outputs
    )
    touching = touching_kinks(program, values)
    partials: list[Truth] = []
    for k, node in enumerate(program.partials):
        # A partial shares the trouble of every element of the value that depends on its input.
        shared = (answer for i, answer in troubles.items() if program.reached[i] >> k & 1)
        trouble: Truth | None = next(shared, None)
        if isinstance(trouble, Abstention):
            # The edge of a domain may be touched without being left: the sides know more.
            trouble = Undefined(trouble.reason, of_value=False)
        mask = 1 << k | point.prepared.pivots
        near = [kink for kink in touching if program.dependence[kink.node] & mask]
        partials.append(
            trouble or _partial(point.prepared.scalars, program, node, values, bits, near)
        )
    return Proof(forward, tuple(partials), values, bits)


def _forward(ball: Any, bits: int) -> Truth:
    if is_certified(ball):
        return Certified(ball, bits)
    return Abstention("the value could not be enclosed")


def _partial(
    scalars: Expansion,
    program: GradientProgram,
    node: int | None,
    values: list[Any],
    bits: int,
    on_path: list[Kink],
) -> Truth:
    jump = next((kink for kink in on_path if kink.jumps), None)
    ball = balls.plain(values[node]) if node is not None else balls.plain(OFF)
    if not on_path and is_certified(ball):
        return Certified(ball, bits)
    if on_path:
        kink = jump or on_path[0]
        owner = program.program.nodes[kink.node]
        assert isinstance(owner, Call)
        exact = bool(values[kink.expression].is_zero())
        return Touching(scalars.origin[kink.node], owner.function, kink.jumps, exact)
    if not ball.is_finite():
        return Undefined("the derivative has no finite enclosure here", of_value=False)
    return Abstention(f"the derivative could not be enclosed tightly with {bits} bits")


def touching_kinks(program: GradientProgram, values: list[Any]) -> list[Kink]:
    """Kinks whose argument is not proved to be away from zero, and whose node has a part in the
    result.

    A branch not taken has none. Nor has a continuous piece whose adjoint is exactly zero: its slope
    is bounded, so the product vanishes whatever the slope. A jump has one whatever its adjoint.
    """
    touching = []
    for kink in program.kinks:
        argument = values[kink.expression]
        if argument > 0 or argument < 0:
            continue
        node = program.adjoint.get(kink.node)
        adjoint: Any = None if node is None else values[node]
        if adjoint is OFF or (not kink.jumps and (adjoint is None or adjoint.is_zero())):
            continue
        touching.append(kink)
    if any(kink.node not in program.adjoint for kink in touching):
        needed = taken_nodes(program.program, program.objective, values)
        touching = [kink for kink in touching if kink.node in needed]
    return touching


def _trouble(
    point: Point, program: GradientProgram, values: list[Any], output: int
) -> Undefined | Abstention:
    """Why an element of the value is not finite: the first node that fails, and whether its domain
    is proved to be left.
    """
    needed = taken_nodes(program.program, output, values)
    for i in range(output + 1):
        value, node = values[i], program.program.nodes[i]
        if i not in needed or not isinstance(node, Call) or not hasattr(value, "is_finite"):
            continue
        if value.is_finite():
            continue
        words = point.specification.source(point.prepared.scalars.origin[i])
        arguments = ", ".join(_argument_text(values[j]) for j in node.args)
        place = f"`{words}` has no finite value: {node.function}({arguments})"
        cause = domain_left(node, values)
        if cause is not None:
            return Undefined(place, of_value=True, cause=cause)
        return Abstention(f"no finite enclosure: {place}")
    return Abstention("the value has no finite enclosure at this point")


def taken_nodes(program: Program, output: int, values: Sequence[Any]) -> set[int]:
    """The nodes that an output rests on; of a choice that is made, the branch that is taken."""
    needed = {output}
    for i in range(output, -1, -1):
        node = program.nodes[i]
        if i in needed and isinstance(node, Call):
            args = node.args
            if lookup(node.function).operator == "if" and values[args[0]] is not None:
                args = (args[0], args[1] if values[args[0]] else args[2])
            needed.update(args)
    return needed


def domain_left(node: Call, values: list[Any]) -> Cause | None:
    """How the domain of a function is proved to be left: beyond its edge, or on a pole at the edge;
    None where it is not.
    """
    row = lookup(node.function)
    bound = dict(zip(row.parsed.names, (values[j] for j in node.args), strict=True))
    programs = map(formula, row.domain)
    return left_by([balls.balls_of(program, bound)[program.result] for program in programs])


def left_by(domains: Sequence[Any]) -> Cause | None:
    """What it says that a domain is left, of how far inside of it the arguments are."""
    if any(ball < 0 for ball in domains):
        return Cause.OUTSIDE_DOMAIN
    return Cause.POLE if any(ball.is_zero() for ball in domains) else None


def _argument_text(ball: Any) -> str:
    return str(ball) if isinstance(ball, bool) or ball is None else ball_text(ball, 6)
