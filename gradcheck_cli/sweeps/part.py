"""One part of a sweep: cells, torch's answers held against them, what is left checked by itself,
and a record of it all.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

from gradcheck_cli.checks.check import check_batches, panel
from gradcheck_cli.checks.record import record_of
from gradcheck_cli.judge.allowances import Allowances
from gradcheck_cli.judge.point_budgets import budgets_at
from gradcheck_cli.judge.rounding import Rounding
from gradcheck_cli.judge.spans import Stretch
from gradcheck_cli.judge.tally import Tally
from gradcheck_cli.judge.truths import Rooms
from gradcheck_cli.records.numbers import json_number
from gradcheck_cli.records.outcome import Outcome
from gradcheck_cli.records.status import status_of
from gradcheck_cli.sweeps.alone import Alone
from gradcheck_cli.sweeps.answers import torch_answers
from gradcheck_cli.sweeps.enclosed import Enclosed, assumption_of
from gradcheck_cli.sweeps.settling import Settled, settle
from gradcheck_cli.witnesses import TORCH_ERRORS
from gradcheck_cli.witnesses.cells import Modeller
from gradcheck_cli.witnesses.line_cells import Open

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gradcheck_cli.questions.ranges import Line
    from gradcheck_cli.records.record import Record
    from gradcheck_cli.records.sweep_record import SweepRecord, SweptPoint
    from gradcheck_cli.sweeps.asked import SweepQuestion
    from gradcheck_cli.symbolic.client import Analyst
    from gradcheck_cli.witnesses.line_cells import LineCell


@dataclass
class SweptPart:
    """Points from `start` up to `stop`, and what became of them."""

    asked: SweepQuestion
    start: int
    stop: int
    tally: Tally
    settled: Settled
    cells: int
    in_bulk: int
    samples: int


def swept(asked: SweepQuestion, start: int, stop: int, analyst: Analyst | None) -> SweptPart:
    """The points of a part, judged."""
    rounding, line, moving = Rounding(asked.prepared), asked.track.line, asked.sweep.moving
    fixed = {n: v for n, v in asked.numbers.items() if n not in asked.sweep.ranges}
    cells: Iterator[LineCell] = iter([Open(start, stop, given_up=True)])
    if line is not None:
        modeller = Modeller(asked.prepared, asked.partial, moving, fixed, line)
        cells = modeller.over(start, stop)
    tally = Tally(asked.dtype, _rooms(asked, rounding, fixed))
    why_not = _refusal(asked, start)
    if why_not:
        nothing = Settled(unsettled=[(Stretch(start, stop, stop - start), why_not)])
        return SweptPart(asked, start, stop, tally, nothing, 0, 0, 0)
    enclosed = Enclosed(asked, partial(_point_budgets, asked, rounding))
    cell, made = next(cells), 0
    made += not isinstance(cell, Open)
    for first, columns, partials in torch_answers(asked, start, stop):
        done, count = 0, len(next(iter(columns.values())))
        while done < count:
            while cell.stop <= first + done:
                cell = next(cells)
                made += not isinstance(cell, Open)
            end = min(cell.stop - first, count)
            piece = {name: column[done:end] for name, column in columns.items()}
            if partials is None:
                _without_path(tally, asked, first + done, first + end)
            elif isinstance(cell, Open) and cell.given_up:
                _hold_in_bulk(tally, enclosed, first + done, piece, partials[done:end])
            else:
                x = next(iter(piece.values()))
                tally.take(cell, first + done, x, partials[done:end])
            done = end
    settled = settle(tally, Alone(asked, analyst), asked.sweep.seed)
    return SweptPart(asked, start, stop, tally, settled, made, enclosed.held, enclosed.samples)


def _without_path(tally: Tally, asked: SweepQuestion, start: int, stop: int) -> None:
    """Points where torch has no path to the input: what that comes to is the same at all of them,
    but where the gradient that is stated is 0.
    """
    (verdict,) = Alone(asked).verdicts([start])
    if verdict.outcome is Outcome.DETACHED:
        tally.add(Outcome.DETACHED, start, stop)
    else:
        tally.pending.add(start, stop)


def _refusal(asked: SweepQuestion, point: int) -> str:
    """Why torch cannot compute this at all; nothing where it can."""
    try:
        next(torch_answers(asked, point, point + 1))
    except TORCH_ERRORS as error:
        return f"torch cannot compute this: {str(error).partition(chr(10))[0]}"
    return ""


def _hold_in_bulk(
    tally: Tally, enclosed: Enclosed, start: int, columns: dict[str, Any], partials: Any
) -> None:
    """Hold points against enclosures."""
    truth = enclosed.truth(columns, partials)
    if truth is None:
        tally.pending.add(start, start + len(partials))
    else:
        tally.hold(start, next(iter(columns.values())), partials, truth)


def _point_budgets(
    asked: SweepQuestion, rounding: Rounding, columns: Mapping[str, Any]
) -> tuple[Any, Any]:
    import torch

    like = next(iter(columns.values()))
    fixed = {
        name: torch.full_like(like, value)
        for name, value in asked.numbers.items()
        if name not in columns
    }
    return budgets_at(rounding, asked.partial, {**columns, **fixed}, asked.dtype)


def _rooms(asked: SweepQuestion, rounding: Rounding, fixed: Mapping[str, float]) -> Rooms:
    """Those of the last cell are kept: its points come strip by strip."""
    line, moving = asked.track.line, asked.sweep.moving
    allowances = Allowances(rounding, asked.partial, moving, fixed, asked.dtype)
    between = lru_cache(maxsize=1)(allowances.between)
    unlimited = lru_cache(maxsize=1)(allowances.most_unlimited)

    def ends(cell: LineCell) -> tuple[float, float]:
        assert line is not None, "there are cells along a line alone"
        return line.value(cell.start), line.value(cell.stop - 1)

    return Rooms(
        lambda cell: between(*ends(cell)),
        lambda x: _point_budgets(asked, rounding, {moving: x}),
        lambda cell: unlimited(*ends(cell)),
    )


def record_of_part(part: SweptPart, analyst: Analyst, *, strict: bool = False) -> Record:
    """The record of the worst point of a part, checked as `check` does, with all that became of the
    part.
    """
    records = _worst_records(part, analyst, strict=strict)
    worst = min(records, key=lambda name: Outcome(name).rank)
    record = records[worst]
    sweep = record["sweep"] = _sweep_record(part, records)
    points = part.stop - part.start
    open_points = sum(span.points for span, _ in part.settled.unsettled)
    counts = ", ".join(f"{number:,} {name}" for name, number in sweep["outcomes"].items())
    record["notes"] = [f"the worst of {points:,} points: {counts}", *record["notes"]]
    if open_points and Outcome(record["outcome"]).rank > Outcome.INCONCLUSIVE.rank:
        record["outcome"] = Outcome.INCONCLUSIVE
        reason = f"{open_points:,} of {points:,} points are not settled"
        for entry in record["partials"]:
            entry |= {"outcome": Outcome.INCONCLUSIVE, "failed": False, "cause": "unknown"}
            entry["reason"] = f"{reason}; the worst of the others: {entry['reason']}"
        record["status"] = status_of(record, strict=strict)
    return record


def _worst_records(part: SweptPart, analyst: Analyst, *, strict: bool) -> dict[str, Record]:
    """For each outcome its worst point, checked by everybody; a point that comes out otherwise than
    it was counted is a defect of ours, and not settled.
    """
    tally, judge = part.tally, Alone(part.asked, analyst)
    points = {o: _worst_point(tally, o) for o, number in tally.counts.items() if number}
    if not points:
        points = {Outcome.INCONCLUSIVE: part.start}
    records: dict[str, Record] = {}
    for outcome, point in points.items():
        result = next(check_batches([(judge.one(point),)], panel(analyst)))
        record = record_of(result, strict=strict)
        found = record["partials"][part.asked.partial]["outcome"]
        if outcome is not Outcome.INCONCLUSIVE and found != outcome:
            number = tally.counts.pop(outcome)
            why = f"counted as {outcome}, and {found} when its worst point is checked"
            part.settled.unsettled.append((_all_of(part, outcome, number), why))
            records.setdefault(str(found), record)
        else:
            records[str(found)] = record
    return records


def _all_of(part: SweptPart, outcome: Outcome, number: int) -> Stretch:
    part.tally.spans.pop(outcome, None)
    return Stretch(part.start, part.stop, number)


def _worst_point(tally: Tally, outcome: Outcome) -> int:
    known = tally.extremes.worst(outcome)
    return next(iter(tally.spans[outcome])).start if known is None else known.point


def _sweep_record(part: SweptPart, records: dict[str, Record]) -> SweepRecord:
    asked, tally, track = part.asked, part.tally, part.asked.track
    line, over = track.line, asked.sweep.ranges
    outcomes = {str(o): tally.counts[o] for o in Outcome if tally.counts[o]}
    open_points = sum(span.points for span, _ in part.settled.unsettled)
    unsettled = {"not settled": open_points} if open_points else {}
    return {
        "over": {name: range_.text for name, range_ in over.items()},
        "variable": asked.question.wrt[asked.partial],
        "moving": asked.sweep.moving,
        "first": part.start,
        "last": part.stop - 1,
        "total": track.count,
        "low": _value(line, part.start),
        "high": _value(line, part.stop - 1),
        "points": part.stop - part.start,
        "every": getattr(line, "is_whole", False),
        "outcomes": {**outcomes, **unsettled},
        "within": tally.within,
        "alone": part.settled.alone,
        "cells": part.cells,
        "spans": [
            {"outcome": str(outcome), **_ends(line, span), "whole": span.is_whole}  # type: ignore[typeddict-item]
            for outcome, spans in tally.spans.items()
            for span in spans
        ],
        "worst": {name: _swept_point(record, asked) for name, record in records.items()},
        "histogram": [
            {"negative": negative, "exponent": exponent, "points": row}
            for (negative, exponent), row in tally.histogram.items()
        ],
        "unsettled": [
            {**_ends(line, span), "reason": reason}  # type: ignore[typeddict-item]
            for span, reason in part.settled.unsettled
        ],
        "in_bulk": part.in_bulk,
        "samples": part.samples,
        "assumptions": [assumption_of(asked.dtype)] if part.in_bulk else [],
    }


def _value(line: Line | None, point: int) -> Any:
    """The input at a point; nothing where several move."""
    return None if line is None else json_number(line.value(point))


def _ends(line: Any, span: Stretch) -> dict[str, Any]:
    return {
        "low": _value(line, span.start),
        "high": _value(line, span.stop - 1),
        "first": span.start,
        "last": span.stop - 1,
        "points": span.points,
    }


def _swept_point(record: Record, asked: SweepQuestion) -> SweptPoint:
    entry = record["partials"][asked.partial]
    at: Any = record["at"]
    ulps = entry["autograd"].get("ulps")
    if entry["outcome"] == Outcome.AGREE and ulps == "inf":
        ulps = 0.0  # an infinity that is the nearest number
    return {
        "at": at,
        "ulps": ulps,
        "partial": dict(entry),  # as it is: the record's own may be made inconclusive
        "reproduce": record["reproduce"],
    }
