"""The settings of a command as Typer's context has them, and the page of `--show-settings`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from gradcheck_cli.cli.streams import out, say

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gradcheck_cli.language.errors import Mistake
    from gradcheck_cli.settings.file import Preset
    from gradcheck_cli.settings.table import Text
    from gradcheck_cli.settings.values import Settings


def settings_for(context: typer.Context, instead: Mapping[str, str]) -> Settings:
    """What holds for a command; a variable that is nearly one of its settings is told.

    Args:
        instead: what is built in for this command alone, as texts.
    """
    from gradcheck_cli.settings.provenance import slips

    if not context.params.get("show_settings"):  # that page has them
        for sentence in slips(os.environ):
            say(sentence)
    return _settings(context, instead, _preset(context))


def settings_anew(context: typer.Context) -> Settings:
    """What holds for a command now: its words, and what the nearest file says by now.

    Raises:
        UserError: with every mistake in the file.
    """
    from gradcheck_cli.settings.file import preset_of

    return _settings(context, {}, preset_of(str(context.info_name), Path(), os.environ))


def _settings(context: typer.Context, instead: Mapping[str, str], preset: Preset) -> Settings:
    from gradcheck_cli.settings.table import ROWS
    from gradcheck_cli.settings.values import Settings, read_layer

    unread: dict[str, tuple[Mistake, ...]] = {}
    words = {
        row.name: _text(context.params[row.key])
        for row in ROWS
        if getattr(context.get_parameter_source(row.key), "name", "") == "COMMANDLINE"
    }
    return Settings(
        above={**preset.variables, **read_layer(words, unread)},
        below={**read_layer(instead, unread), **preset.file},
        unread=unread,
    )


def _text(value: Any) -> Text:
    """The words of an option; several come as a list or as a tuple, as Typer's version has it."""
    return list(value) if isinstance(value, tuple) else value


def show_settings_page(context: typer.Context, wanted: bool) -> None:
    """End with the page of settings, if that is what is wanted."""
    if wanted:
        from gradcheck_cli.settings import provenance

        configuration = _preset(context).configuration
        rows = provenance.rows(
            str(context.info_name), context.params, context.get_parameter_source, configuration
        )
        out(provenance.settings_page(rows, provenance.notes(configuration, os.environ)))
        raise typer.Exit


def _preset(context: typer.Context) -> Preset:
    """What was read before Typer was asked, or what there is to be read."""
    from gradcheck_cli.settings.file import Preset, preset_of

    return context.find_object(Preset) or preset_of(str(context.info_name), Path(), os.environ)
