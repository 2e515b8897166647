"""Single points of a sweep, checked as `check` does."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from gradcheck_cli.checks.check import judge_part
from gradcheck_cli.checks.hearing import Heard
from gradcheck_cli.questions.batch import Batch
from gradcheck_cli.records.numbers import typed_text
from gradcheck_cli.witnesses import Abstention
from gradcheck_cli.witnesses.autograd import Autograd
from gradcheck_cli.witnesses.reference import Reference

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gradcheck_cli.judge.verdict import Verdict
    from gradcheck_cli.sweeps.asked import SweepQuestion
    from gradcheck_cli.symbolic.client import Analyst

# Points that are heard together.
_TOGETHER = 256
_UNASKED = Abstention("not asked of every point of a sweep")


@dataclass(frozen=True)
class Alone:
    """Who checks single points.

    Attributes:
        analyst: SymPy, which may be asked of zeros; None for nobody.
    """

    asked: SweepQuestion
    analyst: Analyst | None = None

    def batch(self, points: Sequence[int], spelled: Mapping[str, str] | None = None) -> Batch:
        """Some points of the track as a batch.

        Args:
            spelled: how inputs are written in the commands that reproduce them.
        """
        asked, count = self.asked, len(points)
        columns = {name: np.full(count, value) for name, value in asked.numbers.items()}
        places = [asked.track.at(k) for k in points]
        columns |= {name: np.array([p[name] for p in places]) for name in asked.sweep.ranges}
        return Batch(
            asked.question,
            asked.prepared,
            columns,
            asked.dtype,
            asked.device,
            rounded=((),) * count,
            spelled=(spelled or {},) * count,
        )

    def one(self, point: int) -> Batch:
        """One point as torch answers it among many. Where its code for a single number answers
        otherwise the point stands twice, in the command that reproduces it too.
        """
        alone = self.batch([point])
        (single,), among = self._heard(alone), next(self.verdicts([point]))
        if (single.outcome, single.ulps) == (among.outcome, among.ulps):
            return alone
        numbers = {n: typed_text(value) for n, value in self.asked.track.at(point).items()}
        return self.batch([point, point], {n: f"[{text}, {text}]" for n, text in numbers.items()})

    def verdicts(self, points: Sequence[int]) -> Iterator[Verdict]:
        """One for each point, without its reasons: the reference and torch alone are heard."""
        for i in range(0, len(points), _TOGETHER):
            some = points[i : i + _TOGETHER]
            # torch has other code for a single number than for many.
            batch = self.batch(some if len(some) > 1 else [*some, *some])
            yield from islice(self._heard(batch), len(some))

    def _heard(self, batch: Batch) -> Iterator[Verdict]:
        said = {w.name: w.answer(batch) for w in (Reference(), Autograd())}
        heard = Heard(batch, {**said, "numeric": _UNASKED}, self.analyst)
        for k in range(len(batch)):
            _, (verdict,), _ = judge_part(heard, k, None, [self.asked.partial], brief=True)
            yield verdict
