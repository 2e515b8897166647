"""`gradcheck run --watch`: a round of checks whenever what is read has changed."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from gradcheck_cli.cli.streams import USAGE, is_read, out, say, say_mistakes, variable
from gradcheck_cli.language.errors import UserError
from gradcheck_cli.records.outcome import INTERRUPTED
from gradcheck_cli.reports.format import count_of
from gradcheck_cli.runs.changes import suite_texts, wait_for, watched_folders, watcher

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import TypeAlias

    from gradcheck_cli.settings.values import Settings

    # Checks the suites of these names: its exit code, and whether anybody still reads stdout.
    Check: TypeAlias = Callable[[Settings, frozenset[str]], tuple[int, bool]]

# Files that are named when they have changed; the rest is counted.
MOST_FILES = 3
_CLEAR = "\x1b[2J\x1b[H"


def keep_checking(
    read: Callable[[], Settings], check: Check, configuration: Callable[[], Path | None]
) -> int:
    """Check all suites, and then again those that change, until Ctrl-C; the exit code.

    Args:
        read: what is set now.
        configuration: where the configuration file is now.
    Raises:
        UserError: nothing can be watched.
    """
    watcher()
    rounds = _Rounds(read, check, configuration)
    try:
        rounds.look()
        code = 0
        while True:
            if rounds.pending:
                code, heard = rounds.go()
                if code == INTERRUPTED or not heard:
                    return code
            say(f"watching {count_of(len(rounds.texts), 'suite')}; Ctrl-C ends it")
            while not rounds.has_waited():
                if not is_read():
                    return code
    except KeyboardInterrupt:
        return INTERRUPTED


class _Rounds:
    """What was read when it was last looked at, and what is to be checked.

    Attributes:
        pending: suites that have changed since they were checked.
    """

    def __init__(
        self,
        read: Callable[[], Settings],
        check: Check,
        configuration: Callable[[], Path | None],
    ) -> None:
        self.texts: dict[str, str] = {}
        self.pending: set[str] = set()
        self.words: tuple[str, ...] = ()
        self._read, self._check, self._configuration = read, check, configuration
        self._file: Path | None = None
        self._settings: Settings | UserError = UserError([])
        self._set: object = None
        self._is_set_anew, self._first = False, True

    def look(self) -> bool:
        """Whether anything has changed. What is set matters to all suites."""
        try:
            self._settings = self._read()
            self._settings.require_readable()
            self.words = tuple(self._settings.suites)
            now: object = (self._settings.above, self._settings.below)
        except UserError as error:
            self._settings, now = error, str(error)
        texts = suite_texts(self.words)
        self._is_set_anew, self._set = now != self._set, now
        changed = {
            name
            for name, text in texts.items()
            if self._is_set_anew or self.texts.get(name) != text
        }
        gone = self.texts.keys() - texts.keys()
        self.texts = texts
        self.pending = (self.pending | changed) & texts.keys()
        return bool(changed or gone or self._is_set_anew)

    def has_waited(self) -> bool:
        """Whether something has changed; if not, the folders that are to be watched have, or nobody
        reads stdout any more.
        """
        folders = self._folders()
        changed = False

        def look() -> bool:
            nonlocal changed
            changed = self.look()
            return changed or self._folders() != folders

        wait_for(look, folders, lambda: not is_read())
        return changed

    def _folders(self) -> set[Path]:
        with suppress(UserError):  # one that cannot be read is where it was
            self._file = self._configuration()
        return watched_folders(self.words, self._file)

    def go(self) -> tuple[int, bool]:
        """As `Check`. Where a round could not start, that is told, and its suites are tried again
        with the next change.
        """
        names = sorted(self.pending)
        if not self._first:
            _clear()
            more = f" and {len(names) - MOST_FILES:,} more" if len(names) > MOST_FILES else ""
            files = f"{', '.join(names[:MOST_FILES])}{more}"
            say(f"changed: {'the configuration' if self._is_set_anew else files}")
        self._first = False
        try:
            if isinstance(self._settings, UserError):
                raise self._settings
            ended = self._check(self._settings, frozenset(names))
        except UserError as error:
            say_mistakes(error)
            return USAGE, True
        self.pending.clear()
        return ended


def _clear() -> None:
    """An empty screen, where there is one."""
    if sys.stdout.isatty() and variable("TERM") != "dumb":
        out(_CLEAR)
