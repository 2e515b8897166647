"""Workers on this machine: an executor whose tasks cannot harm each other.

A check that hangs, exhausts memory or ends its interpreter costs itself: its worker is killed, its
item says why, and the rest of its batch goes to a new worker. Executors of the standard library
lose the whole pool when one process dies, and cannot end a task.
"""

from __future__ import annotations

import pickle
import threading
from concurrent.futures import Executor, Future
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby
from queue import SimpleQueue
from time import monotonic
from typing import TYPE_CHECKING, Any

from gradcheck_cli.processes import DONE, START_LIMIT, Child, Lost
from gradcheck_cli.records.outcome import Outcome
from gradcheck_cli.runs.of_code import item_of_code

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gradcheck_cli.runs.task import Item, Task

# A guess: the slowest check that came to an end, 1,600 partials of a matrix product, took 12 s;
# torch's polygamma(2, -1e15) never does.
CHECK_LIMIT = 120.0
# After this many checks of one task have ended their worker the same way, the rest of it is given
# up.
GIVE_UP = 3


class StartError(RuntimeError):
    """No worker can be started here."""


class BatchAnswer(Future["list[Item]"]):
    """The items of a batch, some time; `received` are those that have come already."""

    def __init__(self) -> None:
        super().__init__()
        self.received: list[Item] = []


@dataclass(frozen=True)
class Limits:
    """What one check may take: seconds, unless its case says otherwise, and bytes of memory (None
    for any amount).
    """

    seconds: float = CHECK_LIMIT
    memory: int | None = None


class Workers(Executor):
    """As many worker processes as asked for, each with a thread that feeds it, watches it and
    starts the next when it ends.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._waiting: SimpleQueue[tuple[BatchAnswer, Sequence[Task]] | None] = SimpleQueue()
        self._keepers: list[_Keeper] = []

    def start(self, count: int) -> None:
        """Have this many workers; the first tasks need not wait for the last worker."""
        while len(self._keepers) < count:
            keeper = _Keeper(self._waiting, self.limits)
            self._keepers.append(keeper)
            keeper.start()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[list[Item]]:  # type: ignore[override]  # what is run here is a batch of tasks
        """The items of a batch, some time: `submit(check_batch, tasks, limits)`. The limits are
        those of these workers.
        """
        if fn is not check_batch:
            raise TypeError(f"workers check batches of tasks and run nothing else, such as {fn!r}")
        future = BatchAnswer()
        self._waiting.put((future, args[0]))
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Kill the workers; what they hold is lost."""
        for keeper in self._keepers:
            keeper.stop()


_own = threading.local()


def check_batch(tasks: Sequence[Task], limits: Limits) -> list[Item]:
    """The items of a batch, checked in a worker process that belongs to the calling thread.

    This is what a cluster runs in its own workers. They start no process for it twice, and nothing
    that a check does can harm them.
    """
    if getattr(_own, "limits", None) != limits:
        _own.workers, _own.limits = Workers(limits), limits
        _own.workers.start(1)
    items: list[Item] = _own.workers.submit(check_batch, tasks, limits).result()
    return items


