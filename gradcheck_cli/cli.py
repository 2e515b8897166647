"""The command line. The only file that prints, exits or reads the environment."""

from __future__ import annotations

import os
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from gradcheck_cli import __version__
from gradcheck_cli.arguments import in_order
from gradcheck_cli.language.errors import Mistake, PointError, UserError, did_you_mean, mistake
from gradcheck_cli.options import (
    At,
    Atol,
    Color,
    Cotangent,
    Device,
    Dtype,
    Export,
    Expression,
    Format,
    Quiet,
    Rtol,
    Step,
    Strict,
    Verbose,
    Wrt,
    wants_colour,
)  # fmt: skip
from gradcheck_cli.reports import FORMATS, renderer

if TYPE_CHECKING:
    from gradcheck_cli.command import Ended, Job
    from gradcheck_cli.suite.report import Report, Result

USAGE, FAILED, INTERRUPTED = 2, 3, 130
# A guess: the slowest check that came to an end, 1,600 partials of a matrix product, took 12 s; torch's polygamma(2, -1e15) never does.
CASE_LIMIT = 120.0

# Plain help: Typer's own Rich output cuts at 80 columns in a pipe and forces colour under GITHUB_ACTIONS.
app = typer.Typer(
    name="gradcheck",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    help="Verify gradients: SymPy, torch's autograd and central differences, held against a proved reference.",
    epilog='Example: gradcheck "sigmoid(x**2)+tanh(x**3)" --at x=3',
)


def main() -> NoReturn:
    """Run the command line and leave at once: torch's tear-down alone would take 0.3 s."""
    _streams()
    words = sys.argv[1:]
    if "_GRADCHECK_COMPLETE" not in os.environ:
        words = in_order(words)
    try:
        app(words, prog_name="gradcheck", standalone_mode=True)
        code = 0
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 1
    except UserError as error:
        _say(str(error))
        code = USAGE
    except KeyboardInterrupt:
        code = INTERRUPTED
    except BrokenPipeError:
        code = 0
    except Exception as error:  # noqa: BLE001 - a defect of ours must not look like a wrong gradient
        _defect(error)
        code = FAILED
    leave(code)


def _streams() -> None:
    """Streams that a shell may have closed, and terminals that lack a character, must not end in a traceback."""
    if sys.stderr is None:
        sys.stderr = os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")
    if sys.stdout is None:
        _say(str(Mistake("unwritable", "stdout is closed: there is nowhere to write the report")))
        os._exit(USAGE)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _defect(error: BaseException) -> None:
    traceback.print_exception(error)
    _say("this is a defect of gradcheck, not of your input; `gradcheck doctor` prints what a report of it needs")


def leave(code: int) -> NoReturn:
    """Flush what was written and end the process, closed pipes included."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    os._exit(code)


def _say(text: str) -> None:
    """A message on stderr."""
    print(text, file=sys.stderr)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"gradcheck {__version__}")
        raise typer.Exit


@app.callback()
def group(version: Annotated[bool, typer.Option("--version", "-V", callback=_version, is_eager=True, help="Print the version and exit.")] = False) -> None:
    """Verify gradients: SymPy, torch's autograd and central differences, held against a proved reference."""


@app.command("check")
def check(
    expression: Expression,
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
) -> None:
    """Check the gradient of one program at a point (the default command)."""
    from gradcheck_cli.command import Options, export_target, prepare

    paint = wants_colour(color, os.environ, terminal=sys.stdout.isatty())
    targets = [export_target(word) for word in export or ()]
    if form not in FORMATS:
        raise mistake("unknown-format", f"no report format named `{form}`", help=did_you_mean(form, FORMATS) or f"known: {', '.join(FORMATS)}")
    job = prepare(Options(_text(expression), tuple(at or ()), wrt, dtype, device, cotangent, rtol, atol, step))
    ended = _run(job, form, strict=strict)
    report = job.report(ended, ["gradcheck", *sys.argv[1:]], strict=strict)
    if form != "jsonl":
        _out(_rendered(report, form, paint, quiet=quiet, verbose=verbose))
    failed = [path for name, path in targets if not _write(path, _rendered(report, name, paint=False, quiet=False, verbose=True))]
    raise typer.Exit(INTERRUPTED if ended.interrupted else USAGE if failed else FAILED if ended.error or ended.given_up else report.exit_code)


