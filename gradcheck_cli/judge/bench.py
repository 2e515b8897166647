"""The judge: what the opinions, held against the proved reference, amount to.

Every comparison is made here, once; records, reports and expectations read it from the verdict.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from math import isfinite, isnan
from typing import TYPE_CHECKING, Any

from gradcheck_cli.judge.branch import branch_taken, other_branch
from gradcheck_cli.judge.cause import rounding_cause
from gradcheck_cli.judge.culprit import why_not_finite
from gradcheck_cli.judge.evidence import agreement
from gradcheck_cli.judge.forward import forward_note, why_numeric_misses
from gradcheck_cli.judge.measure import (
    BUDGET_FACTOR,
    FREE_ULPS,
    Measure,
    format_ball,
    format_float,
    is_within_free_ulps,
    largest,
    magnitude,
    measure,
    off,
    pair,
    ulp,
)
from gradcheck_cli.judge.rounding import Budget, rounding
from gradcheck_cli.judge.sides import Boundary, boundary_at, disputes_sides
from gradcheck_cli.judge.verdict import Verdict
from gradcheck_cli.records.outcome import Cause, Outcome
from gradcheck_cli.witnesses import Abstention
from gradcheck_cli.witnesses.autograd import Backward, Detached, Measured
from gradcheck_cli.witnesses.truth import Certified, Touching, Undefined
from gradcheck_cli.worlds import balls
from gradcheck_cli.worlds.scalars import TooLarge

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gradcheck_cli.judge.branch import Branch
    from gradcheck_cli.judge.evidence import Evidence, Tolerance

# Working precision of the comparisons themselves: far below any dtype's spacing.
_BITS = 256


def judge(
    evidence: Evidence, tolerance: Tolerance | None = None, partials: Iterable[int] | None = None
) -> tuple[Verdict, ...]:
    """One verdict a partial, in the order of the point's keys.

    Args:
        partials: those that are judged; None for all.
    """
    from flint import ctx

    bench = _Bench(evidence, tolerance)
    wanted = range(len(evidence.point.keys)) if partials is None else partials
    with ctx.workprec(_BITS):
        return tuple(_Trial(bench, k).verdict() for k in wanted)


class _Bench:
    """What the trials of one point share."""

    def __init__(self, evidence: Evidence, tolerance: Tolerance | None) -> None:
        self.evidence, self.tolerance, self.point = evidence, tolerance, evidence.point
        backward = evidence.whole("autograd", Backward)
        self.cut = ", ".join(f"`{name}`" for name in backward.cut) if backward is not None else ""
        self.judges_backward = backward is not None

    @cached_property
    def branch(self) -> Branch | None:
        """The branch that torch's own values lie on."""
        return branch_taken(self.evidence)

    @cached_property
    def forward_is_off(self) -> bool:
        """Whether torch's value is further from the truth than rounding explains."""
        return forward_note(self.evidence) is not None


