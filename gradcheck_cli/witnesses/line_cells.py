"""What is known of the derivative on a stretch of a line of points: its kinds of cells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from gradcheck_cli.witnesses.polynomials import Polynomial


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
