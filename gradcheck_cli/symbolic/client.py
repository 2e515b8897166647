"""SymPy in a process of its own: asked early, waited for late, killed when its time is up.

It is started before torch is imported here, so that the two slow imports run side by side;
importing this module imports neither.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections import OrderedDict, deque
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic
from typing import Any

# Seconds of computing, so that a busy machine gives the same answers as an idle one. What takes
# longer takes minutes: a sine nested 300 times, whose factors, as deep as they are, SymPy compares
# over and over to put them in order.
SYMPY_LIMIT = 3.0
# Seconds of waiting, as a multiple of the above: what takes so long without computing waits for
# memory, or for something that never comes.
PATIENCE = 10
# An interpreter that takes longer than this to import SymPy is not going to.
START_LIMIT = 60.0
# Answers that are remembered: the points of a grid ask the same question again.
KEPT = 300
# Characters on their way to the process: half of what a pipe of Linux holds, so that writing never
# waits for SymPy.
_AHEAD = 32_768
_ENDED = "the SymPy process ended without an answer"
# Seconds between two looks at the clock.
_LOOK = 0.05


@dataclass
class _Asked:
    question: str
    answer: dict[str, Any] | None = None


class _Process:
    """One process: it takes questions from `waiting`, and answers them in order. `news` guards all
    that is here.
    """

    def __init__(self, waiting: deque[_Asked], news: threading.Condition) -> None:
        command = [sys.executable, "-c", "from gradcheck_cli.symbolic.server import serve; serve()"]
        # Its own session: Ctrl-C in the terminal is for this process, which then ends that one.
        self.popen = subprocess.Popen(  # noqa: S603 - our own interpreter and our own text
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
            start_new_session=True,
        )
        self.sent: deque[_Asked] = deque()
        self.ended = False
        self._waiting, self._news = waiting, news
        self._ahead = 0
        self._idle_since = monotonic()
        self._begun: tuple[float, float] | None = (
            None  # of the first in `sent`: when, and the process's computing time until then
        )
        self._has_begun_any = False
        threading.Thread(target=self._read, daemon=True).start()

    def send(self) -> None:
        """Take as many questions as the pipe holds."""
        stdin = self.popen.stdin
        assert stdin is not None
        while (
            self._waiting
            and not self.ended
            and (not self.sent or self._ahead + len(self._waiting[0].question) <= _AHEAD)
        ):
            asked = self._waiting.popleft()
            if not self.sent:
                self._idle_since = monotonic()
            self.sent.append(asked)
            self._ahead += len(asked.question)
            with suppress(OSError):  # it is gone: the reader notices
                stdin.write(asked.question + "\n")
                stdin.flush()

    def overdue(self, time_limit: float) -> str:
        """Why the question at work is to be given up; empty while its time lasts."""
        now = monotonic()
        if self._begun is None:
            late = self.sent and now - self._idle_since > START_LIMIT
            return f"SymPy's process did not begin within {START_LIMIT:g} s" if late else ""
        when, before = self._begun
        if now - when <= time_limit or (
            now - when <= PATIENCE * time_limit and self._computed() - before <= time_limit
        ):
            return ""
        return f"SymPy found no derivative within {time_limit:g} s"

    def unanswered(self, reason: str) -> list[_Asked]:
        """After its end: the questions to ask again. The one at work is answered with the reason,
        or all if it never came to work.
        """
        lost, again = list(self.sent), list[_Asked]()
        if self._has_begun_any:
            lost, again = (lost[:1], lost[1:]) if self._begun is not None else ([], lost)
        for asked in lost:
            asked.answer = {"abstained": reason}
        return again

    def kill(self) -> None:
        """End it."""
        self.ended = True
        self.popen.kill()
        self.popen.wait()
        with suppress(OSError):  # what it has not read is lost
            assert self.popen.stdin is not None
            self.popen.stdin.close()

    def _computed(self) -> float:
        import psutil

        with suppress(psutil.Error):
            times = psutil.Process(self.popen.pid).cpu_times()
            return float(times.user + times.system)
        return 0.0

    def _read(self) -> None:
        """Two lines a question: work has begun, after this much computing; the answer."""
        stdout = self.popen.stdout
        assert stdout is not None
        with suppress(OSError, ValueError):
            while (line := stdout.readline()).endswith("\n"):
                with self._news:
                    if self._begun is None:
                        self._begun, self._has_begun_any = (monotonic(), float(line)), True
                    elif not self.ended:
                        asked = self.sent.popleft()
                        asked.answer = json.loads(line)
                        self._ahead -= len(asked.question)
                        self._begun, self._idle_since = None, monotonic()
                        self.send()
                        self._news.notify_all()
        with self._news:
            # The pipe ends before the process does; without waiting, the next question would go to
            # the dead one.
            self.kill()
            stdout.close()
            self._news.notify_all()


class Analyst:
    """SymPy at work, and what was asked of it; a question that takes too long ends the process, and
    the rest are asked of another.
    """

    def __init__(self, time_limit: float = SYMPY_LIMIT) -> None:
        self.time_limit = time_limit
        self._news = threading.Condition()
        self._asked: OrderedDict[str, _Asked] = OrderedDict()
        self._waiting: deque[_Asked] = deque()
        self._process: _Process | None = None

    def start(self) -> None:
        """Start the process, if it is not running. It ends with the thread that starts it (see
        `die_with_parent`).
        """
        with self._news:
            self._running()

    def ask(self, question: str) -> None:
        """Send a question, unless it was asked before. It waits for nothing: ask many ahead of the
        answers.
        """
        with self._news:
            if question not in self._asked:
                self._asked[question] = _Asked(question)
                self._waiting.append(self._asked[question])
                self._running().send()
                self._forget()
            self._asked.move_to_end(question)

    def answer(self, question: str) -> dict[str, Any]:
        """The answer, or `{"abstained": reason}` when the time is up or the process has died."""
        with self._news:
            self.ask(question)
            asked = self._asked[question]
            while asked.answer is None:
                process = self._running()
                process.send()
                reason = process.overdue(self.time_limit)
                if reason:
                    self._end(reason)
                else:
                    self._news.wait(_LOOK)
            return asked.answer

    def close(self) -> None:
        """Kill the process; whoever still waits for an answer has an abstention."""
        with self._news:
            if self._process is not None:
                self._process.kill()
                self._waiting.extendleft(reversed(self._process.sent))
                self._process = None
            for asked in self._waiting:
                asked.answer = {"abstained": _ENDED}
                del self._asked[asked.question]  # it may be asked anew
            self._waiting.clear()
            self._news.notify_all()

    def _running(self) -> _Process:
        if self._process is not None and self._process.ended:
            self._end(_ENDED)
        if self._process is None:
            self._process = _Process(self._waiting, self._news)
        return self._process

    def _end(self, reason: str) -> None:
        """Give up the question at work, and have the rest asked again."""
        assert self._process is not None
        self._process.kill()
        self._waiting.extendleft(reversed(self._process.unanswered(reason)))
        self._process = None

    def _forget(self) -> None:
        """Drop the answers that were wanted longest ago."""
        while len(self._asked) > KEPT and next(iter(self._asked.values())).answer is not None:
            self._asked.popitem(last=False)
