"""Commands that show a page: functions, explanations, schemas, versions."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from gradcheck_cli.cli.entry import command
from gradcheck_cli.cli.help_pages import SHOWN
from gradcheck_cli.cli.streams import colour, columns, natural, out
from gradcheck_cli.language.errors import did_you_mean, mistake

# Columns of a page whose colour is forced, where nobody says how wide it may be.
NO_TERMINAL = 80


@command("functions", "gradcheck functions sigmoid", exits=SHOWN, topics=("language",))
def functions_command(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="One function in full.")
    ] = None,
) -> None:
    """List the functions of the language, or show one: meaning, domain, kinks, torch name,
    pullback, derivative.
    """
    from gradcheck_cli.manual.functions import listing, page

    width = None if natural(paint=False) else columns()
    out(listing(width) if name is None else page(name, width))


@command("explain", "gradcheck explain kink", "gradcheck explain ulp", exits=SHOWN, topics=("",))
def explain_command(
    topic: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[TOPIC]",
            help="An outcome, an error code, a word of the glossary, tolerance, kinks, numeric ...",
        ),
    ] = None,
) -> None:
    """Show the page on an outcome, an error code or a notion; without a topic, list them."""
    from gradcheck_cli.manual.pages import section, topics

    if not topic:
        out("\n".join(topics()) + "\n")
        return
    text, color = section(" ".join(topic)), colour("auto")
    if color or sys.stdout.isatty():
        from gradcheck_cli.manual.layout import lay_out

        text = lay_out(text, columns() or NO_TERMINAL, color=color)
    out(text)


@command("schema", "gradcheck schema suite", exits=SHOWN, topics=("suites", "ci"))
def schema_command(
    what: Annotated[
        str, typer.Argument(metavar="report|suite|sweep", help="What to describe.")
    ] = "report",
) -> None:
    """Print the JSON Schema of the JSON report, of a suite file or of a sweep's report."""
    import json

    from gradcheck_cli.reports.schema import report_schema, sweep_schema
    from gradcheck_cli.suites.schema import suite_schema

    schemas = {"report": report_schema, "suite": suite_schema, "sweep": sweep_schema}
    if what not in schemas:
        raise mistake(
            "unknown-schema",
            f"no schema named `{what}`",
            help=did_you_mean(what, schemas) or f"known: {', '.join(schemas)}",
        )
    out(json.dumps(schemas[what](), indent=2, ensure_ascii=False) + "\n")


@command("doctor", "gradcheck doctor", exits=SHOWN, topics=("errors",))
def doctor_command() -> None:
    """Print versions, devices and settings that matter, for pasting into a report of a problem."""
    from gradcheck_cli.manual.doctor import diagnosis

    out("".join(f"{key:<24} {value}\n" for key, value in diagnosis().items()))
