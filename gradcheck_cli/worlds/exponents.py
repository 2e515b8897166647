"""Exponentials and logarithms at random points: pairs of a number and its exponential, of which
what is made of earlier ones is found by linear algebra.

An exponent that is a sum of rational multiples of earlier ones has the product of their powers for
its exponential; a number that is such a product has that sum for its logarithm. Any other has one
drawn at random. So exp(a + b) is exp(a) exp(b) and exp(a - log(u)) is exp(a) / u, exactly.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from functools import reduce
from math import gcd, isqrt, lcm
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
from gradcheck_cli.worlds.residues import CHARACTER, Residues, Unlucky

if TYPE_CHECKING:
    from collections.abc import Mapping
    from random import Random

    from gradcheck_cli.worlds.residues import Prime

# By characters coefficients are guessed, no larger than this.
_LARGEST_GUESS = isqrt(CHARACTER // 2) - 1


@dataclass
class Pair:
    """A number and its exponential, which is positive, and the roots taken of it by halving."""

    log: FieldValue
    value: FieldValue
    roots: list[Residues] = field(default_factory=list)


class Exponentials:
    """What is known of exponentials and logarithms of real numbers at some points.

    Attributes:
        pairs: those that are independent, as far as it is known.
        denominators: a common multiple of those of the exponents.
        has_logs: whether a logarithm was drawn.
        conjugates: the logarithm of the number of ways to choose the roots.
    """

    def __init__(self, prime: Prime, points: int, random: Random) -> None:
        self._prime, self._points, self._random = prime, points, random
        self.pairs: list[Pair] = []
        self.denominators, self.conjugates, self.has_logs = 1, 0, False
        self._sums, self._products = Echelon(prime.p), Echelon(CHARACTER)
        self._in_products = 0
        self._values: dict[tuple[int, ...], FieldValue] = {}
        self._logs: dict[tuple[int, ...], FieldValue] = {}
        self._discrete: dict[int, int] = {}

    def drawn(self, sign: int = 1) -> FieldValue:
        """A random number of a sign, or of none, that was drawn from the squares."""
        p = self._prime.p
        roots = [self._random.randrange(1, p) for _ in range(self._points)]
        if not sign:
            return FieldValue(Residues(p, roots), sign=0)
        return FieldValue(Residues(p, [sign * r * r % p for r in roots]), sign=sign, free=True)

    def exp(self, a: FieldValue) -> FieldValue:
        """The exponential of a number."""
        key = a.at.flat
        if key not in self._values:
            left, parts = self._sums.reduced(key)
            powers = None if any(left) else rationals(parts, self._prime.p, LARGEST)
            value = self.drawn() if powers is None else self._product(powers)
            if any(left):
                self._append(a, value)
            self._know(a, value)
        return self._values[key]

    def log(self, u: FieldValue) -> FieldValue:
        """The logarithm of a number that is positive at the given point."""
        key = u.at.flat
        if key not in self._logs:
            a = self._log_by_relation(u)
            if a is None:
                self.has_logs = True
                p = self._prime.p
                a = FieldValue(
                    Residues(p, [self._random.randrange(p) for _ in range(self._points)])
                )
                self._append(a, u)
            self._know(a, u)
        return self._logs[key]

    def _know(self, a: FieldValue, u: FieldValue) -> None:
        self._values.setdefault(a.at.flat, u)
        self._logs.setdefault(u.at.flat, a)
        u.log = self._logs[u.at.flat]

    def _append(self, a: FieldValue, u: FieldValue) -> None:
        if len(self._sums) + SPARE < self._points:
            self._sums.add(len(self.pairs), a.at.flat)
            self.pairs.append(Pair(a, u))
        elif self._points < MOST_TRIALS:
            raise TooFewPoints

    def _product(self, powers: Mapping[int, Fraction]) -> FieldValue:
        total = plain_number(self._prime.p, self._points, Fraction(1))
        for j, c in powers.items():
            total = total * self.power(self.pairs[j], c)
        return total

    def _log_by_relation(self, u: FieldValue) -> FieldValue | None:
        """The logarithm of what is a product of powers of known numbers: guessed from characters,
        and then held to be true.
        """
        if u.at.im is not None:
            return None
        for j in range(self._in_products, len(self.pairs)):
            if self.pairs[j].value.at.im is None:
                self._products.add(j, self._characters(self.pairs[j].value))
        self._in_products = len(self.pairs)
        left, parts = self._products.reduced(self._characters(u))
        powers = None if any(left) else rationals(parts, CHARACTER, _LARGEST_GUESS)
        if powers is None:
            return None
        # Positive numbers are equal where their powers are.
        common = lcm(*(c.denominator for c in powers.values()))
        whole = u.at**common
        for j, c in powers.items():
            whole = whole * self.pairs[j].value.at ** -int(c * common)
        if any(b != 1 for b in whole.re):
            return None
        total = plain_number(self._prime.p, self._points, Fraction(0))
        return reduce(lambda a, j: a + self.pairs[j].log * powers[j], powers, total)

    def _characters(self, u: FieldValue) -> list[int]:
        """Discrete logarithms modulo `CHARACTER`; a sign has none."""
        p = self._prime.p
        if not self._discrete:
            generator = 1
            while generator == 1:
                generator = pow(self._random.randrange(2, p), (p - 1) // CHARACTER, p)
            self._discrete = {pow(generator, k, p): k for k in range(CHARACTER)}
        if 0 in u.at.re:
            raise Unlucky("a logarithm of zero")
        return [self._discrete[pow(a, (p - 1) // CHARACTER, p)] for a in u.at.re]

    def power(self, pair: Pair, c: Fraction) -> FieldValue:
        """A power of a known positive number.

        Raises:
            Unlucky: there is none in this field.
        """
        u = pair.value
        if c.denominator == 1:
            return u if c == 1 else u ** int(c)
        self.denominators = lcm(self.denominators, c.denominator) if u.free else self.denominators
        at = self._free_power(u, c) if u.free else self._root_power(pair, c)
        size = abs(c.numerator) // c.denominator + 1
        above, below = (u.above, u.below) if c > 0 else (u.below, u.above)
        return FieldValue(at, above * size, below * size, sign=1)

    def _free_power(self, u: FieldValue, c: Fraction) -> Residues:
        order = self._prime.squares
        if gcd(order, c.denominator) > 1:
            raise Unlucky("an exponent that the prime does not allow")
        exponent = c.numerator * pow(c.denominator, -1, order) % order
        return u.at**exponent

    def _root_power(self, pair: Pair, c: Fraction) -> Residues:
        p, odd, halvings = self._prime.p, c.denominator, 0
        while odd % 2 == 0:
            odd, halvings = odd // 2, halvings + 1
        if not pair.roots:
            pair.roots.append(pair.value.at)
        while len(pair.roots) <= halvings:
            pair.roots.append(pair.roots[-1].root(self._random))
            self.conjugates += 1
        root = pair.roots[halvings]
        if odd == 1:
            return root**c.numerator
        if gcd(odd, p - 1) > 1 or root.im is not None:
            raise Unlucky("an odd root that does not exist")
        self.conjugates += odd.bit_length()
        return root ** (c.numerator * pow(odd, -1, p - 1) % (p - 1))

    def has_free_signs(self) -> bool:
        """Whether it is shown that the signs of all square roots are a matter of choice: that no
        product of numbers under them is a square, at whose points the residues would be squares.
        """
        rooted = [
            pair.value.at.characters()
            for pair in self.pairs
            if len(pair.roots) > 1 and pair.value.number is None
        ]
        # The bits of the numbers at each point where they are all known.
        points = [row for row in zip(*rooted, strict=True) if None not in row]
        seen = Echelon(2)
        for k, row in enumerate(points[1:]):
            seen.add(k, [(a + b) % 2 for a, b in zip(row, points[0], strict=True)])
        return len(seen) == len(rooted)
