"""The reference: value and gradient in balls, precision doubled until they are certified."""

from __future__ import annotations

from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeAlias

from gradcheck_cli.calculus.gradient import GradientProgram, Kink, gradient_program, scalar_inputs
from gradcheck_cli.calculus.reverse import formula
from gradcheck_cli.functions import lookup
from gradcheck_cli.functions.arithmetic import OFF
from gradcheck_cli.language.program import Call, Program
from gradcheck_cli.witnesses import Abstention
from gradcheck_cli.worlds import balls
from gradcheck_cli.worlds.scalars import TooLarge

if TYPE_CHECKING:
    from gradcheck_cli.questions.question import Case

FIRST_BITS, LAST_BITS = 96, 32_768
# A partial is certified when it has this many bits, or lies below 2**-1076, half the smallest
# float64.
WANTED_BITS, NEGLIGIBLE = 70, -1076
# A sign that is undecided at this precision is taken as touching zero, and shown as such.
SIGN_BITS = 1_024
# 96 bits take milliseconds; a cascade to 32,768 bits on a large program must end all the same.
REFERENCE_LIMIT = 5.0


@dataclass(frozen=True)
class Certified:
    """A ball that provably holds the true value, and the precision that sufficed."""

    ball: balls.Ball
    bits: int


@dataclass(frozen=True)
class Touching:
    """A piecewise operation sits on its boundary, as far as `SIGN_BITS` bits can tell, so no
    derivative is proved.

    Attributes:
        node: the operation, an index in the user's program; `function` the primitive it comes down
            to.
        jumps: the value itself may jump there.
    """

    node: int
    function: str
    jumps: bool
    exact: bool  # the argument is exactly zero, so more precision would change nothing


@dataclass(frozen=True)
class Undefined:
    """The function, or its derivative, has no finite value at the point."""

    reason: str
    of_value: bool


Answer: TypeAlias = "Certified | Touching | Undefined | Abstention"


@dataclass(frozen=True)
class Reference:
    """What is proved: the program's value (one answer an element, row-major) and every partial
    asked for.

    Attributes:
        values: balls of the scalar nodes at the last precision, for those who explain.
    """

    forward: tuple[Answer, ...]
    partials: tuple[Answer, ...]
    values: list[Any] = field(default_factory=list, repr=False)
    bits: int = FIRST_BITS


def reference(case: Case, time_limit: float = REFERENCE_LIMIT) -> Reference | Abstention:
    """The certified value and gradient of a case, or why there is none."""
    try:
        return _certify(case, monotonic() + time_limit)
    except TooLarge as error:
        return Abstention(f"no certified reference: {error}")


def _certify(case: Case, deadline: float) -> Reference | Abstention:
    program = gradient_program(case)
    if isinstance(program, TooLarge):
        raise program
    inputs = scalar_inputs(case)
    bits, found = FIRST_BITS, None
    while bits <= LAST_BITS:
        try:
            values = program.machine.run(inputs, bits, case.dtype.round, deadline)
        except balls.OutOfTime:
            break
        found = _kept(found, _read(case, program, values, bits))
        if all(_settled(answer, bits) for answer in (*found.forward, *found.partials)):
            break
        bits *= 2
    return found or Abstention("no certified reference in the time allowed")


def _kept(old: Reference | None, new: Reference) -> Reference:
    """What was certified at a lower precision stays as it was."""
    if old is None:
        return new
    forward = tuple(
        a if isinstance(a, Certified) else b for a, b in zip(old.forward, new.forward, strict=True)
    )
    partials = tuple(
        a if isinstance(a, Certified) else b
        for a, b in zip(old.partials, new.partials, strict=True)
    )
    return Reference(forward, partials, new.values, new.bits)


def _settled(answer: Answer, bits: int) -> bool:
    """Whether more precision would change nothing."""
    if isinstance(answer, Touching):
        return answer.exact or bits >= SIGN_BITS
    if isinstance(answer, Undefined):
        return answer.of_value or bits >= SIGN_BITS
    return isinstance(answer, Certified)


