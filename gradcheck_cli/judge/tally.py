"""torch's answers held against cells in bulk: the only comparison of a sweep.

Every class holds whatever the truth is within the cell's error, by the constants of `judge.measure`
and `judge.comparison`; what does not is `pending`, and is checked point by point.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from math import inf, isnan
from typing import TYPE_CHECKING, Any

from gradcheck_cli.judge.distances import distances, ulps_of
from gradcheck_cli.judge.extremes import MOST_KEPT, Extreme, Extremes
from gradcheck_cli.judge.measure import BUDGET_FACTOR
from gradcheck_cli.judge.spans import Spans
from gradcheck_cli.judge.truths import Rooms, Truths
from gradcheck_cli.records.outcome import Outcome
from gradcheck_cli.records.record import FREE_ULPS
from gradcheck_cli.records.sweep_record import ULP_EDGES
from gradcheck_cli.witnesses.line_cells import Beyond, Modelled, Outside
from gradcheck_cli.witnesses.polynomials import ulp_at

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gradcheck_cli.dtypes import DType
    from gradcheck_cli.judge.verdict import Verdict
    from gradcheck_cli.witnesses.line_cells import LineCell
    from gradcheck_cli.worlds.tensors import Tensor

# Points of float64 columns that stay in the second-level cache.
STRIP = 2**14

# What becomes of a point; 0 where that is not sure.
_AGREE, _IMPRECISE, _WRONG = 1, 2, 3
# Points of a part that are checked one by one, and points of its stretches of one outcome of which
# some turn out otherwise, at most; the others are told as not settled.
MOST_PENDING = 4_096
# Room for the rounding of a difference and its bound in float64.
_ROOM = 2.0**-50


@dataclass
class Tally:
    """What becomes of the points of a line.

    Attributes:
        counts: points by outcome; spans of all outcomes but `agree`, and of `pending` points.
        within: points that agree by 4 ulp alone.
        histogram: for each binade of the input, as (is negative, exponent), points by `ULP_EDGES`.
    """

    dtype: DType
    rooms: Rooms
    counts: Counter[Outcome] = field(default_factory=Counter)
    within: int = 0
    spans: dict[Outcome, Spans] = field(default_factory=dict)
    extremes: Extremes = field(default_factory=Extremes)
    histogram: dict[tuple[bool, int], list[int]] = field(default_factory=dict)
    pending: Spans = field(default_factory=lambda: Spans(MOST_PENDING))

    def take(self, cell: LineCell, start: int, x: Tensor, answers: Tensor) -> None:
        """Points of a cell from `start` on, with torch's partials, both in float64."""
        count = len(x)
        if isinstance(cell, Outside):
            self.add(Outcome.UNDEFINED, start, start + count)
        elif isinstance(cell, Beyond):
            right = answers == cell.sign * inf
            self._agree(int(right.sum()))
            self._extreme(Outcome.AGREE, start, 0 * x, right)
            self._count(x[right], None)
            wrong = ~right & ~answers.isfinite()
            self._put(Outcome.WRONG, start, wrong)
            self._extreme(Outcome.WRONG, start, x.new_full(x.shape, inf), wrong)
            self._put(None, start, ~right & ~wrong)
        elif isinstance(cell, Modelled):
            for i in range(0, count, STRIP):
                part = slice(i, i + STRIP)
                self._strip(cell, start + i, x[part], answers[part])
        else:
            self.pending.add(start, start + count)

    def add(self, outcome: Outcome, start: int, stop: int) -> None:
        """Consecutive points of one outcome."""
        self.counts[outcome] += stop - start
        if outcome is not Outcome.AGREE:
            self.spans.setdefault(outcome, Spans()).add(start, stop)

    def insert(self, verdicts: Mapping[int, Verdict]) -> None:
        """Points that were checked by themselves."""
        places: dict[Outcome, list[int]] = {}
        for point, verdict in sorted(verdicts.items()):
            places.setdefault(verdict.outcome, []).append(point)
            ulps = -1.0 if verdict.ulps is None else verdict.ulps
            if verdict.outcome is Outcome.AGREE and ulps == inf:
                ulps = 0.0  # an infinity that is the nearest number
            self.extremes.add(verdict.outcome, [Extreme(point, inf if isnan(ulps) else ulps)])
        for outcome, points in places.items():
            self.counts[outcome] += len(points)
            if outcome is not Outcome.AGREE:
                self.spans.setdefault(outcome, Spans()).insert(points)

    def _agree(self, count: int) -> None:
        self.counts[Outcome.AGREE] += count

    def _put(self, outcome: Outcome | None, start: int, marked: Tensor) -> None:
        """The points that are marked, of one outcome or pending."""
        if not bool(marked.any()):
            return
        import torch

        edges = torch.zeros(len(marked) + 2, dtype=torch.int8, device=marked.device)
        edges[1:-1] = marked
        changes = (edges[1:] != edges[:-1]).nonzero().squeeze(1).add_(start).tolist()
        if outcome is None:
            spans = self.pending
        else:
            spans = self.spans.setdefault(outcome, Spans())
            self.counts[outcome] += int(marked.sum())
        for first, end in zip(changes[::2], changes[1::2], strict=True):
            spans.add(first, end)

    def _strip(self, cell: Modelled, start: int, x: Tensor, answers: Tensor) -> None:
        polynomial = cell.polynomial
        gaps, truth = distances(polynomial, x, answers)
        error, scale = polynomial.error, polynomial.scale
        largest = float(gaps.max())
        # The least spacing in the cell is one for all of it.
        spacing = ulp_at(polynomial.low / scale, self.dtype) * scale
        if not largest * (1 + _ROOM) + error <= FREE_ULPS * spacing:
            rooms = self.rooms
            budgets = (lambda _: rooms.of_cell(cell), lambda at: rooms.of_points(x[at]))
            unlimited = partial(rooms.unlimited, cell)
            found = Truths(gaps, truth.abs(), error, budgets, scale, unlimited=unlimited)
            self.hold(start, x, answers, found)
            return
        self._agree(len(x))
        self.within += len(x)
        worst = self.extremes.worst(Outcome.AGREE)
        is_nearest = largest <= spacing / 2
        if is_nearest:
            self._count(x, None)
        if is_nearest and worst is not None and largest / spacing <= worst.ulps:
            return
        ulps = gaps / self._spacings(truth.abs(), scale)
        self._extreme(Outcome.AGREE, start, ulps, None)
        if not is_nearest:
            self._count(x, ulps)

    def _spacings(self, sizes: Tensor, scale: float) -> Tensor:
        """Of the dtype at numbers that are told times a scale, times it."""
        return (
            ulps_of(sizes, self.dtype) if scale == 1 else ulps_of(sizes / scale, self.dtype) * scale
        )

    def hold(self, start: int, x: Tensor, answers: Tensor, truth: Truths) -> None:
        """Points from `start` on, each held against the truth."""
        import torch

        ulps = truth.gaps / self._spacings(truth.size, truth.scale)
        is_known, outside = truth.marks or (~(truth.gaps < 0), None)
        least = (truth.size * (1 - _ROOM) - truth.error).clamp(min=0)
        free = FREE_ULPS * self._spacings(least, truth.scale)
        near = truth.gaps * (1 + _ROOM) + truth.error <= free  # not where one is NaN
        near &= is_known
        # Whole columns are not copied.
        counted = slice(None) if bool(is_known.all()) else is_known
        self._count(x[counted], ulps[counted])
        self.within += int(near.sum())
        classes = near.to(torch.int8)
        beyond = (~near & is_known).nonzero().squeeze(1)
        if len(beyond):
            classes[beyond] = self._beyond(truth, beyond, answers)
        agree = classes == _AGREE
        self._agree(int(agree.sum()))
        self._extreme(Outcome.AGREE, start, ulps, agree)
        for outcome, number in ((Outcome.IMPRECISE, _IMPRECISE), (Outcome.WRONG, _WRONG)):
            marked = classes == number
            self._put(outcome, start, marked)
            # What is no number is as far off as can be.
            self._extreme(outcome, start, ulps.masked_fill(~answers.isfinite(), inf), marked)
        settled = classes > 0
        if outside is not None:
            self._put(Outcome.UNDEFINED, start, outside)
            settled = settled | outside
        self._put(None, start, ~settled)

    def _beyond(self, truth: Truths, places: Tensor, answers: Tensor) -> Tensor:
        """The classes of points that are further off than the free ulps; 0 where none is sure."""
        import torch

        classes = torch.zeros(len(places), dtype=torch.int8, device=places.device)
        left = torch.arange(len(places), device=places.device)
        for budgets in truth.budgets:
            at = places[left]
            classes[left] = self._classes(truth, at, answers[at], *budgets(at))
            left = (classes == 0).nonzero().squeeze(1)
            if not len(left):
                break
        return classes

    def _classes(self, truth: Truths, at: Tensor, answers: Tensor, low: Any, high: Any) -> Tensor:
        """Those of points at some places, given torch's answers and their budgets."""
        import torch

        dtype, scale, gaps, size = self.dtype, truth.scale, truth.gaps[at], truth.size[at]
        error = truth.error[at] if isinstance(truth.error, torch.Tensor) else truth.error
        up, down = gaps * (1 + _ROOM) + error, gaps * (1 - _ROOM) - error
        least = (size * (1 - _ROOM) - error).clamp(min=0)
        most = size * (1 + _ROOM) + error
        half = (2 * dtype.unit_roundoff) ** 0.5
        explained = up <= BUDGET_FACTOR * low * scale
        nothing = (answers == 0) & (most <= float(dtype.smallest) / 2 * scale) & (least > 0)
        agree = (explained & (up <= half * least)) | nothing
        far = down > FREE_ULPS * self._spacings(most, scale)
        classes = agree.to(torch.int8) * _AGREE
        off = far & explained & (down > half * most) & ~agree
        classes[off] = _IMPRECISE
        # No digit is right of what the dtype could hold, as `Comparison` asks it.
        lost = off & (2 * down >= most) & (least >= float(dtype.least_normal) * scale)
        if truth.unlimited is not None and bool(lost.any()):
            classes[lost & (truth.unlimited() * scale <= half * least)] = _WRONG
        if truth.marks is None:  # what rests on an assumption is proved before it is called wrong
            is_bad = ~answers.isfinite()
            classes[(is_bad | (far & (down > BUDGET_FACTOR * high * scale))) & ~agree] = _WRONG
        return classes

    def _extreme(self, outcome: Outcome, start: int, ulps: Tensor, marked: Tensor | None) -> None:
        """Remember the points that are furthest off, of those that agree one."""
        if marked is not None:
            if not bool(marked.any()):
                return
            ulps = ulps.masked_fill(~marked, -1.0)
        ulps, count = ulps.nan_to_num(inf, inf), 1
        if outcome is not Outcome.AGREE:
            count = min(MOST_KEPT, int((ulps > self.extremes.least(outcome)).sum()))
        places: list[int] = [int(ulps.argmax())] if count == 1 else ulps.topk(count)[1].tolist()
        found = (Extreme(start + place, float(ulps[place])) for place in places)
        self.extremes.add(outcome, found)

    def _count(self, x: Tensor, ulps: Tensor | None) -> None:
        """Enter points into the histogram; without ulps they are all nearest numbers."""
        import torch

        if not len(x):
            return
        kinds = len(ULP_EDGES) + 1
        classes: Tensor = 0
        if ulps is not None:
            edges = torch.tensor(ULP_EDGES, dtype=torch.float64, device=x.device)
            classes = torch.bucketize(ulps.nan_to_num(inf, inf), edges)
        # The sign and the exponent of a float64 are its first 12 bits.
        binades = (x.view(torch.int64) >> 52) & 0xFFF
        low, high = map(int, binades.aminmax())
        if ulps is None and low == high:
            self._enter(low, [len(x)])
            return
        size = (high - low + 1) * kinds
        table = torch.bincount((binades - low) * kinds + classes, minlength=size).view(-1, kinds)
        for k in table.any(1).nonzero().squeeze(1).tolist():
            self._enter(low + k, table[k].tolist())

    def _enter(self, binade: int, numbers: list[int]) -> None:
        """Numbers of points into a row; a binade is a sign and an exponent of float64."""
        sign, exponent = divmod(binade, 1 << 11)
        key = bool(sign), exponent - 1023
        row = self.histogram.setdefault(key, [0] * (len(ULP_EDGES) + 1))
        for place, number in enumerate(numbers):
            row[place] += number
