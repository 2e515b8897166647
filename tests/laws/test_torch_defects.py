"""Facts: where torch itself is wrong, and that the check says so. The laws leave these places out.

A fact that stops holding is good news about torch: take it out of `facts/torch.yaml` and state it
of the versions that still have it.
"""

from __future__ import annotations

import pytest
from torch_facts import FACTS, known_facts

from .points import (
    case,
    differentiable_rows,
    followed_rows,
    forward_told,
    named,
    samples,
    torch_value,
    verdicts_of,
)


def places(kind):
    """(program, point) of each fact of a kind."""
    return [(text, at) for text, fact in FACTS.data[kind].items() for at in fact["at"]]


@pytest.mark.torch_fact
@pytest.mark.parametrize(("text", "at"), places("wrong_values"))
def test_known_torch_defects_are_told(text, at):
    """torch's value is off by more than rounding explains."""
    told = forward_told(case(text, at))
    assert told is not None
    assert "torch's value" in told


@pytest.mark.torch_fact
@pytest.mark.parametrize(("text", "at"), places("wrong_gradients"))
def test_known_defects_of_torchs_gradient_are_wrong(text, at):
    """The verdict is wrong, and blames torch."""
    verdict = next(verdict for verdict in verdicts_of(case(text, at)))
    assert verdict.outcome == "wrong", verdict.reason
    assert verdict.reason.startswith("torch answers")


def test_every_place_that_is_left_out_is_held_here():
    """No range without a point in it that shows the defect, in any version."""
    for facts in known_facts():
        for fact in [*facts.data["wrong_values"].values(), *facts.data["wrong_gradients"].values()]:
            points = [float(at.removeprefix("x=")) for at in fact["at"] if "within" in fact]
            ranges = [(float(low), float(high)) for low, high in fact.get("within", [])]
            assert fact["at"]
            assert all(any(low <= x <= high for x in points) for low, high in ranges), fact
            assert all(any(low <= x <= high for low, high in ranges) for x in points), fact


LOST = [
    row
    for row in followed_rows()
    if row not in differentiable_rows()
    and not row.condition
    and any(not p.kind for p in row.parsed.args)
]


@pytest.mark.parametrize("row", LOST, ids=named)
def test_a_function_that_torch_does_not_differentiate_is_told(row):
    """`detached`, failed unless the derivative is 0; heaviside raises instead, and is
    `inconclusive` in torch's words.
    """
    for sample in samples(row):
        for verdict in verdicts_of(case(sample.text, sample.at)):
            if verdict.outcome == "inconclusive":
                assert "is not implemented" in verdict.reason
            else:
                assert verdict.outcome == "detached"
                assert verdict.failed == ("the derivative is 0 all the same" not in verdict.reason)


def test_what_torch_refuses_is_told_in_its_words():
    """binary_cross_entropy insists on probabilities, of which its meaning knows nothing."""
    found = case("bce(x, y)", "x=0.3,y=1.7")
    assert torch_value(found) is None
    assert {verdict.outcome for verdict in verdicts_of(found)} == {"inconclusive"}
    assert "between 0 and 1" in verdicts_of(found)[0].reason
