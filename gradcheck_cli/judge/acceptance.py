"""Whether a rewriting may be told as a remedy: it is checked as the program itself is, and at the
numbers beside the point.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from math import isfinite, nan
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gradcheck_cli.judge.bench import judge
from gradcheck_cli.judge.branch import crossed_kinks, other_branch
from gradcheck_cli.judge.digits import Goal, right_digits
from gradcheck_cli.judge.evidence import Evidence
from gradcheck_cli.judge.forward import forward_note
from gradcheck_cli.questions.batch import Point
from gradcheck_cli.records.outcome import Outcome
from gradcheck_cli.witnesses import Abstention
from gradcheck_cli.witnesses.autograd import Autograd, Backward, Measured
from gradcheck_cli.witnesses.reference import Proof, Reference
from gradcheck_cli.witnesses.truth import Certified

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gradcheck_cli.dtypes import DType
    from gradcheck_cli.questions.arrays import Array
    from gradcheck_cli.questions.batch import Batch
    from gradcheck_cli.witnesses import Testimony

# Units in the last place from the point to the numbers beside it that a remedy is tried at.
_BESIDE = (-3, 3)
# There rounding falls otherwise: digits that are fewer by no more than this are not worse.
_SCATTER = 1.0
_UNASKED = Abstention("not asked")


class Candidate(NamedTuple):
    """A program at the point, what torch makes of it, and what is proved of it."""

    point: Point
    backward: Backward
    proof: Proof


@dataclass(frozen=True, eq=False)
class Acceptance:
    """Of one point.

    Attributes:
        point, backward: the program's own, as the user wrote it.
        limit: seconds of computing for a proof.
        enough: digits that are never too few.
    """

    point: Point
    backward: Backward
    limit: float
    enough: float

    def accepts(self, other: Candidate, partial: int) -> bool:
        """Whether torch is right with another program: about a partial, here and under the seeded
        cotangent if the program is asked under it; about the value; and beside the point no worse
        than with the program itself.
        """
        evidence = Evidence(other.point, _heard(other.proof, other.backward))
        if not _is_fine(evidence, partial):
            return False
        # Where rounding has decided the branch, a better answer is another convention at a tie.
        if other_branch(crossed_kinks(evidence), other.point, partial):
            return False
        if other.backward.forward != self.backward.forward and forward_note(evidence):
            return False
        return self._is_fine_reweighted(other.point, partial) and self._is_fine_beside(other.point)

    def _is_fine_reweighted(self, other: Point, partial: int) -> bool:
        also = other.batch.also
        if also is None:
            return True
        backward = Autograd().answer(also).testimony(0)
        proof = Reference(self.limit).answer(also).testimony(0)
        return _is_fine(Evidence(Point(also, 0), _heard(proof, backward)), partial)

    def _is_fine_beside(self, other: Point) -> bool:
        for k, (goals, before) in zip(_BESIDE, self._beside, strict=True):
            digits = _digits(_moved(other.batch, k), goals)
            pairs = zip(digits, before, strict=True)
            if not all(new >= min(old, self.enough) - _SCATTER for new, old in pairs):
                return False
        return True

    @cached_property
    def _beside(self) -> list[tuple[Sequence[Goal | None], Sequence[float]]]:
        """For the numbers beside the point what is proved of the program, and how many digits of
        that torch has right.
        """
        batch = self.point.batch.alone(self.point.k)
        found: list[tuple[Sequence[Goal | None], Sequence[float]]] = []
        for k in _BESIDE:
            moved = _moved(batch, k)
            proof = Reference(self.limit).answer(moved).testimony(0)
            answers = (*proof.partials, *proof.forward) if isinstance(proof, Proof) else ()
            truths = (a.truth if isinstance(a, Certified) else None for a in answers)
            goals = [None if truth is None else Goal(truth, truth) for truth in truths]
            found.append((goals, _digits(moved, goals)))
        return found


def _heard(
    proof: Testimony | Abstention, backward: Testimony | Abstention
) -> dict[str, Testimony | Abstention]:
    return {"reference": proof, "autograd": backward, "numeric": _UNASKED}


def _is_fine(evidence: Evidence, partial: int) -> bool:
    (verdict,) = judge(evidence, None, [partial])
    return verdict.outcome not in (Outcome.WRONG, Outcome.INCONCLUSIVE)


def _digits(batch: Batch, goals: Sequence[Goal | None]) -> list[float]:
    """How many digits torch has right of what is proved, partials and values; 1 for a number and 0
    for none where nothing is.
    """
    backward = Autograd().answer(batch).testimony(0)
    if not isinstance(backward, Backward):
        return [0.0] * len(goals)
    slopes = (a.value if isinstance(a, Measured) else nan for a in backward.partials)
    return [
        float(isfinite(answer)) if goal is None else right_digits(answer, goal, batch.dtype)
        for answer, goal in zip((*slopes, *backward.forward), goals, strict=False)
    ]


def _moved(batch: Batch, units: int) -> Batch:
    """The only point of a batch, every number that is differentiated moved by so many units in the
    last place.
    """
    dtype, wrt = batch.dtype, batch.question.wrt
    points = {
        name: _shifted(array, units, dtype) if name in wrt else array
        for name, array in batch.points.items()
    }
    return replace(batch, points=points)


def _shifted(array: Array, units: int, dtype: DType) -> Array:
    numbers = [_neighbour(number, units, dtype) for number in array.reshape(-1).tolist()]
    return np.array(numbers, dtype=array.dtype).reshape(array.shape)


def _neighbour(number: float, units: int, dtype: DType) -> float:
    """A number so many units away; the number itself where that leads out of the range."""
    if not isfinite(number):
        return number
    exact = Fraction(number)
    moved = dtype.round(exact + units * Fraction(dtype.ulp(exact)))
    return moved if isfinite(moved) else number
