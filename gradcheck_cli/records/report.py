"""The Report: the records of one command, and what went well or wrong with the run itself."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from gradcheck_cli.records.outcome import INTERRUPTED, UNWRITTEN, Outcome, Status
from gradcheck_cli.records.status import exit_code_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gradcheck_cli.records.record import Record


@dataclass(frozen=True)
class Report:
    """All records of one command.

    Attributes:
        records: in the order asked for. A sequence that knows the `statuses` of its records without
            reading them is asked for those.
        problems: what went wrong with the run itself, in words.
        interrupted: Ctrl-C ended the run.
        incomplete: checks that were asked for are missing for another reason; the exit code says
            so.
        unwritten: it could not be written to one of the places where it was wanted; likewise.
        kind: `sweeps` where the records are parts of sweeps; else empty.
    """

    records: Sequence[Record] = ()
    command: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    problems: Sequence[str] = ()
    interrupted: bool = False
    incomplete: bool = False
    unwritten: bool = False
    kind: str = ""

    @cached_property
    def summary(self) -> dict[str, int]:
        """How many cases came to each outcome, worst first."""
        counts = Counter(record["outcome"] for record in self.records)
        return {str(outcome): counts[outcome] for outcome in Outcome if counts[outcome]}

    @cached_property
    def statuses(self) -> dict[str, int]:
        """How many cases came to each status."""
        return dict(Counter(self._statuses()))

    def having(self, *statuses: str) -> Iterator[Record]:
        """The records with one of these statuses; the others are not even read."""
        return (self.records[k] for k, status in enumerate(self._statuses()) if status in statuses)

    def _statuses(self) -> Iterator[str]:
        quick = getattr(self.records, "statuses", None)
        return quick() if quick else (record["status"] for record in self.records)

    @property
    def exit_code(self) -> int:
        """0, 1, 3 or 4; 5 when there is no case; 3 when cases are missing; 2 when it could not be
        written somewhere; 130 when the run was interrupted.
        """
        if self.interrupted or self.unwritten:
            return INTERRUPTED if self.interrupted else UNWRITTEN
        return Status.ERROR.exit_code if self.incomplete else exit_code_of(self.statuses)


def count_of_missing(missing: int, total: int, noun: str) -> str:
    """`3 of 1,000 checks were`, for a sentence on what was not done; `the one check was`."""
    if total == 1:
        return f"the one {noun} was"
    return f"{missing:,} of {total:,} {noun}s {'was' if missing == 1 else 'were'}"
