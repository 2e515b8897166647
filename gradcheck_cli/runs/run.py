"""Running a plan: batches go to an executor, finished checks to the journal, and in their order to
whoever listens.

The executor is any of the `concurrent.futures` kind: the worker processes of this machine, or a
cluster's.
"""

from __future__ import annotations

from bisect import bisect_right
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from gradcheck_cli.language.files import error_text
from gradcheck_cli.records.outcome import Outcome
from gradcheck_cli.records.report import Report, count_of_missing
from gradcheck_cli.runs.journal import Journal, JournalRecords, entries
from gradcheck_cli.runs.pool import Limits, StartError, check_batch
from gradcheck_cli.runs.task import Task, check_id, fingerprint, parcels
from gradcheck_cli.witnesses import first_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from gradcheck_cli.runs.plan import Plan
    from gradcheck_cli.runs.task import Item
    from gradcheck_cli.suites.spec import SuiteCase

# Batches that are under way for each worker: one in its hands, and the next at its door.
AHEAD = 2
FAILING = ("fail", "error")
# Damaged lines of a journal that are named.
MOST_NAMED = 5


class CaseTime(NamedTuple):
    """How long the checks of a case took together, which workers may have made side by side."""

    case: SuiteCase
    checks: int
    seconds: float


@dataclass
class Run:
    """A plan on its way to a report.

    Attributes:
        journal: what is finished.
        versions: part of the fingerprint that tells whether an earlier run's checks may be used.
        maxfail: the run ends after this many checks that failed, in the order of the plan; 0 for
            never.
        take: told every finished check in order, as its position and how many are finished; the run
            ends where it answers False.
        remarks: what the user should know, and what is no trouble.
    """

    plan: Plan
    journal: Journal
    versions: str
    maxfail: int = 0
    take: Callable[[int, int], bool] = lambda position, done: True
    problems: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    interrupted: bool = False
    _next: int = 0
    _failed: int = 0
    _stopped: bool = False
    _unread: bool = False

    def resume(self, *paths: Path) -> int:
        """Take over the finished checks that earlier runs have left in their journals, those of
        code not among them; how many there were. What could not be read is told in `remarks`.
        """
        keys = {key: task for task in self.plan.tasks if (key := fingerprint(task, self.versions))}
        for path in paths:
            damaged: list[int] = []
            try:
                for key, item in entries(path, damaged):
                    task = keys.get(key)
                    if task is not None and item.position in task.positions:
                        self.journal.add(key, item)
            except OSError as error:
                self.remarks.append(f"`{path}` cannot be read: {error_text(error)}")
            if damaged:
                self.remarks.append(_damage(path, damaged))
        return len(self.journal.positions())

    def through(self, executor: Executor, workers: int, limits: Limits) -> None:
        """Check everything that is not finished; Ctrl-C and a broken executor end the run, and what
        is finished stays.
        """
        for task in self.plan.skipped:
            for k in range(len(task)):
                self.journal.add(
                    "skipped", task.item_without_verdict(k, Outcome.SKIPPED, task.case.skip or "")
                )
        waiting = parcels(self._unfinished())
        under_way: dict[Future[list[Item]], Sequence[Task]] = {}
        try:
            self._emit()
            while not self._stopped:
                for batch in waiting:
                    sent = [task.alone() for task in batch]
                    under_way[executor.submit(check_batch, sent, limits)] = batch
                    if len(under_way) >= AHEAD * workers:
                        break
                if not under_way:
                    break
                for future in wait(under_way, return_when=FIRST_COMPLETED).done:
                    self._finished(under_way.pop(future), future)
                self._emit()
        except KeyboardInterrupt:
            self.interrupted = True
            for future, tasks in under_way.items():
                self._keep(tasks, list(getattr(future, "received", ())))
        finally:
            for future in under_way:
                future.cancel()

    @cached_property
    def _tasks(self) -> list[Task]:
        return sorted((*self.plan.tasks, *self.plan.skipped), key=lambda task: task.position)

    @cached_property
    def _todo(self) -> list[int]:
        return [task.position + k for task in self._tasks for k in range(len(task))]

    def _unfinished(self) -> Iterator[Task]:
        """The tasks less what an earlier run has finished. A chunk that is not whole is checked
        anew, so that its bytes are the same.
        """
        for task in self.plan.tasks:
            if any(self.journal.status(task.position + k) is None for k in range(len(task))):
                yield task

    def _finished(self, batch: Sequence[Task], future: Future[list[Item]]) -> None:
        try:
            items = future.result()
        except StartError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a cluster raises: a worker that was lost too often, a scheduler that is gone
            reason = f"the batch was lost: {type(error).__name__}: {first_line(error)}"
            for task in batch:
                for k in range(len(task)):
                    self.journal.add("lost", task.item_without_verdict(k, Outcome.ERROR, reason))
            return
        self._keep(batch, items)

    def _keep(self, batch: Sequence[Task], items: Sequence[Item]) -> None:
        """Write down what came of some checks of a batch."""
        keys = {
            task.position + k: key
            for task in batch
            for key in [fingerprint(task, self.versions)]
            for k in range(len(task))
        }
        for item in items:
            self.journal.add(keys[item.position], item)

    def _emit(self) -> None:
        """Tell of the finished checks that no unfinished one stands before."""
        while self._next < len(self._todo) and not self._stopped:
            position = self._todo[self._next]
            status = self.journal.status(position)
            if status is None:
                return
            self._next += 1
            self._failed += status in FAILING
            self._unread = not self.take(position, self._next)
            self._stopped = self._unread or 0 < self.maxfail <= self._failed

    def name(self, position: int) -> str:
        """The id of a check."""
        task = self._tasks[bisect_right(self._tasks, position, key=lambda task: task.position) - 1]
        return check_id(task.case, task.dtype, task.device, task.start + position - task.position)

    def rest(self) -> list[int]:
        """Finished checks that were not told of because one before them is not finished; none where
        the run ended on purpose.
        """
        return (
            []
            if self._stopped
            else [
                position
                for position in self._todo[self._next :]
                if self.journal.status(position) is not None
            ]
        )

    def told(self) -> list[int]:
        """The positions of all checks that belong into the report."""
        return self._todo[: self._next] + self.rest()

    def report(self, command: Sequence[str], environment: Mapping[str, str]) -> Report:
        """What was checked, and what was not."""
        done = self.told()
        missing = len(self._todo) - len(done)
        if missing:
            why = (
                "interrupted"
                if self.interrupted
                else f"ended after {self._failed} failed"
                if self.maxfail and self._failed >= self.maxfail
                else "ended early"
            )
            problem = f"{why}: {count_of_missing(missing, len(self._todo), 'check')} not made"
            finished = set(done)
            first = next(position for position in self._todo if position not in finished)
            problem = f"{problem}; the first is {self.name(first)}"
            self.problems.append(f"{problem}; `--resume` goes on" if self.interrupted else problem)
        lost = bool(missing) and (self._unread or not self._stopped) and not self.interrupted
        return Report(
            JournalRecords(self.journal, done),
            command,
            environment,
            tuple(self.problems),
            interrupted=self.interrupted,
            incomplete=lost,
        )

    def times(self) -> list[CaseTime]:
        """The cases of which checks were made in this run, the slowest first."""
        cases: dict[str, CaseTime] = {}
        for task in self.plan.tasks:
            spent = [t for position in task.positions if (t := self.journal.seconds(position))]
            _, checks, seconds = cases.get(task.case.id, (task.case, 0, 0.0))
            if spent:
                time = CaseTime(task.case, checks + len(spent), seconds + sum(spent))
                cases[task.case.id] = time
        return sorted(cases.values(), key=lambda time: -time.seconds)

    @property
    def complete(self) -> bool:
        """Whether everything is finished."""
        return all(self.journal.status(position) is not None for position in self._todo)


def _damage(path: Path, lines: Sequence[int]) -> str:
    """What is said of the damaged lines of a journal: the first few."""
    named = ", ".join(map(str, lines[:MOST_NAMED])) + (", …" if len(lines) > MOST_NAMED else "")
    what = f"line {named} is" if len(lines) == 1 else f"{len(lines):,} lines ({named}) are"
    checks = "its check is" if len(lines) == 1 else "their checks are"
    return f"{what} damaged in `{path}`: {checks} made again"
