"""A terminal of a stated width, and what a command says on it."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress

import pytest
from clocks import HUNG
from suites import environment

needs_a_terminal = pytest.mark.skipif(
    not hasattr(os, "openpty"), reason="there are no terminals here"
)


def on_a_terminal(words, width, stream="stdout", cwd=None):
    """(exit code, what `gradcheck` says on one of its streams, the only one that is a terminal)."""
    import fcntl
    import struct
    import termios

    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    program = [sys.executable, "-m", "gradcheck_cli", *words]
    streams = {"stdout": subprocess.DEVNULL} if stream == "stderr" else {}
    streams[stream] = theirs
    process = subprocess.Popen(program, cwd=cwd, env=environment(TERM="xterm"), **streams)
    os.close(theirs)
    said = b""
    with suppress(OSError):  # the end of a terminal is an error
        while piece := os.read(ours, 4096):
            said += piece
    os.close(ours)
    return process.wait(HUNG), said.decode().replace("\r\n", "\n")
