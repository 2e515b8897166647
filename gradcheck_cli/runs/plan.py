"""Which checks a run makes, in which order: selection by text, tag, last failure and shard, then
tasks with their positions.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

from gradcheck_cli.runs.task import TASK_POINTS, Task, check_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

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


@dataclass(frozen=True)
class Plan:
    """The tasks of a run.

    Attributes:
        count: number of checks, skipped ones included, of all shards together; positions lie below
            it.
        tasks: what is to be checked; `skipped` what the suite says not to check.
    """

    count: int
    tasks: tuple[Task, ...]
    skipped: tuple[Task, ...] = ()
    selected: int = field(default=0)


def plan(cases: Iterable[SuiteCase], wanted: Selection) -> Plan:
    """The tasks for the selected cases, numbered in the order of the files."""
    tasks: list[Task] = []
    position = 0
    shard, shards = wanted.shard
    for number, case in enumerate(case for case in cases if is_selected(case, wanted)):
        for task in _chunks(case, position):
            if number % shards == shard - 1:
                tasks += [task] if wanted.failed is None else _failed(task, wanted.failed)
        position += len(case.runs) * len(case.points)
    checked = tuple(task for task in tasks if task.case.skip is None)
    skipped = tuple(task for task in tasks if task.case.skip is not None)
    return Plan(position, checked, skipped, sum(map(len, tasks)))


def is_selected(case: SuiteCase, wanted: Selection) -> bool:
    """Whether a case is among those wanted by text and tag."""
    text = wanted.keyword.casefold()
    if text not in case.id.casefold() and text not in case.program.text.casefold():
        return False
    left_out = {tag[1:] for tag in wanted.tags if tag.startswith("!")}
    asked_for = {tag for tag in wanted.tags if not tag.startswith("!")}
    tags = set(case.tags)
    return not tags & left_out and (not asked_for or bool(tags & asked_for))


def _chunks(case: SuiteCase, position: int) -> Iterator[Task]:
    """Points in the outer loop, as on the command line, where there are few; whole chunks of points
    for each run where there are many.
    """
    count = len(case.points)
    for dtype, device in case.runs:
        for start in range(0, count, TASK_POINTS):
            stop = min(start + TASK_POINTS, count)
            yield Task(case, dtype, device, start, stop, position + start)
        position += count


def _failed(task: Task, failed: frozenset[str]) -> list[Task]:
    """The checks of a task that are among the failed ones."""
    ones = [task.rest(k).one() for k in range(len(task))]
    return [one for one in ones if check_id(one.case, one.dtype, one.device, one.start) in failed]


def first_ids(tasks: Sequence[Task], most: int) -> list[str]:
    """Ids of the first few checks."""
    ids = (
        check_id(task.case, task.dtype, task.device, i)
        for task in tasks
        for i in range(task.start, task.stop)
    )
    return list(islice(ids, most))
