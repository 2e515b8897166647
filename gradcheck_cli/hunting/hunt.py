"""A hunt: candidates screened in bulk, the worst of them judged, and climbed from."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING

import numpy as np

from gradcheck_cli.hunting.draws import Drawer, lines, remarkable, round_points
from gradcheck_cli.hunting.edges import Edges, interleaved
from gradcheck_cli.hunting.screening import Screen, binades
from gradcheck_cli.records.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from gradcheck_cli.hunting.judging import Judge, Judged
    from gradcheck_cli.hunting.space import Places, Space
    from gradcheck_cli.records.outcome import Cause

# Points that are judged between two looks at the clock, at most.
ROUND = 512
# Of a round, the worst screened and others; the rest is for climbing.
_WORST, _OTHERS = 192, 64
# Starts of climbs in a round, and points that one may take.
_CLIMBS, _OF_CLIMB = 4, 64
# Points on the way of a climb that are judged at each step.
_OF_STEP = 8
# Fixed values of the other inputs along which edges are looked for.
_BASES = 6
_ROUND_NUMBERS = "at edges and round numbers"
# How many points are near the worst so far, of those that are drawn.
_NEAR = 1 / 2
# What a climb can make worse.
_CLIMBED = (Outcome.WRONG, Outcome.IMPRECISE, Outcome.AGREE)


@dataclass
class Hunter:
    """One hunt.

    Attributes:
        left: whether so many points judged so far leave something of the budget.
        most: points that are judged at most; None where only time ends the hunt.
        sources: how many points were judged from where.
        screened: how many points were looked at in bulk.
        is_whole: whether every point of the space was judged; `is_screened` the same of screening.
    """

    space: Space
    judge: Judge
    seed: int
    left: Callable[[int], bool]
    most: int | None
    sources: Counter[str] = field(default_factory=Counter)
    screened: int = 0
    is_whole: bool = False
    is_screened: bool = False
    _of_kind: dict[tuple[Outcome, Cause | None], Judged] = field(default_factory=dict)
    _of_binade: dict[int, Judged] = field(default_factory=dict)
    _climbed: set[tuple[tuple[int, ...], str]] = field(default_factory=set)
    _next: int = 0

    def run(self) -> Iterator[int]:
        """Hunt; after each round the number of points judged so far."""
        if self.space.size <= (self.most or ROUND):
            yield from self._every_point()
            return
        self._random = np.random.default_rng(self.seed)
        self._drawer = Drawer(self.space, self._random)
        self._screen = Screen(self.space)
        yield from self._remarkable()
        while self.left(self.judge.asked):
            yield self._round()

    @property
    def finds(self) -> list[Judged]:
        """The worst point of each kind, the worst kind first."""
        return sorted(self._of_kind.values(), key=_by_excess, reverse=True)

    def _every_point(self) -> Iterator[int]:
        """All points of a small space."""
        sizes = [axis.size for axis in self.space.axes]
        for start in range(0, self.space.size, ROUND):
            stop = min(start + ROUND, self.space.size)
            indices = np.unravel_index(np.arange(start, stop), sizes)
            rows = np.stack(indices, axis=1).astype(np.int64) + self.space.firsts
            self._judge(self.space.within(rows), "one after the other")
            yield self.judge.asked
        self.is_whole = True

    def _remarkable(self) -> Iterator[int]:
        """Edges and round numbers: half the budget is for them at most."""
        most = (self.most or 8 * ROUND) // 2
        # torch may never come back from huge numbers: these are small.
        self._judge(np.array(round_points(self.space), dtype=np.int64)[:most], _ROUND_NUMBERS)
        yield self.judge.asked
        edges = Edges(self.space)
        found = [
            edge
            for axis, grid in lines(self.space, self._random, _BASES)
            for edge in edges.along(axis, grid)
        ]
        points = interleaved(found)
        if len(self.space.axes) == 1:
            points += [(place,) for place in remarkable(self.space, self.space.axes[0]).tolist()]
        rows = self.space.within(np.array(points, dtype=np.int64)[:most])
        for i in range(0, len(rows), ROUND):
            self._judge(rows[i : i + ROUND], _ROUND_NUMBERS)
            yield self.judge.asked

    def _judge(self, places: Places, source: str) -> list[Judged]:
        """Points that are judged, as far as the budget goes."""
        if self.most is not None:
            fresh = [row for row in map(tuple, places.tolist()) if row not in self.judge.known]
            fresh = list(dict.fromkeys(fresh))[: self.most - self.judge.asked]
            places = np.array(fresh, dtype=np.int64).reshape(-1, places.shape[1])
        found = self.judge.judge(places)
        self.sources[source] += len(found)
        self._keep(found)
        return found

    def _keep(self, found: list[Judged]) -> None:
        """The worst of each kind, and of what can be measured the worst of each binade."""
        for each in found:
            best = self._of_kind.setdefault(each.kind, each)
            if _by_ulps(each) > _by_ulps(best):
                self._of_kind[each.kind] = each
        measured = [each for each in found if 0 < each.excess < inf]
        if not measured:
            return
        places = np.array([each.place for each in measured], dtype=np.int64)
        for bin_, each in zip(binades(places, self.space).tolist(), measured, strict=True):
            best = self._of_binade.setdefault(bin_, each)
            if _by_excess(each) > _by_excess(best):
                self._of_binade[bin_] = each

    def _round(self) -> int:
        """Draw, screen, judge, climb."""
        places = self._candidates()
        errors = self._screen.errors(places)
        self.screened += len(places)
        self._judge(places[self._chosen(places, errors)], "drawn")
        for start, measure in self._starts():
            self._climb(start, measure)
        return self.judge.asked

    def _candidates(self) -> Places:
        """Points to be screened: all of the range one after the other where that takes few rounds,
        else draws, half of them near the worst so far.
        """
        block, (axis, *others) = self._screen.block, self.space.axes
        if not others and axis.size <= 64 * block and self._next < axis.size:
            start, self._next = self._next, min(self._next + block, axis.size)
            self.is_screened = self._next == axis.size
            steps = np.arange(start, self._next, dtype=np.int64)
            return self.space.within((steps + axis.first)[:, None])
        hot = self._hot()
        near = int(block * _NEAR) if hot else 0
        drawn = self._drawer.draw(block - near)
        return np.concatenate([drawn, self._drawer.around(hot, near)]) if near else drawn

    def _hot(self) -> list[tuple[int, ...]]:
        """The worst points so far, of each kind and of some binades."""
        found = [find.place for find in self.finds if find.outcome in _CLIMBED]
        return list(dict.fromkeys([*found, *(each.place for each in self._worst_of_binades(8))]))

    def _worst_of_binades(self, count: int) -> list[Judged]:
        """The points nearest to being wrong, one a binade."""
        return sorted(self._of_binade.values(), key=_by_excess, reverse=True)[:count]

    def _chosen(self, places: Places, errors: np.ndarray) -> np.ndarray:
        """Which candidates are judged: those with the largest errors of all, and of each binade;
        some others, since an estimate may be wrong.
        """
        order = np.argsort(-errors, kind="stable")
        _, first = np.unique(binades(places[order], self.space), return_index=True)
        best = order[np.sort(first)]
        worst = np.concatenate([order[: _WORST // 2], best[: _WORST // 2]])
        others = self._random.integers(0, len(places), _OTHERS // 2)
        rest = best[self._random.integers(0, len(best), _OTHERS // 2)]
        return np.concatenate([worst, rest, others])

    def _starts(self) -> Iterable[tuple[Judged, str]]:
        """Where climbs begin, by which measure; no climb begins twice."""
        found = [(each, "ulps") for each in self.finds if each.outcome in _CLIMBED]
        found += [(each, "excess") for each in self._worst_of_binades(_CLIMBS)]
        new = [(s, m) for s, m in found if (s.place, m) not in self._climbed and 0 < s.ulps < inf]
        return new[: 2 * _CLIMBS]

    def _climb(self, start: Judged, measure: str) -> None:
        """Go to a worse neighbour as long as there is one."""
        by = _by_ulps if measure == "ulps" else _by_excess
        left = _OF_CLIMB
        while left > 0:
            self._climbed.add((start.place, measure))
            rows = self._neighbours(start.place)
            errors = self._screen.errors(rows)
            self.screened += len(rows)
            order = np.argsort(-errors, kind="stable")[: min(_OF_STEP, left)]
            found = self._judge(rows[order], "climbed")
            left -= max(len(found), 1)
            best = max(found, key=by, default=start)
            if by(best) <= by(start):
                return
            start = best

    def _neighbours(self, place: tuple[int, ...]) -> Places:
        """Points 1, 2, 4, ... places away in each input, and in all at once."""
        steps = np.exp2(np.arange(self.space.dtype.digits)).astype(np.int64)
        steps = np.concatenate([steps, -steps])
        count = len(place)
        moves = [np.eye(count, dtype=np.int64)[k] * step for k in range(count) for step in steps]
        if count > 1:
            signs = np.where(self._random.random((64, count)) < 1 / 2, -1, 1)
            sizes = self._random.integers(0, self.space.dtype.digits - 1, (64, count))
            moves += list(signs * np.exp2(sizes).astype(np.int64))
        rows = np.array(place, dtype=np.int64) + np.array(moves)
        return np.unique(self.space.within(rows), axis=0)


def _by_ulps(each: Judged) -> tuple[int, float, float]:
    return -each.outcome.rank, each.ulps, each.excess


def _by_excess(each: Judged) -> tuple[int, float, float]:
    return each.severity
