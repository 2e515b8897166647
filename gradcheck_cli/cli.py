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
from gradcheck_cli.reports import FORMATS, SUFFIXES, renderer

if TYPE_CHECKING:
    from gradcheck_cli.command import Job
    from gradcheck_cli.suite.report import Report, Result

USAGE, FAILED, INTERRUPTED = 2, 3, 130
# Filled when nobody reads stdout any more: what was not checked then is nobody's loss.
_closed: list[bool] = []

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
    except Exception:  # noqa: BLE001 - a defect of ours must not look like a wrong gradient
        _defect()
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


def _defect() -> None:
    traceback.print_exc()
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


Expression = Annotated[str, typer.Argument(metavar="EXPR", help="A program; `-` reads it from stdin, `@FILE` from a file.")]
At = Annotated[list[str] | None, typer.Option("--at", metavar="NAME=VALUE", help="The point: a number, pi/4, [[1, 2], [3, 4]], or a grid 0:1:5. Repeatable.")]
Wrt = Annotated[str, typer.Option("--wrt", metavar="NAMES", help="Inputs to differentiate (all).")]
Dtype = Annotated[str, typer.Option("--dtype", help="float64, float32, bfloat16, float16; a comma list checks each.")]
Device = Annotated[str, typer.Option("--device", help="cpu, cuda, cuda:1, or all (those present).")]
Cotangent = Annotated[str | None, typer.Option("--cotangent", metavar="VALUE", help="Upstream gradient, shaped like the result (ones).")]
Rtol = Annotated[str | None, typer.Option("--rtol", help="Your own relative tolerance instead of the computed one.")]
Atol = Annotated[str | None, typer.Option("--atol", help="Your own absolute tolerance instead of the computed one.")]
Step = Annotated[str | None, typer.Option("--step", metavar="H", help="Plain central difference with this step as the numeric opinion.")]
Strict = Annotated[bool, typer.Option("--strict", help="imprecise and kink exit 1 too.")]
Format = Annotated[str, typer.Option("--format", "-f", help=", ".join(FORMATS))]
Export = Annotated[list[str] | None, typer.Option("--export", metavar="[FORMAT:]FILE", help="Also write a report to a file. Repeatable.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Only what does not agree, and the summary.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Whole formulas and points.")]
Color = Annotated[str, typer.Option("--color", help="auto, always or never.")]


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
    from gradcheck_cli.command import Options, prepare

    paint = _paint(color)
    targets = [_target(word) for word in export or ()]
    if form not in FORMATS:
        raise mistake("unknown-format", f"no report format named `{form}`", help=did_you_mean(form, FORMATS) or f"known: {', '.join(FORMATS)}")
    job = prepare(Options(_text(expression), tuple(at or ()), wrt, dtype, device, cotangent, rtol, atol, step))
    results, interrupted = _run(job, form)
    report = job.report(results, ["gradcheck", *sys.argv[1:]], strict=strict, interrupted=interrupted)
    if form != "jsonl":
        _out(_rendered(report, form, paint, quiet=quiet, verbose=verbose))
    failed = [path for name, path in targets if not _write(path, _rendered(report, name, paint=False, quiet=False, verbose=True))]
    raise typer.Exit(INTERRUPTED if interrupted else USAGE if failed else FAILED if len(results) < len(job.cases) and not _closed else report.exit_code)


def _run(job: Job, form: str) -> tuple[list[Result], bool]:
    """(all results, or those finished before Ctrl-C; whether it came)."""
    from gradcheck_cli.reports.jsonl import line

    results: list[Result] = []
    try:
        for result in job.results():
            results.append(result)
            if form == "jsonl" and not _out(line(result)):
                break
            _progress(len(results), len(job.cases))
    except KeyboardInterrupt:
        return results, True
    except Exception:  # noqa: BLE001 - what is finished is written all the same
        _defect()
    finally:
        job.close()
    return results, False


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
        _closed.append(True)
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


def _target(word: str) -> tuple[str, Path]:
    """(format, path) of an export."""
    name, colon, path = word.partition(":")
    if colon and name.isalpha() and len(name) > 1 and name not in FORMATS:
        raise mistake("unknown-format", f"no report format named `{name}`", help=did_you_mean(name, FORMATS) or f"known: {', '.join(FORMATS)}")
    found, target = (name, Path(path)) if colon and name in FORMATS else (SUFFIXES.get(Path(word).suffix.lower()), Path(word))
    if found is None:
        raise mistake("unknown-format", f"no report format is known by the ending of `{word}`", help=f"write FORMAT:FILE with one of {', '.join(FORMATS)}")
    if not target.name or target.is_dir() or not target.parent.is_dir():
        raise mistake("unwritable", f"the report cannot be written to `{target}`: no such folder, or no file name")
    return found, target


def _write(path: Path, text: str) -> bool:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        _say(str(Mistake("unwritable", f"the report cannot be written to `{path}`: {error.strerror or error}")))
        return False
    return True


def _paint(choice: str) -> bool:
    """Whether stdout gets colour: --color, then NO_COLOR, FORCE_COLOR, TERM=dumb, then whether it is a terminal."""
    if choice not in ("auto", "always", "never"):
        raise mistake("unknown-color", f"no colour choice named `{choice}`", help="known: auto, always, never")
    if choice != "auto":
        return choice == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR", "0") not in ("", "0") or os.environ.get("CLICOLOR_FORCE", "0") not in ("", "0"):
        return True
    return os.environ.get("TERM") != "dumb" and sys.stdout.isatty()


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
