"""`gradcheck run` and `gradcheck lint`: suites of cases."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import typer

from gradcheck_cli.cli.context import layers, show_settings_page, that_matter
from gradcheck_cli.cli.entry import app
from gradcheck_cli.cli.options import (
    Atol,
    Cluster,
    Color,
    Device,
    Dtype,
    Exitfirst,
    ExitZero,
    Export,
    Format,
    Jobs,
    Keyword,
    LastFailed,
    Maxfail,
    MaxMemory,
    Quiet,
    Resume,
    Rtol,
    Seed,
    Shard,
    ShowSettings,
    Step,
    Strict,
    Suites,
    Tag,
    Timeout,
    Verbose,
    Wrt,
)  # fmt: skip
from gradcheck_cli.cli.streams import (
    FAILED,
    USAGE,
    colour,
    defect,
    out,
    render_report,
    say,
    standard_input,
    variable,
    wants_progress,
    write_exports,
)
from gradcheck_cli.language.errors import UserError, mistake
from gradcheck_cli.records.outcome import INTERRUPTED
from gradcheck_cli.reports import export_target, require_format

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gradcheck_cli.records.report import Report
    from gradcheck_cli.runs.session import Session, Words

NOTHING_SELECTED = 5
# Commands shown at the end of a run that failed; the rest is counted.
MAX_COMMANDS = 10


@app.command("run")
def run_command(
    context: typer.Context,
    suites: Suites = None,
    jobs: Jobs = "auto",
    keyword: Keyword = None,
    tag: Tag = None,
    exitfirst: Exitfirst = False,
    maxfail: Maxfail = "0",
    last_failed: LastFailed = False,
    shard: Shard = None,
    resume: Resume = False,
    timeout: Timeout = "120",
    max_memory: MaxMemory = None,
    seed: Seed = "0",
    exit_zero: ExitZero = False,
    cluster: Cluster = None,
    dtype: Dtype = "float64",
    device: Device = "cpu",
    wrt: Wrt = "",
    rtol: Rtol = None,
    atol: Atol = None,
    step: Step = None,
    strict: Strict = False,
    form: Format = "table",
    export: Export = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
    color: Color = "auto",
    show_settings: ShowSettings = False,
) -> None:
    """Check suites: files of expressions, or all that a folder holds."""
    show_settings_page(context, show_settings)
    with _signals():
        code = _run(context, SimpleNamespace(**context.params))
    raise typer.Exit(code)


@contextmanager
def _signals() -> Iterator[None]:
    """SIGTERM taken as Ctrl-C while a run is under way: a CI server that cancels a job asks first.
    Afterwards everything is as before.
    """
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _run(context: typer.Context, asked: Any) -> int:
    """The exit code of a run, its report written.

    Args:
        asked: the parameters of `run`, by their names.
    """
    from gradcheck_cli.records.versions import versions
    from gradcheck_cli.runs.session import prepare_run
    from gradcheck_cli.settings.table import wrong_words

    if wrong := wrong_words("run", context.params):
        raise UserError(wrong)
    paint = colour(asked.color)
    targets = [export_target(word) for word in asked.export or ()]
    require_format(asked.form)
    words = _words(context, asked)
    _not_overwritten(words.suites, targets)
    session = prepare_run(words, standard_input)
    if session is None:
        say("nothing is selected: no check was made")
        return NOTHING_SELECTED
    broken = _go(session, asked.form, needed=bool(targets))
    report = session.run.report(["gradcheck", *that_matter(context)], versions())
    if asked.form != "jsonl":
        out(
            render_report(
                report,
                asked.form,
                paint=paint,
                quiet=asked.quiet or not asked.verbose,
                verbose=asked.verbose,
            )
        )
    written = write_exports(report, targets)
    _summaries(report, {asked.form, *(name for name, _ in targets)})
    session.close()
    return _code(report, broken=broken, written=written, exit_zero=asked.exit_zero)


def _not_overwritten(suites: Sequence[str], targets: Sequence[tuple[str, Path]]) -> None:
    """Nothing, if no report would be written over a suite that is read.

    Raises:
        UserError: one would.
    """
    from gradcheck_cli.suites.files import suite_files

    read = {path.resolve() for word in suites for path in suite_files(Path(word))}
    for _, target in targets:
        if target.resolve() in read:
            raise mistake(
                "unwritable",
                f"the report cannot be written to `{target}`: that is one of the files it is about",
            )


def _words(context: typer.Context, asked: Any) -> Words:
    from gradcheck_cli.runs.session import Words

    if not asked.suites:
        raise mistake(
            "no-suite",
            "`run` needs a suite: a file, a folder or `-`",
            help="or set `suites` in the configuration; `gradcheck init` writes a first suite",
        )
    over, under = layers(context)
    return Words(
        asked.suites,
        over,
        under,
        keyword=asked.keyword or "",
        tags=tuple(asked.tag or ()),
        last_failed=asked.last_failed,
        shard=asked.shard,
        jobs=asked.jobs,
        maxfail="1" if asked.exitfirst else asked.maxfail,
        resume=asked.resume,
        max_memory=asked.max_memory,
        seed=asked.seed,
        cluster=asked.cluster,
        configured=tuple(context.default_map or ()),
    )


def _code(report: Report, *, broken: bool, written: bool, exit_zero: bool) -> int:
    """130 > 2 > 3 > 1 > 4 > 0."""
    if report.interrupted or not written or broken:
        return INTERRUPTED if report.interrupted else FAILED if written else USAGE
    return 0 if exit_zero and report.exit_code in (1, 4) else report.exit_code


def _go(session: Session, form: str, *, needed: bool) -> bool:
    """Run to the end, streaming and showing progress; whether the run itself broke.

    Args:
        needed: the results are wanted elsewhere too, so that the run goes on when nobody reads the
            stream any more.
    """
    from gradcheck_cli.cli.progress import Progress

    journal, count = session.run.journal, session.run.plan.selected
    for remark in session.remarks:
        say(remark)
    if session.resumed:
        say(f"{session.resumed:,} of {count:,} checks are taken over from the run before")
    broken, read = False, True
    with Progress(count, shown=wants_progress(count)) as progress:

        def take(position: int, done: int) -> bool:
            nonlocal read
            progress.show(done, lambda: session.run.name(position))
            read = read and (form != "jsonl" or out(journal.line(position)))
            return read or needed

        try:
            session.go(take)
        except UserError:
            raise
        except Exception as error:  # noqa: BLE001 - what is finished is reported all the same
            defect(error)
            session.run.problems.append(f"the run broke off: {error}")
            broken = True
    # Whoever presses Ctrl-C again must not lose the report.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if form == "jsonl" and read:
        all(out(journal.line(position)) for position in session.run.rest())
    if journal.trouble:
        say(f"{journal.trouble}: results were kept in memory, and --resume will not find them")
    return broken


def _summaries(report: Report, forms: set[str]) -> None:
    """GitHub's summary page of a job, where there is one, and commands to paste for what is not as
    expected.
    """
    page = variable("GITHUB_STEP_SUMMARY")
    if page and "github" in forms:
        try:
            with Path(page).open("a", encoding="utf-8") as file:
                file.write(render_report(report, "markdown"))
        except OSError as error:
            say(f"the summary page cannot be written: {error}")
    if report.exit_code:
        failing = report.having("fail", "error", "unverified")
        for record in islice(failing, MAX_COMMANDS):
            say(
                f"{record['reproduce']}  # {record['id']}: {next(iter(record['unmet']), record['outcome'])}"
            )
        if more := sum(1 for _ in failing):
            say(f"# … and {more:,} more; all of them again: gradcheck run --lf SUITE...")


@app.command("lint")
def lint_command(context: typer.Context, suites: Suites = None) -> None:
    """Look for mistakes in suites without checking anything; torch is not loaded."""
    from gradcheck_cli.suites.files import read_sources
    from gradcheck_cli.suites.read import read_suites
    from gradcheck_cli.suites.spec import Layer

    if not suites:
        raise mistake("no-suite", "`lint` needs a suite: a file, a folder or `-`")
    found = read_suites(read_sources(suites, standard_input), Layer(), Layer())
    cases = sum(len(suite.cases) for suite in found)
    out(
        f"{len(found)} suite{'' if len(found) == 1 else 's'}, {cases:,} case{'' if cases == 1 else 's'}: no mistakes found\n"
    )
