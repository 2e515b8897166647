"""Stretches of consecutive points, few of them: neighbours grow together where they are many."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# Stretches that are kept before those that are closest to each other are taken together.
MOST_SPANS = 1_024


class Stretch(NamedTuple):
    """Points from `start` up to `stop`, `points` of which are meant."""

    start: int
    stop: int
    points: int

    @property
    def is_whole(self) -> bool:
        """Whether every point of it is meant."""
        return self.points == self.stop - self.start


@dataclass
class Spans:
    """Points of a line by their numbers, added in order."""

    most: int = MOST_SPANS
    _spans: list[Stretch] = field(default_factory=list)

    @classmethod
    def of(cls, spans: Iterable[Stretch]) -> Spans:
        """Stretches in any order."""
        return cls(_spans=grown(sorted(spans)))

    def add(self, start: int, stop: int) -> None:
        """All points of a stretch behind those before."""
        if start >= stop:
            return
        last = self._spans[-1] if self._spans else None
        if last is not None and last.stop == start:
            self._spans[-1] = Stretch(last.start, stop, last.points + stop - start)
            return
        self._spans.append(Stretch(start, stop, stop - start))
        if len(self._spans) > 2 * self.most:
            self._spans = joined(self._spans, self.most)

    def add_span(self, span: Stretch) -> None:
        """A stretch behind those before, as it is."""
        self._spans.append(span)

    def insert(self, points: Iterable[int]) -> None:
        """Single points anywhere."""
        singles = (Stretch(k, k + 1, 1) for k in points)
        self._spans = Spans.of([*self._spans, *singles])._spans

    def __iter__(self) -> Iterator[Stretch]:
        return iter(joined(self._spans, self.most))

    def __len__(self) -> int:
        return sum(span.points for span in self._spans)


def grown(spans: Iterable[Stretch]) -> list[Stretch]:
    """Stretches in the order of their starts, of different points: taken together where they
    overlap, or are neighbours that are whole.
    """
    found: list[Stretch] = []
    for span in spans:
        last = found[-1] if found else None
        if last is not None and (
            span.start < last.stop or (last.stop == span.start and last.is_whole and span.is_whole)
        ):
            stop = max(last.stop, span.stop)
            found[-1] = Stretch(last.start, stop, last.points + span.points)
        else:
            found.append(span)
    return found


def joined(spans: Iterable[Stretch], most: int) -> list[Stretch]:
    """At most so many stretches that hold the same points: those with the least between them are
    taken together.
    """
    found = sorted(spans)
    if len(found) <= most:
        return found
    gaps = sorted((b.start - a.stop, k) for k, (a, b) in enumerate(pairwise(found)))
    closed = {k for _, k in gaps[: len(found) - most]}
    whole: list[Stretch] = [found[0]]
    for k, span in enumerate(found[1:]):
        if k in closed:
            last = whole[-1]
            whole[-1] = Stretch(last.start, span.stop, last.points + span.points)
        else:
            whole.append(span)
    return whole
