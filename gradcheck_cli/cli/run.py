"""`gradcheck run` and `gradcheck lint`: suites of cases."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

import typer

from gradcheck_cli.cli.context import settings_anew, show_settings_page
from gradcheck_cli.cli.entry import command
from gradcheck_cli.cli.exports import Delivery, require_places
from gradcheck_cli.cli.going import go, signals
from gradcheck_cli.cli.help_pages import EXITS
from gradcheck_cli.cli.options import Exitfirst, ShowSettings, Suites, with_settings
from gradcheck_cli.cli.streams import (
    are_one_stream,
    out,
    render_report,
    say,
    standard_input,
    variable,
)
from gradcheck_cli.language.errors import mistake
from gradcheck_cli.language.files import error_text
from gradcheck_cli.records.outcome import NOTHING_SELECTED
from gradcheck_cli.settings.values import Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gradcheck_cli.records.report import Report


@command(
    "run",
    "gradcheck run suites -j 4 --export report.json",
    exits=EXITS,
    topics=("suites", "ci", "configuration"),
)
@with_settings("run")
def run_command(
    context: typer.Context,
    *,
    suites: Suites = None,
    settings: Settings,
    exitfirst: Exitfirst = False,
    show_settings: ShowSettings = False,
) -> None:
    """Check suites: files of expressions, or all that a folder holds."""
    show_settings_page(context, show_settings)
    _require_startable(settings)
    with signals():
        if settings.watch:
            code = _watch(context, settings, exitfirst=exitfirst)
        else:
            code, _ = _run(settings, exitfirst=exitfirst)
    raise typer.Exit(code)


def _require_startable(settings: Settings) -> None:
    """Nothing, if all that is needed beside the suites themselves is there.

    Raises:
        UserError: with every mistake of the first kind that there is.
    """
    settings.require_readable()
    require_places(settings.export)
    if not settings.suites:
        raise mistake(
            "no-suite",
            "`run` needs a suite: a file, a folder or `-`",
            help="or set `suites` in the configuration; `gradcheck init` writes a first suite",
        )
    _not_overwritten(settings.suites, settings.export)


def _watch(context: typer.Context, settings: Settings, *, exitfirst: bool) -> int:
    """The exit code of rounds of checks, which end with Ctrl-C."""
    from gradcheck_cli.cli.watching import keep_checking
    from gradcheck_cli.settings.file import find
    from gradcheck_cli.suites.files import read_sources

    if "-" in settings.suites:
        raise mistake("bad-setting", "--watch: stdin cannot be watched: it is read once")
    read_sources(settings.suites, standard_input)  # what is not there is no suite to be mended

    def check(settings: Settings, names: frozenset[str]) -> tuple[int, bool]:
        _require_startable(settings)
        with signals():
            return _run(settings, exitfirst=exitfirst, only=names)

    return keep_checking(lambda: settings_anew(context), check, lambda: find(Path()))


def _run(
    settings: Settings, *, exitfirst: bool, only: frozenset[str] | None = None
) -> tuple[int, bool]:
    """The exit code of a run, its report written, and whether anybody still reads stdout.

    Args:
        only: the suites that are checked; None for all that are meant.
    """
    from gradcheck_cli.cli.endings import say_failures, say_slowest
    from gradcheck_cli.records.versions import versions
    from gradcheck_cli.runs.session import prepare_run

    begun = monotonic()
    stop_at = 1 if exitfirst else settings.maxfail
    session = prepare_run(settings, standard_input, stop_at, only)
    if session is None:
        say("nothing is selected: no check was made")
        return NOTHING_SELECTED, True
    delivery = Delivery(settings)
    broken = go(session, delivery)
    report = session.run.report(["gradcheck", *settings.command("run")], versions())
    report = delivery.deliver(
        replace(report, incomplete=report.incomplete or broken),
        quiet=settings.quiet or not settings.verbose,
    )
    _summary_page(report, {settings.format, *(name for name, _ in settings.export)})
    say_failures(report, settings, delivery.table * are_one_stream(), monotonic() - begun)
    if settings.durations is not None:
        say_slowest(session.run.times(), settings.durations)
    session.close()
    code = 0 if settings.exit_zero and report.exit_code in (1, 4) else report.exit_code
    return code, delivery.read


def _not_overwritten(suites: Sequence[str], targets: Sequence[tuple[str, Path]]) -> None:
    """Nothing, if no report would be written over a suite that is read.

    Raises:
        UserError: one would.
    """
    from gradcheck_cli.suites.files import suite_files

    read = {os.path.realpath(path) for word in suites for path in suite_files(Path(word))}
    for _, target in targets:
        if os.path.realpath(target) in read:
            raise mistake(
                "unwritable",
                f"the report cannot be written to `{target}`: that is one of the files it is about",
            )


def _summary_page(report: Report, forms: set[str]) -> None:
    """GitHub's summary page of a job, where there is one."""
    page = variable("GITHUB_STEP_SUMMARY")
    if page and "github" in forms:
        try:
            with Path(page).open("a", encoding="utf-8") as file:
                file.write(render_report(report, "markdown"))
        except OSError as error:
            say(f"the summary page cannot be written: {error_text(error)}")


@command(
    "lint",
    "gradcheck lint suites",
    exits={
        "0": "no mistakes found",
        "2": "a mistake, or a file that cannot be read",
        "3": "the tool failed",
    },
    topics=("suites", "errors"),
)
def lint_command(context: typer.Context, suites: Suites = None) -> None:
    """Look for mistakes in suites without checking anything; torch is not loaded."""
    from gradcheck_cli.reports.format import count_of
    from gradcheck_cli.suites.files import read_sources
    from gradcheck_cli.suites.read import read_suites

    if not suites:
        raise mistake("no-suite", "`lint` needs a suite: a file, a folder or `-`")
    found = read_suites(read_sources(suites, standard_input), {}, {})
    for case in (case for suite in found for case in suite.cases):
        program = case.program
        if program is not None and program.written:
            words = (" ".join(text.split()) for text in (program.written, program.text))
            out("{}: `{}` is read as `{}`\n".format(case.place, *words))
    cases = sum(len(suite.cases) for suite in found)
    out(f"{count_of(len(found), 'suite')}, {count_of(cases, 'case')}: no mistakes found\n")