class _Trial:
    """One partial on trial."""

    def __init__(self, bench: _Bench, partial: int) -> None:
        self.bench, self.partial = bench, partial
        self.evidence, self.tolerance = bench.evidence, bench.tolerance
        self.dtype, self.key = bench.point.dtype, bench.point.keys[partial]
        self.truth = self.evidence.of("reference", partial)
        self.difference = self.evidence.of("numeric", partial)

    def verdict(self) -> Verdict:
        """The outcome, with what is to be said of the other opinions appended."""
        verdict = self._outcome()
        truth = verdict.truth
        if truth is None and isinstance(self.truth, Certified):
            truth = self.truth.ball
        for name in self.evidence:
            if name not in ("reference", "autograd"):
                answer = self.evidence.of(name, self.partial)
                verdict.agrees[name] = agreement(truth, answer)
        asides = self._asides(verdict, truth)
        return verdict.and_also(*asides) if asides else verdict

    def _verdict(self, outcome: Outcome, reason: str, cause: Cause | None, **rest: Any) -> Verdict:
        return Verdict(self.key, outcome, reason, cause, **rest)

    def _outcome(self) -> Verdict:
        answer = self.evidence.of("autograd", self.partial)
        if isinstance(answer, Detached):
            return self._detached(answer)
        if not isinstance(answer, Measured):
            reason = answer.reason if isinstance(answer, Abstention) else "torch gives no number"
            return self._verdict(Outcome.INCONCLUSIVE, reason, Cause.UNKNOWN)
        answers = f"torch answers {format_float(answer.value)}"
        match self.truth:
            case Certified() as certified:
                return self._against(certified.truth, answer)
            case Undefined(of_value=True, reason=reason, cause=cause):
                reason = f"there is nothing to differentiate: {reason}; {answers}"
                return self._verdict(Outcome.UNDEFINED, reason, cause)
            case Touching(function=function, node=node):
                words = self.bench.point.specification.source(node)
                return self._beside(answer, f"at the boundary of `{function}` in `{words}`")
            case Undefined():
                return self._beside(answer, "where the formula for the derivative is not finite")
        reason = getattr(self.truth, "reason", "nothing is proved")
        reason = f"{reason}; {answers}, which nothing here confirms or refutes"
        return self._verdict(Outcome.INCONCLUSIVE, reason, Cause.UNKNOWN)

    def _detached(self, answer: Detached) -> Verdict:
        names = ", ".join(f"`{name}`" for name in answer.cut)
        cut = f" past {names}" if names else ""
        reason = f"torch has no path from `{self.key.variable}` to the result{cut}"
        reason = f"{reason}, so it gives no gradient"
        cause = Cause.MISSING_DERIVATIVE if names else Cause.NO_PATH
        if not isinstance(self.truth, Certified):
            return self._verdict(Outcome.DETACHED, reason, cause)
        ball = self.truth.ball
        slope = f"the derivative is {format_ball(ball)}"
        if ball.is_zero():
            slope = "the derivative is 0 all the same"
        failed = not ball.is_zero()
        return self._verdict(Outcome.DETACHED, f"{reason}; {slope}", cause, failed=failed)

    def _beside(self, answer: Measured, place: str) -> Verdict:
        """torch's number held against what is to the left and the right of the point."""
        boundary = boundary_at(self.bench.point, self.partial, self.difference)
        words, cause, sides = boundary.words, boundary.cause, boundary.sides
        answers = f"torch answers {format_float(answer.value)}"
        if boundary.kind == "smooth":
            verdict = self._against(boundary.slope, answer)
            reason = f"{verdict.reason}; {place} {words}"
            return replace(verdict, reason=reason, sides=sides, truth=boundary.slope)
        if boundary.kind == "undefined":
            reason = f"no derivative {place}: {words}; {answers}"
            return self._verdict(Outcome.UNDEFINED, reason, cause, sides=sides)
        if boundary.kind == "unknown":
            reason = f"{place}: {words}; {answers}"
            return self._verdict(Outcome.INCONCLUSIVE, reason, Cause.UNKNOWN, sides=sides)
        if not isfinite(answer.value):
            reason = f"{answers}, though one-sided derivatives exist {place}: {words}"
            return self._verdict(Outcome.WRONG, reason, cause, sides=sides)
        if self._is_inside(answer, boundary):
            kink = boundary.kind == "kink"
            valid = "a valid subgradient" if kink else "the derivative on that side"
            reason = f"no derivative {place}: {words}; {answers}, {valid}"
            return self._verdict(Outcome.KINK, reason, cause, sides=sides)
        reason = f"{answers} {place}, which is no subgradient: {words}"
        return self._verdict(Outcome.WRONG, reason, cause, sides=sides)

    def _is_inside(self, answer: Measured, boundary: Boundary) -> bool:
        """Whether an answer lies between the one-sided derivatives, with the room that rounding may
        take.
        """
        from flint import arb

        low, high = boundary.low, boundary.high
        if boundary.kind == "edge":
            low = high = boundary.slope
        budget = self._budget().total
        room = arb(BUDGET_FACTOR * budget if isfinite(budget) else 0.0)
        room += FREE_ULPS * max(ulp(low, self.dtype), ulp(high, self.dtype))
        return bool(low.lower() - room <= arb(answer.value) <= high.upper() + room)

    def _against(self, truth: Any, answer: Measured) -> Verdict:
        """torch's number held against the certified truth."""
        measures = measure(answer.value, truth, self.dtype)
        beyond, cause = self._beyond_range(truth, answer.value)
        if beyond:
            return self._verdict(Outcome.AGREE, beyond, cause, **measures)
        if not isfinite(answer.value):
            why, cause = why_not_finite(self.evidence) if self.bench.judges_backward else ("", None)
            answers = f"torch answers {format_float(answer.value)}"
            reason = f"{answers} where the derivative is {format_ball(truth)}{why}"
            return self._verdict(Outcome.WRONG, reason, cause, **measures)
        if self.tolerance is None and is_within_free_ulps(measures):
            reason = f"within {FREE_ULPS} ulp of the true value"
            return self._verdict(Outcome.AGREE, reason, None, **measures)
        budget = self._budget()
        measures["tolerance"] = self._room(truth, budget, measures)
        explained = measures["error"] <= BUDGET_FACTOR * budget.total
        if self.tolerance is not None and measures["error"] <= measures["tolerance"]:
            return self._tolerated(budget, measures)
        if not isfinite(budget.total):
            distance = f"{pair(answer.value, truth, measures)} ({off(measures)})"
            reason = f"{distance}; how much of that is rounding cannot be told"
            return self._verdict(Outcome.INCONCLUSIVE, reason, Cause.UNKNOWN, **measures)
        if explained:
            return self._explained(truth, answer, budget, measures)
        return self._unexplained(truth, answer, budget, measures)

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

    def _room(self, truth: Any, budget: Budget, measures: Measure) -> float:
        """The largest error that agrees."""
        if self.tolerance is not None:
            return self.tolerance.atol + self.tolerance.rtol * magnitude(truth)
        half = (2 * self.dtype.unit_roundoff) ** 0.5 * magnitude(truth)
        explained = BUDGET_FACTOR * budget.total
        return max(measures["tolerance"], explained if truth.is_zero() else min(explained, half))

    def _explained(
        self, truth: Any, answer: Measured, budget: Budget, measures: Measure
    ) -> Verdict:
        place = ""
        if budget.culprit is not None:
            place = f", mostly at `{self.bench.point.specification.source(budget.culprit)}`"
        distance = off(measures)
        if self.tolerance is None and measures["error"] <= measures["tolerance"]:
            reason = f"{distance}, explained by rounding{place}"
            return self._verdict(Outcome.AGREE, reason, Cause.ROUNDING, **measures)
        undecided = BUDGET_FACTOR * budget.total > magnitude(truth) / 2
        lost = "more than the tolerance given, lost to rounding"
        if self.tolerance is None:
            lost = "more than half the digits are lost to rounding"
        reason = f"{pair(answer.value, truth, measures)} ({distance}): {lost}{place}"
        if undecided:
            coarse = f"{self.dtype.name} cannot tell this formula from a wrong one here"
            reason = f"{reason}; {coarse}"
        cause = rounding_cause(self.evidence, self.partial)
        return self._verdict(Outcome.IMPRECISE, reason, cause, undecided=undecided, **measures)

    def _unexplained(
        self, truth: Any, answer: Measured, budget: Budget, measures: Measure
    ) -> Verdict:
        room = BUDGET_FACTOR * budget.total
        numbers = pair(answer.value, truth, measures)
        crossed = other_branch(self.bench.branch, self.bench.point, self.partial)
        if crossed is not None and self._is_on(crossed[1], answer, room):
            across = f"because rounding takes it across the kink of `{crossed[0]}`"
            reason = f"kink within rounding: {numbers}, {across}"
            cause = Cause.KINK_WITHIN_ROUNDING
            return self._verdict(Outcome.IMPRECISE, reason, cause, **measures)
        if self.bench.cut:
            reason = f"torch has no derivative for {self.bench.cut} and leaves that part out"
            cause, reason = Cause.MISSING_DERIVATIVE, f"{reason}: {numbers}"
        else:
            cause = Cause.OTHER_BRANCH if crossed is not None else Cause.UNKNOWN
            reason = f"{numbers} ({off(measures)}): rounding explains {room:.2g} at most"
        if cause is Cause.UNKNOWN and self.bench.forward_is_off:
            cause = Cause.LIMITED_APPROXIMATION
        return self._verdict(Outcome.WRONG, reason, cause, **measures)

    def _is_on(self, slope: Any, answer: Measured, room: float) -> bool:
        """Whether an answer is the derivative of torch's branch, give or take rounding."""
        from flint import arb

        if not slope.is_finite():
            return False
        room += FREE_ULPS * ulp(slope, self.dtype)
        return bool(slope.lower() - room <= arb(answer.value) <= slope.upper() + room)

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

    def _budget(self) -> Budget:
        point = self.bench.point
        try:
            return rounding(point).of_partial(point, self.partial, self.dtype)
        except TooLarge:
            return Budget(0.0)

    def _asides(self, verdict: Verdict, truth: Any) -> list[str]:
        """What is wrong with the other opinions."""
        wrong = (name for name, agrees in verdict.agrees.items() if agrees is False)
        asides = [self._dispute(name, truth) for name in wrong]
        # Across a jump differences have no slope to find: steps that are closer together than
        # floats, such as those of floor at 1e140, look like one.
        jumps = verdict.cause is Cause.JUMP
        if verdict.sides and not jumps and disputes_sides(verdict.sides, self.difference):
            misses = "the one-sided differences miss the proved derivatives by more than their bars"
            asides.append(f"{misses}: a defect of this tool")
        return asides

    def _dispute(self, name: str, truth: Any) -> str:
        """What is to be said of an opinion that cannot be right."""
        answer: Any = self.evidence.of(name, self.partial)
        if name == "analytic":
            value, true = format_ball(answer.ball), format_ball(truth)
            return f"SymPy is wrong: its derivative has the value {value}, the true one is {true}"
        value, true = format_ball(answer.ball, 12), format_ball(truth, 12)
        if name == "numeric":
            missed = f"the numeric estimate {format_float(answer.value, 12)} misses {true}"
            why = why_numeric_misses(self.evidence, self.partial)
            return f"{missed} by more than its bar: {why}"
        return f"the {name} opinion, {value}, is not the true derivative, {true}"
