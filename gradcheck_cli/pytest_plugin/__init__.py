"""The pytest plugin: suites are collected as test files are, with one item for each case, dtype and
device.

pytest imports this file in every run on the machine, so what only a suite needs is imported where a
suite is met. torch never is: checks are made in a worker process.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gradcheck_cli.records.record import Record
    from gradcheck_cli.runs.pool import Workers
    from gradcheck_cli.suites.spec import SuiteCase

# `PATTERNS` of `suites.files` without their stars; a test holds the two together.
SUITE_SUFFIXES = (".gradcheck.yaml", ".gradcheck.yml")
MARKER = "gradcheck"
# Failing points of one item that are shown; a guess at what a reader still reads. The rest is
# counted.
MAX_SHOWN = 10
_FAILING = ("error", "fail", "unverified")

_WORKERS = pytest.StashKey["Workers"]()
_DEVICES = pytest.StashKey[list[str]]()


class CaseFailure(Exception):
    """A case is not as its suite says; `headline` is what the summary has room for."""

    def __init__(self, text: str, headline: str) -> None:
        super().__init__(text)
        self.headline = headline


class ForeseenFailure(CaseFailure):
    """A case fails that the suite expects to fail."""


def pytest_configure(config: pytest.Config) -> None:
    """Nothing; the marker is made known."""
    _register(config, MARKER, "a case of a gradcheck suite.")


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
        from gradcheck_cli.pytest_plugin.cases import item_name, read_cases

        # Named as `gradcheck run` names it when it is started in the same folder.
        start = self.config.invocation_params.dir
        try:
            cases = read_cases(self.path, start, lambda: _present(self.config))
        except UserError as error:
            raise self.CollectError(str(error)) from None
        taken: set[str] = set()
        for case in cases:
            for dtype, device in case.runs:
                name = item_name(case, dtype, device, taken)
                yield CaseItem.from_parent(self, name=name, case=case, dtype=dtype, device=device)


class CaseItem(pytest.Item):
    """All points of one case in one dtype on one device."""

    def __init__(self, *, case: SuiteCase, dtype: str, device: str, **rest: Any) -> None:
        from gradcheck_cli.pytest_plugin.cases import marker_of

        super().__init__(**rest)
        self.case, self.dtype, self.device = case, dtype, device
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
        findings = _Findings()
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

    def _tell(self, outcome: str) -> None:
        """Put the outcome among the properties, in the place of one from an earlier try."""
        others = [pair for pair in self.user_properties if pair[0] != "outcome"]
        self.user_properties = [("outcome", outcome), *others]

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """What is shown of a failure: of a case the words alone, at its place in the suite."""
        error, place = excinfo.value, self.case.place
        if not isinstance(error, CaseFailure):
            return super().repr_failure(excinfo, style)
        text = excinfo.getrepr(style="value")
        crash = text.reprcrash
        if crash is not None:
            crash.path, crash.lineno, crash.message = place.file, place.line, error.headline
        return text

    def reportinfo(self) -> tuple[Path, int, str]:
        """Where the case stands; pytest counts lines from 0."""
        return self.path, self.case.place.line - 1, self.name


class _Findings:
    """What is kept of an item's points, however many: a count for each status, and the first."""

    def __init__(self) -> None:
        self.statuses: dict[str, int] = {}
        self.outcomes: set[str] = set()
        self.first: list[Record] = []

    def add(self, record: Record) -> None:
        """Take one point into account."""
        status = record["status"]
        seen = self.statuses[status] = self.statuses.get(status, 0) + 1
        self.outcomes.add(record["outcome"])
        if status != "pass" and seen <= MAX_SHOWN:
            self.first.append(record)

    @property
    def outcome(self) -> str:
        """The worst of all points."""
        from gradcheck_cli.records.outcome import OUTCOMES

        return min(self.outcomes, key=("error", *OUTCOMES).index)

    def report(self, statuses: tuple[str, ...]) -> tuple[str, str]:
        """The report on the points of some statuses, and a line for the summary."""
        from gradcheck_cli.records.report import Report
        from gradcheck_cli.reports import table
        from gradcheck_cli.reports.findings import lines_of
        from gradcheck_cli.reports.tally import summary

        shown = [record for record in self.first if record["status"] in statuses][:MAX_SHOWN]
        bad = sum(self.statuses.get(status, 0) for status in statuses)
        count = sum(self.statuses.values())
        of_all = [f"{bad:,} of {count:,} points"] if count > 1 else []
        report = Report(records=shown)
        # The table's own summary counts what is shown, not what there is.
        parts = [*of_all, table.render(report).rstrip("\n").removesuffix(f"\n\n{summary(report)}")]
        if bad > len(shown):
            parts.append(f"… and {bad - len(shown):,} more, which `gradcheck run` shows")
        return "\n\n".join(parts), ": ".join([*of_all, lines_of(shown[0])[0]])


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
