"""The CSV report: one row a partial, for spreadsheets and data frames."""

from __future__ import annotations

import csv
import re
from io import StringIO
from typing import TYPE_CHECKING

from gradcheck_cli.records.json_text import json_text
from gradcheck_cli.records.record import WITNESSES, opinions_of, witnesses_of, worse_partials
from gradcheck_cli.reports.format import escape_controls, inert, size_of, variables_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gradcheck_cli.records.numbers import JsonNumber
    from gradcheck_cli.records.record import PartialRecord, Record
    from gradcheck_cli.records.report import Report

RANK = 4
SUFFIXES = (".csv",)
FORMULAS = False

# fmt: off
COLUMNS = (
    "id", "expression", "dtype", "device", "at", "variable", "index", "outcome", "reference",
    "reference_digits", "analytic", "autograd", "error", "relative_error", "ulps", "tolerance",
    "numeric", "radius", "left", "right", "reason", "status", "unmet", "case_reason", "file", "line",
    "cause", "output", "also", "remedy", "written",
    "claims",
)
# fmt: on
# A spreadsheet runs a cell that begins with one of these, in full width too, as a formula. Such
# text gets an apostrophe in front, which a spreadsheet hides and a program must strip: an id comes
# from a file that someone else may have written, and `-x**2` would show as an error. A number is no
# formula and stays one; `at` and `index` are JSON and begin with a bracket.
_FORMULA = ("=", "+", "-", "@", "\t", "\n", "＝", "＋", "－", "＠")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")

# A point of n numbers has up to n partials; with the whole point in every row the file would grow
# with the square of n.
MAX_REPEATED_POINT = 100


def render(report: Report) -> str:
    """A header row and a row for each partial. What a witness did not say is an empty cell; `at`,
    `index`, `output` and `also` are JSON. A further witness has a column behind all others. `also`
    is the seeded cotangent of a partial that is worse under it, and empty for all others; `written`
    the program as typed where `expression` is what it was read as, and empty where they are one.

    A point of more than `MAX_REPEATED_POINT` numbers stands in the first row of its case only.
    """
    stream = StringIO()
    more = [
        cell_text(name) for name in witnesses_of(report.records) if cell_text(name) not in COLUMNS
    ]
    writer, columns = csv.writer(stream, lineterminator="\n"), (*COLUMNS, *more)
    writer.writerow(columns)
    for record in report.records:
        large = sum(map(size_of, record["at"].values())) > MAX_REPEATED_POINT
        for k, row in enumerate(_rows(record)):
            if k and large:
                row["at"] = ""
            writer.writerow(map(row.get, columns))
    return inert(stream.getvalue())


def _rows(record: Record) -> Iterator[dict[str, JsonNumber | None]]:
    source = record["source"]
    asked: dict[str, JsonNumber | None] = {
        "id": cell_text(record["id"] or ""),
        "expression": cell_text(record["expression"]),
        "dtype": cell_text(record["dtype"]),
        "device": cell_text(record["device"]),
        "at": json_text(record["at"]),
        "outcome": record["outcome"],
        "reason": cell_text(record["reason"] or ""),
        "status": record["status"],
        "unmet": cell_text("; ".join(record["unmet"])),
        "case_reason": cell_text(record["reason"] or ""),
        "file": None if source is None else cell_text(source["file"]),
        "line": None if source is None else source["line"],
        "written": cell_text(record["written"] or ""),
        "claims": cell_text("; ".join(_claims(record))),
    }
    if not record["partials"]:
        yield asked
    for partial in record["partials"]:
        yield asked | _answers(partial)
    for partial in worse_partials(record):
        yield (
            asked
            | _answers(partial)
            | {"also": json_text(record["also"] and record["also"]["cotangent"])}
        )


def _claims(record: Record) -> list[str]:
    """What became of each line that is claimed."""
    return [f"`{c['claim']}`: {c['outcome']}: {c['reason']}" for c in record["claims"] or ()]


def _answers(partial: PartialRecord) -> dict[str, JsonNumber | None]:
    """The cells of one partial."""
    opinions = dict(opinions_of(partial))
    autograd, sides = opinions["autograd"], partial["one_sided"] or {}
    return {
        **{
            cell_text(name): opinion.get("value")
            for name, opinion in opinions.items()
            # One that is called like another column has none.
            if name in WITNESSES or cell_text(name) not in COLUMNS
        },
        "variable": cell_text(variables_of(partial)),
        "index": json_text(partial["index"]),
        "outcome": partial["outcome"],
        "reference_digits": cell_text(opinions["reference"].get("digits", "")),
        **{name: autograd.get(name) for name in ("error", "relative_error", "ulps", "tolerance")},
        "radius": opinions["numeric"].get("radius"),
        "left": sides.get("left"),
        "right": sides.get("right"),
        "reason": cell_text(partial["reason"]),
        "cause": partial.get("cause"),
        "output": None if partial["output"] is None else json_text(partial["output"]),
        "remedy": cell_text((partial.get("remedy") or {}).get("program", "")),
    }


def cell_text(text: str) -> str:
    """Text that no spreadsheet takes for a formula, its lines ended as those of the file: a bare
    carriage return would end the row.
    """
    is_line = text.isprintable()
    if not is_line:
        text = "\n".join(text.replace("\r\n", "\n").split("\r"))
    runs = text.lstrip(" ").startswith(_FORMULA) and not _NUMBER.fullmatch(text)
    text = f"'{text}" if runs else text
    return text if is_line else "\t".join(map(escape_controls, text.split("\t")))
