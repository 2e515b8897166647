"""Suites on disk: which files a command line means, and their texts; and which checks failed the last time."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from gradcheck_cli.language.errors import Mistake, PointError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

# What a folder is searched for.
PATTERNS = ("*.gradcheck.yaml", "*.gradcheck.yml")
# Where a run leaves what the next one may want; it is of use on this machine alone.
CACHE, CACHE_IGNORE = ".gradcheck_cache", "*\n"


def read_sources(words: Sequence[str], stdin: Callable[[], str]) -> list[tuple[str, str]]:
    """(name, text) of every suite that is meant by files, folders and `-` for stdin; none twice.

    Raises:
        UserError: with every file that cannot be read, and every folder without a suite.
    """
    mistakes: list[Mistake] = []
    found: dict[str, str] = {}
    for word in words:
        if word == "-":
            found.setdefault("stdin", stdin())
            continue
        for path in _files(Path(word), mistakes):
            try:
                found.setdefault(path.as_posix(), path.read_bytes().decode("utf-8"))
            except (OSError, UnicodeDecodeError) as error:
                mistakes.append(Mistake("unreadable", f"`{path}` cannot be read: {error}"))
    if mistakes:
        raise PointError(mistakes)
    return list(found.items())


def _files(path: Path, mistakes: list[Mistake]) -> list[Path]:
    if not path.is_dir():
        return [path]
    found = sorted({file for pattern in PATTERNS for file in path.rglob(pattern) if CACHE not in file.parts})
    if not found:
        mistakes.append(Mistake("no-suite", f"`{path}` holds no suite", help=f"a suite is a file named {' or '.join(PATTERNS)}"))
    return found


def cache(folder: Path) -> Path:
    """The cache folder below `folder`, made and kept out of version control where that is possible."""
    path = folder / CACHE
    with suppress(OSError):
        path.mkdir(exist_ok=True)
        ignore = path / ".gitignore"
        if not ignore.exists():
            ignore.write_text(CACHE_IGNORE, encoding="utf-8")
    return path


def last_failed(folder: Path) -> frozenset[str]:
    """Ids of the checks that failed when they were last made; none where nothing is known."""
    with suppress(OSError, ValueError):
        found = json.loads((folder / "failed.json").read_text(encoding="utf-8"))
        return frozenset(str(item) for item in found)
    return frozenset()


def remember_failed(folder: Path, checked: Iterable[tuple[str, bool]]) -> None:
    """Write down which checks have failed, given as (id, whether it failed); what was not checked stays as it was."""
    known = set(last_failed(folder))
    for name, failed in checked:
        (known.add if failed else known.discard)(name)
    with suppress(OSError):
        (folder / "failed.json").write_text(json.dumps(sorted(known), indent=0, ensure_ascii=False), encoding="utf-8")
