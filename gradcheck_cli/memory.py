"""Memory: how much there is, how much a process holds, and how a size is written."""

from __future__ import annotations

import gc
import threading
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from psutil import Process

# Seconds between two looks at what a process holds: one that fills a GiB a second is caught within
# a tenth of it. Looks after which its children are counted anew, which takes longer.
LOOK, RECOUNT = 0.1, 10
# Beyond its limit a process has room to write its report: a sixth, or so many bytes.
_LEAST_ROOM = 256 << 20

# Of a container, in the two versions of control groups.
_CONTAINER = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
# The shortest of these in which a size is whole, the first of two that are as short.
_UNITS = {"B": 1, "KiB": 1_024, "MiB": 1_024**2, "kB": 1_000, "MB": 1_000_000}


def machine_memory() -> int:
    """Bytes of this machine, or of the container that this process is in."""
    import psutil

    total = int(psutil.virtual_memory().total)
    for path in _CONTAINER:
        with suppress(OSError, ValueError):
            total = min(total, int(Path(path).read_text(encoding="ascii")))
    return total


def usable_memory() -> int:
    """Bytes that all checks together may take unless told otherwise: three quarters of what there
    is, so that the machine itself is never exhausted.
    """
    return machine_memory() * 3 // 4


def held_by(pid: int) -> int:
    """Bytes held by a process and by its own children; 0 if it is gone."""
    import psutil

    with suppress(psutil.Error):
        process = psutil.Process(pid)
        return sum(map(_resident, (process, *process.children())))
    return 0


def size_text(size: int) -> str:
    """A size in MiB, `1,500 MiB`; one of less than ten as it may have been written: `1 kB`."""
    if size >= 10 << 20:
        return f"{size / 2**20:,.0f} MiB"
    whole = [f"{size // unit:,} {name}" for name, unit in _UNITS.items() if size % unit == 0]
    return min(whole, key=len)


class Guard:
    """Looks at what this process and its children hold, in a thread of its own, until it is left.

    A limit that the system sets for addresses (RLIMIT_AS) lost: torch takes twenty times as many as
    it fills, and CUDA any number.

    Attributes:
        limit: bytes.
        exceeded: set when they hold more than that.
    """

    def __init__(self, limit: int | None, beyond: Callable[[Guard], None]) -> None:
        """A guard at work.

        Args:
            limit: three quarters of the memory there is, if none is given.
            beyond: called when they have taken so much more since that nobody can have heeded
                `exceeded`.
        """
        self.exceeded = threading.Event()
        self.limit = limit or 0
        self._beyond = beyond
        self._left = threading.Event()
        threading.Thread(target=self._watch, daemon=True).start()

    def __enter__(self) -> Guard:
        return self

    def __exit__(self, *error: object) -> None:
        self._left.set()

    def _watch(self) -> None:
        from psutil import Process

        self.limit = self.limit or usable_memory()
        own, most, parts, look = Process(), self.limit, list[Process](), 0
        while not self._left.wait(LOOK):
            if look % RECOUNT == 0:
                parts = [own, *own.children()]
            look += 1
            held = sum(map(_resident, parts))
            if held <= most:
                continue
            if self.exceeded.is_set():
                self._beyond(self)
                return
            self.exceeded.set()
            most = held + max(self.limit // 6, _LEAST_ROOM)


def _resident(process: Process) -> int:
    import psutil

    with suppress(psutil.Error):
        return int(process.memory_info().rss)
    return 0


@contextmanager
def uncollected() -> Iterator[None]:
    """The garbage collector rests meanwhile: where very many objects are made at once none of them
    is garbage, and looking for it takes most of the time.
    """
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
