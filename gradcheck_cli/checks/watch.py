"""From the words of `check` to cases that can be run, every mistake in them found at once."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar

from gradcheck_cli.language.errors import Mistake, PointError, UserError, did_you_mean
from gradcheck_cli.language.parse import parse
from gradcheck_cli.symbolic.client import Analyst

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from fractions import Fraction

    from gradcheck_cli.checks.report import LiveReport
    from gradcheck_cli.checks.result import Result
    from gradcheck_cli.judge.evidence import Tolerance
    from gradcheck_cli.questions.batch import Batch

T = TypeVar("T")
# So many points take no more than a second or two longer one by one than together.
ALONE = 256


@dataclass(frozen=True)
class Options:
    """What the user wrote, as text.

    Attributes:
        configured: settings of the configuration file, which a command that reproduces a case must
            not leave to it.
    """

    text: str
    at: tuple[str, ...] = ()
    wrt: str = ""
    dtype: str = "float64"
    device: str = "cpu"
    cotangent: str | None = None
    rtol: str | None = None
    atol: str | None = None
    step: str | None = None
    configured: tuple[str, ...] = ()


@dataclass
class Ending:
    """How a run came out: what was finished, and why it is not all, if it is not."""

    results: list[Result] = field(default_factory=list)
    interrupted: bool = False
    given_up: bool = False
    error: Exception | None = None


@dataclass
class Job:
    """Batches ready to run, and SymPy's process.

    Attributes:
        groups: batches of the same points, one for each dtype and device.
    """

    groups: Sequence[tuple[Batch, ...]]
    analyst: Analyst
    tolerance: Tolerance | None = None
    step: float | None = None

    def __len__(self) -> int:
        return sum(len(batch) for group in self.groups for batch in group)

    def watched(self, take: Callable[[Result, int], bool], limit: float) -> Ending:
        """Run all cases in a thread, so that this one hears Ctrl-C and the clock while torch is
        inside a long call.

        Args:
            take: told each Result and how many there are; the run ends where it answers False.
            limit: seconds that one case may take.
        """
        from gradcheck_cli.checks.check import check_batches, panel

        ended, done, lock = Ending(), threading.Event(), threading.Lock()

        def work() -> None:
            witnesses = panel(self.analyst, self.step)
            try:
                for result in check_batches(self.groups, witnesses, self.tolerance):
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
            ended.given_up = not _settles(done, ended.results, limit)
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
        from gradcheck_cli.records.versions import versions

        missing = len(self) - len(ended.results)
        problems = (
            [
                f"{'interrupted' if ended.interrupted else 'ended early'}: {missing} of {len(self)} cases were not checked"
            ]
            if missing
            else []
        )
        return report_of(
            ended.results,
            strict=strict,
            command=command,
            environment=versions(),
            problems=problems,
            interrupted=ended.interrupted,
        )

    def close(self) -> None:
        """End SymPy's process."""
        self.analyst.close()


def _settles(done: threading.Event, results: Sequence[Result], limit: float) -> bool:
    """Whether the work ends with no case taking longer than `limit` seconds."""
    seen, since = 0, monotonic()
    while not done.wait(0.2):
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


def prepare(options: Options) -> Job:
    """Everything that can be known before the first number is computed.

    Raises:
        UserError: with every mistake found in the program, the point and the options.
    """
    found = _Collector()
    program = found.read(parse, options.text)
    analyst = Analyst()
    if program is not None:
        # SymPy takes 0.4 s to import: it starts now, in its process, while this one goes on.
        analyst.start()
    try:
        return _job(options, program, analyst, found)
    except BaseException:
        analyst.close()
        raise


