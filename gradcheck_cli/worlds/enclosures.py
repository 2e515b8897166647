"""Enclosures in bulk: floats in arrays, with how far the true numbers may be off them, and the
library that computes with them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

# A radius is computed in floating point as well; by this it is taken larger where it decides.
MARGIN = 1 + 2.0**-30


class NoBound(Exception):
    """A function has no bulk enclosure: the library lacks it, or nothing is known of how it
    rounds.
    """


@dataclass(frozen=True)
class Enclosure:
    """Numbers in an array.

    Attributes:
        radius: how far each may be off, in the shape of `value` or one that broadcasts to it; NaN
            and infinities where nothing is known. None where the numbers are exact and held fixed.
        off: where it is a structural zero, the cotangent of a branch that was not taken: times NaN
            that is still zero. None for nowhere.
    """

    value: Any
    radius: Any | None = None
    off: Any | None = None


@dataclass(frozen=True)
class Verity:
    """Whether a condition holds, and where that is not known; None for nowhere."""

    value: Any
    open: Any | None = None


@dataclass(frozen=True)
class Winners:
    """Of rows of numbers which one is the largest, or smallest.

    Attributes:
        value: 1 at it, 0 elsewhere; where several may be it, at none of them.
        open: those that may be it, where there are several.
    """

    value: Any
    open: Any


@dataclass(frozen=True)
class ArrayLibrary:
    """A library of arrays and the floating point numbers that it is used with.

    Attributes:
        module: torch or NumPy.
        dtype: of its arrays.
        unit: the unit roundoff of `dtype`.
    """

    module: Any
    dtype: Any
    unit: float

    def array(self, value: float) -> Any:
        """A number as an array."""
        if hasattr(self.module, "tensor"):
            return self.module.tensor(value, dtype=self.dtype)
        return self.module.asarray(value, dtype=self.dtype)

    def sizes(self, value: Any) -> Any:
        """Numbers to within 2**-53 of their size, as bounds are computed with."""
        if hasattr(self.module, "tensor"):
            return value
        return self.module.asarray(value, dtype=self.module.float64)


def float64_tensors() -> ArrayLibrary:
    """torch's float64."""
    import torch

    return ArrayLibrary(torch, torch.float64, 2.0**-53)


def extended_arrays() -> ArrayLibrary | None:
    """NumPy's extended precision, where the machine has one of 64 bits."""
    import numpy as np

    is_wide = np.finfo(np.longdouble).nmant == 63
    return ArrayLibrary(np, np.longdouble, 2.0**-64) if is_wide else None