def _read(case: Case, program: GradientProgram, values: list[Any], bits: int) -> Reference:
    troubles = {
        i: _trouble(case, program, values, i)
        for i in program.outputs
        if not balls.plain(values[i]).is_finite()
    }
    forward = tuple(
        troubles[i] if i in troubles else _forward(balls.plain(values[i]), bits)
        for i in program.outputs
    )
    touching = _touching(program, values)
    found: list[Answer] = []
    for k, node in enumerate(program.gradient):
        # A partial shares the trouble of every element of the value that depends on its input.
        trouble = next(
            (answer for i, answer in troubles.items() if program.dependence[i] >> k & 1), None
        )
        found.append(trouble or _partial(program, k, node, values, bits, touching))
    return Reference(forward, tuple(found), values, bits)


def _forward(ball: Any, bits: int) -> Answer:
    return (
        Certified(ball, bits)
        if is_certified(ball)
        else Abstention("the value could not be enclosed")
    )


def is_certified(ball: Any) -> bool:
    """Whether a ball is narrow enough to settle every dtype."""
    if not ball.is_finite():
        return False
    if ball.rel_accuracy_bits() >= WANTED_BITS or ball.is_zero():
        return True
    mantissa, exponent = ball.abs_upper().man_exp()
    return int(mantissa).bit_length() + int(exponent) < NEGLIGIBLE


def _partial(
    program: GradientProgram,
    k: int,
    node: int | None,
    values: list[Any],
    bits: int,
    touching: list[Kink],
) -> Answer:
    on_path = [kink for kink in touching if program.dependence[kink.node] >> k & 1]
    jump = next((kink for kink in on_path if kink.jumps), None)
    ball = balls.plain(values[node]) if node is not None else balls.plain(OFF)
    if jump is None and is_certified(ball):
        return Certified(ball, bits)
    if on_path:
        kink = jump or on_path[0]
        owner = program.program.nodes[kink.node]
        assert isinstance(owner, Call)
        origin = program.unrolled.expansion.origin  # type: ignore[union-attr]  # an Expansion, else nothing was built
        return Touching(
            origin[kink.node], owner.function, kink.jumps, bool(values[kink.expression].is_zero())
        )
    if not ball.is_finite():
        return Undefined("the derivative has no finite enclosure here", of_value=False)
    return Abstention(f"the derivative could not be enclosed tightly with {bits} bits")


def _touching(program: GradientProgram, values: list[Any]) -> list[Kink]:
    """Kinks whose argument is not proved to be away from zero, and whose node has a part in the
    result.

    A branch not taken has none. Nor has a continuous piece whose adjoint is exactly zero: its slope
    is bounded, so the product vanishes whatever the slope.
    """
    found = []
    for kink in program.kinks:
        argument = values[kink.expression]
        if argument > 0 or argument < 0:
            continue
        adjoint: Any = values[program.adjoint[kink.node]] if kink.node in program.adjoint else OFF
        if adjoint is OFF or (not kink.jumps and adjoint.is_zero()):
            continue
        found.append(kink)
    return found


def _trouble(
    case: Case, program: GradientProgram, values: list[Any], output: int
) -> Undefined | Abstention:
    """Why an element of the value is not finite: the first node that fails, and whether its domain
    is proved to be left.
    """
    needed = _needed(program.program, output)
    origin = program.unrolled.expansion.origin  # type: ignore[union-attr]  # an Expansion, else nothing was built
    for i in range(output + 1):
        value, node = values[i], program.program.nodes[i]
        if (
            i not in needed
            or not isinstance(node, Call)
            or not hasattr(value, "is_finite")
            or value.is_finite()
        ):
            continue
        place = f"`{case.program.source(origin[i])}` has no finite value: {node.function}({', '.join(_shown(values[j]) for j in node.args)})"
        return (
            Undefined(place, of_value=True)
            if _outside(node, values)
            else Abstention(f"no finite enclosure: {place}")
        )
    return Abstention("the value has no finite enclosure at this point")


def _needed(program: Program, output: int) -> set[int]:
    found = {output}
    for i in range(output, -1, -1):
        node = program.nodes[i]
        if i in found and isinstance(node, Call):
            found.update(node.args)
    return found


def _outside(node: Call, values: list[Any]) -> bool:
    """Whether a domain expression of the function is proved to be negative, or zero."""
    row = lookup(node.function)
    bound = dict(zip(row.parsed.names, (values[j] for j in node.args), strict=True))
    domains = (
        balls.balls_of(program, bound)[program.result] for program in map(formula, row.domain)
    )
    return any(ball < 0 or ball.is_zero() for ball in domains)


def _shown(ball: Any) -> str:
    return str(ball) if isinstance(ball, bool) or ball is None else ball.str(6, radius=False)
