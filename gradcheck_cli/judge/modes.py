"""What torch answers in its other modes, held against the truth by the rule of its backward."""

from __future__ import annotations

from dataclasses import replace
from math import isfinite, isnan
from typing import TYPE_CHECKING

from gradcheck_cli.judge.measure import format_float
from gradcheck_cli.records.outcome import Outcome
from gradcheck_cli.witnesses.autograd import Measured
from gradcheck_cli.witnesses.modes import ModeAnswer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gradcheck_cli.judge.evidence import Evidence
    from gradcheck_cli.judge.verdict import Verdict

_WORDS = {
    "forward": "in forward mode",
    "create_graph": "under create_graph=True",
    "vmap": "under vmap",
}
_AGREES = {Outcome.AGREE: True, Outcome.IMPRECISE: False, Outcome.WRONG: False}


def with_modes(
    verdict: Verdict, evidence: Evidence, partial: int, judge: Callable[[Measured], Verdict]
) -> Verdict:
    """The verdict with what is to be said of the other modes; the worst answer counts.

    Args:
        judge: the verdict on a number of torch's.
    """
    if verdict.outcome is Outcome.DETACHED:
        return verdict  # a mode fills in a zero where there is no path
    backward, of_reverse = evidence.of("autograd", partial), verdict
    for name, answer in _answers(evidence, partial):
        if isinstance(backward, Measured) and _is_same(backward.value, answer.value):
            verdict.agrees[name] = _AGREES.get(of_reverse.outcome)
            continue
        other = judge(Measured(answer.value))
        verdict.agrees[name] = _AGREES.get(other.outcome)
        sentence = _difference(of_reverse, other, answer)
        if sentence:
            verdict = verdict.and_also(f"{_WORDS[name]} {sentence}")
        if other.outcome.rank < verdict.outcome.rank:
            verdict = replace(verdict, outcome=other.outcome, cause=other.cause)
    return verdict


def _is_same(x: float, y: float) -> bool:
    return x == y or (isnan(x) and isnan(y))


def _difference(of_reverse: Verdict, other: Verdict, answer: ModeAnswer) -> str:
    """What a mode makes of it that backward does not; empty where that is nothing."""
    if other.outcome is Outcome.AGREE:
        well = of_reverse.outcome is Outcome.AGREE
        return "" if well else f"it answers {format_float(answer.value)}, which agrees"
    if other.outcome is of_reverse.outcome and other.outcome not in _AGREES:
        return ""  # neither can be held against anything
    reason = other.reason
    if not isfinite(answer.value):
        reason = reason.partition(": ")[0]  # what follows speaks of backward
    return f"it is {other.outcome}: {reason}"


def _answers(evidence: Evidence, partial: int) -> Iterator[tuple[str, ModeAnswer]]:
    for name in evidence:
        answer = evidence.of(name, partial)
        if isinstance(answer, ModeAnswer):
            yield name, answer
