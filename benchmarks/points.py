"""Many points: one expression of two variables on a grid, as one case of a suite.

Usage: python benchmarks/points.py [ROWS] [COLUMNS] [JOBS]
"""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from memory import Sampler
from throughput import GRADCHECK

# Points a second.
GOAL = 1_000
SUITE = """version: 1
name: a grid
cases:
  - expr: sigmoid(x*y) + tanh(x**3)*exp(-y**2)
    at:
      x: {{start: -3, stop: 3, count: {rows}}}
      y: {{start: -2, stop: 2, count: {columns}}}
"""
# What a line starts its outcome with: parsing 100,000 of them would be measured too.
MARK = '"outcome": "'


def main() -> None:
    """Print the time, the rate, the outcomes and the memory."""
    rows, columns, jobs = (
        int(argument) for argument in [*sys.argv[1:], *("400", "250", "2")[len(sys.argv) - 1 :]]
    )
    count, outcomes = rows * columns, Counter[str]()
    with TemporaryDirectory() as folder:
        file = Path(folder) / "grid.gradcheck.yaml"
        file.write_text(SUITE.format(rows=rows, columns=columns), encoding="utf-8")
        begun = perf_counter()
        with subprocess.Popen(
            [GRADCHECK, "run", str(file), "-j", str(jobs), "-f", "jsonl"],
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None
            with Sampler(process.pid) as memory:
                for done, line in enumerate(process.stdout, 1):
                    outcomes[line.partition(MARK)[2].partition('"')[0]] += 1
                    memory.progress = done / count
    seconds = perf_counter() - begun
    if outcomes.total() != count:
        raise RuntimeError(
            f"{outcomes.total():,} of {count:,} points came back; gradcheck ended with {process.returncode}"
        )
    rate = count / seconds
    told = ", ".join(f"{number:,} {outcome}" for outcome, number in outcomes.most_common())
    print(
        f"{count:,} points in {seconds:.1f} s, {rate:,.0f} a second; goal {GOAL:,}: {'met' if rate >= GOAL else 'MISSED'}"
    )
    print(told)
    print(memory.told())


if __name__ == "__main__":
    main()
