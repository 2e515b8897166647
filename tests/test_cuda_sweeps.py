"""Sweeps on a CUDA device: torch's part and the comparison run there. Skipped without one."""

from __future__ import annotations

import pytest
import torch
from test_sweeps_of_several import COUNT, PROGRAMS, asked, outcomes

from gradcheck_cli.sweeps.alone import Alone

pytestmark = pytest.mark.skipif(
    not torch.cuda.is_available(), reason="this machine has no CUDA device"
)


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
@pytest.mark.parametrize("text", PROGRAMS)
def test_outcomes_are_those_of_single_checks_there(text, dtype):
    """Of the same device."""
    question = asked(text, dtype, device="cuda")
    found, unsettled = outcomes(question)
    alone: dict[object, int] = {}
    for verdict in Alone(question).verdicts(range(COUNT)):
        alone[verdict.outcome] = alone.get(verdict.outcome, 0) + 1
    assert (found, unsettled) == (alone, 0)


def test_a_line_is_swept_there(tool, tmp_path):
    """By the command."""
    words = ("sweep", "sigmoid(x)", "--over", "x=-4:4", "--dtype", "float32", "--points", "100000")
    code, out, _ = tool.ran(tmp_path, *words, "--device", "cuda", "-q")
    assert (code, out) == (0, "sigmoid(x): float32: 100,000 agree\n")
