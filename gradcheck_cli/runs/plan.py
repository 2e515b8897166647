"""Which checks a run makes, in which order: selection, then tasks with their positions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gradcheck_cli.runs.task import TASK_POINTS, Task

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gradcheck_cli.suites.spec import SuiteCase


@dataclass(frozen=True)
class Selection:
    """What the user wants of all cases.

    Attributes:
        keyword: text that the id, the program or the name of a function holds, capitals or not; or
            the whole id of a case or of a check, `FILE::NAME` or `::NAME`, for that alone.
        tags: any of these; one with `!` in front leaves out what has it.
        failed: ids of checks; only these, if given.
        shard: (i, n): every n-th case, from the i-th on, counted from 1.
    """

    keyword: str = ""
    tags: tuple[str, ...] = ()
    failed: frozenset[str] | None = None
    shard: tuple[int, int] = (1, 1)

    def names(self, case: SuiteCase) -> bool:
        """Whether the text is the whole id of a case or of a check of it."""
        return f"{self._id_in(case)}:".startswith(f"{case.id}:")

    def checks(self, case: SuiteCase) -> list[frozenset[str]]:
        """Sets of the ids of checks; of a case those are wanted that are in each."""
        whole = self._id_in(case)
        named = [frozenset((whole,))] if self.names(case) and whole != case.id else []
        return [*named, *([] if self.failed is None else [self.failed])]

    def _id_in(self, case: SuiteCase) -> str:
        """The text, with the file in front of it where it leaves that out."""
        file = case.id.removesuffix(f"::{case.name}")
        return file + self.keyword if self.keyword.startswith("::") else self.keyword

    def takes(self, case: SuiteCase) -> bool:
        """Whether a case is wanted by text and tag."""
        text = self.keyword.casefold()
        if text not in case.id.casefold() and text not in case.text.casefold():
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


def selected_cases(cases: Sequence[SuiteCase], wanted: Selection) -> list[SuiteCase]:
    """Those that a whole id names, whatever their tags; where it names none, those that are wanted
    by text and tag.
    """
    named = [case for case in cases if wanted.names(case)]
    return named or [case for case in cases if wanted.takes(case)]


def plan(cases: Sequence[SuiteCase], wanted: Selection, *, formulas: bool = True) -> Plan:
    """The tasks for the selected cases, numbered in the order of the files.

    Args:
        formulas: whether the formulas of derivatives are wanted.
    """
    tasks: list[Task] = []
    position = 0
    shard, shards = wanted.shard
    for number, case in enumerate(selected_cases(cases, wanted)):
        checks = wanted.checks(case)
        for task in _chunks(case, position, formulas=formulas):
            if number % shards == shard - 1:
                tasks += _some(task, checks) if checks else [task]
        position += sum(case.checks(dtype) for dtype, _ in case.runs)
    active = tuple(task for task in tasks if task.case.skip is None)
    skipped = tuple(task for task in tasks if task.case.skip is not None)
    return Plan(position, active, skipped, sum(map(len, tasks)))


def _chunks(case: SuiteCase, position: int, *, formulas: bool) -> Iterator[Task]:
    """Whole chunks of points for each run."""
    most = TASK_POINTS if case.over is None else 1
    for dtype, device in case.runs:
        count = case.checks(dtype)
        for start in range(0, count, most):
            stop = min(start + most, count)
            yield Task(case, dtype, device, start, stop, position + start, formulas)
        position += count


def _some(task: Task, wanted: Sequence[frozenset[str]]) -> list[Task]:
    """The checks of a task that are in each set of ids."""
    ones = [(task.rest(k).one(), task.check_id(k)) for k in range(len(task))]
    return [one for one, name in ones if all(name in ids for ids in wanted)]
