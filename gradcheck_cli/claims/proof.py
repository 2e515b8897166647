"""Whether a claim is the derivative for all inputs."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from gradcheck_cli.claims.verdict import ClaimVerdict
from gradcheck_cli.language.program import Variable
from gradcheck_cli.worlds.identity import identity

if TYPE_CHECKING:
    from collections.abc import Collection

    from gradcheck_cli.claims.pair import Rivals
    from gradcheck_cli.language.claiming import Statement

# Of the random points of an identity test.
_SEED = 0


def proof_of(
    line: Statement, pair: Rivals, points: int, fixed: Collection[str] = ()
) -> ClaimVerdict:
    """The verdict on a claim that no point refutes.

    Args:
        points: how many were tried.
        fixed: scalars that keep the numbers given; the claim is tested for those alone.
    """
    builder = pair.board.builder
    gaps = [builder.call("sub", *sides) for sides in pair.elements if sides[0] != sides[1]]
    program = builder.program(*gaps)
    if fixed:
        held = {
            name: builder.number(Fraction(pair.given[name]))
            for name in program.variables
            if name in fixed
        }
        free = {n: builder.variable(n) for n in program.variables if n not in held}
        program = builder.program(*builder.include(program, held | free))
    given = {n.name: pair.given[n.name] for n in program.nodes if isinstance(n, Variable)}
    found = identity(program, program.outputs, given, _SEED)
    if not found.holds:
        return ClaimVerdict(line, "not_refuted", "point", points)
    return ClaimVerdict(
        line, "proved", "identity", points, found.error_probability, branch=found.branch
    )
