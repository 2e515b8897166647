"""What is said of a hunt, in sentences."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from gradcheck_cli.records.outcome import Outcome
from gradcheck_cli.records.record import FREE_ULPS

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator, Sequence

    from gradcheck_cli.hunting.hunt import Hunter
    from gradcheck_cli.hunting.judging import Judged
    from gradcheck_cli.hunting.space import Space


def case_note(space: Space, find: Judged, simple: Judged, count: int) -> str:
    """What a point is the worst of, and what it was shrunk from."""
    points = "1 point that is" if count == 1 else f"{count:,} points that are"
    of_cause = f" by {find.cause}" if find.kind[1] is not None else ""
    note = f"the worst{of_cause} of {points} {find.outcome}"
    if find.outcome is Outcome.UNDEFINED or find.outcome is Outcome.KINK:
        note = f"one of {points} {find.outcome}{of_cause}"
    if simple.place == find.place:
        return note
    far = f", {find.ulps:.4g} ulp off" if 0 < find.ulps < inf else ""
    return f"{note}; found at {_point_text(space, find)}{far}, and made simpler"


def _point_text(space: Space, find: Judged) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in space.values(find.place).items())


def hunt_notes(
    hunter: Hunter,
    over: str,
    judged: int,
    counts: Counter[Outcome],
    finds: Sequence[Judged],
    seed: int,
) -> Iterator[str]:
    """How a hunt went, what it did not try, and that nothing was found where that is so."""
    space = hunter.space
    outcomes = ", ".join(f"{counts[o]:,} {o}" for o in Outcome if counts[o])
    yield f"a hunt over {over}, {space.dtype.name}: {judged:,} points judged: {outcomes}"
    if hunter.is_whole:
        yield "every point of the range was judged"
    else:
        sources = ", ".join(f"{n:,} {source}" for source, n in hunter.sources.items() if n)
        yield f"{sources}, out of {hunter.screened:,} screened in bulk; seed {seed}"
        rest = space.size - judged
        screened = ", all of them screened" if hunter.is_screened else ""
        yield f"not judged: the other {_count(rest)} points{screened}"
    worst = finds[0]
    if worst.outcome is Outcome.AGREE:
        most = max(find.ulps for find in finds)
        within = "" if most > FREE_ULPS else ", so nothing is wrong there"
        yield f"nothing worse than agree was found: torch is off by {most:.3g} ulp at most{within}"


def _count(number: int) -> str:
    return f"{number:,}" if number < 10**12 else f"{number:.3g}"
