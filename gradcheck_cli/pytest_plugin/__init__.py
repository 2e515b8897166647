"""The pytest plugin: suites are collected as test files are, with one item for each case, dtype and
device; and functions that are marked as checks of themselves.

pytest imports this file in every run on the machine, so what only a suite needs is imported where a
suite is met. torch is not imported for suites: their checks are made in a worker process.
"""

from __future__ import annotations

from types import FunctionType
from typing import TYPE_CHECKING, Any

import pytest

from gradcheck_cli.pytest_plugin.failures import CaseFailure, CheckItem, Findings, ForeseenFailure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from gradcheck_cli.checks.report import LiveReport
    from gradcheck_cli.pytest_plugin.marked import MarkedItem
    from gradcheck_cli.records.record import Record
    from gradcheck_cli.runs.pool import Workers
    from gradcheck_cli.suites.spec import SuiteCase

# `PATTERNS` of `suites.files` without their stars; a test holds the two together.
SUITE_SUFFIXES = (".gradcheck.yaml", ".gradcheck.yml")
MARKER = "gradcheck"
# The key of pytest's own configuration for what the option `--allow-import` says.
ALLOWED = "gradcheck_allow_import"
_FAILING = ("error", "fail", "unverified")

_WORKERS = pytest.StashKey["Workers"]()
_DEVICES = pytest.StashKey[list[str]]()


def pytest_configure(config: pytest.Config) -> None:
    """Nothing; the marker is made known."""
    says = "a case of a gradcheck suite; with arguments, a function that is checked itself."
    _register(config, MARKER, says)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Nothing; what says which code suites may have imported is made known."""
    says = "package, FILE.py or FOLDER/ whose functions gradcheck suites may have imported"
    group = parser.getgroup("gradcheck")
    group.addoption("--allow-import", action="append", default=[], metavar="PKG", help=says)
    parser.addini(ALLOWED, says.replace("package", "packages"), type="args", default=[])


@pytest.fixture(scope="session", name="assert_gradient")
def _assert_gradient() -> Callable[..., LiveReport]:
    """`gradcheck_cli.assert_gradient`: fails with the report where a gradient is not right."""
    from gradcheck_cli.api import assert_gradient

    return assert_gradient


def pytest_pycollect_makeitem(
    collector: pytest.Collector, name: str, obj: object
) -> list[MarkedItem] | None:
    """Items for a function that is marked as a check of itself; None for all else."""
    if not isinstance(obj, FunctionType | staticmethod) or not collector.istestfunction(obj, name):  # type: ignore[attr-defined]  # collectors of Python have it
        return None
    function = obj.__func__ if isinstance(obj, staticmethod) else obj
    held = getattr(function, "pytestmark", ())
    marks = [mark for mark in held if mark.name == MARKER and (mark.args or mark.kwargs)]
    if not marks:
        return None
    from gradcheck_cli.pytest_plugin.marked import marked_items

    return marked_items(collector, name, marks)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> SuiteFile | None:
    """A collector for a suite, None for any other file."""
    is_suite = file_path.name.endswith(SUITE_SUFFIXES)
    return SuiteFile.from_parent(parent, path=file_path) if is_suite else None


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Nothing; the worker process is ended, if there is one."""
    workers = session.config.stash.get(_WORKERS, None)
    if workers is not None:
        workers.shutdown()
        del session.config.stash[_WORKERS]


class SuiteFile(pytest.File):
    """A suite."""

    def collect(self) -> Iterator[CaseItem]:
        """An item for each case, dtype and device.

        Raises:
            CollectError: with the mistakes in the file or in its configuration, and no traceback.
        """
        from gradcheck_cli.language.errors import UserError
        from gradcheck_cli.pytest_plugin.cases import allowed_by, item_name, read_cases

        # Named as `gradcheck run` names it when it is started in the same folder.
        start = self.config.invocation_params.dir
        try:
            cases = read_cases(self.path, start, lambda: _present(self.config))
            allowed = allowed_by(self.path) if any(case.imports for case in cases) else ()
        except UserError as error:
            raise self.CollectError(str(error)) from None
        taken: set[str] = set()
        for case in cases:
            for dtype, device in case.runs:
                name = item_name(case, dtype, device, taken)
                item = CaseItem.from_parent(self, name=name, case=case, dtype=dtype, device=device)
                item.allowed = allowed
                yield item