class _Keeper(threading.Thread):
    """Feeds one worker process."""

    def __init__(self, waiting: SimpleQueue[Any], limits: Limits) -> None:
        super().__init__(daemon=True)
        self.limits, self._waiting = limits, waiting
        self._worker: Child | None = None
        self._of_code: Child | None = None
        self._stopped = False
        self._since = 0.0  # when the check that is under way began

    def run(self) -> None:
        """Take batches until there are none."""
        with suppress(StartError, OSError):
            self._ready()  # ahead of the first batch; if it fails, the batch will tell
        while (job := self._waiting.get()) is not None:
            future, tasks = job
            if not future.set_running_or_notify_cancel():
                continue
            try:
                self._batch(list(tasks), future.received)
                future.set_result(future.received)
            except Exception as error:  # noqa: BLE001 - told by whoever waits for the result
                if not self._stopped:
                    future.set_exception(error)

    def stop(self) -> None:
        """Kill the worker."""
        self._stopped = True
        self._waiting.put(None)
        for child in (self._worker, self._of_code):
            if child is not None:
                child.kill()

    def _ready(self) -> Child:
        """The worker, once it has imported torch.

        Raises:
            StartError: it never does.
        """
        if self._worker is None or self._worker.ended:
            self._worker = Child("gradcheck_cli.runs.worker:items")
            if self._stopped:
                self._worker.kill()
            try:
                self._worker.next_message(START_LIMIT)
            except Lost as lost:
                self._worker.kill()
                raise StartError(f"a worker process could not be started: it has {lost}") from lost
        return self._worker

    def _batch(self, tasks: list[Task], items: list[Item]) -> None:
        """Check some tasks; `items` gains what comes of each check when it is there."""
        for is_code, group in groupby(tasks, lambda task: task.case.code is not None):
            if not is_code:
                self._programs(list(group), items)
                continue
            for task in group:
                self._since = monotonic()
                limit = _limit([task], 0, self.limits)
                item = item_of_code(task, limit, self.limits.memory, self._hold)
                if self._stopped:
                    raise Lost("been stopped")
                items.append(self._timed(item))

    def _hold(self, child: Child) -> None:
        """Be ready to end a process in which code runs."""
        self._of_code = child
        if self._stopped:
            child.kill()

    def _programs(self, tasks: list[Task], items: list[Item]) -> None:
        while tasks:
            before = len(items)
            failure = self._sent(tasks, items)
            tasks = _without(tasks, len(items) - before)
            if failure is not None and tasks:
                tasks = self._isolated(tasks, failure, items)

    def _sent(self, tasks: list[Task], items: list[Item]) -> str | None:
        """Why not all items came back; None if they did."""
        worker, before = self._ready(), len(items)
        worker.send(pickle.dumps(tasks))
        self._since = monotonic()
        while True:
            limit = _limit(tasks, len(items) - before, self.limits)
            try:
                answer = worker.next_message(limit, self.limits.memory)
            except Lost as lost:
                if self._stopped:
                    raise
                return str(lost)
            if answer == DONE:
                return None
            items.append(self._timed(pickle.loads(answer)))  # noqa: S301 - it is our own worker's

    def _timed(self, item: Item) -> Item:
        """An item with the time since the one before it."""
        begun, self._since = self._since, monotonic()
        return item._replace(seconds=self._since - begun)

    def _isolated(self, tasks: list[Task], failure: str, items: list[Item]) -> list[Task]:
        """What is still to be done after a worker has ended, and that is said of its check: the
        points of a chunk go on one by one.
        """
        first, rest, before = tasks[0], tasks[1:], len(items)
        if len(first) == 1:
            items.append(self._timed(_ended(first, failure)))
            return rest
        failed = 0
        while len(items) - before < len(first):
            one = first.rest(len(items) - before).one()
            if failed == GIVE_UP:
                items.append(
                    one.item_without_verdict(
                        0,
                        Outcome.ERROR,
                        f"not checked: {GIVE_UP} checks of this case have {failure}",
                    )
                )
                continue
            known = len(items)
            failure_of_one = self._sent([one], items)
            failed += failure_of_one is not None
            failure = failure_of_one or failure
            if len(items) == known:
                items.append(self._timed(_ended(one, failure)))
        return rest


def _ended(task: Task, failure: str) -> Item:
    return task.item_without_verdict(0, Outcome.ERROR, f"the check has {failure}")


def _without(tasks: list[Task], done: int) -> list[Task]:
    """The tasks less their first `done` checks."""
    while tasks and done >= len(tasks[0]):
        done -= len(tasks[0])
        tasks = tasks[1:]
    return [tasks[0].rest(done), *tasks[1:]] if tasks and done else tasks


def _limit(tasks: list[Task], done: int, limits: Limits) -> float:
    """Seconds for the next answer: those of the check that is under way."""
    rest = _without(tasks, done)
    own = rest[0].case.timeout if rest else None
    return limits.seconds if own is None else own
