"""The memory of a process and of all it started, sampled while it works."""

from __future__ import annotations

import threading
from typing import Any

import psutil

EVERY = 0.2  # seconds
PARTS = ("first quarter", "second quarter", "second half")


class Sampler:
    """Samples while it is entered. Whoever knows how far the work is sets `progress`, from 0 to 1."""

    def __init__(self, pid: int) -> None:
        self.progress = 0.0
        self.peaks = [0, 0, 0]
        self._root = psutil.Process(pid)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)

    def __enter__(self) -> Sampler:
        self._thread.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._over.set()
        self._thread.join()

    def told(self) -> str:
        """The peak of each part: flat if the last is no higher than the second; pages that
        processes share count once for each.
        """
        peaks = ", ".join(
            f"{peak / 2**20:,.0f} MiB in the {part}"
            for part, peak in zip(PARTS, self.peaks, strict=True)
        )
        return f"peak memory of all processes together: {peaks}"

    def _sample(self) -> None:
        while not self._over.wait(EVERY):
            part = 0 if self.progress <= 1 / 4 else 1 if self.progress <= 1 / 2 else 2
            self.peaks[part] = max(self.peaks[part], self._bytes())

    def _bytes(self) -> int:
        total = 0
        try:
            processes = [self._root, *self._root.children(recursive=True)]
        except psutil.Error:
            return 0
        for process in processes:
            try:
                total += process.memory_info().rss
            except psutil.Error:  # it has just ended
                continue
        return total
