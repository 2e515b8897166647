"""The configuration file: the nearest `gradcheck.toml`, or `pyproject.toml` with a table
`[tool.gradcheck]`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gradcheck_cli.language.errors import Mistake, UserError, did_you_mean, elide, mistake
from gradcheck_cli.settings.table import EXPORTS, ROWS, SETTINGS, takes_file
from gradcheck_cli.settings.toml import TomlFile, display_path
from gradcheck_cli.settings.toml_values import said_in_toml
from gradcheck_cli.settings.values import Layer, Said, read_variables

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gradcheck_cli.settings.table import Text
    from gradcheck_cli.settings.values import Unread

OWN, SHARED = "gradcheck.toml", "pyproject.toml"
_TABLE = ("tool", "gradcheck")
HEADING = f"[{'.'.join(_TABLE)}]"


@dataclass(frozen=True)
class Configuration:
    """What a file sets."""

    file: TomlFile
    layer: Layer = field(default_factory=dict)

    @property
    def values(self) -> dict[str, Text]:
        """By the names of the settings, as Typer takes them."""
        return {name: said.text for name, said in self.layer.items()}

    @property
    def path(self) -> Path:
        """Where the file is."""
        return self.file.path

    def source(self, name: str) -> str:
        """Where the file sets something: `pyproject.toml:12 [tool.gradcheck]`."""
        heading = _heading(self.path)
        line = self.file.line(self.file.places[(*heading, name)].key)
        return f"{display_path(self.path)}:{line}{f' {HEADING}' if heading else ''}"


@dataclass(frozen=True)
class Preset:
    """What is said of a command's settings before its own words are read."""

    configuration: Configuration | None = None
    variables: Layer = field(default_factory=dict)

    @property
    def file(self) -> Layer:
        """What the file says."""
        return self.configuration.layer if self.configuration else {}


def find(start: Path) -> Path | None:
    """The configuration file of a folder: in it or in the nearest folder above that has one,
    `gradcheck.toml` before `pyproject.toml`.

    Raises:
        UserError: a file on the way cannot be read.
    """
    found = _nearest(start)
    return found.path if found else None


def read(path: Path) -> Configuration:
    """What a file sets; paths in it are relative to its folder, and come as they are seen from the
    working directory.

    Raises:
        UserError: with every mistake found.
    """
    return _read(TomlFile(path))


def preset_of(command: str, start: Path, environment: Mapping[str, str]) -> Preset:
    """What the nearest file and the variables say.

    Raises:
        UserError: with every mistake in the file and in the variables of the command's settings.
    """
    mistakes: list[Mistake] = []
    unread: Unread = {}
    configuration: Configuration | None = None
    try:
        file = _nearest(start) if takes_file(command) else None
        configuration = _read(file) if file else None
    except UserError as error:
        mistakes += error.mistakes
    variables = read_variables(command, environment, unread)
    mistakes += [mistake for found in unread.values() for mistake in found]
    if mistakes:
        raise UserError(mistakes)
    return Preset(configuration, variables)


def configuration_for(
    command: str, start: Path, environment: Mapping[str, str]
) -> Configuration | None:
    """What the nearest file sets, None where there is none.

    Raises:
        UserError: as `preset_of`.
    """
    return preset_of(command, start, environment).configuration


def default_map(configuration: Configuration | None) -> dict[str, dict[str, Text]]:
    """What a file sets as Typer's `default_map`: by command, then by the name of the function's
    parameter.
    """
    values = configuration.values if configuration else {}
    commands = sorted({command for row in ROWS for command in row.commands})
    return {
        command: {
            row.key: values[row.name]
            for row in ROWS
            if command in row.commands and row.name in values
        }
        for command in commands
    }


def shadowed_file(configuration: Configuration) -> Path | None:
    """A `pyproject.toml` whose table does not count, because `gradcheck.toml` stands beside it."""
    shared = configuration.path.parent / SHARED
    try:
        return (
            shared
            if configuration.path.name == OWN and _is_file(shared) and _has_table(TomlFile(shared))
            else None
        )
    except UserError:
        return None


