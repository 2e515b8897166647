"""Code that cannot be followed and has many inputs, differenced along random directions."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from gradcheck_cli.code.call import MOST_DIFFERENCED, differentiated_count
from gradcheck_cli.questions.seeded import seeded_numbers
from gradcheck_cli.subjects.layouts import Along

if TYPE_CHECKING:
    from gradcheck_cli.code.call import CodeCall

# How many; a gradient that is wrong in general position shows along the first.
DIRECTIONS = 8
_INPUT = "along"


def directed(call: CodeCall) -> tuple[CodeCall, int | None]:
    """The call as a function of steps along directions, and how many; the call itself, and None,
    where its numbers are differenced one by one or something else decides.
    """
    import torch

    if differentiated_count(call) <= MOST_DIFFERENCED or call.standard.kind != "recording":
        return call, None
    point = {name: torch.tensor(array, dtype=torch.float64) for name, array in call.arrays.items()}
    directions = []
    for k in range(DIRECTIONS):
        direction = {}
        for name in call.wrt:
            size = point[name].numel()
            numbers = seeded_numbers(f"direction {k} of {name}", size) if size > 1 else [1.0]
            direction[name] = torch.tensor(numbers, dtype=torch.float64).reshape(point[name].shape)
        directions.append(direction)
    layout = Along(point, directions, call.subject.layout)
    subject = replace(call.subject, layout=layout, inputs=(_INPUT,))
    arrays = {_INPUT: np.zeros(DIRECTIONS)}
    return replace(call, subject=subject, arrays=arrays, wrt=(_INPUT,)), DIRECTIONS
