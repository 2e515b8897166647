"""How a question is split: a Jacobian by the elements of the value, second derivatives by the first
ones.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from gradcheck_cli.language.elements import indices_of
from gradcheck_cli.questions.objectives import ElementOfValue, FirstDerivative
from gradcheck_cli.questions.seeded import seeded_numbers
from gradcheck_cli.subjects.single import DirectedSlope, PartialSlope

if TYPE_CHECKING:
    from gradcheck_cli.questions.arrays import Array
    from gradcheck_cli.questions.objectives import Objective
    from gradcheck_cli.questions.prepared import Prepared

# A Jacobian has at most so many rows, and entries.
MAX_OUTPUTS, MAX_ENTRIES = 64, 4_096
# Of so many inputs every second derivative is checked: 256 entries. Of more, the products with a
# direction, as many as there are inputs.
MAX_SECOND = 16


def parts_of(prepared: Prepared, order: int, *, jacobian: bool) -> tuple[Prepared, ...]:
    """The specification with one number after the other to be differentiated; nothing where a
    question is not split.
    """
    objectives = prepared.share("parts", lambda: _objectives(prepared, order, jacobian=jacobian))
    count = len(objectives)
    return tuple(prepared.share(o, partial(prepared.aimed_at, o, count)) for o in objectives)


def _objectives(prepared: Prepared, order: int, *, jacobian: bool) -> tuple[Objective, ...]:
    if order == 2:
        return _first_derivatives(prepared)
    shape = prepared.shape
    if not jacobian or not shape:
        return ()
    return tuple(ElementOfValue(index, k) for k, index in enumerate(indices_of(shape)))


def _first_derivatives(prepared: Prepared) -> tuple[Objective, ...]:
    shapes = {name: prepared.size(name) for name in prepared.wrt}
    if len(prepared.elements) <= MAX_SECOND:
        slopes = [
            PartialSlope(n, index) for n, size in shapes.items() for index in indices_of(size)
        ]
        return tuple(FirstDerivative(slope, prepared.weights, shapes) for slope in slopes)
    numbers = seeded_numbers("direction", len(prepared.elements))
    direction: dict[str, Array] = {}
    for name, size in shapes.items():
        count = int(np.prod(size))
        direction[name], numbers = np.array(numbers[:count]).reshape(size), numbers[count:]
    return (FirstDerivative(DirectedSlope(direction), prepared.weights, shapes),)
