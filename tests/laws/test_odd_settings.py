"""Law: a setting of a kind that a function does not take is the user's mistake, told as such."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from asking import points
from each import each

from gradcheck_cli.functions import table
from gradcheck_cli.language.errors import UserError

from .points import INPUTS, named
from .test_same_shapes import FITTING, placed

if TYPE_CHECKING:
    from gradcheck_cli.functions.row import Function

ROWS = [row for row in table().values() if row.parsed.settings and row.operator != "[]"]
# What is no number, no dim and no dtype's name; and what is one of these in one place alone.
NO_SHAPE = ("'a'", "1.5", "('a',)")
# What is one of these all the same.
TAKEN = {"alpha": ("1.5",), "beta": ("1.5",), "equation": ("'a'",)}
VALUES = (*NO_SHAPE, "None", "True", "()", "(0, 1, 2)", "-7")


@each("value", VALUES)
@each("row", ROWS, ids=named)
def test_an_odd_setting_is_told_or_means_something(row: Function, value: str) -> None:
    """It never ends in a failure of the tool, and no shape is blamed for what is none."""
    kinds = [parameter.kind for parameter in row.parsed.args]
    at = ",".join(
        f"{name}={'[0, 1]' if kind else '[[1, 2], [3, 5]]'}"
        for name, kind in zip(INPUTS, kinds, strict=False)
    )
    if row.name in FITTING:
        kinds = kinds[: len(FITTING[row.name][-1])]
        arrays = (np.ones(shape, dtype=int).tolist() for shape in FITTING[row.name][-1])
        at = ",".join(f"{name}={array}" for name, array in zip(INPUTS, arrays, strict=False))
    for parameter in row.parsed.settings:
        others = (p.name for p in row.parsed.settings if p.required and p is not parameter)
        settings = ", ".join([f"{parameter.name}={value}", *(f"{name}=1" for name in others)])
        args = ", ".join(placed(row, len(kinds)))
        args = f"[{args}]" if row.parsed.variadic else args
        try:
            points(f"{row.name}({args}, {settings})", at)
        except UserError as error:
            (found,) = error.mistakes
            takes = TAKEN.get(parameter.name, ())
            assert found.code != "shape-mismatch" or value not in NO_SHAPE or value in takes, (
                found.message
            )
            assert "unpack" not in found.message
            assert "object" not in found.message
