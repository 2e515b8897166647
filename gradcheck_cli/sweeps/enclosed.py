"""The truth at many points at once by enclosures in bulk, where no cells are known: several inputs,
and arguments so large that a few neighbouring floats hold a period.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import nan
from random import Random
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck_cli.calculus.formulas import formula
from gradcheck_cli.functions import lookup
from gradcheck_cli.judge.truths import Truths
from gradcheck_cli.language.program import Builder, Call, Program, fold, prune
from gradcheck_cli.worlds.balls import plain
from gradcheck_cli.worlds.bulk import GRANTED, Bulk
from gradcheck_cli.worlds.enclosures import (
    MARGIN,
    Enclosure,
    NoBound,
    extended_arrays,
    float64_tensors,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gradcheck_cli.dtypes import DType
    from gradcheck_cli.sweeps.asked import SweepQuestion
    from gradcheck_cli.worlds.enclosures import ArrayLibrary
    from gradcheck_cli.worlds.tensors import Tensor

# Of the balls that samples are held against.
_BITS = 192
# Points that are enclosed together: their arrays stay in the cache.
_STRIP = 2**16


def assumption_of(dtype: DType) -> str:
    """What bulk enclosures assume, in a sentence."""
    library = "torch's float64" if dtype.digits < 53 else "NumPy's extended"
    return (
        f"where no piece of the truth is proved it is enclosed in bulk, which assumes that "
        f"{library} functions are within {GRANTED} ulp; nothing is called wrong by it alone"
    )


@dataclass(eq=False)
class Enclosed:
    """Of one partial.

    Attributes:
        budgets: (least, most) rounding of torch's gradient at the points of some columns.
        held: how many points were enclosed.
        samples: enclosures that were held against balls.
    """

    asked: SweepQuestion
    budgets: Callable[[Mapping[str, Tensor]], tuple[Tensor, Tensor]]
    held: int = 0
    samples: int = 0

    @cached_property
    def library(self) -> ArrayLibrary | None:
        """What is computed with: more digits than the dtype under test has; None for nothing."""
        return float64_tensors() if self.asked.dtype.digits < 53 else extended_arrays()

    @cached_property
    def _parts(self) -> tuple[Program, int, int]:
        """The partial, the kinks that matter to it, and the values; how many there are of each."""
        gradient, mask = self.asked.prepared.gradient, 1 << self.asked.partial
        near = [k.expression for k in gradient.kinks if gradient.dependence[k.node] & mask]
        nodes, node = gradient.program.nodes, gradient.partials[self.asked.partial]
        if node is None:
            builder = Builder(list(nodes), {n: i for i, n in enumerate(nodes)})
            node, nodes = builder.number(0), tuple(builder.nodes)
        program = prune(Program(nodes, (node, *near, *gradient.outputs)))
        return program, len(near), len(gradient.outputs)

    def truth(self, columns: Mapping[str, Tensor], answers: Tensor) -> Truths | None:
        """What is known of the truth at some points; None for nothing.

        Args:
            columns: the inputs that move, in float64; `answers` torch's partials.
        """
        import torch

        if self.library is None:
            return None
        strips = []
        for i in range(0, len(answers), _STRIP):
            part = {name: column[i : i + _STRIP] for name, column in columns.items()}
            try:
                strips.append(self._strip(self.library, part, answers[i : i + _STRIP]))
            except NoBound:
                return None

        def budgets(at: Tensor) -> tuple[Tensor, Tensor]:
            return self.budgets({name: column[at] for name, column in columns.items()})

        gaps, size, error, *marks = (torch.cat(parts) for parts in zip(*strips, strict=True))
        known, outside = marks
        return Truths(gaps, size, error, [budgets], 1.0, (known, outside))

    def _strip(
        self, library: ArrayLibrary, columns: Mapping[str, Tensor], answers: Tensor
    ) -> tuple[Tensor, ...]:
        """The fields of Truths for points that are enclosed together.

        Raises:
            NoBound: there is no enclosure of the program.
        """
        import torch

        program, world = self._parts[0], Bulk(library, self.asked.dtype.round)
        inputs = {name: Enclosure(self._array(column)) for name, column in columns.items()}
        inputs |= {
            name: Enclosure(library.array(value))
            for name, value in self.asked.numbers.items()
            if name not in columns
        }
        with np.errstate(all="ignore"):
            values = fold(program, world, inputs)
        partial, *others = (_spread(values[i], answers) for i in program.outputs)
        known = torch.ones_like(answers, dtype=torch.bool)
        for k, (value, radius) in enumerate(others):
            if k < self._parts[1]:
                known &= self._tensor(abs(value), answers) > radius * MARGIN
            else:
                known &= radius.isfinite() & self._tensor(value, answers).isfinite()
        value, radius = partial
        size = self._tensor(abs(value), answers)
        known &= size.isfinite() & radius.isfinite()
        gaps = self._tensor(abs(self._array(answers) - value), answers)
        outside = ~known
        if not self._holds(columns, value, radius, known):
            known, outside = torch.zeros_like(known), torch.zeros_like(known)
        else:
            self.held += len(answers)
            if bool(outside.any()):
                outside &= self._outside(program, values, world, answers)
        gaps = gaps.masked_fill(~answers.isfinite(), nan)
        return gaps, size, radius * MARGIN, known, outside

    def _holds(
        self, columns: Mapping[str, Tensor], value: Any, radius: Tensor, known: Tensor
    ) -> bool:
        """Whether the enclosure of one of the points holds what balls prove of it."""
        from flint import arb, ctx

        seed = f"{self.asked.sweep.seed}:{self.samples}:{float(next(iter(columns.values()))[0])}"
        k = Random(seed).randrange(len(known))  # noqa: S311 - nothing secret: the same points every time
        if not bool(known[k]):
            return True
        self.samples += 1
        inputs = {name: float(column[k]) for name, column in columns.items()}
        prepared, literal = self.asked.prepared, self.asked.dtype.round
        values = prepared.machine.run({**self.asked.numbers, **inputs}, _BITS, literal)
        node = prepared.gradient.partials[self.asked.partial]
        with ctx.workprec(_BITS):
            truth = plain(values[node]) if node is not None else arb(0)
            found = value[k] if getattr(value, "ndim", 0) else value
            first = float(found)
            rest = truth - first - float(found - first)
            return bool(not truth.is_finite() or abs(rest).lower() <= float(radius[k]) * MARGIN)

    def _outside(self, program: Program, values: list[Any], world: Bulk, answers: Tensor) -> Tensor:
        """Where a domain is left on the way to the value, whatever branches are taken."""
        import torch

        found = torch.zeros_like(answers, dtype=torch.bool)
        needed = _on_every_way(program, program.outputs[-self._parts[2] :])
        for i in needed:
            node = program.nodes[i]
            if not isinstance(node, Call):
                continue
            row = lookup(node.function)
            inputs = dict(zip(row.parsed.names, (values[j] for j in node.args), strict=True))
            for text in row.domain:
                try:
                    with np.errstate(all="ignore"):
                        side = world.run(formula(text), inputs)
                except NoBound:
                    continue
                value, radius = _spread(side, answers)
                found |= self._tensor(value, answers) + radius * MARGIN < 0
        return found

    def _array(self, column: Tensor) -> Any:
        """A column as an array of the library."""
        assert self.library is not None
        if hasattr(self.library.module, "tensor"):
            return column
        return column.cpu().numpy().astype(self.library.dtype)

    def _tensor(self, array: Any, like: Tensor) -> Tensor:
        """An array of the library as float64, rounded."""
        import torch

        if isinstance(array, torch.Tensor):
            return array.to(like.device).expand(like.shape)
        whole = np.broadcast_to(np.asarray(array, dtype=np.float64), tuple(like.shape))
        return torch.from_numpy(whole.copy()).to(like.device)


def _spread(held: Any, like: Tensor) -> tuple[Any, Tensor]:
    """The value of an enclosure, and its radius as a tensor as long as others."""
    import torch

    value, radius = held.value, held.radius
    if radius is None:
        return value, torch.zeros_like(like)
    whole = torch.as_tensor(radius, dtype=torch.float64, device=like.device)
    return value, whole.expand(like.shape) if whole.ndim < like.ndim else whole


def _on_every_way(program: Program, outputs: tuple[int, ...]) -> set[int]:
    """Nodes that the outputs rest on whichever branches are taken."""
    found, stack = set[int](), list(outputs)
    while stack:
        i = stack.pop()
        if i in found:
            continue
        found.add(i)
        node = program.nodes[i]
        if isinstance(node, Call):
            parameters = lookup(node.function).parsed.args
            is_choice = any(p.kind == "condition" for p in parameters)
            stack += node.args[:1] if is_choice else node.args
    return found
