"""The world of arrays in which radii are budgets: how far the roundings of a dtype take what torch
computes.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

from gradcheck_cli.calculus.formulas import torch_pullback
from gradcheck_cli.functions import lookup
from gradcheck_cli.worlds.bulk_arrays import BulkArrays
from gradcheck_cli.worlds.enclosures import Enclosure, NoBound, Verity

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gradcheck_cli.dtypes import DType
    from gradcheck_cli.functions.row import Function
    from gradcheck_cli.language.program import Call, Program


class TorchRounding(BulkArrays):
    """The world of one dtype.

    Args:
        literal: rounds a decimal literal to the dtype under test.
    """

    def __init__(self, dtype: DType, literal: Callable[[Fraction], float | Fraction]) -> None:
        unit, least = float(dtype.unit_roundoff), float(dtype.smallest) / 2
        super().__init__(literal, unit=unit, granted=1, least=least, in_order=True)

    def power(self, base: Enclosure, exponent: Enclosure) -> None:
        """torch's own function counts."""

    def is_granted(self, row: Function) -> bool:
        """What a row counts is what is granted here."""
        return True

    def slope_near(self, row: Function, args: Sequence[Any], program: Program) -> Enclosure:
        """To first order those at the arguments."""
        held = [Enclosure(a.value) if isinstance(a, Enclosure) else Verity(a.value) for a in args]
        found: Enclosure = self.run(program, dict(zip(row.parsed.names, held, strict=True)))
        return found

    def kernel(self, node: Call, args: Sequence[Enclosure]) -> Enclosure:
        """A function that torch computes at once, and whose slopes are those of its backward."""
        import torch

        row = lookup(node.function)
        settings = {
            name: float(self._literal(value)) if isinstance(value, Fraction) else value
            for name, value in row.bound(dict(node.settings)).items()
        }
        try:
            value = row.torch(torch, *[a.value for a in args], **settings)
        except (RuntimeError, TypeError) as error:
            raise NoBound(row.name) from error
        given = {"ybar": Enclosure(self.library.array(1.0)), "y": Enclosure(value)}
        given |= dict(zip(row.parsed.names, args, strict=True))
        total, slope = None, None
        for position, a in enumerate(args):
            program = torch_pullback(row.name, position, node.settings)
            if a.radius is not None and program is not None:
                found = self.run(program, given)
                slope = abs(found.value) + self._radius(found)
                total = self._sum(total, self.roundings.passed(slope, a.radius))
        total = self._sum(total, self.roundings.own(row, args, value, slope))
        return Enclosure(value, total)
