"""Witnesses: each looks at a Case and says, for every partial asked for, a value with its room, or
why it cannot.

What a witness answers for one partial is one of its own small records or an `Abstention`; numerical
trouble is always a value, never an exception.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gradcheck_cli.calculus.reverse import is_elementwise
from gradcheck_cli.language.program import Call

if TYPE_CHECKING:
    from gradcheck_cli.questions.question import Case

# Numbers that torch works on at a time, at most: two vectors of 512 bits of float16. What is left
# over at the end of a batch is computed by other code, which may round otherwise; batches of a
# multiple of this have no such end, so that a point's numbers depend neither on its place nor on
# its neighbours.
VECTOR = 64


@dataclass(frozen=True)
class Abstention:
    """A witness has nothing to say, and why."""

    reason: str


def first_line(error: Exception) -> str:
    """The first line of a library's message: torch's go on with a page of advice."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def is_pointwise(case: Case) -> bool:
    """Whether torch may be given many points as one batch: inputs are numbers, and each function
    acts on each number by itself.
    """
    calls = (node for node in case.program.nodes if isinstance(node, Call))
    return all(array.ndim == 0 for array in case.at.values()) and all(
        is_elementwise(node.function, node.settings) for node in calls
    )
