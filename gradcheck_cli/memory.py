"""Memory: how much there is, how much a process holds, and how a size is written."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

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
        return sum(int(part.memory_info().rss) for part in (process, *process.children()))
    return 0


def size_text(size: int) -> str:
    """A size in MiB, `1,500 MiB`; one of less than ten as it may have been written: `1 kB`."""
    if size >= 10 << 20:
        return f"{size / 2**20:,.0f} MiB"
    whole = [f"{size // unit:,} {name}" for name, unit in _UNITS.items() if size % unit == 0]
    return min(whole, key=len)
