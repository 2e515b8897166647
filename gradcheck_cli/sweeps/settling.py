"""What bulk leaves open is checked point by point; what it says is `wrong` or `imprecise` is tried
at the ends of each stretch, at its worst point and inside.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING

from gradcheck_cli.judge.spans import Spans, Stretch, grown, joined
from gradcheck_cli.judge.tally import MOST_PENDING
from gradcheck_cli.questions.ranges import bytes_of
from gradcheck_cli.records.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gradcheck_cli.judge.tally import Tally
    from gradcheck_cli.judge.verdict import Verdict
    from gradcheck_cli.sweeps.alone import Alone

# Stretches of one outcome that are tried, and points of each beside its ends.
_MOST_TRIED, _INSIDE = 32, 2
_UNREACHED = "bulk leaves this open, and it is more points than are checked singly"


@dataclass
class Settled:
    """What single checks made of a tally.

    Attributes:
        alone: how many points were checked by themselves.
        unsettled: stretches of which nothing is shown, and why.
    """

    alone: int = 0
    unsettled: list[tuple[Stretch, str]] = field(default_factory=list)


def settle(tally: Tally, judge: Alone, seed: int) -> Settled:
    """Move all points of a tally to the outcomes that they have by themselves."""
    settled = Settled()
    for outcome in (Outcome.WRONG, Outcome.IMPRECISE):
        _try(tally, outcome, judge, settled, Random(f"{seed}:{outcome}"))  # noqa: S311 - nothing secret: the same points every time
    _finish(tally, judge, settled, Random(f"{seed}:open"))  # noqa: S311 - as above
    return settled


def _most_alone(tally: Tally) -> int:
    """Points that are checked singly, and points of stretches of one outcome of which some turn out
    otherwise: all numbers of 16 bits.
    """
    return 2**16 if bytes_of(tally.dtype) == 2 else MOST_PENDING


def _try(tally: Tally, outcome: Outcome, judge: Alone, settled: Settled, random: Random) -> None:
    """Hold stretches of an outcome against single checks; one that holds points of another outcome
    is pending, or not settled.
    """
    kept, known = Spans(), tally.extremes.worst(outcome)
    spans = list(joined(tally.spans.pop(outcome, Spans()), _MOST_TRIED))
    points = set[int]()
    for span in spans:
        inside = (random.randrange(span.start, span.stop) for _ in range(_INSIDE))
        points |= {span.start, span.stop - 1, *(inside if span.is_whole else ())}
        if known is not None and span.start <= known.point < span.stop:
            points.add(known.point)
    tried = _checked(judge, sorted(points), settled)
    for span in spans:
        found = {v.outcome for k, v in tried.items() if span.start <= k < span.stop}
        if found == {outcome}:
            kept.add_span(span)
            continue
        tally.counts[outcome] -= span.points
        tally.extremes.drop(outcome, span)
        is_small = settled.alone + span.points <= _most_alone(tally)
        if is_small and span.is_whole:
            verdicts = _checked(judge, range(span.start, span.stop), settled)
            # It was proved to be off: torch has answered otherwise this time.
            right = [k for k, v in verdicts.items() if v.outcome is Outcome.AGREE]
            tally.insert({k: v for k, v in verdicts.items() if k not in set(right)})
            why = f"in bulk torch's answer is {outcome}, and agrees when torch is asked again"
            otherwise = grown(Stretch(k, k + 1, 1) for k in right)
            settled.unsettled += [(stretch, why) for stretch in otherwise]
        else:
            others = ", ".join(sorted(map(str, found - {outcome})))
            why = f"bulk says {outcome}, single checks say {others} of some"
            settled.unsettled.append((span, why))
    if len(kept):
        singles = tally.spans.get(outcome, Spans())
        tally.spans[outcome] = Spans.of([*kept, *singles])


def _finish(tally: Tally, judge: Alone, settled: Settled, random: Random) -> None:
    """Check pending points, small stretches first, as many as are checked singly; and a few of each
    stretch that is too long for that.
    """
    found: dict[int, Verdict] = {}
    left, tried = _most_alone(tally), 0
    for span in sorted(tally.pending, key=lambda span: (span.stop - span.start, span.start)):
        size = span.stop - span.start
        if size > left or not span.is_whole:
            if span.is_whole and tried < _MOST_TRIED:
                tried += 1
                inside = {random.randrange(span.start, span.stop) for _ in range(_INSIDE)}
                some = sorted({span.start, span.stop - 1, *inside})
                found |= _checked(judge, some, settled)
                size -= len(some)
            else:
                size = span.points
            if size:
                settled.unsettled.append((Stretch(span.start, span.stop, size), _UNREACHED))
            continue
        left -= size
        found |= _checked(judge, range(span.start, span.stop), settled)
    tally.insert(found)


def _checked(judge: Alone, points: Sequence[int], settled: Settled) -> dict[int, Verdict]:
    settled.alone += len(points)
    return dict(zip(points, judge.verdicts(points), strict=True))
