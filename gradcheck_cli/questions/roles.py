"""Inputs by the places where they stand: those that hold integers, and those that torch does not
differentiate by.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from gradcheck_cli.functions import lookup
from gradcheck_cli.language.program import Call, Program, Variable

if TYPE_CHECKING:
    from collections.abc import Iterator


def held_inputs(program: Program) -> frozenset[str]:
    """Inputs that stand only where torch has no derivative: they are differentiated when named."""
    if not any(_calls_taking(program, "held")):
        return frozenset()
    held, others = set[int](), set(program.outputs)
    for node in program.nodes:
        kinds = (
            [p.kind for p in lookup(node.function).parsed.args] if isinstance(node, Call) else []
        )
        for position, i in enumerate(node.args if isinstance(node, Call) else ()):
            is_held = kinds[position : position + 1] == ["held"]
            (held if is_held else others).add(i)
    nodes = (program.nodes[i] for i in held - others)
    return frozenset(node.name for node in nodes if isinstance(node, Variable))


def index_inputs(program: Program) -> frozenset[str]:
    """Inputs that hold integers (class indices): they are not differentiated."""
    inputs = set()
    for node in _calls_taking(program, "index"):
        for parameter, i in zip(lookup(node.function).parsed.args, node.args, strict=False):
            inner = program.nodes[i]
            if parameter.kind == "index" and isinstance(inner, Variable):
                inputs.add(inner.name)
    return frozenset(inputs)


def _calls_taking(program: Program, kind: str) -> Iterator[Call]:
    """The calls that have an argument of a kind."""
    for node in program.nodes:
        if isinstance(node, Call) and _takes(node.function, kind):
            yield node


@cache
def _takes(function: str, kind: str) -> bool:
    return any(parameter.kind == kind for parameter in lookup(function).parsed.args)
