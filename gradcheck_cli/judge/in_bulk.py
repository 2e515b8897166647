"""Verdicts on all partials of a large program at once.

What is plain is decided in arrays, by the same limits as everywhere. The rest, and all that torch
may be blamed for, is proved in balls as far as time allows, and judged one by one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck_cli.judge.court import Court
from gradcheck_cli.judge.measure import BUDGET_FACTOR, Measure, off
from gradcheck_cli.judge.verdict import Verdict
from gradcheck_cli.memory import uncollected
from gradcheck_cli.records.outcome import Cause, Outcome
from gradcheck_cli.records.record import FREE_ULPS
from gradcheck_cli.witnesses import Abstention, Answers
from gradcheck_cli.witnesses.autograd import Backward
from gradcheck_cli.witnesses.bulk_proof import BulkProof, bulk_budgets
from gradcheck_cli.witnesses.proved_arrays import Proving
from gradcheck_cli.witnesses.reference import Reference
from gradcheck_cli.witnesses.truth import Certified

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gradcheck_cli.dtypes import DType
    from gradcheck_cli.judge.evidence import Evidence, Tolerance
    from gradcheck_cli.questions.batch import Point
    from gradcheck_cli.witnesses import Floats

# Relative room for how distances and spacings are computed here, in float64.
_ROOM = 1 + 2.0**-40


@dataclass(frozen=True, eq=False)
class Classes:
    """What arrays decide.

    Attributes:
        near: within the free ulps; `explained` further off, and agreeing by rounding; `lost` beyond
            half the digits, by rounding. The rest is open.
    """

    near: Any
    explained: Any
    lost: Any


class BulkTrial:
    """All partials of a point on trial.

    Args:
        proof: the enclosures that decide.
    """

    def __init__(self, court: Court, proof: BulkProof) -> None:
        self.court = court
        self.point, self.dtype = court.point, court.point.dtype
        backward = court.evidence.whole("autograd", Backward)
        nothing = np.full(len(proof.partials), np.nan)
        self.answers: Floats = nothing if backward is None else backward.numbers
        self.value, self.radius = proof.partials.value, proof.partials.radius

    @cached_property
    def budgets(self) -> Floats:
        """How far rounding takes each partial in the dtype; infinite where that is not known."""
        found = bulk_budgets(self.point, self.dtype)
        if isinstance(found, Abstention):
            return np.full(self.answers.shape, np.inf)
        return np.where(np.isfinite(found.partials.radius), found.partials.radius, np.inf)

    @cached_property
    def gap(self) -> Floats:
        """|A - v|."""
        with np.errstate(all="ignore"):
            found: Floats = np.abs(self.answers - self.value)
        return found

    @cached_property
    def ulps(self) -> Floats:
        """The spacing of the dtype at the smallest number that the truth may be."""
        return spacing(np.maximum(np.abs(self.value) - self.radius, 0.0), self.dtype)

    @cached_property
    def classes(self) -> Classes:
        """What is plain; nothing where an answer or a bound is not finite."""
        with np.errstate(all="ignore"):
            size, radius = np.abs(self.value), self.radius
            known = np.isfinite(self.answers) & np.isfinite(self.value) & np.isfinite(radius)
            far = (self.gap + radius) * _ROOM
            near = known & (far <= FREE_ULPS * self.ulps)
            tolerance = self.court.tolerance
            if tolerance is not None:
                room = tolerance.atol + tolerance.rtol * np.maximum(size - radius, 0.0)
                nothing = np.zeros_like(known)
                return Classes(nothing, known & (far <= room), nothing)
            by_rounding = known & ~near & (far <= BUDGET_FACTOR * self.budgets)
            by_rounding &= np.isfinite(self.budgets)
            is_zero = (self.value == 0) & (radius == 0)
            half = (2 * float(self.dtype.unit_roundoff)) ** 0.5
            least = half * np.where(is_zero, 1.0, size - radius)
            most = half * np.where(is_zero, 1.0, size + radius)
            # What is so far off that half the digits are gone; balls say where exactly, and why.
            lost = by_rounding & (self.gap - radius > most * _ROOM)
            lost &= self.gap - radius > FREE_ULPS * spacing(size + radius, self.dtype)
            return Classes(near, by_rounding & (far <= least), lost)

    def verdicts(
        self, partials: Sequence[int], judge: Callable[[Court, int], Verdict]
    ) -> tuple[Verdict, ...]:
        """One for each partial asked for.

        Args:
            judge: gives the verdict on one, by what is proved of it.
        """
        asked = np.fromiter(partials, np.int64)
        plain = (self.classes.near | self.classes.explained)[asked]
        with uncollected():
            found = dict(self._plain(asked[plain]))
        rest = asked[~plain].tolist()
        if rest:
            found.update(self._one_by_one(rest, judge))
        return tuple(found[k] for k in partials)

    def _plain(self, places: Any) -> Iterator[tuple[int, Verdict]]:
        """Those at some places, all of which agree."""
        value, gap, near = self.value[places], self.gap[places], self.classes.near[places]
        with np.errstate(all="ignore"):
            relative = gap / np.abs(value)
            ulps = gap / spacing(np.abs(value), self.dtype)
            rooms = self._rooms()[places]
        columns = (places, gap, relative, ulps, rooms, value == 0, near)
        rows = zip(*(column.tolist() for column in columns), strict=True)
        within, keys = f"within {FREE_ULPS} ulp of the true value", self.point.keys
        for row in rows:
            k, error, share, count, room, is_zero, is_near = row
            if is_zero:
                share = count = 0.0 if error == 0 else None
            reason, cause = within, None
            if not is_near:
                far = off(Measure(error=error, relative_error=share, ulps=count, tolerance=room))
                reason, cause = f"{far}, explained by rounding", Cause.ROUNDING
                if self.court.tolerance is not None:
                    reason = f"within the tolerance given: {far}"
            yield k, Verdict(keys[k], Outcome.AGREE, reason, cause, error, share, count, room)

    def _rooms(self) -> Floats:
        """The largest error that agrees."""
        free = FREE_ULPS * spacing(np.abs(self.value), self.dtype)
        tolerance = self.court.tolerance
        if tolerance is not None:
            return tolerance.atol + tolerance.rtol * np.abs(self.value)
        half = (2 * float(self.dtype.unit_roundoff)) ** 0.5 * np.where(
            self.value == 0, 1.0, np.abs(self.value)
        )
        explained = np.minimum(BUDGET_FACTOR * self.budgets, half)
        rooms: Floats = np.where(self.classes.near, free, np.maximum(free, explained))
        return rooms

    def _one_by_one(
        self, partials: Sequence[int], judge: Callable[[Court, int], Verdict]
    ) -> Iterator[tuple[int, Verdict]]:
        """Those that arrays do not settle, by balls; what these leave open is inconclusive."""
        evidence, proved = self.court.evidence, _Proved(self.point)
        said = {**evidence.testimonies, Reference.name: Answers(proved)}
        court = replace(
            self.court,
            evidence=replace(evidence, testimonies=said),
            budgets=self.budgets.tolist(),
        )
        for k in partials:
            verdict, truth = judge(court, k), proved[k]
            if isinstance(truth, Certified):
                verdict = replace(verdict, truth=truth.ball)
            yield k, verdict


def plain_partials(evidence: Evidence, tolerance: Tolerance | None) -> list[bool]:
    """For each partial of a large program whether it plainly agrees."""
    proof = evidence.whole(Reference.name, BulkProof)
    assert proof is not None
    trial = BulkTrial(Court(evidence, tolerance), proof)
    plain: list[bool] = (trial.classes.near | trial.classes.explained).tolist()
    return plain


class _Proved(Sequence[Any]):
    """What is proved of each partial, when it is asked for."""

    def __init__(self, point: Point) -> None:
        self._proving, self._size = Proving(point), len(point.keys)

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, k: Any) -> Any:
        return self._proving.partial(k)


def spacing(sizes: Floats, dtype: DType) -> Floats:
    """The spacing of a dtype at some numbers, none of them negative; powers of two."""
    exponents = np.frexp(sizes)[1] - 1
    least, most = dtype.least, dtype.most
    exponents = np.where(sizes > 0, np.clip(exponents, least, most), least)
    found: Floats = np.ldexp(1.0, exponents - dtype.digits + 1)
    return found
