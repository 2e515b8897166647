"""Cold start: the wall time of whole processes, as ratios to the script a user would write by hand
(`by_hand.py`).

Usage: python benchmarks/cold_start.py [RUNS]

The commands take turns, so that a busy machine slows them alike; medians are compared.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from time import perf_counter

HERE = Path(__file__).parent
GRADCHECK = str(Path(sys.executable).with_name("gradcheck"))
EXPRESSION = "sigmoid(x**2)+tanh(x**3)"

# An installed package has its bytecode; without it every run would compile the sources anew.
ENVIRONMENT = {
    name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"
}

# Name, command, exit code, and the ratio to the first that is wanted.
COMMANDS: tuple[tuple[str, list[str], int, float], ...] = (
    ("by hand", [sys.executable, str(HERE / "by_hand.py")], 0, 1.0),
    ("gradcheck", [GRADCHECK, EXPRESSION, "--at", "x=3"], 0, 0.75),
    ("--help", [GRADCHECK, "--help"], 0, 1 / 3),
    ("--version", [GRADCHECK, "--version"], 0, 1 / 3),
    ("parse error", [GRADCHECK, "sigmod(x**2)+", "--at", "x=3"], 2, 1 / 3),
)


def seconds(command: list[str], code: int) -> float:
    """Wall time of one run.

    Raises:
        RuntimeError: it did not end as it should, so its time means nothing.
    """
    begun = perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=ENVIRONMENT)
    taken = perf_counter() - begun
    if done.returncode != code:
        raise RuntimeError(f"{command} ended with {done.returncode}, not {code}:\n{done.stderr}")
    return taken


def main() -> None:
    """Time every command in turn and print the table of ratios."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 11
    times: dict[str, list[float]] = {name: [] for name, *_ in COMMANDS}
    for run in range(runs + 1):
        for name, command, code, _ in COMMANDS:
            taken = seconds(command, code)
            if run:  # the first round fills the file cache and writes bytecode
                times[name].append(taken)
    whole = median(times["by hand"])
    print(f"{'command':<12} {'median':>9} {'ratio':>7} {'goal':>7}")
    for name, _, _, goal in COMMANDS:
        took = median(times[name])
        met = "" if name == "by hand" else "met" if took / whole <= goal else "MISSED"
        print(f"{name:<12} {took:>7.3f} s {took / whole:>7.2f} {goal:>7.2f} {met}")


if __name__ == "__main__":
    main()
