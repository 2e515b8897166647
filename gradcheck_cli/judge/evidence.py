"""Evidence: what every witness said of one point."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from gradcheck_cli.witnesses import Abstention

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gradcheck_cli.questions.batch import Point
    from gradcheck_cli.witnesses import Answer, Testimony
    from gradcheck_cli.worlds.zeros import ZeroTest

T = TypeVar("T")


@dataclass(frozen=True)
class Tolerance:
    """The user's own rule: agree iff |A - T| <= atol + rtol |T|."""

    rtol: float = 0.0
    atol: float = 0.0


def tolerance_of(rtol: float | None, atol: float | None) -> Tolerance | None:
    """What the user says of tolerances; None where that is nothing, 0 for what is not said."""
    return None if rtol is None and atol is None else Tolerance(rtol or 0.0, atol or 0.0)


@dataclass(frozen=True, eq=False)
class Evidence:
    """The testimonies on one point, by the witnesses' names; an abstention stands for all
    partials.

    Attributes:
        zero_test: who may be asked of a number that is not told from zero; None for nobody.
    """

    point: Point
    testimonies: Mapping[str, Testimony | Abstention]
    zero_test: ZeroTest | None = None

    @property
    def case(self) -> Point:
        """The point, by the name that it had in release 0.1.0."""
        return self.point

    def __iter__(self) -> Iterator[str]:
        return iter(self.testimonies)

    def of(self, name: str, partial: int) -> Answer:
        """What a witness said of one partial."""
        testimony = self.testimonies[name]
        return testimony if isinstance(testimony, Abstention) else testimony.partials[partial]

    def whole(self, name: str, kind: type[T]) -> T | None:
        """All that a witness said of the point, if it is of this kind."""
        testimony = self.testimonies.get(name)
        return testimony if isinstance(testimony, kind) else None


def agreement(truth: Any, answer: Answer) -> bool | None:
    """Whether what an answer claims can be the truth, given as a ball; None where there is nothing
    to compare. NaN agrees with nothing.
    """
    claim = answer.ball
    if truth is None or claim is None:
        return None
    return bool(not claim.is_nan() and claim.overlaps(truth))
