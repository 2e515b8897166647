"""Of each outcome the points that are furthest off."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gradcheck_cli.judge.spans import Stretch
    from gradcheck_cli.records.outcome import Outcome

# So many are kept, since what was counted may turn out otherwise.
MOST_KEPT = 64


@dataclass(frozen=True)
class Extreme:
    """A point.

    Attributes:
        ulps: how far off; infinite where torch answers no number.
    """

    point: int
    ulps: float


@dataclass
class Extremes:
    """Those of each outcome, the worst first; of several that are as far off the first point."""

    _known: dict[Outcome, list[Extreme]] = field(default_factory=dict)

    def worst(self, outcome: Outcome) -> Extreme | None:
        """That of an outcome; None where none is known."""
        return next(iter(self._known.get(outcome, ())), None)

    def least(self, outcome: Outcome) -> float:
        """What a point must be off by to be kept; -1 while there is room."""
        known = self._known.get(outcome, [])
        return known[-1].ulps if len(known) == MOST_KEPT else -1.0

    def add(self, outcome: Outcome, found: Iterable[Extreme]) -> None:
        """More of them; a point may come twice."""
        known = {each.point: each for each in (*self._known.get(outcome, ()), *found)}
        worst_first = sorted(known.values(), key=lambda each: (-each.ulps, each.point))
        self._known[outcome] = worst_first[:MOST_KEPT]

    def drop(self, outcome: Outcome, span: Stretch) -> None:
        """Forget those of a stretch."""
        known = self._known.get(outcome, ())
        self._known[outcome] = [e for e in known if not span.start <= e.point < span.stop]
