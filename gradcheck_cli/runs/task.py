"""What is sent to a worker and what comes back: tasks, and finished checks as items."""

from __future__ import annotations

import shlex
from contextlib import suppress
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

from gradcheck_cli.checks.record import record_without_verdict
from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.language.errors import PointError
from gradcheck_cli.questions.batching import batches
from gradcheck_cli.questions.question import Question, question_of
from gradcheck_cli.records.outcome import Status
from gradcheck_cli.records.record import line_of
from gradcheck_cli.records.status import status_of
from gradcheck_cli.suites.files import STDIN

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gradcheck_cli.questions.batch import Batch
    from gradcheck_cli.records.outcome import Outcome
    from gradcheck_cli.records.record import Record
    from gradcheck_cli.suites.spec import SuiteCase

# Points of one case that are evaluated together. The bounds are the same whatever the number of
# workers, so the results are as well.
TASK_POINTS = 256
# Checks that are sent to a worker at once; a guess: few enough to share the work evenly, enough to
# hide the way there and back.
BATCH_CHECKS = 16


class Item(NamedTuple):
    """A finished check: its number in the run, its status, and its Record as a line of JSON; how
    long it took, which is no part of the record: that is the same from run to run.
    """

    position: int
    status: str
    line: str
    seconds: float = 0.0


@dataclass(frozen=True)
class Task:
    """Consecutive points of one case in one dtype on one device.

    Attributes:
        position: number of the first check in the run.
        formulas: whether the records are to have the formulas of derivatives.
    """

    case: SuiteCase
    dtype: str
    device: str
    start: int
    stop: int
    position: int
    formulas: bool = True

    def __len__(self) -> int:
        return self.stop - self.start

    @property
    def positions(self) -> range:
        """The numbers of its checks in the run."""
        return range(self.position, self.position + len(self))

    def rest(self, done: int) -> Task:
        """The task without its first `done` checks."""
        return replace(self, start=self.start + done, position=self.position + done)

    def one(self) -> Task:
        """The first check alone."""
        return replace(self, stop=self.start + 1)

    def alone(self) -> Task:
        """The task as it travels: of its case's points those that it is about."""
        if self.case.over is not None:
            return self
        points = self.case.points.excerpt(self.start, self.stop)
        return replace(self, case=replace(self.case, points=points))

    def question(self, same: Question | None = None) -> Question:
        """What is asked, at whatever point.

        Args:
            same: another question of the same program, whose scalars can be used.
        """
        case, over = self.case, self.case.over
        assert case.program is not None, "code is asked in a process of its own"
        question = question_of(
            case.program,
            case.points[self.start] if over is None else over.names,
            case.wrt,
            cotangent=case.cotangent,
            words=dict(case.given),
            order=case.order,
            jacobian=case.jacobian,
            claims=case.claims,
        )
        if same is None or question.held is not None:
            return question
        return replace(question, expansions=same.expansions)

    def batches(self, question: Question) -> Iterator[tuple[Batch, ...]]:
        """The points as batches, each in a group by itself.

        Raises:
            PointError: a point does not fit the dtype, when those before it have been given.
        """
        points = (self.case.points[i] for i in range(self.start, self.stop))
        return batches(question, points, [(DTYPES[self.dtype], self.device)])

    def check_id(self, offset: int) -> str:
        """The id of one check."""
        return check_id(self.case, self.dtype, self.device, self.start + offset)

    def command(self, offset: int) -> str:
        """The command that makes one check again as its suite says: with what is expected, its
        limits and a worker.
        """
        file = self.case.place.file
        if not file:  # no suite: what was asked for on the command line
            return shlex.join(("gradcheck", *self.case.again))
        name = self.check_id(offset).removeprefix(self.case.id)
        suite = "-" if file == STDIN else f"./{file}" if file.startswith("-") else file
        words = ("gradcheck", "run", suite, "-k", f"::{self.case.name}{name}", *self.case.again)
        return shlex.join(words)

    def state(self, record: Record, offset: int) -> None:
        """Put into a record what the suite says of a check."""
        place = self.case.place
        record["id"] = self.check_id(offset)
        if place.file:  # what no suite asks for has no place
            record["source"] = {"file": place.file, "line": place.line, "column": place.column}
        record["position"] = self.position + offset

    def item(self, record: Record, offset: int) -> Item:
        """The item of a check that was made, with what the suite says of it, and whether that is
        met: what is expected besides an outcome stands in the record already.
        """
        case = self.case
        alone = record["status"]  # what the command that checks the subject alone comes to
        self.state(record, offset)
        outcomes = case.expected.outcomes if case.expected is not None else ()
        record["expected"] = list(outcomes) or None
        status = status_of(record, strict=case.strict, outcomes=outcomes, xfail=case.xfail)
        record["status"] = status
        if case.xfail is not None:
            unforeseen = f"it passes, though the suite expects it to fail: {case.xfail}"
            record["reason"] = case.xfail if status is Status.XFAIL else unforeseen
        elif outcomes and record["outcome"] not in outcomes:
            wanted = " or ".join(outcomes)
            sentence = f"the outcome is {record['outcome']}, expected is {wanted}"
            record["unmet"] = [sentence, *record["unmet"]]
        shows = not record["unmet"] and status.exit_code == Status(alone).exit_code
        if not status.is_well and not shows:
            record["reproduce"] = self.command(offset)
        return Item(self.position + offset, str(status), line_of(record))

    def item_without_verdict(self, offset: int, outcome: Outcome, reason: str) -> Item:
        """The item of a check that was skipped or given up."""
        program, point = self.case.program, None
        if program is not None and self.case.over is None:
            one = self.rest(offset).one()
            # A number that the dtype cannot hold: there is no point to be shown.
            with suppress(PointError):
                ((batch,),) = one.batches(one.question())
                point = next(iter(batch))
        record = record_without_verdict(
            self.case.text,
            self.dtype,
            self.device,
            outcome,
            reason,
            point,
            strict=self.case.strict,
            written="" if program is None else program.written,
        )
        self.state(record, offset)
        if not outcome.status.is_well:
            record["reproduce"] = self.command(offset)
        return Item(self.position + offset, str(record["status"]), line_of(record))


