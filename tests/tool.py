"""The tool inside this process, for tests of what it says and not of how it starts and ends.

SymPy's process and the workers, which take seconds to start, stay from one command to the next.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
from contextlib import ExitStack, chdir
from functools import cache, partial
from itertools import count
from unittest.mock import patch

import typer

from gradcheck_cli import cli
from gradcheck_cli.checks import watch
from gradcheck_cli.cli import entry, run
from gradcheck_cli.hunting import asked
from gradcheck_cli.runs import session
from gradcheck_cli.runs.pool import Workers
from gradcheck_cli.symbolic.client import Analyst

# What a caller's environment could change; each command starts without.
DECIDES = {"NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE", "TERM", "COLUMNS", "PYTHONWARNINGS"}
OWN = ("GRADCHECK_", "GITHUB_", "_GRADCHECK_")


_command_of = cache(typer.main.get_command)  # it is the same each time


class _Left(BaseException):
    """The tool ended; `args[0]` is its exit code."""


def _leave(code):
    raise _Left(code)


class Borrowed:
    """An Analyst that is closed by its owner alone."""

    def __init__(self, owner):
        self.start, self.ask, self.answer = owner.start, owner.ask, owner.answer

    def close(self):
        """Leave the process to the next test."""


class _Lent:
    """Workers that go on to the next run."""

    def __init__(self, owner):
        self.start, self.submit = owner.start, owner.submit

    def shutdown(self, **_):
        """Leave the workers to the next run."""


class Tool:
    """Takes commands as a shell does."""

    def __init__(self, analyst=None):
        self._analyst = analyst or Analyst()
        self._workers = None

    def close(self):
        """End all processes."""
        self._analyst.close()
        if self._workers is not None:
            self._workers.shutdown()

    def run(self, words, *, stdin="", folder=".", environment=None, merged=False):
        """What `subprocess.run` would answer, as text; with `merged`, both streams in one."""
        streams = [io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="") for _ in range(3)]
        streams[0].buffer.write(stdin.encode())
        streams[0].buffer.seek(0)
        streams[2] = streams[1] if merged else streams[2]
        # Every run takes 1.2 seconds.
        clock = partial(next, count(0.0, 1.2))
        with ExitStack() as stack:
            for thing, name, value in (
                (entry, "leave", _leave),
                (watch, "Analyst", lambda: Borrowed(self._analyst)),
                (asked, "Analyst", lambda: Borrowed(self._analyst)),
                (session, "Workers", self._lent),
                (session, "_cores", lambda: 1),
                (typer.main, "get_command", _command_of),
                (run, "monotonic", clock),
                (sys, "argv", ["gradcheck", *words]),
                *zip([sys] * 3, ("stdin", "stdout", "stderr"), streams, strict=True),
            ):
                stack.enter_context(patch.object(thing, name, value))
            stack.enter_context(patch.dict(os.environ, environment or {}))
            for name in set(os.environ) - set(environment or {}):
                if name in DECIDES or name.startswith(OWN):
                    del os.environ[name]
            stack.enter_context(chdir(folder))
            try:
                cli.main()
            except _Left as left:
                code = left.args[0]
        for stream in streams[1:]:
            stream.flush()
        out, err = (stream.buffer.getvalue().decode() for stream in streams[1:])
        return subprocess.CompletedProcess(words, code, out, "" if merged else err)

    def ran(self, folder, *words):
        """Exit code, stdout, stderr of a command in a folder."""
        done = self.run(words, folder=folder)
        return done.returncode, done.stdout, done.stderr

    def _lent(self, limits):
        """The same workers whatever the limits, which they are told."""
        self._workers = self._workers or Workers(limits)
        for one in (self._workers, *self._workers._keepers):
            one.limits = limits
        return _Lent(self._workers)