def _run(job: Job, form: str, *, strict: bool) -> Ended:
    """What was finished, and how it ended; everything but the end by Ctrl-C is told."""
    from gradcheck_cli.suite.record import line_of, record_of

    def take(result: Result, done: int) -> bool:
        _progress(done, len(job.cases))
        return form != "jsonl" or _out(line_of(record_of(result, strict=strict)))

    ended = job.watched(take, CASE_LIMIT)
    if isinstance(ended.error, UserError):
        raise ended.error
    if ended.error is not None:
        _defect(ended.error)
    if ended.given_up:
        _say(str(Mistake("timeout", f"case {len(ended.results) + 1} was not done in {CASE_LIMIT:g} s and is given up, with those after it")))
    return ended


def _rendered(report: Report, form: str, paint: bool, *, quiet: bool, verbose: bool) -> str:
    render = renderer(form)
    if form == "table":
        return render(report, width=_width() if paint or sys.stdout.isatty() or "COLUMNS" in os.environ else None, color=paint, verbose=verbose, quiet=quiet)  # type: ignore[call-arg]  # only the table takes these
    return render(report)


def _out(text: str) -> bool:
    """Write to stdout; whether anybody still reads it."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return False
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise mistake("unwritable", f"the report cannot be written: {error.strerror or error}") from error
    return True


def _progress(done: int, total: int) -> None:
    """A counter on stderr, on a terminal only, and only where there is something to wait for."""
    if total > 1 and sys.stderr.isatty():
        sys.stderr.write(f"\r{done}/{total}" if done < total else "\r\x1b[K")
        sys.stderr.flush()


def _text(expression: str) -> str:
    """The program's text: the argument itself, stdin or a file."""
    if expression == "-" and sys.stdin is None:
        raise mistake("unreadable", "`-` cannot be read: stdin is closed")
    try:
        if expression == "-":
            return sys.stdin.read()
        return Path(expression[1:]).read_text(encoding="utf-8") if expression.startswith("@") else expression
    except (OSError, UnicodeDecodeError) as error:
        raise PointError([Mistake("unreadable", f"`{expression}` cannot be read: {error}")]) from error


def _write(path: Path, text: str) -> bool:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        _say(str(Mistake("unwritable", f"the report cannot be written to `{path}`: {error.strerror or error}")))
        return False
    return True


def _width() -> int | None:
    """Columns of the terminal or of COLUMNS; None, natural width, where there is neither."""
    if os.environ.get("COLUMNS", "").isdigit() and int(os.environ["COLUMNS"]) > 0:
        return int(os.environ["COLUMNS"])
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or None
    except (OSError, ValueError):
        return None


@app.command("functions")
def functions(name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="One function in full.")] = None) -> None:
    """List the functions of the language, or show one: meaning, domain, kinks, torch name, pullback, derivative."""
    from gradcheck_cli.functions.page import listing, page

    _out(listing() if name is None else page(name))


@app.command("explain")
def explain(topic: Annotated[str | None, typer.Argument(metavar="[TOPIC]", help="An outcome, an error code, tolerance, kinks, numeric ...")] = None) -> None:
    """Show the page on an outcome, an error code or a notion; without a topic, list them."""
    from gradcheck_cli.manual import section, topics

    _out("\n".join(topics()) + "\n" if topic is None else section(topic))


@app.command("schema")
def schema(what: Annotated[str, typer.Argument(metavar="report", help="What to describe.")] = "report") -> None:
    """Print the JSON Schema of the JSON report."""
    import json

    from gradcheck_cli.reports.schema import report_schema

    if what != "report":
        raise mistake("unknown-schema", f"no schema named `{what}`", help="known: report")
    _out(json.dumps(report_schema(), indent=2, ensure_ascii=False) + "\n")


@app.command("doctor")
def doctor() -> None:
    """Print versions, devices and settings that matter, for pasting into a report of a problem."""
    from gradcheck_cli.environment import diagnosis

    _out("".join(f"{key:<24} {value}\n" for key, value in diagnosis().items()))
