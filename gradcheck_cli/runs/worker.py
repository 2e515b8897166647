"""The worker process: it takes batches of tasks from its parent and sends each finished check back
at once.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from multiprocessing.connection import Connection
from traceback import format_exception_only
from typing import TYPE_CHECKING, Any

from gradcheck_cli.checks.record import record_of
from gradcheck_cli.language.errors import UserError
from gradcheck_cli.records.record import line_of
from gradcheck_cli.records.status import status_of
from gradcheck_cli.runs.task import Item
from gradcheck_cli.symbolic.client import Analyst
from gradcheck_cli.witnesses.analytic import ask

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gradcheck_cli.checks.result import Result
    from gradcheck_cli.questions.question import Case, Question
    from gradcheck_cli.runs.task import Task

# Programs whose derivatives are kept: the tasks of one case follow each other closely.
REMEMBERED = 32


def serve() -> None:
    """Answer batches from stdin until it ends."""
    from gradcheck_cli.processes import die_with_parent

    die_with_parent()
    # Results have stdout to themselves: whatever a library prints goes to stderr.
    answers, questions = (
        Connection(os.dup(1), readable=False),
        Connection(os.dup(0), writable=False),
    )
    os.dup2(2, 1)
    desk = Desk()
    desk.prepare()
    answers.send("ready")
    try:
        while True:
            for item in desk.checked(questions.recv()):
                answers.send(item)
            answers.send("done")
    except (EOFError, OSError):
        desk.close()


class Desk:
    """Checks tasks one after the other; what is derived of a program is kept for its other points,
    dtypes and devices.
    """

    def __init__(self) -> None:
        self.analyst = Analyst()
        self._questions: OrderedDict[str, Question] = OrderedDict()

    def prepare(self) -> None:
        """Import what takes long, before any clock runs."""
        self.analyst.start()
        import torch

        # The same sums whatever the number of workers, and no more threads than cores.
        torch.set_num_threads(1)

    def checked(self, tasks: Sequence[Task]) -> Iterator[Item]:
        """An Item for each check, in order, as soon as it is there."""
        for task in tasks:
            # SymPy goes to work on the whole batch while the first task is looked at.
            for case in self._cases(task.one())[0]:
                ask(case, self.analyst)
        for task in tasks:
            yield from self._task(task)

    def _task(self, task: Task) -> Iterator[Item]:
        """The checks of one task, those that cannot be made among them."""
        from gradcheck_cli.checks.check import check_cases

        cases, misfit = self._cases(task)
        done = 0
        try:
            for result in check_cases(cases, self.analyst, task.case.tolerance, task.case.step):
                yield _item(task, done, result)
                done += 1
        except Exception as error:  # noqa: BLE001 - a defect of ours costs this check, no other
            misfit = f"a defect of gradcheck: {format_exception_only(error)[-1].strip()}"
        if done < len(task):
            yield task.unchecked(done, "error", misfit)
        if done + 1 < len(task):
            yield from self._task(task.rest(done + 1))

    def _cases(self, task: Task) -> tuple[list[Case], str]:
        """The cases up to the first whose point does not fit the dtype, and what is wrong with
        that.
        """
        cases: list[Case] = []
        try:
            cases.extend(task.cases(self._question(task)))
        except UserError as error:
            return cases, str(error).splitlines()[0]
        return cases, ""

    def _question(self, task: Task) -> Question:
        """What a task asks; kept by what it says, not by its case's id: a cluster's workers see
        suites come and go.
        """
        known, case = self._questions, task.case
        key = repr((case.program.text, case.wrt, case.cotangent, case.given))
        if key not in known:
            known[key] = task.question()
            # Another case may ask something else of the same program.
            same = next(
                (
                    question
                    for question in known.values()
                    if question.program.text == case.program.text
                ),
                known[key],
            )
            known[key].unrolled = same.unrolled
        known.move_to_end(key)
        while len(known) > REMEMBERED:
            known.popitem(last=False)
        return known[key]

    def close(self) -> None:
        """End SymPy's process."""
        self.analyst.close()


def _item(task: Task, offset: int, result: Result) -> Item:
    """A result with what the suite says of its case, and whether that is met."""
    case = task.case
    record: dict[str, Any] = record_of(result, strict=case.strict) | task.stated(offset)
    outcomes = case.expected.outcomes if case.expected is not None else ()
    record["expected"] = list(outcomes) or None
    record["unmet"] = case.expected.unmet(result) if case.expected is not None else []
    record["status"] = status_of(record, strict=case.strict, outcomes=outcomes, xfail=case.xfail)
    if case.xfail is not None:
        record["reason"] = (
            case.xfail
            if record["status"] == "xfail"
            else f"it passes, though the suite expects it to fail: {case.xfail}"
        )
    elif outcomes and record["outcome"] not in outcomes:
        record["unmet"] = [
            f"the outcome is {record['outcome']}, expected is {' or '.join(outcomes)}",
            *record["unmet"],
        ]
    return Item(record["position"], record["status"], line_of(record))
