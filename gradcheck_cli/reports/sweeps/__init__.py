"""Reports of sweeps: the parts of each sweep put together, and a file for each format, as in
`gradcheck_cli.reports`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict

from gradcheck_cli.records.outcome import Outcome
from gradcheck_cli.records.sweep_record import NOT_SETTLED

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gradcheck_cli.records.numbers import JsonArray
    from gradcheck_cli.records.record import Record
    from gradcheck_cli.records.report import Report
    from gradcheck_cli.records.sweep_record import (
        Binade,
        SweepRecord,
        SweptPoint,
        SweptSpan,
        UnsettledSpan,
    )


class WholeSweep(TypedDict):
    """A sweep of one program in one dtype on one device; `fixed` are the other inputs. The keys of
    `SweepRecord` mean the same.
    """

    expression: str
    written: str | None
    dtype: str
    device: str
    variable: str
    moving: str
    over: dict[str, str]
    fixed: dict[str, JsonArray]
    points: int
    total: int
    every: bool
    outcome: str
    status: str
    outcomes: dict[str, int]
    within: int
    alone: int
    cells: int
    in_bulk: int
    samples: int
    spans: list[SweptSpan]
    worst: dict[str, SweptPoint]
    histogram: list[Binade]
    unsettled: list[UnsettledSpan]
    assumptions: list[str]


def sweeps_of(report: Report) -> list[WholeSweep]:
    """The sweeps of a report, in order, each put together from its parts."""
    groups: dict[tuple[Any, ...], list[Record]] = {}
    for record in report.records:
        sweep = record["sweep"]
        if sweep is not None:
            key = record["expression"], record["dtype"], record["device"], sweep["variable"]
            groups.setdefault((*key, str(sweep["over"])), []).append(record)
    return [_whole(records) for records in groups.values()]


def problems_of(report: Report) -> list[str]:
    """What went wrong with the run, and each part of which nothing is known."""
    unknown = (record for record in report.records if record["sweep"] is None)
    return [*report.problems, *(f"{r['id']}, {r['dtype']}: {r['reason']}" for r in unknown)]


def _whole(records: list[Record]) -> WholeSweep:
    first, sweeps = records[0], [record["sweep"] for record in records if record["sweep"]]
    sweep = sweeps[0]
    counts: dict[str, int] = {}
    for each in sweeps:
        for name, number in each["outcomes"].items():
            counts[name] = counts.get(name, 0) + number
    names = [*map(str, Outcome), NOT_SETTLED]
    worst = min(records, key=lambda record: Outcome(record["outcome"]).rank)
    return {
        "expression": first["expression"],
        "written": first["written"],
        "dtype": first["dtype"],
        "device": first["device"],
        "variable": sweep["variable"],
        "moving": sweep["moving"],
        "over": sweep["over"],
        "fixed": {n: value for n, value in first["at"].items() if n not in sweep["over"]},
        "points": sum(each["points"] for each in sweeps),
        "total": sweep["total"],
        "every": sweep["every"],
        "outcome": worst["outcome"],
        "status": worst["status"],
        "outcomes": {name: counts[name] for name in names if name in counts},
        "within": sum(each["within"] for each in sweeps),
        "alone": sum(each["alone"] for each in sweeps),
        "cells": sum(each["cells"] for each in sweeps),
        "in_bulk": sum(each["in_bulk"] for each in sweeps),
        "samples": sum(each["samples"] for each in sweeps),
        "spans": _spans(sweeps),
        "worst": _worst(sweeps),
        "histogram": _histogram(sweeps),
        "unsettled": [span for each in sweeps for span in each["unsettled"]],
        "assumptions": list(dict.fromkeys(a for each in sweeps for a in each["assumptions"])),
    }


def _spans(sweeps: Iterable[SweepRecord]) -> list[SweptSpan]:
    """The stretches of all parts; what goes on from one part to the next is one."""
    found: list[SweptSpan] = []
    last: dict[str, SweptSpan] = {}
    for span in (span for sweep in sweeps for span in sweep["spans"]):
        before = last.get(span["outcome"])
        if before is not None and before["last"] + 1 == span["first"]:
            before["last"], before["high"] = span["last"], span["high"]
            before["points"] += span["points"]
            before["whole"] = before["whole"] and span["whole"]
        else:
            last[span["outcome"]] = {**span}
            found.append(last[span["outcome"]])
    return sorted(found, key=lambda span: (Outcome(span["outcome"]).rank, span["first"]))


def _worst(sweeps: Iterable[SweepRecord]) -> dict[str, SweptPoint]:
    found: dict[str, SweptPoint] = {}
    for sweep in sweeps:
        for name, point in sweep["worst"].items():
            if name not in found or _size(point) > _size(found[name]):
                found[name] = point
    return {str(name): found[name] for name in Outcome if name in found}


def _size(point: SweptPoint) -> float:
    ulps = point["ulps"]
    return -1.0 if ulps is None else float(ulps)


def _histogram(sweeps: Iterable[SweepRecord]) -> list[Binade]:
    """In the order of the input."""
    rows: dict[tuple[bool, int], list[int]] = {}
    for binade in (binade for sweep in sweeps for binade in sweep["histogram"]):
        key = binade["negative"], binade["exponent"]
        known = rows.setdefault(key, [0] * len(binade["points"]))
        rows[key] = [a + b for a, b in zip(known, binade["points"], strict=True)]
    order = sorted(rows, key=lambda key: (not key[0], -key[1] if key[0] else key[1]))
    return [{"negative": n, "exponent": e, "points": rows[n, e]} for n, e in order]
