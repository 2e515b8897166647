"""What cases come to, in a line in which each is counted once."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from gradcheck_cli.records.outcome import Outcome, Status
from gradcheck_cli.reports.format import count_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gradcheck_cli.records.record import Record
    from gradcheck_cli.records.report import Report


def summary(report: Report) -> str:
    """`5 cases: 3 agree, 1 wrong, 1 failing (agree)`."""
    parts = [f"{number:,} {words}" for words, number in tally(report.records)]
    head = count_of(len(report.records), "case")
    return f"{head}: {', '.join(parts)}" if parts else head


def tally(records: Iterable[Record]) -> list[tuple[str, int]]:
    """(words, number), the most first: `agree` for cases whose status is that of their outcome, and
    `failing (kink, agree)` for those of another status.
    """
    counts = Counter((record["outcome"], record["status"]) for record in records)
    own: Counter[str] = Counter()
    other: dict[Status, list[Outcome]] = {}
    for outcome in Outcome:
        for status in Status:
            number = counts[outcome, status]
            if number and status is outcome.status:
                own[outcome] = number
            elif number:
                other.setdefault(status, []).append(outcome)
    for status in Status:
        outcomes = other.get(status, [])
        if outcomes:
            words = f"{status.words} ({', '.join(outcomes)})"
            own[words] = sum(counts[outcome, status] for outcome in outcomes)
    return own.most_common()
