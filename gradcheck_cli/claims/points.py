"""Points at which two formulas are held against each other: the one given, simple ones, and others
that nobody chose.
"""

from __future__ import annotations

from fractions import Fraction
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

# Numbers that a person would try.
_SIMPLE = (1.0, 2.0, 3.0, 0.5, -1.0, -2.0)
# The first of them in turn, so that no two neighbours are equal.
_TURNS = 3
# A guess: what differs at one of so many points differs at most.
_DRAWN = 8


def points_beside(
    given: Mapping[str, float], fixed: Collection[str], seed: str
) -> Iterator[dict[str, float]]:
    """Points that differ from the one given in all scalars but the fixed ones: first those of
    simple numbers.
    """
    free = [name for name in given if name not in fixed]
    if free:
        for number in _SIMPLE:
            yield {**given, **dict.fromkeys(free, number)}
        for start in range(_TURNS):
            yield {**given, **{n: _SIMPLE[(start + k) % _TURNS] for k, n in enumerate(free)}}
        yield from drawn_beside(given, fixed, seed)


def drawn_beside(
    given: Mapping[str, float], fixed: Collection[str], seed: str
) -> Iterator[dict[str, float]]:
    """Those alone that nobody chose: at simple ones much is equal by chance."""
    free = [name for name in given if name not in fixed]
    if not free:
        return
    random = Random(seed)  # noqa: S311 - numbers for a check, no secret
    for k in range(_DRAWN):
        # Half of them keep the signs of what is given, so as not to leave a domain.
        drawn = {name: _eighths(random, given[name] if k % 2 else None) for name in free}
        yield {**given, **drawn}


def _eighths(random: Random, near: float | None) -> float:
    if near is None:
        return random.randrange(-24, 25) / 8
    # A factor between 1/2 and 2, short in binary.
    factor = random.randrange(8, 33) / 16
    return float(Fraction(round(near * factor * 64), 64)) or factor
