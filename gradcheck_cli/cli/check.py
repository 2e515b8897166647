"""`gradcheck check`: one program at a point."""

from __future__ import annotations

import shlex
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from gradcheck_cli.cli.arguments import in_order
from gradcheck_cli.cli.context import show_settings_page
from gradcheck_cli.cli.entry import command
from gradcheck_cli.cli.exports import Delivery, require_places, write
from gradcheck_cli.cli.help_pages import EXAMPLE, EXITS
from gradcheck_cli.cli.options import ExpressionArgument, ShowSettings, with_settings
from gradcheck_cli.cli.streams import (
    USAGE,
    defect,
    leave_at_once,
    out,
    say,
    text_asked,
    wants_progress,
)
from gradcheck_cli.language.errors import Mistake, Span, UserError
from gradcheck_cli.memory import Guard, size_text
from gradcheck_cli.settings.values import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gradcheck_cli.checks.result import Result
    from gradcheck_cli.checks.watch import Ending, Job

# A guess: the slowest check that came to an end, 1,600 partials of a matrix product, took 12 s;
# torch's polygamma(2, -1e15) never does.
CASE_LIMIT = 120.0


@command(
    "check",
    EXAMPLE,
    'gradcheck "softmax(W @ x)" --at "W=[[1, 2], [3, 4]],x=[1, -1]" --dtype float32',
    exits={code: text for code, text in EXITS.items() if code != "5"},
    topics=("outcomes", "language", "glossary"),
)
@with_settings("check")
def check_command(
    context: typer.Context,
    *,
    expression: ExpressionArgument = "",
    settings: Settings,
    show_settings: ShowSettings = False,
) -> None:
    """Check the gradient of one program at a point (the default command)."""
    from gradcheck_cli.checks.watch import prepare

    show_settings_page(context, show_settings)
    require_places([*settings.export, *_script(settings)])
    with Guard(settings.max_memory, leave_at_once) as guard:
        text = ""
        try:
            text = text_asked(expression)
            job = prepare(text, _with_files(settings))
        except UserError as error:
            formulas = getattr(error, "formulas", ())
            if formulas and settings.format == "table":
                # Nothing was checked, and the exit code says so; the derivatives are told all the
                # same.
                out("".join(f"{line}\n" for line in formulas))
            placed = (_in_file(mistake, expression, text) for mistake in error.mistakes)
            raise UserError(map(_as_command, placed)) from error
        delivery = Delivery(settings)
        ended = _run(job, delivery, guard, strict=settings.strict)
        report = job.report(ended, ["gradcheck", *sys.argv[1:]], strict=settings.strict)
        code = delivery.deliver(report, quiet=settings.quiet).exit_code
        raise typer.Exit(code if _emitted(ended, settings) else USAGE)


def _script(settings: Settings) -> list[tuple[str, Path]]:
    """The file of `--emit`, as those of reports."""
    return [("script", Path(settings.emit))] if settings.emit else []


def _emitted(ended: Ending, settings: Settings) -> bool:
    """Whether the script that is asked for is written; what is in the way of it is told."""
    from gradcheck_cli.checks.demonstration import demonstration

    for _, path in _script(settings):
        try:
            text = demonstration(ended.results)
        except UserError as error:
            say(str(error))
            return False
        reason = write(path, text)
        if reason:
            say(str(Mistake("unwritable", f"the script cannot be written to `{path}`: {reason}")))
            return False
    return True


def _in_file(mistake: Mistake, expression: str, text: str) -> Mistake:
    """A mistake in a cell or in several lines, its place under the name of the file that they were
    read from.
    """
    from gradcheck_cli.language.cells.scope import CELL, place_in

    if not mistake.place and mistake.span is not None and "\n" in mistake.text:
        before = max(text.find(mistake.text), 0)
        span = Span(before + mistake.span.start, before + mistake.span.end)
        mistake = replace(mistake, place=place_in(text, span))
    name, _, place = mistake.place.partition(":")
    if name != CELL:
        return mistake
    file = "<stdin>" if expression == "-" else expression.removeprefix("@")
    return replace(mistake, place=f"{file}:{place}") if expression[:1] in "-@" else mistake


def _as_command(mistake: Mistake) -> Mistake:
    """A mistake with commands to paste for the programs that may have been meant, or the values."""
    words = in_order(sys.argv[1:])
    end = words.index("--") if "--" in words else len(words)
    options, programs = words[1:end], words[end + 1 :]
    said = {mistake.text, f"--at={mistake.text}"} & {*options}
    commands = (
        shlex.join(["gradcheck", *programs, *_with_value(options, said, text)])
        if said
        else shlex.join(["gradcheck", text, *options])
        for text in mistake.instead
    )
    return replace(mistake, instead=tuple(commands))


def _with_value(options: list[str], said: set[str], text: str) -> Iterator[str]:
    """`options` with another text in the place of what was said."""
    for word in options:
        lead = "--at=" if word.startswith("--at=") else ""
        yield f"{lead}{text}" if word in said else word


def _run(job: Job, delivery: Delivery, guard: Guard, *, strict: bool) -> Ending:
    """What was finished, and how it ended; everything but the end by Ctrl-C is told."""
    from gradcheck_cli.checks.record import record_of
    from gradcheck_cli.records.record import line_of

    def take(result: Result, done: int) -> bool:
        _progress(done, len(job))
        return delivery.settings.format != "jsonl" or delivery.stream(
            line_of(record_of(result, strict=strict))
        )

    ended = job.watched(take, CASE_LIMIT, guard.exceeded)
    if isinstance(ended.error, UserError):
        raise ended.error
    case, rest = f"case {len(ended.results) + 1}", "and is given up, with those after it"
    if isinstance(ended.error, MemoryError):
        say(str(Mistake("out-of-memory", f"{case} got no more memory {rest}")))
    elif ended.error is not None:
        defect(ended.error)
    if ended.given_up:
        say(str(Mistake("timeout", f"{case} was not done in {CASE_LIMIT:g} s {rest}")))
    if ended.exhausted:
        more = f"took more than {size_text(guard.limit)} of memory"
        say(str(Mistake("out-of-memory", f"{case} {more} {rest}")))
    return ended


def _progress(done: int, total: int) -> None:
    """A counter on stderr."""
    if wants_progress(total):
        sys.stderr.write(f"\r{done}/{total}" if done < total else "\r\x1b[K")
        sys.stderr.flush()


def _with_files(settings: Settings) -> Settings:
    """The settings with the texts of files, or of stdin, for claims that name them."""
    said = settings.above.get("claim")
    if said is None:
        return settings
    read = said._replace(value=tuple(text_asked(claim) for claim in said.value))
    return replace(settings, above={**settings.above, "claim": read})
