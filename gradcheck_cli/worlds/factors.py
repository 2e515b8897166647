"""Integers as products of primes, as far as that is cheap."""

from __future__ import annotations

from functools import lru_cache

from flint import fmpz

# Numbers of more bits are not factored but for their small primes.
_FACTORED_BITS, _SMALL_PRIMES = 112, (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47)


@lru_cache(maxsize=4096)
def factors(n: int) -> tuple[tuple[int, int], ...]:
    """(p, k) with n the product of p**k: primes, and for a large n a number that is no square."""
    if n.bit_length() <= _FACTORED_BITS:
        return tuple((int(p), int(k)) for p, k in fmpz(n).factor()) if n > 1 else ()
    found = []
    for p in _SMALL_PRIMES:
        k = 0
        while n % p == 0:
            n, k = n // p, k + 1
        if k:
            found.append((p, k))
    root = int(fmpz(n).isqrt())
    if root * root == n:
        return (*found, *((p, 2 * k) for p, k in factors(root)))
    return (*found, (n, 1)) if n > 1 else tuple(found)
