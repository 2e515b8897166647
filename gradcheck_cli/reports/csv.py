"""The CSV report: one row a partial, for spreadsheets and data frames."""

from __future__ import annotations

import csv
import json
from io import StringIO
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gradcheck_cli.records.report import Report

COLUMNS = (
    *(
        "id",
        "expression",
        "dtype",
        "device",
        "at",
        "variable",
        "index",
        "outcome",
        "reference",
        "reference_digits",
        "analytic",
    ),
    *(
        "autograd",
        "error",
        "relative_error",
        "ulps",
        "tolerance",
        "numeric",
        "radius",
        "left",
        "right",
        "reason",
        "status",
    ),
    *("unmet", "case_reason", "file", "line"),
)
# A spreadsheet runs a cell that begins with one of these as a formula. Such text gets an apostrophe
# in front, which a spreadsheet hides and a program must strip: an id comes from a file that someone
# else may have written, and `-x**2` would show as an error. Numbers are written by us and stay
# numbers; `at` and `index` are JSON and begin with a bracket.
_FORMULA = ("=", "+", "-", "@", "\t", "\n")

# A point of n numbers has up to n partials; with the whole point in every row the file would grow
# with the square of n.
MAX_REPEATED_POINT = 100


def render(report: Report) -> str:
    """A header row and a row for each partial. What a witness did not say is an empty cell; `at`
    and `index` are JSON.

    A point of more than `MAX_REPEATED` numbers stands in the first row of its case only.
    """
    stream = StringIO()
    writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for record in report.records:
        large = sum(np.size(value) for value in record["at"].values()) > MAX_REPEATED_POINT
        for k, row in enumerate(_rows(record)):
            writer.writerow(row | {"at": ""} if k and large else row)
    return stream.getvalue()


def _rows(case: dict[str, Any]) -> Iterator[dict[str, Any]]:
    asked = {
        "id": _text(case["id"] or ""),
        "expression": _text(case["expression"]),
        "dtype": case["dtype"],
        "device": case["device"],
        "at": json.dumps(case["at"], ensure_ascii=False),
        "status": case["status"],
        "unmet": _text("; ".join(case["unmet"])),
        "case_reason": _text(case["reason"] or ""),
        **(
            {}
            if case["source"] is None
            else {"file": _text(case["source"]["file"]), "line": case["source"]["line"]}
        ),
    }
    if not case["partials"]:
        yield asked | {"outcome": case["outcome"], "reason": _text(case["reason"] or "")}
    for partial in case["partials"]:
        reference, autograd, numeric, sides = (
            partial["reference"],
            partial["autograd"],
            partial["numeric"],
            partial["one_sided"] or {},
        )
        yield asked | {
            "variable": partial["variable"],
            "index": json.dumps(partial["index"]),
            "outcome": partial["outcome"],
            "reference": reference.get("value"),
            "reference_digits": reference.get("digits"),
            "analytic": partial["analytic"].get("value"),
            "autograd": autograd.get("value"),
            **{
                name: autograd.get(name)
                for name in ("error", "relative_error", "ulps", "tolerance")
            },
            "numeric": numeric.get("value"),
            "radius": numeric.get("radius"),
            "left": sides.get("left"),
            "right": sides.get("right"),
            "reason": _text(partial["reason"]),
        }


def _text(text: str) -> str:
    """Text that no spreadsheet takes for a formula, its lines ended as those of the file: a bare
    carriage return would end the row.
    """
    text = "\n".join(text.replace("\r\n", "\n").split("\r"))
    return f"'{text}" if text.startswith(_FORMULA) else text
