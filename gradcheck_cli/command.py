"""From the words of `check` to cases that can be run, every mistake in them found at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from gradcheck_cli.language.errors import Mistake, PointError, UserError, did_you_mean
from gradcheck_cli.language.parse import parse
from gradcheck_cli.witnesses.process import Analyst

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from fractions import Fraction

    from gradcheck_cli.case import Case
    from gradcheck_cli.judge.evidence import Tolerance
    from gradcheck_cli.suite.report import Report, Result

T = TypeVar("T")


@dataclass(frozen=True)
class Options:
    """What the user wrote, as text."""

    text: str
    at: tuple[str, ...] = ()
    wrt: str = ""
    dtype: str = "float64"
    device: str = "cpu"
    cotangent: str | None = None
    rtol: str | None = None
    atol: str | None = None
    step: str | None = None


@dataclass
class Job:
    """Cases ready to run, and SymPy's process."""

    cases: Sequence[Case]
    analyst: Analyst
    tolerance: Tolerance | None = None
    step: float | None = None

    def results(self) -> Iterator[Result]:
        """A Result for each case, as soon as it is there."""
        from gradcheck_cli.suite.check import check_cases

        return check_cases(self.cases, self.analyst, self.tolerance, self.step)

    def report(self, results: Sequence[Result], command: Sequence[str], *, strict: bool, interrupted: bool) -> Report:
        """The Report of what was run, and of what was not."""
        from gradcheck_cli.environment import versions
        from gradcheck_cli.suite.report import Report

        missing = len(self.cases) - len(results)
        problems = [f"{'interrupted' if interrupted else 'ended early'}: {missing} of {len(self.cases)} cases were not checked"] if missing else []
        return Report(results, command, versions(), strict, problems, interrupted)

    def close(self) -> None:
        """End SymPy's process."""
        self.analyst.close()


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
    from gradcheck_cli.case import Request, cases_of, differentiated_inputs
    from gradcheck_cli.judge.evidence import Tolerance
    from gradcheck_cli.point import read_points

    points = found.read(read_points, options.at)
    weights = None if options.cotangent is None else found.read(_cotangent, options.cotangent)
    numbers = {name: found.read(_positive, name, value) for name in ("rtol", "atol", "step") if (value := getattr(options, name)) is not None}
    devices = found.read(_devices, options.device)
    dtypes = found.read(_dtypes, options.dtype)
    wrt = [name.strip() for name in options.wrt.split(",") if name.strip()]
    if program is not None and points is not None:
        found.read(differentiated_inputs, Request(program, points, wrt))
    if found.mistakes or program is None or points is None or devices is None or dtypes is None:
        raise PointError(found.mistakes)
    given = {name: value for name in ("rtol", "atol", "step") if (value := getattr(options, name)) is not None}
    cases = cases_of(Request(program, points, wrt, weights, dtypes, devices, given))
    tolerance = Tolerance(numbers.get("rtol") or 0.0, numbers.get("atol") or 0.0) if "rtol" in numbers or "atol" in numbers else None
    return Job(cases, analyst, tolerance, numbers.get("step"))


def _dtypes(text: str) -> list[str]:
    from gradcheck_cli.dtypes import DTYPES

    names = [name.strip() for name in text.split(",") if name.strip()]
    bad = [name for name in names if name not in DTYPES]
    if bad or not names:
        raise PointError(
            [Mistake("unknown-dtype", f"no dtype named `{name}`", help=did_you_mean(name, DTYPES) or f"known: {', '.join(DTYPES)}") for name in bad or [text]]
        )
    return list(dict.fromkeys(names))


def _cotangent(text: str) -> Any:
    from gradcheck_cli.point import Grid, read_value

    value = read_value(text)
    if isinstance(value, Grid):
        raise PointError([Mistake("bad-number", "a cotangent is a number or a nested list, not a grid", text)])
    return value


def _positive(name: str, text: str) -> float:
    from gradcheck_cli.point import Exact, read_value

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


def _devices(text: str) -> list[str]:
    """The devices asked for, those of an accelerator only if they are there."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    if names == ["cpu"]:
        return names
    import torch

    present = ["cpu", *(f"cuda:{i}" for i in range(torch.cuda.device_count() if torch.cuda.is_available() else 0))]
    if names == ["all"]:
        return present
    aliases = {"cuda": "cuda:0"}
    bad = [name for name in names if aliases.get(name, name) not in present]
    if bad or not names:
        raise PointError([_absent(name, present) for name in bad or [text]])
    return list(dict.fromkeys(names))


def _absent(name: str, present: list[str]) -> Mistake:
    if name.partition(":")[0] == "cuda":
        return Mistake("absent-device", f"device `{name}` is not present", help=f"present: {', '.join(present)}")
    return Mistake("unknown-device", f"no device named `{name}`", help="known: cpu, cuda, cuda:N, all")
