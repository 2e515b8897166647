"""Texts of files and streams, read no further than anybody could have meant: a device, a pipe or a
link to one of them may have no end.
"""

from __future__ import annotations

from codecs import getincrementaldecoder
from os import fstat
from typing import TYPE_CHECKING

from gradcheck_cli.language.errors import PointError, mistake

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import IO, TextIO

# Bytes or characters that are read at once.
_CHUNK = 1 << 20
# Bytes of a character in UTF-8, at most.
_WIDEST = 4


def file_text(path: Path, most: int, name: str = "", *, as_is: bool = False) -> str:
    """The text of a file.

    Args:
        most: characters; no more than these are ever held.
        name: what messages call the file, where that is not its path.
        as_is: line ends stay as they are written.
    Raises:
        PointError: `unreadable`, or `too-large`.
    """
    called = name or str(path)
    try:
        with path.open("rb") as file:
            if fstat(file.fileno()).st_size > _WIDEST * most:
                raise _too_large(called, most)
            text = _joined(_characters(file), most, called)
    except UnicodeDecodeError as error:
        raise unreadable(called, f"it is not UTF-8 (byte {error.start:,})") from error
    except (OSError, ValueError) as error:  # a name with a NUL in it is a ValueError
        raise unreadable(called, error_text(error)) from error
    return text if as_is else text.replace("\r\n", "\n").replace("\r", "\n")


def stream_text(stream: TextIO, most: int, name: str) -> str:
    """All that a stream holds; as `file_text`."""
    try:
        return _joined(iter(lambda: stream.read(_CHUNK), ""), most, name)
    except UnicodeDecodeError as error:
        raise unreadable(name, f"it is not {error.encoding.upper()}") from error
    except OSError as error:
        raise unreadable(name, error_text(error)) from error


def unreadable(name: str, reason: str) -> PointError:
    """What is said of a file that gives no text."""
    return mistake("unreadable", f"`{name}` cannot be read: {reason}")


def error_text(error: OSError | ValueError) -> str:
    """What the system says is wrong, in its words alone: whoever asks knows the file's name."""
    return getattr(error, "strerror", None) or str(error)


def _too_large(name: str, most: int) -> PointError:
    return mistake("too-large", f"`{name}` has more than {most:,} characters, and no more are read")


def _characters(file: IO[bytes]) -> Iterator[str]:
    """Raises UnicodeDecodeError, with the place in the whole file."""
    decoder, read = getincrementaldecoder("utf-8")(), 0
    while True:
        chunk = file.read(_CHUNK)
        waiting = len(decoder.getstate()[0])
        try:
            yield decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError as error:
            error.start += read - waiting
            raise
        if not chunk:
            return
        read += len(chunk)


def _joined(chunks: Iterator[str], most: int, name: str) -> str:
    kept: list[str] = []
    room = most
    for chunk in chunks:
        room -= len(chunk)
        if room < 0:
            raise _too_large(name, most)
        kept.append(chunk)
    return "".join(kept)
