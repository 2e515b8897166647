"""`gradcheck fn` on code that comes to harm: a result, a sentence, exit code 3, and no process that
lives on.
"""

from __future__ import annotations

import signal

import psutil
import pytest
from clocks import HUNG, until
from orphans import alive
from suites import ran, started

SOURCE = {
    "segfault_at_import.py": "import ctypes\nctypes.string_at(0)\n",
    "endless_import.py": "while True:\n    pass\n",
    "exit_at_import.py": "import sys\nsys.exit(3)\n",
    "harm.py": """\
import ctypes, os, time
from pathlib import Path


def segfault(x):
    ctypes.string_at(0)


def endless(x):
    while True:
        pass


def asleep(x):
    Path("asleep").write_text(str(os.getpid()))
    ctypes.CDLL(None).sleep(100_000)


def hungry(x):
    held = []
    while True:
        held.append(b"x" * (1 << 28))
""",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with code that comes to harm."""
    found = tmp_path_factory.mktemp("harm")
    for name, text in SOURCE.items():
        (found / name).write_text(text, encoding="utf-8")
    return found


@pytest.mark.parametrize(
    ("title", "words", "told"),
    [
        ("segfault_at_import:f", (), "error: the check has ended its process by SIGSEGV"),
        ("endless_import:f", ("--timeout", "1"), "error: the check has taken longer than 1 s"),
        ("harm:segfault", (), "error: the check has ended its process by SIGSEGV"),
        ("harm:endless", ("--timeout", "1"), "error: the check has taken longer than 1 s"),
        (
            "harm:hungry",
            ("--max-memory", "1500MiB"),
            "error: the check has taken more than 1,500 MiB of memory",
        ),
    ],
)
def test_harm_is_a_result(folder, title, words, told):
    """With a sentence, and the command that does it again."""
    code, out, err = ran(folder, "fn", title, "--arg", "x=[1, 2]", *words)
    text = f"{title}\nfloat64 on cpu\n\n{told}\nreproduce: gradcheck fn {title} --arg 'x=[1, 2]'\n"
    assert (code, out, err) == (3, text, "")


def test_code_that_ends_itself_at_import_is_a_mistake(folder):
    """It can be told from a crash."""
    told = "error[broken-module]: importing `exit_at_import` raises SystemExit: 3\n"
    assert ran(folder, "fn", "exit_at_import:f", "--arg", "x=1.5") == (2, "", told)


def test_ctrl_c_ends_the_code_as_well(folder):
    """With exit code 130, though the code is deep in C."""
    process = started(folder, "fn", "harm:asleep", "--arg", "x=1.5")
    mark = folder / "asleep"
    until(lambda: mark.exists() and mark.read_text(encoding="utf-8"), process)
    child = int(mark.read_text(encoding="utf-8"))
    assert child in [each.pid for each in psutil.Process(process.pid).children()]
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=HUNG)
    assert process.returncode == 130
    assert not alive(child)


def test_a_function_is_held_against_one_thing(folder):
    """Two would contradict each other."""
    words = ("--spec", "x", "--backward-spec", "x")
    told = (
        "error[conflicting-options]: --spec and --backward-spec exclude each other\n"
        "  = help: a function is held against one of them\n"
    )
    assert ran(folder, "fn", "harm:f", "--arg", "x=1.5", *words) == (2, "", told)
