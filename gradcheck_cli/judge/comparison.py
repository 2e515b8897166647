"""torch's number held against the true one, and how much of the distance rounding explains."""

from __future__ import annotations

from math import isfinite, isnan
from typing import TYPE_CHECKING, Any

from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.judge.approximations import approximation_note
from gradcheck_cli.judge.branch import other_branch
from gradcheck_cli.judge.cause import rounding_cause
from gradcheck_cli.judge.measure import (
    BUDGET_FACTOR,
    Measure,
    agreeing_room,
    format_ball,
    format_float,
    half_digits,
    is_within_free_ulps,
    largest,
    magnitude,
    measure,
    off,
    pair,
)
from gradcheck_cli.judge.rounding import rounding
from gradcheck_cli.judge.trace import Budget
from gradcheck_cli.judge.verdict import Verdict
from gradcheck_cli.records.outcome import Cause, Outcome
from gradcheck_cli.records.record import FREE_ULPS
from gradcheck_cli.witnesses.truth import Certified
from gradcheck_cli.worlds import balls
from gradcheck_cli.worlds.scalars import TooLarge

if TYPE_CHECKING:
    from gradcheck_cli.judge.court import Court
    from gradcheck_cli.judge.culprit import Culprit
    from gradcheck_cli.judge.retrace import Path
    from gradcheck_cli.witnesses.autograd import Measured

_ELSEWHERE = "its backward overflows, divides by 0 or multiplies an infinity by 0"


