"""How far rounding takes every node of a trace, for one set of values: one pass forwards.

    B_i = e_i + sum_j |d_ij| B_j

with e_i the error that node i makes itself, as in `judge.graph`, and d_ij its slope by argument j.
Paths add up in size and never cancel: torch may take one of two paths only.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from flint import ctx

from gradcheck_cli.functions.arithmetic import OFF
from gradcheck_cli.judge.graph import units

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gradcheck_cli.dtypes import DType
    from gradcheck_cli.judge.graph import Graph


@dataclass(eq=False)
class Spread:
    """Values of a graph's nodes as balls, and what rounding does to them.

    Attributes:
        errors: what each node rounds itself, None where it makes no error.
        bits: the precision of it all.
        origin: for each node that of the user's program that it is of; `moves` says which of those
            depend on an input.
        eliminated: groups of nodes that one elimination perturbs together.
    """

    graph: Graph
    values: Sequence[Any]
    errors: Sequence[Any]
    dtype: DType
    bits: int
    origin: Sequence[int]
    moves: Sequence[bool]
    eliminated: Sequence[Sequence[int]]

    @cached_property
    def totals(self) -> list[Any]:
        """For every node how far all rounding before it moves it; None where nothing does."""
        edges, values, found = self.graph.edges, self.values, list(self.errors)
        with ctx.workprec(self.bits):
            for i, size in self.together():
                found[i] = size if found[i] is None else found[i] + size
            for i in self.graph.calls:
                for j, slope in edges[i]:
                    factor = values[slope]
                    if found[j] is not None and factor is not OFF:
                        part = abs(factor) * found[j]
                        found[i] = part if found[i] is None else found[i] + part
        return found

    @cached_property
    def leaders(self) -> list[int | None]:
        """For every node the node of the user's program that most of its total comes from; where
        no total is finite the one that makes it so.
        """
        edges, values, most = (
            self.graph.edges,
            self.values,
            [self._own(e, i) for i, e in enumerate(self.errors)],
        )
        found = [None if size is None else self.origin[i] for i, size in enumerate(most)]
        with ctx.workprec(self.bits):
            for i in self.graph.calls:
                for j, slope in edges[i]:
                    factor = values[slope]
                    if most[j] is None or factor is OFF:
                        continue
                    if most[i] is not None and not most[i].is_finite():
                        break
                    part = abs(factor) * most[j]
                    if most[i] is not None and found[j] == found[i]:
                        most[i] += part
                    elif most[i] is None or not part <= most[i]:
                        most[i], found[i] = part, found[j]
                    if not part.is_finite() and most[j].is_finite():
                        found[i] = self.origin[i]
        return found

    def _own(self, error: Any, index: int) -> Any:
        """A node's error as far as it may lead: constants do only where they have no bound."""
        leads = error is None or self.moves[self.origin[index]] or not error.is_finite()
        return error if leads else None

    def together(self) -> list[tuple[int, Any]]:
        """What eliminations add to the errors of their nodes."""
        found, unit = [], units(self.dtype)[0]
        for group in self.eliminated:
            size = max((abs(self.values[i]).upper() for i in group), key=float) * len(group)
            found += [(i, unit * size) for i in group]
        return found
