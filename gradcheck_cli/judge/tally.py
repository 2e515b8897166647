"""torch's answers held against cells in bulk: the only comparison of a sweep.

Every class holds whatever the truth is within the cell's error, by the constants of `judge.measure`
and `judge.comparison`; what does not is `pending`, and is checked point by point.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from math import copysign, frexp, inf
from typing import TYPE_CHECKING, Any, TypeAlias

from gradcheck_cli.judge.measure import BUDGET_FACTOR
from gradcheck_cli.judge.spans import Spans
from gradcheck_cli.records.outcome import Outcome
from gradcheck_cli.records.record import FREE_ULPS
from gradcheck_cli.records.sweep_record import ULP_EDGES
from gradcheck_cli.witnesses.cells import Beyond, Modelled, Outside
from gradcheck_cli.witnesses.polynomials import ulp_at

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gradcheck_cli.dtypes import DType
    from gradcheck_cli.judge.verdict import Verdict
    from gradcheck_cli.witnesses.cells import Cell
    from gradcheck_cli.witnesses.polynomials import Polynomial

Tensor: TypeAlias = Any  # torch is imported where it is used

# Points of float64 columns that stay in the second-level cache.
STRIP = 2**14

# Points that are checked one by one, at most; the others are told as not settled.
MOST_PENDING = 4_096
# Room for the rounding of a difference and its bound in float64.
_ROOM = 2.0**-50
# The exponent below that of the least normal float64.
_BELOW = -1023


@dataclass
class Extreme:
    """The point of a class that is furthest off.

    Attributes:
        ulps: infinite where torch answers no number.
    """

    point: int
    ulps: float


@dataclass
class Tally:
    """What becomes of the points of a line.

    Attributes:
        budget: (least, most) rounding of torch's gradient over a cell.
        counts: points by outcome; spans of all outcomes but `agree`, and of `pending` points.
        within: points that agree by 4 ulp alone.
        histogram: for each binade of the input, as (is negative, exponent), points by `ULP_EDGES`.
    """

    dtype: DType
    budget: Callable[[Cell], tuple[float, float]]
    counts: Counter[Outcome] = field(default_factory=Counter)
    within: int = 0
    spans: dict[Outcome, Spans] = field(default_factory=dict)
    extremes: dict[Outcome, Extreme] = field(default_factory=dict)
    histogram: dict[tuple[bool, int], list[int]] = field(default_factory=dict)
    pending: Spans = field(default_factory=lambda: Spans(MOST_PENDING))

    def take(self, cell: Cell, start: int, x: Tensor, answers: Tensor) -> None:
        """Points of a cell from `start` on, with torch's partials, both in float64."""
        count = len(x)
        if isinstance(cell, Outside):
            self.add(Outcome.UNDEFINED, start, start + count)
        elif isinstance(cell, Beyond):
            right = answers == cell.sign * inf
            self._agree(int(right.sum()))
            self._put(None, start, ~right)
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
            known = self.extremes.get(verdict.outcome)
            if known is None or not ulps <= known.ulps:
                self.extremes[verdict.outcome] = Extreme(point, ulps)
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
            self._each(cell, start, x, answers, gaps, truth.abs())
            return
        self._agree(len(x))
        self.within += len(x)
        worst = self.extremes.get(Outcome.AGREE)
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

    def _each(
        self, cell: Modelled, start: int, x: Tensor, answers: Tensor, gaps: Tensor, size: Tensor
    ) -> None:
        """Points of which some may be more than 4 ulp off."""
        dtype, error, scale = self.dtype, cell.polynomial.error, cell.polynomial.scale
        ulps = gaps / self._spacings(size, scale)
        self._count(x, ulps)
        least = (size - error).clamp(min=0)
        up, down = gaps * (1 + _ROOM) + error, gaps * (1 - _ROOM) - error
        near = up <= FREE_ULPS * self._spacings(least, scale)  # not where one is NaN
        self.within += int(near.sum())
        low, high = (0.0, inf) if bool(near.all()) else self.budget(cell)
        half = (2 * dtype.unit_roundoff) ** 0.5
        explained = up <= BUDGET_FACTOR * low * scale
        nothing = (answers == 0) & (size + error <= float(dtype.smallest) / 2 * scale)
        agree = near | (explained & (up <= half * least)) | (nothing & (least > 0))
        is_bad = ~answers.isfinite()
        far = down > FREE_ULPS * self._spacings(size + error, scale)
        imprecise = far & explained & (down > half * (size + error))
        wrong = is_bad | (far & (down > BUDGET_FACTOR * high * scale))
        self._agree(int(agree.sum()))
        self._extreme(Outcome.AGREE, start, ulps, agree)
        for outcome, marked in ((Outcome.IMPRECISE, imprecise), (Outcome.WRONG, wrong)):
            self._put(outcome, start, marked)
            self._extreme(outcome, start, ulps.masked_fill(is_bad, inf), marked)
        self._put(None, start, ~(agree | imprecise | wrong))

    def _extreme(self, outcome: Outcome, start: int, ulps: Tensor, marked: Tensor | None) -> None:
        """Remember the point that is furthest off, the first of several."""
        if marked is not None:
            if not bool(marked.any()):
                return
            ulps = ulps.masked_fill(~marked, -1.0)
        place = int(ulps.nan_to_num(inf, inf).argmax())
        found, known = float(ulps[place]), self.extremes.get(outcome)
        if known is None or found > known.ulps:
            self.extremes[outcome] = Extreme(start + place, found)

    def _count(self, x: Tensor, ulps: Tensor | None) -> None:
        """Enter points into the histogram; without ulps they are all nearest numbers."""
        import torch

        first = _binade(float(x[0]))
        if first != _binade(float(x[-1])):
            binades = x.view(torch.int64) >> 52
            changes = (binades[1:] != binades[:-1]).nonzero().squeeze(1).tolist()
            for i, j in pairwise([0, *(k + 1 for k in changes), len(x)]):
                self._count(x[i:j], None if ulps is None else ulps[i:j])
            return
        row = self.histogram.setdefault(first, [0] * (len(ULP_EDGES) + 1))
        if ulps is None:
            row[0] += len(x)
            return
        edges = torch.tensor(ULP_EDGES, dtype=torch.float64, device=x.device)
        classes = torch.bucketize(ulps.nan_to_num(inf, inf), edges)
        for k, number in enumerate(torch.bincount(classes, minlength=len(row)).tolist()):
            row[k] += number


