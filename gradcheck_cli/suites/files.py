"""Suites on disk: which files a command line means, and their texts."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from gradcheck_cli.language.errors import Mistake, PointError
from gradcheck_cli.language.files import file_text
from gradcheck_cli.suites.yaml import MAX_FILE_LENGTH

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

# What a folder is searched for, and what in it holds no suites of the user's.
PATTERNS = ("*.gradcheck.yaml", "*.gradcheck.yml")
CACHE = ".gradcheck_cache"
# What a suite from stdin is called.
STDIN = "stdin"


def read_sources(words: Sequence[str], stdin: Callable[[int], str]) -> list[tuple[str, str]]:
    """(name, text) of every suite that is meant by files, folders and `-` for stdin; none twice.

    Raises:
        UserError: with every file that cannot be read, and every folder without a suite.
    """
    mistakes: list[Mistake] = []
    texts: dict[str, str] = {}
    seen: set[str] = set()
    for word in words:
        if word == "-":
            texts.setdefault(STDIN, stdin(MAX_FILE_LENGTH))
            continue
        paths = suite_files(Path(word))
        if not paths:
            way_out = f"a suite is a file named {' or '.join(PATTERNS)}"
            message = f"`{Path(word)}` holds no suite"
            mistakes.append(Mistake("no-suite", message, help=way_out))
        for path in paths:
            same = _place(path)
            if same in seen:
                continue
            seen.add(same)
            try:
                texts[path.as_posix()] = file_text(path, MAX_FILE_LENGTH, as_is=True)
            except PointError as error:
                mistakes += error.mistakes
    if mistakes:
        raise PointError(mistakes)
    return list(texts.items())


def _place(path: Path) -> str:
    """Where a file lies, links followed; of a name that no file can have the name."""
    try:
        return os.path.realpath(path)
    except (OSError, ValueError):
        return str(path)


def suite_files(path: Path) -> list[Path]:
    """The suites that a path means: all that a folder holds, or the file itself."""
    if not path.is_dir():
        return [path]
    files = {file for pattern in PATTERNS for file in path.rglob(pattern)}
    return sorted(file for file in files if CACHE not in file.parts and file.is_file())
