"""Shapes of calls of whole arrays, without the arrays."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from gradcheck_cli.language.program import Call, Number, Program, Variable
from gradcheck_cli.worlds.scalars import expand

if TYPE_CHECKING:
    from gradcheck_cli.language.program import CallSettings

    Shape = tuple[int, ...]


def call_shape(call: Call, shapes: tuple[Shape, ...]) -> Shape | Number:
    """The shape of a call for arguments of some shapes; of a number that rests on nothing else, as
    their size does, that number.

    Raises:
        ShapeError: they do not fit.
        TooLarge: the call has too many scalars.
    """
    return _shape(call.function, call.settings, shapes)


@lru_cache(maxsize=1024)
def _shape(function: str, settings: CallSettings, shapes: tuple[Shape, ...]) -> Shape | Number:
    names = [f"x{k}" for k in range(len(shapes))]
    call = Call(function, tuple(range(len(shapes))), settings)
    program = Program((*map(Variable, names), call), (len(shapes),))
    inputs = dict(zip(names, shapes, strict=True))
    expansion = expand(program, inputs)
    value = expansion.values[-1]
    node = expansion.builder.nodes[value] if isinstance(value, int) else None
    return node if isinstance(node, Number) else np.shape(value)
