"""Kinks of a scalar program: where its nodes may fail to be C1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gradcheck_cli.calculus.formulas import conditions, formula, lower
from gradcheck_cli.functions import lookup
from gradcheck_cli.language.program import Builder, Call, Variable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gradcheck_cli.language.program import Node


@dataclass(frozen=True)
class Kink:
    """A place where a node may fail to be C1: its argument expression vanishes there."""

    node: int
    expression: int
    jumps: bool


def kinks(builder: Builder, nodes: int, wrt: frozenset[str]) -> list[Kink]:
    """Kink expressions of the first `nodes` nodes that depend on `wrt`, added to `builder`.

    A comparison passes its kinks on to every `where` that it decides.
    """
    depends = _depends(builder.nodes[:nodes], wrt)
    places: list[Kink] = []
    for i in range(nodes):
        node = builder.nodes[i]
        if not isinstance(node, Call) or not depends[i]:
            continue
        row = lookup(node.function)
        if row.condition or not (row.kinks or conditions(node.function)):
            continue
        for text in row.kinks:
            bound = dict(zip(row.parsed.names, node.args, strict=True))
            places.append(Kink(i, lower(builder, formula(text), bound)[0], row.jumps))
        for parameter, j in zip(row.parsed.args, node.args, strict=False):
            if parameter.kind == "condition" and depends[j]:
                places += [Kink(i, boundary, True) for boundary in _boundaries(builder, j)]
    return [kink for kink in places if not _is_nothing(builder, kink.expression)]


def _is_nothing(builder: Builder, expression: int) -> bool:
    """Whether an expression is a node less itself: what is 0 everywhere has no boundary."""
    node = builder.nodes[expression]
    if not isinstance(node, Call) or len(node.args) != 2:
        return False
    return lookup(node.function).operator == "-" and node.args[0] == node.args[1]


def _depends(nodes: Sequence[Node], wrt: frozenset[str]) -> list[bool]:
    depends: list[bool] = []
    for node in nodes:
        if isinstance(node, Call):
            held = lookup(node.function).stops
            depends.append(not held and True in [depends[i] for i in node.args])
        else:
            depends.append(isinstance(node, Variable) and node.name in wrt)
    return depends


def _boundaries(builder: Builder, condition: int) -> list[int]:
    """For every comparison under a condition, the expression that is zero where it changes."""
    boundaries: list[int] = []
    stack = [condition]
    while stack:
        node = builder.nodes[stack.pop()]
        if isinstance(node, Call) and lookup(node.function).condition:
            row = lookup(node.function)
            names = dict(zip(row.parsed.names, node.args, strict=True))
            boundaries += [lower(builder, formula(text), names)[0] for text in row.kinks]
            if not row.kinks:
                stack.extend(node.args)
    return boundaries
