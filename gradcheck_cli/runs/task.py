"""What is sent to a worker and what comes back: tasks, and finished checks as items."""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple

from gradcheck_cli.checks.record import question_fields, reproduce, without_verdict
from gradcheck_cli.language.errors import PointError
from gradcheck_cli.questions.question import Question, Request, find_dtype, inputs_to_differentiate
from gradcheck_cli.records.record import line_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gradcheck_cli.questions.numbers import Exact
    from gradcheck_cli.questions.question import Case
    from gradcheck_cli.records.record import Record
    from gradcheck_cli.suites.spec import SuiteCase

# Points of one case that are evaluated together. The bounds are the same whatever the number of
# workers, so the results are as well.
TASK_POINTS = 256
# Checks that are sent to a worker at once; a guess: few enough to share the work evenly, enough to
# hide the way there and back.
BATCH_CHECKS = 16


class Item(NamedTuple):
    """A finished check: its number in the run, its status, and its Record as a line of JSON."""

    position: int
    status: str
    line: str


@dataclass(frozen=True)
class Task:
    """Consecutive points of one case in one dtype on one device.

    Attributes:
        position: number of the first check in the run.
    """

    case: SuiteCase
    dtype: str
    device: str
    start: int
    stop: int
    position: int

    def __len__(self) -> int:
        return self.stop - self.start

    def rest(self, done: int) -> Task:
        """The task without its first `done` checks."""
        return replace(self, start=self.start + done, position=self.position + done)

    def one(self) -> Task:
        """The first check alone."""
        return replace(self, stop=self.start + 1)

    def question(self) -> Question:
        """What is asked, at whatever point."""
        case = self.case
        wrt = inputs_to_differentiate(Request(case.program, self.case.points[self.start], case.wrt))
        return Question(case.program, wrt, case.cotangent, dict(case.given))

    def cases(self, question: Question) -> Iterator[Case]:
        """The case of each point.

        Raises:
            PointError: a point does not fit the dtype.
        """
        dtype = find_dtype(self.dtype)
        for i in range(self.start, self.stop):
            point = self.case.points[i]
            told: dict[str, Exact] = {
                name: value for name, value in point.items() if not isinstance(value, list)
            }
            yield from question.cases(point, dtype, (self.device,), told)

    def stated(self, offset: int) -> Record:
        """What the suite says of a check: the part of its Record that needs no verdict."""
        place = self.case.place
        return {
            "id": check_id(self.case, self.dtype, self.device, self.start + offset),
            "source": {"file": place.file, "line": place.line, "column": place.column},
            "position": self.position + offset,
        }

    def unchecked(self, offset: int, outcome: str, reason: str) -> Item:
        """The item of a check that has no verdict."""
        one = self.rest(offset).one()
        try:
            case = next(one.cases(one.question()))
            at, command = question_fields(case), reproduce(case, strict=self.case.strict)
        except PointError:  # a number that the dtype cannot hold: there is no point to be shown
            at, command = {"dtype": self.dtype, "device": self.device, "at": {}}, ""
        record: dict[str, Any] = without_verdict(
            self.case.program.text, at, command, outcome, reason
        ) | self.stated(offset)
        return Item(record["position"], record["status"], line_of(record))


def check_id(case: SuiteCase, dtype: str, device: str, point: int) -> str:
    """The id of one check: that of its case, and what tells it apart from the case's other checks,
    the point counted from 1.
    """
    dtypes, devices = {run[0] for run in case.runs}, {run[1] for run in case.runs}
    parts = (
        [dtype] * (len(dtypes) > 1)
        + [device.replace(":", "")] * (len(devices) > 1)
        + [str(point + 1)] * (len(case.points) > 1)
    )
    return ":".join((case.id, *parts))


def fingerprint(task: Task, versions: str) -> str:
    """Fingerprint of everything a task's results depend on: the case and where it stands, its run
    and its place in it, the versions.
    """
    case = replace(task.case, program=task.case.program.text)  # type: ignore[arg-type]  # the text stands for the program
    return sha256(
        repr(
            (case, task.dtype, task.device, task.start, task.stop, task.position, versions)
        ).encode()
    ).hexdigest()[:32]


def batches(tasks: Iterable[Task], size: int = BATCH_CHECKS) -> Iterator[list[Task]]:
    """Tasks in groups of about `size` checks; the dtypes and devices of a case stay together as far
    as they are few.
    """
    group: list[Task] = []
    weight = 0
    for task in tasks:
        if (
            group
            and weight + len(task) > size
            and (task.case is not group[-1].case or weight >= TASK_POINTS)
        ):
            yield group
            group, weight = [], 0
        group.append(task)
        weight += len(task)
    if group:
        yield group
