"""The cache folder: what a run leaves for the next one, of use on this machine alone."""

from __future__ import annotations

import json
from contextlib import suppress
from time import time
from typing import TYPE_CHECKING

from gradcheck_cli.suites.files import CACHE

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

WEEK = 7 * 24 * 3600


def cache(folder: Path) -> Path:
    """The cache folder below `folder`, made and kept out of version control where that can be."""
    path = folder / CACHE
    with suppress(OSError):
        path.mkdir(exist_ok=True)
        ignore = path / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n", encoding="utf-8")
    return path


def load_failures(folder: Path) -> frozenset[str]:
    """Ids of the checks that failed when they were last made; none where nothing is known."""
    with suppress(OSError, ValueError):
        ids = json.loads((folder / "failed.json").read_text(encoding="utf-8"))
        return frozenset(str(item) for item in ids)
    return frozenset()


def save_failures(folder: Path, checks: Iterable[tuple[str, bool]]) -> None:
    """Write down which checks failed, as (id, whether it failed); others stay as they were."""
    known = set(load_failures(folder))
    for name, failed in checks:
        (known.add if failed else known.discard)(name)
    text = json.dumps(sorted(known), indent=0, ensure_ascii=False)
    with suppress(OSError):
        (folder / "failed.json").write_text(text, encoding="utf-8")


def forget_old(folder: Path) -> None:
    """Remove journals that nobody went on from for a week."""
    for path in folder.glob("run-*"):
        with suppress(OSError):
            if time() - path.stat().st_mtime > WEEK:
                path.unlink()
