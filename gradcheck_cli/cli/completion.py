"""How a word of a command line may go on: commands, options, values, topics, functions, paths."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

import typer

from gradcheck_cli.cli.arguments import COMMANDS, in_order
from gradcheck_cli.cli.paths import paths
from gradcheck_cli.language.errors import UserError
from gradcheck_cli.settings.table import EXPORTS, SETTINGS

if TYPE_CHECKING:
    from collections.abc import Callable


class Completion(NamedTuple):
    """A word that may stand where the cursor is, and what it is."""

    word: str
    help: str = ""


def candidates(group: Any, before: list[str], word: str) -> list[Completion]:
    """How a word may go on.

    Args:
        group: all commands.
        before: the finished words before it.
    """
    if before == ["help"]:
        return _commands(group, word)
    try:
        ordered = in_order(before) or ["check"]
    except UserError:  # a slip, of which the command itself tells
        return []
    if ordered[0] not in COMMANDS:
        return []
    starts = [] if before else [*_commands(group, word), *_options(group, word)]
    command, options = group.commands[ordered[0]], "--" not in before
    return list(dict.fromkeys(starts + _of_command(command, ordered[1:], word, options)))


def _of_command(command: Any, before: list[str], word: str, options: bool) -> list[Completion]:
    awaiting, places = _read(command, before)
    if awaiting is not None:
        return _values(awaiting, word)
    name, equals, value = word.partition("=")
    if options and word.startswith("--") and equals:
        param = _valued(command).get(name)
        given = _values(param, value) if param else []
        return [Completion(f"{name}={word}", said) for word, said in given]
    if options and word.startswith("-"):
        return _options(command, word)
    params = _params(command, "argument")
    if places < len(params):
        return _values(params[places], word)
    if params and params[-1].nargs == -1:
        return _values(params[-1], word)
    return [] if word else _options(command, "--")


def _params(command: Any, kind: str) -> list[Any]:
    params = command.get_params(typer.Context(command, info_name=command.name))
    return [param for param in params if param.param_type_name == kind]


def _read(command: Any, words: list[str]) -> tuple[Any, int]:
    """The option that the next word is the value of, if there is one, and how many words are
    arguments.
    """
    valued, places = _valued(command), 0
    rest = iter(words)
    for word in rest:
        short = f"-{word[-1]}" if re.fullmatch("-[A-Za-z]+", word) else word
        if word == "--":
            return None, places + len(list(rest))
        if short in valued:
            if next(rest, None) is None:
                return valued[short], places
        elif not word.startswith("-") or word == "-":
            places += 1
    return None, places


def _valued(command: Any) -> dict[str, Any]:
    """The options that take a value, by their words."""
    options = (param for param in _params(command, "option") if not param.is_flag)
    return {word: param for param in options for word in param.opts}


def _values(param: Any, word: str) -> list[Completion]:
    """The values of an option or argument: of a setting those of its row, else those of its kind,
    which is its metavar.
    """
    row = SETTINGS.get(param.name.replace("_", "-")) if param.param_type_name == "option" else None
    if row is None:
        kind = _KINDS.get(param.metavar)
        known = kind(word) if kind else _words(str(param.metavar))
    elif row.kind is EXPORTS:
        known = _behind_colon(word)
    else:
        *before, _ = word.split(",") if row.kind.is_plural else [""]
        head = "".join(f"{name}," for name in before)
        known = [f"{head}{name}" for name in row.choices if name not in before]
    return [Completion(name) for name in known if name.startswith(word)]


def _words(metavar: str) -> list[str]:
    """Those of `report|suite`."""
    return metavar.split("|") if re.fullmatch(r"[a-z]+(?:\|[a-z]+)+", metavar) else []


def _behind_sign(word: str) -> list[str]:
    """Files behind an `@`; nothing for a program that is written out."""
    return [f"@{path}" for path in paths(word[1:], _ANY)] if word.startswith("@") else []


def _behind_colon(word: str) -> list[str]:
    """Files behind `FORMAT:`; the others a shell knows itself."""
    form, colon, path = word.partition(":")
    return [f"{form}:{name}" for name in paths(path, _ANY)] if colon and form.isalpha() else []


def _function_names(_: str) -> list[str]:
    from gradcheck_cli.functions import names

    return sorted(names())


def _topic_names(_: str) -> list[str]:
    """Each a single word."""
    from gradcheck_cli.manual.pages import topics

    return [topic.replace(" ", "-") for topic in topics()]


_ANY, _SUITES, _REPORTS = ("",), (".yaml", ".yml"), (".json", ".jsonl")
# What completes an argument, by its metavar.
_KINDS: dict[str, Callable[[str], list[str]]] = {
    "EXPR": _behind_sign,
    "[SUITE|DIR]...": lambda word: paths(word, _SUITES),
    "[DIR]": lambda word: paths(word, ()),
    **dict.fromkeys(
        ("FILE.json", "FILE.json...", "OLD.json", "NEW.json"), lambda word: paths(word, _REPORTS)
    ),
    "[NAME]": _function_names,
    "[TOPIC]": _topic_names,
}


def _commands(group: Any, word: str) -> list[Completion]:
    names = [name for name in COMMANDS if name.startswith(word)]
    return [Completion(name, _sentence(group.commands[name].help)) for name in names]


def _options(command: Any, word: str) -> list[Completion]:
    """The long options; the opposites of switches where `--no` is asked for, and short ones where
    there is no more than a dash.
    """
    if not word.startswith("-"):
        return []
    rows = [
        Completion(name, _sentence(param.help))
        for param in _params(command, "option")
        for name in (*param.opts, *(param.secondary_opts if word.startswith("--no") else ()))
        if name.startswith(word) and (name.startswith("--") or not word.startswith("--"))
    ]
    return list({row.word: row for row in rows}.values())


def _sentence(text: str | None) -> str:
    return " ".join((text or "").split())