class CaseItem(CheckItem):
    """All points of one case in one dtype on one device.

    Attributes:
        allowed: what the project's configuration lets suites have imported.
    """

    allowed: tuple[str, ...] = ()

    def __init__(self, *, case: SuiteCase, dtype: str, device: str, **rest: Any) -> None:
        from gradcheck_cli.pytest_plugin.cases import marker_of

        super().__init__(**rest)
        self.case, self.dtype, self.device = case, dtype, device
        self.place = case.place.file, case.place.line
        self.user_properties += [("dtype", dtype), ("device", device)]
        for tag in (MARKER, *case.tags):
            self.add_marker(_register(self.config, marker_of(tag), "a tag of a gradcheck suite."))
        if case.skip is not None:
            self.add_marker(pytest.mark.skip(reason=case.skip))
            self._tell("skipped")
        if case.xfail is not None:
            xfail = pytest.mark.xfail(reason=case.xfail, raises=ForeseenFailure, strict=True)
            self.add_marker(xfail)

    def runtest(self) -> None:
        """Nothing, if every point is as the suite says.

        Raises:
            CaseFailure: with the points that are not.
            ForeseenFailure: every point fails, and the suite says so.
        """
        findings = Findings()
        for record in self._records():
            findings.add(record)
        self._tell(findings.outcome)
        statuses = set(findings.statuses)
        if self.case.xfail is not None and statuses == {"fail"}:
            return  # every point passes; of a case that is expected to fail pytest itself says so
        if not statuses.isdisjoint(_FAILING):
            raise CaseFailure(*findings.report(_FAILING))
        if "xfail" in statuses:
            raise ForeseenFailure(*findings.report(("xfail",)))

    def _records(self) -> Iterator[Record]:
        """The record of each point, in order.

        Raises:
            CaseFailure: no check can be made here.
        """
        import json

        from gradcheck_cli.runs.plan import Selection, plan
        from gradcheck_cli.runs.pool import StartError, check_batch
        from gradcheck_cli.runs.task import parcels

        self._require_allowed()
        absent = _absent(self.device, self.config)
        if absent:
            raise CaseFailure(absent, absent.splitlines()[0])
        workers = _workers(self.config)
        # The case keeps all its runs, so that its checks have the ids that `gradcheck run` gives
        # them.
        tasks = [
            task
            for task in plan([self.case], Selection()).tasks
            if (task.dtype, task.device) == (self.dtype, self.device)
        ]
        for batch in parcels(tasks):
            try:
                items = workers.submit(check_batch, batch, workers.limits).result()
            except StartError as error:
                raise CaseFailure(str(error), str(error)) from None
            yield from (json.loads(item.line) for item in items)

    def _require_allowed(self) -> None:
        """Nothing, if what the case imports may be imported.

        Raises:
            CaseFailure: it may not.
        """
        from gradcheck_cli.language.errors import UserError
        from gradcheck_cli.runs.allowing import require_allowed

        said = (*self.config.getini(ALLOWED), *self.config.getoption("allow_import"))
        try:
            require_allowed([self.case], (*self.allowed, *said))
        except UserError as error:
            raise CaseFailure(str(error), error.mistakes[0].message) from None

    def _tell(self, outcome: str) -> None:
        """Put the outcome among the properties, in the place of one from an earlier try."""
        others = [pair for pair in self.user_properties if pair[0] != "outcome"]
        self.user_properties = [("outcome", outcome), *others]

    def reportinfo(self) -> tuple[Path, int, str]:
        """Where the case stands; pytest counts lines from 0."""
        return self.path, self.case.place.line - 1, self.name


def _register(config: pytest.Config, marker: str, says: str) -> str:
    """The marker, known to pytest from now on."""
    line = f"{marker}: {says}"
    if line not in config.getini("markers"):
        config.addinivalue_line("markers", line)
    return marker


def _workers(config: pytest.Config) -> Workers:
    """The one worker process of this pytest process, started when it is first asked for."""
    if _WORKERS not in config.stash:
        from gradcheck_cli.memory import usable_memory
        from gradcheck_cli.runs.pool import Limits, Workers

        # Under xdist there are as many of us as it has workers.
        siblings = int(getattr(config, "workerinput", {}).get("workercount", 1))
        config.stash[_WORKERS] = Workers(Limits(memory=usable_memory() // siblings))
        config.stash[_WORKERS].start(1)
    return config.stash[_WORKERS]


def _present(config: pytest.Config) -> list[str]:
    """The devices of this machine; torch is asked in a process of its own, once."""
    if _DEVICES not in config.stash:
        import json

        from gradcheck_cli.processes import START_LIMIT, Child, Lost

        asked = Child("gradcheck_cli.runs.worker:devices")
        try:
            config.stash[_DEVICES] = json.loads(asked.next_message(START_LIMIT))
        except Lost:  # a torch that cannot even be asked is told of by the worker that imports it
            config.stash[_DEVICES] = ["cpu"]
        finally:
            asked.kill()
    return config.stash[_DEVICES]


def _absent(device: str, config: pytest.Config) -> str:
    """What is to be said of a device that is not there; nothing of one that is."""
    from gradcheck_cli.language.errors import Mistake

    if device == "cpu" or {"cuda": "cuda:0"}.get(device, device) in _present(config):
        return ""
    message, way_out = f"device `{device}` is not present", ", ".join(_present(config))
    return str(Mistake("absent-device", message, help=f"present: {way_out}"))
