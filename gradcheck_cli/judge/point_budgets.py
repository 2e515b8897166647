"""Rounding budgets of many points at once: `judge.spread`'s pass forwards over arrays, each number
between two floats.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gradcheck_cli.functions import lookup
from gradcheck_cli.judge.graph import holds
from gradcheck_cli.language.program import Call, Number, Program, fold, prune
from gradcheck_cli.worlds.balls import literal_ball
from gradcheck_cli.worlds.bulk import Bulk
from gradcheck_cli.worlds.enclosures import Enclosure, NoBound, Verity, float64_tensors

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gradcheck_cli.dtypes import DType
    from gradcheck_cli.judge.graph import Graph
    from gradcheck_cli.judge.rounding import Rounding
    from gradcheck_cli.worlds.tensors import Tensor

# Room for bounds that are themselves computed in float64.
_ROOM = 2.0**-30
_SPLIT = 2.0**27 + 1


def budgets_at(
    rounding: Rounding, partial: int, columns: Mapping[str, Tensor], dtype: DType
) -> tuple[Tensor, Tensor]:
    """For each point a number that the budget of a partial does not lie below, and one that it does
    not lie above; 0 and infinity where nothing is known.

    Args:
        columns: every input in float64, numbers that the dtype holds.
    """
    import torch

    trace, like = rounding.gradient, next(iter(columns.values()))
    node = trace.partials[partial]
    nothing = torch.zeros_like(like), torch.full_like(like, float("inf"))
    if node < 0:
        return nothing[0], nothing[0]
    if trace.eliminated:
        return nothing
    way = sorted(trace.upstream(node))
    world = Bulk(float64_tensors(), dtype.round)
    try:
        values = _values(trace.graph, way, world, columns)
    except NoBound:
        return nothing
    walk = _Walk(trace.graph, values, like, dtype)
    low, high = walk.totals(way)
    low, high = low * (1 - _ROOM), high * (1 + _ROOM)
    return low.nan_to_num(0.0, 0.0).clamp(min=0.0), high.nan_to_num(float("inf"), float("inf"))


def _values(
    graph: Graph, way: Sequence[int], world: Bulk, columns: Mapping[str, Tensor]
) -> dict[int, Any]:
    """The values of some nodes, and of the slopes on their edges."""
    wanted = {*way}
    for i in way:
        wanted.update(slope for _, slope in graph.edges[i])
        how = graph.rounds[i]
        if how is not None and how.m and how.effect >= 0:
            wanted.add(how.effect)
    places = sorted(wanted)
    program = prune(Program(graph.whole.nodes, tuple(places)))
    inputs = {name: Enclosure(column) for name, column in columns.items()}
    found = fold(program, world, inputs)
    return {place: found[i] for place, i in zip(places, program.outputs, strict=True)}


@dataclass
class _Walk:
    """The nodes of a graph, one after the other.

    Attributes:
        values: of the nodes on the way, of slopes and of effects.
        held: for each node where the dtype holds its value exactly.
        sums: of steps of sums in any order the sizes added so far, least and most.
    """

    graph: Graph
    values: Mapping[int, Any]
    like: Tensor
    dtype: DType
    held: dict[int, Tensor] = field(default_factory=dict)
    sums: dict[int, tuple[Tensor, Tensor]] = field(default_factory=dict)

    def totals(self, way: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Between what bounds the budget of a node lies.

        Args:
            way: the nodes that it rests on, itself the last.
        """
        import torch

        graph, nothing = self.graph, torch.zeros_like(self.like)
        found: dict[int, tuple[Tensor, Tensor]] = dict.fromkeys(way, (nothing, nothing))
        everywhere = torch.ones_like(self.like, dtype=torch.bool)
        for i in way:
            node = graph.nodes[i]
            if isinstance(node, Number):
                is_held = holds(literal_ball(node, self.dtype.round), self.dtype)
                self.held[i] = everywhere if is_held else ~everywhere
            elif not isinstance(node, Call):
                self.held[i] = everywhere
            else:
                low, high = self._own(i)
                for j, slope in graph.edges[i]:
                    least, most = self._sizes(slope)
                    low = low + least * found[j][0]
                    high = high + (most * found[j][1]).masked_fill(found[j][1] == 0, 0.0)
                found[i] = low, high
        return found[way[-1]]

    def _sizes(self, i: int) -> tuple[Tensor, Tensor]:
        """|value| of a node, least and most; 0 where it is a structural zero."""
        held = self.values[i]
        if isinstance(held, Verity):
            return self.like * 0, self.like * 0 + 1
        size = abs(held.value).expand(self.like.shape)
        if held.radius is None:
            low = high = size
        else:
            low, high = (size - held.radius).clamp(min=0), size + held.radius
        if held.off is None:
            return low, high
        return low.masked_fill(held.off, 0.0), high.masked_fill(held.off, 0.0)

    def _own(self, i: int) -> tuple[Tensor, Tensor]:
        """The rounding of a call, least and most."""
        graph, node, how = self.graph, self.graph.nodes[i], self.graph.rounds[i]
        assert isinstance(node, Call)
        exact = self._args_held(i)
        nothing = self.like * 0
        if how is None or isinstance(self.values[i], Verity):
            self.held[i] = exact
            return nothing, nothing
        low, high = self._sizes(i)
        sizes = (how.c * low, how.c * high)
        if how.chained:
            terms = [self.sums.get(j) or self._sizes(j) for j in graph.args[i]]
            sizes = self.sums[i] = tuple(a + b for a, b in zip(*terms, strict=True))
        if how.m:
            least, most = self._sizes(how.effect) if how.effect >= 0 else (nothing, nothing)
            sizes = (sizes[0] + how.m * least, sizes[1] + how.m * most)
        unit, tiny = self.dtype.unit_roundoff, float(self.dtype.smallest) / 2
        error = (unit * sizes[0] + tiny, unit * sizes[1] + tiny)
        sure = self._is_exact(node, i) if how.correct else (high == 0) & (how.m == 0)
        maybe = (low == 0) & (how.m == 0) if not how.correct else sure
        free = exact & sure & ~(exact & how.chained)
        self.held[i] = free
        infinite = high == float("inf")
        least_error = error[0].masked_fill(exact & maybe, 0.0).masked_fill(infinite, 0.0)
        return least_error, error[1].masked_fill(free, 0.0)

    def _args_held(self, i: int) -> Tensor:
        held = _torch().ones_like(self.like, dtype=_torch().bool)
        for j in self.graph.args[i]:
            held = held & self.held[j]
        return held

    def _is_exact(self, node: Call, i: int) -> Tensor:
        """Where the dtype holds the exact sum, difference, product or quotient of two numbers."""
        first, *more = (self.values[j].value + 0 * self.like for j in node.args)
        value = self.values[i].value + 0 * self.like
        rounded = value.to(getattr(_torch(), self.dtype.name)).to(value.dtype)
        is_held = rounded == value
        operator = lookup(node.function).operator
        if not more:
            return is_held
        (second,) = more
        if operator in ("+", "-"):
            second = second if operator == "+" else -second
            back = value - first
            rest = (first - (value - back)) + (second - back)
            return is_held & (rest == 0)
        if operator == "*":
            return is_held & (_product_rest(first, second, value) == 0)
        product = value * second
        return is_held & (product == first) & (_product_rest(value, second, product) == 0)


def _product_rest(a: Tensor, b: Tensor, product: Tensor) -> Tensor:
    """What a product of float64 lacks, by halves of its factors; NaN where they overflow.

    Source: Dekker 1971.
    """
    high, up = a * _SPLIT, b * _SPLIT
    high, up = high - (high - a), up - (up - b)
    low, down = a - high, b - up
    return ((high * up - product) + high * down + low * up) + low * down


def _torch() -> Any:
    import torch

    return torch
