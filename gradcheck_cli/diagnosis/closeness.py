"""When numbers of both sides are the same."""

from __future__ import annotations

from typing import Any

import numpy as np

SampleNumbers = Any  # an array of float64, the first axis that of the samples
# Relative room of two numbers that are the same: what a person's rounded constants take.
CLOSE = 2.0**-40


def close(mine: SampleNumbers, theirs: SampleNumbers) -> bool:
    """Whether numbers are the same, but for the rounding of constants; NaN is nothing's like."""
    return bool(near(mine, theirs).all())


def near(mine: SampleNumbers, theirs: SampleNumbers) -> Any:
    """The same, element by element."""
    if not mine.size:
        return np.ones(mine.shape, dtype=bool)
    size = np.maximum(np.abs(mine), np.abs(theirs))
    room = CLOSE * (size + CLOSE * np.nanmax(size, initial=0.0))
    return np.abs(mine - theirs) <= room
