"""A child process: a Python of ours that works for this one, fed, watched and ended from here.

`Child` is the parent's side and `serve` the child's. A child runs the package of its parent, finds
what its parent finds, and imports nothing that merely lies in the working directory.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from functools import partial
from importlib import import_module
from pathlib import Path
from queue import Empty, SimpleQueue
from time import monotonic
from typing import IO, TYPE_CHECKING

from gradcheck_cli.memory import LOOK, held_by, size_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# An interpreter that takes longer than this to import torch or SymPy is not going to.
START_LIMIT = 120.0
# What a child says when the slow imports are behind it.
READY = b"ready"
# What it says behind the last message of an answer, where an answer has several.
DONE = b"done"
# What an interpreter prints while it starts stands before this in the pipe, messages behind it.
_MARK = b"\0messages\n"
# Bytes in front of a message that say how long it is.
_LENGTH = 8
# <linux/prctl.h>: the signal that a process gets when its parent dies.
_PR_SET_PDEATHSIG = 1

# The folder that this package is in, and the program of a child, which takes the package from there
# and not from wherever a module of that name is found first.
_HOME = str(Path(__file__).absolute().parents[1])
_PROGRAM = """\
import sys
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
spec = PathFinder.find_spec("gradcheck_cli", [sys.argv[1]])
package = sys.modules["gradcheck_cli"] = module_from_spec(spec)
spec.loader.exec_module(package)
from gradcheck_cli.processes import serve
serve(sys.argv[2])
"""
# How this interpreter was told where not to look for modules.
_FLAGS = {"isolated": "-I", "ignore_environment": "-E", "no_user_site": "-s", "no_site": "-S"}


class Lost(Exception):
    """The child is gone. Why is the end of a sentence: "taken longer than 2 s"."""


class Child:
    """A process at work. On Linux it ends with the thread that starts it (see `die_with_parent`).

    Args:
        work: what it does, as `module:function` (see `serve`).
        hear: is given each message, and None at the end, in a thread of its own; without it,
            messages wait for `next_message`.
    """

    def __init__(self, work: str, hear: Callable[[bytes | None], None] | None = None) -> None:
        flags = [flag for name, flag in _FLAGS.items() if getattr(sys.flags, name)]
        self._inbox = SimpleQueue[bytes | None]()
        self._outbox = SimpleQueue[bytes | None]()
        self._hear = hear or self._inbox.put
        # Its own session, or its own group on Windows: Ctrl-C in the terminal is for this process,
        # which then ends that one.
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and our own text
            [sys.executable, *flags, "-P", "-c", _PROGRAM, _HOME, work],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(),
            start_new_session=True,
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )
        self.pid = self._process.pid
        self.send(json.dumps([entry for entry in sys.path if _is_absolute(entry)]).encode())
        threading.Thread(target=self._read, daemon=True).start()
        threading.Thread(target=self._write, daemon=True).start()

    @property
    def ended(self) -> bool:
        """Whether the process is gone."""
        return self._process.poll() is not None

    def send(self, message: bytes) -> None:
        """Hand over a message. This waits for nothing, and a child that is gone gives no error."""
        self._outbox.put(message)

    def next_message(self, seconds: float, memory: int | None = None) -> bytes:
        """The next message of the child.

        Raises:
            Lost: the child took longer than `seconds` or more than `memory` bytes and was killed,
                or it has ended.
        """
        begun = monotonic()
        while True:
            with suppress(Empty):
                message = self._inbox.get(timeout=LOOK)
                if message is not None:
                    return message
                self._inbox.put(None)  # for whoever asks again
                raise Lost(self._ending())
            if monotonic() - begun > seconds:
                self.kill()
                raise Lost(f"taken longer than {seconds:g} s")
            if memory is not None and self.memory() > memory:
                self.kill()
                raise Lost(f"taken more than {size_text(memory)} of memory")

    def memory(self) -> int:
        """Bytes held by the process and by its own children; 0 if it is gone."""
        return held_by(self.pid)

    def computed(self) -> float:
        """Seconds of computing since the process was started; 0 if it is gone."""
        import psutil

        with suppress(psutil.Error):
            times = psutil.Process(self.pid).cpu_times()
            return float(times.user + times.system)
        return 0.0

    def kill(self) -> None:
        """End the process, and all that it has started, be it in a session of its own."""
        started = [] if self.ended else _descendants(self.pid)
        self._process.kill()
        for one in started:
            with suppress(OSError):
                os.kill(one, signal.SIGKILL)
        if hasattr(os, "killpg"):
            # Its session is its group, which outlives it for as long as somebody is in it.
            with suppress(OSError):
                os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()
        self._outbox.put(None)

    def _ending(self) -> str:
        code = self._process.wait()
        if code >= 0:
            return f"ended its process with exit code {code}"
        try:
            name = signal.Signals(-code).name
        except ValueError:
            name = f"signal {-code}"
        guess = " (out of memory, if nobody sent it)" if name == "SIGKILL" else ""
        return f"ended its process by {name}{guess}"

    def _read(self) -> None:
        stdout = self._process.stdout
        assert stdout is not None
        try:
            with stdout:
                while (line := stdout.readline()) and not line.endswith(_MARK):
                    pass
                for message in _messages(stdout):
                    self._hear(message)
            # The pipe ends before the process does, and how that ends is to be told.
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(START_LIMIT)
        finally:
            self.kill()
            self._hear(None)

    def _write(self) -> None:
        stdin = self._process.stdin
        assert stdin is not None
        with suppress(OSError), stdin:  # it is gone: the reader notices
            while (message := self._outbox.get()) is not None:
                _put(stdin, message)


def _descendants(pid: int) -> list[int]:
    """The processes that a process has started, and those that these have."""
    import psutil

    with suppress(psutil.Error):
        return [child.pid for child in psutil.Process(pid).children(recursive=True)]
    return []


def serve(work: str) -> None:
    """Nothing; all that a child does.

    Whatever a library prints goes to stderr, and stdin is empty to it: both pipes carry messages
    and nothing else.

    Args:
        work: `module:function`. The function is given the messages of the parent, as they come
            until the parent goes, and yields those for it, `READY` first.
    """
    die_with_parent()
    questions, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    with Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=partial(_be_alone, questions, answers))
    answers.write(_MARK)
    messages = _messages(questions)
    sys.path[:] = _without_here(json.loads(next(messages, b"[]")))
    module, _, function = work.partition(":")
    for message in getattr(import_module(module), function)(messages):
        try:
            _put(answers, message)
        except OSError:  # the parent is gone
            return


def _be_alone(*pipes: IO[bytes]) -> None:
    """What a fork of a child does first: it dies with that, and has no part in its messages."""
    die_with_parent()
    with Path(os.devnull).open("r+b") as nothing:
        for pipe in pipes:
            os.dup2(nothing.fileno(), pipe.fileno())


def die_with_parent() -> bool:
    """Whether the system promises to kill this process when its parent dies, be it in the middle of
    a long computation; elsewhere than on Linux the end of stdin has to do.

    Linux takes the thread that started this process for its parent: that thread must live as long
    as this process is wanted.
    """
    if not sys.platform.startswith("linux"):
        return False
    import ctypes

    parent = os.getppid()
    promised: int = ctypes.CDLL(None, use_errno=True).prctl(
        _PR_SET_PDEATHSIG, ctypes.c_ulong(signal.SIGKILL)
    )
    if os.getppid() != parent:
        # It died before the promise was given; nobody else will say so.
        signal.raise_signal(signal.SIGKILL)
    return promised == 0


def _put(pipe: IO[bytes], message: bytes) -> None:
    pipe.write(len(message).to_bytes(_LENGTH, "big") + message)
    pipe.flush()


def _messages(pipe: IO[bytes]) -> Iterator[bytes]:
    """What comes through a pipe until it ends; a message that is broken off is lost."""
    while len(head := pipe.read(_LENGTH)) == _LENGTH:
        length = int.from_bytes(head, "big")
        message = pipe.read(length)
        if len(message) < length:
            return
        yield message


def _environment() -> dict[str, str]:
    """This process's own, without the entries of PYTHONPATH that mean another folder wherever one
    stands, an empty one among them: a child would run the `sitecustomize.py` of the working
    directory.
    """
    named = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    return os.environ | {"PYTHONPATH": os.pathsep.join(filter(_is_absolute, named))}


def _is_absolute(entry: object) -> bool:
    return isinstance(entry, str) and Path(entry).is_absolute()


def _without_here(path: list[str]) -> list[str]:
    """The parent's import path without the working directory, which Python, pytest and others put
    in front. It stays where this interpreter was given it by name, by an installed package or by
    PYTHONPATH, and then as far back as it stands.
    """
    given = set(sys.path)
    return [
        entry
        for k, entry in enumerate(path)
        if not _is_here(entry) or (entry in given and entry not in path[k + 1 :])
    ]


def _is_here(folder: str) -> bool:
    try:
        return Path(folder).samefile(os.curdir)
    except OSError:
        return False
