"""Verdicts: what the opinions, held against the proved reference, amount to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from math import isfinite, isnan, log10
from typing import TYPE_CHECKING, Any

from gradcheck_cli.judge.blame import why_not_finite
from gradcheck_cli.judge.forward import forward_note
from gradcheck_cli.judge.kinks import Finding, two_sides
from gradcheck_cli.judge.outcome import Verdict, shown, told
from gradcheck_cli.judge.rounding import Budget, rounding
from gradcheck_cli.witnesses import Abstention
from gradcheck_cli.witnesses.analytic import Formula
from gradcheck_cli.witnesses.autograd import Autograd, Detached, Measured
from gradcheck_cli.witnesses.numeric import Difference
from gradcheck_cli.witnesses.reference import Certified, Reference, Touching, Undefined
from gradcheck_cli.worlds import balls
from gradcheck_cli.worlds.scalars import TooLarge

if TYPE_CHECKING:
    from gradcheck_cli.case import Case, Key
    from gradcheck_cli.dtypes import DType

# |A - T| up to this many ulp is right whatever the formula: the four roundings that even a single call may make.
FREE_ULPS = 4
# Measured on 10,880 points: |A - T| / B has median 0.14 and maximum 0.97, so 4 B has room for what a bound leaves out.
BUDGET_FACTOR = 4
# Working precision of the comparisons themselves: far below any dtype's spacing.
_BITS = 256


@dataclass(frozen=True)
class Tolerance:
    """The user's own rule: agree iff |A - T| <= atol + rtol |T|."""

    rtol: float = 0.0
    atol: float = 0.0


@dataclass(frozen=True)
class Evidence:
    """What every witness said of one case."""

    case: Case
    reference: Reference | Abstention
    analytic: tuple[Formula | Abstention, ...] | Abstention
    autograd: Autograd | Abstention
    numeric: tuple[Difference | Abstention, ...] | Abstention

    def of(self, position: int) -> tuple[Any, Any, Any, Any]:
        """(reference, analytic, autograd, numeric) on one partial; an abstention of the whole stands for each."""
        return (
            self.reference if isinstance(self.reference, Abstention) else self.reference.partials[position],
            self.analytic if isinstance(self.analytic, Abstention) else self.analytic[position],
            self.autograd if isinstance(self.autograd, Abstention) else self.autograd.partials[position],
            self.numeric if isinstance(self.numeric, Abstention) else self.numeric[position],
        )


def judge(evidence: Evidence, tolerance: Tolerance | None = None) -> tuple[Verdict, ...]:
    """One verdict a partial, in the order of `case.keys`."""
    from flint import ctx

    with ctx.workprec(_BITS):
        return tuple(_Bench(evidence, tolerance, k, key).verdict() for k, key in enumerate(evidence.case.keys))


