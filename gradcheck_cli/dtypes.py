"""Floating-point formats: exact rounding, spacing and limits, without torch."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property

# An exponent beyond all that are met.
_FAR = 2**20


@dataclass(frozen=True)
class DType:
    """A binary format with `digits` bits of significand and normal exponents `least` to `most`."""

    name: str
    digits: int
    least: int
    most: int

    @property
    def unit_roundoff(self) -> float:
        """`u`: half the spacing of numbers just above 1."""
        return math.ldexp(1.0, -self.digits)

    @cached_property
    def largest(self) -> Fraction:
        """The largest finite number."""
        return (2 - Fraction(1, 2 ** (self.digits - 1))) * Fraction(2) ** self.most

    @cached_property
    def smallest(self) -> Fraction:
        """The smallest subnormal."""
        return Fraction(2) ** (self.least - self.digits + 1)

    @cached_property
    def least_normal(self) -> Fraction:
        """The smallest number with all its digits."""
        return Fraction(2) ** self.least

    @cached_property
    def unlimited(self) -> DType:
        """The same digits, and exponents that no number of a check leaves."""
        return replace(self, least=-_FAR, most=_FAR)

    def ulp(self, value: Fraction) -> Fraction:
        """Spacing of the format's numbers at `value`; at 0 and among subnormals the smallest
        subnormal.
        """
        return (
            Fraction(2) ** (max(_exponent(value), self.least) - self.digits + 1)
            if value
            else self.smallest
        )

    def round(self, value: Fraction) -> float:
        """The nearest number of the format, halves to even; infinity beyond the range. Exact, never
        through float64.
        """
        if self.digits == _DOUBLE:
            # Python divides integers as IEEE 754 asks: rounded once, halves to even, subnormals as
            # well.
            try:
                return value.numerator / value.denominator
            except OverflowError:
                return math.inf if value > 0 else -math.inf
        spacing = self.ulp(value)
        steps = round(value / spacing)  # Fraction rounds halves to even
        if abs(steps * spacing) > self.largest:
            return math.inf if value > 0 else -math.inf
        return math.ldexp(float(steps), _exponent(spacing)) if steps or value >= 0 else -0.0

    def holds(self, value: Fraction) -> bool:
        """Whether `value` is a number of the format."""
        rounded = self.round(value)
        return math.isfinite(rounded) and Fraction(rounded) == value


# Digits of Python's own float.
_DOUBLE = sys.float_info.mant_dig


def _exponent(value: Fraction) -> int:
    """The e with 2**e <= abs(value) < 2**(e + 1)."""
    e = abs(value.numerator).bit_length() - value.denominator.bit_length()
    return e if abs(value) >= Fraction(2) ** e else e - 1


DTYPES = {
    dtype.name: dtype
    for dtype in (
        DType("float64", 53, -1022, 1023),
        DType("float32", 24, -126, 127),
        DType("bfloat16", 8, -126, 127),
        DType("float16", 11, -14, 15),
    )
}
# What else they are called; `float` is torch's, as `torch.float` is.
_SHORT = {
    "float64": ("double", "fp64", "f64"),
    "float32": ("float", "single", "fp32", "f32"),
    "bfloat16": ("bf16",),
    "float16": ("half", "fp16", "f16"),
}
_OF_NUMPY = {"float64": ("double",), "float32": ("single",), "float16": ("half",)}
ALIASES = {
    **{alias: name for name, aliases in _SHORT.items() for alias in aliases},
    **{f"torch.{word}": name for name in DTYPES for word in (name, *_SHORT[name])},
    **{
        f"{library}.{word}": name
        for library in ("np", "numpy")
        for name, words in _OF_NUMPY.items()
        for word in (name, *words)
    },
}