def _job(options: Options, program: Any, analyst: Analyst, found: _Collector) -> Job:
    from gradcheck_cli.dtypes import DTYPES
    from gradcheck_cli.judge.evidence import Tolerance
    from gradcheck_cli.questions.batch import MOST_POINTS, batches
    from gradcheck_cli.questions.numbers import Grid, read_points
    from gradcheck_cli.questions.points import points_of
    from gradcheck_cli.questions.question import question_of

    points = found.read(read_points, options.at)
    weights = None if options.cotangent is None else found.read(_cotangent, options.cotangent)
    numbers = {
        name: found.read(_positive, name, value)
        for name in ("rtol", "atol", "step")
        if (value := getattr(options, name)) is not None
    }
    devices = found.read(devices_of, options.device)
    dtypes = found.read(_dtypes, options.dtype)
    wrt = [name.strip() for name in options.wrt.split(",") if name.strip()]
    question = None
    if program is not None and points is not None:
        question = found.read(question_of, program, points, wrt)
    if found.mistakes or question is None or points is None or devices is None or dtypes is None:
        raise PointError(found.mistakes)
    given = {
        name: value
        for name in ("rtol", "atol", "step")
        if (value := getattr(options, name)) is not None
    }
    given |= {
        name: str(getattr(options, name))
        for name in ("dtype", "device", "wrt")
        if name in options.configured
    }
    question = replace(question, cotangent=weights, words=given)
    grid = points_of(points)
    runs = [(DTYPES[dtype], device) for dtype in dtypes for device in devices]
    spell = [name for name, value in points.items() if isinstance(value, Grid)]
    # Few points are looked at one by one, so that one that never ends takes none with it.
    most = 1 if len(grid) * len(runs) <= ALONE else MOST_POINTS
    groups = list(batches(question, grid, runs, spell, most))
    tolerance = (
        Tolerance(numbers.get("rtol") or 0.0, numbers.get("atol") or 0.0)
        if "rtol" in numbers or "atol" in numbers
        else None
    )
    return Job(groups, analyst, tolerance, numbers.get("step"))


def _dtypes(text: str) -> list[str]:
    from gradcheck_cli.dtypes import DTYPES

    names = [name.strip() for name in text.split(",") if name.strip()]
    bad = [name for name in names if name not in DTYPES]
    if bad or not names:
        raise PointError(
            [
                Mistake(
                    "unknown-dtype",
                    f"no dtype named `{name}`",
                    help=did_you_mean(name, DTYPES) or f"known: {', '.join(DTYPES)}",
                )
                for name in bad or [text]
            ]
        )
    return list(dict.fromkeys(names))


def _cotangent(text: str) -> Any:
    from gradcheck_cli.questions.numbers import Grid, read_value

    value = read_value(text)
    if isinstance(value, Grid):
        raise PointError(
            [Mistake("bad-number", "a cotangent is a number or a nested list, not a grid", text)]
        )
    return value


def _positive(name: str, text: str) -> float:
    from gradcheck_cli.questions.numbers import Exact, read_value

    wanted = f"--{name} takes a number that is {'positive' if name == 'step' else 'not negative'}, and got `{text}`"
    try:
        value = read_value(text)
    except UserError as error:
        raise PointError([Mistake("bad-number", wanted)]) from error
    if not isinstance(value, Exact) or value.value < 0 or (name == "step" and value.value == 0):
        raise PointError([Mistake("bad-number", wanted)])
    return _float(name, value.value)


def _float(name: str, value: Fraction) -> float:
    from gradcheck_cli.dtypes import DTYPES

    rounded = DTYPES["float64"].round(value)
    if rounded in (0.0, float("inf")) and value != 0:
        raise PointError([Mistake("out-of-range", f"--{name} is beyond what a float64 holds")])
    return rounded


def devices_of(text: str) -> list[str]:
    """The devices asked for, those of an accelerator only if they are there."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    if names == ["cpu"]:
        return names
    import torch

    present = [
        "cpu",
        *(
            f"cuda:{i}"
            for i in range(torch.cuda.device_count() if torch.cuda.is_available() else 0)
        ),
    ]
    if names == ["all"]:
        return present
    aliases = {"cuda": "cuda:0"}
    bad = [name for name in names if aliases.get(name, name) not in present]
    if bad or not names:
        raise PointError([_absent(name, present) for name in bad or [text]])
    return list(dict.fromkeys(names))


def _absent(name: str, present: list[str]) -> Mistake:
    if name.partition(":")[0] == "cuda":
        return Mistake(
            "absent-device",
            f"device `{name}` is not present",
            help=f"present: {', '.join(present)}",
        )
    return Mistake(
        "unknown-device", f"no device named `{name}`", help="known: cpu, cuda, cuda:N, all"
    )
