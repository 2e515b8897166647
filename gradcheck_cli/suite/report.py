"""The Report: everything that was asked, answered and judged; what every report format renders."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gradcheck_cli.judge.outcome import exit_code, worst

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gradcheck_cli.judge.evidence import Evidence
    from gradcheck_cli.judge.outcome import Verdict


@dataclass(frozen=True)
class Result:
    """One case with its evidence and a verdict for each partial.

    Attributes:
        notes: what is true of the whole case: numbers that were rounded, a forward value that is off, ones as cotangent.
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
    """All results of one command."""

    results: Sequence[Result]
    command: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    strict: bool = False
    problems: Sequence[str] = ()
    interrupted: bool = False

    @property
    def summary(self) -> dict[str, int]:
        """How many cases came to each outcome, worst first."""
        from gradcheck_cli.judge.outcome import OUTCOMES

        counts = {outcome: sum(result.outcome == outcome for result in self.results) for outcome in OUTCOMES}
        return {outcome: count for outcome, count in counts.items() if count}

    @property
    def exit_code(self) -> int:
        """0, 1 or 4; 5 when there is no case; 130 when the run was interrupted."""
        if self.interrupted:
            return 130
        if not self.results:
            return 5
        return exit_code([verdict for result in self.results for verdict in result.verdicts], strict=self.strict)
