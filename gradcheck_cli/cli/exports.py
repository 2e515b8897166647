"""Where a report goes: stdout and the files of `--export`; what cannot be written is part of it."""

from __future__ import annotations

import os
import re
import sys
from contextlib import suppress
from dataclasses import dataclass, field, replace
from errno import EACCES, EBUSY, ELOOP, EPERM, EROFS, EXDEV
from pathlib import Path
from stat import S_IMODE
from typing import TYPE_CHECKING

from gradcheck_cli.cli.streams import colour, out, render_report, say
from gradcheck_cli.language.errors import Mistake, UserError
from gradcheck_cli.language.files import error_text

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import BinaryIO

    from gradcheck_cli.records.report import Report
    from gradcheck_cli.settings.values import Settings

# Folders in which a number means an open stream of a process; on Linux they are one, by its number.
_STREAMS = re.compile(r"/dev/fd|/proc/([0-9]+)(?:/task/[0-9]+)?/fd")
# A folder in which nothing new can be made, or a file that is mounted alone: such a file is written
# as it stands.
_FIXED = (EACCES, EBUSY, EPERM, EROFS, EXDEV)
# As many links in a row as the system follows.
_LINKS = 40


@dataclass
class Delivery:
    """A report on its way to stdout and to files.

    Attributes:
        trouble: what could not be written so far, in sentences.
        read: whether anybody still reads stdout.
        table: the table that stdout was given, as whoever reads it sees it; empty for another
            format.
    """

    settings: Settings
    trouble: list[str] = field(default_factory=list)
    read: bool = True
    table: str = ""

    def stream(self, line: str) -> bool:
        """Write a part of the report to stdout; whether whoever makes it should go on."""
        if self.read:
            self._out(line)
        return self.read or bool(self.settings.export)

    def deliver(self, report: Report, *, quiet: bool) -> Report:
        """Write a report, and what became of it: its exit code is that of the process.

        Files come first, so that what stdout is given says which of them failed. Where stdout
        fails then, the files are written again: what they say of the run would not be so.
        """
        files = [target for target in self.settings.export if stream_number(target[1]) is None]
        streams = [target for target in self.settings.export if target not in files]
        whole = self._with_trouble(report)
        good = [target for target in files if self._written(whole, *target)]
        if self.settings.format != "jsonl":
            self._show(self._with_trouble(report), quiet=quiet)
        for target in streams:
            self._written(self._with_trouble(report), *target)
        last = self._with_trouble(report)
        if last.problems != whole.problems:
            for form, path in good:
                if Path(os.path.realpath(path)).is_file():
                    self._written(last, form, path)
        return self._with_trouble(report)

    def _show(self, report: Report, *, quiet: bool) -> None:
        settings = self.settings
        paint = colour(settings.color)
        text = render_report(
            report,
            settings.format,
            paint=paint,
            quiet=quiet,
            brief=settings.quiet,
            verbose=settings.verbose,
        )
        self._out(text)
        if self.read and settings.format == "table":
            self.table = text

    def _out(self, text: str) -> None:
        try:
            self.read = out(text)
        except UserError as error:
            say(str(error))
            self.read = False
            self.trouble += [mistake.message for mistake in error.mistakes]

    def _written(self, report: Report, form: str, path: Path) -> bool:
        reason = write(path, render_report(report, form))
        if reason:
            message = f"the report cannot be written to `{path}`: {reason}"
            say(str(Mistake("unwritable", message)))
            self.trouble.append(message)
        return not reason

    def _with_trouble(self, report: Report) -> Report:
        if not self.trouble:
            return report
        problems = dict.fromkeys([*report.problems, *self.trouble])
        return replace(report, problems=list(problems), unwritten=True)


def require_places(targets: Iterable[tuple[str, Path]]) -> None:
    """Nothing, if each export has a folder to go to and a file's name.

    Raises:
        UserError: with every one that has not.
    """
    misplaced = [
        Mistake(
            "unwritable",
            f"the report cannot be written to `{target}`: no such folder, or no file name",
        )
        for _, target in targets
        if not _has_place(target)
    ]
    if misplaced:
        raise UserError(misplaced)


def _has_place(target: Path) -> bool:
    try:
        place = Path(os.path.realpath(target))
        named = bool(target.name) and not place.is_symlink()
        return named and not place.is_dir() and place.parent.is_dir()
    except (OSError, ValueError):  # a folder that may not be searched, a NUL in a name
        return False


def write(path: Path, text: str) -> str:
    """Why a file could not be written; empty if it was. A plain file is written whole or not at
    all, what a link leads to in its place; a device, a pipe and an open stream as they are.
    """
    data = text.encode(errors="backslashreplace")
    try:
        number = stream_number(path)
        if number is not None:
            _to_stream(number, text, data)
            return ""
        target = Path(os.path.realpath(path))
        # A file with several names is one file: all of them are to show what is written.
        if target.exists() and (not target.is_file() or target.stat().st_nlink > 1):
            target.write_bytes(data)
        else:
            _replace(target, data)
    except UserError as error:
        return error.mistakes[0].message
    except (OSError, ValueError) as error:
        return error_text(error)
    return ""


def stream_number(path: Path) -> int | None:
    """The number of an open stream of this process that a path means: `/dev/stdout` and its like.
    To open it once more would cut off what has been written, where it is a file.
    """
    with suppress(OSError, ValueError):
        for _ in range(_LINKS):
            folder = os.path.realpath(path.parent)
            match = _STREAMS.fullmatch(folder)
            if match and match[1] in (None, str(os.getpid())) and path.name.isdecimal():
                return int(path.name)
            if not path.is_symlink():
                break
            path = Path(folder) / path.readlink()
    return None


def _to_stream(number: int, text: str, data: bytes) -> None:
    if number == 1:
        out(text)
        return
    sys.stderr.flush()
    with os.fdopen(os.dup(number), "wb", buffering=0) as file:
        _write_all(file, data)


def _write_all(file: BinaryIO, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]


def _replace(target: Path, data: bytes) -> None:
    """Put a file in the place of another or of none; two that do so at once do not meet."""
    if target.is_symlink():  # links in a circle
        raise OSError(ELOOP, os.strerror(ELOOP))
    part = target.with_name(f".gradcheck-{os.urandom(8).hex()}.part")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    try:
        with os.fdopen(os.open(part, flags, 0o666), "wb") as file:
            file.write(data)
        if target.exists():
            part.chmod(S_IMODE(target.stat().st_mode))
        part.replace(target)
    except OSError as error:
        with suppress(OSError):
            part.unlink()
        if error.errno not in _FIXED or not target.exists():
            raise
        target.write_bytes(data)
