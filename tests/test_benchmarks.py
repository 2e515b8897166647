"""The benchmarks' generator: the text of an expression and its calls are the same function, or the
benchmark would compare two.
"""

from __future__ import annotations

import math
import runpy
from pathlib import Path

import pytest
import torch
from asking import autograd, case

GENERATED = runpy.run_path(str(Path(__file__).parents[1] / "benchmarks" / "expressions.py"))[
    "expressions"
](80)


def same(asked, text):
    """Whether a text has the value that the calls of an expression have, to the rounding of torch's
    two ways to the same number.
    """
    point = {name: torch.tensor(value, dtype=torch.float64) for name, value in asked.at.items()}
    (ours,) = autograd(
        case(text, ",".join(f"{name}={value!r}" for name, value in asked.at.items()))
    ).forward
    return math.isclose(ours, float(asked.value(torch, point)), rel_tol=1e-12, abs_tol=1e-12)


@pytest.mark.parametrize("asked", GENERATED, ids=lambda asked: asked.text)
def test_the_calls_are_the_text(asked):
    """And no other: a millionth more is seen."""
    assert same(asked, asked.text)
    assert not same(asked, f"({asked.text}) + 1e-6")
