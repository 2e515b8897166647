"""From the words of `check` to cases that can be run, every mistake in them found at once."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from itertools import islice
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar

from gradcheck_cli.language.errors import Mistake, PointError, UserError
from gradcheck_cli.memory import LOOK
from gradcheck_cli.questions.cells import read_questions
from gradcheck_cli.records.report import count_of_missing
from gradcheck_cli.symbolic.client import Analyst

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence, Sized

    from gradcheck_cli.checks.report import LiveReport
    from gradcheck_cli.checks.result import Result
    from gradcheck_cli.judge.evidence import Tolerance
    from gradcheck_cli.language.program import Program
    from gradcheck_cli.questions.batch import Batch, Point
    from gradcheck_cli.questions.cells import TextQuestion
    from gradcheck_cli.questions.question import Question
    from gradcheck_cli.settings.values import Settings
    from gradcheck_cli.witnesses.chain import Chain

T = TypeVar("T")
# So many points take no more than a second or two longer one by one than together.
ALONE = 256


@dataclass
class Ending:
    """How a run came out: what was finished, and why it is not all, if it is not."""

    results: list[Result] = field(default_factory=list)
    interrupted: bool = False
    given_up: bool = False
    exhausted: bool = False
    error: Exception | None = None


@dataclass
class Job:
    """Batches ready to run, and SymPy's process.

    Attributes:
        groups: batches of the same points, one for each dtype and device.
        chain: writes the chain rule down; None where that is not asked.
    """

    groups: Sequence[tuple[Batch, ...]]
    analyst: Analyst
    tolerance: Tolerance | None = None
    step: float | None = None
    modes: tuple[str, ...] = ()
    chain: Chain | None = None

    def __len__(self) -> int:
        return sum(len(batch) for group in self.groups for batch in group)

    def watched(
        self, take: Callable[[Result, int], bool], limit: float, exhausted: threading.Event
    ) -> Ending:
        """Run all cases in a thread, so that this one hears Ctrl-C and the clock while torch is
        inside a long call.

        Args:
            take: told each Result and how many there are; the run ends where it answers False.
            limit: seconds that one case may take.
            exhausted: ends the run when it is set: there is no more memory to be taken.
        """
        from gradcheck_cli.checks.check import check_batches, panel

        ended, done, lock = Ending(), threading.Event(), threading.Lock()

        def work() -> None:
            witnesses = panel(self.analyst, self.step, self.modes)
            try:
                for result in check_batches(self.groups, witnesses, self.tolerance, self.chain):
                    with lock:
                        if done.is_set():
                            return
                        ended.results.append(result)
                        if not take(result, len(ended.results)):
                            break
            except Exception as error:  # noqa: BLE001 - handed to the caller, who tells it
                ended.error = error
            done.set()

        threading.Thread(target=work, daemon=True).start()
        try:
            settled = settles(done, ended.results, limit, exhausted)
            ended.exhausted = not settled and exhausted.is_set()
            ended.given_up = not settled and not ended.exhausted
        except KeyboardInterrupt:
            ended.interrupted = True
        finally:
            with lock:  # nothing is added to the results from here on
                done.set()
            self.close()
        return ended

    def report(self, ended: Ending, command: Sequence[str], *, strict: bool) -> LiveReport:
        """The Report of what was run, and of what was not."""
        from gradcheck_cli.checks.report import report_of
        from gradcheck_cli.checks.reproduce import reproduce
        from gradcheck_cli.records.versions import versions

        missing = len(self) - len(ended.results)
        how = "interrupted" if ended.interrupted else "ended early"
        problem = f"{how}: {count_of_missing(missing, len(self), 'case')} not checked"
        if missing and len(self) > 1:
            first = next(islice(self._points(), len(ended.results), None))
            problem = f"{problem}; the first is {reproduce(first, strict=strict)}"
        return report_of(
            ended.results,
            strict=strict,
            command=command,
            environment=versions(),
            problems=[problem] if missing else [],
            interrupted=ended.interrupted,
            incomplete=ended.given_up or ended.exhausted or ended.error is not None,
        )

    def _points(self) -> Iterator[Point]:
        """All points in the order of the results."""
        for group in self.groups:
            for row in zip(*group, strict=True):
                yield from row

    def close(self) -> None:
        """End SymPy's process."""
        self.analyst.close()


