"""Results: checked points with all that was found out, for those who ask in the same process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gradcheck_cli.checks.record import record_of
from gradcheck_cli.records.outcome import Outcome, worst_outcome
from gradcheck_cli.records.report import Report

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from gradcheck_cli.judge.evidence import Evidence
    from gradcheck_cli.judge.verdict import Verdict


@dataclass(frozen=True)
class Result:
    """One point with its evidence and a verdict for each partial.

    Attributes:
        notes: what is true of the whole case: numbers that were rounded, a forward value that is
            off.
    """

    evidence: Evidence
    verdicts: tuple[Verdict, ...]
    notes: tuple[str, ...] = ()
    id: str | None = None

    @property
    def outcome(self) -> Outcome:
        """The worst of the partials."""
        return worst_outcome([verdict.outcome for verdict in self.verdicts])


@dataclass(frozen=True)
class LiveReport(Report):
    """A Report that was made in this process, with the results behind its records."""

    results: Sequence[Result] = ()


def report_of(results: Sequence[Result], *, strict: bool = False, **rest: Any) -> LiveReport:
    """The report of some results; `strict` lets `imprecise` and `kink` fail as well."""
    records = [record_of(result, strict=strict) for result in results]
    return LiveReport(records=records, results=results, **rest)
