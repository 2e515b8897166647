"""`gradcheck report`, `merge` and `diff`: reports that runs have left."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gradcheck_cli.cli.entry import command
from gradcheck_cli.cli.exports import Delivery, require_places
from gradcheck_cli.cli.options import Before, with_settings
from gradcheck_cli.cli.streams import (
    colour,
    columns,
    natural,
    out,
    render_report,
    say,
    standard_input,
)
from gradcheck_cli.language.errors import (
    Mistake,
    PointError,
    UserError,
    did_you_mean,
    elide,
    mistake,
)
from gradcheck_cli.records.json_text import json_text
from gradcheck_cli.settings.table import group_of
from gradcheck_cli.settings.values import Settings

if TYPE_CHECKING:
    from gradcheck_cli.records.report import Report

# Bytes that a character of a report takes while it is read, held and rendered as JSON: 11.6 were
# measured.
HELD = 16

StoredArgument = Annotated[
    str,
    typer.Argument(
        metavar="FILE.json",
        help="A JSON or JSON lines report; `-` reads it from stdin.",
        show_default=False,
    ),
]
Several = Annotated[
    list[str],
    typer.Argument(
        metavar="FILE.json...", help="JSON reports of the shards of one run.", show_default=False
    ),
]
# What `diff` can be rendered as.
DIFF_FORMATS = ("table", "json")
_OWN = {"2": "a report cannot be read or written", "else": "that of the report"}


@command(
    "report",
    "gradcheck report report.json --format markdown",
    exits=_OWN,
    topics=("ci", "outcomes"),
)
@with_settings("report")
def report_command(*, stored: StoredArgument, settings: Settings) -> None:
    """Render a stored report again; the exit code is the report's own."""
    settings.require_readable()
    _render(_read([stored])[0], settings)


@command(
    "merge",
    "gradcheck merge shard-1.json shard-2.json --export report.json",
    exits=_OWN,
    topics=("ci",),
)
@with_settings("merge", format="json")
def merge_command(*, stored: Several, settings: Settings) -> None:
    """Make one report of the reports of all shards; the exit code is that of the whole."""
    from gradcheck_cli.reports.merge import merge_reports
    from gradcheck_cli.settings.table import immaterial_words

    settings.require_readable()
    reports = _shards(stored)
    merged = merge_reports(reports, stored, immaterial_words("run"))
    known = {problem for report in reports for problem in report.problems}
    for problem in merged.problems:
        if problem not in known:
            say(problem)
    _render(merged, settings)


@command(
    "diff",
    "gradcheck diff old.json new.json",
    exits={
        "0": "nothing is worse",
        "1": "something is worse",
        "2": "a report cannot be read",
        "3": "the tool failed",
    },
    topics=("ci",),
)
@with_settings("diff")
def diff_command(
    *,
    old: Annotated[
        str,
        typer.Argument(metavar="OLD.json", help="The report to compare with.", show_default=False),
    ],
    new: Annotated[
        str,
        typer.Argument(
            metavar="NEW.json", help="The report that may be worse.", show_default=False
        ),
    ],
    form: Annotated[
        str,
        typer.Option(
            "--format",
            "-f",
            metavar="|".join(DIFF_FORMATS),
            help="What it is rendered as.",
            rich_help_panel=group_of("format"),
        ),
        Before("color"),
    ] = "table",
    settings: Settings,
) -> None:
    """List what is worse, better or new in a report; exit 1 if anything is worse."""
    from gradcheck_cli.reports.diff import compare_reports
    from gradcheck_cli.reports.diff_text import diff_document, render_diff

    if form not in DIFF_FORMATS:
        raise mistake(
            "unknown-format",
            f"no format of differences named `{elide(form)}`",
            help=did_you_mean(form, DIFF_FORMATS) or f"known: {', '.join(DIFF_FORMATS)}",
        )
    settings.require_readable()
    paint = colour(settings.color)
    found = compare_reports(*_read([old, new]))
    if form == "json":
        out(json_text(diff_document(found), indent=1) + "\n")
    else:
        out(render_diff(found, None if natural(paint=paint) else columns(), color=paint))
    raise typer.Exit(found.exit_code)


def _shards(words: list[str]) -> list[Report]:
    """The stored reports of shards: an empty file beside JSON lines is that of a shard without a
    check.
    """
    from gradcheck_cli.reports.stored import emptiness

    reports = _read(words, blank=True)
    is_lines = not any(report.command for report in reports)
    if is_lines and any(report.records for report in reports):
        return reports
    blank = [w for w, r in zip(words, reports, strict=True) if not (r.records or r.command)]
    if blank:
        names = ("stdin" if word == "-" else word for word in blank)
        raise PointError([each for name in names for each in emptiness(name).mistakes])
    return reports


def _read(words: list[str], *, blank: bool = False) -> list[Report]:
    """The stored reports, or every mistake in all of them.

    Args:
        blank: as in `read_report`.
    """
    from gradcheck_cli.memory import machine_memory
    from gradcheck_cli.reports.stored import LONGEST_REPORT, read_report

    longest = min(LONGEST_REPORT, machine_memory() // HELD)

    found: list[Report] = []
    mistakes: list[Mistake] = []
    for word in words:
        try:
            found.append(
                read_report(standard_input(longest), "stdin", blank=blank)
                if word == "-"
                else read_report(Path(word), longest=longest, blank=blank)
            )
        except UserError as error:
            mistakes += error.mistakes
    if mistakes:
        raise PointError(mistakes)
    return found


def _render(report: Report, settings: Settings) -> None:
    """Write a report as it is asked for, and end with its exit code."""
    require_places(settings.export)
    suite = any(record["source"] is not None for record in report.records)
    quiet = settings.quiet or (suite and not settings.verbose)
    delivery = Delivery(settings)
    if settings.format == "jsonl":
        delivery.stream(render_report(report, "jsonl"))
    raise typer.Exit(delivery.deliver(report, quiet=quiet).exit_code)
