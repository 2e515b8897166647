"""The Report: everything that was asked, answered and judged; what every report format renders."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from gradcheck_cli.checks.record import record_of
from gradcheck_cli.records.outcome import OUTCOMES, worst
from gradcheck_cli.records.status import EXIT_CODES, NO_VERDICT, exit_code
from gradcheck_cli.runs.journal import Stored

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gradcheck_cli.checks.record import Record
    from gradcheck_cli.judge.evidence import Evidence
    from gradcheck_cli.records.outcome import Verdict

# Exit code of a run that Ctrl-C ended.
INTERRUPTED = 130


@dataclass(frozen=True)
class Result:
    """One case with its evidence and a verdict for each partial.

    Attributes:
        notes: what is true of the whole case: numbers that were rounded, a forward value that is
            off.
    """

    evidence: Evidence
    verdicts: tuple[Verdict, ...]
    notes: tuple[str, ...] = ()
    id: str | None = None

    @property
    def outcome(self) -> str:
        """The worst of the partials."""
        return worst([verdict.outcome for verdict in self.verdicts])


@dataclass(frozen=True)
class Report:
    """All results of one command.

    Attributes:
        results: the live results, where the check ran in this process.
        stored: the records, where it did not: they were read from a file or came from another
            process.
        problems: what went wrong with the run itself, in words.
        interrupted: Ctrl-C ended the run.
        incomplete: checks that were asked for are missing for another reason; the exit code says
            so.
    """

    results: Sequence[Result] = ()
    command: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    strict: bool = False
    problems: Sequence[str] = ()
    interrupted: bool = False
    stored: Sequence[Record] | None = None
    incomplete: bool = False

    @cached_property
    def records(self) -> Sequence[Record]:
        """One Record a case, in the order asked for."""
        return (
            [record_of(result, strict=self.strict) for result in self.results]
            if self.stored is None
            else self.stored
        )

    @cached_property
    def summary(self) -> dict[str, int]:
        """How many cases came to each outcome, worst first."""
        counts = dict.fromkeys((*NO_VERDICT[:1], *OUTCOMES, *NO_VERDICT[1:]), 0)
        for record in self.records:
            counts[record["outcome"]] += 1
        return {outcome: count for outcome, count in counts.items() if count}

    @cached_property
    def statuses(self) -> dict[str, int]:
        """How many cases came to each status."""
        return dict(Counter(self._statuses()))

    def having(self, *statuses: str) -> Iterator[Record]:
        """The records with one of these statuses; the others are not even read."""
        return (self.records[k] for k, status in enumerate(self._statuses()) if status in statuses)

    def _statuses(self) -> Iterator[str]:
        return (
            self.stored.statuses()
            if isinstance(self.stored, Stored)
            else (record["status"] for record in self.records)
        )

    @property
    def exit_code(self) -> int:
        """0, 1, 3 or 4; 5 when there is no case; 3 when cases are missing; 130 when the run was
        interrupted.
        """
        if self.interrupted:
            return INTERRUPTED
        return EXIT_CODES["error"] if self.incomplete else exit_code(self.statuses)
