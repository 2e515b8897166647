"""Sines and cosines at random points: of each angle a point on the unit circle.

An angle that is a sum of rational multiples of earlier ones has the product of their powers, and a
multiple of a quarter of pi a root of 1; any other has a point drawn at random.
"""

from __future__ import annotations

from fractions import Fraction
from math import gcd, lcm
from typing import TYPE_CHECKING

from gradcheck_cli.worlds.field_values import FieldValue, plain_number
from gradcheck_cli.worlds.relations import (
    LARGEST,
    MOST_TRIALS,
    SPARE,
    Echelon,
    TooFewPoints,
    rationals,
)
from gradcheck_cli.worlds.residues import Residues, Unlucky

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from random import Random

    from gradcheck_cli.worlds.residues import Prime


class Angles:
    """What is known of angles at some points.

    Attributes:
        denominators: a common multiple of those of the multiples of known angles.
    """

    def __init__(self, prime: Prime, points: int, random: Random) -> None:
        self._prime, self._points, self._random = prime, points, random
        self.denominators = 1
        self._sums = Echelon(prime.p)
        self._free: list[FieldValue] = []
        self._known: dict[tuple[int, ...], FieldValue] = {}
        # The first of the known angles is a quarter of pi; its cosine asks for the root of 2.
        self._root: Callable[[], FieldValue] | None = None

    def __len__(self) -> int:
        return len(self._free)

    def know_quarter(self, a: FieldValue, root: Callable[[], FieldValue]) -> None:
        """Take a for a quarter of pi; `root` gives the square root of 2."""
        if self._root is None:
            self._root = root
            self._sums.add(0, a.at.flat)
            self._free.append(a)

    def _eighths(self, n: int) -> FieldValue:
        """Of n quarters of pi: a power of i, times (1 + i) / sqrt(2) where n is odd."""
        p, turns = self._prime.p, (n // 2) % 4
        re, im = ((1, 0), (0, 1), (-1, 0), (0, -1))[turns]
        z = FieldValue(Residues(p, [re % p] * self._points, [im % p] * self._points))
        if n % 2 == 0:
            return z
        assert self._root is not None
        diagonal = FieldValue(Residues(p, [1] * self._points, [1] * self._points))
        turned: FieldValue = z * diagonal / self._root()
        return turned

    def at(self, a: FieldValue) -> FieldValue:
        """cos(a) + i*sin(a)."""
        key = a.at.flat
        if key not in self._known:
            left, parts = self._sums.reduced(key)
            turns = None if any(left) else rationals(parts, self._prime.p, LARGEST)
            if turns and turns.get(0, Fraction(0)).denominator > 1:
                turns = None  # a part of a quarter of pi, of which nothing is known
            self._known[key] = self._drawn() if turns is None else self._product(turns)
            if any(left):
                if len(self._free) + SPARE < self._points:
                    self._sums.add(len(self._free), key)
                    self._free.append(self._known[key])
                elif self._points < MOST_TRIALS:
                    raise TooFewPoints
        return self._known[key]

    def _product(self, turns: Mapping[int, Fraction]) -> FieldValue:
        total = plain_number(self._prime.p, self._points, Fraction(1))
        order = self._prime.circle
        for j, c in turns.items():
            if j == 0:
                total = total * self._eighths(int(c))
                continue
            z, size = self._free[j], abs(c.numerator) // c.denominator + 1
            n = int(c) if c.denominator == 1 else 0
            if not n:
                if gcd(order, c.denominator) > 1:
                    raise Unlucky("an angle that the prime does not allow")
                self.denominators = lcm(self.denominators, c.denominator)
                n = c.numerator * pow(c.denominator, -1, order) % order
            total = total * FieldValue(z.at**n, z.above * size, z.below * size)
        return total

    def _drawn(self) -> FieldValue:
        """A random point on the part of the circle that has roots of each odd degree."""
        p = self._prime.p
        slopes = Residues(p, [self._random.randrange(1, p) for _ in range(self._points)])
        one = Residues(p, [1] * self._points)
        z = Residues(p, one.re, slopes.re) / Residues(p, one.re, [-s for s in slopes.re])
        return FieldValue(z ** ((p + 1) // self._prime.circle))
