"""SymPy in a process of its own: asked early, waited for late, killed when its time is up.

It is started before torch is imported here, so that the two slow imports run side by side; importing this module
imports neither.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

# A derivative that takes longer is one of those SymPy never finds: logistic map of 20 steps, relu nested 20 times.
TIME_LIMIT = 3.0
# An interpreter that takes longer than this to import SymPy is not going to.
START_LIMIT = 60.0


@dataclass
class _Asked:
    question: str
    done: threading.Event = field(default_factory=threading.Event)
    answer: dict[str, Any] | None = None
    started: float = 0.0
    lost: bool = False  # it waited behind a question that this process ended


class Analyst:
    """The process, and what was asked of it; a question that takes too long ends the process, and the next starts another."""

    def __init__(self, time_limit: float = TIME_LIMIT) -> None:
        self.time_limit = time_limit
        self._process: subprocess.Popen[str] | None = None
        self._asked: dict[str, _Asked] = {}
        self._lock = threading.Lock()

    def start(self) -> None:
        """Start the process, if it is not running."""
        if self._process is None or self._process.poll() is not None:
            command = [sys.executable, "-c", "from gradcheck_cli.witnesses.analyst import serve; serve()"]
            # Its own session: Ctrl-C in the terminal is for this process, which then ends that one.
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and our own text
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, encoding="utf-8", start_new_session=True
            )

    def ask(self, question: str) -> None:
        """Send a question, unless it was asked before."""
        if question not in self._asked:
            self.start()
            asked = self._asked[question] = _Asked(question)
            threading.Thread(target=self._exchange, args=(asked, self._process), daemon=True).start()

    def answer(self, question: str) -> dict[str, Any]:
        """The answer, or `{"abstained": reason}` when the time is up or the process has died."""
        for _ in range(2):
            self.ask(question)
            asked = self._asked[question]
            self._wait(asked)
            if asked.answer is not None:
                return asked.answer
            if not asked.lost:
                break
            del self._asked[question]  # ask the next process
        return {"abstained": "the SymPy process ended without an answer"}

    def _wait(self, asked: _Asked) -> None:
        begun = monotonic()
        while not asked.done.wait(0.02):
            now = monotonic()
            if (asked.started and now - asked.started > self.time_limit) or now - begun > START_LIMIT:
                asked.answer = {"abstained": f"SymPy found no derivative within {self.time_limit:g} s"}
                for other in self._asked.values():
                    other.lost = other.answer is None and not other.started
                self.close()
                return

    def close(self) -> None:
        """Kill the process."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _exchange(self, asked: _Asked, process: Any) -> None:
        """Send one question and wait for its two lines: work has begun; the answer."""
        with self._lock:
            try:
                process.stdin.write(asked.question + "\n")
                process.stdin.flush()
                if process.stdout.readline():
                    asked.started = monotonic()
                line = process.stdout.readline()
                if asked.answer is None and line:
                    asked.answer = json.loads(line)
            except (OSError, ValueError):
                line = ""
            if not line:
                # The pipe ends before the process does; without waiting, the next question would go to the dead one.
                process.kill()
                process.wait()
            asked.done.set()
