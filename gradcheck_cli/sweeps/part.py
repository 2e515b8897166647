"""One part of a sweep: cells, torch's answers held against them, what is left checked by itself,
and a record of it all.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from gradcheck_cli.checks.check import check_batches, panel
from gradcheck_cli.checks.record import record_of
from gradcheck_cli.judge.allowances import Allowances
from gradcheck_cli.judge.rounding import Rounding
from gradcheck_cli.judge.spans import Stretch
from gradcheck_cli.judge.tally import Tally
from gradcheck_cli.records.numbers import json_number
from gradcheck_cli.records.outcome import Outcome
from gradcheck_cli.records.status import status_of
from gradcheck_cli.sweeps.alone import Alone
from gradcheck_cli.sweeps.answers import torch_answers
from gradcheck_cli.sweeps.settling import Settled, settle
from gradcheck_cli.witnesses import TORCH_ERRORS
from gradcheck_cli.witnesses.cells import Modeller

if TYPE_CHECKING:
    from gradcheck_cli.records.record import Record
    from gradcheck_cli.records.sweep_record import SweepRecord, SweptPoint
    from gradcheck_cli.sweeps.asked import SweepQuestion
    from gradcheck_cli.symbolic.client import Analyst
    from gradcheck_cli.witnesses.cells import LineCell


@dataclass
class SweptPart:
    """Points from `start` up to `stop`, and what became of them."""

    asked: SweepQuestion
    start: int
    stop: int
    tally: Tally
    settled: Settled
    cells: int


def swept(
    asked: SweepQuestion, start: int, stop: int, seed: int, analyst: Analyst | None
) -> SweptPart:
    """The points of a part, judged."""
    prepared, sweep = asked.prepared, asked.sweep
    fixed = {n: v for n, v in asked.numbers.items() if n != sweep.moving}
    modeller = Modeller(prepared, asked.partial, sweep.moving, fixed, asked.line)
    rounding = Rounding(prepared)
    allowances = Allowances(rounding, asked.partial, sweep.moving, fixed, asked.dtype)
    tally = Tally(asked.dtype, _budgets(asked, allowances))
    why_not = _refusal(asked, start)
    if why_not:
        nothing = Settled(unsettled=[(Stretch(start, stop, stop - start), why_not)])
        return SweptPart(asked, start, stop, tally, nothing, 0)
    cells = modeller.over(start, stop)
    cell, made = next(cells), 1
    for first, x, partials in torch_answers(asked, start, stop):
        done = 0
        while done < len(x):
            while cell.stop <= first + done:
                cell, made = next(cells), made + 1
            end = min(cell.stop - first, len(x))
            if partials is None:
                tally.pending.add(first + done, first + end)
            else:
                tally.take(cell, first + done, x[done:end], partials[done:end])
            done = end
    settled = settle(tally, Alone(asked, analyst), seed)
    return SweptPart(asked, start, stop, tally, settled, made)


def _refusal(asked: SweepQuestion, point: int) -> str:
    """Why torch cannot compute this at all; nothing where it can."""
    try:
        next(torch_answers(asked, point, point + 1))
    except TORCH_ERRORS as error:
        return f"torch cannot compute this: {str(error).partition(chr(10))[0]}"
    return ""


def _budgets(asked: SweepQuestion, allowances: Allowances) -> Any:
    """Budgets over a cell, those of the last one kept: its points come strip by strip."""
    known: dict[int, tuple[float, float]] = {}

    def between(cell: LineCell) -> tuple[float, float]:
        if cell.start not in known:
            known.clear()
            low, high = asked.line.value(cell.start), asked.line.value(cell.stop - 1)
            known[cell.start] = allowances.between(low, high)
        return known[cell.start]

    return between


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
    known = tally.extremes.get(outcome)
    return next(iter(tally.spans[outcome])).start if known is None else known.point


def _sweep_record(part: SweptPart, records: dict[str, Record]) -> SweepRecord:
    asked, tally, line = part.asked, part.tally, part.asked.line
    value = partial(_value, line)
    outcomes = {str(o): tally.counts[o] for o in Outcome if tally.counts[o]}
    open_points = sum(span.points for span, _ in part.settled.unsettled)
    unsettled = {"not settled": open_points} if open_points else {}
    return {
        "over": {asked.sweep.moving: asked.sweep.range.text},
        "variable": asked.question.wrt[asked.partial],
        "moving": asked.sweep.moving,
        "first": part.start,
        "last": part.stop - 1,
        "total": line.count,
        "low": value(part.start),
        "high": value(part.stop - 1),
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
        "assumptions": [],
    }


def _value(line: Any, point: int) -> Any:
    return json_number(line.value(point))


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
    return {
        "at": at,
        "ulps": entry["autograd"].get("ulps"),
        "partial": entry,
        "reproduce": record["reproduce"],
    }
