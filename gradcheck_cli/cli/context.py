"""Settings as the commands see them: the layers above and below a suite, and the page of
`--show-settings`.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from gradcheck_cli.cli.streams import out

if TYPE_CHECKING:
    from gradcheck_cli.settings.file import Configuration
    from gradcheck_cli.suites.spec import Layer

# What a suite may say as well. Timeouts are among them, so that one case may take longer than the
# others.
SHARED = ("dtype", "device", "wrt", "rtol", "atol", "step", "timeout", "strict")
# Settings that change how a run is made or shown, never what comes of it.
NO_MATTER = (
    "format",
    "export",
    "quiet",
    "verbose",
    "color",
    "jobs",
    "resume",
    "exit-zero",
    "cluster",
    "max-memory",
)


def show_settings_page(context: typer.Context, wanted: bool) -> None:
    """End with the page of settings, if that is what is wanted."""
    if wanted:
        from gradcheck_cli.settings import provenance

        found = _configuration(context)
        rows = provenance.rows(
            str(context.info_name), context.params, context.get_parameter_source, found
        )
        out(provenance.settings_page(rows, provenance.notes(found, os.environ)))
        raise typer.Exit


def layers(context: typer.Context) -> tuple[Layer, Layer]:
    """What the command line or a variable says, which stands above a suite, and what the
    configuration says, which stands below.
    """
    from gradcheck_cli.suites.spec import Layer

    over, under = (_said(context, in_file=in_file) for in_file in (False, True))
    return Layer(**over), Layer(**under)  # type: ignore[arg-type]  # texts, and `strict` is a flag


def _said(context: typer.Context, *, in_file: bool) -> dict[str, object]:
    from gradcheck_cli.settings import provenance

    return provenance.values_from(
        context.params, context.get_parameter_source, SHARED, in_file=in_file
    )


def that_matter(context: typer.Context) -> list[str]:
    """The words of a command that its results depend on, in one order: the same checks are told by
    the same words.
    """
    from gradcheck_cli.settings.table import ROWS

    command = str(context.info_name)
    words = [command, *map(str, context.params.get("suites") or ())]
    for row in ROWS:
        value = context.params.get(row.key)
        said = getattr(context.get_parameter_source(row.key), "name", "DEFAULT") != "DEFAULT"
        if (
            command in row.commands
            and row.words
            and row.name not in NO_MATTER
            and said
            and value is not None
        ):
            for item in value if isinstance(value, list | tuple) else [value]:
                words += (
                    [f"--{row.name}"]
                    if item is True
                    else [f"--no-{row.name}"]
                    if item is False
                    else [f"--{row.name}", str(item)]
                )
    return words


def _configuration(context: typer.Context) -> Configuration | None:
    from gradcheck_cli.settings.file import configuration_for

    return configuration_for(str(context.info_name), Path(), os.environ)
