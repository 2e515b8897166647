"""The words of the command line, put in order before Typer reads them."""

from __future__ import annotations

import re

from gradcheck_cli.language.errors import did_you_mean, elide, mistake
from gradcheck_cli.settings.table import FLAG, settings_of

# In order of use, as `--help` lists them.
COMMANDS = (
    "check",
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
# Words that the group itself answers.
_GROUP = ("-h", "--help", "-V", "--version", "--install-completion", "--show-completion")


def _letters(*, flags: bool) -> str:
    """The short options of `check` that take no value, or those that do."""
    rows = (row for row in settings_of("check") if (row.kind is FLAG) == flags)
    return "".join(word[1] for row in rows for word in row.words if re.fullmatch("-[A-Za-z]", word))


_FLAGS, _VALUED = f"h{_letters(flags=True)}", _letters(flags=False)
_NAMES = "|".join(row.name for row in settings_of("check") if row.kind is not FLAG)
_TAKES_VALUE = re.compile(rf"--(?:{_NAMES})|-[{_FLAGS}]*[{_VALUED}]")
_FLAG = re.compile(rf"--[A-Za-z][\w-]*(?:=.*)?|-[{_FLAGS}]+|-[{_FLAGS}]*[{_VALUED}]\w+", re.DOTALL)


_LONG = {word for row in settings_of("check") for words in row.words for word in words.split("/")}


def _is_unknown(word: str) -> bool:
    """Whether a word looks like a long option and is none of `check`."""
    name = word.partition("=")[0]
    return name.startswith("--") and name not in (*_LONG, "--help", "--show-settings")


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
    if words[0] in COMMANDS[1:]:
        return words
    if words[0] == "help" and (len(words) == 1 or words[1] in COMMANDS):
        return [*words[1:2], "--help"]
    named = words[0] == "check"
    words = words[1:] if named else words
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
        elif _TAKES_VALUE.fullmatch(word):
            value = next(rest, None)
            if value is None:
                # The last word: nothing may follow, or it would pass for the value.
                return ["check", *options, word]
            options += [word, value]
        elif _FLAG.fullmatch(word):
            options.append(word)
            if _is_unknown(word):
                unknown.append(word)
                strays.append(word)
        else:
            expressions.append(word)
            strays.append(word)
    if len(strays) > 1:
        # Imported where it is needed: it reads the program.
        from gradcheck_cli.cli.misplaced import require_point_option

        require_point_option(strays, [word for word in options if word not in unknown])
    pointed = any(re.match("--at(?:=|$)", word) for word in options)
    if not named and (len(expressions) > 1 or not pointed):
        _require_no_command(words[0])
    return ["check", *options, "--", *expressions] if expressions else ["check", *options]
