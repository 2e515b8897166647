"""Reports of results, for those who ask in the same process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gradcheck_cli.checks.record import record_of
from gradcheck_cli.records.report import Report

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from gradcheck_cli.checks.result import Result


@dataclass(frozen=True)
class LiveReport(Report):
    """A Report that was made in this process, with the results behind its records."""

    results: Sequence[Result] = ()


def report_of(results: Sequence[Result], *, strict: bool = False, **rest: Any) -> LiveReport:
    """The report of some results; `strict` lets `imprecise` and `kink` fail as well."""
    records = [record_of(result, strict=strict) for result in results]
    return LiveReport(records=records, results=results, **rest)
