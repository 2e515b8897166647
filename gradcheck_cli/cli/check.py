"""`gradcheck check`: one program at a point."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from gradcheck_cli.cli.context import show_settings_page
from gradcheck_cli.cli.entry import app
from gradcheck_cli.cli.options import (
    At,
    Atol,
    Color,
    Cotangent,
    Device,
    Dtype,
    Export,
    ExpressionArgument,
    Format,
    Quiet,
    Rtol,
    ShowSettings,
    Step,
    Strict,
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
    wants_progress,
    write_exports,
)
from gradcheck_cli.language.errors import Mistake, PointError, UserError
from gradcheck_cli.records.outcome import INTERRUPTED
from gradcheck_cli.reports import export_target, require_format

if TYPE_CHECKING:
    from gradcheck_cli.checks.result import Result
    from gradcheck_cli.checks.watch import Ending, Job

# A guess: the slowest check that came to an end, 1,600 partials of a matrix product, took 12 s;
# torch's polygamma(2, -1e15) never does.
CASE_LIMIT = 120.0


@app.command("check")
def check_command(
    context: typer.Context,
    expression: ExpressionArgument = "",
    at: At = None,
    wrt: Wrt = "",
    dtype: Dtype = "float64",
    device: Device = "cpu",
    cotangent: Cotangent = None,
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
    """Check the gradient of one program at a point (the default command)."""
    from gradcheck_cli.checks.watch import Options, prepare

    show_settings_page(context, show_settings)
    paint = colour(color)
    targets = [export_target(word) for word in export or ()]
    require_format(form)
    job = prepare(
        Options(
            _text(expression),
            tuple(at or ()),
            wrt,
            dtype,
            device,
            cotangent,
            rtol,
            atol,
            step,
            tuple(context.default_map or ()),
        )
    )
    ended = _run(job, form, strict=strict)
    report = job.report(ended, ["gradcheck", *sys.argv[1:]], strict=strict)
    if form != "jsonl":
        out(render_report(report, form, paint=paint, quiet=quiet, verbose=verbose))
    written = write_exports(report, targets)
    raise typer.Exit(
        INTERRUPTED
        if ended.interrupted
        else USAGE
        if not written
        else FAILED
        if ended.error or ended.given_up
        else report.exit_code
    )


def _run(job: Job, form: str, *, strict: bool) -> Ending:
    """What was finished, and how it ended; everything but the end by Ctrl-C is told."""
    from gradcheck_cli.checks.record import record_of
    from gradcheck_cli.records.record import line_of

    def take(result: Result, done: int) -> bool:
        _progress(done, len(job))
        return form != "jsonl" or out(line_of(record_of(result, strict=strict)))

    ended = job.watched(take, CASE_LIMIT)
    if isinstance(ended.error, UserError):
        raise ended.error
    if ended.error is not None:
        defect(ended.error)
    if ended.given_up:
        say(
            str(
                Mistake(
                    "timeout",
                    f"case {len(ended.results) + 1} was not done in {CASE_LIMIT:g} s and is given up, with those after it",
                )
            )
        )
    return ended


def _progress(done: int, total: int) -> None:
    """A counter on stderr."""
    if wants_progress(total):
        sys.stderr.write(f"\r{done}/{total}" if done < total else "\r\x1b[K")
        sys.stderr.flush()


def _text(expression: str) -> str:
    """The program's text: the argument itself, stdin or a file."""
    if expression == "-":
        return standard_input()
    try:
        return (
            Path(expression[1:]).read_text(encoding="utf-8")
            if expression.startswith("@")
            else expression
        )
    except (OSError, UnicodeDecodeError) as error:
        raise PointError(
            [Mistake("unreadable", f"`{expression}` cannot be read: {error}")]
        ) from error
