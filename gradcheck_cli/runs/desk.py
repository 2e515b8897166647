"""The desk of a worker: it checks tasks one after the other."""

from __future__ import annotations

import gc
from collections import OrderedDict
from dataclasses import replace
from traceback import format_exception_only
from typing import TYPE_CHECKING, NamedTuple

from gradcheck_cli.checks.record import record_of
from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.language.errors import UserError
from gradcheck_cli.records.outcome import Outcome
from gradcheck_cli.sweeps.asked import SweepQuestion
from gradcheck_cli.symbolic.client import Analyst
from gradcheck_cli.witnesses.analytic import Analytic

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gradcheck_cli.checks.result import Result
    from gradcheck_cli.questions.batch import Batch
    from gradcheck_cli.questions.question import Question
    from gradcheck_cli.runs.task import Item, Task
    from gradcheck_cli.sweeps.asked import Sweep

# Programs whose derivatives are kept: the tasks of one case follow each other closely.
REMEMBERED = 32
# Objects that a worker makes between two looks of the garbage collector: some 10 MB.
_GARBAGE = 50_000


class _Groups(NamedTuple):
    """The batches up to the first point that does not fit the dtype, and why it does not."""

    batches: list[tuple[Batch, ...]]
    misfit: str = ""


class Desk:
    """Checks tasks; what is derived of a program is kept for its other points and dtypes."""

    def __init__(self) -> None:
        self.analyst = Analyst()
        self._questions: OrderedDict[str, Question] = OrderedDict()

    def prepare(self) -> None:
        """Import what takes long, before any clock runs."""
        self.analyst.start()
        gc.disable()
        import torch

        import gradcheck_cli.checks.check  # noqa: F401 - imported for the checks to come

        # The collector never looks at what was imported, and seldom at what a check leaves.
        gc.freeze()
        gc.set_threshold(_GARBAGE)
        gc.enable()
        # The same sums whatever the number of workers, and no more threads than cores.
        torch.set_num_threads(1)

    def check(self, tasks: Sequence[Task]) -> Iterator[Item]:
        """An Item for each check, in order, as soon as it is there."""
        first: list[_Groups] = []
        for task in tasks:
            if task.case.over is not None:
                first.append(_Groups([], ""))
                continue
            analytic = Analytic(self.analyst, formulas=task.formulas)
            first.append(self._groups(task.one()))
            # SymPy goes to work on all of them while the first is looked at.
            for group in first[-1].batches:
                for part in group[0].parts:
                    analytic.prepare(part)
        for task, groups in zip(tasks, first, strict=True):
            yield from self._check_task(task, groups if len(task) == 1 else self._groups(task))

    def _check_task(self, task: Task, groups: _Groups) -> Iterator[Item]:
        """The checks of one task, those that cannot be made among them."""
        from gradcheck_cli.checks.check import check_batches, panel

        if task.case.over is not None:
            yield from self._sweep(task, task.case.over)
            return
        batches, misfit = groups
        done = 0
        try:
            case, formulas = task.case, task.formulas
            witnesses = panel(self.analyst, case.step, case.modes, formulas=formulas)
            for result in check_batches(batches, witnesses, case.tolerance):
                yield _item(task, done, result)
                done += 1
        except Exception as error:  # noqa: BLE001 - a defect of ours costs this check, no other
            misfit = f"a defect of gradcheck: {format_exception_only(error)[-1].strip()}"
        if done < len(task):
            yield task.item_without_verdict(done, Outcome.ERROR, misfit)
        if done + 1 < len(task):
            rest = task.rest(done + 1)
            yield from self._check_task(rest, self._groups(rest))

    def _sweep(self, task: Task, sweep: Sweep) -> Iterator[Item]:
        """The parts of a sweep."""
        from gradcheck_cli.sweeps.part import record_of_part, swept

        dtype, parts = DTYPES[task.dtype], sweep.parts(task.dtype)
        for offset in range(len(task)):
            try:
                # One partial after the other.
                number, place = divmod(task.start + offset, len(parts))
                by_one = replace(task.case, wrt=task.case.wrt[number : number + 1])
                question = self._question(replace(task, case=by_one))
                asked = SweepQuestion(question, sweep, dtype, task.device)
                asked.require_sweepable()
                start, stop = parts[place]
                part = swept(asked, start, stop, self.analyst)
                record = record_of_part(part, self.analyst, strict=task.case.strict)
                yield task.item(record, offset)
            except UserError as error:
                reason = str(error).splitlines()[0]
                yield task.item_without_verdict(offset, Outcome.ERROR, reason)
            except Exception as error:  # noqa: BLE001 - as above
                defect = format_exception_only(error)[-1].strip()
                reason = f"a defect of gradcheck: {defect}"
                yield task.item_without_verdict(offset, Outcome.ERROR, reason)

    def _groups(self, task: Task) -> _Groups:
        groups: list[tuple[Batch, ...]] = []
        try:
            groups.extend(task.batches(self._question(task)))
        except UserError as error:
            return _Groups(groups, str(error).splitlines()[0])
        return _Groups(groups)

    def _question(self, task: Task) -> Question:
        """What a task asks; kept by what it says, not by its case's id: a cluster's workers see
        suites come and go.
        """
        known, case = self._questions, task.case
        over = case.over and case.over.names
        key = repr((case.text, case.wrt, case.cotangent, case.given, over))
        if key not in known:
            # Another case may ask something else of the same program.
            text = case.text
            same = (q for q in known.values() if q.specification.text == text and q.held is None)
            known[key] = task.question(next(same, None))
        known.move_to_end(key)
        while len(known) > REMEMBERED:
            known.popitem(last=False)
        return known[key]

    def close(self) -> None:
        """End SymPy's process."""
        self.analyst.close()


def _item(task: Task, offset: int, result: Result) -> Item:
    """A result with what the suite says of its case, and whether that is met."""
    expected = task.case.expected
    record = record_of(result, strict=task.case.strict)
    record["unmet"] = expected.unmet(result) if expected is not None else []
    return task.item(record, offset)
