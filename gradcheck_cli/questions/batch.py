"""A Batch: one question at points that differ in numbers alone, in one dtype, on one device."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.language.elements import elements_of, indices_of
from gradcheck_cli.questions.split import parts_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gradcheck_cli.dtypes import DType
    from gradcheck_cli.language.program import Program
    from gradcheck_cli.questions.arrays import Array, RoundedNumber
    from gradcheck_cli.questions.objectives import PartialKey
    from gradcheck_cli.questions.prepared import Prepared
    from gradcheck_cli.questions.question import Question


@dataclass(frozen=True, eq=False)
class Batch:
    """What every witness answers.

    Attributes:
        points: for each input an array of shape (points, *shape of the input) of float64 numbers
            that `dtype` holds exactly; class indices are int64 and the same at all points.
        rounded: for each point the numbers that had to be rounded.
        spelled: for each point the user's own words for its numbers, where they are to be repeated,
            and under `--seed` that of what is drawn again.
        whole: the batch that this one is a part of; None where it is one itself.
        others: as `points`, the inputs of the user's program that the specification does not have.
    """

    question: Question
    prepared: Prepared
    points: Mapping[str, Array]
    dtype: DType
    device: str
    rounded: tuple[tuple[RoundedNumber, ...], ...]
    spelled: tuple[Mapping[str, str], ...]
    whole: Batch | None = None
    others: Mapping[str, Array] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.rounded)

    def __iter__(self) -> Iterator[Point]:
        return (Point(self, k) for k in range(len(self)))

    @cached_property
    def keys(self) -> tuple[PartialKey, ...]:
        """Every partial asked for, part by part, in the order of `wrt`, row-major in an input."""
        if self._pieces:
            return tuple(key for part in self._pieces for key in part.keys)
        wrt = self.question.wrt
        return self.prepared.share(("keys", wrt), lambda: tuple(self._keys(wrt)))

    def _keys(self, wrt: Sequence[str]) -> Iterator[PartialKey]:
        key, size = self.prepared.objective.key, self.prepared.size
        return (key(name, i) for name in wrt for i in indices_of(size(name)))

    @property
    def parts(self) -> tuple[Batch, ...]:
        """What the witnesses are asked: itself, or the questions that it is split into."""
        # It does not keep itself: it would be freed by the garbage collector alone.
        return self._pieces or (self,)

    @cached_property
    def _pieces(self) -> tuple[Batch, ...]:
        asked, prepared = self.question, self.prepared
        is_whole = self.whole is None
        numbers = parts_of(prepared, asked.order, jacobian=asked.jacobian) if is_whole else ()
        return tuple(map(self._part, numbers))

    def _part(self, prepared: Prepared) -> Batch:
        on_trial = prepared.objective.on_trial(self.question.subject)
        question = replace(self.question, subject=on_trial)
        return replace(self, question=question, prepared=prepared, whole=self)

    @cached_property
    def also(self) -> Batch | None:
        """The question under a seeded cotangent; None where ones are not asked, or hide nothing."""
        also = None if self._pieces else self.prepared.reweighted
        return None if also is None else replace(self, prepared=also, whole=self)

    @cached_property
    def cotangent(self) -> Array | None:
        """The upstream gradient, shaped like the result; None for ones."""
        weights, known = self.prepared.weights, self.prepared.shape
        shape = -1 if known is None else known
        return None if weights is None else np.array(weights).reshape(shape)

    @cached_property
    def is_of_numbers(self) -> bool:
        """Whether torch may be given the points as one batch: every input is a number, and the
        subject acts on each by itself.
        """
        shapes = (self.prepared.size(name) for name in self.points)
        return self.question.subject.is_elementwise and not any(shapes)

    @cached_property
    def _rows(self) -> list[dict[str, float]]:
        """For each point every element of every input under its scalar name."""
        columns: dict[str, list[float]] = {}
        for name, array in self.points.items():
            flat = array.reshape(len(self), -1).astype(np.float64).T.tolist()
            columns.update(zip(elements_of(name, array.shape[1:]), flat, strict=True))
        if not columns:
            return [{} for _ in range(len(self))]
        return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]

    def scalars(self, k: int) -> dict[str, float]:
        """Every element of every input at one point, under its scalar name."""
        return self._rows[k]

    def alone(self, k: int) -> Batch:
        """The batch of one point."""
        if len(self) == 1:
            return self
        return replace(
            self,
            points={name: array[k : k + 1] for name, array in self.points.items()},
            others={name: array[k : k + 1] for name, array in self.others.items()},
            rounded=self.rounded[k : k + 1],
            spelled=self.spelled[k : k + 1],
            whole=self.whole and self.whole.alone(k),
        )

    def in_dtype(self, dtype: DType) -> Batch:
        """The same numbers as a batch of another dtype that holds them."""
        return replace(self, dtype=dtype, whole=self.whole and self.whole.in_dtype(dtype))


@dataclass(frozen=True)
class Point:
    """One point of a batch."""

    batch: Batch
    k: int

    @property
    def question(self) -> Question:
        """What is asked."""
        return self.batch.question

    @property
    def specification(self) -> Program:
        """What the subject is held against."""
        return self.batch.question.specification

    @property
    def prepared(self) -> Prepared:
        """The specification at the point's shapes."""
        return self.batch.prepared

    @property
    def dtype(self) -> DType:
        """The dtype under test."""
        return self.batch.dtype

    @property
    def device(self) -> str:
        """The device under test."""
        return self.batch.device

    @property
    def keys(self) -> tuple[PartialKey, ...]:
        """Every partial asked for."""
        return self.batch.keys

    @property
    def at(self) -> dict[str, Any]:
        """The numbers of each input, and of what is held, in its shape."""
        arrays = {**self.batch.others, **self.batch.points}
        return {name: array[self.k] for name, array in arrays.items()}

    @property
    def scalars(self) -> dict[str, float]:
        """Every element of every input, under its scalar name."""
        return self.batch.scalars(self.k)

    @property
    def rounded(self) -> tuple[RoundedNumber, ...]:
        """Numbers that the dtype could not hold."""
        return self.batch.rounded[self.k]

    @property
    def spelled(self) -> Mapping[str, str]:
        """The user's own words for numbers, where they are to be repeated."""
        return self.batch.spelled[self.k]

    def in_float64(self) -> Point:
        """The same numbers as a point in float64: every dtype's numbers are float64 numbers."""
        return Point(self.batch.alone(self.k).in_dtype(DTYPES["float64"]), 0)
