"""A time limit on a person's code, in this process: what never ends in Python is interrupted."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class Overrun(BaseException):
    """Code took longer than it may; no `except Exception` of its own catches this."""


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Interrupts what computes longer; does nothing outside the main thread, and where the system
    has no such clock.

    Raises:
        Overrun: it did.
    """
    clock = getattr(signal, "ITIMER_VIRTUAL", None)
    if clock is None or threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(_signal: int, _frame: object) -> None:
        message = f"it did not end within {seconds:g} s of computing"
        raise Overrun(message)

    before = signal.signal(signal.SIGVTALRM, end)
    signal.setitimer(clock, seconds)
    try:
        yield
    finally:
        signal.setitimer(clock, 0)
        signal.signal(signal.SIGVTALRM, before)
