"""What a second derivative rests on: that the first one exists at the point."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradcheck_cli.questions.batch import Point
from gradcheck_cli.witnesses.truth import Certified

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gradcheck_cli.witnesses.truth import Truth


def first_order(point: Point) -> Point:
    """The point as one where the value is differentiated once."""
    whole = point.batch.whole
    return point if whole is None else Point(whole, point.k)


def lacking(point: Point, first: Sequence[Truth]) -> Truth | None:
    """Of the first derivatives that are differentiated again one that is not proved; None where all
    of them are.

    Args:
        point: of the second ones.
        first: what is proved of the first ones.
    """
    pivots = point.prepared.pivots
    answers = (answer for k, answer in enumerate(first) if pivots >> k & 1)
    return next((answer for answer in answers if not isinstance(answer, Certified)), None)
