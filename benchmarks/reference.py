"""The certified reference: value and gradient in balls, of long scalar programs, in milliseconds.

Usage: python benchmarks/reference.py [RUNS]

A fresh case differentiates the program first; the next point of a grid only runs it.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING

from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.language.parse import parse
from gradcheck_cli.questions.batching import batches
from gradcheck_cli.questions.numbers import read_points
from gradcheck_cli.questions.points import points_of
from gradcheck_cli.questions.prepared import unroll
from gradcheck_cli.questions.question import question_of
from gradcheck_cli.witnesses.reference import Proof, Reference
from gradcheck_cli.witnesses.truth import Certified

if TYPE_CHECKING:
    from gradcheck_cli.questions.batch import Batch

# (nodes, goal in seconds for a fresh case; None where there is none)
SIZES: tuple[tuple[int, float | None], ...] = ((200, 2e-3), (5_000, None))
# One step of the program: six nodes with the functions that expressions are made of, and values
# that stay near 1.
STEP = "z = tanh(z*x) + exp(-y*z)/(2 + cos(z))"


def program(nodes: int) -> str:
    """A program of about `nodes` nodes, each step resting on the last."""
    one = parse(f"z = x; {STEP}").nodes
    two = parse(f"z = x; {STEP}; {STEP}").nodes
    return "; ".join(["z = x"] + [STEP] * (nodes // (len(two) - len(one))))


def fresh(text: str) -> Batch:
    """The batch of one point, with nothing of it differentiated yet."""
    at = read_points(["x=0.7", "y=0.3"])
    question = question_of(parse(text), at)
    ((batch,),) = batches(question, points_of(at), [(DTYPES["float64"], "cpu")])
    return batch


def prove(batch: Batch) -> None:
    """One certified reference.

    Raises:
        RuntimeError: it was not certified, so its time means nothing.
    """
    proof = Reference().answer(batch).testimony(0)
    if not isinstance(proof, Proof) or not all(
        isinstance(answer, Certified) for answer in (*proof.forward, *proof.partials)
    ):
        raise RuntimeError("a value or a partial was not certified")


def seconds(text: str, runs: int, *, again: bool) -> tuple[float, float]:
    """Median and shortest time of one reference; a fresh one has its gradient program still to be
    built.
    """
    times = []
    batch = fresh(text)
    for _ in range(runs):
        if not again:
            # The scalars stay; the gradient is built anew.
            batch = replace(batch, prepared=replace(batch.prepared))
        begun = perf_counter()
        prove(batch)
        times.append(perf_counter() - begun)
    return median(times), min(times)


def unrolling(text: str, runs: int) -> tuple[float, float]:
    """Median and shortest time of turning the program into scalars, which every question needs
    once.
    """
    prepared, times = fresh(text).prepared, []
    for _ in range(runs):
        begun = perf_counter()
        unroll(prepared.specification, prepared.inputs)
        times.append(perf_counter() - begun)
    return median(times), min(times)


def main() -> None:
    """Print medians, and the shortest times in brackets: on a busy machine the two are far apart."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    print(f"{'nodes':>6} {'unroll, ms':>18} {'fresh case, ms':>18} {'next point, ms':>18}")
    for nodes, goal in SIZES:
        text = program(nodes)
        count = max(5, runs * SIZES[0][0] // nodes)
        prove(fresh(text))
        times = (
            unrolling(text, count),
            seconds(text, count, again=False),
            seconds(text, count, again=True),
        )
        cells = " ".join(f"{middle * 1e3:>8.2f} ({least * 1e3:>7.2f})" for middle, least in times)
        told = (
            ""
            if goal is None
            else f"  goal {goal * 1e3:g} ms fresh: {'met' if times[1][0] <= goal else 'MISSED'}"
        )
        print(f"{len(parse(text).nodes):>6} {cells}{told}")


if __name__ == "__main__":
    main()
