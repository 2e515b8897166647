"""A process that does not outlive the one that started it, not even in the middle of a long
computation.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

# <linux/prctl.h>: the signal that a process gets when its parent dies.
_PR_SET_PDEATHSIG = 1


def die_with_parent() -> bool:
    """Whether the system promises to kill this process when its parent dies; elsewhere than on
    Linux the end of stdin has to do.

    Linux takes the thread that started this process for its parent: that thread must live as long
    as this process is wanted.
    """
    if not sys.platform.startswith("linux"):
        return False
    parent = os.getppid()
    promised: int = ctypes.CDLL(None, use_errno=True).prctl(
        _PR_SET_PDEATHSIG, ctypes.c_ulong(signal.SIGKILL)
    )
    if os.getppid() != parent:
        # It died before the promise was given; nobody else will say so.
        signal.raise_signal(signal.SIGKILL)
    return promised == 0
