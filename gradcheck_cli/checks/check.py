"""From batches to results: every witness is heard, then the judge."""

from __future__ import annotations

import gc
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from gradcheck_cli.checks.finer import settled_in_float64
from gradcheck_cli.checks.gather import gather
from gradcheck_cli.checks.hearing import hear, or_absent
from gradcheck_cli.checks.result import Result
from gradcheck_cli.judge.bench import judge
from gradcheck_cli.judge.bounds import ForwardNoise
from gradcheck_cli.judge.forward import forward_note
from gradcheck_cli.judge.stops import stop_note
from gradcheck_cli.memory import uncollected
from gradcheck_cli.questions.batch import Point
from gradcheck_cli.records.outcome import Outcome
from gradcheck_cli.witnesses import Abstention
from gradcheck_cli.witnesses.analytic import Analytic
from gradcheck_cli.witnesses.autograd import Autograd
from gradcheck_cli.witnesses.bulk_proof import is_in_bulk
from gradcheck_cli.witnesses.modes import mode_witnesses
from gradcheck_cli.witnesses.numeric import Numeric
from gradcheck_cli.witnesses.reference import Reference

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from gradcheck_cli.checks.hearing import Heard, Hearing
    from gradcheck_cli.claims.verdict import ClaimVerdict
    from gradcheck_cli.judge.evidence import Evidence, Tolerance
    from gradcheck_cli.judge.verdict import Verdict
    from gradcheck_cli.questions.arrays import RoundedNumber
    from gradcheck_cli.questions.batch import Batch
    from gradcheck_cli.symbolic.client import Analyst
    from gradcheck_cli.witnesses import Witness
    from gradcheck_cli.witnesses.chain import Chain


def panel(
    analyst: Analyst,
    step: float | None = None,
    modes: Iterable[str] = (),
    *,
    formulas: bool = True,
) -> tuple[Witness, ...]:
    """The witnesses that are heard, in the order of a record.

    Args:
        step: of a plain central difference, instead of an extrapolated one.
        modes: further ways of torch that are on trial.
        formulas: whether those that are shown are wanted.
    """
    others = mode_witnesses(modes)
    analytic = Analytic(analyst, formulas=formulas)
    return Reference(), analytic, Autograd(), Numeric(step, ForwardNoise()), *others


def check_batches(
    groups: Iterable[tuple[Batch, ...]],
    witnesses: Sequence[Witness],
    tolerance: Tolerance | None = None,
    chain: Chain | None = None,
) -> Iterator[Result]:
    """A Result for each point in each dtype and on each device, in order, as soon as it is there.

    Args:
        groups: batches of the same points, one for each dtype and device.
        chain: writes the chain rule down; None where that is not asked.
    """
    for group in groups:
        for part in group[0].parts:
            for witness in witnesses:
                witness.prepare(part)
        _import_torch()
        for result in _results(group, witnesses, tolerance):
            yield result if chain is None else _with_trace(result, chain)


def _with_trace(result: Result, chain: Chain) -> Result:
    """A result with the chain rule, or with a note why there is none."""
    trace = or_absent(chain.trace, result.evidence.point)
    if isinstance(trace, Abstention):
        return replace(result, notes=(*result.notes, f"no trace: {trace.reason}"))
    return replace(result, trace=trace)


def _import_torch() -> None:
    """Import torch while SymPy, in its process, is imported at the same time.

    The garbage collector rests meanwhile (0.2 s saved) and never looks at what was imported.
    """
    if "torch" not in sys.modules:
        gc.disable()
        import torch  # noqa: F401 - imported for those who import it later

        gc.freeze()
        gc.enable()


def _results(
    group: tuple[Batch, ...], witnesses: Sequence[Witness], tolerance: Tolerance | None
) -> Iterable[Result]:
    if not is_in_bulk(Point(group[0], 0)):
        return _check_group(group, witnesses, tolerance)
    with uncollected():
        return [*_check_group(group, witnesses, tolerance)]


def _check_group(
    group: tuple[Batch, ...], witnesses: Sequence[Witness], tolerance: Tolerance | None
) -> Iterator[Result]:
    alone = len(group) == 1 and len(group[0]) == 1
    try:
        heard = [hear(batch, witnesses, alone=alone) for batch in group]
    except Exception:
        if alone:
            raise
        # Who raised it is heard again at each point alone.
        for k in range(len(group[0])):
            for batch in group:
                yield from _check_group((batch.alone(k),), witnesses, tolerance)
        return
    for points in zip(*group, strict=True):
        for point, asked in zip(points, heard, strict=True):
            yield _result(point, asked, tolerance)


