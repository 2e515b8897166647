"""From the words of `run` to a run that is ready to go, and what is kept of it for the next one."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from gradcheck_cli.language.errors import Mistake, PointError
from gradcheck_cli.runs.cache import cache, forget_old, load_failures, save_failures
from gradcheck_cli.runs.journal import Journal
from gradcheck_cli.runs.plan import Selection, plan
from gradcheck_cli.runs.pool import CHECK_LIMIT, Limits, Workers
from gradcheck_cli.runs.run import FAILING, Run
from gradcheck_cli.settings import quantities
from gradcheck_cli.suites.files import read_sources
from gradcheck_cli.suites.spec import Layer

# Below this a worker has no room beside torch; a guess: it takes 0.4 GiB at rest.
LEAST_MEMORY = 1 << 30
# What `--last-failed` makes again.
FAILED_STATUSES = (*FAILING, "unverified")

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from concurrent.futures import Executor

    from gradcheck_cli.runs.plan import Plan
    from gradcheck_cli.suites.spec import SuiteCase


@dataclass(frozen=True)
class Words:
    """What the user asked `run` for; numbers as text, as they were written.

    Attributes:
        over: settings of the command line, which stand above those of a suite; `under` those of the
            configuration, below.
        configured: settings of the configuration file, which a command that reproduces a check must
            not leave to it.
        folder: where the cache folder is.
    """

    suites: Sequence[str]
    over: Layer = field(default_factory=Layer)
    under: Layer = field(default_factory=Layer)
    keyword: str = ""
    tags: tuple[str, ...] = ()
    last_failed: bool = False
    shard: str | None = None
    jobs: str = "auto"
    maxfail: str = "0"
    resume: bool = False
    max_memory: str | None = None
    seed: str = "0"
    cluster: str | None = None
    configured: tuple[str, ...] = ()
    folder: Path = field(default_factory=Path)


@dataclass
class Session:
    """A run with its executor.

    Attributes:
        resumed: checks that an earlier run had finished.
        remarks: what the user should know of the selection.
    """

    run: Run
    executor: Executor
    workers: int
    limits: Limits
    folder: Path
    resumed: int = 0
    remarks: list[str] = field(default_factory=list)

    def go(self, take: Callable[[int, int], bool]) -> None:
        """Check everything; `take` is told each finished check in order."""
        self.run.take = take
        try:
            self.run.through(self.executor, self.workers, self.limits)
        finally:
            self.executor.shutdown(wait=False, cancel_futures=True)

    def close(self) -> None:
        """Remember what failed; the journal stays if there is something left to be done."""
        journal, seen = self.run.journal, self.run.told()
        save_failures(
            self.folder,
            (
                (self.run.name(position), journal.status(position) in FAILED_STATUSES)
                for position in seen
                if journal.status(position) != "skip"
            ),
        )
        journal.close(keep=not self.run.complete)


def prepare_run(words: Words, stdin: Callable[[], str]) -> Session | None:
    """A run ready to go; None if nothing is selected.

    Raises:
        UserError: with every mistake in the words and in the suites.
    """
    from gradcheck_cli.suites.read import read_suites

    jobs = quantities.jobs(words.jobs) or _cores()
    limits = Limits(
        CHECK_LIMIT,
        quantities.size(words.max_memory)
        if words.max_memory
        else max(worker_memory() // jobs, LEAST_MEMORY),
    )
    local = None if words.cluster else Workers(limits)
    session = None
    try:
        if local is not None:
            local.start(1)  # it imports torch while the suites are read
        suites = read_suites(
            read_sources(words.suites, stdin),
            words.over,
            words.under,
            quantities.count(words.seed, "--seed"),
        )
        said = tuple((name, "") for name in ("dtype", "device", "wrt") if name in words.configured)
        cases = [
            replace(case, given=(*case.given, *said)) if said else case
            for suite in suites
            for case in suite.cases
        ]
        session = _session(cases, words, local, jobs, limits)
        return session
    finally:
        if local is not None and session is None:
            local.shutdown()


def _session(
    cases: list[SuiteCase], words: Words, local: Workers | None, jobs: int, limits: Limits
) -> Session | None:
    folder = cache(words.folder)
    shard = quantities.shard(words.shard) if words.shard else (1, 1)
    wanted = Selection(
        words.keyword, words.tags, load_failures(folder) if words.last_failed else None, shard
    )
    cases = [case for case in cases if wanted.takes(case)]
    present = _on_present_devices(cases) if words.cluster is None else cases
    chosen, remarks = plan(present, wanted), []
    if words.last_failed and not chosen.selected:
        chosen = plan(present, replace(wanted, failed=None))
        remarks.append("none of these checks is known to have failed: all are made")
    if not chosen.selected:
        return None
    executor, workers = _executor(words, local, min(jobs, max(1, len(chosen.tasks))))
    run, resumed = _run(words, chosen, folder)
    return Session(run, executor, workers, limits, folder, resumed, remarks)


def _executor(words: Words, local: Workers | None, jobs: int) -> tuple[Executor, int]:
    if local is not None:
        local.start(jobs)
        return local, jobs
    from gradcheck_cli.runs.cluster import connect

    cluster = connect(str(words.cluster))
    return cluster, cluster.workers


def _run(words: Words, chosen: Plan, folder: Path) -> tuple[Run, int]:
    """The run with a new journal, and how many checks it takes over from the one before."""
    from gradcheck_cli.records.versions import versions

    asked = (tuple(words.suites), words.keyword, words.tags, words.last_failed, words.shard)
    path = folder / f"run-{sha256(repr(asked).encode()).hexdigest()[:12]}.tsv"
    fresh = path.with_suffix(".new")
    forget_old(folder)
    run = Run(
        chosen,
        Journal(fresh, chosen.count),
        repr(sorted(versions().items())),
        quantities.count(words.maxfail),
    )
    resumed = run.resume(path) if words.resume else 0
    run.journal.become(path)
    return run, resumed


def _on_present_devices(cases: list[SuiteCase]) -> list[SuiteCase]:
    """The cases with `all` put as the devices there are.

    Raises:
        UserError: a device is named that this machine does not have.
    """
    from gradcheck_cli.checks.watch import devices_of

    named = {device for case in cases if case.skip is None for _, device in case.runs} - {"cpu"}
    known: dict[str, list[str]] = {"cpu": ["cpu"]}
    mistakes: list[Mistake] = []
    for name in sorted(named):
        try:
            known[name] = devices_of(name)
        except PointError as error:
            case = next(
                case
                for case in cases
                if case.skip is None and any(device == name for _, device in case.runs)
            )
            mistakes += [
                replace(
                    m, place=str(case.place), message=f"{m.message}, which `{case.id}` asks for"
                )
                for m in error.mistakes
            ]
    if mistakes:
        raise PointError(mistakes)
    return [_expanded(case, known) for case in cases] if named else cases


def _expanded(case: SuiteCase, known: Mapping[str, Sequence[str]]) -> SuiteCase:
    """A case with each device it names put as the present ones that this means; one without a run
    that is not excluded is skipped.
    """
    if case.skip is not None:
        return case
    found = dict.fromkeys((dtype, device) for dtype, name in case.runs for device in known[name])
    runs = tuple(
        run for run in found if not any(left_out.covers(*run) for left_out in case.excluded)
    )
    return (
        replace(case, runs=runs)
        if runs
        else replace(case, skip="every run on the devices of this machine is excluded")
    )


def _cores() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def worker_memory() -> int:
    """Bytes that all workers may take unless told otherwise: three quarters of what is there, so
    that the machine itself is never exhausted.
    """
    import psutil

    total = int(psutil.virtual_memory().total)
    for path in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            total = min(total, int(Path(path).read_text(encoding="ascii")))
        except (OSError, ValueError):
            continue
    return total * 3 // 4
