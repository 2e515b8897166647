"""From questions to verdicts: every witness is heard, then the judge."""

from __future__ import annotations

import gc
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck_cli.checks.result import Result
from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.judge.bench import judge
from gradcheck_cli.judge.evidence import Evidence
from gradcheck_cli.judge.forward import forward_note
from gradcheck_cli.judge.rounding import rounding
from gradcheck_cli.records.outcome import Outcome
from gradcheck_cli.witnesses import Abstention
from gradcheck_cli.witnesses.analytic import analytic, ask
from gradcheck_cli.witnesses.autograd import autograd, autograd_at
from gradcheck_cli.witnesses.numeric import MAX_BATCH_NUMBERS, STEPS, numeric_at
from gradcheck_cli.witnesses.reference import reference
from gradcheck_cli.worlds.scalars import TooLarge

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gradcheck_cli.judge.evidence import Tolerance
    from gradcheck_cli.judge.verdict import Verdict
    from gradcheck_cli.questions.question import Case
    from gradcheck_cli.symbolic.client import Analyst

# Points that are evaluated together. More gain nothing: a chunk's cost a point is all but level
# from 64 on.
CHUNK = 256
# Scalar operations of a chunk's points together, at most; a guess: about a second of work.
MAX_OPERATIONS = 20_000


def check_cases(
    cases: Iterable[Case],
    analyst: Analyst,
    tolerance: Tolerance | None = None,
    step: float | None = None,
) -> Iterator[Result]:
    """A Result for each case, in order, as soon as it is there; points of one program are evaluated
    together, a chunk at a time.
    """
    for chunk in _chunks(cases):
        ask(chunk[0], analyst)
        _import_torch()
        yield from _check_chunk(chunk, analyst, tolerance, step)


def check_case(
    case: Case, analyst: Analyst, tolerance: Tolerance | None = None, step: float | None = None
) -> Result:
    """Every opinion on a case, and the verdict on each partial."""
    return next(check_cases([case], analyst, tolerance, step))


def _import_torch() -> None:
    """Import torch while SymPy, in its process, is imported at the same time.

    The garbage collector rests meanwhile (0.2 s saved) and never looks at what was imported.
    """
    if "torch" not in sys.modules:
        gc.disable()
        import torch  # noqa: F401 - imported for those who import it later

        gc.freeze()
        gc.enable()


def _chunks(cases: Iterable[Case]) -> Iterator[list[Case]]:
    """Runs of cases that differ in the point, dtype or device alone, cut into chunks of a length
    that the program decides.
    """
    chunk: list[Case] = []
    try:
        for case in cases:
            if chunk and (len(chunk) >= _length(chunk[0]) or not _alike(case, chunk[0])):
                yield chunk
                chunk = []
            chunk.append(case)
    except Exception:
        # A point that cannot be read is no reason to drop those before it.
        if chunk:
            yield chunk
        raise
    if chunk:
        yield chunk


def _alike(case: Case, other: Case) -> bool:
    same = case.unrolled is other.unrolled and case.wrt == other.wrt
    if case.cotangent is None or other.cotangent is None:
        return same and case.cotangent is other.cotangent
    return same and np.array_equal(case.cotangent, other.cotangent)


def _length(case: Case) -> int:
    """How many points of a program make a chunk: fewer of a large one, so that results come
    steadily and memory is bounded.
    """
    expansion, size = case.unrolled.expansion, sum(array.size for array in case.at.values())
    if isinstance(expansion, TooLarge):
        return 1
    return max(
        1,
        min(
            CHUNK,
            MAX_OPERATIONS // len(expansion.builder.nodes),
            MAX_BATCH_NUMBERS // (2 * STEPS * size**2),
        ),
    )


def _check_chunk(
    chunk: list[Case], analyst: Analyst, tolerance: Tolerance | None, step: float | None
) -> Iterator[Result]:
    try:
        opinions = _together(chunk, step)
    except Exception:
        if len(chunk) == 1:
            raise
        # The case that raised it raises it again when its turn comes; the others are spared.
        for case in chunk:
            yield from _check_chunk([case], analyst, tolerance, step)
        return
    for case in chunk:
        proved = reference(case)
        # SymPy has had all this time in its own process; only now is it waited for.
        evidence = Evidence(case, proved, analytic(case, analyst), *opinions[case])
        verdicts = tuple(
            _in_float64(evidence, k, verdict, tolerance)
            for k, verdict in enumerate(judge(evidence, tolerance))
        )
        yield Result(evidence, verdicts, _notes(case, evidence))


def _together(chunk: list[Case], step: float | None) -> dict[Case, tuple[Any, Any]]:
    """What autograd and differences say of each case; points in the same dtype and on the same
    device go through torch together.
    """
    found: dict[Case, tuple[Any, Any]] = {}
    for kind in dict.fromkeys((case.dtype, case.device) for case in chunk):
        cases = [case for case in chunk if (case.dtype, case.device) == kind]
        found.update(
            zip(
                cases,
                zip(
                    autograd_at(cases),
                    numeric_at(cases, [_noise(case) for case in cases], step),
                    strict=True,
                ),
                strict=True,
            )
        )
    return found


def _noise(case: Case) -> float | None:
    """Rounding of one float64 forward value, for the numeric witness; None where it cannot be had."""
    try:
        total = rounding(case).of_value(case, DTYPES["float64"]).total
    except TooLarge:
        return None
    return total if total < float("inf") else None


def _in_float64(
    evidence: Evidence, position: int, verdict: Verdict, tolerance: Tolerance | None
) -> Verdict:
    """Where a dtype is too coarse to tell a right formula from a wrong one, float64 decides."""
    case = evidence.case
    if not verdict.undecided or case.dtype.name == "float64":
        return verdict
    finer = replace(case, dtype=DTYPES["float64"])
    unasked = Abstention("not asked again")
    again = judge(Evidence(finer, reference(finer), unasked, autograd(finer), unasked), tolerance)[
        position
    ]
    if again.outcome == "wrong":
        return replace(
            verdict,
            outcome=Outcome.WRONG,
            reason=f"{verdict.reason}; in float64 it is wrong beyond rounding: {again.reason}",
            undecided=False,
        )
    return verdict.and_also(f"in float64: {again.outcome}")


def _notes(case: Case, evidence: Evidence) -> tuple[str, ...]:
    notes = [
        f"`{moved.name}` = {moved.text} is no {case.dtype.name}; the nearest, {moved.used!r}, is used"
        for moved in case.moved
    ]
    forward = forward_note(evidence)
    return (*notes, *([forward] if forward else []))
