"""Analytic: SymPy's derivative of the Program, asked for in another process and evaluated in balls.

SymPy can hang, so it works in a process that is killed when its time is up; that process is started before torch is
imported here, so that the two slow imports run side by side.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from gradcheck_cli.case import index_variables
from gradcheck_cli.language.errors import UserError
from gradcheck_cli.language.parse import parse
from gradcheck_cli.language.text import program_text
from gradcheck_cli.witnesses import Abstention
from gradcheck_cli.witnesses.reference import FIRST_BITS, SIGN_BITS, certified, scalar_inputs
from gradcheck_cli.worlds import balls
from gradcheck_cli.worlds.scalars import Expansion, ShapeError, TooLarge, expand

if TYPE_CHECKING:
    from gradcheck_cli.case import Case

TIME_LIMIT = 3.0
# An interpreter that takes longer than this to import SymPy is not going to.
START_LIMIT = 60.0
# Past these sizes SymPy would only run into its time limit.
MAX_PARTIALS, MAX_NODES = 64, 5_000


@dataclass(frozen=True)
class Formula:
    """SymPy's derivative: its text in our language, its LaTeX, and its ball at the point (None if it has none there)."""

    text: str
    latex: str
    ball: balls.Ball | None
    reason: str = ""


Answer: TypeAlias = "Formula | Abstention"


@dataclass
class _Asked:
    key: str
    done: threading.Event = field(default_factory=threading.Event)
    answer: dict[str, Any] | None = None
    started: float = 0.0


class Analyst:
    """SymPy in a process of its own. `ask` early, `answer` late; a question that takes too long ends the process."""

    def __init__(self, time_limit: float = TIME_LIMIT) -> None:
        self.time_limit = time_limit
        self._process: subprocess.Popen[str] | None = None
        self._asked: dict[str, _Asked] = {}
        self._lock = threading.Lock()

    def start(self) -> None:
        """Start the process, if it is not running."""
        if self._process is None or self._process.poll() is not None:
            command = [sys.executable, "-c", "from gradcheck_cli.witnesses.analyst import serve; serve()"]
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, encoding="utf-8")

    def ask(self, case: Case) -> None:
        """Send a case's question, unless it was asked before."""
        question = _question(case)
        if isinstance(question, Abstention) or question in self._asked:
            return
        self.start()
        asked = self._asked[question] = _Asked(question)
        threading.Thread(target=self._exchange, args=(asked, self._process), daemon=True).start()

    def _exchange(self, asked: _Asked, process: Any) -> None:
        with self._lock:
            try:
                process.stdin.write(asked.key + "\n")
                process.stdin.flush()
                process.stdout.readline()  # the worker has imported SymPy and read the question
                asked.started = monotonic()
                line = process.stdout.readline()
                asked.answer = json.loads(line) if line else None
            except (OSError, ValueError):
                asked.answer = None
            asked.done.set()

    def answer(self, case: Case) -> tuple[Answer, ...] | Abstention:
        """SymPy's derivatives at the point of a case, waiting no longer than the time limit."""
        question = _question(case)
        if isinstance(question, Abstention):
            return question
        self.ask(case)
        asked = self._asked[question]
        begun = monotonic()
        while not asked.done.wait(0.05):
            now = monotonic()
            if (asked.started and now - asked.started > self.time_limit) or now - begun > START_LIMIT:
                asked.answer = {"abstained": f"SymPy found no derivative within {self.time_limit:g} s"}
                self.close()
                break
        if asked.answer is None:
            return Abstention("the SymPy process ended without an answer")
        if "abstained" in asked.answer:
            return Abstention(asked.answer["abstained"])
        return tuple(_evaluate(case, item["formula"], item["latex"]) for item in asked.answer["partials"])

    def close(self) -> None:
        """Kill the process."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


def _question(case: Case) -> str | Abstention:
    expansion = case.unrolled.expansion
    if isinstance(expansion, TooLarge):
        return Abstention(f"SymPy is not asked: {expansion}")
    if len(case.keys) > MAX_PARTIALS:
        return Abstention(f"SymPy is not asked for {len(case.keys)} partials; {MAX_PARTIALS} is the most")
    if len(expansion.builder.nodes) > MAX_NODES:
        return Abstention(f"SymPy is not asked: {len(expansion.builder.nodes):,} scalar operations, {MAX_NODES:,} is the most")
    indices = index_variables(case.program)
    return json.dumps(
        {
            "program": program_text(case.program),
            "shapes": {name: array.shape for name, array in case.at.items() if name not in indices},
            "integers": {name: array.tolist() for name, array in case.at.items() if name in indices},
            "wrt": case.wrt,
            "cotangent": None if case.cotangent is None else case.cotangent.reshape(-1).tolist(),
        }
    )


def _evaluate(case: Case, text: str, latex: str) -> Answer:
    """A formula's ball at the case's point, at rising precision."""
    try:
        program = parse(text)
        expansion = expand(program, {name: case.unrolled.inputs[name] for name in program.variables})
    except (UserError, ShapeError, TooLarge) as error:
        return Formula(text, latex, None, f"the formula could not be evaluated: {str(error).splitlines()[0]}")
    return _enclose(case, expansion, program.result, text, latex)


def _enclose(case: Case, expansion: Expansion, result: int, text: str, latex: str) -> Formula:
    output = int(np.reshape(expansion.values[result], -1)[0])
    scalars = expansion.builder.program(output)
    inputs = scalar_inputs(case)
    bits = FIRST_BITS
    while True:
        ball = balls.plain(balls.run(scalars, inputs, bits, case.literal)[scalars.result])
        if certified(ball):
            return Formula(text, latex, ball)
        bits *= 2
        if bits > 4 * SIGN_BITS:
            return Formula(text, latex, ball if ball.is_finite() else None, "the formula has no value at this point")