def distances(p: Polynomial, x: Tensor, answers: Tensor) -> tuple[Tensor, Tensor]:
    """|answer - truth| times the polynomial's scale, and the truth times it, in float64."""
    answers = answers * p.scale if p.scale != 1.0 else answers
    if p.rests:
        truth, rest = _pairs(p, x)
        return (answers - truth).sub_(rest).abs_(), truth
    if len(p.coefficients) == 1:
        truth = answers.new_full(answers.shape, p.coefficients[0])
        return (answers - p.coefficients[0]).abs_(), truth
    t = (x - p.centre).mul_(1.0 / p.width)
    truth = t * p.coefficients[-1]
    for coefficient in p.coefficients[-2:0:-1]:
        truth.add_(coefficient).mul_(t)
    truth.add_(p.coefficients[0])
    return (answers - truth).abs_(), truth


def _pairs(p: Polynomial, x: Tensor) -> tuple[Tensor, Tensor]:
    """The truth as a sum of two: the leading product and sum are exact, by halves of 24 bits and by
    the error of a sum.

    Source: Knuth 1969, section 4.2.2, theorem B; Dekker 1971 for products of halves.
    """
    first, *more = p.coefficients
    if not more:
        truth = x.new_full(x.shape, first)
        return truth, truth.new_full(x.shape, p.rests[0])
    t = (x - p.centre).mul_(1.0 / p.width)
    upper = t.float().double()
    product = upper * more[0]
    truth = product + first
    back = truth - product
    rest = (first - back).add_(product.sub_(truth - back)).add_((t - upper).mul_(more[0]))
    further = t * 0.0
    for coefficient in more[:0:-1]:
        further.add_(coefficient).mul_(t)
    further.add_(p.rests[1]).mul_(t)
    return truth, rest.add_(further).add_(p.rests[0])


def ulps_of(sizes: Tensor, dtype: DType) -> Tensor:
    """Spacing of a dtype at numbers of float64 that are not below 0, from their exponents."""
    import torch

    bits = sizes.view(torch.int64) & (0x7FF << 52)
    least, down = (dtype.least + 1023) << 52, (dtype.digits - 1) << 52
    if least > down:
        return bits.clamp_(min=least).sub_(down).view(torch.float64)
    # Of float64 itself: subnormal spacings have no exponent of their own.
    return bits.clamp_(min=1 << 52).view(torch.float64) * 2.0 ** (1 - dtype.digits)


def _binade(value: float) -> tuple[bool, int]:
    """Whether a number is negative, and its exponent; all of what is below float64's normal numbers
    has that below theirs.
    """
    exponent = max(frexp(value)[1] - 1, _BELOW) if value else _BELOW
    return copysign(1.0, value) < 0, exponent
