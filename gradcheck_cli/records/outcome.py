"""Outcomes and the Verdict that carries one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import isfinite
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gradcheck_cli.judge.sides import OneSided
    from gradcheck_cli.questions.question import Key

# Worst first: a case's outcome is the worst of its partials.
OUTCOMES = ("wrong", "inconclusive", "undefined", "detached", "kink", "imprecise", "agree")


@dataclass(frozen=True)
class Verdict:
    """One partial: an outcome, a sentence saying why, the numbers it rests on.

    Attributes:
        error: |A - T|; `relative_error` and `ulps` the same in other units; `tolerance` the largest
            error that agrees.
        sides: left and right derivatives at a kink.
        failed: the outcome fails the check although outcomes of its kind do not (a missing path to
            a slope that is not 0).
        undecided: in this dtype rounding hides whether the formula is right.
        truth: the derivative as a ball, where it was proved from the two sides of a boundary.
    """

    key: Key
    outcome: str
    reason: str
    error: float | None = None
    relative_error: float | None = None
    ulps: float | None = None
    tolerance: float | None = None
    sides: OneSided | None = None
    failed: bool = False
    undecided: bool = False
    truth: Any = None

    def and_also(self, *sentences: str) -> Verdict:
        """The same verdict with more said."""
        return replace(self, reason="; ".join((self.reason, *sentences)))


def worst(outcomes: list[str]) -> str:
    """The outcome that stands first in `OUTCOMES`; `inconclusive` when there is none: nothing was
    shown.
    """
    return min(outcomes, key=OUTCOMES.index) if outcomes else "inconclusive"


def shown(value: float, digits: int = 6) -> str:
    """A number in a sentence: short, never cut."""
    return f"{value:.{digits}g}"


def told(ball: Any, digits: int = 6) -> str:
    """The midpoint of a ball in a sentence, also where no float holds it."""
    value = float(ball.mid())
    # Subnormal floats have few digits of their own.
    in_range = isfinite(value) and (abs(value) > 1e-300 or ball.contains(0))
    return shown(value, digits) if in_range else str(ball.mid().str(digits, radius=False))
