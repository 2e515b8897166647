"""From questions to verdicts: every witness is heard, then the judge."""

from __future__ import annotations

import gc
from dataclasses import replace
from typing import TYPE_CHECKING

from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.judge.evidence import Evidence
from gradcheck_cli.judge.forward import forward_note
from gradcheck_cli.judge.rounding import rounding
from gradcheck_cli.judge.verdict import judge
from gradcheck_cli.suite.report import Result
from gradcheck_cli.witnesses import Abstention
from gradcheck_cli.witnesses.analytic import analytic, ask
from gradcheck_cli.witnesses.autograd import autograd
from gradcheck_cli.witnesses.numeric import numeric
from gradcheck_cli.witnesses.reference import reference
from gradcheck_cli.worlds.scalars import TooLarge

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gradcheck_cli.case import Case
    from gradcheck_cli.judge.evidence import Tolerance
    from gradcheck_cli.judge.outcome import Verdict
    from gradcheck_cli.witnesses.process import Analyst


def check_cases(cases: Sequence[Case], analyst: Analyst, tolerance: Tolerance | None = None, step: float | None = None) -> Iterator[Result]:
    """A Result for each case, as soon as it is there.

    The garbage collector rests while torch is imported (0.2 s saved) and never looks at what was imported.
    """
    ask(cases[0], analyst)
    gc.disable()
    import torch  # noqa: F401 - imported here so that SymPy, in its process, is imported at the same time

    gc.freeze()
    gc.enable()
    for case in cases:
        yield check_case(case, analyst, tolerance, step)


def check_case(case: Case, analyst: Analyst, tolerance: Tolerance | None = None, step: float | None = None) -> Result:
    """Every opinion on a case, and the verdict on each partial."""
    ask(case, analyst)
    proved = reference(case)
    measured = autograd(case)
    estimated = numeric(case, _noise(case), step)
    # SymPy has had all this time in its own process; only now is it waited for.
    evidence = Evidence(case, proved, analytic(case, analyst), measured, estimated)
    verdicts = tuple(_in_float64(evidence, k, verdict, tolerance) for k, verdict in enumerate(judge(evidence, tolerance)))
    return Result(evidence, verdicts, _notes(case, evidence))


def _noise(case: Case) -> float | None:
    """Rounding of one float64 forward value, for the numeric witness; None where it cannot be had."""
    try:
        total = rounding(case).of_value(case, DTYPES["float64"]).total
    except TooLarge:
        return None
    return total if total < float("inf") else None


def _in_float64(evidence: Evidence, position: int, verdict: Verdict, tolerance: Tolerance | None) -> Verdict:
    """Where a dtype is too coarse to tell a right formula from a wrong one, float64 decides."""
    case = evidence.case
    if not verdict.undecided or case.dtype.name == "float64":
        return verdict
    finer = replace(case, dtype=DTYPES["float64"])
    unasked = Abstention("not asked again")
    again = judge(Evidence(finer, reference(finer), unasked, autograd(finer), unasked), tolerance)[position]
    if again.outcome == "wrong":
        return replace(verdict, outcome="wrong", reason=f"{verdict.reason}; in float64 it is wrong beyond rounding: {again.reason}", undecided=False)
    return verdict.and_also(f"in float64: {again.outcome}")


def _notes(case: Case, evidence: Evidence) -> tuple[str, ...]:
    notes = [f"`{moved.name}` = {moved.text} is no {case.dtype.name}; the nearest, {moved.used!r}, is used" for moved in case.moved]
    forward = forward_note(evidence)
    return (*notes, *([forward] if forward else []))
