"""Files and folders that complete a word, as a shell would list them."""

from __future__ import annotations

import os
from pathlib import Path


def paths(word: str, endings: tuple[str, ...]) -> list[str]:
    """What is there: files of these endings, and folders with a slash. What a single folder holds
    stands beside it, so that no shell takes the word for finished.
    """
    found = _entries(word, endings)
    if len(found) == 1 and found[0].endswith("/"):
        found += _entries(found[0], endings)
    return found


def _entries(word: str, endings: tuple[str, ...]) -> list[str]:
    head, slash, start = word.rpartition("/")
    try:
        entries = list(os.scandir(Path(f"{head}{slash}" or ".").expanduser()))
    except (OSError, ValueError, RuntimeError):
        return []
    names = [
        f"{entry.name}/" if entry.is_dir() else entry.name
        for entry in entries
        if entry.name.startswith(start) and (start or not entry.name.startswith("."))
        if entry.is_dir() or entry.name.endswith(endings)
    ]
    return [f"{head}{slash}{name}" for name in sorted(names) if name.isprintable()]
