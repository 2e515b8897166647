"""Where something changes along an input: a sign, a branch, a domain that ends, a number that
becomes infinite or 0. Found by bisection down to neighbours of the dtype.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gradcheck_cli.calculus.formulas import formula, lower
from gradcheck_cli.functions import lookup
from gradcheck_cli.language.program import Builder, Call, Number, Program, steps
from gradcheck_cli.witnesses import TORCH_ERRORS
from gradcheck_cli.witnesses.autograd import run_once
from gradcheck_cli.worlds.scalars import TooLarge, expand
from gradcheck_cli.worlds.tensors import Tensors

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from fractions import Fraction

    from gradcheck_cli.functions.row import Function
    from gradcheck_cli.hunting.space import Places, Space
    from gradcheck_cli.language.program import CallSettings

# Changes of one thing that are followed on one line, and of everything.
_OF_ONE, _OF_ALL = 12, 1_024
# What a number is: its sign, 2 of an infinity, 3 of NaN; 0 and 1 of a comparison.
_NAN = 3


class Edge(NamedTuple):
    """Two neighbours between which something changes.

    Attributes:
        rank: 0 for a kink, the end of a domain or a threshold, 1 for what torch computes in the
            dtype, 2 for the sign of another step.
    """

    rank: int
    below: tuple[int, ...]
    above: tuple[int, ...]


@dataclass(frozen=True)
class Edges:
    """Looks for edges of a space."""

    space: Space

    def along(self, axis: int, grid: Places) -> list[Edge]:
        """Those along one input.

        Args:
            grid: points that differ in this input alone, in its order.
        """
        kinds, ranks = self._kinds(grid)
        probes, spots = [], []
        for probe in range(len(kinds)):
            changes = np.flatnonzero(kinds[probe, 1:] != kinds[probe, :-1])
            for spot in _some(changes, grid[:, axis]):
                probes.append(probe)
                spots.append(spot)
        if not probes:
            return []
        order = sorted(range(len(probes)), key=lambda i: (ranks[probes[i]], i))[:_OF_ALL]
        probe_of = np.array([probes[i] for i in order])
        spot_of = np.array([spots[i] for i in order])
        below, above = grid[spot_of].copy(), grid[spot_of + 1].copy()
        before = kinds[probe_of, spot_of]
        while (above[:, axis] - below[:, axis] > 1).any():
            middle = below.copy()
            middle[:, axis] += (above[:, axis] - below[:, axis]) // 2
            is_before = self._kinds(middle)[0][probe_of, np.arange(len(middle))] == before
            below[is_before] = middle[is_before]
            above[~is_before] = middle[~is_before]
        rows = zip(probe_of.tolist(), below.tolist(), above.tolist(), strict=True)
        return [Edge(ranks[probe], tuple(low), tuple(high)) for probe, low, high in rows]

    def _kinds(self, places: Places) -> tuple[Any, list[int]]:
        """What every probe is at every point, and the ranks of the probes."""
        rows: list[Any] = []
        ranks: list[int] = []
        for program, marked in self._programs:
            for i, value in enumerate(self._values(program, places)):
                if value is not None:
                    rows.append(_kind(value, len(places)))
                    ranks.append(0 if i in marked else 2)
        for value in self._answers(places):
            rows.append(_kind(value, len(places)))
            ranks.append(1)
        return np.array(rows, dtype=np.int8).reshape(-1, len(places)), ranks

    def _values(self, program: Program, places: Places) -> Iterator[Any]:
        """Of each node in float64; None for a constant. Where torch cannot, the rest is None."""
        import torch

        like = torch.empty((), dtype=torch.float64)
        columns = {n: torch.from_numpy(c) for n, c in self.space.columns(places).items()}
        done = 0
        try:
            with torch.no_grad(), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                for value in steps(program, Tensors(self.space.dtype.round, like), columns):
                    yield value.numpy() if _is_row(value, len(places)) else None
                    done += 1
        except TORCH_ERRORS:
            yield from [None] * (len(program.nodes) - done)

    def _answers(self, places: Places) -> Iterator[Any]:
        """torch's own steps and partials in the dtype under test."""
        import torch

        if not self.space.question.subject.is_elementwise:
            return
        count = len(places)
        try:
            execution, leaves = run_once(self.space.batch(places))
        except TORCH_ERRORS:
            return
        gradients = [leaves[name].grad for name in self.space.question.wrt]
        found = [execution.nodes[i] for i in range(len(self.space.question.specification.nodes))]
        for value in (*found, *gradients):
            if isinstance(value, torch.Tensor) and value.dim() == 1 and len(value) >= count:
                yield value.detach()[:count].to("cpu", torch.float64).numpy(force=True)

    @cached_property
    def _programs(self) -> list[tuple[Program, set[int]]]:
        """Programs whose nodes are looked at, and which of these say where a function ends or
        changes.
        """
        found = [_with_domains(self.space)]
        try:
            prepared = self.space.prepared
            builder = expand(prepared.specification, prepared.inputs, "all").builder
        except TooLarge:
            return found
        return [*found, _with_thresholds(builder)]


