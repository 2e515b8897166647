"""The numbers that torch itself has: those it computed, and the constants as it was given them."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np
from flint import arb

from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.language.program import Call

if TYPE_CHECKING:
    from gradcheck_cli.questions.batch import Point
    from gradcheck_cli.subjects import NodeValues
    from gradcheck_cli.worlds.scalars import Expansion


def pins_of(point: Point, expansion: Expansion, execution: NodeValues) -> dict[int, float]:
    """torch's own numbers, by the scalar nodes that they are values of."""
    pins: dict[int, float] = {}
    for i, node in enumerate(point.specification.nodes):
        value = execution.node(i)
        if not isinstance(node, Call) or not hasattr(value, "is_floating_point"):
            continue
        if value.is_floating_point():
            numbers = value.detach().reshape(-1).double().tolist()
            places = np.reshape(expansion.values[i], -1).tolist()
            if len(places) == len(numbers):
                pins.update(zip(places, numbers, strict=True))
    return pins


@dataclass(frozen=True)
class Constant:
    """A constant beside a tensor: Python's float64, and the number of the dtype that torch makes of
    it where it compares it, or takes it for a tensor. Sums and products of half precision take it
    in float32.
    """

    exact: float
    rounded: float

    @property
    def ball(self) -> Any:
        """All that torch may take it for."""
        single = DTYPES["float32"].round(Fraction(self.exact))
        return arb(self.exact).union(arb(self.rounded)).union(arb(single))


def constants_of(point: Point, expansion: Expansion, execution: NodeValues) -> dict[int, Constant]:
    """The constants of the program that Python holds, by their scalar nodes."""
    constants: dict[int, Constant] = {}
    for i, place in enumerate(expansion.values):
        value = execution.node(i)
        if isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value):
            rounded = point.dtype.round(Fraction(value))
            if isfinite(rounded):
                constants[int(place)] = Constant(float(value), rounded)
    return constants
