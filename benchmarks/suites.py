"""Suites at their steady rate: expressions a second once everything is imported, beside
`torch.autograd.gradcheck` on the same expressions in one process that has imported torch, and
beside another checkout of this repository.

Usage: python benchmarks/suites.py [COUNT] [JOBS] [CHECKOUT]

Computing is measured, of a run that of all its processes, so that a machine that does something
else as well gives much the same ratios; a rate is what JOBS cores that do nothing else would come to.
It is the rate of the expressions by which one suite is larger than another: what start-up takes is
in both. Each suite is run in turn by each checkout, several times, and the least computing counts.
`table` is what `gradcheck run` shows, `jsonl` has every formula written out.
"""

from __future__ import annotations

import ctypes
import os
import resource
import subprocess
import sys
from contextlib import suppress
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time
from typing import NamedTuple

from throughput import torch_gradcheck

from expressions import Asked, expressions, suite

# Rates, as ratios: to the other checkout (meant for commit 49eabb8), and to
# `torch.autograd.gradcheck`.
GOALS = {"the other checkout": 3.0, "torch gradcheck": 1.0}
HERE = Path(__file__).resolve().parents[1]
FORMATS = ("table", "jsonl")
ROUNDS = 3
# The smaller suite has one expression for so many of the larger one.
SMALLER = 5
# Exit codes of runs that came to their end.
ENDED = (0, 1, 4)
# <linux/prctl.h>
_PR_SET_CHILD_SUBREAPER = 36


class Way(NamedTuple):
    """A way through a suite: by which checkout, in which format."""

    checkout: Path
    form: str


class Spent(NamedTuple):
    """What a run took: seconds of computing, and from start to end."""

    computing: float
    seconds: float


def spent(way: Way, file: Path, jobs: int) -> Spent:
    """What one run takes.

    Raises:
        RuntimeError: it did not come to its end.
    """
    words = ("run", str(file), "-j", str(jobs), "-f", way.form)
    environment = os.environ | {"PYTHONPATH": str(way.checkout)}
    begun, before = perf_counter(), _computed()
    done = subprocess.run(
        [sys.executable, "-m", "gradcheck_cli", *words],
        cwd=file.parent,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    seconds = perf_counter() - begun
    if done.returncode not in ENDED:
        raise RuntimeError(f"{way.checkout} ended with {done.returncode}: {done.stderr}")
    return Spent(_computed() - before, seconds)


def _computed() -> float:
    """Seconds of computing of all that was started from here and has ended, what others have left
    behind included.
    """
    with suppress(ChildProcessError):
        while os.waitpid(-1, 0):
            pass
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def adopt() -> None:
    """Be the parent of what the processes started from here leave behind: else what a worker's own
    children compute is nobody's. On Linux; elsewhere that is left out.
    """
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def of_torch(asked: list[Asked]) -> float:
    """Expressions a second of `torch.autograd.gradcheck` in this process, torch being imported."""
    import torch

    torch.set_num_threads(1)
    times = []
    for _ in range(ROUNDS):
        begun = process_time()
        for each in asked:
            torch_gradcheck(each)
        times.append(process_time() - begun)
    return len(asked) / min(times)


def main() -> None:
    """Print the rates and their ratios."""
    given = dict(enumerate(sys.argv))
    count, jobs = int(given.get(1, "1000")), int(given.get(2, "2"))
    checkouts = [HERE, *(Path(path).resolve() for path in sys.argv[3:4])]
    asked = expressions(count)
    ways = [Way(*pair) for pair in product(checkouts, FORMATS)]
    least: dict[tuple[Way, int], Spent] = {}
    adopt()
    with TemporaryDirectory() as folder:
        files = {}
        for size in (count // SMALLER, count):
            files[size] = Path(folder) / f"random-{size}.gradcheck.yaml"
            files[size].write_text(suite(asked[:size]), encoding="utf-8")
        for _ in range(ROUNDS):
            for way, (size, file) in product(ways, files.items()):
                took = spent(way, file, jobs)
                least[way, size] = min(took, least.get((way, size), took))
    small, large = files
    rates = {
        way: jobs * (large - small) / (least[way, large].computing - least[way, small].computing)
        for way in ways
    }
    alone = of_torch(asked)
    print(f"{count:,} expressions, {jobs} jobs; `torch.autograd.gradcheck` alone: {alone:.0f} /s")
    for way in ways:
        computing, whole = least[way, large]
        all_of_it = f"{computing:.1f} s of computing, {whole:.1f} s in all"
        print(f"{way.form:<6} {rates[way]:>7.1f} /s steady; {all_of_it}  {way.checkout}")
    for form in FORMATS:
        own = rates[Way(HERE, form)]
        told("torch gradcheck", form, own / alone)
        for other in checkouts[1:]:
            told("the other checkout", form, own / rates[Way(other, form)])


def told(name: str, form: str, ratio: float) -> None:
    """Print a ratio beside its goal."""
    met = "met" if ratio >= GOALS[name] else "MISSED"
    print(f"{form:<6} / {name:<20} {ratio:>6.2f}   goal {GOALS[name]:g}: {met}")


if __name__ == "__main__":
    main()
