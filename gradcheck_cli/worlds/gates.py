"""Structural zeros in bulk: what branches that were not taken are multiplied by, and what becomes
of it.
"""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, Any

from gradcheck_cli.worlds.enclosures import Enclosure

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gradcheck_cli.functions.row import Function
    from gradcheck_cli.worlds.enclosures import ArrayLibrary, Verity

# A half, and what a ball's radius, of 30 bits, may be larger than it.
HALF = 0.5 + 2.0**-25


def gate(library: ArrayLibrary, condition: Verity) -> Enclosure:
    """1 where a condition holds, elsewhere a structural zero."""
    module, array = library.module, library.array
    value = module.where(condition.value, array(1.0), array(0.0))
    if condition.open is None:
        return Enclosure(value, None, ~condition.value)
    value = module.where(condition.open, array(0.5), value)
    half = library.sizes(module.where(condition.open, array(HALF), array(0.0)))
    return Enclosure(value, half, ~condition.value & ~condition.open)


def with_zeros(
    library: ArrayLibrary,
    row: Function,
    args: Sequence[Any],
    smooth: Callable[[Function, Sequence[Any]], Enclosure],
) -> Enclosure | None:
    """Of a product, or of what hands its argument on, with a structural zero: the same as
    otherwise, but for these; None of other calls.

    Args:
        smooth: the value of a call without them.
    """
    marks = [a.off for a in args if isinstance(a, Enclosure) and a.off is not None]
    if not marks or (row.operator != "*" and len(args) > 1):
        return None
    off = reduce(lambda a, b: a | b, marks)
    plain = [Enclosure(a.value, a.radius) if isinstance(a, Enclosure) else a for a in args]
    found, where = smooth(row, plain), library.module.where
    value = where(off, library.array(0.0), found.value)
    radius = None if found.radius is None else where(off, 0.0, found.radius)
    return Enclosure(value, radius, off)
