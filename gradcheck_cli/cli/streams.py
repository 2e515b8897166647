"""The standard streams: what is printed, in which colour and width, and whether it is read."""

from __future__ import annotations

import os
import re
import select
import sys
import traceback
from contextlib import suppress
from errno import EDQUOT, EFBIG, EIO, ENOSPC
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from gradcheck_cli.language.errors import Mistake, UserError, mistake
from gradcheck_cli.language.files import error_text, file_text, stream_text, unreadable
from gradcheck_cli.reports import renderer

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TextIO

    from gradcheck_cli.memory import Guard
    from gradcheck_cli.records.report import Report

USAGE, FAILED = 2, 3
# Of a program that is read from a file or from stdin. A program has at most 65,536; of one that is
# not far beyond its own message says more.
LONGEST_TEXT = 1_000_000
# What an output says that takes no more: a full disk, a quota, a terminal that is gone.
FULL = (ENOSPC, EDQUOT, EFBIG, EIO)


# What a terminal's size may be; whatever else an environment says is no size. Typer and Rich read
# these too, and Rich takes a superscript for a digit.
_SIZES, _SIZE = ("COLUMNS", "LINES"), re.compile("0*[1-9][0-9]{0,5}")


def open_streams() -> None:
    """Keep streams that a shell has closed, terminals without a sign and sizes that are none from a
    traceback.
    """
    for name in _SIZES:
        if name in os.environ and not _SIZE.fullmatch(variable(name)):
            del os.environ[name]
    if sys.stderr is None:
        sys.stderr = os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")
    if sys.stdout is None:
        say(str(Mistake("unwritable", "stdout is closed: there is nowhere to write the report")))
        os._exit(USAGE)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def leave(code: int) -> NoReturn:
    """Flush what was written and end the process, closed pipes included."""
    if reason := fault_of_stdout():
        say(str(Mistake("unwritable", f"the output cannot be written: {reason}")))
        code = USAGE
    with suppress(OSError, ValueError):
        sys.stderr.flush()
    os._exit(code)


def leave_at_once(guard: Guard) -> None:
    """Nothing: the process ends, since what it does takes all memory and cannot be stopped."""
    from gradcheck_cli.memory import size_text

    size = size_text(guard.limit)
    message = f"more than {size} of memory were taken, and no report could be written in time"
    say(str(Mistake("out-of-memory", message)))
    os._exit(FAILED)


def fault_of_stdout() -> str:
    """Why stdout takes nothing; empty where it does, or where nobody reads it any more. It takes
    everything afterwards, and to nowhere.
    """
    try:
        sys.stdout.flush()
    except (OSError, ValueError) as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return "" if isinstance(error, BrokenPipeError) else error_text(error)
    return ""


def say(text: str) -> None:
    """A message on stderr; no line of it is a command to a CI server."""
    from gradcheck_cli.reports.format import escape_controls, inert

    with suppress(OSError):
        print(inert(escape_controls(text)), file=sys.stderr)


def say_mistakes(error: UserError) -> None:
    """What the user got wrong; on a terminal as wide as that, for programs whole lines."""
    width = columns(sys.stderr) if sys.stderr.isatty() else None
    say("\n".join(mistake.within(width) for mistake in error.mistakes))


def defect(error: BaseException) -> None:
    """Tell of a mistake of ours."""
    say("".join(traceback.format_exception(error)).rstrip("\n"))
    doctor = "`gradcheck doctor` prints what a report of it needs"
    say(f"this is a defect of gradcheck, not of your input; {doctor}")


def out(text: str) -> bool:
    """Write to stdout; whether anybody still reads it."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            return False
        message = f"the report cannot be written: {error.strerror or error}"
        raise mistake("unwritable", message) from error
    return True


def are_one_stream() -> bool:
    """Whether stdout and stderr end in one place, so that whoever reads one reads the other."""
    try:
        return os.path.sameopenfile(sys.stdout.fileno(), sys.stderr.fileno())
    except (OSError, ValueError):
        return sys.stdout is sys.stderr


def is_read() -> bool:
    """Whether anybody may still read stdout, as far as that shows before something is written."""
    if not hasattr(select, "poll"):
        return True
    with suppress(OSError, ValueError):
        poll = select.poll()
        poll.register(sys.stdout.fileno(), 0)
        return not any(event & select.POLLERR for _, event in poll.poll(0))
    return True


def standard_input(most: int) -> str:
    """Everything that stands on stdin; `most` characters are accepted."""
    if sys.stdin is None:
        raise unreadable("-", "stdin is closed")
    return stream_text(sys.stdin, most, "-")


def text_asked(expression: str) -> str:
    """A program's or a claim's text: the argument itself, stdin or a file."""
    if expression == "-":
        return standard_input(LONGEST_TEXT)
    if expression.startswith("@"):
        return file_text(Path(expression[1:]), LONGEST_TEXT, expression)
    return expression


def colour(choice: str) -> bool:
    """Whether stdout gets colour."""
    return wants_colour(choice, os.environ, terminal=sys.stdout.isatty())


def wants_colour(choice: str, environment: Mapping[str, str], *, terminal: bool) -> bool:
    """Whether a stream gets colour: --color, NO_COLOR, FORCE_COLOR, TERM=dumb, or a terminal."""
    if choice != "auto":
        return choice == "always"
    if environment.get("NO_COLOR"):
        return False
    if any(
        environment.get(name, "0") not in ("", "0") for name in ("FORCE_COLOR", "CLICOLOR_FORCE")
    ):
        return True
    return environment.get("TERM") != "dumb" and terminal


def wants_progress(total: int) -> bool:
    """Whether progress is shown: on a terminal, and where there is something to wait for."""
    return total > 1 and sys.stderr.isatty()


def render_report(
    report: Report,
    form: str,
    *,
    paint: bool = False,
    quiet: bool = False,
    brief: bool = False,
    verbose: bool = True,
) -> str:
    """A report in some format; the last four are for the table."""
    render = renderer(form, report.kind)
    if form != "table":
        return render(report)
    width = None if natural(paint=paint) else columns()
    return render(report, width=width, color=paint, verbose=verbose, quiet=quiet, brief=brief)  # type: ignore[call-arg]  # only the table takes these


def natural(*, paint: bool) -> bool:
    """Whether a text may be as wide as it likes: there is no terminal, and no COLUMNS."""
    return not (paint or sys.stdout.isatty() or "COLUMNS" in os.environ)


def columns(stream: TextIO | None = None) -> int | None:
    """Columns of COLUMNS, or of the terminal that a stream is, stdout if none is given; None,
    natural width, where there is neither.
    """
    if _SIZE.fullmatch(width := variable("COLUMNS")):
        return int(width)
    try:
        return os.get_terminal_size((stream or sys.stdout).fileno()).columns or None
    except (OSError, ValueError):
        return None


def variable(name: str) -> str:
    """An environment variable; empty where it is not set."""
    return os.environ.get(name, "")
