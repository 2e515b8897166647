"""The cache folder: what a run leaves for the next one, of use on this machine alone.

Several runs may stand in one folder at once. Each writes files of its own and holds them locked
while it lives; what all share is replaced as a whole. Nothing here follows a link: whoever can
plant one in the folder of a project must not have a run write, or read, elsewhere.
"""

from __future__ import annotations

import json
import os
from contextlib import contextmanager, suppress
from errno import ELOOP
from stat import S_ISREG
from time import monotonic, sleep, time
from typing import TYPE_CHECKING

from gradcheck_cli.suites.files import CACHE

try:
    import fcntl
except ImportError:  # Windows, where nobody can remove a file that another one has open
    fcntl = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path
    from typing import BinaryIO

WEEK = 7 * 24 * 3600
# What `failed.json` may have: a million ids. Seconds to wait for another run that writes it; it
# takes a thousandth of that.
LONGEST_FAILURES, LOCK_PATIENCE = 1 << 28, 10.0
_NEW = ".new"


def cache(folder: Path) -> tuple[Path | None, str]:
    """(the cache folder below `folder`, ""): made and kept out of version control where that can
    be; (None, why) where nothing can be kept.
    """
    path = folder / CACHE
    if path.is_symlink():
        kept = "nothing is kept for --resume and --last-failed"
        return None, f"`{path}` is a link, which is not followed: {kept}"
    with suppress(OSError):
        path.mkdir(exist_ok=True)
        with own_file(path / ".gitignore", new=True) as file:
            file.write(b"*\n")
    return path, ""


def own_file(path: Path, *, new: bool = False) -> BinaryIO:
    """A file of the cache folder, to be read; or a new one, to be written without a buffer.

    Raises:
        OSError: it is a link or no plain file; it is not there, or a new one is.
    """
    if path.is_symlink() and not new:
        raise OSError(ELOOP, "it is a link, which is not followed")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL if new else os.O_RDONLY
    # A pipe would be waited for.
    for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY"):
        flags |= getattr(os, name, 0)
    file = os.fdopen(os.open(path, flags, 0o666), "wb" if new else "rb", buffering=0 if new else -1)
    if not S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise OSError("it is no plain file")
    return file


def new_name(folder: Path, stem: str) -> Path:
    """A path in the folder that nobody else has; it is its file's until that takes its place."""
    return folder / f"{stem}-{os.urandom(8).hex()}{_NEW}"


def hold(file: BinaryIO) -> None:
    """Show other runs that this file is in use, until it is closed."""
    if fcntl is not None:
        with suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def is_held(file: BinaryIO) -> bool:
    """Whether a run that lives holds a file; True where that cannot be known."""
    if fcntl is None:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    return False


def remove_unheld(paths: Iterable[Path]) -> None:
    """Remove files that no run holds; of a link the link itself."""
    for path in paths:
        with suppress(OSError):
            if not path.is_symlink():
                with own_file(path) as file:
                    if is_held(file):
                        continue
            path.unlink()


def forget_old(folder: Path) -> None:
    """Remove what nobody went on from for a week."""

    def is_old(path: Path) -> bool:
        try:
            return time() - path.lstat().st_mtime > WEEK
        except OSError:
            return False

    remove_unheld(filter(is_old, folder.glob("*-*")))


def load_failures(folder: Path | None) -> frozenset[str]:
    """Ids of the checks that failed when they were last made; none where nothing is known."""
    ids: object = None
    if folder is not None:
        with (
            suppress(OSError, ValueError, RecursionError),
            own_file(folder / "failed.json") as file,
        ):
            ids = json.loads(file.read(LONGEST_FAILURES))
    return frozenset(x for x in ids if isinstance(x, str)) if isinstance(ids, list) else frozenset()


def save_failures(folder: Path | None, checks: Iterable[tuple[str, bool]]) -> None:
    """Write down which checks failed, as (id, whether it failed); others stay as they were, those
    of runs that end at the same time among them.
    """
    if folder is None:
        return
    with suppress(OSError), _alone(folder):
        known = set(load_failures(folder))
        for name, failed in checks:
            (known.add if failed else known.discard)(name)
        text = json.dumps(sorted(known), indent=0)
        part = new_name(folder, "failed")
        try:
            with own_file(part, new=True) as file:
                file.write(text.encode())
            part.replace(folder / "failed.json")
        finally:
            part.unlink(missing_ok=True)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """While no other run is here, or is here for too long."""
    path = folder / "lock"
    with suppress(FileExistsError):
        own_file(path, new=True).close()
    with own_file(path) as file:
        end = monotonic() + LOCK_PATIENCE
        while fcntl is not None and monotonic() < end:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                sleep(0.01)
            except OSError:  # a file system without locks
                break
        yield
