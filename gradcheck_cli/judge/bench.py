"""Verdicts: what the opinions, held against the proved reference, amount to."""

from __future__ import annotations

from dataclasses import replace
from math import isfinite, isnan
from typing import TYPE_CHECKING, Any

from gradcheck_cli.judge.branch import other_branch
from gradcheck_cli.judge.culprit import why_not_finite
from gradcheck_cli.judge.evidence import Evidence, Tolerance, analytic_agrees, numeric_agrees
from gradcheck_cli.judge.forward import why_numeric_misses
from gradcheck_cli.judge.measure import (
    BUDGET_FACTOR,
    FREE_ULPS,
    Measure,
    format_ball,
    format_float,
    largest,
    magnitude,
    measure,
    off,
    pair,
    ulp,
    within_free_ulps,
)
from gradcheck_cli.judge.rounding import Budget, rounding
from gradcheck_cli.judge.sides import Boundary, disputes_sides, two_sides
from gradcheck_cli.judge.verdict import Verdict
from gradcheck_cli.records.outcome import Outcome
from gradcheck_cli.witnesses import Abstention
from gradcheck_cli.witnesses.autograd import Autograd, Detached, Measured
from gradcheck_cli.witnesses.reference import Certified, Touching, Undefined
from gradcheck_cli.worlds import balls
from gradcheck_cli.worlds.scalars import TooLarge

if TYPE_CHECKING:
    from gradcheck_cli.questions.question import PartialKey

# Working precision of the comparisons themselves: far below any dtype's spacing.
_BITS = 256


def judge(evidence: Evidence, tolerance: Tolerance | None = None) -> tuple[Verdict, ...]:
    """One verdict a partial, in the order of `case.keys`."""
    from flint import ctx

    with ctx.workprec(_BITS):
        return tuple(
            _Bench(evidence, tolerance, k, key).verdict()
            for k, key in enumerate(evidence.case.keys)
        )


