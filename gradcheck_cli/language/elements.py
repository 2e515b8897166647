"""Names of the elements of inputs: `x`, `W[0,1]`."""

from __future__ import annotations

from functools import lru_cache
from itertools import product
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def element(name: str, index: Sequence[int]) -> str:
    """What one element of an input is called."""
    return f"{name}[{','.join(map(str, index))}]" if index else name


@lru_cache(maxsize=256)
def elements_of(name: str, shape: tuple[int, ...]) -> tuple[str, ...]:
    """The names of all elements of an input, row-major."""
    return tuple(element(name, index) for index in indices_of(shape))


@lru_cache(maxsize=256)
def indices_of(shape: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
    """The indices of all elements of an array, row-major; `()` alone for a number."""
    return tuple(product(*map(range, shape)))
