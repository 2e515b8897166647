"""What pytest shows of a check that fails: its report, and nothing of our own code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from gradcheck_cli.records.record import Record

# Failing points of one item that are shown; a guess at what a reader still reads. The rest is
# counted.
MAX_SHOWN = 10


class CaseFailure(Exception):
    """A case is not as its suite says; `headline` is what the summary has room for."""

    def __init__(self, text: str, headline: str) -> None:
        super().__init__(text)
        self.headline = headline


class ForeseenFailure(CaseFailure):
    """A case fails that the suite expects to fail."""


class CheckItem(pytest.Item):
    """A check.

    Attributes:
        place: the file and line of what is checked.
    """

    place: tuple[str, int]

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """What is shown of a failure: of a check the words alone, at its place."""
        error = excinfo.value
        if not isinstance(error, CaseFailure):
            return super().repr_failure(excinfo, style)
        text = excinfo.getrepr(style="value")
        crash = text.reprcrash
        if crash is not None:
            crash.path, crash.lineno, crash.message = *self.place, error.headline
        return text


class Findings:
    """What is kept of an item's points, however many: a count for each status, and the first."""

    def __init__(self) -> None:
        self.statuses: dict[str, int] = {}
        self.outcomes: set[str] = set()
        self.first: list[Record] = []

    def add(self, record: Record) -> None:
        """Take one point into account."""
        status = record["status"]
        seen = self.statuses[status] = self.statuses.get(status, 0) + 1
        self.outcomes.add(record["outcome"])
        if status != "pass" and seen <= MAX_SHOWN:
            self.first.append(record)

    @property
    def outcome(self) -> str:
        """The worst of all points."""
        from gradcheck_cli.records.outcome import OUTCOMES

        return min(self.outcomes, key=("error", *OUTCOMES).index)

    def report(self, statuses: tuple[str, ...]) -> tuple[str, str]:
        """The report on the points of some statuses, and a line for the summary."""
        from gradcheck_cli.records.report import Report
        from gradcheck_cli.reports import table
        from gradcheck_cli.reports.findings import lines_of
        from gradcheck_cli.reports.tally import summary

        shown = [record for record in self.first if record["status"] in statuses][:MAX_SHOWN]
        bad = sum(self.statuses.get(status, 0) for status in statuses)
        count = sum(self.statuses.values())
        of_all = [f"{bad:,} of {count:,} points"] if count > 1 else []
        report = Report(records=shown)
        # The table's own summary counts what is shown, not what there is.
        parts = [*of_all, table.render(report).rstrip("\n").removesuffix(f"\n\n{summary(report)}")]
        if bad > len(shown):
            parts.append(f"… and {bad - len(shown):,} more, which `gradcheck run` shows")
        return "\n\n".join(parts), ": ".join([*of_all, lines_of(shown[0])[0]])
