"""From the settings of `run` to a run that is ready to go, and what it leaves for the next."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from gradcheck_cli.language.errors import Mistake, PointError
from gradcheck_cli.memory import uncollected, usable_memory
from gradcheck_cli.reports import shows_formulas
from gradcheck_cli.runs.allowing import require_allowed
from gradcheck_cli.runs.cache import (
    cache,
    forget_old,
    load_failures,
    new_name,
    remove_unheld,
    save_failures,
)
from gradcheck_cli.runs.journal import Journal
from gradcheck_cli.runs.plan import Selection, plan, selected_cases
from gradcheck_cli.runs.pool import Limits, Workers
from gradcheck_cli.runs.run import FAILING, Run
from gradcheck_cli.suites.files import read_sources
from gradcheck_cli.suites.over import require_swept_as_asked

# Below this a worker has no room beside torch; a guess: it takes 0.4 GiB at rest.
LEAST_MEMORY = 1 << 30
_JOURNAL = ".tsv"
# What `--last-failed` makes again.
FAILED_STATUSES = (*FAILING, "unverified")

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from concurrent.futures import Executor

    from gradcheck_cli.runs.plan import Plan
    from gradcheck_cli.settings.values import Settings
    from gradcheck_cli.suites.spec import SuiteCase


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
    folder: Path | None
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


def prepare_run(
    settings: Settings,
    stdin: Callable[[int], str],
    stop_at: int,
    only: frozenset[str] | None = None,
) -> Session | None:
    """A run ready to go; None if nothing is selected.

    Args:
        stop_at: failures after which the run ends; 0 never ends it.
        only: the names of the suites that are checked; None for all.
    Raises:
        UserError: with every mistake in the suites.
    """
    from gradcheck_cli.suites.read import read_suites

    jobs, limits = _limits(settings)
    local = None if settings.cluster else Workers(limits)
    session = None
    try:
        if local is not None:
            local.start(1)  # it imports torch while the suites are read
        sources = read_sources(settings.suites, stdin)
        sources = [source for source in sources if only is None or source[0] in only]
        with uncollected():
            suites = read_suites(sources, settings.above, settings.below)
        cases = [case for suite in suites for case in suite.cases]
        session = _session(cases, settings, stop_at, local, jobs, limits)
        return session
    finally:
        if local is not None and session is None:
            local.shutdown()


def _session(
    cases: list[SuiteCase],
    settings: Settings,
    stop_at: int,
    local: Workers | None,
    jobs: int,
    limits: Limits,
) -> Session | None:
    folder, trouble = cache(Path())
    wanted = Selection(
        settings.keyword or "",
        settings.tag,
        load_failures(folder) if settings.last_failed else None,
        settings.shard or (1, 1),
    )
    cases = selected_cases(cases, wanted)
    require_allowed(cases, settings.allow_import)
    require_swept_as_asked(cases, settings.above)
    present = cases if settings.cluster else _on_present_devices(cases)
    formulas = _shows_formulas(settings)
    chosen, remarks = plan(present, wanted, formulas=formulas), [trouble] if trouble else []
    if settings.last_failed and not chosen.selected:
        chosen = plan(present, replace(wanted, failed=None), formulas=formulas)
        remarks.append("none of these checks is known to have failed: all are made")
    if not chosen.selected:
        return None
    executor, workers = _executor(settings.cluster, local, min(jobs, max(1, len(chosen.tasks))))
    run, resumed = _run(settings, stop_at, chosen, folder)
    return Session(run, executor, workers, limits, folder, resumed, remarks + run.remarks)


def new_session(chosen: Plan, settings: Settings, stem: str) -> Session:
    """A run of tasks that no suite holds, ready to go.

    Args:
        stem: what the names of journals of the same tasks begin with.
    """
    jobs, limits = _limits(settings)
    folder, trouble = cache(Path())
    local = None if settings.cluster else Workers(limits)
    executor, workers = _executor(settings.cluster, local, min(jobs, max(1, len(chosen.tasks))))
    run, resumed = _begun(settings, 0, chosen, folder, stem)
    remarks = [trouble] if trouble else []
    return Session(run, executor, workers, limits, folder, resumed, remarks + run.remarks)


def _limits(settings: Settings) -> tuple[int, Limits]:
    """How many workers there are, and what one of them may take."""
    jobs = settings.jobs or _cores()
    memory = settings.max_memory or max(usable_memory() // jobs, LEAST_MEMORY)
    return jobs, Limits(settings.timeout, memory)


def _shows_formulas(settings: Settings) -> bool:
    """Whether a report of this run has formulas; the table on stdout has some if it shows all."""
    names = {name for name, _ in settings.export}
    if settings.format != "table" or (settings.verbose and not settings.quiet):
        names.add(settings.format)
    return any(map(shows_formulas, names))


def _executor(address: str, local: Workers | None, jobs: int) -> tuple[Executor, int]:
    if local is not None:
        local.start(jobs)
        return local, jobs
    from gradcheck_cli.runs.cluster import connect

    cluster = connect(address)
    return cluster, cluster.workers


def _run(settings: Settings, stop_at: int, chosen: Plan, folder: Path | None) -> tuple[Run, int]:
    selected_by = ("suites", "keyword", "tag", "last-failed", "shard")
    asked = [settings.said(name) for name in selected_by]
    stem = f"run-{sha256(repr(asked).encode()).hexdigest()[:12]}"
    return _begun(settings, stop_at, chosen, folder, stem)


def _begun(
    settings: Settings, stop_at: int, chosen: Plan, folder: Path | None, stem: str
) -> tuple[Run, int]:
    """The run with a new journal, and how many checks it takes over from those before; their
    journals go when it has one that holds no less.

    Args:
        stem: what the names of journals of the same checks begin with.
    """
    from gradcheck_cli.records.versions import versions

    known = repr(sorted(versions().items()))
    if folder is None:
        return Run(chosen, Journal(None, chosen.count), known, stop_at), 0
    forget_old(folder)
    earlier, fresh = sorted(folder.glob(f"{stem}*{_JOURNAL}")), new_name(folder, stem)
    run = Run(chosen, Journal(fresh, chosen.count), known, stop_at)
    resumed = run.resume(*earlier) if settings.resume else 0
    run.journal.become(fresh.with_suffix(_JOURNAL))
    if not run.journal.trouble:
        remove_unheld(earlier)
    return run, resumed


def _on_present_devices(cases: list[SuiteCase]) -> list[SuiteCase]:
    """The cases with `all` put as the devices there are.

    Raises:
        UserError: a device is named that this machine does not have.
    """
    from gradcheck_cli.questions.devices import devices_of

    named = {device for case in cases if case.skip is None for _, device in case.runs} - {"cpu"}
    known: dict[str, list[str]] = {"cpu": ["cpu"]}
    mistakes: list[Mistake] = []
    for name in sorted(named):
        try:
            known[name] = devices_of([name])
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
