"""From batches to results: every witness is heard, then the judge."""

from __future__ import annotations

import gc
import sys
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from gradcheck_cli.checks.result import Result
from gradcheck_cli.judge.bench import judge
from gradcheck_cli.judge.evidence import Evidence
from gradcheck_cli.judge.forward import forward_noise, forward_note
from gradcheck_cli.records.outcome import Outcome
from gradcheck_cli.witnesses import Abstention, first_line
from gradcheck_cli.witnesses.analytic import Analytic
from gradcheck_cli.witnesses.autograd import Autograd
from gradcheck_cli.witnesses.numeric import Numeric
from gradcheck_cli.witnesses.reference import Reference

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from gradcheck_cli.judge.evidence import Tolerance
    from gradcheck_cli.judge.verdict import Verdict
    from gradcheck_cli.questions.batch import Batch, Point
    from gradcheck_cli.symbolic.client import Analyst
    from gradcheck_cli.witnesses import Estimates, Testimony, Witness

T = TypeVar("T")


def panel(analyst: Analyst, step: float | None = None) -> tuple[Witness, ...]:
    """The witnesses that are heard, in the order of a record.

    Args:
        step: of a plain central difference, instead of an extrapolated one.
    """
    return Reference(), Analytic(analyst), Autograd(), Numeric(step, forward_noise)


def check_batches(
    groups: Iterable[tuple[Batch, ...]],
    witnesses: Sequence[Witness],
    tolerance: Tolerance | None = None,
) -> Iterator[Result]:
    """A Result for each point in each dtype and on each device, in order, as soon as it is there.

    Args:
        groups: batches of the same points, one for each dtype and device.
    """
    for group in groups:
        for witness in witnesses:
            witness.prepare(group[0])
        _import_torch()
        yield from _check_group(group, witnesses, tolerance)


def _import_torch() -> None:
    """Import torch while SymPy, in its process, is imported at the same time.

    The garbage collector rests meanwhile (0.2 s saved) and never looks at what was imported.
    """
    if "torch" not in sys.modules:
        gc.disable()
        import torch  # noqa: F401 - imported for those who import it later

        gc.freeze()
        gc.enable()


def _check_group(
    group: tuple[Batch, ...], witnesses: Sequence[Witness], tolerance: Tolerance | None
) -> Iterator[Result]:
    alone = len(group) == 1 and len(group[0]) == 1
    hear = _heard_alone if alone else _heard
    try:
        heard = [hear(witnesses, batch) for batch in group]
    except Exception:  # noqa: BLE001 - who raised it is heard again at each point alone
        for k in range(len(group[0])):
            for batch in group:
                yield from _check_group((batch.alone(k),), witnesses, tolerance)
        return
    for points in zip(*group, strict=True):
        for point, estimates in zip(points, heard, strict=True):
            yield _result(point, estimates, tolerance)


def _heard(witnesses: Sequence[Witness], batch: Batch) -> dict[str, Estimates | Abstention]:
    return {witness.name: witness.answer(batch) for witness in witnesses}


def _heard_alone(witnesses: Sequence[Witness], batch: Batch) -> dict[str, Estimates | Abstention]:
    """As `_heard`; an opinion that fails is absent, and takes no other down."""
    return {w.name: _or_absent(partial(w.answer, batch)) for w in witnesses}


def _or_absent(opinion: Callable[[], T]) -> T | Abstention:
    """An opinion, or in words that it failed."""
    try:
        return opinion()
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, the verdict rests on the others
        kind = type(error).__name__
        return Abstention(
            f"this opinion failed, a defect of this tool: {kind}: {first_line(error)}"
        )


def _testimony(estimates: Estimates | Abstention, k: int) -> Testimony | Abstention:
    if isinstance(estimates, Abstention):
        return estimates
    return _or_absent(partial(estimates.testimony, k))


def _result(
    point: Point, heard: Mapping[str, Estimates | Abstention], tolerance: Tolerance | None
) -> Result:
    testimonies = {name: _testimony(estimates, point.k) for name, estimates in heard.items()}
    evidence = Evidence(point, testimonies)
    verdicts = _settle_in_float64(point, judge(evidence, tolerance), tolerance)
    remedied = _or_absent(partial(_with_remedies, evidence, verdicts))
    rounded = (
        f"`{number.name}` = {number.text} is no {point.dtype.name}; "
        f"the nearest, {number.used!r}, is used"
        for number in point.rounded
    )
    forward = forward_note(evidence)
    notes = [*rounded, *([forward] if forward else [])]
    if isinstance(remedied, Abstention):
        return Result(evidence, verdicts, (*notes, f"no remedy was found: {remedied.reason}"))
    return Result(evidence, remedied, tuple(notes))


def _with_remedies(evidence: Evidence, verdicts: tuple[Verdict, ...]) -> tuple[Verdict, ...]:
    if not any(verdict.outcome in (Outcome.WRONG, Outcome.IMPRECISE) for verdict in verdicts):
        return verdicts
    # Rules and rewriting are loaded where something ails: most checks need none.
    from gradcheck_cli.judge.remedy import with_remedies

    return with_remedies(evidence, verdicts)


def _settle_in_float64(
    point: Point, verdicts: tuple[Verdict, ...], tolerance: Tolerance | None
) -> tuple[Verdict, ...]:
    """Where a dtype is too coarse to tell a right formula from a wrong one, float64 decides."""
    undecided = [k for k, verdict in enumerate(verdicts) if verdict.undecided]
    if not undecided or point.dtype.name == "float64":
        return verdicts
    finer = point.in_float64()
    testimonies = {w.name: w.answer(finer.batch).testimony(0) for w in (Reference(), Autograd())}
    unasked = Abstention("not asked again")
    evidence = Evidence(finer, {**testimonies, "numeric": unasked})
    again = dict(zip(undecided, judge(evidence, tolerance, undecided), strict=True))
    return tuple(
        _settle(verdict, again[k]) if k in again else verdict for k, verdict in enumerate(verdicts)
    )


def _settle(verdict: Verdict, finer: Verdict) -> Verdict:
    if finer.outcome is not Outcome.WRONG:
        return verdict.and_also(f"in float64: {finer.outcome}")
    reason = f"{verdict.reason}; in float64 it is wrong beyond rounding: {finer.reason}"
    return replace(
        verdict, outcome=Outcome.WRONG, cause=finer.cause, reason=reason, undecided=False
    )
