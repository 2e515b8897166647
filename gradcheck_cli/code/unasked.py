"""Opinions that are not asked of code, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gradcheck_cli.witnesses import Abstention, Trust

if TYPE_CHECKING:
    from gradcheck_cli.questions.batch import Batch


@dataclass(frozen=True)
class Unasked:
    """A witness that says nothing."""

    name: str
    reason: str
    trust: Trust = Trust.ESTIMATED

    def prepare(self, batch: Batch) -> None:
        """Nothing."""

    def answer(self, batch: Batch) -> Abstention:
        """Why it says nothing."""
        return Abstention(self.reason)


NO_EXPRESSION = Unasked("analytic", "code has no expression that SymPy could read")
