"""No test lets a wall clock decide, so that the busiest machine comes to the same results."""

from __future__ import annotations

import ast
from pathlib import Path
from time import process_time

import pytest
from clocks import cpu_budget
from each import each

HERE = Path(__file__).parent
FILES = [
    path for path in sorted(HERE.rglob("*.py")) if path.stem not in ("clocks", "sitecustomize")
]
# What of `time` says nothing of other programs.
OWN = ("process_time", "thread_time")
WAITS = ("run", "wait", "communicate", "result", "join", "acquire", "get")


def wall_clocks(source):
    """Lines at which a wall clock decides, in the text of a test file."""
    return [
        node.lineno
        for node in ast.walk(ast.parse(source))
        if _reads_one(node) or _waits_for_one(node) or _is_hurried(node)
    ]


def _reads_one(node):
    if isinstance(node, ast.ImportFrom):
        return node.module == "time" and not {alias.name for alias in node.names} <= {*OWN}
    return (
        isinstance(node, ast.Attribute)
        and ast.unparse(node.value) == "time"
        and node.attr not in (*OWN, "sleep")
    )


def _waits_for_one(node):
    """Whether it is a sleep that ends, or a wait with a number of seconds."""
    if not isinstance(node, ast.Call):
        return False
    name = getattr(node.func, "attr", getattr(node.func, "id", ""))
    limits = [keyword.value for keyword in node.keywords if keyword.arg == "timeout"]
    if name in ("sleep", "wait", "result", "join"):
        limits += node.args
    numbers = [
        n.value for n in limits if isinstance(n, ast.Constant) and type(n.value) in (int, float)
    ]
    return name in ("sleep", *WAITS) and any(number < 3600 for number in numbers)


def _is_hurried(node):
    """Whether it is a test by hypothesis with a deadline for an example: one is built in."""
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "settings":
        return "deadline=None" not in map(ast.unparse, node.keywords)
    decorators = [ast.unparse(item) for item in getattr(node, "decorator_list", [])]
    given = any(item.startswith("given(") for item in decorators)
    return given and not any(item.startswith(("settings(", "FIXED")) for item in decorators)


@each("path", FILES, ids=lambda path: path.relative_to(HERE).as_posix())
def test_no_wall_clock_decides(path):
    """`clocks.cpu_budget` measures computing, `clocks.until` waits for an event, and `clocks.HUNG`
    ends a test that hangs.
    """
    assert wall_clocks(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "lie",
    [
        "from time import perf_counter",
        "end = time.monotonic() + 5",
        "time.time()",
        "time.sleep(4)",
        "process.wait(60)",
        "process.wait(timeout=60)",
        "subprocess.run(command, timeout=60)",
        "future.result(timeout=1.5)",
        "@given(st.text())\ndef test(text): ...",
        "FIXED = settings(max_examples=3)",
    ],
)
def test_a_wall_clock_is_seen(lie):
    """In each of its forms."""
    assert wall_clocks(lie) == [1] or lie.startswith("@")
    assert wall_clocks(lie)


@pytest.mark.parametrize(
    "truth",
    [
        "from time import process_time",
        "process.wait(HUNG)",
        "time.sleep(3600)",
        "' '.join(words)",
        "@settings(deadline=None)\n@given(st.text())\ndef test(text): ...",
    ],
)
def test_what_ends_by_itself_is_let_be(truth):
    """A budget of computing, an event, a child that never ends."""
    assert wall_clocks(truth) == []


def test_a_budget_that_is_passed_fails():
    """And tells by how much."""
    told = pytest.raises(AssertionError, match=r"^this took 0\.\d\d s of computing, where 0\.05 s")
    begun = process_time()
    with told, cpu_budget(0.05):
        while process_time() < begun + 0.2:
            pass
