"""The words of the command line, put in order before Typer reads them."""

from __future__ import annotations

import re

COMMANDS = ("check", "functions", "explain", "schema", "doctor")
# Words that the group itself answers.
_GROUP = ("-h", "--help", "-V", "--version", "--install-completion", "--show-completion")
_TAKES_VALUE = ("--at", "--wrt", "--dtype", "--device", "--cotangent", "--rtol", "--atol", "--step", "-f", "--format", "--export", "--color")
_LONG = re.compile(r"--[A-Za-z][\w-]*(=.*)?", re.DOTALL)
_SHORT = re.compile(r"-[qvh]+|-f\w+")


def in_order(words: list[str]) -> list[str]:
    """`words` with the default command named, and an expression such as `-x**2` kept from being read as an option."""
    if not words or words[0] in _GROUP:
        return words
    if words[0] in COMMANDS[1:]:
        return words
    words = words[1:] if words[0] == "check" else words
    options: list[str] = []
    expressions: list[str] = []
    rest = iter(words)
    for word in rest:
        if word == "--":
            expressions += rest
        elif word in _TAKES_VALUE:
            options += [word, *_next(rest)]
        elif word.startswith("-") and word != "-" and (_LONG.fullmatch(word) or _SHORT.fullmatch(word)):
            options.append(word)
        else:
            expressions.append(word)
    return ["check", *options, "--", *expressions] if expressions else ["check", *options]


def _next(words: object) -> list[str]:
    found = next(words, None)  # type: ignore[call-overload]  # an iterator of words
    return [] if found is None else [found]
