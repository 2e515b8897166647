"""The same numbers seen once: `p e / (q + e)` of an exponential e as `p / (1 + q / e)`.

An enclosure over a wide interval takes the two e for independent numbers: the quotient may then be
anything, where it is all but constant.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradcheck_cli.functions import lookup
from gradcheck_cli.language.program import Builder, Call, Program

if TYPE_CHECKING:
    from collections.abc import Sequence

_EXP = "exp"
# Products and quotients are looked through so deep.
_DEPTH = 6


def decoupled(program: Program) -> tuple[Program, list[int]]:
    """The program, and for each node of the old one the node that has its value."""
    builder, places = Builder(), list[int]()
    for node in program.nodes:
        if not isinstance(node, Call):
            places.append(builder.add(node))
            continue
        args = tuple(places[j] for j in node.args)
        place = builder.add(Call(node.function, args, node.settings))
        is_product = lookup(node.function).operator in ("*", "/")
        places.append(_rewritten(builder, place) if is_product else place)
    return Program(tuple(builder.nodes), tuple(places[i] for i in program.outputs)), places


def _rewritten(builder: Builder, place: int) -> int:
    above, below = _factors(builder, place, _DEPTH)
    for power in above:
        if not _is(builder, power, _EXP):
            continue
        for sum_ in below:
            other = _other_term(builder, sum_, power)
            if other is not None:
                above.remove(power)
                below.remove(sum_)
                inverse = builder.call(_EXP, builder.call("neg", _args(builder, power)[0]))
                one = builder.number(1)
                whole = builder.call("add", one, builder.call("mul", other, inverse))
                return _product(builder, builder.call("div", one, whole), above, below)
    return place


def _product(builder: Builder, start: int, above: Sequence[int], below: Sequence[int]) -> int:
    for factor in above:
        start = builder.call("mul", start, factor)
    for factor in below:
        start = builder.call("div", start, factor)
    return start


def _factors(builder: Builder, place: int, depth: int) -> tuple[list[int], list[int]]:
    """Numerator and denominator of a tree of products and quotients."""
    node = builder.nodes[place]
    operator = lookup(node.function).operator if isinstance(node, Call) else ""
    if not isinstance(node, Call) or not depth or operator not in ("*", "/"):
        return [place], []
    (above, below), (over, under) = (_factors(builder, j, depth - 1) for j in node.args)
    if operator == "*":
        return above + over, below + under
    return above + under, below + over


def _other_term(builder: Builder, place: int, term: int) -> int | None:
    """What a sum adds to a term of it; None where it is no such sum."""
    node = builder.nodes[place]
    if not isinstance(node, Call) or lookup(node.function).operator != "+":
        return None
    first, second = node.args
    if first == second or term not in node.args:
        return None
    return second if first == term else first


def _is(builder: Builder, place: int, function: str) -> bool:
    node = builder.nodes[place]
    return isinstance(node, Call) and node.function == function


def _args(builder: Builder, place: int) -> tuple[int, ...]:
    node = builder.nodes[place]
    assert isinstance(node, Call)
    return node.args
