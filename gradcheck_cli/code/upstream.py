"""Calls whose gradient is stated itself, as a program of the upstream gradient."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from gradcheck_cli.questions.seeded import seeded_numbers
from gradcheck_cli.subjects.layouts import Weighed
from gradcheck_cli.worlds import tensors

if TYPE_CHECKING:
    from gradcheck_cli.code.call import CodeCall


def weighed(call: CodeCall) -> CodeCall:
    """The same with one number for a value, `<cotangent, f>`, and the cotangent as an input of the
    program that states the gradient.
    """
    import torch

    like = torch.empty((), dtype=tensors.dtype_of(call.dtype.name), device=call.device)
    inputs = {n: torch.tensor(a, dtype=torch.float64).to(like) for n, a in call.arrays.items()}
    value = call.subject.run(inputs, call.dtype.round, like).result
    count = value.numel()
    given = seeded_numbers("cotangent", count) if call.cotangent is None else call.cotangent(count)
    weights = np.array(given if count > 1 else list(given)[:1]).reshape(tuple(value.shape))
    subject = replace(call.subject, layout=Weighed(call.subject.layout, weights.tolist()))
    further = {**call.standard.further, call.standard.upstream: weights}
    standard = replace(call.standard, further=further)
    return replace(call, subject=subject, standard=standard, cotangent=None)
