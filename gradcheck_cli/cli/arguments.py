"""The words of the command line, put in order before Typer reads them."""

from __future__ import annotations

import re

COMMANDS = (
    "check",
    "run",
    "lint",
    "report",
    "diff",
    "merge",
    "init",
    "functions",
    "explain",
    "schema",
    "doctor",
)
# Words that the group itself answers.
_GROUP = ("-h", "--help", "-V", "--version", "--install-completion", "--show-completion")
_TAKES_VALUE = re.compile(
    r"--(?:at|wrt|dtype|device|cotangent|rtol|atol|step|format|export|color)|-[qvh]*f"
)
_FLAG = re.compile(r"--[A-Za-z][\w-]*(?:=.*)?|-[qvh]+|-[qvh]*f\w+", re.DOTALL)


def in_order(words: list[str]) -> list[str]:
    """`words` with the default command named, and an expression such as `-x**2` kept from being
    read as an option.
    """
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
        elif _TAKES_VALUE.fullmatch(word):
            value = next(rest, None)
            if value is None:
                # The last word: nothing may follow, or it would pass for the value.
                return ["check", *options, word]
            options += [word, value]
        elif _FLAG.fullmatch(word):
            options.append(word)
        else:
            expressions.append(word)
    return ["check", *options, "--", *expressions] if expressions else ["check", *options]
