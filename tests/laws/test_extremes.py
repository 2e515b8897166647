"""Law: the worst point of an outcome is the worst of those that were not taken back."""

from __future__ import annotations

from gradcheck_cli.judge.extremes import MOST_KEPT, Extreme, Extremes
from gradcheck_cli.judge.spans import Stretch
from gradcheck_cli.records.outcome import Outcome

from .points import seeded


def test_the_worst_is_that_of_all_that_remain():
    """As long as not all that are kept are taken back; the first of several."""
    random = seeded("extremes")
    for _ in range(200):
        extremes, known = Extremes(), {}
        for _ in range(random.randrange(1, 6)):
            some = {random.randrange(1_000): random.randrange(50) / 2 for _ in range(40)}
            known |= some
            extremes.add(Outcome.WRONG, (Extreme(*each) for each in some.items()))
        kept = sorted(known, key=lambda point: (-known[point], point))[:MOST_KEPT]
        start = random.randrange(1_000)
        stop = random.randrange(start, 1_001)
        extremes.drop(Outcome.WRONG, Stretch(start, stop, stop - start))
        left = [point for point in kept if not start <= point < stop]
        worst = extremes.worst(Outcome.WRONG)
        assert (worst and worst.point) == (left[0] if left else None)
        assert extremes.worst(Outcome.IMPRECISE) is None


def test_what_is_not_worse_need_not_be_added():
    """`least` says which."""
    extremes = Extremes()
    assert extremes.least(Outcome.WRONG) == -1
    extremes.add(Outcome.WRONG, (Extreme(k, float(k)) for k in range(MOST_KEPT)))
    assert extremes.least(Outcome.WRONG) == 0
    extremes.add(Outcome.WRONG, [Extreme(MOST_KEPT, 0.5)])
    assert extremes.least(Outcome.WRONG) == 0.5
