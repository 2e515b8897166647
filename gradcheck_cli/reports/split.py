"""What is to be said of checks that were asked in more than one way: under a seeded cotangent, or
along a direction.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from gradcheck_cli.reports.format import count_of, size_of, variables_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gradcheck_cli.records.record import Record


def split_remarks(records: Sequence[Record]) -> Iterator[str]:
    """Sentences about cases of one program."""
    both = [record for record in records if record["also"] is not None]
    counts = Counter(record["also"]["outcome"] for record in both if record["also"])
    if counts:
        words = ", ".join(f"{number:,} {outcome}" for outcome, number in counts.items())
        words = next(iter(counts)) if len(counts) == 1 else words
        hidden = _zeros(both)
        names = ", ".join(f"`{name}`" for name in hidden)
        why = f" (under ones every derivative by {names} is exactly 0)" if hidden else ""
        yield f"also under a random cotangent: {words}{why}"
    directions = [record["direction"] for record in records if record["direction"]]
    if directions:
        inputs = sum(map(size_of, directions[0].values()))
        entries = count_of(inputs**2, "second derivative")
        yield f"products with one random direction v stand for {entries}"


def _zeros(records: Sequence[Record]) -> list[str]:
    """The inputs by which every derivative is proved to be 0: a cotangent of ones shows nothing."""
    proved: dict[str, bool] = {}
    for record in records:
        for partial in record["partials"]:
            name = variables_of(partial)
            is_zero = partial["reference"].get("digits") == "0"
            proved[name] = proved.get(name, True) and is_zero
    return [name for name, is_zero in proved.items() if is_zero]
