"""Layers at three sizes each: seconds of computing of a check, partials and outcomes, so that growth
is seen.

Usage: python benchmarks/layers.py [DTYPE]

Imports are not counted; SymPy is not asked at these sizes.
"""

from __future__ import annotations

import sys
from collections import Counter
from time import process_time

import gradcheck_cli

SIZES = (1, 2, 4)


def layers(size: int) -> dict[str, dict[str, object]]:
    """The three programs with their points; the numbers of partials grow with `size`."""
    rows, batch = 32 * size, 8 * size
    return {
        "cross_entropy(x, t)": {"x": f"randn({rows},1000)", "t": [i % 1000 for i in range(rows)]},
        "sum(layer_norm(x, weight=w, bias=b)**2)": {
            "x": f"randn({rows},768)",
            "w": "randn(768)",
            "b": "randn(768)",
        },
        "cross_entropy(relu(x @ W + b) @ V + c, t)": {
            "x": f"randn({batch},{196 * size})",
            "W": f"uniform(-0.06,0.06,{196 * size},128)",
            "b": "randn(128)",
            "V": "uniform(-0.1,0.1,128,10)",
            "c": "randn(10)",
            "t": [i % 10 for i in range(batch)],
        },
    }


def main() -> None:
    """A line for each layer and size."""
    dtype = sys.argv[1] if len(sys.argv) > 1 else "float32"
    gradcheck_cli.check("sum(x @ y)", at={"x": "randn(300,300)", "y": "randn(300,1)"}, dtype=dtype)
    for size in SIZES:
        for program, at in layers(size).items():
            start = process_time()
            (record,) = gradcheck_cli.check(program, at=at, dtype=dtype).records
            seconds = process_time() - start
            counts = Counter(str(partial["outcome"]) for partial in record["partials"])
            words = ", ".join(f"{number:,} {outcome}" for outcome, number in counts.items())
            print(f"{seconds:6.2f} s  {len(record['partials']):>8,} partials  {program}: {words}")


if __name__ == "__main__":
    main()
