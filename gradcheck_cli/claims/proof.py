"""Whether a claim is the derivative for all inputs."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from gradcheck_cli.claims.verdict import ClaimVerdict
from gradcheck_cli.functions import lookup
from gradcheck_cli.language.program import Builder, Call, Variable, with_args
from gradcheck_cli.worlds.balls import Machine
from gradcheck_cli.worlds.identity import Identity, identity

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from gradcheck_cli.claims.rivals import Rivals
    from gradcheck_cli.language.claiming import Statement
    from gradcheck_cli.language.program import Program

# Of the random points of an identity test.
_SEED = 0
# Of the values of piecewise functions, of which any will do.
_BITS = 96


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
    found = _anywhere(program, given)
    if not found.holds:
        found = identity(program, program.outputs, given, _SEED)
    if not found.holds:
        return ClaimVerdict(line, "not_refuted", "point", points)
    return ClaimVerdict(
        line, "proved", "identity", points, found.error_probability, branch=found.branch
    )


def _anywhere(program: Program, given: Mapping[str, float]) -> Identity:
    """The identity with an input of its own in the place of every call that is no arithmetic:
    where it holds whatever these come to, nothing of them was used. So it is of the chain rule over
    a root, and of the largest logit that softmax takes off: no branch is followed.
    """
    builder, where, free = Builder(), list[int](), dict(given)
    values = Machine(program).run(given, _BITS, lambda value: value)
    for i, node in enumerate(program.nodes):
        if isinstance(node, Call) and _is_opaque(node) and values[i].is_finite():
            name = f"step {i}"
            free[name] = float(values[i].mid())
            where.append(builder.variable(name))
        else:
            where.append(builder.add(with_args(node, where)))
    freed = builder.program(*(where[i] for i in program.outputs))
    known = {name: free[name] for name in freed.variables}
    return identity(freed, freed.outputs, known, _SEED)


def _is_opaque(node: Call) -> bool:
    row = lookup(node.function)
    chooses = any(parameter.kind == "condition" for parameter in row.parsed.args)
    return not (row.condition or row.operator or chooses)
