"""Which checks a run makes, in which order: selection, then tasks with their positions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gradcheck_cli.runs.task import TASK_POINTS, Task, check_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gradcheck_cli.suites.spec import SuiteCase


@dataclass(frozen=True)
class Selection:
    """What the user wants of all cases.

    Attributes:
        keyword: text that the id or the program holds, capitals or not.
        tags: any of these; one with `!` in front leaves out what has it.
        failed: ids of checks; only these, if given.
        shard: (i, n): every n-th case, from the i-th on, counted from 1.
    """

    keyword: str = ""
    tags: tuple[str, ...] = ()
    failed: frozenset[str] | None = None
    shard: tuple[int, int] = (1, 1)

    def takes(self, case: SuiteCase) -> bool:
        """Whether a case is wanted by text and tag."""
        text = self.keyword.casefold()
        if text not in case.id.casefold() and text not in case.program.text.casefold():
            return False
        unwanted = {tag[1:] for tag in self.tags if tag.startswith("!")}
        wanted = {tag for tag in self.tags if not tag.startswith("!")}
        tags = set(case.tags)
        return not tags & unwanted and (not wanted or bool(tags & wanted))


@dataclass(frozen=True)
class Plan:
    """The tasks of a run.

    Attributes:
        count: checks of all shards together, skipped ones included; positions lie below it.
        tasks: what is to be checked; `skipped` what the suite says not to check.
    """

    count: int
    tasks: tuple[Task, ...]
    skipped: tuple[Task, ...] = ()
    selected: int = 0


def plan(cases: Iterable[SuiteCase], wanted: Selection) -> Plan:
    """The tasks for the selected cases, numbered in the order of the files."""
    tasks: list[Task] = []
    position = 0
    shard, shards = wanted.shard
    for number, case in enumerate(case for case in cases if wanted.takes(case)):
        for task in _chunks(case, position):
            if number % shards == shard - 1:
                tasks += [task] if wanted.failed is None else _failures(task, wanted.failed)
        position += len(case.runs) * len(case.points)
    active = tuple(task for task in tasks if task.case.skip is None)
    skipped = tuple(task for task in tasks if task.case.skip is not None)
    return Plan(position, active, skipped, sum(map(len, tasks)))


def _chunks(case: SuiteCase, position: int) -> Iterator[Task]:
    """Whole chunks of points for each run."""
    count = len(case.points)
    for dtype, device in case.runs:
        for start in range(0, count, TASK_POINTS):
            stop = min(start + TASK_POINTS, count)
            yield Task(case, dtype, device, start, stop, position + start)
        position += count


def _failures(task: Task, failed: frozenset[str]) -> list[Task]:
    """The checks of a task that are among the failed ones."""
    ones = [task.rest(k).one() for k in range(len(task))]
    return [one for one in ones if check_id(one.case, one.dtype, one.device, one.start) in failed]