class Comparison:
    """One partial held against the truth."""

    def __init__(self, court: Court, partial: int) -> None:
        self.court, self.partial = court, partial
        self.dtype, self.key = court.point.dtype, court.point.keys[partial]

    def budget(self) -> Budget:
        """The rounding that torch's own gradient program deserves; 0 where it is too large. Code
        that casts to a dtype with fewer digits deserves the rounding of that.
        """
        point, known = self.court.point, self.court.budgets
        if known is not None:
            return Budget(float(known[self.partial]))
        recording = point.question.subject.recording
        casts = () if recording is None else recording.tape.casts
        dtypes = [self.dtype, *(DTYPES[name] for name in casts if name in DTYPES)]
        dtype = min(dtypes, key=lambda each: each.digits)
        try:
            return rounding(point).of_partial(point, self.partial, dtype)
        except TooLarge:
            return Budget(0.0)

    def _verdict(self, outcome: Outcome, reason: str, cause: Cause | None, **rest: Any) -> Verdict:
        return Verdict(self.key, outcome, reason, cause, **rest)

    def verdict(self, truth: Any, answer: Measured, *, at_boundary: bool = False) -> Verdict:
        """torch's number held against the true one.

        Args:
            at_boundary: the truth was proved from both sides of a kink, where torch's formulas
                follow conventions.
        """
        measures = measure(answer.value, truth, self.dtype)
        beyond, cause = self._beyond_range(truth, answer.value)
        if beyond:
            return self._verdict(Outcome.AGREE, beyond, cause, **measures)
        if not isfinite(answer.value):
            return self._not_finite(truth, answer, measures)
        if self.court.tolerance is None and is_within_free_ulps(measures):
            reason = f"within {FREE_ULPS} ulp of the true value"
            return self._verdict(Outcome.AGREE, reason, None, **measures)
        budget = self.budget()
        measures["tolerance"] = agreeing_room(truth, self.dtype, budget.total, self.court.tolerance)
        explained = measures["error"] <= BUDGET_FACTOR * budget.total
        if self.court.tolerance is not None and measures["error"] <= measures["tolerance"]:
            return self._tolerated(budget, measures)
        if explained and isfinite(budget.total):
            undecided = BUDGET_FACTOR * budget.total > magnitude(truth) / 2
            return self._explained(truth, answer, budget, measures, undecided)
        path = None if at_boundary else self.court.path
        if path is not None and self._follows(path, answer, measures):
            return self._on_path(truth, answer, budget, measures, path)
        approximated = approximation_note(self.court.approximated, self.partial)
        if not isfinite(budget.total) and not approximated:
            distance = f"{self._pair(answer.value, truth, measures)} ({off(measures)})"
            reason = f"{distance}; how much of that is rounding cannot be told"
            if budget.culprit is not None:
                place = self.court.point.specification.source(budget.culprit)
                reason = f"{reason}: no bound is finite at `{place}`"
            return self._verdict(Outcome.INCONCLUSIVE, reason, Cause.UNKNOWN, **measures)
        return self._unexplained(truth, answer, budget, measures)

    def _not_finite(self, truth: Any, answer: Measured, measures: Measure) -> Verdict:
        found = self._culprit(truth, answer.value)
        why, cause = _ELSEWHERE, Cause.UNKNOWN
        if found is not None:
            why, cause = found.words, self._cause(found)
        elif abs(truth) > largest(self.dtype):
            beyond = f"that is beyond the largest {self.dtype.name}, where an infinity is right"
            why, cause = beyond, Cause.OVERFLOW
        answers = f"torch answers {format_float(answer.value)}"
        true = self._zero if truth.is_zero() else format_ball(truth)
        reason = f"{answers} where the derivative is {true}: {why}"
        return self._blaming(found, Outcome.WRONG, reason, cause, **measures)

    def _pair(self, answer: float, truth: Any, measures: Measure) -> str:
        return pair(answer, truth, measures, self._zero)

    @property
    def _zero(self) -> str:
        """What a true derivative of 0 is called: it may have been proved to be next to nothing."""
        proved = self.court.evidence.of("reference", self.partial)
        is_exact = not isinstance(proved, Certified) or proved.ball.is_zero()
        return "0" if is_exact else "0 to every dtype"

    def _blaming(self, found: Culprit | None, *said: Any, **rest: Any) -> Verdict:
        return self._verdict(*said, culprit=None if found is None else found.node, **rest)

    def _culprit(self, truth: Any, answer: float, *, decides: bool = False) -> Culprit | None:
        """What a step did, where that is wanted, or decides the outcome."""
        if self.court.brief and not decides:
            return None
        inquiry = self.court.inquiry
        return None if inquiry is None else inquiry.culprit(self.partial, truth, answer)

    def _cause(self, found: Culprit | None) -> Cause:
        """What a culprit did; where no step stands out, what sums do to the digits."""
        if found is None or found.cause is Cause.ROUNDING:
            return rounding_cause(self.court.evidence, self.partial)
        return found.cause

    def _follows(self, path: Path, answer: Measured, measures: Measure) -> bool:
        """Whether torch's own path leads to an answer, and rounding, or a kink that it crosses,
        that far from the truth.
        """
        if not path.explains(self.partial, answer.value):
            return False
        if other_branch(self.court.crossed, self.court.point, self.partial):
            return not path.is_open(self.partial)
        return measures["error"] <= BUDGET_FACTOR * path.budget(self.partial)

    def _on_path(
        self, truth: Any, answer: Measured, budget: Budget, measures: Measure, path: Path
    ) -> Verdict:
        """Explained by what rounding made of torch's forward values, to all orders."""
        crossed = other_branch(self.court.crossed, self.court.point, self.partial)
        if crossed:
            across = f"because rounding takes it across the kink of `{crossed}`"
            reason = f"kink within rounding: {self._pair(answer.value, truth, measures)}, {across}"
            cause = Cause.KINK_WITHIN_ROUNDING
            return self._verdict(Outcome.IMPRECISE, reason, cause, **measures)
        if self.court.tolerance is None:
            measures["tolerance"] = max(measures["tolerance"], half_digits(truth, self.dtype))
        undecided = path.is_wide(self.partial, truth)
        return self._explained(truth, answer, budget, measures, undecided)

    def _tolerated(self, budget: Budget, measures: Measure) -> Verdict:
        """Within the user's own tolerance; the cause is told all the same."""
        room = BUDGET_FACTOR * budget.total
        if is_within_free_ulps(measures):
            reason = f"within the tolerance given: within {FREE_ULPS} ulp"
            return self._verdict(Outcome.AGREE, reason, None, **measures)
        explained = measures["error"] <= room
        why = "rounding explains it" if explained else f"rounding explains {room:.2g} at most"
        cause = Cause.ROUNDING if explained else Cause.UNKNOWN
        reason = f"within the tolerance given: {off(measures)}; {why}"
        return self._verdict(Outcome.AGREE, reason, cause, **measures)

    def _explained(
        self, truth: Any, answer: Measured, budget: Budget, measures: Measure, undecided: bool
    ) -> Verdict:
        distance = off(measures)
        if self.court.tolerance is None and measures["error"] <= measures["tolerance"]:
            reason = f"{distance}, explained by rounding{self._mostly(budget, ',')}"
            return self._verdict(Outcome.AGREE, reason, Cause.ROUNDING, **measures)
        is_lost = self._is_lost(truth, measures)
        found = self._culprit(truth, answer.value, decides=is_lost)
        numbers = self._pair(answer.value, truth, measures)
        if found is not None and found.is_of_range and is_lost:
            reason = f"{numbers} ({distance}): {found.words}"
            return self._blaming(found, Outcome.WRONG, reason, found.cause, **measures)
        lost = "more than the tolerance given, lost to rounding"
        if self.court.tolerance is None:
            lost = "more than half the digits are lost to rounding"
        place = self._mostly(budget, ":") if found is None else f": {found.words}"
        reason = f"{numbers} ({distance}): {lost}{place}"
        if undecided:
            coarse = f"{self.dtype.name} cannot tell this formula from a wrong one here"
            reason = f"{reason}; {coarse}"
        cause = self._cause(found)
        outcome = Outcome.IMPRECISE
        return self._blaming(found, outcome, reason, cause, undecided=undecided, **measures)

    def _mostly(self, budget: Budget, mark: str) -> str:
        """The node that makes most of a budget, behind a mark."""
        if budget.culprit is None:
            return ""
        return f"{mark} mostly at `{self.court.point.specification.source(budget.culprit)}`"

    def _is_lost(self, truth: Any, measures: Measure) -> bool:
        """Whether no digit of an answer is right, to a truth that the dtype could hold."""
        least = balls.exact_ball(self.dtype.least_normal)
        return bool(abs(truth) >= least and 2 * measures["error"] >= magnitude(truth))

    def _unexplained(
        self, truth: Any, answer: Measured, budget: Budget, measures: Measure
    ) -> Verdict:
        room = BUDGET_FACTOR * budget.total
        numbers = self._pair(answer.value, truth, measures)
        crossed = other_branch(self.court.crossed, self.court.point, self.partial)
        found = None
        if self.court.cut:
            reason = f"torch has no derivative for {self.court.cut} and leaves that part out"
            cause, reason = self.court.cut_cause, f"{reason}: {numbers}"
        elif note := approximation_note(self.court.approximated, self.partial):
            reason = f"{numbers} ({off(measures)}): {note}"
            cause = Cause.LIMITED_APPROXIMATION
        else:
            cause = Cause.OTHER_BRANCH if crossed else Cause.UNKNOWN
            found = None if crossed else self._culprit(truth, answer.value)
            reason = f"{numbers} ({off(measures)}): rounding explains {room:.2g} at most"
            path = self.court.path
            is_lost = path is not None and path.has_no_end(self.partial)
            if found is not None and (found.is_of_range or is_lost):
                cause = self._cause(found)
                reason = f"{numbers} ({off(measures)}): {found.words}"
        if cause is Cause.UNKNOWN and self.court.forward_is_off:
            cause = Cause.LIMITED_APPROXIMATION
        return self._blaming(found, Outcome.WRONG, reason, cause, **measures)

    def _beyond_range(self, truth: Any, answer: float) -> tuple[str, Cause | None]:
        """Why an infinity or a zero is the correctly rounded answer, if it is."""
        if isnan(answer) or (answer != 0 and isfinite(answer)):
            return "", None
        derivative = f"the derivative, {format_ball(truth)}, is"
        if not isfinite(answer):
            beyond = abs(truth) > largest(self.dtype) and (truth > 0) == (answer > 0)
            words = f"overflow: {derivative} beyond the largest {self.dtype.name}"
            return (words, Cause.OVERFLOW) if beyond else ("", None)
        if not truth.contains(0) and abs(truth) <= balls.exact_ball(self.dtype.smallest / 2):
            words = f"underflow: {derivative} below half the smallest {self.dtype.name}"
            return words, Cause.UNDERFLOW
        return "", None
