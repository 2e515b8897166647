"""Witnesses: each answers a Batch and says, for every partial at every point, a value with its
room, or why it cannot. Numerical trouble is a value, never an exception.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gradcheck_cli.questions.batch import Batch
    from gradcheck_cli.records.record import Opinion
    from gradcheck_cli.worlds.balls import Ball

Floats: TypeAlias = "np.ndarray[Any, np.dtype[np.float64]]"
Marks: TypeAlias = "np.ndarray[Any, np.dtype[np.bool_]]"

# Numbers that torch works on at a time, at most: two vectors of 512 bits of float16. What is left
# over at the end of a batch is computed by other code, which may round otherwise; batches of a
# multiple of this have no such end, so that a point's numbers depend neither on its place nor on
# its neighbours.
VECTOR = 64

# What the witness is called that reads a backward that was recorded.
FORMULA = "formula"
# What torch's functions raise where they cannot.
TORCH_ERRORS = (RuntimeError, TypeError, ValueError, IndexError, NotImplementedError)


class Trust(Enum):
    """What an answer is worth."""

    PROVED = "proved"
    ON_TRIAL = "on trial"
    ESTIMATED = "estimated"


@dataclass(frozen=True)
class Abstention:
    """A witness has nothing to say, and why."""

    reason: str

    ball: None = None

    def entry(self) -> Opinion:
        """What a record keeps."""
        return {"abstained": self.reason}


class Answer(Protocol):
    """What a witness says of one partial at one point; an `Abstention` is one."""

    @property
    def ball(self) -> Ball | None:
        """The numbers among which it says the derivative is; None where it claims nothing."""

    def entry(self) -> Opinion:
        """What a record keeps of it: its `value` and more, or that it `abstained`."""


class Testimony(Protocol):
    """What a witness says of one point."""

    @property
    def partials(self) -> Sequence[Answer]:
        """An answer for each partial, in the order of `Batch.keys`."""


@dataclass(frozen=True)
class Answers:
    """A testimony that is nothing but its answers."""

    partials: Sequence[Answer]


class Estimates(Protocol):
    """What a witness says of a batch, all partials at all points."""

    @property
    def value(self) -> Floats:
        """Shape (points, partials); NaN where it says nothing."""

    @property
    def radius(self) -> Floats:
        """Half the width of what it claims, in the same shape; infinite where it claims nothing."""

    @property
    def answered(self) -> Marks:
        """Where it says something."""

    def testimony(self, k: int) -> Testimony | Abstention:
        """All that it says of one point, made when it is asked for; an abstention stands for all
        partials.
        """


@dataclass(frozen=True, eq=False)
class PointwiseEstimates:
    """Of a witness that looks at one point after the other, each when it is asked for.

    Attributes:
        make: the testimony on one point.
        shape: numbers of points and of partials.
    """

    make: Callable[[int], Testimony | Abstention]
    shape: tuple[int, int]
    _made: dict[int, Testimony | Abstention] = field(default_factory=dict)

    def testimony(self, k: int) -> Testimony | Abstention:
        """As `Estimates.testimony`."""
        if k not in self._made:
            self._made[k] = self.make(k)
        return self._made[k]

    @cached_property
    def _arrays(self) -> Floats:
        arrays = np.full((2, *self.shape), np.nan)
        for k in range(self.shape[0]):
            for p, answer in enumerate(getattr(self.testimony(k), "partials", ())):
                if answer.ball is not None and answer.ball.is_finite():
                    arrays[:, k, p] = float(answer.ball.mid()), float(answer.ball.rad())
        return arrays

    @property
    def value(self) -> Floats:
        """As `Estimates.value`."""
        value: Floats = self._arrays[0]
        return value

    @property
    def radius(self) -> Floats:
        """As `Estimates.radius`."""
        radius: Floats = self._arrays[1]
        return radius

    @property
    def answered(self) -> Marks:
        """As `Estimates.answered`."""
        return ~np.isnan(self.value)


@dataclass(frozen=True, eq=False)
class BulkEstimates:
    """Of a witness that looks at all points together; see `Estimates`."""

    value: Floats
    radius: Floats
    answered: Marks
    make: Callable[[int], Testimony | Abstention]

    def testimony(self, k: int) -> Testimony | Abstention:
        """As `Estimates.testimony`."""
        return self.make(k)


class Witness(Protocol):
    """One opinion; a further one is a file with such a class."""

    @property
    def name(self) -> str:
        """What records, tables and messages call it."""

    @property
    def trust(self) -> Trust:
        """What its answers are worth."""

    def prepare(self, batch: Batch) -> None:
        """Begin what is computed elsewhere, in another process."""

    def answer(self, batch: Batch) -> Estimates | Abstention:
        """What it says of every partial at every point of a batch."""


def first_line(error: Exception) -> str:
    """The first line of a library's message: torch's go on with a page of advice."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
