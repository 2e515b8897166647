"""How far torch may be off at many points: an estimate, which decides where to look closely."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck_cli.language.program import Program, fold, prune
from gradcheck_cli.questions.ranges import finite_count
from gradcheck_cli.witnesses import TORCH_ERRORS
from gradcheck_cli.witnesses.autograd import Autograd, floats_of, run_once
from gradcheck_cli.worlds import balls
from gradcheck_cli.worlds.tensors import Tensors

if TYPE_CHECKING:
    from gradcheck_cli.hunting.space import Places, Space
    from gradcheck_cli.witnesses import Floats

# Working precision where float64 itself is on trial.
_BITS = 128


@dataclass(frozen=True)
class Screen:
    """Looks at points of a space."""

    space: Space

    @cached_property
    def block(self) -> int:
        """How many points are screened in a round: by tensors of float64 where that is finer than
        the dtype under test, else by balls, which take a hundred times as long.
        """
        if not self.space.question.subject.is_elementwise:
            return 256
        return 2**11 if self._is_finest else 2**15

    @property
    def _is_finest(self) -> bool:
        return self.space.dtype.name == "float64"

    def errors(self, places: Places) -> Floats:
        """For each point the largest error of a partial in ulp, infinite where torch or the
        estimate has no finite number, and the other has.
        """
        value, answered = self._answers(places)
        found = (
            self._by_balls(places, value) if self._is_finest else self._by_tensors(places, value)
        )
        errors: Floats = np.where(answered, found, 0.0).max(axis=1, initial=0.0)
        return errors

    def _answers(self, places: Places) -> tuple[Floats, Any]:
        """torch's partials, and which it has."""
        batch = self.space.batch(places)
        if not batch.is_of_numbers:
            answers = Autograd().answer(batch)
            return answers.value, answers.answered
        count, wrt = len(places), self.space.question.wrt
        value = np.full((count, len(wrt)), np.nan)
        answered = np.zeros(value.shape, dtype=bool)
        try:
            _, leaves = run_once(batch)
        except TORCH_ERRORS:
            return value, answered
        for k, name in enumerate(wrt):
            gradient = leaves[name].grad
            if gradient is not None:
                value[:, k] = floats_of(gradient)[:count] if gradient.dim() else float(gradient)
                answered[:, k] = True
        return value, answered

    def _by_tensors(self, places: Places, value: Floats) -> Floats:
        exact = self._exact(places)
        with np.errstate(all="ignore"):
            gap = np.abs(value - exact) / spacings(exact, self.space)
        gap = np.where(np.isfinite(exact) & (np.abs(exact) <= _largest(self.space)), gap, 0.0)
        return np.where(np.isnan(gap), np.inf, gap)

    def _exact(self, places: Places) -> Floats:
        """The exact gradient program, run in float64."""
        import torch

        program = self._partials
        nodes = self.space.prepared.gradient.partials
        like = torch.empty((), dtype=torch.float64)
        columns = {n: torch.from_numpy(c) for n, c in self.space.columns(places).items()}
        exact = np.full((len(places), len(nodes)), np.nan)
        try:
            with torch.no_grad(), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                values = fold(program, Tensors(self.space.dtype.round, like), columns)
        except TORCH_ERRORS:
            return exact
        outputs = iter(program.outputs)
        for k, node in enumerate(nodes):
            exact[:, k] = 0.0 if node is None else np.asarray(values[next(outputs)])
        return exact

    @cached_property
    def _partials(self) -> Program:
        gradient = self.space.prepared.gradient
        nodes = tuple(node for node in gradient.partials if node is not None)
        return prune(Program(gradient.program.nodes, nodes))

    def _by_balls(self, places: Places, value: Floats) -> Floats:
        space, machine = self.space, self.space.prepared.machine
        nodes = space.prepared.gradient.partials
        columns = self.space.columns(places)
        rows = zip(*(column.tolist() for column in columns.values()), strict=True)
        found = np.zeros(value.shape)
        for k, row in enumerate(rows):
            inputs = dict(zip(columns, row, strict=True))
            values = machine.run(inputs, _BITS, space.dtype.round)
            for p, node in enumerate(nodes):
                truth = balls.plain(values[node]) if node is not None else balls.plain(0)
                found[k, p] = _gap(value[k, p], truth, space)
        return found


def _gap(answer: float, truth: Any, space: Space) -> float:
    """In ulp."""
    if not hasattr(truth, "is_finite") or not truth.is_finite():
        return 0.0
    middle = float(truth.mid())
    if not np.isfinite(answer):
        return float("inf")
    spacing = float(spacings(np.array([middle]), space)[0])
    return float(abs(truth - float(answer)).mid()) / spacing


def spacings(numbers: Floats, space: Space) -> Floats:
    """The distance of neighbours of the dtype at numbers."""
    dtype = space.dtype
    exponents = np.frexp(numbers)[1].astype(np.int64) - 1
    exponents = np.clip(np.where(numbers == 0, dtype.least, exponents), dtype.least, dtype.most)
    found: Floats = np.ldexp(1.0, exponents - dtype.digits + 1)
    return found


def _largest(space: Space) -> float:
    return float(space.dtype.largest)


def binades(places: Places, space: Space) -> Places:
    """For each point a number of the binades and signs that its inputs lie in."""
    shift = space.dtype.digits - 1
    count = finite_count(space.dtype) >> shift
    found = np.zeros(len(places), dtype=np.int64)
    for k in range(places.shape[1]):
        column = places[:, k]
        # A hash where there are many inputs: two that meet share a bin.
        found = found * (2 * count + 1) + (column >> shift)
    return found
