"""Suites on disk: which files a command line means, and their texts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gradcheck_cli.language.errors import Mistake, PointError
from gradcheck_cli.suites.yaml import MAX_FILE_LENGTH

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

# What a folder is searched for, and what in it holds no suites of the user's.
PATTERNS = ("*.gradcheck.yaml", "*.gradcheck.yml")
CACHE = ".gradcheck_cache"


def read_sources(words: Sequence[str], stdin: Callable[[], str]) -> list[tuple[str, str]]:
    """(name, text) of every suite that is meant by files, folders and `-` for stdin; none twice.

    Raises:
        UserError: with every file that cannot be read, and every folder without a suite.
    """
    mistakes: list[Mistake] = []
    texts: dict[str, str] = {}
    seen: set[Path] = set()
    for word in words:
        if word == "-":
            texts.setdefault("stdin", stdin())
            continue
        paths = suite_files(Path(word))
        if not paths:
            way_out = f"a suite is a file named {' or '.join(PATTERNS)}"
            message = f"`{Path(word)}` holds no suite"
            mistakes.append(Mistake("no-suite", message, help=way_out))
        for path in paths:
            if path.resolve() in seen:
                continue
            seen.add(path.resolve())
            try:
                texts[path.as_posix()] = _text(path)
            except (OSError, UnicodeDecodeError) as error:
                message = f"`{path}` cannot be read: {_reason(error)}"
                mistakes.append(Mistake("unreadable", message))
    if mistakes:
        raise PointError(mistakes)
    return list(texts.items())


def _text(path: Path) -> str:
    # No more than would be refused anyway: a device has no end.
    with path.open("rb") as file:
        return file.read(4 * MAX_FILE_LENGTH + 1).decode("utf-8")


def _reason(error: OSError | UnicodeDecodeError) -> str:
    if isinstance(error, UnicodeDecodeError):
        return f"it is not UTF-8 (byte {error.start:,})"
    return error.strerror or str(error)


def suite_files(path: Path) -> list[Path]:
    """The suites that a path means: all that a folder holds, or the file itself."""
    if not path.is_dir():
        return [path]
    files = {file for pattern in PATTERNS for file in path.rglob(pattern)}
    return sorted(file for file in files if CACHE not in file.parts and file.is_file())
