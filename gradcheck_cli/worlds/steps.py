"""The steps of a scalar program, as running error analysis follows them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache
from math import frexp
from typing import TYPE_CHECKING

from gradcheck_cli.calculus.folding import exact
from gradcheck_cli.calculus.formulas import formula, meaning
from gradcheck_cli.calculus.reverse import slope_of
from gradcheck_cli.functions import lookup
from gradcheck_cli.language.program import Builder, Call, CallSettings, Number, Program

if TYPE_CHECKING:
    from collections.abc import Sequence
    from fractions import Fraction

    from gradcheck_cli.functions.row import Function
    from gradcheck_cli.language.program import Node


@dataclass(frozen=True)
class LocalFormula:
    """A formula over the arguments of a step: `uses` has their positions and names."""

    program: Program
    uses: tuple[tuple[int, str], ...]


@dataclass(frozen=True)
class Step:
    """A call as it is followed.

    Attributes:
        slopes: the partials that are not identically 0, by the position of their argument.
        rounds: (c, m) as in a row; None where the result is exact.
        border: of a comparison, the expression that is 0 where it changes.
        itself: the call, where its value may jump.
        choices: positions of the arguments that are conditions.
        is_pieced: its slopes are choices between smooth pieces: where it turns, the ends tell it.
        is_chained: it is a step of a sum that may be added up in any order.
    """

    node: Call
    row: Function
    slopes: tuple[tuple[int, LocalFormula], ...]
    rounds: tuple[int, int] | None
    border: LocalFormula | None
    itself: LocalFormula | None
    choices: tuple[int, ...]
    is_pieced: bool
    is_chained: bool

    @property
    def is_sum(self) -> bool:
        """Whether it adds or subtracts; that does not underflow."""
        return self.row.operator in ("+", "-")

    @property
    def adds(self) -> bool:
        """Whether it adds."""
        return self.row.operator == "+"


def step_of(nodes: Sequence[Node], node: Call, is_chained: bool) -> Step:
    row = lookup(node.function)
    known = tuple(_exact(nodes[j]) for j in node.args)
    factors = {"*": known, "/": known[1:]}.get(row.operator, ())
    is_exact = row.condition or any(f and abs(frexp(f)[0]) == 0.5 for f in factors)
    names = row.parsed.names[: len(known)]
    whole = tuple(enumerate(names))
    choices = tuple(p for p, a in enumerate(row.parsed.args[: len(known)]) if a.kind == "condition")
    border = itself = None
    if row.condition and row.kinks:
        border = LocalFormula(formula(row.kinks[0]), whole)
    parts = [row] if row.kind == "primitive" else _parts(node.function, node.settings)
    kinks, jumps = any(part.kinks for part in parts), any(part.jumps for part in parts)
    if jumps and not row.condition:
        builder = Builder()
        call = builder.call(
            node.function, *(builder.variable(name) for name in names), settings=node.settings
        )
        itself = LocalFormula(builder.program(call), whole)
    return Step(
        node,
        row,
        () if row.condition else _slopes(node.function, node.settings, known),
        row.rounds if any(row.rounds) and not is_exact else None,
        border,
        itself,
        choices,
        bool(choices) or (kinks and not jumps),
        is_chained,
    )


@cache
def _parts(function: str, settings: CallSettings) -> list[Function]:
    """The primitives that a derived function is made of."""
    nodes = meaning(function, settings).nodes
    return [lookup(node.function) for node in nodes if isinstance(node, Call)]


@lru_cache(maxsize=4096)
def _slopes(
    function: str, settings: CallSettings, known: tuple[Fraction | None, ...]
) -> tuple[tuple[int, LocalFormula], ...]:
    """The partials that are not identically zero, with exact constants folded."""
    builder, row = Builder(), lookup(function)
    names = row.parsed.names[: len(known)]
    args = [
        builder.variable(name) if value is None else builder.number(value)
        for name, value in zip(names, known, strict=True)
    ]
    found = []
    for position, parameter in enumerate(row.parsed.args[: len(known)]):
        if known[position] is None and not parameter.kind:
            slope = slope_of(builder, Call(function, tuple(args), settings), position)
            if slope is not None:
                program = builder.program(slope)
                used = {getattr(node, "name", None) for node in program.nodes}
                uses = tuple((p, name) for p, name in enumerate(names) if name in used)
                found.append((position, LocalFormula(program, uses)))
    return tuple(found)


def _exact(node: Node) -> Fraction | None:
    """The value of a literal that no dtype rounds."""
    builder = Builder()
    return exact(builder, builder.add(node)) if isinstance(node, Number) else None
