"""`gradcheck hunt`: the worst points of ranges that are too large to be swept."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import typer

from gradcheck_cli.cli.context import show_settings_page
from gradcheck_cli.cli.entry import command
from gradcheck_cli.cli.exports import Delivery, require_places
from gradcheck_cli.cli.going import signals
from gradcheck_cli.cli.help_pages import EXITS
from gradcheck_cli.cli.options import ExpressionArgument, ShowSettings, with_settings
from gradcheck_cli.cli.streams import defect, leave_at_once, say, text_asked, wants_progress
from gradcheck_cli.language.errors import Mistake, UserError, mistake
from gradcheck_cli.memory import Guard, size_text
from gradcheck_cli.records.record import line_of
from gradcheck_cli.settings.values import Settings

if TYPE_CHECKING:
    from gradcheck_cli.hunting.job import HuntEnding, HuntJob


@command(
    "hunt",
    'gradcheck hunt "tanh(x)" --over x=-9:9 --dtype float32',
    'gradcheck hunt "sin(x*y)*z" --over x=-4:4,y=0:1 --at z=2 --budget 500',
    exits={code: text for code, text in EXITS.items() if code != "5"},
    topics=("hunting", "outcomes", "glossary"),
)
@with_settings("hunt")
def hunt_command(
    context: typer.Context,
    *,
    expression: ExpressionArgument = "",
    settings: Settings,
    show_settings: ShowSettings = False,
) -> None:
    """Search ranges of inputs for the points where torch is worst."""
    from gradcheck_cli.hunting.asked import prepare_hunt

    show_settings_page(context, show_settings)
    settings.require_readable()
    require_places(settings.export)
    if not expression:
        raise mistake("no-program", "there is nothing to hunt in", help="write an expression first")
    with Guard(settings.max_memory, leave_at_once) as guard, signals():
        job = prepare_hunt(text_asked(expression), settings)
        delivery = Delivery(settings)
        ended = job.watched(_tell, settings.timeout, guard.exceeded)
        _line("")
        _explain(ended, settings.timeout, guard)
        report = job.report(ended, ["gradcheck", *sys.argv[1:]], strict=settings.strict)
        if settings.format == "jsonl":
            all(delivery.stream(line_of(record)) for record in report.records)
        raise typer.Exit(delivery.deliver(report, quiet=settings.quiet).exit_code)


def _explain(ended: HuntEnding, limit: float, guard: Guard) -> None:
    """Tell why a hunt was broken off; Ctrl-C needs no words."""
    if isinstance(ended.error, UserError):
        raise ended.error
    if ended.error is not None:
        defect(ended.error)
    if ended.given_up:
        message = f"nothing was done for {limit:g} s: the hunt is given up"
        way_out = "narrow the ranges, or give more time by `--timeout`"
        say(str(Mistake("timeout", message, help=way_out)))
    if ended.exhausted:
        more = f"more than {size_text(guard.limit)} of memory were taken"
        say(str(Mistake("out-of-memory", f"{more}: the hunt is given up")))


def _tell(job: HuntJob) -> None:
    _line(job.progress)


def _line(text: str) -> None:
    """A line on stderr, which the next one takes the place of; on a terminal alone."""
    if wants_progress(2):
        sys.stderr.write(f"\r{text}\x1b[K")
        sys.stderr.flush()