def _result(point: Point, hearing: Hearing, tolerance: Tolerance | None) -> Result:
    pieces = [judge_part(part, point.k, tolerance) for part in hearing.parts]
    verdicts = tuple(verdict for _, judged, _ in pieces for verdict in judged)
    evidence = gather(point, [said for said, _, _ in pieces])
    rounded = (_rounding(point, number) for number in point.rounded)
    forward = next(filter(None, (forward_note(said) for said, _, _ in pieces)), None)
    further = hearing.also
    also = None if further is None else Result(*judge_part(further, point.k, tolerance)[:2])
    verdicts, remedies = _with_remedies(point, evidence, verdicts)
    notes = filter(None, (forward, stop_note(point), _unasked(point), _beside(point), remedies))
    claims = _claims(point)
    judged = tuple(note for _, _, told in pieces for note in told)
    told = (*point.question.remarks, *rounded, *notes)
    return Result(evidence, verdicts, told, also=also, claims=claims, in_bulk=judged)


def _claims(point: Point) -> tuple[ClaimVerdict, ...]:
    """What becomes of derivatives that the user derived."""
    if not point.question.claims:
        return ()
    # Most checks claim nothing: what tries claims is loaded for those that do.
    from gradcheck_cli.claims.trial import verdicts_of

    return tuple(verdict for text in point.question.claims for verdict in verdicts_of(point, text))


def _rounding(point: Point, number: RoundedNumber) -> str:
    """That a number is not the one that was meant."""
    dtype, held = point.dtype.name, point.question.held
    if held is not None and number.name.partition("[")[0] in held.programs:
        what = f"the {dtype} nearest to `{number.text}`"
        return f"`{number.name}` is held at {number.used!r}, {what}"
    words = f"`{number.name}` = {number.text} is no {dtype}"
    more = f"; so it is with {number.more:,} more of its numbers" if number.more else ""
    return f"{words}; the nearest, {number.used!r}, is used{more}"


def _with_remedies(
    point: Point, evidence: Evidence, verdicts: tuple[Verdict, ...]
) -> tuple[tuple[Verdict, ...], str]:
    """The verdicts with remedies, and in words that these could not be looked for."""
    if (
        is_in_bulk(point)
        or point.batch.parts != (point.batch,)
        or point.question.held is not None
        or not any(verdict.outcome in (Outcome.WRONG, Outcome.IMPRECISE) for verdict in verdicts)
    ):
        return verdicts, ""
    # Rules and rewriting are loaded where something ails: most checks need none.
    from gradcheck_cli.judge.remedy import with_remedies

    remedied = or_absent(with_remedies, evidence, verdicts)
    if isinstance(remedied, Abstention):
        return verdicts, f"no remedy was found: {remedied.reason}"
    return remedied, ""


def _beside(point: Point) -> str:
    """That inputs are differentiated with something held; empty where nothing is."""
    held = point.question.held
    others = [n for n in point.question.wrt if held is not None and n not in held.programs]
    if held is None or not others:
        return ""
    differentiated, fixed = (
        ", ".join(f"`{n}`" for n in names) for names in (others, held.programs)
    )
    return f"the derivative by {differentiated} is that with {fixed} held"


def _unasked(point: Point) -> str:
    """That ones may hide what is wrong, and nothing else was asked; empty where that is not so."""
    prepared = point.prepared
    is_plain = prepared.weights is None and point.batch.parts == (point.batch,)
    if not is_plain or not prepared.is_mixing or not prepared.is_long:
        return ""
    sizes = (
        f"{len(prepared.elements):,} partials of {len(prepared.scalars.builder.nodes):,} operations"
    )
    return f"not checked under a random cotangent, which ones may need: {sizes}"


def judge_part(
    part: Heard,
    k: int,
    tolerance: Tolerance | None,
    partials: Sequence[int] | None = None,
    *,
    brief: bool = False,
) -> tuple[Evidence, tuple[Verdict, ...], tuple[str, ...]]:
    """What was said of a part of one point's question, what that comes to, and what is to be told
    of it.

    Args:
        partials, brief: as `judge` takes them.
    """
    evidence = part.evidence(k)
    judged = judge(evidence, tolerance, partials, brief=brief)
    verdicts, notes = settled_in_float64(evidence, judged, tolerance, partials)
    return evidence, verdicts, notes
