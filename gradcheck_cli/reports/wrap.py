"""Lines no wider than asked for in which no number is ever broken."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from rich.cells import cell_len

from gradcheck_cli.reports.format import NOTHING, escape_controls

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.text import Text

# A guess at what a reader of an annotation still reads; the limits of the services lie beyond it.
MAX_TEXT = 4000
# Numbers first: what this matches is never broken. A name is broken only where it alone is wider
# than a line.
TOKEN = re.compile(
    r"(?P<number>[+-]?0[xX][0-9a-fA-F.]+[pP][+-]?\d+"
    r"|[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?P<name>[^\W\d]\w*)|.",
    re.DOTALL,
)


def wrap(text: Text, width: int | None, indent: int = 0) -> list[Text]:
    """The lines of a text; lines after a break are indented where that fits."""
    lines: list[Text] = []
    for line in text.split("\n", allow_blank=True):
        if width is None or cell_len(line.plain) <= width:
            lines.append(line)
            continue
        # All at once: each cut by itself would copy the rest of the line.
        cuts = [cut for piece in _slices(line.plain, width, indent) for cut in piece]
        for k, piece in enumerate(list(line.divide(cuts))[1::2]):
            if k and cell_len(piece.plain) + indent <= width:
                piece.pad_left(indent)
            lines.append(piece)
    return lines


def _slices(text: str, width: int, indent: int) -> Iterator[tuple[int, int]]:
    """Where each line starts and ends: breaks at spaces, and inside a word only if the word alone
    is too wide.
    """
    start = end = 0
    room = width
    for word in re.finditer(r"\S+", text):
        whole = cell_len(word[0]) <= width - indent
        for a, b in [word.span()] if whole else _pieces(text, *word.span(), width):
            if end > start and cell_len(text[start:b]) > room:
                yield start, end
                start, room = a, width - indent
            end = b
    yield start, end


def _pieces(text: str, start: int, end: int, width: int) -> Iterator[tuple[int, int]]:
    """The unbreakable parts of a word: numbers, names, single characters."""
    for token in TOKEN.finditer(text, start, end):
        if token["name"] and cell_len(token[0]) > width:
            yield from ((i, i + 1) for i in range(*token.span()))
        else:
            yield token.span()


def wrap_command(command: str, width: int | None, used: int = 0) -> str:
    """A shell command over several lines that can still be copied into a shell: each break is a
    backslash at a line's end.

    Args:
        used: columns already taken on the first line.
    """
    if width is None or used + max(map(cell_len, command.split("\n"))) <= width:
        return command
    try:
        words = shlex.split(command)
    except ValueError:  # a command of nobody's shell, in a report of somebody else's
        return command
    lines, column = [""], used
    for k, word in enumerate(words):
        parts = [shlex.quote(word)]
        if cell_len(parts[0]) + 2 > width:
            # Two quotes and the backslash belong to every piece.
            parts = [shlex.quote(word[a:b]) for a, b in _chunks(word, width - 4)]
        for j, part in enumerate(parts):
            lead = " " if k and not j else ""
            # Room for the part and for " \" behind it.
            if column and column + cell_len(lead + part) + 2 > width:
                lines[-1] += f"{lead}\\"
                lines.append("")
                # A line that begins with `::` is a command to a CI server; this is the same word.
                column, lead = 0, "''" * part.startswith("::")
            lines[-1] += lead + part
            column += cell_len(lead + part)
    return "\n".join(lines)


def _chunks(word: str, width: int) -> Iterator[tuple[int, int]]:
    start = end = 0
    for a, b in _pieces(word, 0, len(word), max(1, width)):
        if end > start and cell_len(word[start:b]) > width:
            yield start, end
            start = a
        end = b
    yield start, end


def shorten(text: str, most: int) -> str:
    """At most `most` characters of a text, cut between numbers and names."""
    if len(text) <= most:
        return text
    end = max(
        (token.end() for token in TOKEN.finditer(text, 0, most + 1) if token.end() < most),
        default=0,
    )
    return f"{text[:end]}…"


def one_line(text: str) -> str:
    """A text on one line, without anything that a terminal, a log or a file format would act upon;
    never empty.
    """
    return shorten(" ".join(escape_controls(text).split()), MAX_TEXT) or NOTHING
