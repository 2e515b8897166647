"""Functions of the kind that libraries hold: recorded, judged, and proved for all inputs."""

from __future__ import annotations

import pytest
import torch
from library_functions import CASES

import gradcheck_cli
from gradcheck_cli.records.outcome import Outcome

# A mask of the generator's, padding, what Python decides, what is picked: what has to be said.
TOLD = {
    "dropped": "random numbers are drawn; every run here draws the same (`bernoulli`)",
    "padded_embedding": "the row of padding is a constant, by definition (`padding_idx`)",
    "newton_until_small": "a number leaves the tensors: what is shown holds for the branch taken",
    "quantised": "what is picked by value is held as it is at the point (`argmin`)",
}


def tried(case):
    return gradcheck_cli.check(case.function, case.at, variants="none", **case.options)


def name_of(case):
    return "-".join([case.name, *case.options])


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_what_libraries_hold_is_judged_as_it_is_meant(case):
    """Forward and backward are followed, the outcome is the one expected, and what is right is
    proved for all inputs, but for what the table says is not.
    """
    report = tried(case)
    (result,), (record,) = report.results, report.records
    found = record["function"]
    assert found["followed"] == {"forward": True, "backward": True}
    assert result.outcome is Outcome(case.outcome), [v.reason for v in result.verdicts]
    assert found["proved_for_all_inputs"] == case.proved
    said = " ".join(result.notes)
    assert TOLD.get(case.name, "") in said
    assert ("proved right for all inputs" in said) == case.proved


def lying(function, factor):
    """The same function, its gradient by its first input times a factor."""

    class Lying(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.clone()

        @staticmethod
        def backward(ctx, g):
            return g * factor

    def run(**named):
        first = next(iter(named))
        return function(**{**named, first: Lying.apply(named[first])})

    return run


FUNCTIONS = [c for c in CASES if c.proved and not isinstance(c.function, torch.nn.Module)]


@pytest.mark.parametrize("case", FUNCTIONS[::6], ids=name_of)
def test_a_lie_of_a_part_in_a_billion_is_found(case):
    """Whatever the function is, a gradient that is off in the tenth digit is wrong."""
    report = gradcheck_cli.check(
        lying(case.function, 1 + 1e-9), case.at, variants="none", **case.options
    )
    assert report.results[0].outcome is Outcome.WRONG
    assert not report.records[0]["function"]["proved_for_all_inputs"]
