"""A child process: messages arrive whole and in order, nothing waits for a child that does not
listen, and every way it may end has its words.
"""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys

import pytest
from clocks import HUNG, until
from orphans import alive, orphaned

from gradcheck_cli import processes
from gradcheck_cli.processes import DONE, READY, Child, Lost

# What the children of these tests do, each on being told to.
WORK = """
import ctypes, os, sys, time

def obey(messages):
    yield b"ready"
    for message in messages:
        word, _, rest = message.partition(b" ")
        if word == b"echo":
            yield rest
        if word == b"print":
            print("stray", flush=True)
            os.write(1, b"stray")
            yield repr((sys.stdin.read(), os.read(0, 1))).encode()
        if word == b"exit":
            os._exit(int(rest))
        if word == b"raise":
            raise OSError("no pipe is meant")
        if word == b"sleep":
            time.sleep(3600)
        if word == b"eat":
            kept = bytearray(os.urandom(1 << 20)) * int(rest)
            yield b"eaten"
            time.sleep(3600)
        if word == b"compute":
            while time.process_time() < float(rest):
                pass
            yield b"computed"
"""


@pytest.fixture
def child(tmp_path, monkeypatch):
    """One that obeys, on a path that is handed over."""
    (tmp_path / "works_of_children.py").write_text(WORK, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    found = Child("works_of_children:obey")
    assert found.next_message(HUNG) == READY
    yield found
    found.kill()


def test_messages_arrive_whole_and_in_order(child):
    """Empty ones, small ones, and more than a pipe holds, before any answer is taken."""
    sent = [b"", READY, DONE, b"\0" * 300_000, b"\n", *(b"%d" % k for k in range(1_000))]
    for message in sent:
        child.send(b"echo " + message)
    assert [child.next_message(HUNG) for _ in sent] == sent


def test_sending_waits_for_nothing(child):
    """Not for a child that reads nothing, nor for one that is gone."""
    os.kill(child.pid, signal.SIGSTOP)
    for k in range(100):
        child.send(b"echo %d " % k + b"x" * 100_000)
    os.kill(child.pid, signal.SIGCONT)
    assert [child.next_message(HUNG).split()[0] for _ in range(100)] == [
        b"%d" % k for k in range(100)
    ]
    child.kill()
    child.send(b"echo nobody")


def test_both_pipes_carry_messages_and_nothing_else(child):
    """Prints, Python's and those below it, go elsewhere; whoever reads stdin finds its end."""
    child.send(b"print")
    child.send(b"echo behind")
    assert child.next_message(HUNG) == b"('', b'')"
    assert child.next_message(HUNG) == b"behind"


def test_what_an_interpreter_prints_at_its_start_is_no_message(tmp_path, monkeypatch):
    """Some site has its interpreters greet."""
    (tmp_path / "sitecustomize.py").write_text("print('hello')\nprint('there', end='', flush=True)")
    (tmp_path / "works_of_children.py").write_text(WORK, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("PYTHONUNBUFFERED", "1")
    child = Child("works_of_children:obey")
    assert child.next_message(HUNG) == READY
    child.kill()


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (b"exit 0", "ended its process with exit code 0"),
        (b"exit 17", "ended its process with exit code 17"),
        (b"raise", "ended its process with exit code 1"),
    ],
)
def test_a_child_that_ends_is_told(child, message, words):
    """Of whom it is asked once more, the same."""
    child.send(message)
    for _ in range(2):
        with pytest.raises(Lost, match=f"^{words}$"):
            child.next_message(HUNG)
    assert child.ended


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (signal.SIGSEGV, "ended its process by SIGSEGV"),
        (signal.SIGKILL, r"ended its process by SIGKILL \(out of memory, if nobody sent it\)"),
        (signal.SIGRTMIN + 1, f"ended its process by signal {signal.SIGRTMIN + 1}"),
    ],
)
def test_a_child_that_is_ended_by_a_signal_is_told(child, number, words):
    """With a guess where nobody may have sent it."""
    os.kill(child.pid, number)
    with pytest.raises(Lost, match=f"^{words}$"):
        child.next_message(HUNG)


