"""`gradcheck sweep`: every point of a range, in bulk, with proof."""

from __future__ import annotations

from dataclasses import replace

import typer

from gradcheck_cli.cli.context import show_settings_page
from gradcheck_cli.cli.entry import command
from gradcheck_cli.cli.exports import Delivery, require_places
from gradcheck_cli.cli.going import go, signals
from gradcheck_cli.cli.help_pages import EXITS
from gradcheck_cli.cli.options import ExpressionArgument, ShowSettings, with_settings
from gradcheck_cli.cli.streams import say, text_asked
from gradcheck_cli.language.errors import mistake
from gradcheck_cli.records.outcome import NOTHING_SELECTED
from gradcheck_cli.settings.values import Settings


@command(
    "sweep",
    'gradcheck sweep "sigmoid(x)" --over x=-4:4',
    'gradcheck sweep "x*tanh(x)" --over x=all --dtype float16',
    exits=EXITS,
    topics=("sweeps", "outcomes", "glossary"),
)
@with_settings("sweep")
def sweep_command(
    context: typer.Context,
    *,
    expression: ExpressionArgument = "",
    settings: Settings,
    show_settings: ShowSettings = False,
) -> None:
    """Check every point of a range against a proved piecewise polynomial."""
    from gradcheck_cli.records.versions import versions
    from gradcheck_cli.runs.sweeping import prepare_sweep

    show_settings_page(context, show_settings)
    settings.require_readable()
    require_places(settings.export)
    if not expression:
        raise mistake("no-program", "there is nothing to sweep", help="write an expression first")
    with signals():
        session = prepare_sweep(text_asked(expression), settings)
        if not session.run.plan.tasks:
            say("nothing is selected: no part of the sweep was made")
            raise typer.Exit(NOTHING_SELECTED)
        delivery = Delivery(settings)
        broken = go(session, delivery)
        name, *words = settings.command("sweep")
        command = ["gradcheck", name, expression, *words]
        report = session.run.report(command, versions())
        report = replace(report, kind="sweeps", incomplete=report.incomplete or broken)
        report = delivery.deliver(report, quiet=settings.quiet)
        session.close()
    raise typer.Exit(report.exit_code)
