"""Sweeps: how many points get a verdict in a second of CPU time, by the kind of sweep.

Usage: python benchmarks/sweeps.py [KIND]...

KIND is a row of `WORK`; without one all but `every float32`, which takes minutes, are measured. The
goals are those of two cores, so half of each is that of one.
"""

from __future__ import annotations

import resource
import sys
from collections import Counter
from time import process_time
from typing import NamedTuple

import torch

from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.language.parse import parse
from gradcheck_cli.questions.numbers import read_points
from gradcheck_cli.questions.question import question_of
from gradcheck_cli.questions.ranges import read_range
from gradcheck_cli.sweeps.asked import Sweep, SweepQuestion
from gradcheck_cli.sweeps.part import swept

CORES = 2


class Work(NamedTuple):
    """A kind of sweep: its programs, range, dtype and points, and millions of points a second."""

    programs: tuple[str, ...]
    over: str
    dtype: str
    points: int | None
    goal: float


# fmt: off
WORK = {
    "every float32":       Work(("sigmoid(x)", "x*sigmoid(x)"), "x=all", "float32", None, 23.8),
    "float32":             Work(("sigmoid(x)", "tanh(x)", "gelu(x)", "softplus(x)", "log(1+exp(x))"), "x=0.25:4", "float32", None, 20.0),
    "float64":             Work(("sigmoid(x)", "gelu(x)", "sigmoid(x**2)+tanh(x**3)"), "x=-4:4", "float64", 10_000_000, 2.5),
    "two inputs, float32": Work(("sin(x*y)+exp(-x**2)",), "x=-4:4,y=-4:4", "float32", 10_000_000, 6.0),
    "two inputs, float64": Work(("sin(x*y)+exp(-x**2)",), "x=-4:4,y=-4:4", "float64", 10_000_000, 2.0),
}
# fmt: on


def main() -> None:
    """Print a line for each program, and whether the goal of its kind is met."""
    torch.set_num_threads(1)
    words = sys.argv[1:]
    measure("sigmoid(x)", Work((), "x=0.5:1:64", "float32", None, 0.0))  # all is loaded
    for kind in words or [kind for kind in WORK if kind != "every float32"]:
        work = WORK[kind]
        for program in work.programs:
            points, seconds, told = measure(program, work)
            rate = CORES * points / seconds / 1e6
            met = "met" if rate >= work.goal else "MISSED"
            print(
                f"{kind}: {program}: {points:,} points in {seconds:.1f} s of CPU time, {rate:.1f} M/s "
                f"on {CORES} cores; goal {work.goal:g}: {met}; {told}",
                flush=True,
            )
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"most memory of one process: {memory:,} MiB; goal 1,024 of all together")


def measure(program: str, work: Work) -> tuple[int, float, str]:
    """Points, seconds of CPU time and outcomes of a sweep by the first input."""
    ranges = read_points([work.over], read_range)
    question = question_of(parse(program), tuple(ranges), (next(iter(ranges)),))
    sweep = Sweep(ranges, {}, work.points)
    asked = SweepQuestion(question, sweep, DTYPES[work.dtype], "cpu")
    outcomes: Counter[str] = Counter()
    begun = process_time()
    for start, stop in sweep.parts(work.dtype):
        part = swept(asked, start, stop, None)
        outcomes.update({str(outcome): n for outcome, n in part.tally.counts.items()})
        outcomes["not settled"] += sum(span.points for span, _ in part.settled.unsettled)
    told = ", ".join(f"{number:,} {name}" for name, number in outcomes.items() if number)
    return outcomes.total(), process_time() - begun, told


if __name__ == "__main__":
    main()
