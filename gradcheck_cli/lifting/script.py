"""A notebook or a script as one text, and where in it each line stands."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from gradcheck_cli.language.cells.prompts import bare, without_magics
from gradcheck_cli.language.errors import ProgramError, elide, mistake
from gradcheck_cli.language.files import file_text
from gradcheck_cli.language.source import Source
from gradcheck_cli.language.syntax import tree

if TYPE_CHECKING:
    import ast
    from collections.abc import Iterator
    from pathlib import Path

# Characters of a file: a notebook holds its pictures. Of the code in it more are not read.
LONGEST_FILE, LONGEST_CODE = 50_000_000, 1_000_000
NOTEBOOK = ".ipynb"
# Magics of a whole cell that leave it Python.
_HARMLESS = ("time", "timeit", "capture", "prun")
_CELL_MAGIC = re.compile(r"\s*%%(\w+)")
# A line that goes on with what stands above it at the margin.
_GOES_ON = re.compile(r"[)\]}#\s]|else\b|elif\b|except\b|finally\b|$")
# Parts of a cell that are no Python, each found by parsing the rest again.
_MOST_PARTS = 50


class ScriptLine(NamedTuple):
    """Where a line stands: in which cell of code, from 1, or 0 in a script."""

    cell: int
    line: int

    def __str__(self) -> str:
        return f"cell {self.cell}, line {self.line}" if self.cell else f"line {self.line}"


class NotLifted(NamedTuple):
    """What is not lifted, and why."""

    place: ScriptLine
    reason: str

    def __str__(self) -> str:
        return f"{self.place}: {self.reason}"


@dataclass(frozen=True)
class Script:
    """All the Python of a file.

    Attributes:
        places: of the lines of `source`.
        unread: what is no Python.
    """

    source: Source
    body: list[ast.stmt]
    places: tuple[ScriptLine, ...]
    unread: tuple[NotLifted, ...]

    def place(self, line: int) -> ScriptLine:
        """Where a line of the source stands."""
        return self.places[min(max(line, 1), len(self.places)) - 1]


def read_script(path: Path) -> Script:
    """The Python of a notebook or of a script; nothing of it is run.

    Raises:
        PointError: the file cannot be read, or is no notebook of Python.
    """
    text = file_text(path, LONGEST_FILE)
    is_notebook = path.suffix == NOTEBOOK
    cells = list(_cells(text, str(path))) if is_notebook else [text]
    if sum(map(len, cells)) > LONGEST_CODE:
        message = f"`{path}` has more than {LONGEST_CODE:,} characters of code"
        raise mistake("too-large", f"{message}, and no more are read")
    lines: list[str] = []
    places: list[ScriptLine] = []
    unread: list[NotLifted] = []
    for number, cell in enumerate(cells, 1):
        kept = _python_of(cell, number if is_notebook else 0, unread)
        lines += kept
        places += [ScriptLine(number if is_notebook else 0, k) for k in range(1, len(kept) + 1)]
    source = Source("\n".join(lines))
    return Script(source, tree(source).body, tuple(places), tuple(unread))


def _cells(text: str, name: str) -> Iterator[str]:
    """The cells of code of a notebook, in order."""
    try:
        notebook = json.loads(text)
    except (ValueError, RecursionError) as error:
        words = elide(str(error))
        raise mistake("unreadable", f"`{name}` is no notebook: {words}") from error
    sheets = notebook.get("worksheets", [notebook]) if isinstance(notebook, dict) else None
    if not isinstance(sheets, list) or not all(_is_sheet(sheet) for sheet in sheets):
        raise mistake("unreadable", f"`{name}` is no notebook: it has no list of cells")
    language = _language(notebook)
    if not language.lower().startswith(("python", "ipython")):
        message = f"`{name}` is a notebook of {elide(language)}, and Python is read"
        raise mistake("unreadable", message)
    for sheet in sheets:
        for cell in sheet["cells"]:
            if isinstance(cell, dict) and cell.get("cell_type") == "code":
                written = cell.get("source", cell.get("input", ""))
                parts = written if isinstance(written, list) else [written]
                yield "".join(part for part in parts if isinstance(part, str))


def _is_sheet(sheet: Any) -> bool:
    return isinstance(sheet, dict) and isinstance(sheet.get("cells"), list)


def _language(notebook: dict[str, Any]) -> str:
    """The language of a notebook, as far as it says."""
    about = notebook.get("metadata")
    for key, word in (("language_info", "name"), ("kernelspec", "language")):
        part = about.get(key) if isinstance(about, dict) else None
        said = part.get(word) if isinstance(part, dict) else None
        if isinstance(said, str) and said:
            return said
    return "Python"


def _python_of(cell: str, number: int, unread: list[NotLifted]) -> list[str]:
    """The lines of a cell; those that are no Python are empty, and told."""
    magic = _CELL_MAGIC.match(cell)
    if magic and magic[1] not in _HARMLESS:
        unread.append(NotLifted(ScriptLine(number, 1), f"a cell of `%%{magic[1]}` is not read"))
        return [""] * (cell.count("\n") + 1)
    plain, magics = without_magics(bare(cell))
    given = bare(cell).split("\n")
    for line in magics:
        if not given[line - 1].startswith("%%"):
            words = elide(given[line - 1].strip())
            unread.append(NotLifted(ScriptLine(number, line), f"`{words}` is no Python"))
    lines = plain.split("\n")
    for _ in range(_MOST_PARTS):
        try:
            tree(Source("\n".join(lines)))
        except ProgramError as error:
            wrong = error.mistakes[0]
            start = 0 if wrong.span is None else wrong.span.start
            line = "\n".join(lines).count("\n", 0, start) + 1
            unread.append(NotLifted(ScriptLine(number, line), wrong.message))
            _leave_out(lines, line)
        else:
            return lines
    unread.append(
        NotLifted(ScriptLine(number, 1), "too much here is no Python: nothing of it is read")
    )
    return [""] * len(lines)


def _leave_out(lines: list[str], line: int) -> None:
    """Empty the part of a text that a line stands in, from margin to margin."""
    start = min(line, len(lines)) - 1
    while start > 0 and (_GOES_ON.match(lines[start]) or lines[start - 1].startswith("@")):
        start -= 1
    end = max(start + 1, line)
    while end < len(lines) and _GOES_ON.match(lines[end]):
        end += 1
    lines[start:end] = [""] * (end - start)
