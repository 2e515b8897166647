"""Files and folders that complete a word, as a shell would list them."""

from __future__ import annotations

import os
from pathlib import Path

SUITES, REPORTS = (".yaml", ".yml"), (".json", ".jsonl")
_ANY = ("",)


def suite_paths(incomplete: str) -> list[str]:
    """Suites, and the folders on the way to them."""
    return _paths(incomplete, SUITES)


def report_paths(incomplete: str) -> list[str]:
    """Stored reports, and the folders on the way to them."""
    return _paths(incomplete, REPORTS)


def folder_paths(incomplete: str) -> list[str]:
    """Folders."""
    return _paths(incomplete, ())


def program_paths(incomplete: str) -> list[str]:
    """Files behind an `@`; nothing for a program that is written out."""
    if not incomplete.startswith("@"):
        return []
    return [f"@{path}" for path in _paths(incomplete[1:], _ANY)]


def export_paths(incomplete: str) -> list[str]:
    """Files behind `FORMAT:`; a shell knows the others."""
    form, colon, path = incomplete.partition(":")
    return [f"{form}:{name}" for name in _paths(path, _ANY)] if colon and form.isalpha() else []


def _paths(word: str, endings: tuple[str, ...]) -> list[str]:
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
