"""Many expressions: how many a second, start-up included, of a suite run, of the loop one writes by
hand, and of torch's own gradcheck.

Usage: python benchmarks/throughput.py [COUNT] [JOBS]

Each is a process of its own and has the same expressions. Only the suite run gives verdicts on all
of them; the loop gives up an expression after ten seconds, because SymPy hangs on some, and counts
what it did not answer.
"""

from __future__ import annotations

import json
import math
import signal
import subprocess
import sys
from collections import Counter
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple

from memory import Sampler

from expressions import Asked, expressions, suite

if TYPE_CHECKING:
    from collections.abc import Iterator

GRADCHECK = str(Path(sys.executable).with_name("gradcheck"))
# Expressions a second, as ratios: of the suite run to the loop by hand, and to
# `torch.autograd.gradcheck`.
GOALS = {"by hand": 5.0, "torch gradcheck": 0.2}
LIMIT = 10  # seconds for one expression of the loop by hand
STEP = 5e-4
FUNCTIONS = ("sin", "cos", "tanh", "atan", "exp", "sqrt", "log")


class Run(NamedTuple):
    """One way through all expressions: seconds from start to end, and how many had which outcome."""

    seconds: float
    outcomes: Counter[str]


class OutOfTime(Exception):
    """The limit of one expression is reached."""


@contextmanager
def limited(seconds: int) -> Iterator[None]:
    """Raise OutOfTime in what takes longer."""

    def ring(*_: object) -> None:
        raise OutOfTime

    signal.signal(signal.SIGALRM, ring)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)


def by_hand(asked: Asked) -> str:
    """SymPy's derivative, torch's and a central difference of one expression, the first two
    compared as one does: to nine digits.

    `sympify` and `lambdify` run text as Python: that is what such loops do, and here it is text of
    our own generator alone.
    """
    import sympy
    import torch

    try:
        with limited(LIMIT):
            formula = sympy.sympify(asked.text)
            names = list(asked.at)
            value = sympy.lambdify(
                names, formula, [{name: partial(_torch, name) for name in FUNCTIONS}, "math"]
            )
            inputs = [
                torch.tensor(asked.at[name], dtype=torch.float64, requires_grad=True)
                for name in names
            ]
            value(*inputs).backward()
            for k, name in enumerate(names):
                exact = float(
                    sympy.lambdify(names, sympy.diff(formula, name), "math")(*asked.at.values())
                )
                above, below = (
                    value(
                        *[x.detach() + (sign * STEP if j == k else 0) for j, x in enumerate(inputs)]
                    )
                    for sign in (1, -1)
                )
                numeric, measured = float(above - below) / (2 * STEP), inputs[k].grad
                if (
                    measured is None
                    or not math.isclose(exact, measured.item(), rel_tol=1e-9)
                    or not math.isclose(exact, numeric, rel_tol=1e-3, abs_tol=1e-3)
                ):
                    return "differs"
    except OutOfTime:
        return f"no answer in {LIMIT} s"
    except Exception as error:  # noqa: BLE001 - whatever SymPy or torch raise is counted
        return type(error).__name__
    return "agrees"


def torch_gradcheck(asked: Asked) -> str:
    """`torch.autograd.gradcheck` of one expression, by torch's own calls."""
    import torch

    def function(*inputs: Any) -> Any:
        return asked.value(torch, dict(zip(asked.at, inputs, strict=True)))

    inputs = [
        torch.tensor(value, dtype=torch.float64, requires_grad=True) for value in asked.at.values()
    ]
    return (
        "passes" if torch.autograd.gradcheck(function, inputs, raise_exception=False) else "fails"
    )


def _torch(name: str, x: Any) -> Any:
    """torch's function of a tensor or of a number."""
    import torch

    return getattr(torch, name)(torch.as_tensor(x, dtype=torch.float64))


LOOPS = {"by hand": by_hand, "torch gradcheck": torch_gradcheck}


def loop(name: str, count: str) -> None:
    """The process of a loop: its outcomes as JSON. It makes the same expressions again, a few
    milliseconds for a thousand.
    """
    print(json.dumps(Counter(LOOPS[name](asked) for asked in expressions(int(count)))))


def looped(name: str, count: int) -> Run:
    """A loop in a fresh process."""
    begun = perf_counter()
    done = subprocess.run(
        [sys.executable, __file__, name, str(count)], stdout=subprocess.PIPE, check=True
    )
    return Run(perf_counter() - begun, Counter(json.loads(done.stdout)))


def suite_run(file: Path, count: int, jobs: int) -> tuple[Run, Sampler]:
    """`gradcheck run` in a fresh process, its memory sampled while it writes its lines.

    Raises:
        RuntimeError: a case is missing, so its time means nothing.
    """
    begun = perf_counter()
    outcomes: Counter[str] = Counter()
    with subprocess.Popen(
        [GRADCHECK, "run", str(file), "-j", str(jobs), "-f", "jsonl"],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        with Sampler(process.pid) as memory:
            for line in process.stdout:
                outcomes[str(json.loads(line)["outcome"])] += 1
                memory.progress = outcomes.total() / count
    if outcomes.total() != count:
        raise RuntimeError(
            f"{outcomes.total()} of {count} cases came back; gradcheck ended with {process.returncode}"
        )
    return Run(perf_counter() - begun, outcomes), memory


def main() -> None:
    """Print the rates, what came of the expressions, and the memory of the suite run."""
    count, jobs = (
        int(argument) for argument in [*sys.argv[1:], *("1000", "2")[len(sys.argv) - 1 :]]
    )
    with TemporaryDirectory() as folder:
        cases = Path(folder) / "random.gradcheck.yaml"
        cases.write_text(suite(expressions(count)), encoding="utf-8")
        checked, memory = suite_run(cases, count, jobs)
        runs = {f"gradcheck run -j {jobs}": checked} | {name: looped(name, count) for name in LOOPS}
    print(f"{count:,} expressions")
    for name, run in runs.items():
        outcomes = ", ".join(
            f"{number:,} {outcome}" for outcome, number in run.outcomes.most_common()
        )
        print(f"{name:<20} {run.seconds:>8.1f} s {count / run.seconds:>8.1f} /s   {outcomes}")
    for name, goal in GOALS.items():
        ratio = runs[name].seconds / checked.seconds
        print(
            f"{'gradcheck / ' + name:<34} {ratio:>8.2f}   goal {goal:g}: {'met' if ratio >= goal else 'MISSED'}"
        )
    print(memory.told())


if __name__ == "__main__":
    if sys.argv[1:] and sys.argv[1] in LOOPS:
        loop(*sys.argv[1:])
    else:
        main()
