"""What a text asks, with what the settings say beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradcheck_cli.questions.naming import COMMAND
from gradcheck_cli.questions.question import question_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gradcheck_cli.questions.cells import TextQuestion
    from gradcheck_cli.questions.naming import Asked
    from gradcheck_cli.questions.numbers import Nested
    from gradcheck_cli.questions.points import Given
    from gradcheck_cli.questions.question import Question
    from gradcheck_cli.settings.values import Settings


def stated_question(
    stated: TextQuestion,
    settings: Settings,
    at: Mapping[str, Given],
    cotangent: Nested | None,
    asked: Asked = COMMAND,
) -> Question:
    """The question of a text: what is given beside it counts, then what it says itself.

    Args:
        at, cotangent: what is given.
    Raises:
        PointError: as `question_of`.
    """
    if cotangent is None and not settings.jacobian:
        cotangent = stated.cotangent
    return question_of(
        stated.program,
        stated.point(at),
        stated.inputs(settings.wrt),
        cotangent=cotangent,
        words=settings.repeated(),
        order=settings.order,
        jacobian=settings.jacobian,
        trace=settings.trace,
        claims=settings.claim,
        asked=asked,
        remarks=stated.told(cotangent, jacobian=settings.jacobian),
    )
