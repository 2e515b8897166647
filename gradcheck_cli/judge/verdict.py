"""The Verdict on one partial: an outcome, its cause, a sentence, and the numbers it rests on."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gradcheck_cli.judge.sides import OneSided
    from gradcheck_cli.questions.objectives import PartialKey
    from gradcheck_cli.records.outcome import Cause, Outcome


@dataclass(frozen=True)
class Remedy:
    """Another text for the program, and how many digits of the partial torch gets right with it
    that it loses now.
    """

    program: str
    digits_regained: float


@dataclass
class Verdict:
    """One partial. It is not frozen, as very many are made: that would be a call for each field.

    Attributes:
        cause: why torch's answer is not the derivative, or why there is none; None where nothing
            is to be explained.
        error: |A - T|; `relative_error` and `ulps` the same in other units; `tolerance` the
            largest error that agrees.
        sides: left and right derivatives at a kink.
        failed: the outcome fails the check although outcomes of its kind do not (a missing path
            to a slope that is not 0).
        undecided: in this dtype rounding hides whether the formula is right.
        culprit: the node of the user's program that is to blame, where one is.
        remedy: how the program is better written, where a way is proved.
        truth: the derivative as a ball, where it was proved from the two sides of a boundary.
        agrees: for each witness but the reference and the one on trial whether it says the truth;
            None where there is nothing to compare.
    """

    key: PartialKey
    outcome: Outcome
    reason: str
    cause: Cause | None = None
    error: float | None = None
    relative_error: float | None = None
    ulps: float | None = None
    tolerance: float | None = None
    sides: OneSided | None = None
    failed: bool = False
    undecided: bool = False
    culprit: int | None = None
    remedy: Remedy | None = None
    truth: Any = None
    agrees: dict[str, bool | None] = field(default_factory=dict)

    def and_also(self, *sentences: str) -> Verdict:
        """The same verdict with more said."""
        return replace(self, reason="; ".join((self.reason, *sentences)))
