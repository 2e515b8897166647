"""Suites on disk: which files a command line means, and their texts; and which checks failed the
last time.
"""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from time import time
from typing import TYPE_CHECKING

from gradcheck_cli.language.errors import Mistake, PointError
from gradcheck_cli.suites.yaml import MAX_LENGTH

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

# What a folder is searched for.
PATTERNS = ("*.gradcheck.yaml", "*.gradcheck.yml")
# Where a run leaves what the next one may want; it is of use on this machine alone.
CACHE, CACHE_IGNORE = ".gradcheck_cache", "*\n"
WEEK = 7 * 24 * 3600


def read_sources(words: Sequence[str], stdin: Callable[[], str]) -> list[tuple[str, str]]:
    """(name, text) of every suite that is meant by files, folders and `-` for stdin; none twice.

    Raises:
        UserError: with every file that cannot be read, and every folder without a suite.
    """
    mistakes: list[Mistake] = []
    found: dict[str, str] = {}
    seen: set[Path] = set()
    for word in words:
        if word == "-":
            found.setdefault("stdin", stdin())
            continue
        paths = suite_files(Path(word))
        if not paths:
            mistakes.append(
                Mistake(
                    "no-suite",
                    f"`{Path(word)}` holds no suite",
                    help=f"a suite is a file named {' or '.join(PATTERNS)}",
                )
            )
        for path in paths:
            if path.resolve() in seen:
                continue
            seen.add(path.resolve())
            try:
                found[path.as_posix()] = _text(path)
            except OSError as error:
                mistakes.append(
                    Mistake("unreadable", f"`{path}` cannot be read: {error.strerror or error}")
                )
            except UnicodeDecodeError as error:
                mistakes.append(
                    Mistake(
                        "unreadable",
                        f"`{path}` cannot be read: it is not UTF-8 (byte {error.start:,})",
                    )
                )
    if mistakes:
        raise PointError(mistakes)
    return list(found.items())


def _text(path: Path) -> str:
    # No more than would be refused anyway: a device has no end.
    with path.open("rb") as file:
        return file.read(4 * MAX_LENGTH + 1).decode("utf-8")


def suite_files(path: Path) -> list[Path]:
    """The suites that a path means: all that a folder holds, or the file itself."""
    if not path.is_dir():
        return [path]
    return sorted(
        {
            file
            for pattern in PATTERNS
            for file in path.rglob(pattern)
            if CACHE not in file.parts and file.is_file()
        }
    )


def cache(folder: Path) -> Path:
    """The cache folder below `folder`, made and kept out of version control where that is possible."""
    path = folder / CACHE
    with suppress(OSError):
        path.mkdir(exist_ok=True)
        ignore = path / ".gitignore"
        if not ignore.exists():
            ignore.write_text(CACHE_IGNORE, encoding="utf-8")
    return path


def load_failures(folder: Path) -> frozenset[str]:
    """Ids of the checks that failed when they were last made; none where nothing is known."""
    with suppress(OSError, ValueError):
        found = json.loads((folder / "failed.json").read_text(encoding="utf-8"))
        return frozenset(str(item) for item in found)
    return frozenset()


def save_failures(folder: Path, checked: Iterable[tuple[str, bool]]) -> None:
    """Write down which checks have failed, given as (id, whether it failed); what was not checked
    stays as it was.
    """
    known = set(load_failures(folder))
    for name, failed in checked:
        (known.add if failed else known.discard)(name)
    with suppress(OSError):
        (folder / "failed.json").write_text(
            json.dumps(sorted(known), indent=0, ensure_ascii=False), encoding="utf-8"
        )


def forget_old(folder: Path) -> None:
    """Remove journals that nobody went on from for a week."""
    for path in folder.glob("run-*"):
        with suppress(OSError):
            if time() - path.stat().st_mtime > WEEK:
                path.unlink()
