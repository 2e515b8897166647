"""Where the value of each setting comes from, for `--show-settings`."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from gradcheck_cli.language.errors import did_you_mean, printable
from gradcheck_cli.settings.file import OWN, shadowed_file
from gradcheck_cli.settings.table import PREFIX, ROWS
from gradcheck_cli.settings.toml import display_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from gradcheck_cli.settings.file import Configuration
    from gradcheck_cli.settings.table import Setting

BUILT_IN, COMMAND_LINE = "built in", "command line"


class SettingLine(NamedTuple):
    """A setting, its value in words, and where that comes from."""

    name: str
    value: str
    source: str


def rows(
    command: str,
    values: Mapping[str, object],
    origin: Callable[[str], object],
    configuration: Configuration | None,
) -> list[SettingLine]:
    """A row for each setting of a command.

    Args:
        values: by the names of the function's parameters: `ctx.params`.
        origin: Typer's word for where a parameter's value comes from: `ctx.get_parameter_source`.
    """
    return [
        SettingLine(
            row.name,
            _words(row, values.get(row.key)),
            _source(row, _origin(origin, row), configuration),
        )
        for row in ROWS
        if command in row.commands
    ]


def settings_page(found: Iterable[SettingLine], notes: Iterable[str] = ()) -> str:
    """The settings as a text in aligned columns, and the notes below it."""
    table = [SettingLine("setting", "value", "from"), *found]
    widths = [max(len(row[k]) for row in table) for k in range(2)]
    lines = [f"{row.name:<{widths[0]}}  {row.value:<{widths[1]}}  {row.source}" for row in table]
    return "\n".join([*lines, *([""] if notes else []), *map(printable, notes)]) + "\n"


def notes(configuration: Configuration | None, environment: Mapping[str, str]) -> list[str]:
    """What else there is to know: the file that was read, one that was not, and variables that set
    nothing.
    """
    read = (
        f"configuration file: {display_path(configuration.path)}"
        if configuration
        else "no configuration file was found"
    )
    beside = shadowed_file(configuration) if configuration else None
    return [
        read,
        *([f"{display_path(beside)} has settings too; {OWN} beside it wins"] if beside else []),
        *_strangers(environment),
    ]


def slips(environment: Mapping[str, str]) -> list[str]:
    """A sentence for each variable that is no setting and nearly one: a slip, which would change
    what is checked without a word.
    """
    near = _near_settings(environment)
    sentences = zip(near.values(), _strangers(environment), strict=True)
    return [sentence for words, sentence in sentences if words]


def _strangers(environment: Mapping[str, str]) -> list[str]:
    """A sentence for each variable that looks like a setting and is none: somebody else's, or a
    slip.
    """
    near = _near_settings(environment)
    return [f"{PREFIX}{n} is no setting{f'; {near[n]}' if near[n] else ''}" for n in near]


def _near_settings(environment: Mapping[str, str]) -> dict[str, str]:
    """For the ends of variables that are no settings which one is meant, in words; nothing where
    none is near.
    """
    known = [row.variable.removeprefix(PREFIX) for row in ROWS if row.variable]
    names = sorted(name.removeprefix(PREFIX) for name in environment if name.startswith(PREFIX))
    # The common beginning would make all names look alike.
    return {
        name: did_you_mean(name, known).replace(" `", f" `{PREFIX}")
        for name in names
        if name not in known
    }


def _origin(origin: Callable[[str], object], row: Setting) -> str:
    """`COMMANDLINE`, `ENVIRONMENT`, `DEFAULT_MAP` or `DEFAULT`; Typer brings its own copy of the
    class that they belong to.
    """
    return str(getattr(origin(row.key), "name", "DEFAULT"))


def _source(row: Setting, origin: str, configuration: Configuration | None) -> str:
    if origin == "DEFAULT_MAP" and configuration:
        return configuration.source(row.name)
    return {"COMMANDLINE": COMMAND_LINE, "ENVIRONMENT": row.variable}.get(origin, BUILT_IN)


def _words(row: Setting, value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        value = ", ".join(map(str, value))
    return printable(str(value)) if value else row.builtin
