"""Logarithms of products at random points: sums over the factors, as far as those are known."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from gradcheck_cli.worlds.factors import factors
from gradcheck_cli.worlds.field_values import FieldValue, NoForm, plain_number
from gradcheck_cli.worlds.relations import LARGEST
from gradcheck_cli.worlds.residues import rational

if TYPE_CHECKING:
    from gradcheck_cli.worlds.exponents import Exponentials
    from gradcheck_cli.worlds.field_values import Factor

# A number of more bits is not taken apart.
_FACTORED_BITS = 112


class Logarithms:
    """Takes numbers apart whose logarithms are asked for.

    What is drawn of `Exponentials` is the logarithm of what is no product of others.
    """

    def __init__(self, exponentials: Exponentials, p: int, points: int) -> None:
        self._exponentials, self._p, self._points = exponentials, p, points
        self._numbers: dict[int, FieldValue] = {}
        self._known: list[FieldValue] = []
        self._found: dict[FieldValue, tuple[Factor, ...]] = {}
        # Numbers whose signs at the point were used, and those that have to be positive anyway.
        self._consulted: set[FieldValue] = set()
        self._required: set[FieldValue] = set()

    @property
    def uses_signs(self) -> bool:
        """Whether the sign of something at the given point was used that may be another
        elsewhere.
        """
        return not self._consulted <= self._required

    def know(self, x: FieldValue) -> None:
        """Remember a node, which others may be the square of."""
        self._known.append(x)

    def of(self, x: FieldValue) -> FieldValue:
        """log(x), for a function that is defined for positive x alone.

        Raises:
            NoForm: x may not be positive at the given point.
        """
        self._required.add(x)
        return self.where_positive(x)

    def where_positive(self, x: FieldValue) -> FieldValue:
        """log(x), for a function that is defined elsewhere too.

        Raises:
            NoForm: x may not be positive at the given point.
        """
        if x.sign is not None and x.sign <= 0:
            raise NoForm("a logarithm or a power of what may not be positive")
        return self.of_size(x)

    def of_size(self, x: FieldValue) -> FieldValue:
        """log|x|: a sum over the factors of x, as far as their signs at the point are known."""
        stack = [x]
        while stack:
            top = stack[-1]
            parts = self._parts(top)
            missing = [part for part, _ in parts if part.log is None]
            if top.log is None and missing:
                stack += missing
                continue
            stack.pop()
            if top.log is None and parts:
                total = plain_number(self._p, self._points, Fraction(0))
                for part, n in parts:
                    assert part.log is not None
                    total = total + part.log * n
                top.log = total
            elif top.log is None:
                top.log = self._of_one(top)
        assert x.log is not None
        return x.log

    def _parts(self, x: FieldValue) -> tuple[Factor, ...]:
        if x.number is not None:
            return self._primes(abs(x.number))
        if x.factors and all(part.sign for part, _ in x.factors):
            return x.factors
        if x.free or x.sign == 0 or x.log is not None:
            return ()
        if x not in self._found:
            self._found[x] = self._as_multiple(x) or self._as_square(x)
        return self._found[x]

    def _as_multiple(self, x: FieldValue) -> tuple[Factor, ...]:
        """A number and what x is that multiple of, of what has been taken a logarithm of."""
        p = self._p
        for pair in self._exponentials.pairs:
            (a, b, *_), (c, d, *_) = x.at.re, pair.value.at.re
            if (a * d - b * c) % p == 0 and c and pair.value.number is None:
                number = rational(a * pow(c, -1, p), p, LARGEST)
                scaled: FieldValue = pair.value * (number or 0)
                if number and number > 0 and (x.at - scaled.at).is_zero:
                    return scaled.factors
        return ()

    def _as_square(self, x: FieldValue) -> tuple[Factor, ...]:
        """The node that x is the square of, if there is one so far."""
        p, first = self._p, x.at.re[0]
        for root in self._known:
            is_square = (root.at.re[0] ** 2 - first) % p == 0 or root.at.im is not None
            if is_square and root.sign and (root.at * root.at - x.at).is_zero:
                return ((root, Fraction(2)),)
        return ()

    def _primes(self, number: Fraction) -> tuple[Factor, ...]:
        """The prime factors of a number that is none itself."""
        found = []
        for n, sign in ((number.numerator, 1), (number.denominator, -1)):
            if n.bit_length() > _FACTORED_BITS:
                raise NoForm("a logarithm or a root of a number of many digits")
            found += [(p, sign * k) for p, k in factors(n)]
        if len(found) == 1 and found[0] == (int(number), 1):
            return ()
        return tuple((self._prime_number(p), Fraction(k)) for p, k in found)

    def _prime_number(self, p: int) -> FieldValue:
        if p not in self._numbers:
            self._numbers[p] = plain_number(self._p, self._points, Fraction(p))
        return self._numbers[p]

    def _of_one(self, x: FieldValue) -> FieldValue:
        """log|x| of what is not taken apart."""
        if x.sign == 0:
            raise NoForm("a logarithm or a power of what may be zero")
        if x.number is None:
            self._consulted.add(x)
        size = -x if x.sign == -1 else x
        size.free = x.free
        if x.number == 1:
            return plain_number(self._p, self._points, Fraction(0))
        return self._exponentials.log(size)
