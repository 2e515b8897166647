"""SymPy's process: what hangs is ended, what waits is answered, nothing is left behind and nothing
piles up.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading

import pytest
from clocks import HUNG, until
from orphans import alive, orphaned

from gradcheck_cli.symbolic import client
from gradcheck_cli.symbolic.client import KEPT, PATIENCE, Analyst

ENDED = {"abstained": "the SymPy process ended without an answer"}
LATE = {"abstained": "SymPy found no derivative within 1.5 s"}


def question(program, **more):
    """What SymPy's process is asked of a program of one input."""
    return json.dumps(
        {"program": program, "shapes": {"x": []}, "integers": {}, "wrt": ["x"], "cotangent": None}
        | more
    )


def power(n):
    """A question of SymPy's process, and its answer."""
    return question(f"x**{n}"), f"{n}*x**{n - 1}"


# SymPy compares the factors of this derivative, nested as deep as they are, over and over: minutes.
# It evaluates them for the sake of the power.
SLOW = question("y = (x**2)**0.5\n" + "y = sin(y) + y\n" * 2000 + "y", formulas=False)
SQUARE, CUBE = power(2)[0], power(3)[0]


@pytest.fixture
def impatient():
    """A process of one's own, to be killed."""
    found = Analyst(time_limit=1.5)
    yield found
    found.close()


def pid_of(analyst):
    """The process at work."""
    return analyst._server.child.pid


def begun(analyst):
    """The process, as soon as a question is at work."""
    until(lambda: analyst._server._begun is not None)
    return analyst._server


def formula(answer):
    """The one formula of an answer."""
    return answer["partials"][0]["formula"]


def test_a_question_without_end_is_ended(impatient):
    """The process is killed at its time limit, in words, and the next question finds a new one."""
    assert formula(impatient.answer(SQUARE)) == "2*x"
    first = pid_of(impatient)
    assert impatient.answer(SLOW) == LATE
    assert not alive(first)
    assert formula(impatient.answer(CUBE)) == "3*x**2"
    assert pid_of(impatient) != first


def test_a_question_that_waits_behind_a_slow_one_is_answered(impatient):
    """Several questions may be sent before the first is waited for; one that is ended takes none of
    the others with it.
    """
    impatient.ask(SLOW)
    impatient.ask(SQUARE)
    assert impatient.answer(SLOW) == LATE
    assert formula(impatient.answer(SQUARE)) == "2*x"


def test_whoever_waits_for_a_later_question_ends_the_slow_one_too(impatient):
    """The clock is that of the question at work, not of the one that is waited for."""
    impatient.ask(SLOW)
    impatient.ask(SQUARE)
    assert formula(impatient.answer(SQUARE)) == "2*x"
    first = pid_of(impatient)
    assert impatient.answer(SLOW) == LATE
    assert pid_of(impatient) == first  # it was answered when it was ended, and is not asked again


@pytest.mark.parametrize(
    ("waited", "computed", "given_up"),
    [(1.4, 9.0, False), (1.6, 1.4, False), (1.6, 1.6, True), (1.5 * PATIENCE + 0.1, 0.0, True)],
)
def test_time_is_computing_time(impatient, monkeypatch, waited, computed, given_up):
    """A process that is kept from computing is not given up before its patience is at an end."""
    impatient.ask(SLOW)
    server = begun(impatient)
    when, before = server._begun
    monkeypatch.setattr(client, "monotonic", lambda: when + waited)
    monkeypatch.setattr(server.child, "computed", lambda: before + computed)
    assert server.overdue(1.5) == LATE["abstained"] * given_up


def test_a_process_that_is_kept_from_computing_is_given_up_in_the_end(impatient, monkeypatch):
    """Stopped by a signal, it never comes to its time limit."""
    impatient.time_limit = 0.3
    impatient.ask(SLOW)
    server = begun(impatient)
    os.kill(server.child.pid, signal.SIGSTOP)
    monkeypatch.setattr(server.child, "computed", lambda: server._begun[1])
    monkeypatch.setattr(client, "PATIENCE", 2)
    assert impatient.answer(SLOW) == {"abstained": "SymPy found no derivative within 0.3 s"}
    assert not alive(server.child.pid)


