"""The derivatives by a matrix as a matrix: torch's answers, and their errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradcheck_cli.reports.digits import amount, rounded
from gradcheck_cli.reports.format import NOTHING, partial_name, torch_number

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gradcheck_cli.records.record import PartialRecord, Record
    from gradcheck_cli.reports.facts import Group

# Significant digits of a number in a matrix.
_DIGITS = 6


def matrices(group: Group) -> Iterator[list[str]]:
    """Lines for each input of two dimensions in each case: torch's numbers to six digits, beside
    them how many ulp each is off.
    """
    for record in group.records:
        label = group.label(record)
        for name, rows in _by_input(record).items():
            if len(set(map(len, rows))) > 1:
                continue  # no matrix, in a report of somebody else's
            yield _block(f"{name} at {label}" if label else name, rows, record["dtype"])


def _by_input(record: Record) -> dict[str, list[list[PartialRecord]]]:
    """For each output and input of two dimensions the partials, row by row."""
    found: dict[str, list[list[PartialRecord]]] = {}
    for partial in record["partials"]:
        index = partial["index"]
        if isinstance(partial["variable"], list) or len(index) != 2:
            continue
        rows = found.setdefault(partial_name({**partial, "index": []}, record), [])
        rows += [[] for _ in range(index[0] + 1 - len(rows))]
        rows[index[0]].append(partial)
    return found


def _block(name: str, rows: Sequence[Sequence[PartialRecord]], dtype: str) -> list[str]:
    answers = [[_answer(partial, dtype) for partial in row] for row in rows]
    errors = [[_error(partial) for partial in row] for row in rows]
    left, right = _box(answers), _box(errors)
    gap = "   "
    lines = [f"{name}, torch{' ' * max(0, len(left[0]) - len(name) - 7)}{gap}error (ulp)"]
    return lines + [f"{a}{gap}{b}" for a, b in zip(left, right, strict=True)]


def _box(cells: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ["  ".join(c.rjust(w) for c, w in zip(row, widths, strict=True)) for row in cells]
    return [f"[{line}]" for line in lines]


def _answer(partial: PartialRecord, dtype: str) -> str:
    value = partial["autograd"].get("value")
    return NOTHING if value is None else rounded(float(torch_number(float(value), dtype)), _DIGITS)


def _error(partial: PartialRecord) -> str:
    ulps = partial["autograd"].get("ulps")
    return NOTHING if ulps is None else amount(float(ulps))