def test_a_child_has_so_much_time_and_no_more(child):
    """It is killed."""
    child.send(b"sleep")
    with pytest.raises(Lost, match=r"^taken longer than 0.2 s$"):
        child.next_message(0.2)
    assert not alive(child.pid)


def test_a_child_has_so_much_memory_and_no_more(child):
    """What it answers in the meantime is taken first."""
    child.send(b"eat 100")
    assert child.next_message(HUNG, 1 << 30) == b"eaten"
    assert 100 << 20 < child.memory() < 1 << 30
    with pytest.raises(Lost, match=r"^taken more than 100 MiB of memory$"):
        child.next_message(HUNG, 100 << 20)
    assert not alive(child.pid)
    assert child.memory() == 0


def test_computing_is_measured(child):
    """And nothing else is."""
    child.send(b"compute 0.5")
    assert child.next_message(HUNG) == b"computed"
    assert child.computed() > 0.4  # the system counts hundredths
    child.kill()
    assert child.computed() == 0


def test_whoever_hears_is_told_the_end_once(tmp_path, monkeypatch):
    """Messages go to a function instead; none waits."""
    (tmp_path / "works_of_children.py").write_text(WORK, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    heard = []
    child = Child("works_of_children:obey", heard.append)
    child.send(b"echo 1")
    child.send(b"exit 3")
    until(lambda: None in heard)
    assert heard == [READY, b"1", None]


def test_a_child_is_in_a_session_of_its_own(child):
    """Ctrl-C in the terminal is not for it."""
    assert os.getsid(child.pid) == child.pid != os.getsid(0)


@pytest.mark.parametrize("cut", [0, 3, 8, 12])
def test_a_message_that_is_broken_off_is_lost(cut):
    """Those before it are not."""
    pipe = io.BytesIO()
    processes._put(pipe, b"whole")
    whole = len(pipe.getvalue())
    processes._put(pipe, b"broken")
    text = pipe.getvalue()[: whole + cut]
    assert list(processes._messages(io.BytesIO(text))) == [b"whole"]
    assert list(processes._messages(io.BytesIO(pipe.getvalue()))) == [b"whole", b"broken"]


PARENT = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", *sys.argv[1:]], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
child.stdout.readline()
print(child.pid, flush=True)
time.sleep(3600)
"""
# It never looks at its stdin, and leaves a file whenever that is gone.
BUSY = "import os, sys\nprint(flush=True)\nwhile True: open(sys.argv[1], 'w').close()"
MORTAL = f"from gradcheck_cli.processes import die_with_parent\nassert die_with_parent()\n{BUSY}"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux promises it")
def test_a_busy_process_dies_with_its_parent(tmp_path):
    """Killed in the middle of its work; without the promise it works on."""
    beat = tmp_path / "beat"
    child = orphaned(PARENT, MORTAL, str(beat))
    until(lambda: not alive(child))
    survivor = orphaned(PARENT, BUSY, str(beat))
    beat.unlink(missing_ok=True)
    until(beat.exists)
    assert alive(survivor)
    os.kill(survivor, signal.SIGKILL)


def test_a_child_without_a_parent_ends_with_its_questions(tmp_path, monkeypatch):
    """Where no system promises anything, the end of stdin has to do."""
    (tmp_path / "works_of_children.py").write_text(WORK, encoding="utf-8")
    command = [sys.executable, "-c", processes._PROGRAM, processes._HOME, "works_of_children:obey"]
    done = subprocess.run(
        command,
        input=_framed(json.dumps([str(tmp_path), *sys.path]).encode(), b"echo 1"),
        capture_output=True,
        timeout=HUNG,
        check=True,
    )
    assert done.stdout == processes._MARK + _framed(READY, b"1")


def _framed(*messages):
    pipe = io.BytesIO()
    for message in messages:
        processes._put(pipe, message)
    return pipe.getvalue()
