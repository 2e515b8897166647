"""Consecutive points that differ in numbers alone, collected into batches."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gradcheck_cli.language.errors import UserError
from gradcheck_cli.questions.arrays import MANY
from gradcheck_cli.questions.batch import Batch
from gradcheck_cli.questions.draws import DrawnNumbers
from gradcheck_cli.questions.numbers import Exact
from gradcheck_cli.questions.prepared import Oversize

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from gradcheck_cli.dtypes import DType
    from gradcheck_cli.questions.arrays import Array, RoundedNumber
    from gradcheck_cli.questions.numbers import Nested
    from gradcheck_cli.questions.prepared import Prepared
    from gradcheck_cli.questions.question import Question

# Points that are evaluated together. More gain nothing: a batch's cost a point is all but level
# from 64 on.
MOST_POINTS = 256
# Scalar operations of a batch's points together, at most; a guess: about a second of work.
MOST_OPERATIONS = 20_000
# Numbers in the batch that central differences make of it; 2**22 float64 are 32 MiB, and there are
# 54 steps up and as many down.
MOST_DIFFERENCES = 2**22 // 108


def batches(
    question: Question,
    points: Iterable[Mapping[str, Nested]],
    runs: Sequence[tuple[DType, str]],
    spell: Sequence[str] | None = None,
    most: int = MOST_POINTS,
) -> Iterator[tuple[Batch, ...]]:
    """Consecutive points that differ in numbers alone, as one Batch for each dtype and device.

    Args:
        runs: (dtype, device) of each batch.
        spell: inputs whose numbers are to be repeated in the user's own words; None for all.
        most: points of a batch.
    Raises:
        PointError: at the first point that does not fit, when those before it have been given.
    """
    dtypes = tuple(dict.fromkeys(dtype for dtype, _ in runs))
    collected: list[_Row] = []
    try:
        for point in points:
            row = _row(question, point, dtypes, spell)
            full = collected and len(collected) >= min(most, _room(collected[0]))
            if full or (collected and row.key != collected[0].key):
                yield _together(question, collected, runs)
                collected = []
            collected.append(row)
    except UserError:
        # A point that cannot be read is no reason to drop those before it.
        if collected:
            yield _together(question, collected, runs)
        raise
    if collected:
        yield _together(question, collected, runs)


class _Numbers(NamedTuple):
    """A point in one dtype."""

    arrays: dict[str, Array]
    rounded: tuple[RoundedNumber, ...]
    spelled: dict[str, str]
    prepared: Prepared


class _Row(NamedTuple):
    """A point in each dtype, and what it must have in common with others of its batch."""

    key: tuple[object, ...]
    numbers: dict[str, _Numbers]


def _row(
    question: Question,
    point: Mapping[str, Nested],
    dtypes: Sequence[DType],
    spell: Sequence[str] | None,
) -> _Row:
    key: tuple[object, ...] = ()
    numbers: dict[str, _Numbers] = {}
    for dtype in dtypes:
        arrays, rounded = question.arrays(point, dtype)
        key = question.shapes_key(arrays)
        prepared, also = question.prepared(arrays, dtype)
        spelled = {
            name: value.text or repr(float(arrays[name]))
            for name, value in point.items()
            if isinstance(value, Exact) and (spell is None or name in spell)
        }
        spelled |= _draws(point)
        numbers[dtype.name] = _Numbers(arrays, (*rounded, *also), spelled, prepared)
    return _Row(key, numbers)


def _draws(point: Mapping[str, Nested]) -> dict[str, str]:
    """Of inputs with many numbers that were drawn how they are drawn again, and with which seed."""
    many = {
        name: value
        for name, value in point.items()
        if isinstance(value, DrawnNumbers) and value.size > MANY and value.key == name
    }
    found = {name: value.words for name, value in many.items() if value.words}
    seeds = [value.seed for value in many.values() if value.words and value.seed]
    if seeds:
        found["--seed"] = str(seeds[0])
    return found


def _room(row: _Row) -> int:
    """How many points of a program make a batch: fewer of a large one, so that results come
    steadily and memory is bounded.
    """
    numbers = next(iter(row.numbers.values()))
    expansion = numbers.prepared.expansion
    if isinstance(expansion, Oversize):
        return 1
    size = sum(array.size for array in numbers.arrays.values())
    operations = MOST_OPERATIONS // len(expansion.builder.nodes)
    return max(1, min(operations, MOST_DIFFERENCES // max(size, 1) ** 2))


def _together(
    question: Question, rows: Sequence[_Row], runs: Sequence[tuple[DType, str]]
) -> tuple[Batch, ...]:
    """A Batch for each dtype and device."""
    return tuple(_batch(question, [row.numbers[t.name] for row in rows], t, d) for t, d in runs)


def _batch(question: Question, numbers: Sequence[_Numbers], dtype: DType, device: str) -> Batch:
    first = numbers[0]
    arrays = {name: np.stack([row.arrays[name] for row in numbers]) for name in first.arrays}
    points = {name: array for name, array in arrays.items() if name in first.prepared.inputs}
    others = {name: array for name, array in arrays.items() if name not in points}
    rounded = tuple(row.rounded for row in numbers)
    spelled = tuple(row.spelled for row in numbers)
    return Batch(question, first.prepared, points, dtype, device, rounded, spelled, others=others)