def _some(changes: Any, column: Any) -> list[int]:
    """So many of the changes along a line as are followed: those nearest to 0, and others evenly
    spread.
    """
    spots: list[int] = changes.tolist()
    if len(spots) <= _OF_ONE:
        return spots
    half = _OF_ONE // 2
    near = sorted(spots, key=lambda spot: abs(int(column[spot])))[:half]
    others = [spots[i * (len(spots) - 1) // (half - 1)] for i in range(half)]
    return sorted({*near, *others})


def _kind(value: Any, count: int) -> Any:
    if value.dtype == bool:
        return value.astype(np.int8)
    sign = np.sign(value)
    kind = np.where(np.isinf(value), 2 * sign, sign)
    return np.broadcast_to(np.where(np.isnan(value), _NAN, kind).astype(np.int8), (count,))


def _is_row(value: Any, count: int) -> bool:
    return getattr(value, "shape", ()) == (count,)


def _with_domains(space: Space) -> tuple[Program, set[int]]:
    """The gradient program, and the expressions behind which functions are not defined."""
    gradient = space.prepared.gradient
    nodes = list(gradient.program.nodes)
    builder = Builder(nodes, {node: i for i, node in enumerate(nodes)})
    marked = {kink.expression for kink in gradient.kinks}
    for node in gradient.program.nodes[: gradient.forward]:
        if isinstance(node, Call):
            row = lookup(node.function)
            bound = dict(zip(row.parsed.names, node.args, strict=False))
            marked.update(lower(builder, formula(text), bound)[0] for text in row.domain)
    return Program(tuple(builder.nodes), ()), marked


def _with_thresholds(builder: Builder) -> tuple[Program, set[int]]:
    """Functions whole: where torch approximates them, and where an argument, or its product with
    one number of the settings, passes another of them.
    """
    marked = set[int]()
    for node in list(builder.nodes):
        if not isinstance(node, Call):
            continue
        row = lookup(node.function)
        bound = dict(zip(row.parsed.names, node.args, strict=False))
        approximation = row.approximation(dict(node.settings))
        if approximation is not None:
            numbers = tuple(row.numbers(dict(node.settings)).items())
            marked.update(lower(builder, formula(approximation.where, numbers), bound))
        numbers_there = _numbers(row, node.settings)
        for argument in node.args:
            for number in numbers_there:
                limit = builder.number(number)
                marked.add(builder.call("sub", argument, limit))
                for factor in numbers_there:
                    scaled = builder.call("mul", builder.number(factor), argument)
                    marked.add(builder.call("sub", scaled, limit))
    return Program(tuple(builder.nodes), ()), marked


def _numbers(row: Function, settings: CallSettings) -> list[int | Fraction | float]:
    numbers = row.numbers(dict(settings)).values()
    return [number for number in numbers if np.isfinite(float(number))]


def written_numbers(program: Program) -> list[Fraction]:
    """The numbers that a program holds."""
    from fractions import Fraction

    values = (node.value for node in program.nodes if isinstance(node, Number))
    return [value for value in values if isinstance(value, Fraction)]


def interleaved(edges: Sequence[Edge]) -> list[tuple[int, ...]]:
    """The points of edges, what matters most first, each once."""
    ordered = sorted(edges, key=lambda edge: edge.rank)
    return list(dict.fromkeys(point for edge in ordered for point in (edge.below, edge.above)))
