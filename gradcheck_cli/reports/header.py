"""What stands once for a whole case or group: the formulas above a table, the notes below it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradcheck_cli.records.record import abstains, opinion_of
from gradcheck_cli.reports.format import ALSO, inline, partial_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gradcheck_cli.records.record import Record
    from gradcheck_cli.reports.rows import FactRow


def notes_on(record: Record) -> list[str]:
    """What is true of a whole case: how it was judged in bulk, and what is noted of it."""
    return [*(record["in_bulk"] or ()), *record["notes"]]


def formulas(rows: Iterable[FactRow]) -> list[tuple[str, str]]:
    """(`∂f/∂x`, its formula), once for each partial, or once for all elements of an array."""
    texts: dict[str, str] = {}
    for row in (row for row in rows if not abstains(row.partial["analytic"])):
        analytic = opinion_of(row.partial, "analytic")
        whole = analytic.get("gradient")
        if isinstance(whole, dict):
            name = partial_name({**row.partial, "index": []}, row.record)
            texts.setdefault(ALSO * row.also + name, inline(str(whole.get("formula"))))
        elif "formula" in analytic:
            texts.setdefault(row.name, inline(analytic["formula"]))
    return list(texts.items())