def test_a_process_that_dies_is_told(impatient):
    """Killed from outside at work: an abstention in words, and the next question works."""
    impatient.time_limit = HUNG
    impatient.ask(SLOW)
    impatient.ask(SQUARE)
    os.kill(begun(impatient).child.pid, signal.SIGKILL)
    assert impatient.answer(SLOW) == ENDED
    assert formula(impatient.answer(SQUARE)) == "2*x"


def script(path, text):
    """A program in place of Python."""
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)
    return str(path)


def test_a_process_that_cannot_start_is_told(impatient, monkeypatch, tmp_path):
    """All that it was asked is answered at once; it is not started again and again."""
    monkeypatch.setattr(sys, "executable", script(tmp_path / "ends", "exit 3"))
    questions = [power(n)[0] for n in range(2, 5)]
    for asked in questions:
        impatient.ask(asked)
    assert [impatient.answer(asked) for asked in questions] == [ENDED] * 3


def test_a_process_that_never_begins_is_told(impatient, monkeypatch, tmp_path):
    """An interpreter that does not get as far as the first question."""
    monkeypatch.setattr(sys, "executable", script(tmp_path / "sleeps", f"exec sleep {HUNG}"))
    monkeypatch.setattr(client, "START_LIMIT", 0.3)
    impatient.start()
    pid = pid_of(impatient)
    assert impatient.answer(SQUARE) == {"abstained": "SymPy's process did not begin within 0.3 s"}
    assert not alive(pid)


def test_closing_leaves_no_process_behind(impatient):
    """Nor does closing twice fail."""
    impatient.start()
    pid = pid_of(impatient)
    impatient.close()
    impatient.close()
    assert not alive(pid)


def test_closing_lets_those_who_wait_go(impatient):
    """They have an abstention, start no other process, and may ask again."""
    impatient.time_limit = HUNG
    answers = []
    waiter = threading.Thread(target=lambda: answers.append(impatient.answer(SLOW)))
    impatient.start()
    waiter.start()
    begun(impatient)
    impatient.ask(SQUARE)
    impatient.close()
    waiter.join(HUNG)
    assert answers == [ENDED]
    assert impatient._server is None
    assert formula(impatient.answer(SQUARE)) == "2*x"


def test_two_questions_at_once_are_not_mixed_up(analyst):
    """Sent together, waited for in the other order."""
    asked = [power(n) for n in range(11, 19)]
    for text, _ in asked:
        analyst.ask(text)
    for text, answer in reversed(asked):
        assert formula(analyst.answer(text)) == answer


def test_asking_ahead_waits_for_nothing(impatient):
    """More questions than a pipe holds, while nobody reads it; the answers come all the same."""
    impatient.start()
    os.kill(pid_of(impatient), signal.SIGSTOP)
    asked = [power(n) for n in range(100, 1_600)]
    assert sum(len(text) for text, _ in asked) > 2 * 65_536
    for text, _ in asked:
        impatient.ask(text)
    os.kill(pid_of(impatient), signal.SIGCONT)
    assert [formula(impatient.answer(text)) for text, _ in asked] == [answer for _, answer in asked]


def test_answers_do_not_pile_up(analyst):
    """The last few hundred are remembered; what is forgotten is asked again."""
    for text, answer in map(power, range(3, KEPT + 50)):
        assert formula(analyst.answer(text)) == answer
    assert len(analyst._asked) <= KEPT
    assert CUBE not in analyst._asked
    assert formula(analyst.answer(CUBE)) == "3*x**2"
    assert CUBE in analyst._asked


ASKS = """
import sys, time
from gradcheck_cli.symbolic.client import Analyst
analyst = Analyst(3600)
analyst.ask(sys.argv[1])
while analyst._server._begun is None: time.sleep(0.01)
print(analyst._server.child.pid, flush=True)
time.sleep(3600)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux promises it")
def test_sympys_process_dies_with_its_parent():
    """Killed in the middle of a derivative that has no end."""
    child = orphaned(ASKS, SLOW)
    until(lambda: not alive(child))
