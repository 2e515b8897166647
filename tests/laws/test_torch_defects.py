"""Facts: where torch 2.13.0 itself is wrong, and that the check says so. The laws leave these
places out; here they are told.

A fact that stops holding is good news about torch: narrow `torch_defects` and take it from the
list.
"""

from __future__ import annotations

import pytest

from .points import (
    case,
    differentiable_rows,
    elementwise_rows,
    forward_told,
    named,
    samples,
    torch_value,
    verdicts_of,
)
from .torch_defects import GRADIENTS, VALUES

VALUE_FACTS = [
    ("bessel_j0(x)", "x=5.5"), ("bessel_j0(x)", "x=-8.3"), ("bessel_j1(x)", "x=-5.2"), ("bessel_j1(x)", "x=2"), ("bessel_y0(x)", "x=5.1"), ("bessel_y1(x)", "x=5.5"),
    ("airy_ai(x)", "x=-2.1"), ("airy_ai(x)", "x=-2.61"), ("polygamma(1, x)", "x=1.4"), ("polygamma(1, x)", "x=-2.4"),
    ("softplus(x)", "x=20.5"), ("softplus(x, beta=1.3, threshold=20.3)", "x=15.7"),
]  # fmt: skip
GRADIENT_FACTS = [
    ("digamma(x)", "x=1.4"), ("digamma(x)", "x=5.6"), ("polygamma(0, x)", "x=5.6"), ("hardsigmoid(x)", "x=1.3"), ("hardsigmoid(x)", "x=-2.9"),
    ("celu(x, alpha=1.3)", "x=-2"), ("softplus(x)", "x=20.5"), ("softplus(x, beta=1.3, threshold=20.3)", "x=15.7"),
    # norms below eps are clamped in the value and not in the gradient
    ("cosine_similarity(x, y, dim=0, eps=2)", "x=[0.3, 0.4],y=[0.6, 0.8]"),
    # NaN where one-sided derivatives, or the derivative itself, exist
    ("sqrt(x**2)", "x=0"), ("hypot(x, y)", "x=0,y=0"), ("x * sqrt(x)", "x=0"),
    # a branch that is not taken leaves 0 * inf
    ("where(x > 0, sqrt(x), 0 * x)", "x=-1"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "at"), VALUE_FACTS)
def test_known_torch_defects_are_told(text, at):
    """torch's value is off by more than rounding explains."""
    told = forward_told(case(text, at))
    assert told is not None
    assert "torch's value" in told


@pytest.mark.parametrize(("text", "at"), GRADIENT_FACTS)
def test_known_defects_of_torchs_gradient_are_wrong(text, at):
    """The verdict is wrong, and blames torch."""
    verdict = next(verdict for verdict in verdicts_of(case(text, at)))
    assert verdict.outcome == "wrong", verdict.reason
    assert verdict.reason.startswith("torch answers")


def test_every_place_that_is_left_out_is_told_here():
    """No range of `torch_defects` without a fact."""
    assert all(any(text.startswith(call) for text, _ in VALUE_FACTS) for call in VALUES)
    assert all(any(text.startswith(call) for text, _ in GRADIENT_FACTS) for call in GRADIENTS)


LOST = [
    row
    for row in elementwise_rows()
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
