"""SymPy's process: what hangs is ended, what waits is answered, nothing is left behind and nothing
piles up.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from itertools import pairwise
from time import monotonic, sleep

import psutil
import pytest
from programs import case

from gradcheck_cli.symbolic import client as process_module
from gradcheck_cli.symbolic.client import KEPT, Analyst
from gradcheck_cli.witnesses import Abstention
from gradcheck_cli.witnesses.analytic import _question, analytic, ask

# SymPy compares the factors of this derivative, nested as deep as they are, over and over: minutes.
SLOW = "y = x\n" + "y = sin(y)\n" * 500 + "y"


@pytest.fixture
def impatient():
    """A process of one's own, to be killed."""
    found = Analyst(time_limit=1.5)
    yield found
    found.close()


def pid_of(analyst):
    """The process at work."""
    return analyst._process.popen.pid


def alive(pid):
    """Whether a process is there, and not only its entry in the table."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def gone(pid, seconds=10.0):
    """Whether a process ends within some seconds."""
    until = monotonic() + seconds
    while alive(pid) and monotonic() < until:
        sleep(0.02)
    return not alive(pid)


def begun(analyst):
    """Wait until a question is at work."""
    until = monotonic() + 30
    while analyst._process._begun is None and monotonic() < until:
        sleep(0.01)
    assert analyst._process._begun is not None


def power(n):
    """A question of SymPy's process, and its answer."""
    return json.dumps(
        {"program": f"x**{n}", "shapes": {"x": []}, "integers": {}, "wrt": ["x"], "cotangent": None}
    ), f"{n}*x**{n - 1}"


def test_a_question_without_end_is_ended(impatient):
    """The process is killed at its time limit, in words, and the next question finds a new one."""
    slow, quick = case(SLOW, "x=0.5"), case("x**2", "x=3")
    assert analytic(quick, impatient)[0].text == "2*x"
    first = pid_of(impatient)
    assert analytic(slow, impatient) == Abstention("SymPy found no derivative within 1.5 s")
    assert not alive(first)
    assert analytic(case("x**3", "x=3"), impatient)[0].text == "3*x**2"
    assert pid_of(impatient) != first


def test_a_question_that_waits_behind_a_slow_one_is_answered(impatient):
    """Several questions may be sent before the first is waited for; one that is ended takes none of
    the others with it.
    """
    slow, quick = case(SLOW, "x=0.5"), case("x**2", "x=3")
    ask(slow, impatient)
    ask(quick, impatient)
    assert isinstance(analytic(slow, impatient), Abstention)
    answer = analytic(quick, impatient)
    assert not isinstance(answer, Abstention), answer.reason
    assert answer[0].text == "2*x"


def test_whoever_waits_for_a_later_question_ends_the_slow_one_too(impatient):
    """The clock is that of the question at work, not of the one that is waited for."""
    slow, quick = case(SLOW, "x=0.5"), case("x**2", "x=3")
    ask(slow, impatient)
    ask(quick, impatient)
    assert analytic(quick, impatient)[0].text == "2*x"
    first = pid_of(impatient)
    assert analytic(slow, impatient) == Abstention("SymPy found no derivative within 1.5 s")
    assert pid_of(impatient) == first  # it was answered when it was ended, and is not asked again


def test_time_is_computing_time(impatient, monkeypatch):
    """A process that is kept from computing is not given up before its patience is at an end."""
    impatient.time_limit = 0.3
    slow = _question(case(SLOW, "x=0.5"))
    impatient.ask(slow)
    begun(impatient)
    process = impatient._process
    os.kill(process.popen.pid, signal.SIGSTOP)
    monkeypatch.setattr(process, "_computed", lambda: process._begun[1] + 0.2)
    sleep(0.4)
    assert process.overdue(impatient.time_limit) == ""
    monkeypatch.setattr(process_module, "PATIENCE", 2)
    assert impatient.answer(slow) == {"abstained": "SymPy found no derivative within 0.3 s"}


def test_a_process_that_dies_is_told(impatient):
    """Killed from outside at work: an abstention in words, and the next question works."""
    impatient.time_limit = 20
    slow = case(SLOW, "x=0.5")
    ask(slow, impatient)
    begun(impatient)
    os.kill(pid_of(impatient), signal.SIGKILL)
    assert analytic(slow, impatient) == Abstention("the SymPy process ended without an answer")
    assert analytic(case("x**4", "x=3"), impatient)[0].text == "4*x**3"


def script(path, text):
    """A program in place of Python."""
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)
    return str(path)