class _Bench:
    """One partial on trial."""

    def __init__(self, evidence: Evidence, tolerance: Tolerance | None, position: int, key: Key) -> None:
        self.evidence, self.tolerance, self.position, self.key = evidence, tolerance, position, key
        self.case, self.dtype = evidence.case, evidence.case.dtype
        self.truth, self.formula, self.answer, self.difference = evidence.of(position)

    def verdict(self) -> Verdict:
        """The outcome, with what is to be said of the other opinions appended."""
        found = self._outcome()
        return found.and_also(*self._asides(found))

    def _outcome(self) -> Verdict:
        from flint import arb

        answer = self.answer
        if isinstance(answer, Abstention):
            return Verdict(self.key, "inconclusive", answer.reason)
        if isinstance(answer, Detached):
            return self._detached(answer)
        match self.truth:
            case Certified(ball=ball):
                # A ball narrower than 2**-1076 around 0 is 0 to every dtype.
                return self._against(arb(0) if ball.contains(0) else ball, answer)
            case Undefined(of_value=True) as undefined:
                return Verdict(self.key, "undefined", f"there is nothing to differentiate: {undefined.reason}; torch answers {shown(answer.value)}")
            case Touching() as touching:
                return self._beside(answer, f"at the boundary of `{touching.function}` in `{self.case.program.source(touching.node)}`")
            case Undefined():
                return self._beside(answer, "where the formula for the derivative is not finite")
        return Verdict(self.key, "inconclusive", f"{self.truth.reason}; torch answers {shown(answer.value)}, which nothing here confirms or refutes")

    def _detached(self, answer: Detached) -> Verdict:
        cut = f" past {', '.join(f'`{name}`' for name in answer.cut)}" if answer.cut else ""
        reason = f"torch has no path from `{self.key.variable}` to the result{cut}, so it gives no gradient"
        if isinstance(self.truth, Certified):
            zero = self.truth.ball.is_zero()
            slope = "the derivative is 0 all the same" if zero else f"the derivative is {told(self.truth.ball)}"
            return Verdict(self.key, "detached", f"{reason}; {slope}", failed=not zero)
        return Verdict(self.key, "detached", reason)

    def _beside(self, answer: Measured, place: str) -> Verdict:
        """torch's number held against what is found to the left and the right of the point."""
        found = two_sides(self.case, self.position, self.difference)
        answers = f"torch answers {shown(answer.value)}"
        if found.kind == "smooth":
            verdict = self._against(found.slope, answer)
            return replace(verdict, reason=f"{verdict.reason}; {place} {found.told}", sides=found.sides, truth=found.slope)
        if found.kind == "undefined":
            return Verdict(self.key, "undefined", f"no derivative {place}: {found.told}; {answers}", sides=found.sides)
        if found.kind == "unknown":
            return Verdict(self.key, "inconclusive", f"{place}: {found.told}; {answers}", sides=found.sides)
        if not isfinite(answer.value):
            return Verdict(self.key, "wrong", f"{answers} {place}, where one-sided derivatives exist: {found.told}", sides=found.sides)
        if self._inside(answer, found):
            said = "a valid subgradient" if found.kind == "kink" else "the derivative on that side"
            return Verdict(self.key, "kink", f"no derivative {place}: {found.told}; {answers}, {said}", sides=found.sides)
        return Verdict(self.key, "wrong", f"{answers} {place}, which is no subgradient: {found.told}", sides=found.sides)

    def _inside(self, answer: Measured, found: Finding) -> bool:
        """Whether an answer lies between the one-sided derivatives, with the room that rounding may take."""
        from flint import arb

        low, high = (found.slope, found.slope) if found.kind == "edge" else (found.low, found.high)
        budget = self._budget().total
        room = arb(BUDGET_FACTOR * budget if isfinite(budget) else 0.0)
        room += FREE_ULPS * balls.exact(max(_ulp(low, self.dtype), _ulp(high, self.dtype)))
        return bool(low.lower() - room <= arb(answer.value) <= high.upper() + room)

    def _against(self, truth: Any, answer: Measured) -> Verdict:
        """torch's number held against the certified truth."""
        measure = _measure(answer.value, truth, self.dtype)
        beyond = self._beyond_range(truth, answer.value)
        if beyond:
            return Verdict(self.key, "agree", beyond, **measure)
        if not isfinite(answer.value):
            why = why_not_finite(self.evidence) if isinstance(self.evidence.autograd, Autograd) else ""
            return Verdict(self.key, "wrong", f"torch answers {shown(answer.value)} where the derivative is {told(truth)}{why}", **measure)
        budget = self._budget() if measure["ulps"] > FREE_ULPS else None
        room = self._room(truth, budget)
        measure["tolerance"] = room
        error = measure["error"]
        if self.tolerance is not None:
            if error <= room:
                return Verdict(self.key, "agree", "within the tolerance given", **measure)
        elif measure["ulps"] <= FREE_ULPS:
            return Verdict(self.key, "agree", f"within {FREE_ULPS} ulp of the true value", **measure)
        budget = budget or self._budget()
        if not isfinite(budget.total):
            reason = f"{_pair(answer.value, truth, measure)} ({_off(measure)}); how much of that is rounding cannot be told"
            return Verdict(self.key, "inconclusive", reason, **measure)
        return self._explained(truth, answer, budget, measure) if error <= BUDGET_FACTOR * budget.total else self._unexplained(truth, answer, budget, measure)

    def _room(self, truth: Any, budget: Budget | None) -> float:
        if self.tolerance is not None:
            return self.tolerance.atol + self.tolerance.rtol * size(truth)
        free = FREE_ULPS * float(_ulp(truth, self.dtype))
        if budget is None:
            return free
        half = (2 * self.dtype.unit_roundoff) ** 0.5 * size(truth)
        explained = BUDGET_FACTOR * budget.total
        return max(free, explained if truth.is_zero() else min(explained, half))

    def _explained(self, truth: Any, answer: Measured, budget: Budget, measure: dict[str, float]) -> Verdict:
        place = f", mostly at `{self.case.program.source(budget.culprit)}`" if budget.culprit is not None else ""
        off = _off(measure)
        if self.tolerance is None and measure["error"] <= measure["tolerance"]:
            return Verdict(self.key, "agree", f"{off}, explained by rounding{place}", **measure)
        undecided = BUDGET_FACTOR * budget.total > size(truth) / 2
        lost = "more than half the digits are lost" if self.tolerance is None else "that exceeds the tolerance given"
        reason = f"{_pair(answer.value, truth, measure)} ({off}): {lost} to rounding{place}"
        if undecided:
            reason += f"; {self.dtype.name} cannot tell this formula from a wrong one here"
        return Verdict(self.key, "imprecise", reason, undecided=undecided, **measure)

    def _unexplained(self, truth: Any, answer: Measured, budget: Budget, measure: dict[str, float]) -> Verdict:
        room = BUDGET_FACTOR * budget.total
        reason = f"{_pair(answer.value, truth, measure)} ({_off(measure)}): rounding explains {room:.2g} at most"
        if isinstance(self.evidence.autograd, Autograd) and self.evidence.autograd.cut:
            names = ", ".join(f"`{name}`" for name in self.evidence.autograd.cut)
            reason = f"torch has no derivative for {names} and leaves that part out: {_pair(answer.value, truth, measure)}"
        return Verdict(self.key, "wrong", reason, **measure)

    def _beyond_range(self, truth: Any, answer: float) -> str:
        """Why an infinity or a zero is the correctly rounded answer, if it is."""
        if isnan(answer):
            return ""
        if not isfinite(answer):
            right = abs(truth) > balls.exact(self.dtype.largest) and (truth > 0) == (answer > 0)
            return f"overflow: the derivative, {told(truth)}, is beyond the largest {self.dtype.name}" if right else ""
        if answer == 0 and not truth.contains(0) and abs(truth) <= balls.exact(self.dtype.smallest / 2):
            return f"underflow: the derivative, {told(truth)}, is below half the smallest {self.dtype.name}"
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
            found.append(f"SymPy is wrong: its derivative has the value {told(self.formula.ball)}, the true one is {told(truth.ball)}")
        if numeric_agrees(truth, self.difference) is False:
            missed = f"the numeric estimate {shown(self.difference.value)} misses {told(truth.ball)} by more than its bar"
            blame = "it follows torch's value, which is itself off" if forward_note(self.evidence) else "a defect of this tool"
            found.append(f"{missed}: {blame}")
        return found


