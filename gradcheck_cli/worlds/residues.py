"""Numbers modulo a random prime, at several random points at once.

The prime is 3 modulo 4, so that -1 has no root and a + b*i, the Gaussian integers modulo p, is a
field of p**2 elements in which every a has a root. Of the two groups that exponentials and angles
are drawn from, the squares and a part of the circle a**2 + b**2 = 1, the orders have no small
factors: in them every element has exactly one root of each degree, and roots are multiplicative.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import gcd
from typing import TYPE_CHECKING, TypeAlias

from flint import fmpz

if TYPE_CHECKING:
    from collections.abc import Iterable
    from random import Random

# Of so many bits that degrees and rational exponents of millions leave an error far below 2**-50.
BITS = 192
# Relations between logarithms are looked for modulo this factor of p - 1.
CHARACTER = 1009
_SMALL = (3, 5, 7, 11, 13)
# A composite number passes each round of Miller and Rabin with a chance of at most 1/4.
_ROUNDS = 36


class Unlucky(Exception):
    """A random point, or the prime, at which something does not exist: another may do."""


@dataclass(frozen=True)
class Prime:
    """A random prime of `BITS` bits.

    Attributes:
        p: the prime.
        circle: the order of the angles: the part of p + 1 without small factors.
        tries: how many numbers were tested, each of which might have passed by chance.
    """

    p: int
    circle: int
    tries: int

    @property
    def squares(self) -> int:
        """The order of the group of squares."""
        return (self.p - 1) // 2

    @property
    def least(self) -> int:
        """The least number of elements that anything is drawn from."""
        return min(self.squares, self.circle)

    @property
    def log2_error(self) -> int:
        """The logarithm of the chance that it is no prime."""
        return self.tries.bit_length() - 2 * _ROUNDS

    @property
    def log2_others(self) -> int:
        """A lower bound of the logarithm of how many primes it was drawn from: one in `BITS` of the
        numbers of this form, less those that are dropped for small factors, which are fewer than
        15 of 16.
        """
        return BITS - 1 - BITS.bit_length() - (4 * CHARACTER).bit_length() - 4


def random_prime(random: Random) -> Prime:
    """A prime p with (p - 1) / 2 odd, free of small factors and divisible by `CHARACTER`."""
    tries = 0
    while True:
        k = random.getrandbits(BITS - CHARACTER.bit_length()) | 1 << (BITS - 11) | 1
        p = 2 * CHARACTER * k + 1
        if any(k % small == 0 or p % small == 0 for small in _SMALL):
            continue
        tries += 1
        if fmpz(p).is_probable_prime() and all(_passes(p, random) for _ in range(_ROUNDS)):
            circle, small = p + 1, 2
            while (small := gcd(circle, 2 * 3 * 5 * 7 * 11 * 13)) > 1:
                circle //= small
            if circle.bit_length() > BITS - 16:
                return Prime(p, circle, tries)


def _passes(p: int, random: Random) -> bool:
    """One round of Miller and Rabin, for p = 3 modulo 4."""
    return pow(random.randrange(2, p - 1), (p - 1) // 2, p) in (1, p - 1)


_Row: TypeAlias = "tuple[int, ...]"


class Residues:
    """a + b*i modulo p at several points; `im` is None where b is 0 at all of them."""

    __slots__ = ("im", "p", "re")

    def __init__(self, p: int, re: Iterable[int], im: Iterable[int] | None = None) -> None:
        self.p, self.re = p, tuple(re)
        self.im = tuple(im) if im is not None else None
        if self.im is not None and not any(self.im):
            self.im = None

    @property
    def flat(self) -> _Row:
        """All a, then all b: the same for the same residues."""
        return self.re + (self.im or (0,) * len(self.re))

    @property
    def is_zero(self) -> bool:
        """Whether it is 0 at all points."""
        return self.im is None and not any(self.re)

    def __neg__(self) -> Residues:
        return self.scaled(-1)

    def scaled(self, factor: int) -> Residues:
        """Times a number modulo p."""
        p = self.p
        im = None if self.im is None else [b * factor % p for b in self.im]
        return Residues(p, [a * factor % p for a in self.re], im)

    def __add__(self, other: Residues) -> Residues:
        p = self.p
        re = [(a + c) % p for a, c in zip(self.re, other.re, strict=True)]
        if self.im is None or other.im is None:
            return Residues(p, re, self.im or other.im)
        return Residues(p, re, [(b + d) % p for b, d in zip(self.im, other.im, strict=True)])

    def __sub__(self, other: Residues) -> Residues:
        return self + -other

    def __mul__(self, other: Residues) -> Residues:
        p = self.p
        if self.im is None and other.im is None:
            return Residues(p, [a * c % p for a, c in zip(self.re, other.re, strict=True)])
        size = len(self.re)
        four = (self.flat[:size], self.flat[size:], other.flat[:size], other.flat[size:])
        rows = list(zip(*four, strict=True))
        return Residues(
            p,
            [(a * c - b * d) % p for a, b, c, d in rows],
            [(a * d + b * c) % p for a, b, c, d in rows],
        )

    def inverse(self) -> Residues:
        """One over it.

        Raises:
            Unlucky: it is 0 at a point.
        """
        p = self.p
        if self.im is None:
            return Residues(p, _inverses(self.re, p))
        norms = _inverses([(a * a + b * b) % p for a, b in zip(self.re, self.im, strict=True)], p)
        over = Residues(p, norms)
        return Residues(p, self.re, [-b % p for b in self.im]) * over

    def __truediv__(self, other: Residues) -> Residues:
        return self * other.inverse()

    def __pow__(self, n: int) -> Residues:
        base = self if n >= 0 else self.inverse()
        if base.im is None:
            return Residues(self.p, [pow(a, abs(n), self.p) for a in base.re])
        total, n = Residues(self.p, [1] * len(self.re)), abs(n)
        while n:
            if n & 1:
                total = total * base
            base, n = base * base, n >> 1
        return total

    def characters(self) -> tuple[int | None, ...]:
        """For each point 0 where it is the square of an a, 1 where it is an a and no such square,
        None where it is no a.
        """
        size, half = len(self.re), (self.p - 1) // 2
        pairs = zip(self.re, self.flat[size:], strict=True)
        return tuple(None if b else int(pow(a, half, self.p) == self.p - 1) for a, b in pairs)

    def root(self, random: Random) -> Residues:
        """A square root, at each point one of the two.

        Raises:
            Unlucky: there is none at a point.
        """
        pairs = zip(self.re, self.flat[len(self.re) :], strict=True)
        roots = [_root(a, b, self.p) for a, b in pairs]
        signs = [random.choice((1, -1)) for _ in roots]
        p = self.p
        re, im = ([s * r[k] % p for s, r in zip(signs, roots, strict=True)] for k in (0, 1))
        return Residues(p, re, im)


def _inverses(numbers: Iterable[int], p: int) -> list[int]:
    """The inverses of all, by a single one of their product."""
    numbers, products = list(numbers), [1]
    for a in numbers:
        products.append(products[-1] * a % p)
    if not products[-1]:
        raise Unlucky("a division by zero")
    inverse, found = pow(products[-1], -1, p), []
    for a, before in zip(reversed(numbers), reversed(products[:-1]), strict=True):
        found.append(inverse * before % p)
        inverse = inverse * a % p
    return found[::-1]


def _root(a: int, b: int, p: int) -> tuple[int, int]:
    """c, d with (c + d*i)**2 = a + b*i."""
    if not b:
        root = pow(a, (p + 1) // 4, p)
        return (root, 0) if root * root % p == a else (0, root)
    length = pow(a * a + b * b, (p + 1) // 4, p)
    half = pow(2, -1, p)
    for norm in (length, -length):
        c = pow((a + norm) * half, (p + 1) // 4, p)
        if c:
            d = b * half * pow(c, -1, p) % p
            if (c * c - d * d - a) % p == 0:
                return c, d
    raise Unlucky("a root that does not exist")


def rational(c: int, p: int, largest: int) -> Fraction | None:
    """The quotient of two integers of at most `largest` that c is modulo p, if there is one.

    Source: Wang 1981; it is the only one where 2 * largest**2 < p.
    """
    above, below = (p, c % p), (0, 1)
    while above[1] > largest:
        q = above[0] // above[1]
        above = (above[1], above[0] - q * above[1])
        below = (below[1], below[0] - q * below[1])
    return Fraction(above[1], below[1]) if 0 < abs(below[1]) <= largest else None
