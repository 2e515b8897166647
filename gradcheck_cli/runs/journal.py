"""Finished checks on disk: a killed run goes on from them, a report of any size is read back."""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterator, Sequence
from contextlib import suppress
from errno import ENOSPC
from hashlib import blake2b
from io import SEEK_END, BytesIO
from os import strerror
from typing import TYPE_CHECKING, Any, BinaryIO

from gradcheck_cli.records.outcome import Status
from gradcheck_cli.runs.cache import hold, is_held, own_file
from gradcheck_cli.runs.task import Item

if TYPE_CHECKING:
    from pathlib import Path

    from gradcheck_cli.records.record import Record

_MISSING = -1
_STATUSES = tuple(Status)
# Bytes of a digest. Bytes that a record has at most: 300,000 partials have half of it.
_DIGEST, LONGEST_LINE = 8, 1 << 29


class Journal:
    """Finished checks, one a line, in the order in which they finished.

    A line holds a key, the position, the status, a digest of the whole line, and the record. One
    that its digest does not fit is as good as none: a killed run leaves half of its last line, a
    disk or a hand anything.

    Attributes:
        trouble: why the file cannot be written, if it cannot; everything is then kept in memory.
    """

    def __init__(self, path: Path | None, count: int) -> None:
        """An empty journal for `count` checks, in memory if there is no path."""
        self.path, self.trouble = path, ""
        self._offsets = array("q", [_MISSING]) * count
        self._statuses = bytearray(count)  # index in Status
        self._seconds = array("d", [0.0]) * count
        self._file: BinaryIO = BytesIO()
        self._reader: BinaryIO = self._file
        self._end = 0
        if path is not None:
            try:
                # Unbuffered, so that what a full disk refuses does not linger.
                self._file, self._reader = own_file(path, new=True), own_file(path)
                hold(self._file)
            except OSError as error:
                self._in_memory(error)

    def add(self, key: str, item: Item) -> None:
        """Write a finished check at once, so that only a crash of the machine loses it."""
        body = item.line.encode()
        head = _head(key, item, body)
        try:
            self._write(head + body)
        except OSError as error:
            self._in_memory(error)
            self._write(head + body)
        self._offsets[item.position] = self._end + len(head)
        self._end += len(head) + len(body)
        self._statuses[item.position] = _STATUSES.index(item.status)
        self._seconds[item.position] = item.seconds

    def _write(self, data: bytes) -> None:
        if self._file.write(data) != len(data):
            raise OSError(ENOSPC, strerror(ENOSPC))

    def _in_memory(self, error: OSError) -> None:
        """Go on in memory, where the disk is full or cannot be written."""
        self.trouble = f"`{self.path}` cannot be written: {error.strerror or error}"
        self._reader.seek(0)
        data = self._reader.read(self._end)
        self._file = self._reader = BytesIO()
        self._file.write(data)

    def become(self, path: Path) -> None:
        """Take the place of another journal."""
        if self.path is None or self.trouble:
            return
        try:
            self.path.replace(path)
            self.path = path
        except OSError as error:
            self._in_memory(error)

    def line(self, position: int) -> str:
        """The record of a finished check as a line of JSON."""
        self._reader.seek(self._offsets[position])
        line = self._reader.readline().decode()
        self._reader.seek(0, SEEK_END)  # in memory, reader and writer are one
        return line

    def status(self, position: int) -> str | None:
        """The status of a check, None if it is not finished."""
        return _STATUSES[self._statuses[position]] if self._offsets[position] != _MISSING else None

    def seconds(self, position: int) -> float:
        """How long a check took that was made in this run; 0 for any other."""
        return self._seconds[position]

    def positions(self) -> list[int]:
        """Those of all finished checks, in order."""
        return [position for position, offset in enumerate(self._offsets) if offset != _MISSING]

    def close(self, *, keep: bool) -> None:
        """Done with: the file stays if a later run may go on from it."""
        self._file.close()
        self._reader.close()
        if self.path is not None and not keep:
            with suppress(OSError):
                self.path.unlink()


class JournalRecords(Sequence["Record"]):
    """The records of a journal as a report reads them: in order, one at a time."""

    def __init__(self, journal: Journal, positions: Sequence[int]) -> None:
        self._journal, self._positions = journal, positions

    def __len__(self) -> int:
        return len(self._positions)

    def __getitem__(self, index: Any) -> Any:
        return json.loads(self._journal.line(self._positions[index]))

    def statuses(self) -> Iterator[str]:
        """The status of each record, without reading it."""
        return (self._journal.status(position) or "" for position in self._positions)

    def __iter__(self) -> Iterator[Record]:
        return (json.loads(self._journal.line(position)) for position in self._positions)


def entries(path: Path, damaged: list[int] | None = None) -> Iterator[tuple[str, Item]]:
    """(key, item) of every line that is as an earlier run has left it; none where it left no file.

    Args:
        damaged: gains the number of each line that is not, from 1; not that of a line that a run
            which lives may be writing.
    Raises:
        OSError: what is there cannot be read, or is a link.
    """
    try:
        file = own_file(path)
    except FileNotFoundError:
        return
    with file:
        for number, line in enumerate(_lines(file), 1):
            entry = _entry(line)
            if entry is not None:
                yield entry
            elif damaged is not None and (line.endswith(b"\n") or not is_held(file)):
                damaged.append(number)


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """The lines of a file; of one that is longer than any record its end alone."""
    while line := file.readline(LONGEST_LINE):
        while len(line) == LONGEST_LINE and not line.endswith(b"\n"):
            line = file.readline(LONGEST_LINE) or b"\n"
        yield line


def _head(key: str, item: Item, body: bytes) -> bytes:
    start = f"{key}\t{item.position}\t{item.status}\t".encode()
    return start + blake2b(start + body, digest_size=_DIGEST).hexdigest().encode() + b"\t"


def _entry(line: bytes) -> tuple[str, Item] | None:
    """What a line says, if that is what was written."""
    key, *rest = line.split(b"\t", 4)
    if len(rest) != 4 or not rest[0].isdigit() or not line.endswith(b"\n"):
        return None
    try:
        item = Item(int(rest[0]), rest[1].decode(), rest[3].decode())
        whole = _head(key.decode(), item, rest[3]) + rest[3]
    except ValueError:  # no UTF-8, or a number of too many digits
        return None
    return (key.decode(), item) if whole == line and item.status in _STATUSES else None