class _Bench:
    """One partial on trial."""

    def __init__(
        self, evidence: Evidence, tolerance: Tolerance | None, position: int, key: PartialKey
    ) -> None:
        self.evidence, self.tolerance, self.position, self.key = evidence, tolerance, position, key
        self.case, self.dtype = evidence.case, evidence.case.dtype
        self.truth, self.formula, self.answer, self.difference = evidence.of(position)

    def verdict(self) -> Verdict:
        """The outcome, with what is to be said of the other opinions appended."""
        found = self._outcome()
        asides = self._asides(found)
        return found.and_also(*asides) if asides else found

    def _outcome(self) -> Verdict:
        from flint import arb

        answer = self.answer
        if isinstance(answer, Abstention):
            return Verdict(self.key, Outcome.INCONCLUSIVE, answer.reason)
        if isinstance(answer, Detached):
            return self._detached(answer)
        match self.truth:
            case Certified(ball=ball):
                # A ball narrower than 2**-1076 around 0 is 0 to every dtype.
                return self._against(arb(0) if ball.contains(0) else ball, answer)
            case Undefined(of_value=True) as undefined:
                return Verdict(
                    self.key,
                    Outcome.UNDEFINED,
                    f"there is nothing to differentiate: {undefined.reason}; torch answers {format_float(answer.value)}",
                )
            case Touching() as touching:
                return self._beside(
                    answer,
                    f"at the boundary of `{touching.function}` in `{self.case.program.source(touching.node)}`",
                )
            case Undefined():
                return self._beside(answer, "where the formula for the derivative is not finite")
        return Verdict(
            self.key,
            Outcome.INCONCLUSIVE,
            f"{self.truth.reason}; torch answers {format_float(answer.value)}, which nothing here confirms or refutes",
        )

    def _detached(self, answer: Detached) -> Verdict:
        cut = f" past {', '.join(f'`{name}`' for name in answer.cut)}" if answer.cut else ""
        reason = f"torch has no path from `{self.key.variable}` to the result{cut}, so it gives no gradient"
        if isinstance(self.truth, Certified):
            zero = self.truth.ball.is_zero()
            slope = (
                "the derivative is 0 all the same"
                if zero
                else f"the derivative is {format_ball(self.truth.ball)}"
            )
            return Verdict(self.key, Outcome.DETACHED, f"{reason}; {slope}", failed=not zero)
        return Verdict(self.key, Outcome.DETACHED, reason)

    def _beside(self, answer: Measured, place: str) -> Verdict:
        """torch's number held against what is found to the left and the right of the point."""
        found = two_sides(self.case, self.position, self.difference)
        answers = f"torch answers {format_float(answer.value)}"
        if found.kind == "smooth":
            verdict = self._against(found.slope, answer)
            return replace(
                verdict,
                reason=f"{verdict.reason}; {place} {found.told}",
                sides=found.sides,
                truth=found.slope,
            )
        if found.kind == "undefined":
            return Verdict(
                self.key,
                Outcome.UNDEFINED,
                f"no derivative {place}: {found.told}; {answers}",
                sides=found.sides,
            )
        if found.kind == "unknown":
            return Verdict(
                self.key,
                Outcome.INCONCLUSIVE,
                f"{place}: {found.told}; {answers}",
                sides=found.sides,
            )
        if not isfinite(answer.value):
            return Verdict(
                self.key,
                Outcome.WRONG,
                f"{answers}, though one-sided derivatives exist {place}: {found.told}",
                sides=found.sides,
            )
        if self._inside(answer, found):
            said = "a valid subgradient" if found.kind == "kink" else "the derivative on that side"
            return Verdict(
                self.key,
                Outcome.KINK,
                f"no derivative {place}: {found.told}; {answers}, {said}",
                sides=found.sides,
            )
        return Verdict(
            self.key,
            Outcome.WRONG,
            f"{answers} {place}, which is no subgradient: {found.told}",
            sides=found.sides,
        )

    def _inside(self, answer: Measured, found: Boundary) -> bool:
        """Whether an answer lies between the one-sided derivatives, with the room that rounding may
        take.
        """
        from flint import arb

        low, high = (found.slope, found.slope) if found.kind == "edge" else (found.low, found.high)
        budget = self._budget().total
        room = arb(BUDGET_FACTOR * budget if isfinite(budget) else 0.0)
        room += FREE_ULPS * max(ulp(low, self.dtype), ulp(high, self.dtype))
        return bool(low.lower() - room <= arb(answer.value) <= high.upper() + room)

    def _against(self, truth: Any, answer: Measured) -> Verdict:
        """torch's number held against the certified truth."""
        found = measure(answer.value, truth, self.dtype)
        beyond = self._beyond_range(truth, answer.value)
        if beyond:
            return Verdict(self.key, Outcome.AGREE, beyond, **found)
        if not isfinite(answer.value):
            why = (
                why_not_finite(self.evidence)
                if isinstance(self.evidence.autograd, Autograd)
                else ""
            )
            return Verdict(
                self.key,
                Outcome.WRONG,
                f"torch answers {format_float(answer.value)} where the derivative is {format_ball(truth)}{why}",
                **found,
            )
        if self.tolerance is None and within_free_ulps(found):
            return Verdict(
                self.key, Outcome.AGREE, f"within {FREE_ULPS} ulp of the true value", **found
            )
        budget = self._budget()
        error, found["tolerance"] = found["error"], self._room(truth, budget, found)
        if self.tolerance is not None and error <= found["tolerance"]:
            cause = (
                "rounding explains it"
                if error <= BUDGET_FACTOR * budget.total
                else f"rounding explains {BUDGET_FACTOR * budget.total:.2g} at most"
            )
            distance = (
                f"within {FREE_ULPS} ulp" if within_free_ulps(found) else f"{off(found)}; {cause}"
            )
            return Verdict(
                self.key, Outcome.AGREE, f"within the tolerance given: {distance}", **found
            )
        if not isfinite(budget.total):
            reason = f"{pair(answer.value, truth, found)} ({off(found)}); how much of that is rounding cannot be told"
            return Verdict(self.key, Outcome.INCONCLUSIVE, reason, **found)
        return (
            self._explained(truth, answer, budget, found)
            if error <= BUDGET_FACTOR * budget.total
            else self._unexplained(truth, answer, budget, found)
        )

    def _room(self, truth: Any, budget: Budget, found: Measure) -> float:
        """The largest error that agrees."""
        if self.tolerance is not None:
            return self.tolerance.atol + self.tolerance.rtol * magnitude(truth)
        half = (2 * self.dtype.unit_roundoff) ** 0.5 * magnitude(truth)
        explained = BUDGET_FACTOR * budget.total
        return max(found["tolerance"], explained if truth.is_zero() else min(explained, half))

    def _explained(self, truth: Any, answer: Measured, budget: Budget, found: Measure) -> Verdict:
        place = (
            f", mostly at `{self.case.program.source(budget.culprit)}`"
            if budget.culprit is not None
            else ""
        )
        distance = off(found)
        if self.tolerance is None and found["error"] <= found["tolerance"]:
            return Verdict(
                self.key, Outcome.AGREE, f"{distance}, explained by rounding{place}", **found
            )
        undecided = BUDGET_FACTOR * budget.total > magnitude(truth) / 2
        lost = (
            "more than half the digits are lost to rounding"
            if self.tolerance is None
            else "more than the tolerance given, lost to rounding"
        )
        reason = f"{pair(answer.value, truth, found)} ({distance}): {lost}{place}"
        if undecided:
            reason += f"; {self.dtype.name} cannot tell this formula from a wrong one here"
        return Verdict(self.key, Outcome.IMPRECISE, reason, undecided=undecided, **found)

    def _unexplained(self, truth: Any, answer: Measured, budget: Budget, found: Measure) -> Verdict:
        room = BUDGET_FACTOR * budget.total
        crossed = other_branch(self.evidence, self.position)
        if crossed is not None and self._on(crossed[1], answer, room):
            words = f"kink within rounding: {pair(answer.value, truth, found)}, because rounding takes it across the kink of `{crossed[0]}`"
            return Verdict(self.key, Outcome.IMPRECISE, words, **found)
        reason = f"{pair(answer.value, truth, found)} ({off(found)}): rounding explains {room:.2g} at most"
        if isinstance(self.evidence.autograd, Autograd) and self.evidence.autograd.cut:
            names = ", ".join(f"`{name}`" for name in self.evidence.autograd.cut)
            reason = f"torch has no derivative for {names} and leaves that part out: {pair(answer.value, truth, found)}"
        return Verdict(self.key, Outcome.WRONG, reason, **found)

    def _on(self, slope: Any, answer: Measured, room: float) -> bool:
        """Whether an answer is the derivative of torch's branch, give or take rounding."""
        from flint import arb

        free = FREE_ULPS * ulp(slope, self.dtype) if slope.is_finite() else 0.0
        return bool(
            slope.is_finite()
            and slope.lower() - room - free <= arb(answer.value) <= slope.upper() + room + free
        )

    def _beyond_range(self, truth: Any, answer: float) -> str:
        """Why an infinity or a zero is the correctly rounded answer, if it is."""
        if isnan(answer):
            return ""
        if not isfinite(answer):
            right = abs(truth) > largest(self.dtype) and (truth > 0) == (answer > 0)
            return (
                f"overflow: the derivative, {format_ball(truth)}, is beyond the largest {self.dtype.name}"
                if right
                else ""
            )
        if (
            answer == 0
            and not truth.contains(0)
            and abs(truth) <= balls.exact_ball(self.dtype.smallest / 2)
        ):
            return f"underflow: the derivative, {format_ball(truth)}, is below half the smallest {self.dtype.name}"
        return ""

    def _budget(self) -> Budget:
        try:
            return rounding(self.case).of_partial(self.case, self.position, self.dtype)
        except TooLarge:
            return Budget(0.0)

    def _asides(self, verdict: Verdict) -> list[str]:
        """What is wrong with the other opinions."""
        found: list[str] = []
        truth = Certified(verdict.truth, 0) if verdict.truth is not None else self.truth
        if analytic_agrees(truth, self.formula) is False:
            found.append(
                f"SymPy is wrong: its derivative has the value {format_ball(self.formula.ball)}, the true one is {format_ball(truth.ball)}"
            )
        if numeric_agrees(truth, self.difference) is False:
            missed = f"the numeric estimate {format_float(self.difference.value, 12)} misses {format_ball(truth.ball, 12)} by more than its bar"
            found.append(f"{missed}: {why_numeric_misses(self.evidence, self.position)}")
        if verdict.sides is not None and disputes_sides(verdict.sides, self.difference):
            found.append(
                "the one-sided differences miss the proved derivatives by more than their bars: a defect of this tool"
            )
        return found
