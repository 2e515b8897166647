"""Linear relations between numbers at random points, and how many points they take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradcheck_cli.worlds.residues import rational

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from fractions import Fraction

# Relations must hold at so many points more than they have coefficients.
SPARE = 4
# With more points than this new exponents are told apart, but no relations are looked for.
MOST_TRIALS = 96
# Coefficients have no larger numerators and denominators: those of decimals that were rounded to
# float64 are below 2**60 or so.
LARGEST = 2**64


class TooFewPoints(Exception):
    """There are more independent numbers than the points can tell apart."""


class Echelon:
    """Vectors modulo a prime, and which others are their sums."""

    def __init__(self, p: int) -> None:
        self._p = p
        self._rows: list[tuple[int, list[int], dict[int, int]]] = []

    def __len__(self) -> int:
        return len(self._rows)

    def reduced(self, vector: Sequence[int]) -> tuple[list[int], dict[int, int]]:
        """What is left of a vector, and by how much of each known one it is less."""
        p, left, parts = self._p, list(vector), dict[int, int]()
        for pivot, row, made_of in self._rows:
            factor = left[pivot]
            if factor:
                left = [(a - factor * b) % p for a, b in zip(left, row, strict=True)]
                for j, c in made_of.items():
                    parts[j] = (parts.get(j, 0) + factor * c) % p
        return left, {j: c for j, c in parts.items() if c}

    def add(self, index: int, vector: Sequence[int]) -> bool:
        """Whether a vector is new; it is known by its index then."""
        left, parts = self.reduced(vector)
        pivot = next((k for k, a in enumerate(left) if a), None)
        if pivot is None:
            return False
        p, scale = self._p, pow(left[pivot], -1, self._p)
        made_of = {j: -c * scale % p for j, c in parts.items()} | {index: scale}
        self._rows.append((pivot, [a * scale % p for a in left], made_of))
        return True


def rationals(parts: Mapping[int, int], p: int, largest: int) -> dict[int, Fraction] | None:
    """The coefficients of a relation as rational numbers, if they all are such."""
    found: dict[int, Fraction] = {}
    for j, c in parts.items():
        value = rational(c, p, largest)
        if value is None:
            return None
        found[j] = value
    return found
