"""A report of sweeps as CSV: one row a stretch of points of one outcome, and one for what is not
settled.
"""

from __future__ import annotations

import csv
from io import StringIO
from typing import TYPE_CHECKING, Any

from gradcheck_cli.records.json_text import json_text
from gradcheck_cli.records.sweep_record import NOT_SETTLED
from gradcheck_cli.reports.csv import cell_text
from gradcheck_cli.reports.format import inert
from gradcheck_cli.reports.sweeps import sweeps_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gradcheck_cli.records.report import Report
    from gradcheck_cli.reports.sweeps import WholeSweep

_COLUMNS = (
    *("expression", "dtype", "device", "variable", "moving", "over", "outcome", "points"),
    *("low", "high", "whole", "worst_at", "worst_ulps", "reason", "reproduce"),
)


def render(report: Report) -> str:
    """A header row and a row for each stretch; of an outcome without one, such as `agree`, one row
    for all its points. The worst point stands in the first row of its outcome.
    """
    stream = StringIO()
    writer = csv.DictWriter(stream, _COLUMNS, lineterminator="\n")
    writer.writeheader()
    for sweep in sweeps_of(report):
        writer.writerows(_rows(sweep))
    for record in report.records:
        if record["sweep"] is None:
            names = ("expression", "dtype", "device", "outcome", "reason", "reproduce")
            writer.writerow({name: cell_text(str(record[name] or "")) for name in names})  # type: ignore[literal-required]
    return inert(stream.getvalue())


def _rows(sweep: WholeSweep) -> Iterator[dict[str, Any]]:
    names = ("expression", "dtype", "device", "variable", "moving")
    asked = {name: cell_text(str(sweep[name])) for name in names}  # type: ignore[literal-required]
    asked["over"] = json_text(sweep["over"])
    for outcome, points in sweep["outcomes"].items():
        if outcome == NOT_SETTLED:
            continue
        worst = sweep["worst"].get(outcome)
        first: dict[str, Any] = {}
        if worst is not None:
            first = {
                "worst_at": json_text({n: worst["at"][n] for n in sweep["over"]}),
                "worst_ulps": worst["ulps"],
                "reason": cell_text(worst["partial"]["reason"]),
                "reproduce": cell_text(worst["reproduce"]),
            }
        spans = [span for span in sweep["spans"] if span["outcome"] == outcome]
        for k, span in enumerate(spans):
            ends = {name: span[name] for name in ("points", "low", "high", "whole")}
            yield asked | {"outcome": outcome} | ends | (first if k == 0 else {})
        if not spans:
            yield asked | {"outcome": outcome, "points": points} | first
    for left in sweep["unsettled"]:
        ends = {name: left[name] for name in ("points", "low", "high")}
        yield asked | {"outcome": NOT_SETTLED, "reason": cell_text(left["reason"])} | ends
