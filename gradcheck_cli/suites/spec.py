"""What a suite asks for: cases as plain data that can be sent to another process."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gradcheck_cli.settings.readers import RETURNED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gradcheck_cli.judge.evidence import Tolerance
    from gradcheck_cli.language.program import Program
    from gradcheck_cli.questions.numbers import Nested
    from gradcheck_cli.questions.points import Excerpt, Points
    from gradcheck_cli.suites.expected import Expectation
    from gradcheck_cli.sweeps.asked import Sweep


@dataclass(frozen=True)
class Place:
    """Where something stands in a file; line and column count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True)
class Exclusion:
    """Runs that a matrix leaves out: these dtypes on these devices; where none is named, all."""

    dtypes: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()

    def covers(self, dtype: str, device: str) -> bool:
        """Whether it leaves out a run; `all` as the device of a run stands for devices that are not
        known yet, and is not covered by a name.
        """
        return (not self.dtypes or dtype in self.dtypes) and (
            not self.devices or any(_is(device, name) for name in self.devices)
        )


def _is(device: str, name: str) -> bool:
    """Whether a device is meant by a name: `cuda` means every CUDA device, and is the first one
    itself.
    """
    return (
        name in (device, "all")
        or (name == "cuda" and device.startswith("cuda"))
        or (name == "cuda:0" and device == "cuda")
    )


@dataclass(frozen=True)
class NamedFunction:
    """A call of a person's function, by its name.

    Attributes:
        object: `PKG.MOD:OBJ` or `FILE.py:OBJ`.
        place: where that stands.
        arguments: `NAME=VALUE` each, as `--arg` takes it.
    """

    object: str
    place: Place
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True)
class SuiteCase:
    """One case of a suite, with defaults, configuration and command line merged in.

    Attributes:
        id: `FILE::NAME`; the same in no other case of a run.
        program: None where `code` is checked, which is called at one point.
        wrt: the inputs to differentiate; of a program that was read never none.
        runs: (dtype, device) of each run, excluded ones left out; a device may be `all`. A case
            that the command line leaves no run keeps all of them and is skipped.
        excluded: what is to be left out once `all` is known to be these or those devices.
        skip, xfail: the reason, None where the case is neither.
        settings: what is said of the other settings, by their names.
        given: the words of them that a command that reproduces a check repeats.
        again: the words that a command that runs the case again repeats.
        over: what is swept; the case has no points then, and each part of a sweep is a check.
    """

    id: str
    place: Place
    program: Program | None
    points: Points | Excerpt
    wrt: tuple[str, ...] = ()
    cotangent: Nested | None = None
    runs: tuple[tuple[str, str], ...] = (("float64", "cpu"),)
    excluded: tuple[Exclusion, ...] = ()
    expected: Expectation | None = None
    tags: tuple[str, ...] = ()
    skip: str | None = None
    xfail: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    given: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    again: tuple[str, ...] = ()
    code: NamedFunction | None = None
    over: Sweep | None = None

    @property
    def text(self) -> str:
        """What is on trial: the program, or the name of the function."""
        if self.code is not None:
            return self.code.object
        assert self.program is not None, "a case has a program or a function"
        return self.program.text

    def checks(self, dtype: str) -> int:
        """How many checks a run in a dtype comes to."""
        if self.over is None:
            return len(self.points)
        return len(self.wrt) * len(self.over.parts(dtype))

    @property
    def imports(self) -> tuple[str, ...]:
        """The objects that a check of it imports."""
        if self.code is None:
            return ()
        others = (self.settings.get(name) for name in ("twin", "backward"))
        return (self.code.object, *(title for title in others if title not in (None, RETURNED)))

    @property
    def name(self) -> str:
        """What the case is called in its file."""
        return self.id.rpartition("::")[2]

    @property
    def tolerance(self) -> Tolerance | None:
        """The user's own, instead of the computed one."""
        from gradcheck_cli.judge.evidence import tolerance_of

        return tolerance_of(self.settings.get("rtol"), self.settings.get("atol"))

    @property
    def step(self) -> float | None:
        """The step of a plain central difference as the numeric opinion."""
        return self.settings.get("step")

    @property
    def modes(self) -> tuple[str, ...]:
        """Further ways of torch that are on trial."""
        return self.settings.get("modes") or ()

    @property
    def timeout(self) -> float | None:
        """Seconds for one check; None where nothing was said."""
        return self.settings.get("timeout")

    @property
    def order(self) -> int:
        """Of the derivatives, 1 or 2."""
        return int(self.settings.get("order") or 1)

    @property
    def jacobian(self) -> bool:
        """Whether every element of the value is differentiated by itself."""
        return bool(self.settings.get("jacobian"))

    @property
    def claims(self) -> tuple[str, ...]:
        """Derivatives that the user derived."""
        return self.settings.get("claim") or ()

    @property
    def strict(self) -> bool:
        """Whether `imprecise` and `kink` fail as well."""
        return bool(self.settings.get("strict"))


@dataclass(frozen=True)
class Suite:
    """A file that was read."""

    name: str
    file: str
    cases: tuple[SuiteCase, ...]
