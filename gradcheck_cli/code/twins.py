"""A function beside its twin: kernels are held to the error that a plain implementation makes."""

from __future__ import annotations

from dataclasses import replace
from math import prod
from typing import TYPE_CHECKING, Any

from flint import arb, ctx

from gradcheck_cli.judge.measure import ulp
from gradcheck_cli.records.outcome import Outcome
from gradcheck_cli.witnesses.autograd import Backward, Measured, floats_of, run_once
from gradcheck_cli.witnesses.reference import Proof
from gradcheck_cli.witnesses.truth import Certified

if TYPE_CHECKING:
    from gradcheck_cli.checks.result import Result
    from gradcheck_cli.judge.verdict import Verdict
    from gradcheck_cli.subjects.function import FunctionSubject

# Times the twin's error that a kernel may make.
TWICE = 2
_BITS = 256


def beside_twin(result: Result, twin: FunctionSubject) -> Result:
    """The same, with every partial that is proved held to twice the error of the twin in the same
    dtype, and a unit in the last place.
    """
    point = result.evidence.point
    proof = result.evidence.whole("reference", Proof)
    mine = result.evidence.whole("autograd", Backward)
    if proof is None or mine is None:
        return result
    batch = replace(point.batch, question=replace(point.question, subject=twin))
    _, leaves = run_once(batch)
    theirs: list[float] = []
    for name in point.question.wrt:
        grad = leaves[name].grad
        theirs += (
            [float("nan")] * prod(point.prepared.size(name))
            if grad is None
            else floats_of(grad).tolist()
        )
    with ctx.workprec(_BITS):
        verdicts = [
            _held(verdict, proof.partials[k], mine.partials[k], theirs[k], point.dtype)
            for k, verdict in enumerate(result.verdicts)
        ]
    return replace(result, verdicts=tuple(verdicts))


def _held(verdict: Verdict, truth: Any, answer: Any, other: float, dtype: Any) -> Verdict:
    if not isinstance(truth, Certified) or not isinstance(answer, Measured):
        return verdict
    error, scale = (float(abs(arb(v) - truth.truth).mid()) for v in (answer.value, other))
    room = TWICE * scale + ulp(truth.truth, dtype)
    words = f"its error is {error:.2g}, that of the twin {scale:.2g}"
    if error <= room:
        return replace(verdict, outcome=Outcome.AGREE, cause=None, reason=words)
    return replace(verdict, outcome=Outcome.WRONG, reason=f"{words}, of which twice is allowed")
