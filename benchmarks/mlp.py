"""A small network: every partial of 113 parameters, checked in one process, with the time each
witness takes.

Usage: python benchmarks/mlp.py [RUNS]

Three tanh layers 3-8-8-1 with biases, mean squared error over four rows. Imports are not counted.
SymPy abstains beyond 64 partials, so its share is nearly nothing.
"""

from __future__ import annotations

import sys
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck_cli.checks.check import check_batches, panel
from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.judge.bench import judge
from gradcheck_cli.judge.evidence import Evidence
from gradcheck_cli.judge.rounding import rounding
from gradcheck_cli.language.parse import parse
from gradcheck_cli.questions.batching import batches
from gradcheck_cli.questions.numbers import read_points
from gradcheck_cli.questions.points import points_of
from gradcheck_cli.questions.question import question_of
from gradcheck_cli.symbolic.client import Analyst

if TYPE_CHECKING:
    from collections.abc import Callable

    from gradcheck_cli.questions.batch import Batch

GOAL = 0.5
LAYERS = (3, 8, 8, 1)
ROWS = 4
PROGRAM = "h = tanh(x @ W1 + b1); k = tanh(h @ W2 + b2); y = k @ W3 + b3; mean((y - t)**2)"
SHAPES = {"x": (ROWS, 3), "t": (ROWS, 1)} | {
    name: shape
    for i in (1, 2, 3)
    for name, shape in ((f"W{i}", LAYERS[i - 1 : i + 1]), (f"b{i}", LAYERS[i : i + 1]))
}


def fresh() -> Batch:
    """The batch of one point, with nothing of it computed yet."""
    random = np.random.default_rng(0)
    at = read_points(
        f"{name}={random.uniform(-1, 1, shape).round(3).tolist()}" for name, shape in SHAPES.items()
    )
    wrt = [name for name in SHAPES if name not in ("x", "t")]
    question = question_of(parse(PROGRAM), at, wrt)
    ((batch,),) = batches(question, points_of(at), [(DTYPES["float64"], "cpu")])
    return batch


def timed(times: dict[str, list[float]], name: str, work: Callable[[], Any]) -> Any:
    """What `work` gives; its time is noted under `name`."""
    begun = perf_counter()
    found = work()
    times.setdefault(name, []).append(perf_counter() - begun)
    return found


def whole(analyst: Analyst) -> None:
    """One check from text to verdicts.

    Raises:
        RuntimeError: a partial was not verified, so its time means nothing.
    """
    for result in check_batches([(fresh(),)], panel(analyst)):
        worst = next((verdict for verdict in result.verdicts if verdict.outcome != "agree"), None)
        if worst is not None:
            raise RuntimeError(f"not verified: {worst.key}: {worst.reason}")


def parts(times: dict[str, list[float]], analyst: Analyst) -> None:
    """The same, witness by witness."""
    batch = timed(times, "program, point", fresh)
    (point,) = batch
    budgets = rounding(point)
    timed(times, "budget, forward", lambda: budgets.of_value(point, batch.dtype))
    count = range(len(batch.keys))
    timed(
        times,
        "budget, 113 more",
        lambda: [budgets.of_partial(point, k, batch.dtype) for k in count],
    )
    testimonies = {
        witness.name: timed(times, witness.name, lambda w=witness: w.answer(batch).testimony(0))
        for witness in panel(analyst)
    }
    timed(times, "judge", lambda: judge(Evidence(point, testimonies)))


def main() -> None:
    """Print the medians."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    analyst, times = Analyst(), dict[str, list[float]]()
    try:
        timed(times, "first check", lambda: whole(analyst))
        for _ in range(runs):
            timed(times, "whole check", lambda: whole(analyst))
            parts(times, analyst)
    finally:
        analyst.close()
    for name, taken in times.items():
        told = (
            f"goal {GOAL} s: {'met' if median(taken) <= GOAL else 'MISSED'}"
            if name == "whole check"
            else ""
        )
        print(f"{name:<17} {median(taken) * 1e3:>9.2f} ms {told}".rstrip())


if __name__ == "__main__":
    main()
