"""JSON that may be printed anywhere, whoever wrote the texts in it.

What a terminal acts upon, and what a CI server reads as a command, is written as escapes; the data
are the same.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from gradcheck_cli.records.indented import indented

if TYPE_CHECKING:
    from collections.abc import Callable

# `##[error]` of GitHub and Azure, `##vso[...]`, `##teamcity[...]`: their readers look for these
# anywhere in a line. `section_start:...` of GitLab, `travis_fold:...`.
MARKS = re.compile(
    r"#(?=#[\w-]*\[)|(?<=section_start):|(?<=section_end):|(?<=travis_(?:fold|time)):"
)
# One of these is in each of them, and is looked for much faster.
_SIGNS = ("##", "section_", "travis_")
_COMPACT = json.JSONEncoder(ensure_ascii=False, allow_nan=False, check_circular=False)


def json_text(data: Any, *, indent: int | None = None) -> str:
    """Data as JSON on one line, or on many with an indent of 1."""
    text = _COMPACT.encode(data) if indent is None else indented(data)
    text = without_marks(text, _escape)
    if (text.isascii() and "\x7f" not in text) or text.replace("\n", " ").isprintable():
        return text
    return "\n".join(map(_printable, text.split("\n")))


def without_marks(text: str, escape: Callable[[re.Match[str]], str]) -> str:
    """A text with the first sign of each mark escaped."""
    return MARKS.sub(escape, text) if any(sign in text for sign in _SIGNS) else text


def _printable(line: str) -> str:
    if line.isprintable():
        return line
    return "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in line)


def _escape(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"
