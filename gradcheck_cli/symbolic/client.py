"""SymPy in a process of its own: asked early, waited for late, killed when its time is up.

It is started before torch is imported here, so that the two slow imports run side by side;
importing this module imports neither.
"""

from __future__ import annotations

import json
import threading
from collections import OrderedDict, deque
from dataclasses import dataclass
from time import monotonic
from typing import Any

from gradcheck_cli.processes import READY, START_LIMIT, Child

# Seconds of computing, so that a busy machine gives the same answers as an idle one. What takes
# longer takes minutes: a sine nested 300 times, whose factors, as deep as they are, SymPy compares
# over and over to put them in order.
SYMPY_LIMIT = 3.0
# Seconds of waiting, as a multiple of the above: what takes so long without computing waits for
# memory, or for something that never comes.
PATIENCE = 10
# Answers that are remembered: the points of a grid ask the same question again.
KEPT = 300
_ENDED = "the SymPy process ended without an answer"
# Seconds between two looks at the clock.
_LOOK = 0.05


@dataclass(eq=False)
class _Asked:
    question: str
    answer: dict[str, Any] | None = None


class _Server:
    """SymPy's process and the questions it has not answered, in order. `news` guards all that is
    here.
    """

    def __init__(self, news: threading.Condition) -> None:
        self.ended = False
        self._news = news
        self._sent = deque[_Asked]()
        self._idle_since = monotonic()
        # Of the first in `_sent`: when, and the process's computing time until then.
        self._begun: tuple[float, float] | None = None
        self._has_begun_any = False
        self.child = Child("gradcheck_cli.symbolic.server:answers", self._hear)

    def send(self, asked: _Asked) -> None:
        """Hand over a question. It waits for nothing: SymPy finds the next one at its door."""
        if not self._sent:
            self._idle_since = monotonic()
        self._sent.append(asked)
        self.child.send(asked.question.encode())

    def overdue(self, time_limit: float) -> str:
        """Why the question at work is to be given up; empty while its time lasts."""
        now = monotonic()
        if self._begun is None:
            late = self._sent and now - self._idle_since > START_LIMIT
            return f"SymPy's process did not begin within {START_LIMIT:g} s" if late else ""
        when, before = self._begun
        if now - when <= time_limit or (
            now - when <= PATIENCE * time_limit and self.child.computed() - before <= time_limit
        ):
            return ""
        return f"SymPy found no derivative within {time_limit:g} s"

    def give_up(self, reason: str) -> list[_Asked]:
        """Kill it; the questions to ask again. The one at work is answered with the reason, or all
        if it never came to work.
        """
        self.kill()
        lost, again = list(self._sent), list[_Asked]()
        if self._has_begun_any:
            lost, again = (lost[:1], lost[1:]) if self._begun is not None else ([], lost)
        for asked in lost:
            asked.answer = {"abstained": reason}
        return again

    def kill(self) -> None:
        """End it; what it says from now on is not heard."""
        self.ended = True
        self.child.kill()

    def _hear(self, message: bytes | None) -> None:
        """Two messages a question: work has begun, after this much computing; the answer."""
        with self._news:
            if self.ended or message == READY:
                return
            if message is None:
                self.ended = True
            elif self._begun is None:
                self._begun, self._has_begun_any = (monotonic(), float(message)), True
                return
            else:
                self._sent.popleft().answer = json.loads(message)
                self._begun, self._idle_since = None, monotonic()
            self._news.notify_all()


class Analyst:
    """SymPy at work, and what was asked of it; a question that takes too long ends the process, and
    the rest are asked of another.
    """

    def __init__(self, time_limit: float = SYMPY_LIMIT) -> None:
        self.time_limit = time_limit
        self._news = threading.Condition()
        self._asked = OrderedDict[str, _Asked]()
        self._server: _Server | None = None

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
                self._running().send(self._asked[question])
                self._forget()
            self._asked.move_to_end(question)

    def answer(self, question: str) -> dict[str, Any]:
        """The answer, or `{"abstained": reason}` when the time is up or the process has died."""
        with self._news:
            self.ask(question)
            asked = self._asked[question]
            while asked.answer is None:
                reason = self._running().overdue(self.time_limit)
                if reason:
                    self._ask_another(reason)
                elif asked.answer is None:
                    self._news.wait(_LOOK)
            return asked.answer

    def close(self) -> None:
        """Kill the process; whoever still waits for an answer has an abstention."""
        with self._news:
            if self._server is not None:
                self._server.kill()
                self._server = None
            for asked in [asked for asked in self._asked.values() if asked.answer is None]:
                asked.answer = {"abstained": _ENDED}
                del self._asked[asked.question]  # it may be asked anew
            self._news.notify_all()

    def _running(self) -> _Server:
        if self._server is not None and self._server.ended:
            self._ask_another(_ENDED)
        if self._server is None:
            self._server = _Server(self._news)
        return self._server

    def _ask_another(self, reason: str) -> None:
        """Give up the question at work, and have the rest answered by a new process."""
        assert self._server is not None
        again = self._server.give_up(reason)
        self._server = None
        for asked in again:
            self._running().send(asked)

    def _forget(self) -> None:
        """Drop the answers that were wanted longest ago."""
        while len(self._asked) > KEPT and next(iter(self._asked.values())).answer is not None:
            self._asked.popitem(last=False)