def check_id(case: SuiteCase, dtype: str, device: str, point: int) -> str:
    """The id of one check: that of its case, and what tells it apart from the case's other checks,
    the point counted from 1.
    """
    dtypes, devices = {run[0] for run in case.runs}, {run[1] for run in case.runs}
    parts = (
        [dtype] * (len(dtypes) > 1)
        + [device.replace(":", "")] * (len(devices) > 1)
        + [str(point + 1)] * (case.checks(dtype) > 1)
    )
    return ":".join((case.id, *parts))


def fingerprint(task: Task, versions: str) -> str:
    """Fingerprint of everything a task's results depend on: the case and where it stands, its run,
    its points, its place in the run, what is wanted of it, the versions. Empty for code, which may
    be another by the next time.
    """
    program = task.case.program
    if program is None:
        return ""
    texts = (program.text, program.written) if program.written else program.text
    # The text stands for the program; the words that run a case again change nothing in it.
    case = replace(task.alone().case, program=texts, again=())  # type: ignore[arg-type]
    return sha256(repr((replace(task, case=case), versions)).encode()).hexdigest()[:32]


def parcels(tasks: Iterable[Task], size: int = BATCH_CHECKS) -> Iterator[list[Task]]:
    """Tasks in groups of about `size` checks; the dtypes and devices of a case stay together as far
    as they are few.
    """
    group: list[Task] = []
    weight = 0
    for task in tasks:
        # Code takes a process of its own, and that and a part of a sweep as long as many checks.
        is_long = task.case.code is not None or task.case.over is not None
        own = size if is_long else len(task)
        if (
            group
            and weight + own > size
            and (task.case is not group[-1].case or weight >= TASK_POINTS)
        ):
            yield group
            group, weight = [], 0
        group.append(task)
        weight += own
    if group:
        yield group
