"""Law: a gradient of torch's that is off by one part in a million is called wrong, for every
function torch differentiates.

The verdict rests on the reference and on torch alone here: SymPy and differences have no part in
it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import torch
from asking import reference
from each import each

from gradcheck_cli.functions import table
from gradcheck_cli.judge.rounding import rounding
from gradcheck_cli.witnesses.truth import Certified

from .points import Sample, case_of, differentiable_rows, named, samples, verdicts_of
from .torch_defects import gradient_errs

if TYPE_CHECKING:
    from gradcheck_cli.functions.row import Function

LIE = 1e-6
# A point counts where rounding cannot explain a tenth of the lie.
ROOM = LIE / 10
# Where torch is right again, for a row whose sampled points are all among the known defects.
FAR = {"digamma": ("75.3", "120.5"), "hardsigmoid": ("4.5", "-7.2")}


class Lying(torch.autograd.Function):
    """The identity, whose backward scales the gradient by 1 + 1e-6, and answers 1e-6 where it is 0."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        return x.clone()

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> torch.Tensor:
        return torch.where(grad == 0, LIE, grad * (1 + LIE))


def lying(row: Function) -> Function:
    """The same row with a torch function whose value is right and whose gradient is not."""

    def call(t: Any, *args: Any, **settings: Any) -> Any:
        return row.torch(
            t,
            *[
                Lying.apply(a) if isinstance(a, t.Tensor) and a.is_floating_point() else a
                for a in args
            ],
            **settings,
        )

    return replace(row, torch=call)


def counting(sample: Sample) -> list[int]:
    """The partials at a sample that rounding leaves sharp enough to see the lie."""
    found = case_of(sample)
    proved = reference(found)
    sharp = []
    for k, answer in enumerate(proved.partials):
        assert isinstance(answer, Certified)
        size = abs(float(answer.ball.mid()))
        if 4 * rounding(found).of_partial(found, k, found.dtype).total <= ROOM * (size or 1.0):
            sharp.append(k)
    return sharp


@each("row", differentiable_rows(), ids=named)
def test_an_honest_gradient_is_not_called_wrong(row):
    """Every sampled point but those where torch's backward is known to be wrong;
    `test_torch_defects` has these.
    """
    honest = [sample for sample in samples(row) if not gradient_errs(sample)]
    honest += [Sample(row, f"{row.name}(x)", (("x", text),)) for text in FAR.get(row.name, ())]
    assert honest
    for sample in honest:
        for verdict in verdicts_of(case_of(sample)):
            assert verdict.outcome in ("agree", "imprecise"), (
                f"{sample}: {verdict.outcome}, {verdict.reason}"
            )


@pytest.mark.parametrize("row", differentiable_rows(), ids=named)
def test_a_lie_of_one_part_in_a_million_is_caught(row, monkeypatch):
    """Scaling torch's gradient by 1 + 1e-6 turns the verdict to wrong, for every argument."""
    points = [(sample, counting(sample)) for sample in samples(row)]
    caught = set()
    monkeypatch.setitem(table(), row.name, lying(row))
    for sample, sharp in points:
        verdicts = verdicts_of(case_of(sample))
        for k in sharp:
            assert verdicts[k].outcome == "wrong", (
                f"{sample}: d/d{verdicts[k].key.variable} is {verdicts[k].outcome}, {verdicts[k].reason}"
            )
            caught.add(verdicts[k].key.variable)
    assert len(caught) == len(points[0][0].numbers), (
        f"{row.name}: only the lies about {sorted(caught)} could be seen"
    )
