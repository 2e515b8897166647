"""Cuts that are meant: a function such as `stop_gradient` hands its value on and says that the
gradient is not to follow. The gradient that is checked is the stated one, with what is stopped held
at its value.
"""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING

from gradcheck_cli.calculus.formulas import is_elementwise, meaning
from gradcheck_cli.functions import lookup
from gradcheck_cli.functions.row import CallError
from gradcheck_cli.language.parse import parse
from gradcheck_cli.language.program import Builder, Call, Copying, Program, Variable, fold, reach

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from gradcheck_cli.language.program import CallSettings, Node


@cache
def stopped(function: str, settings: CallSettings = ()) -> frozenset[int]:
    """The positions of the arguments whose value a function hands on and never their gradient,
    because it is stopped; none of a function without such a cut.
    """
    row = lookup(function)
    if row.stops:
        return frozenset(range(len(row.parsed.args)))
    if row.kind != "derived" or not is_elementwise(function, settings):
        return frozenset()
    program = meaning(function, settings)
    if not has_stops(program.nodes):
        return frozenset()
    carried = (program.nodes[i] for i in carriers(program.nodes, program.outputs))
    names = {node.name for node in carried if isinstance(node, Variable)}
    return frozenset(k for k, name in enumerate(row.parsed.names) if name not in names)


def has_stops(nodes: Iterable[Node]) -> bool:
    """Whether some call stops a gradient, of an argument or somewhere inside."""
    calls = {(node.function, node.settings) for node in nodes if isinstance(node, Call)}
    return any(_stops_inside(*call) for call in calls)


@cache
def _stops_inside(function: str, settings: CallSettings) -> bool:
    row = lookup(function)
    if row.kind != "derived":
        return row.stops
    try:
        return has_stops(parse(row.meaning(row.bound(dict(settings)))).nodes)
    except CallError:  # told where the shapes are known
        return False


def carriers(nodes: Sequence[Node], outputs: Iterable[int]) -> set[int]:
    """The nodes that some outputs rest on, and not only through what is stopped."""
    needed = set(outputs)
    for i in range(max(needed, default=-1), -1, -1):
        node = nodes[i]
        if i in needed and isinstance(node, Call):
            ends = stopped(node.function, node.settings)
            needed.update(j for k, j in enumerate(node.args) if k not in ends)
    return needed


def carried(program: Program, seeds: Mapping[str, int]) -> list[int]:
    """As `reach`, where nothing reaches past what is stopped."""
    if not has_stops(program.nodes):
        return reach(program, seeds)
    bits: list[int] = []
    for node in program.nodes:
        mask = seeds.get(node.name, 0) if isinstance(node, Variable) else 0
        if isinstance(node, Call):
            ends = stopped(node.function, node.settings)
            for k, j in enumerate(node.args):
                mask |= 0 if k in ends else bits[j]
        bits.append(mask)
    return bits


def with_stops_apart(program: Program) -> Program:
    """`program` with the meanings of the functions that stop the gradient of one argument written
    out, so that each stop is a call of its own.
    """
    builder = Builder()
    values = fold(program, _Apart(builder), {})
    return Program(tuple(builder.nodes), tuple(values[i] for i in program.outputs))


class _Apart(Copying):
    """Calls with a stop inside become what they mean, to the stop."""

    def call(self, node: Call, args: list[int]) -> int:
        row = lookup(node.function)
        if row.stops or not _stops_inside(node.function, node.settings):
            return super().call(node, args)
        settings = row.bound(dict(node.settings))
        bound = dict(zip(row.parsed.names, args, strict=True))
        for name, value in row.numbers(settings).items():
            bound[name] = self.builder.number(value, decimal=isinstance(value, Fraction))
        inside = parse(row.meaning(settings))
        return fold(inside, self, bound)[inside.result]
