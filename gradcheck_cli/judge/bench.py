"""The judge: what the opinions, held against the proved reference, amount to.

Every comparison is made here, once; records, reports and expectations read it from the verdict.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from math import isfinite
from typing import TYPE_CHECKING, Any

from flint import arb, ctx

from gradcheck_cli.judge.cause import cut_cause
from gradcheck_cli.judge.comparison import Comparison
from gradcheck_cli.judge.court import Court
from gradcheck_cli.judge.evidence import agreement
from gradcheck_cli.judge.forward import (
    overflowing_decimals,
    value_without_number,
    why_numeric_misses,
)
from gradcheck_cli.judge.in_bulk import BulkTrial
from gradcheck_cli.judge.measure import (
    BUDGET_FACTOR,
    format_ball,
    format_float,
    measure,
    told_apart,
    ulp,
)
from gradcheck_cli.judge.modes import with_modes
from gradcheck_cli.judge.second import boundary_beside
from gradcheck_cli.judge.sides import Boundary, disputes_sides
from gradcheck_cli.judge.stops import is_stopped
from gradcheck_cli.judge.verdict import Verdict
from gradcheck_cli.records.outcome import Cause, Outcome
from gradcheck_cli.records.record import FREE_ULPS
from gradcheck_cli.witnesses import FORMULA, Abstention
from gradcheck_cli.witnesses.autograd import Detached, Measured
from gradcheck_cli.witnesses.bulk_proof import BulkProof
from gradcheck_cli.witnesses.differences import Difference
from gradcheck_cli.witnesses.proved_arrays import Unbounded
from gradcheck_cli.witnesses.truth import Certified, Touching, Undefined

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gradcheck_cli.judge.evidence import Evidence, Tolerance
    from gradcheck_cli.witnesses import Answer

# What rounding may do in float64 to code of which nothing is known; in another dtype that is half
# the digits.
_LOST = 2.0**-33
# How narrow the bar of a difference must be to decide: relative to the slopes, and to the value.
_SETTLED, _NOISE = 2.0**-10, 2.0**-30
# Working precision of the comparisons themselves: far below any dtype's spacing.
_BITS = 256


def judge(
    evidence: Evidence,
    tolerance: Tolerance | None = None,
    partials: Iterable[int] | None = None,
    *,
    brief: bool = False,
) -> tuple[Verdict, ...]:
    """One verdict a partial, in the order of the point's keys.

    Args:
        partials: those that are judged; None for all.
        brief: the outcomes and how far off answers are, without what only explains them.
    """
    court = Court(evidence, tolerance, brief=brief)
    wanted = range(len(evidence.point.keys)) if partials is None else [*partials]
    proof = evidence.whole("reference", BulkProof)
    with ctx.workprec(_BITS):
        if proof is not None:
            trial = BulkTrial(court, proof)
            return trial.verdicts(wanted, lambda one, k: _Trial(one, k).verdict())
        return tuple(_Trial(court, k).verdict() for k in wanted)


class _Trial:
    """One partial on trial."""

    def __init__(self, court: Court, partial: int) -> None:
        self.court, self.comparison, self.partial = court, Comparison(court, partial), partial
        self.evidence, self.point = court.evidence, court.point
        self.dtype, self.key = court.point.dtype, court.point.keys[partial]
        self.truth = self.evidence.of("reference", partial)
        self.difference = self.evidence.of("numeric", partial)

    def verdict(self) -> Verdict:
        """The outcome, with what is to be said of the other opinions appended."""
        verdict = self._outcome(self.evidence.of("autograd", self.partial))
        if self.court.modes:
            verdict = with_modes(verdict, self.evidence, self.partial, self._outcome)
        truth = verdict.truth
        if truth is None and isinstance(self.truth, Certified):
            truth = self.truth.ball
        for name in self.evidence:
            if name not in ("reference", "autograd") and name not in verdict.agrees:
                answer = self.evidence.of(name, self.partial)
                verdict.agrees[name] = agreement(truth, answer)
        asides = self._asides(verdict, truth)
        return verdict.and_also(*asides) if asides else verdict

    def _verdict(self, outcome: Outcome, reason: str, cause: Cause | None, **rest: Any) -> Verdict:
        return Verdict(self.key, outcome, reason, cause, **rest)

    def _outcome(self, answer: Answer) -> Verdict:
        if isinstance(answer, Detached):
            return self._detached(answer)
        if not isinstance(answer, Measured):
            reason = answer.reason if isinstance(answer, Abstention) else "torch gives no number"
            truth = self.truth
            if isinstance(truth, Undefined) and truth.of_value:
                reason = f"there is nothing to differentiate: {truth.reason}; {reason}"
                return self._verdict(Outcome.UNDEFINED, reason, truth.cause)
            return self._verdict(Outcome.INCONCLUSIVE, reason, Cause.UNKNOWN)
        answers = f"torch answers {format_float(answer.value)}"
        if isinstance(self.truth, Certified) and self._is_misstated(self.truth, answer):
            return self._misstated(self.truth, answer)
        value = None
        if isinstance(self.truth, Unbounded):
            value = self.court.value_without_bound(self.truth.place)
        elif not self.court.is_finite:
            value = value_without_number(self.evidence, self.partial)
        proved = isinstance(self.truth, Undefined) and self.truth.of_value
        if value is not None and not proved:
            reason = f"there is nothing to differentiate: torch's value is {format_float(value)}"
            reason = f"{reason}{overflowing_decimals(self.point)}"
            why = getattr(self.truth, "reason", "")
            reason = f"{reason}; {why}; {answers}" if why else f"{reason}; {answers}"
            return self._verdict(Outcome.UNDEFINED, reason, Cause.OUTSIDE_DOMAIN)
        match self.truth:
            case Certified() as certified:
                return self.comparison.verdict(certified.truth, answer)
            case Undefined(of_value=True, reason=reason, cause=cause):
                reason = f"there is nothing to differentiate: {reason}; {answers}"
                return self._verdict(Outcome.UNDEFINED, reason, cause)
            case Touching(function=function, node=node):
                words = self.point.specification.source(node)
                # A step of the first derivative is no function that the user wrote.
                inner = "" if self.court.is_second else f"`{function}` in "
                return self._beside(answer, f"at the boundary of {inner}`{words}`")
            case Undefined():
                return self._beside(answer, "where the formula for the derivative is not finite")
        why = getattr(self.truth, "reason", "nothing is proved")
        if self.point.question.subject.is_code and isinstance(self.difference, Difference):
            return self._by_differences(answer, self.difference, why)
        reason = f"{why}; {answers}, which nothing here confirms or refutes"
        return self._verdict(Outcome.INCONCLUSIVE, reason, Cause.UNKNOWN)

    def _is_misstated(self, truth: Certified, answer: Measured) -> bool:
        """Whether the formula of a backward that was recorded cannot be the derivative, and is what
        torch's number comes from.
        """
        if FORMULA not in self.evidence or agreement(truth.ball, self._formula) is not False:
            return False
        ball = self._formula.ball
        if ball is None or not isfinite(answer.value):
            return True
        budget = self.comparison.budget().total
        room = FREE_ULPS * ulp(ball, self.dtype) + (
            BUDGET_FACTOR * budget if isfinite(budget) else 0
        )
        near = bool(abs(arb(answer.value) - ball).lower() <= room) or not isfinite(budget)
        return near or not bool(abs(arb(answer.value) - truth.ball).lower() <= room)

    @property
    def _formula(self) -> Answer:
        return self.evidence.of(FORMULA, self.partial)

    def _misstated(self, truth: Certified, answer: Measured) -> Verdict:
        mine, true = format_ball(self._formula.ball), format_ball(truth.ball)
        if mine == true:
            mine, true = (format_ball(ball, 20) for ball in (self._formula.ball, truth.ball))
        reason = f"the backward's own formula gives {mine} where the derivative is {true}"
        measures = measure(answer.value, truth.truth, self.dtype)
        return self._verdict(Outcome.WRONG, reason, Cause.FORMULA, **measures)

    def _by_differences(self, answer: Measured, difference: Difference, why: str) -> Verdict:
        """Where nothing can be proved of code, its own differences decide."""
        gap = abs(answer.value - difference.value)
        unit = self.dtype.unit_roundoff
        loss = unit**0.5 if self.dtype.name != "float64" else _LOST
        room = difference.radius + loss * max(abs(answer.value), abs(difference.value))
        other = f"{difference.value:.12g} ± {difference.radius:.2g}"
        said = f"torch answers {format_float(answer.value)}"
        said = f"{said}, differences of the function itself say {other}"
        size = max(abs(answer.value), abs(difference.value))
        settled = size * _SETTLED, abs(difference.centre or 0.0) * _NOISE
        if not difference.radius <= max(settled):
            return self._verdict(Outcome.INCONCLUSIVE, f"{said}; {why}", Cause.UNKNOWN)
        outcome = Outcome.AGREE if gap <= room else Outcome.WRONG
        cause = None if gap <= room else Cause.UNKNOWN
        return self._verdict(outcome, f"{said}; {why}", cause, error=gap, tolerance=room)

    def _detached(self, answer: Detached) -> Verdict:
        names = ", ".join(f"`{name}`" for name in answer.cut)
        cut = f" past {names}" if names else ""
        reason = f"torch has no path from `{self.key.variable}` to the result{cut}"
        reason = f"{reason}, so it gives no gradient"
        cause = cut_cause(answer.cut)
        if (
            isinstance(self.truth, Certified)
            and not answer.cut
            and is_stopped(self.point, self.partial)
        ):
            reason = f"torch gives no gradient by `{self.key.variable}`, and the one stated is 0"
            return self._verdict(Outcome.AGREE, reason, None)
        if not isinstance(self.truth, Certified):
            return self._verdict(Outcome.DETACHED, reason, cause)
        ball = self.truth.ball
        slope = f"the derivative is {format_ball(ball)}"
        if ball.is_zero():
            slope = "the derivative is 0 all the same"
        failed = not ball.is_zero()
        if failed and self.point.question.subject.is_code:
            # Nobody but the person could have cut the path.
            return self._verdict(Outcome.WRONG, f"{reason}; {slope}", cause)
        return self._verdict(Outcome.DETACHED, f"{reason}; {slope}", cause, failed=failed)

    def _beside(self, answer: Measured, place: str) -> Verdict:
        """torch's number held against what is to the left and the right of the point."""
        boundary = self._boundary
        words, cause, sides = boundary.words, boundary.cause, boundary.sides
        answers = f"torch answers {format_float(answer.value)}"
        none = "no second derivative" if self.court.is_second else "no derivative"
        if boundary.kind == "smooth":
            verdict = self.comparison.verdict(boundary.slope, answer, at_boundary=True)
            reason = f"{verdict.reason}; {place} {words}"
            return replace(verdict, reason=reason, sides=sides, truth=boundary.slope)
        if boundary.kind == "undefined":
            reason = f"{none} {place}: {words}; {answers}"
            return self._verdict(Outcome.UNDEFINED, reason, cause, sides=sides)
        if boundary.kind == "unknown":
            reason = f"{place}: {words}; {answers}"
            return self._verdict(Outcome.INCONCLUSIVE, reason, Cause.UNKNOWN, sides=sides)
        if not isfinite(answer.value):
            rule = f"though one-sided derivatives exist {place}"
            if boundary.kind == "edge":
                rule = f"though the derivative of the side with values counts {place}"
            reason = f"{answers}, {rule}: {words}"
            return self._verdict(Outcome.WRONG, reason, cause, sides=sides)
        if self._is_inside(answer, boundary):
            kink = boundary.kind == "kink"
            valid = "a valid subgradient" if kink else "the derivative on that side"
            reason = f"{none} {place}: {words}; {answers}, {valid}"
            return self._verdict(Outcome.KINK, reason, cause, sides=sides)
        reason = f"{answers} {place}, which is no subgradient: {words}"
        return self._verdict(Outcome.WRONG, reason, cause, sides=sides)

    @cached_property
    def _boundary(self) -> Boundary:
        """What is to the left and the right."""
        return boundary_beside(self.point, self.partial, self.difference, self.evidence.zero_test)

    def _is_inside(self, answer: Measured, boundary: Boundary) -> bool:
        """Whether an answer lies between the one-sided derivatives, with the room that rounding may
        take.
        """
        low, high = boundary.low, boundary.high
        if boundary.kind == "edge":
            low = high = boundary.slope
        budget = self.comparison.budget().total
        room = arb(BUDGET_FACTOR * budget if isfinite(budget) else 0.0)
        room += FREE_ULPS * max(ulp(low, self.dtype), ulp(high, self.dtype))
        return bool(low.lower() - room <= arb(answer.value) <= high.upper() + room)

    def _asides(self, verdict: Verdict, truth: Any) -> list[str]:
        """What is wrong with the other opinions; of torch's own modes it is said already."""
        wrong = [name for name, agrees in verdict.agrees.items() if agrees is False]
        said = (FORMULA, *self.court.modes)
        asides = [self._dispute(name, truth) for name in wrong if name not in said]
        # Across a jump differences have no slope to find: steps that are closer together than
        # floats, such as those of floor at 1e140, look like one.
        jumps = verdict.cause is Cause.JUMP
        if verdict.sides and not jumps and disputes_sides(verdict.sides, self.difference):
            misses = "the one-sided differences miss the proved derivatives by more than their bars"
            asides.append(f"{misses}: {why_numeric_misses(self.evidence, self.partial)}")
        return asides

    def _dispute(self, name: str, truth: Any) -> str:
        """What is to be said of an opinion that cannot be right."""
        answer: Any = self.evidence.of(name, self.partial)
        if name == "analytic":
            value, true = format_ball(answer.ball), format_ball(truth)
            return f"SymPy is wrong: its derivative has the value {value}, the true one is {true}"
        if name == "numeric":
            value, true = told_apart(answer.value, truth)
            missed = f"the numeric estimate {value} misses {true}"
            why = why_numeric_misses(self.evidence, self.partial)
            return f"{missed} by more than its bar: {why}"
        value, true = format_ball(answer.ball, 12), format_ball(truth, 12)
        return f"the {name} opinion, {value}, is not the true derivative, {true}"
