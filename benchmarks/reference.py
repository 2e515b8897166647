"""The certified reference: value and gradient in balls, of long scalar programs, in milliseconds.

Usage: python benchmarks/reference.py [RUNS]

A fresh case differentiates the program first; the next point of a grid only runs it.
"""

from __future__ import annotations

import sys
from statistics import median
from time import perf_counter

from gradcheck_cli.language.parse import parse
from gradcheck_cli.questions.numbers import read_points
from gradcheck_cli.questions.question import Case, Request, Unrolled, cases_of
from gradcheck_cli.witnesses.reference import Certified, Reference, reference

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


def proved(case: Case) -> None:
    """One certified reference.

    Raises:
        RuntimeError: it was not certified, so its time means nothing.
    """
    found = reference(case)
    if not isinstance(found, Reference) or not all(
        isinstance(answer, Certified) for answer in (*found.forward, *found.partials)
    ):
        raise RuntimeError("a value or a partial was not certified")


def seconds(case: Case, runs: int, *, fresh: bool) -> tuple[float, float]:
    """Median and shortest time of one reference; a fresh case has its gradient program still to be
    built.
    """
    times = []
    for _ in range(runs):
        if fresh:
            case.unrolled.derivatives.clear()
        begun = perf_counter()
        proved(case)
        times.append(perf_counter() - begun)
    return median(times), min(times)


def unrolling(case: Case, runs: int) -> tuple[float, float]:
    """Median and shortest time of turning the program into scalars, which every case needs once."""
    times = []
    for _ in range(runs):
        fresh = Unrolled(case.program, case.unrolled.inputs)
        begun = perf_counter()
        fresh.expansion  # noqa: B018 - computed when it is first read
        times.append(perf_counter() - begun)
    return median(times), min(times)


def main() -> None:
    """Print medians, and the shortest times in brackets: on a busy machine the two are far apart."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    print(f"{'nodes':>6} {'unroll, ms':>18} {'fresh case, ms':>18} {'next point, ms':>18}")
    for nodes, goal in SIZES:
        text = program(nodes)
        case = cases_of(Request(parse(text), read_points(["x=0.7", "y=0.3"])))[0]
        count = max(5, runs * SIZES[0][0] // nodes)
        proved(case)
        times = (
            unrolling(case, count),
            seconds(case, count, fresh=True),
            seconds(case, count, fresh=False),
        )
        cells = " ".join(f"{middle * 1e3:>8.2f} ({least * 1e3:>7.2f})" for middle, least in times)
        told = (
            ""
            if goal is None
            else f"  goal {goal * 1e3:g} ms fresh: {'met' if times[1][0] <= goal else 'MISSED'}"
        )
        print(f"{len(case.program.nodes):>6} {cells}{told}")


if __name__ == "__main__":
    main()