def _nearest(start: Path) -> TomlFile | None:
    for folder in _upwards(start):
        if _is_file(folder / OWN):
            return TomlFile(folder / OWN)
        if _is_file(folder / SHARED) and _has_table(file := TomlFile(folder / SHARED)):
            return file
    return None


def _upwards(start: Path) -> Iterator[Path]:
    """A folder and all above it; none where the working directory has been removed."""
    try:
        here = start.absolute()
    except OSError:
        return
    yield here
    yield from here.parents


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a folder that may not be searched
        return False


def _has_table(file: TomlFile) -> bool:
    """Whether a file has the table; one that never names it is not even parsed."""
    tool = file.document.get(_TABLE[0]) if _TABLE[-1] in file.text else None
    return isinstance(tool, dict) and _TABLE[-1] in tool


def _heading(path: Path) -> tuple[str, ...]:
    """The table that holds the settings: none in a file of our own."""
    return () if path.name == OWN else _TABLE


def _read(file: TomlFile) -> Configuration:
    table: Any = file.document
    for name in _heading(file.path):
        table = table.get(name, {}) if isinstance(table, dict) else {}
    if not isinstance(table, dict):
        raise UserError(
            [
                file.placed(
                    Mistake("bad-setting", f"{HEADING} must be a table of settings"),
                    file.places[_TABLE].key,
                )
            ]
        )
    mistakes: list[Mistake] = []
    layer: Layer = {}
    for name, value in table.items():
        said = _said(file, name, value, mistakes)
        if said is not None:
            layer[name] = said
    if mistakes:
        raise UserError(mistakes)
    return Configuration(file, layer)


def _said(file: TomlFile, name: str, value: Any, mistakes: list[Mistake]) -> Said | None:
    """What a key of the table says; `mistakes` gains what is wrong with it, each with its place."""
    row, address = SETTINGS.get(name), (*_heading(file.path), name)
    if row is None or not row.example:
        mistakes.append(file.placed(_unknown(name), file.places[address].key))
        return None
    wrong: list[tuple[int | None, Mistake]] = []
    folder = file.path.parent

    def seen(word: str) -> str:
        if row.kind is EXPORTS:
            _require_inside(folder, word)
        return display_path(folder / word)

    said = said_in_toml(row, value, seen, wrong)
    for index, found in wrong:
        place = file.places[address]
        mistakes.append(file.placed(found, place.value if index is None else place.items[index]))
    return said


def _require_inside(folder: Path, word: str) -> None:
    """Nothing, if a path leads to where a file in a folder may have something written: below it.
    The file was found, not named, and may be anybody's: one above the working directory must not
    have a run write wherever it likes.

    Raises:
        UserError: it leads elsewhere, by a link too.
    """
    home = os.path.realpath(folder)
    try:
        inside = os.path.commonpath([home, os.path.realpath(folder / word)]) == home
    except (OSError, ValueError):  # another drive, a NUL
        inside = False
    if not inside or Path(word).is_absolute():
        raise mistake(
            "outside-project",
            f"`{elide(word)}` is not a path below `{home}`, the folder of this file",
            help="a report goes elsewhere by --export on the command line, or GRADCHECK_EXPORT",
        )


def _unknown(name: str) -> Mistake:
    """What is wrong with a key that no file may have."""
    if name in SETTINGS:
        row = SETTINGS[name]
        return Mistake(
            "misplaced-setting",
            f"`{name}` is not set in a file: it is for one command alone",
            help=f"use --{name} or {row.variable}",
        )
    message = f"no setting named `{elide(name)}`"
    if name == _TABLE[0]:
        return Mistake(
            "unknown-setting",
            message,
            help=f"in {OWN} the settings stand at the top, without {HEADING}",
        )
    if any(name in row.commands for row in ROWS):
        return Mistake(
            "unknown-setting", message, help="the settings of all commands stand in one table"
        )
    known = [row.name for row in ROWS if row.example]
    return Mistake(
        "unknown-setting", message, help=did_you_mean(name, known) or f"known: {', '.join(known)}"
    )
