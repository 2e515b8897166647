"""What a run reads, and waiting until it changes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gradcheck_cli.language.errors import UserError, mistake
from gradcheck_cli.language.files import error_text, file_text
from gradcheck_cli.suites.files import CACHE, suite_files
from gradcheck_cli.suites.yaml import MAX_FILE_LENGTH

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

# Milliseconds after which a watch that sees nothing says so: it is then known to stand.
_SILENCE = 500


def watcher() -> Callable[..., Iterable[Any]]:
    """What tells of changes in folders.

    Raises:
        UserError: watchfiles is not installed.
    """
    try:
        from watchfiles import watch
    except ImportError as error:
        message = "`--watch` needs watchfiles, which is not installed"
        way_out = "pip install 'gradcheck-cli[watch]'"
        raise mistake("missing-extra", message, help=way_out) from error
    return watch


def suite_texts(words: Sequence[str]) -> dict[str, str]:
    """The text of every suite that is meant by files and folders, by its name; of one that cannot
    be read why that is so.
    """
    texts: dict[str, str] = {}
    for path in (path for word in words for path in suite_files(Path(word))):
        try:
            texts[path.as_posix()] = file_text(path, MAX_FILE_LENGTH, as_is=True)
        except UserError as error:
            texts[path.as_posix()] = str(error)
    return texts


def watched_folders(words: Sequence[str], configuration: Path | None) -> set[Path]:
    """The folders in which a change may matter, without those in them: where suites are or may come
    to be, the working directory, and where the configuration is. A file itself is not watched: many
    editors put a new one in its place.
    """
    folders = {Path(), *([configuration.parent] if configuration is not None else [])}
    for path in map(Path, words):
        if path.is_dir():
            for folder, below, _ in os.walk(path):
                folders.add(Path(folder))
                below[:] = [name for name in below if name != CACHE]
        else:
            folders.add(path.parent)
    return {folder for folder in folders if folder.is_dir()}


def wait_for(
    has_changed: Callable[[], bool], folders: Iterable[Path], is_over: Callable[[], bool]
) -> None:
    """Until something happens in the folders that `has_changed` says is a change, or one of them is
    gone before it is watched.

    Args:
        is_over: asked now and then whether to wait any longer.
    Raises:
        UserError: they cannot be watched.
    """
    watch, watched = watcher(), sorted(folders)
    try:
        events = watch(
            *watched,
            watch_filter=None,
            recursive=False,
            rust_timeout=_SILENCE,
            yield_on_timeout=True,
        )
        for number, event in enumerate(events):
            # First of all for what has changed while nobody watched.
            if ((event or not number) and has_changed()) or is_over():
                return
    except (OSError, RuntimeError) as error:  # no more watches on this system, among others
        if not all(folder.is_dir() for folder in watched):
            return
        reason = error_text(error) if isinstance(error, OSError) else str(error)
        raise mistake("unwatchable", f"the suites cannot be watched: {reason}") from error