def settles(
    done: threading.Event, results: Sized, limit: float, exhausted: threading.Event
) -> bool:
    """Whether the work ends with memory left, no result taking longer than `limit` seconds."""
    seen, since = 0, monotonic()
    while not done.wait(LOOK):
        if exhausted.is_set():
            return False
        if len(results) > seen:
            seen, since = len(results), monotonic()
        elif monotonic() - since > limit:
            return False
    return True


@dataclass
class _Collector:
    """Runs one reader after the other and keeps what each found wrong."""

    mistakes: list[Mistake] = field(default_factory=list)

    def read(self, reader: Callable[..., T], *args: Any) -> T | None:
        try:
            return reader(*args)
        except UserError as error:
            self.mistakes += error.mistakes
            return None


def prepare(text: str, settings: Settings) -> Job:
    """Everything that can be known before the first number is computed.

    Raises:
        UserError: with every mistake found in the program, the point and the options.
    """
    found = _Collector()
    given = {} if "at" in settings.unread else settings.at
    stated = found.read(read_questions, text, given) or ()
    found.mistakes += settings.mistakes
    analyst = Analyst()
    if stated:
        # SymPy takes 0.4 s to import: it starts now, in its process, while this one goes on.
        analyst.start()
    try:
        return _job(stated, settings, analyst, found)
    except BaseException:
        analyst.close()
        raise


def _job(
    stated: Sequence[TextQuestion], settings: Settings, analyst: Analyst, found: _Collector
) -> Job:
    from gradcheck_cli.checks.stated import stated_question
    from gradcheck_cli.judge.evidence import tolerance_of
    from gradcheck_cli.questions.devices import devices_of
    from gradcheck_cli.witnesses.chain import chain_of

    devices = found.read(devices_of, settings.device) or []
    readable = "at" not in settings.unread
    asked = [
        found.read(stated_question, each, settings, settings.at, settings.cotangent)
        for each in stated
        if readable
    ]
    if len(stated) == 1 and readable and not (settings.at or stated[0].at):
        _require_point(stated[0].program, settings, analyst, found.mistakes)
    questions = [question for question in asked if question is not None]
    if found.mistakes or not questions:
        raise PointError(found.mistakes)
    groups = [
        group
        for each, question in zip(stated, questions, strict=True)
        for group in _groups(each, question, settings, devices)
    ]
    tolerance = tolerance_of(settings.rtol, settings.atol)
    chain = chain_of(analyst, trace=settings.trace, every=settings.verbose)
    return Job(groups, analyst, tolerance, settings.step, settings.modes, chain)


def _groups(
    stated: TextQuestion, question: Question, settings: Settings, devices: Sequence[str]
) -> list[tuple[Batch, ...]]:
    """The batches of a question."""
    from gradcheck_cli.dtypes import DTYPES
    from gradcheck_cli.questions.batching import MOST_POINTS, batches
    from gradcheck_cli.questions.numbers import Grid
    from gradcheck_cli.questions.points import points_of

    at = stated.point(settings.at)
    grid = points_of(at, settings.seed, settings.draws)
    dtypes = stated.dtypes(settings.dtype, is_said="dtype" in settings.above)
    runs = [(DTYPES[dtype], device) for dtype in dtypes for device in devices]
    spell = [name for name, value in settings.at.items() if isinstance(value, Grid)]
    # Few points are looked at one by one, so that one that never ends takes none with it.
    most = 1 if len(grid) * len(runs) <= ALONE else MOST_POINTS
    return list(batches(question, grid, runs, spell, most))


def _require_point(
    program: Program, settings: Settings, analyst: Analyst, mistakes: Sequence[Mistake]
) -> None:
    """Nothing, if something else is wrong than that no input has a value.

    Raises:
        NoPointError: with formulas of the first derivatives.
    """
    if not mistakes or any(each.code != "missing-value" or each.instead for each in mistakes):
        return
    from gradcheck_cli.checks.unpointed import NoPointError, formula_lines

    is_plain = settings.order == 1 and not settings.jacobian and settings.cotangent is None
    formulas = formula_lines(program, settings.wrt, analyst) if is_plain else []
    raise NoPointError(mistakes, program, formulas)
