"""What is said of a hunt, in sentences."""

from __future__ import annotations

from collections import Counter
from math import inf
from typing import TYPE_CHECKING

from gradcheck_cli.records.outcome import Outcome
from gradcheck_cli.records.record import FREE_ULPS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gradcheck_cli.hunting.hunt import Hunter
    from gradcheck_cli.hunting.judging import Judged
    from gradcheck_cli.hunting.space import Space


IN_BATCHES = "torch answers this where it computes several numbers at once, and alone it does not"


def case_note(space: Space, find: Judged, simple: Judged) -> str:
    """What a point was shrunk from; empty if it was not."""
    is_dull = find.outcome is Outcome.AGREE and find.ulps <= FREE_ULPS
    if is_dull or simple.place == find.place:
        return ""
    at = ", ".join(f"{name}={value!r}" for name, value in space.values(find.place).items())
    far = f", {find.ulps:.4g} ulp off" if 0 < find.ulps < inf else ""
    return f"a simpler point than the one found, which is {at}{far}"


def hunt_notes(hunter: Hunter, over: str, judged: int, finds: Sequence[Judged]) -> Iterator[str]:
    """How a hunt went, what it did not try, and that nothing was found where that is so."""
    space = hunter.space
    counts = Counter(each.outcome for each in hunter.judge.known.values())
    outcomes = ", ".join(f"{counts[o]:,} {o}" for o in Outcome if counts[o])
    if hunter.is_whole:
        how, rest = "every one there is", ""
    else:
        how = ", ".join(f"{n:,} {source}" for source, n in hunter.sources.items() if n)
        how = f"{how}; {hunter.screened:,} were screened; seed {hunter.seed}"
        screened = " but screened" if hunter.is_screened else ""
        rest = f"; the other {_count(space.size - judged)} are not judged{screened}"
    points = f"{judged:,} points of {over} in {space.dtype.name} are judged ({how})"
    yield f"{points}: {outcomes}{rest}"
    if finds[0].outcome is Outcome.AGREE:
        most = max(find.ulps for find in finds)
        yield f"nothing worse than agree was found: torch is off by {most:.3g} ulp at most"


def _count(number: int) -> str:
    return f"{number:,}" if number < _EXACT else f"{number:.3g}"


# Larger numbers are told by their size.
_EXACT = 10**12
