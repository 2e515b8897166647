"""What becomes of a claim: proved, refuted, or neither."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from gradcheck_cli.records.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gradcheck_cli.language.claiming import Statement

Standing = Literal["proved", "refuted", "not_refuted"]
How = Literal["same", "identity", "digits", "point"]


@dataclass(frozen=True)
class Counterexample:
    """A point at which a claim is not the derivative: the element, and both numbers there."""

    at: Mapping[str, Any]
    index: tuple[int, ...]
    claimed: Any
    true: Any


@dataclass(frozen=True)
class Explanation:
    """What is wrong with a claim, tested before it is said.

    Attributes:
        kind: one word for programs: `factor`, `sign`, `transposed`, `missing-part`...
        words: the sentence.
        factor: claimed / true, where that is one number or formula.
        is_whole: it says all that is wrong.
    """

    kind: str
    words: str
    factor: str | None = None
    is_whole: bool = True


@dataclass(frozen=True)
class ClaimVerdict:
    """One line of a claim, held against the derivative.

    Attributes:
        how: by what means; `points` is how many points were tried where nothing was shown.
        error_probability: of an identity test; 0 of what is the same.
        held: inputs that keep the numbers given: the claim holds for those, and for no others.
        first: the first line of a backward program that is wrong.
        but_for: names of lines above that are wrong; with the true values in their places this
            line is right.
        deferred: it is not the derivative, and later lines put that right.
        valueless: it has no value at the point, where the derivative has one.
    """

    statement: Statement
    status: Standing
    how: How
    points: int = 0
    error_probability: float = 0.0
    branch: bool = False
    held: tuple[str, ...] = ()
    counterexample: Counterexample | None = None
    explanation: Explanation | None = None
    first: bool = False
    but_for: tuple[str, ...] = ()
    deferred: bool = False
    valueless: bool = False

    @property
    def outcome(self) -> Outcome:
        """What comes right later is no mistake of what is claimed in the end."""
        if self.status == "not_refuted" or self.valueless:
            return Outcome.INCONCLUSIVE
        return Outcome.AGREE if self.status == "proved" or self.deferred else Outcome.WRONG

    def but(self, **changes: Any) -> ClaimVerdict:
        """The same but for some changes."""
        return replace(self, **changes)
