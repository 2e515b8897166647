"""What is known of the derivative on a stretch of a line of points: its kinds of cells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gradcheck_cli.witnesses.polynomials import Polynomial

# Points in a row that are open, and are not given up: those of a kink.
_FEW = 256
# Points that are left to single checks in short runs, all together; a sweep's part makes twice as
# many.
_SINGLES = 2_048


@dataclass(frozen=True)
class Modelled:
    """The derivative is the polynomial, within its error, at every point.

    Attributes:
        start, stop: the points of the line.
    """

    start: int
    stop: int
    polynomial: Polynomial


@dataclass(frozen=True)
class Beyond:
    """The derivative is beyond the dtype's largest number, above it or below its negative."""

    start: int
    stop: int
    sign: int


@dataclass(frozen=True)
class Outside:
    """The function has no value: a domain is left."""

    start: int
    stop: int


@dataclass(frozen=True)
class Open:
    """Nothing is proved here.

    Attributes:
        given_up: so much failed that the rest was not looked at, or it is many points.
    """

    start: int
    stop: int
    given_up: bool = False


LineCell: TypeAlias = "Modelled | Beyond | Outside | Open"


def together(cells: Sequence[Open], singles: int) -> Sequence[Open]:
    """Neighbours, as one that is given up where some of them are, they are many points, or many are
    left to single checks before them.
    """
    points = sum(cell.stop - cell.start for cell in cells)
    is_little = points <= _FEW and singles + points <= _SINGLES
    if is_little and not any(cell.given_up for cell in cells):
        return cells
    return [Open(cells[0].start, cells[-1].stop, given_up=True)]