def test_a_process_that_cannot_start_is_told(impatient, monkeypatch, tmp_path):
    """All that it was asked is answered at once; it is not started again and again."""
    monkeypatch.setattr(sys, "executable", script(tmp_path / "ends", "exit 3"))
    questions = [power(n)[0] for n in range(2, 5)]
    for question in questions:
        impatient.ask(question)
    assert [impatient.answer(question) for question in questions] == [
        {"abstained": "the SymPy process ended without an answer"}
    ] * 3


def test_a_process_that_never_begins_is_told(impatient, monkeypatch, tmp_path):
    """An interpreter that does not get as far as the first question."""
    monkeypatch.setattr(sys, "executable", script(tmp_path / "sleeps", "exec sleep 60"))
    monkeypatch.setattr(process_module, "START_LIMIT", 0.3)
    impatient.start()
    pid = pid_of(impatient)
    assert impatient.answer(power(2)[0]) == {
        "abstained": "SymPy's process did not begin within 0.3 s"
    }
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
    impatient.time_limit = 20
    found = []
    waiter = threading.Thread(target=lambda: found.append(analytic(case(SLOW, "x=0.5"), impatient)))
    question, answer = power(7)
    impatient.start()
    waiter.start()
    begun(impatient)
    impatient.ask(question)
    impatient.close()
    waiter.join(10)
    assert found == [Abstention("the SymPy process ended without an answer")]
    assert impatient._process is None
    assert impatient.answer(question)["partials"][0]["formula"] == answer


def test_two_questions_at_once_are_not_mixed_up(analyst):
    """Sent together, waited for in the other order."""
    cases = [case(f"x**{n}", "x=2") for n in range(11, 19)]
    for found in cases:
        ask(found, analyst)
    answers = [analytic(found, analyst)[0].text for found in reversed(cases)]
    assert answers == [f"{n}*x**{n - 1}" for n in range(18, 10, -1)]
    assert all(a != b for a, b in pairwise(answers))


def test_asking_ahead_waits_for_nothing(impatient):
    """More questions than a pipe holds, while nobody reads it; the answers come all the same."""
    impatient.start()
    os.kill(pid_of(impatient), signal.SIGSTOP)
    asked = [power(n) for n in range(100, 1_600)]
    assert sum(len(question) for question, _ in asked) > 2 * 65_536
    for question, _ in asked:
        impatient.ask(question)
    os.kill(pid_of(impatient), signal.SIGCONT)
    assert [impatient.answer(question)["partials"][0]["formula"] for question, _ in asked] == [
        answer for _, answer in asked
    ]


def test_answers_do_not_pile_up(analyst):
    """The last few hundred are remembered; what is forgotten is asked again."""
    for n in range(3, KEPT + 50):
        question, answer = power(n)
        assert analyst.answer(question)["partials"][0]["formula"] == answer
    assert len(analyst._asked) <= KEPT
    question, answer = power(3)
    assert question not in analyst._asked
    assert analyst.answer(question)["partials"][0]["formula"] == answer
    assert question in analyst._asked


PARENT = """
import os, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", sys.argv[1]], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
child.stdout.readline()
print(child.pid, flush=True)
time.sleep(60)
"""
# It never looks at its stdin.
BUSY = "print(flush=True)\nwhile True: sum(range(10**6))"
MORTAL = f"from gradcheck_cli.processes import die_with_parent\nassert die_with_parent()\n{BUSY}"
ANALYST = """
import sys, time
from gradcheck_cli.symbolic.client import Analyst
analyst = Analyst(60)
analyst.ask(sys.argv[1])
while analyst._process._begun is None: time.sleep(0.01)
print(analyst._process.popen.pid, flush=True)
time.sleep(60)
"""


def orphaned(code, argument):
    """The process whose id a program prints, after that program was killed."""
    parent = subprocess.Popen(
        [sys.executable, "-c", code, argument], stdout=subprocess.PIPE, text=True
    )
    child = int(parent.stdout.readline())
    assert alive(child)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    return child


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux promises it")
def test_a_busy_process_dies_with_its_parent():
    """Killed in the middle of its work; without the promise it lives on."""
    assert gone(orphaned(PARENT, MORTAL))
    survivor = orphaned(PARENT, BUSY)
    assert not gone(survivor, 0.5)
    os.kill(survivor, signal.SIGKILL)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux promises it")
def test_sympys_process_dies_with_its_parent():
    """Killed in the middle of a derivative that has no end."""
    assert gone(orphaned(ANALYST, _question(case(SLOW, "x=0.5"))))
