"""Records of checked points: what the witnesses said and the judge found, as plain data."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck_cli.checks.bulk_entries import key_entry, partials_in_bulk
from gradcheck_cli.checks.reproduce import reproduce
from gradcheck_cli.checks.traced import trace_record
from gradcheck_cli.memory import uncollected
from gradcheck_cli.records.numbers import json_array, json_number
from gradcheck_cli.records.record import Record
from gradcheck_cli.records.status import status_of
from gradcheck_cli.subjects.single import DirectedSlope
from gradcheck_cli.witnesses import Abstention
from gradcheck_cli.witnesses.analytic import Formula
from gradcheck_cli.witnesses.autograd import Backward, Measured
from gradcheck_cli.witnesses.bulk_proof import BulkProof, InBulk
from gradcheck_cli.witnesses.reference import Proof
from gradcheck_cli.witnesses.truth import SIGN_BITS, Certified

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from gradcheck_cli.checks.result import Result
    from gradcheck_cli.judge.evidence import Evidence
    from gradcheck_cli.judge.verdict import Verdict
    from gradcheck_cli.questions.batch import Point
    from gradcheck_cli.records.numbers import JsonArray, JsonNumber
    from gradcheck_cli.records.outcome import Outcome
    from gradcheck_cli.records.record import AlsoRecord, ClaimRecord, Opinion, PartialRecord
    from gradcheck_cli.witnesses import Answer


def record_of(result: Result, *, strict: bool = False) -> Record:
    """One checked point as plain data."""
    evidence, point = result.evidence, result.evidence.point
    shape = _shape(evidence)
    record = Record(
        id=result.id,
        expression=point.question.subject.name,
        written=point.specification.written or None,
        dtype=point.dtype.name,
        device=point.device,
        at=_numbers_of(point),
        cotangent=_cotangent(point, shape),
        order=point.question.order,
        direction=_direction(point),
        outcome=result.outcome,
        value={
            "reference": _shaped(_proved_values(evidence), shape),
            "autograd": _shaped(_torch_values(evidence), shape),
        },
        partials=_partials(result),
        also=_also(result, shape),
        trace=trace_record(result.trace),
        claims=_claims(result),
        function=result.function,
        sweep=None,
        notes=list(result.notes),
        in_bulk=list(result.in_bulk) or None,
        rounded=[
            {"variable": number.name, "text": number.text, "used": json_number(number.used)}
            for number in point.rounded
        ],
        reproduce=reproduce(point, strict=strict),
        source=None,
        position=None,
        expected=None,
        unmet=[],
        reason=None,
        status="",
    )
    record["status"] = status_of(record, strict=strict)
    return record


def record_without_verdict(
    text: str,
    dtype: str,
    device: str,
    outcome: Outcome,
    reason: str,
    point: Point | None,
    *,
    strict: bool = False,
    written: str = "",
) -> Record:
    """The Record of a case that was not checked: skipped, or given up.

    Args:
        point: None where the dtype cannot hold it.
    """
    return Record(
        id=None,
        expression=text,
        written=written or None,
        dtype=dtype,
        device=device,
        at={} if point is None else _numbers_of(point),
        cotangent=None,
        order=1 if point is None else point.question.order,
        direction=None,
        outcome=outcome,
        value={"reference": None, "autograd": None},
        partials=[],
        also=None,
        trace=None,
        claims=None,
        function=None,
        sweep=None,
        notes=[],
        in_bulk=None,
        rounded=[],
        reproduce="" if point is None else reproduce(point, strict=strict),
        source=None,
        position=None,
        expected=None,
        unmet=[],
        reason=reason,
        status=outcome.status,
    )


def _numbers_of(point: Point) -> dict[str, JsonArray]:
    at = point.at
    return {name: json_array(at[name].tolist()) for name in point.question.names}


def _cotangent(point: Point, shape: tuple[int, ...]) -> JsonArray:
    """The weights as numbers, shaped like the value; ones where none were given, None where each
    element of the value is differentiated by itself.
    """
    if point.question.jacobian and shape:
        return None
    given = point.batch.cotangent
    if given is None and not shape:
        return 1.0
    return json_array((np.ones(shape) if given is None else given).tolist())


def _direction(point: Point) -> dict[str, JsonArray] | None:
    """The direction that second derivatives are multiplied with; None where there is none."""
    slope = getattr(point.batch.parts[0].prepared.objective, "slope", None)
    if not isinstance(slope, DirectedSlope):
        return None
    return {name: json_array(weights.tolist()) for name, weights in slope.direction.items()}


def _also(result: Result, shape: tuple[int, ...]) -> AlsoRecord | None:
    """What came of the same question under a seeded cotangent."""
    if result.also is None:
        return None
    cotangent = _cotangent(result.also.evidence.point, shape)
    outcome, partials = str(result.also.outcome), _partials(result.also)
    return {"cotangent": cotangent, "outcome": outcome, "partials": partials}


def _claims(result: Result) -> list[ClaimRecord] | None:
    """What became of claims; None where nothing is claimed."""
    if not result.evidence.point.question.claims:
        return None
    # The sentences are loaded with what tries claims.
    from gradcheck_cli.claims.entries import entry_of

    return [entry_of(verdict, result.evidence.point) for verdict in result.claims]


def _partials(result: Result) -> list[PartialRecord]:
    # A witness that abstains says the same of every partial.
    silent = {
        name: said.entry()
        for name, said in result.evidence.testimonies.items()
        if isinstance(said, Abstention)
    }
    proof = result.evidence.whole("reference", BulkProof)
    with uncollected():
        if proof is not None and len(silent) == len(result.evidence.testimonies) - 2:
            return list(partials_in_bulk(result, proof, silent, partial(_partial, result.evidence)))
        found = [_partial(result.evidence, k, v, silent) for k, v in enumerate(result.verdicts)]
    _tell_arrays_apart(found)
    return found


def _tell_arrays_apart(partials: Sequence[PartialRecord]) -> None:
    """The formula of an array is told where it is that of all its elements."""
    told = [(str(partial["variable"]), partial["analytic"]) for partial in partials]
    apart = {name for name, said in told if "formula" in said and "gradient" not in said}
    for name, said in told:
        if name in apart:
            said.pop("gradient", None)


def _partial(
    evidence: Evidence, place: int, verdict: Verdict, silent: Mapping[str, Opinion]
) -> PartialRecord:
    return {
        **key_entry(verdict.key),
        "outcome": verdict.outcome,
        "cause": verdict.cause,
        "failed": verdict.failed,
        "reason": verdict.reason,
        "remedy": _remedy(verdict),
        **{
            name: silent[name]
            if name in silent and (name != "reference" or verdict.truth is None)
            else _opinion(evidence, name, place, verdict)
            for name in evidence
        },
        "one_sided": _one_sided(verdict),
    }


def _remedy(verdict: Verdict) -> dict[str, Any] | None:
    remedy = verdict.remedy
    if remedy is None:
        return None
    return {"program": remedy.program, "digits_regained": json_number(remedy.digits_regained)}


def _opinion(evidence: Evidence, name: str, partial: int, verdict: Verdict) -> Opinion:
    """What a witness said of a partial, and what the judge made of that."""
    answer = evidence.of(name, partial)
    if name == "reference" and verdict.truth is not None:
        return Certified(verdict.truth, SIGN_BITS).entry()
    opinion = answer.entry()
    if "abstained" in opinion:
        return opinion
    if isinstance(answer, Measured):
        opinion.update(_measures(verdict))
    if name in verdict.agrees:
        if isinstance(answer, Formula):
            opinion = answer.entry(is_right=verdict.agrees[name] is True)
        opinion["agrees"] = verdict.agrees[name]
    return opinion


def _measures(verdict: Verdict) -> Opinion:
    numbers = {
        "error": verdict.error,
        "relative_error": verdict.relative_error,
        "ulps": verdict.ulps,
        "tolerance": verdict.tolerance,
    }
    return {name: None if m is None else json_number(m) for name, m in numbers.items()}


def _one_sided(verdict: Verdict) -> dict[str, Any] | None:
    if verdict.sides is None:
        return None
    sides = {"left": verdict.sides.left, "right": verdict.sides.right}
    return {name: None if s is None else json_number(s.value) for name, s in sides.items()}


def _proved_values(evidence: Evidence) -> list[Any]:
    proof = evidence.whole("reference", Proof)
    in_bulk = evidence.whole("reference", BulkProof)
    values: Iterable[Answer] = () if proof is None else proof.forward
    values = values if in_bulk is None else in_bulk.forward
    return [_proved_value(value) for value in values]


def _proved_value(value: Answer) -> JsonNumber | None:
    if isinstance(value, InBulk):
        return value.value
    return value.nearest if isinstance(value, Certified) else None


def _torch_values(evidence: Evidence) -> list[Any]:
    backward = evidence.whole("autograd", Backward)
    return [] if backward is None else [json_number(value) for value in backward.forward]


def _shaped(flat: list[Any], shape: tuple[int, ...]) -> JsonArray:
    """Row-major numbers as nested lists of a shape; None where there are none."""
    if not flat:
        return None
    for length in reversed(shape[1:]):
        flat = [flat[i : i + length] for i in range(0, len(flat), length)]
    return flat if shape else flat[0]


def _shape(evidence: Evidence) -> tuple[int, ...]:
    """Shape of the program's value, as far as it is known."""
    shape = evidence.point.prepared.shape
    if shape is not None:
        return shape
    values = len(_torch_values(evidence))
    return (values,) if values > 1 else ()
