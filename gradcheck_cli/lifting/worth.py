"""What values of a script come to at its own point, by balls: nothing of it is run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck_cli.language.elements import elements_of
from gradcheck_cli.language.parse import parse_names
from gradcheck_cli.questions.numbers import Exact, Grid, NonFinite
from gradcheck_cli.questions.points import Sample
from gradcheck_cli.questions.roles import index_inputs
from gradcheck_cli.worlds.balls import Machine, midpoint
from gradcheck_cli.worlds.scalars import ShapeError, TooLarge, expand

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gradcheck_cli.questions.points import Given

    Numbers = np.ndarray[Any, Any]

# Numbers are wanted to so many bits, at one of these precisions.
_BITS, _PRECISIONS = 60, (128, 1_024, 4_096)
# Scalar operations of one question.
_MOST_SCALARS = 50_000


class Worthless(Exception):
    """There is no number, and why."""


def array_of(given: Given) -> Numbers:
    """The numbers that an input is given.

    Raises:
        Worthless: they are drawn when the suite runs.
    """
    if isinstance(given, Sample):
        raise Worthless("it rests on numbers that are drawn when the suite runs")
    value = [given[k] for k in range(len(given))] if isinstance(given, Grid) else given
    return np.array(_floats(value), dtype=np.float64)


def _floats(value: Any) -> Any:
    if isinstance(value, list):
        return [_floats(item) for item in value]
    assert isinstance(value, Exact | NonFinite)
    return float(value.value)


def worths(text: str, at: Mapping[str, Numbers]) -> dict[str, Numbers]:
    """The value of a program under the name "", and that of each name which it assigns; a name
    without a finite value is absent.

    Args:
        at: the inputs.
    Raises:
        ProgramError: it cannot be read.
        Worthless: an input has no numbers, shapes do not fit, or it is too large.
    """
    program, names = parse_names(text)
    absent = [name for name in program.variables if name not in at]
    if absent:
        raise Worthless(f"`{absent[0]}` has no numbers here")
    indices = index_inputs(program)
    shapes: dict[str, Any] = {
        name: at[name].astype(np.int64) if name in indices else at[name].shape
        for name in program.variables
    }
    try:
        expansion = expand(program, shapes)
    except (ShapeError, TooLarge, ValueError, TypeError, IndexError) as error:
        raise Worthless(str(error)) from error
    if len(expansion.builder.nodes) > _MOST_SCALARS:
        raise Worthless("it is too large to be worked out here")
    inputs: dict[str, float] = {}
    for name in program.variables:
        flat = at[name].reshape(-1).tolist()
        inputs.update(zip(elements_of(name, at[name].shape), flat, strict=True))
    outputs = dict(zip(("", *names), program.outputs, strict=True))
    places = {name: np.asarray(expansion.values[i]) for name, i in outputs.items()}
    flat = [int(i) for array in places.values() for i in array.reshape(-1)]
    scalars = expansion.builder.program(*flat)
    numbers = _run(Machine(scalars), inputs, scalars.outputs)
    found = {}
    for name, array in places.items():
        mine = [numbers.pop(0) for _ in range(array.size)]
        if None not in mine:
            found[name] = np.array(mine, dtype=np.float64).reshape(array.shape)
    return found


def _run(
    machine: Machine, inputs: Mapping[str, float], outputs: tuple[int, ...]
) -> list[float | None]:
    for bits in _PRECISIONS:
        values = machine.run(inputs, bits, lambda value: value)
        numbers = [_number(values[i]) for i in outputs]
        if None not in numbers:
            break
    return numbers


def _number(ball: Any) -> float | None:
    """The float nearest to a ball; None of one that is too wide, and of no number."""
    if not hasattr(ball, "is_finite") or not ball.is_finite():
        return None
    if not ball.is_zero() and ball.rel_accuracy_bits() < _BITS:
        return None
    try:
        return float(midpoint(ball))
    except OverflowError:
        return None
