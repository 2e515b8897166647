"""Single points of a hunt, judged as `check` does: by the reference and torch alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf, isfinite
from typing import TYPE_CHECKING

import numpy as np

from gradcheck_cli.checks.check import judge_part
from gradcheck_cli.checks.hearing import Heard
from gradcheck_cli.records.outcome import Outcome
from gradcheck_cli.witnesses import Abstention
from gradcheck_cli.witnesses.autograd import Autograd
from gradcheck_cli.witnesses.reference import Reference

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gradcheck_cli.hunting.space import Places, Space
    from gradcheck_cli.judge.verdict import Verdict
    from gradcheck_cli.records.outcome import Cause
    from gradcheck_cli.symbolic.client import Analyst

# Points that are heard together.
_TOGETHER = 256
# Outcomes of which an example is kept for each cause.
_BY_CAUSE = (Outcome.WRONG, Outcome.UNDEFINED)
_UNASKED = Abstention("not asked of every point of a hunt")


@dataclass(frozen=True)
class Judged:
    """A point, and the worst of its partials.

    Attributes:
        partial: which one that is.
        ulps: how far torch is off; infinite where it answers no finite number, 0 where nothing can
            be measured.
        excess: its error over the largest that agrees, likewise.
    """

    place: tuple[int, ...]
    partial: int
    outcome: Outcome
    cause: Cause | None
    ulps: float
    excess: float

    @property
    def severity(self) -> tuple[int, float, float]:
        """Greater for what is worse."""
        return -self.outcome.rank, self.excess, self.ulps

    @property
    def kind(self) -> tuple[Outcome, Cause | None]:
        """What it is an example of: several causes of wrong gradients are several defects, and a
        pole is another thing than what lies outside a domain.
        """
        return self.outcome, self.cause if self.outcome in _BY_CAUSE else None


def judged(place: tuple[int, ...], verdicts: Iterable[Verdict]) -> Judged:
    """A point by its verdicts."""
    found = [_judged(place, k, verdict) for k, verdict in enumerate(verdicts)]
    return max(found, key=lambda each: each.severity)


def _judged(place: tuple[int, ...], partial: int, verdict: Verdict) -> Judged:
    ulps, excess = _size(verdict.ulps), _size(verdict.error)
    if verdict.outcome is Outcome.AGREE and ulps == inf:  # so is the derivative, in the dtype
        ulps = excess = 0.0
    if 0 < excess < inf and verdict.tolerance is not None:
        excess = excess / verdict.tolerance if verdict.tolerance > 0 else inf
    return Judged(place, partial, verdict.outcome, verdict.cause, ulps, excess)


def _size(measured: float | None) -> float:
    if measured is None:
        return 0.0
    return measured if isfinite(measured) else inf


@dataclass
class Judge:
    """Who judges points, each once.

    Attributes:
        analyst: SymPy, which may be asked of zeros; None for nobody.
        asked: how many points were judged.
    """

    space: Space
    analyst: Analyst | None = None
    asked: int = 0
    known: dict[tuple[int, ...], Judged] = field(default_factory=dict)

    def judge(self, places: Places) -> list[Judged]:
        """Points that are not judged yet; each is known as soon as it is."""
        rows = dict.fromkeys(map(tuple, places.tolist()))
        new = [row for row in rows if row not in self.known]
        for i in range(0, len(new), _TOGETHER):
            for row, verdicts in zip(
                new[i : i + _TOGETHER], self._verdicts(new[i : i + _TOGETHER]), strict=True
            ):
                self.known[row] = judged(row, verdicts)
                self.asked += 1
        return [self.known[row] for row in new]

    def _verdicts(self, rows: list[tuple[int, ...]]) -> Iterator[tuple[Verdict, ...]]:
        # torch may answer otherwise where it computes one number: no point is heard alone.
        places = np.array(rows if len(rows) > 1 else [*rows, *rows], dtype=np.int64)
        batch = self.space.batch(places)
        said = {w.name: w.answer(batch) for w in (Reference(), Autograd())}
        heard = Heard(batch, {**said, "numeric": _UNASKED}, self.analyst)
        for k in range(len(rows)):
            yield judge_part(heard, k, None)[1]
