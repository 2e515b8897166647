"""Infinities and NaN at a point: they stand at inputs that are held, and at elements that have no
part in the derivative there, such as those behind a mask.
"""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

import numpy as np

from gradcheck_cli.functions.arithmetic import OFF
from gradcheck_cli.language.elements import element, elements_of
from gradcheck_cli.language.errors import Mistake, PointError
from gradcheck_cli.language.program import Variable
from gradcheck_cli.questions.prepared import Oversize

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gradcheck_cli.dtypes import DType
    from gradcheck_cli.questions.arrays import Array
    from gradcheck_cli.questions.prepared import Prepared

# Whether a branch is taken is decided by numbers that are exact: more bits would say the same.
_BITS = 96


def require_finite(prepared: Prepared, arrays: Mapping[str, Array], dtype: DType) -> None:
    """Nothing, if no derivative is asked for at a number that is not finite.

    An element that is masked out has a partial that is structurally zero: no path leads from it to
    the result, or each of them through a branch that is not taken.

    Raises:
        PointError: with each input that has such an element.
    """
    spots = [name for name in prepared.wrt if not _is_finite(arrays[name])]
    if not spots:
        return
    away = _without_part(prepared, arrays, dtype)
    held = [name for name in prepared.wrt if name not in spots]
    mistakes = [
        _mistake(prepared, name, arrays[name], index, held)
        for name in spots
        if (index := _first(name, arrays[name], away)) is not None
    ]
    if mistakes:
        raise PointError(mistakes)


def _is_finite(array: Array) -> bool:
    return isfinite(array.item()) if array.size == 1 else bool(np.isfinite(array).all())


def _without_part(prepared: Prepared, arrays: Mapping[str, Array], dtype: DType) -> frozenset[str]:
    """Scalar names of the elements whose partials are structurally zero at the point; none where
    the program is too large to tell.
    """
    if isinstance(prepared.expansion, Oversize):
        return frozenset()
    inputs: dict[str, float] = {}
    for name, array in arrays.items():
        flat = array.reshape(-1).astype(np.float64).tolist()
        inputs.update(zip(elements_of(name, array.shape), flat, strict=True))
    values = prepared.machine.run(inputs, _BITS, dtype.round)
    pairs = zip(prepared.elements, prepared.gradient.partials, strict=True)
    return frozenset(name for name, node in pairs if node is None or values[node] is OFF)


def _first(name: str, array: Array, away: frozenset[str]) -> tuple[int, ...] | None:
    """The index of the first element that is not finite and has a part; None if there is none."""
    for place in np.argwhere(~np.isfinite(array)).tolist():
        if element(name, tuple(place)) not in away:
            return tuple(place)
    return None


def _mistake(
    prepared: Prepared, name: str, array: Array, index: tuple[int, ...], held: Sequence[str]
) -> Mistake:
    program = prepared.specification
    written = f"`{element(name, index)}` = {float(array[index])}"
    message = f"there is no derivative at a number that is not finite, {written}"
    way_out = _NO_OTHER
    if held:
        suites = f"in a suite `wrt: [{', '.join(held)}]`"
        way_out = f"name the inputs to differentiate: `--wrt {','.join(held)}`, {suites}"
    spot = program.nodes.index(Variable(name))
    return Mistake("not-finite", message, program.text, program.spans.get(spot), way_out)


_NO_OTHER = (
    "infinities and NaN may stand at inputs that are not differentiated (`--wrt` names those that "
    "are) and at elements that are masked out"
)