def numeric_agrees(self) -> bool | None:
        """Whether the truth lies within the numeric estimate's bar; None where one of them is missing."""
        return numeric_agrees(self.truth, self.difference)


def numeric_agrees(truth: Any, difference: Any) -> bool | None:
    """Whether the truth lies within the numeric estimate's bar; None where there is nothing to compare."""
    from flint import arb

    if not isinstance(truth, Certified) or not isinstance(difference, Difference):
        return None
    # One rounding of the estimate itself is its own.
    bar = balls.exact(Fraction(difference.radius)) if isfinite(difference.radius) else arb("inf")
    return bool(abs(arb(difference.value) - truth.ball) <= bar + abs(arb(difference.value)) * 2.0**-52)


def analytic_agrees(truth: Any, formula: Any) -> bool | None:
    """Whether SymPy's ball overlaps the reference's; None where there is nothing to compare."""
    if not isinstance(truth, Certified) or not isinstance(formula, Formula) or formula.ball is None:
        return None
    return bool(formula.ball.overlaps(truth.ball))


def digits(ball: Any, count: int) -> str:
    """The midpoint of a ball to some decimal digits."""
    return str(ball.mid().str(count, radius=False))


def size(ball: Any) -> float:
    """|ball| as a float, zero or infinity beyond its range."""
    return float(abs(ball).mid())


def _ulp(truth: Any, dtype: DType) -> Fraction:
    try:
        return dtype.ulp(balls.fraction(truth))
    except OverflowError:
        return dtype.smallest if abs(truth) < 1 else dtype.ulp(dtype.largest)


def _measure(answer: float, truth: Any, dtype: DType) -> dict[str, float]:
    """error, relative error and ulps of an answer; NaN answers give NaN."""
    from flint import arb

    if not isfinite(answer):
        return {"error": abs(answer), "relative_error": abs(answer), "ulps": abs(answer), "tolerance": FREE_ULPS * float(_ulp(truth, dtype))}
    gap = abs(arb(answer) - truth)
    relative = float((gap / abs(truth)).mid()) if not truth.contains(0) else (0.0 if gap.is_zero() else float("inf"))
    return {"error": float(gap.mid()), "relative_error": relative, "ulps": float((gap / balls.exact(_ulp(truth, dtype))).mid()), "tolerance": 0.0}


def _pair(answer: float, truth: Any, measure: dict[str, float]) -> str:
    """Both numbers, with digits enough to see that they differ."""
    relative = measure["relative_error"]
    count = min(max(6, 3 - round(log10(relative))), 17) if 0 < relative < 1 else 6
    return f"torch answers {shown(answer, count)} where the derivative is {told(truth, count)}"


def _off(measure: dict[str, float]) -> str:
    relative = measure["relative_error"]
    percent = f"{relative:.2g} relative" if relative < 1e-3 else f"{100 * relative:.3g} %" if relative < 100 else f"{relative:.2g} times too far"
    ulps = measure["ulps"]
    return f"off by {ulps:.4g} ulp, {percent}" if isfinite(relative) else f"off by {ulps:.4g} ulp"
