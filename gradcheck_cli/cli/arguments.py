"""The words of the command line, put in order before Typer reads them."""

from __future__ import annotations

import re
from functools import cache

from gradcheck_cli.language.errors import did_you_mean, elide, mistake
from gradcheck_cli.settings.table import FLAG, settings_of

# In order of use, as `--help` lists them.
COMMANDS = (
    "check",
    "sweep",
    "hunt",
    "fn",
    "init",
    "run",
    "lint",
    "lift",
    "report",
    "merge",
    "diff",
    "functions",
    "explain",
    "schema",
    "doctor",
)
# Those that take a program, which may look like an option; the first is the default.
_OF_PROGRAMS = ("check", "sweep", "hunt")
# Words that the group itself answers.
_GROUP = ("-h", "--help", "-V", "--version", "--install-completion", "--show-completion")


class _Options:
    """How the options of a command look.

    Attributes:
        takes_value: a word that the next one belongs to.
        is_option: any other word that is one.
    """

    def __init__(self, command: str) -> None:
        rows = settings_of(command)
        flags, valued = (
            "".join(
                word[1]
                for row in rows
                if (row.kind is FLAG) == is_flag
                for word in row.words
                if re.fullmatch("-[A-Za-z]", word)
            )
            for is_flag in (True, False)
        )
        flags = f"h{flags}"
        names = "|".join(row.name for row in rows if row.kind is not FLAG)
        self.takes_value = re.compile(rf"--(?:{names})|-[{flags}]*[{valued}]")
        known = rf"--[A-Za-z][\w-]*(?:=.*)?|-[{flags}]+|-[{flags}]*[{valued}]\w+"
        self.is_option = re.compile(known, re.DOTALL)
        self._long = {word for row in rows for words in row.words for word in words.split("/")}

    def is_unknown(self, word: str) -> bool:
        """Whether a word looks like a long option and is none of the command."""
        name = word.partition("=")[0]
        return name.startswith("--") and name not in (*self._long, "--help", "--show-settings")


@cache
def _options(command: str) -> _Options:
    return _Options(command)


@cache
def _short_options() -> frozenset[str]:
    """Such as `-j`, of any command."""
    rows = (row for command in COMMANDS for row in settings_of(command))
    words = (word for row in rows for word in row.words)
    return frozenset(word for word in words if re.fullmatch("-[A-Za-z]", word))


def _require_no_command(word: str) -> None:
    if way_out := did_you_mean(word, COMMANDS) if word.isidentifier() else "":
        raise mistake("unknown-command", f"no command named `{elide(word)}`", help=way_out)


def in_order(words: list[str]) -> list[str]:
    """`words` with the default command named, and an expression such as `-x**2` kept from being
    read as an option.

    Raises:
        UserError: the first word is no program as it stands there, and nearly a command; or what
            stands beside the program is a point.
    """
    if not words or words[0] in _GROUP:
        return words
    if words[0] in COMMANDS and words[0] not in _OF_PROGRAMS:
        return words
    if words[0] == "help" and (len(words) == 1 or words[1] in COMMANDS):
        return [*words[1:2], "--help"]
    named = words[0] in _OF_PROGRAMS
    command = words[0] if named else _OF_PROGRAMS[0]
    words, known = words[1:] if named else words, _options(command)
    options: list[str] = []
    expressions: list[str] = []
    unknown: list[str] = []
    strays: list[str] = []
    rest = iter(words)
    for word in rest:
        if word == "--":
            last = list(rest)
            expressions += last
            strays += last
        elif known.takes_value.fullmatch(word):
            value = next(rest, None)
            if value is None:
                # The last word: nothing may follow, or it would pass for the value.
                return [command, *options, word]
            options += [word, value]
        elif known.is_option.fullmatch(word):
            options.append(word)
            if known.is_unknown(word):
                unknown.append(word)
                strays.append(word)
        else:
            expressions.append(word)
            strays.append(word)
    if len(strays) > 1 and command == _OF_PROGRAMS[0]:
        # Imported where it is needed: it reads the program.
        from gradcheck_cli.cli.misplaced import require_point_option

        require_point_option(strays, [word for word in options if word not in unknown])
    pointed = any(re.match("--at(?:=|$)", word) for word in options)
    if not named and (len(expressions) > 1 or not pointed):
        _require_no_command(words[0])
    if len(expressions) > 1:
        # One program is taken: what is an option elsewhere is told to be none here.
        options += [word for word in expressions if word in _short_options()]
        expressions = [word for word in expressions if word not in _short_options()]
    return [command, *options, "--", *expressions] if expressions else [command, *options]
