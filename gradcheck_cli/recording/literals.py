"""Numbers that code holds as floats, as the literals that they stand for."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from math import isfinite, isnan

import numpy as np

from gradcheck_cli.language.program import Number

# A float is taken for the simplest rational that rounds to it, if its denominator is at most this:
# 1/6 is held as a float by those who divide by 6. Decimals are taken as they are printed.
LARGEST_DENOMINATOR = 4096
# So many digits are an accident, and no decimal that somebody wrote.
_DIGITS = 14


@lru_cache(maxsize=4096)
def literal_of(value: float, *, single: bool = False) -> Number:
    """A float as a literal.

    Args:
        single: it is a float32.
    Raises:
        ValueError: it is NaN.
    """
    if isnan(value):
        raise ValueError("a constant is NaN")
    if not isfinite(value):
        return Number(float(value), decimal=False)
    if float(value).is_integer():
        return Number(Fraction(int(value)), decimal=False)
    exact = Fraction(value)
    if exact.denominator <= LARGEST_DENOMINATOR:
        return Number(exact, decimal=False)
    printed = str(np.float32(value)) if single else repr(float(value))
    decimal = Fraction(printed)
    if len(printed.partition("e")[0].strip("-").replace(".", "").strip("0")) <= _DIGITS // (
        1 + single
    ):
        return Number(decimal, decimal=True)
    simple = exact.limit_denominator(LARGEST_DENOMINATOR)
    rounded = float(np.float32(simple.numerator / simple.denominator)) if single else float(simple)
    return Number(simple if rounded == value else decimal, decimal=True)
