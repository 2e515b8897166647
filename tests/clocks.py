"""What tests know of time. Computing is measured in CPU time, which a busy machine does not
lengthen; waiting ends at the event that is waited for.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from time import monotonic, sleep

# Seconds after which a test hangs. None that passes waits so long, on the busiest of machines.
HUNG = 900.0


@contextmanager
def cpu_budget(seconds, what="this"):
    """Fails where this process, and those it started and waited for, compute longer."""
    before = sum(os.times()[:4])
    yield
    spent = sum(os.times()[:4]) - before
    assert spent <= seconds, (
        f"{what} took {spent:.2f} s of computing, where {seconds:g} s are enough"
    )


def until(event, process=None):
    """What `event()` answers, as soon as it is true; it is not waited for when the process from which
    it should come has ended.

    Raises:
        TimeoutError: the test hangs.
    """
    end = monotonic() + HUNG
    while not (answer := event()):
        assert process is None or process.poll() is None, "its process has ended"
        if monotonic() > end:
            raise TimeoutError("it never came")
        sleep(0.02)
    return answer
