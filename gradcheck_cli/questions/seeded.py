"""Numbers that nobody chose: a cotangent and a direction in which nothing cancels by chance."""

from __future__ import annotations

from random import Random

# They lie between plus and minus so many eighths.
_EIGHTHS = 15


def seeded_numbers(seed: str, count: int) -> list[float]:
    """Odd eighths between -2 and 2, not all alike: every dtype holds them, and none is 0."""
    random = Random(seed)  # noqa: S311 - numbers for a check, no secret
    numbers = [(2 * random.randrange(_EIGHTHS + 1) - _EIGHTHS) / 8 for _ in range(count)]
    if len(set(numbers)) == 1:
        numbers[-1] = -numbers[-1]
    return numbers
