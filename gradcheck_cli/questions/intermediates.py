"""Names that a program assigns and that are differentiated by: the assignment is cut, and the name
is an input, held at what the program computes for it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf, isfinite, nan
from typing import TYPE_CHECKING

import numpy as np

from gradcheck_cli.language.elements import element, elements_of, indices_of
from gradcheck_cli.language.errors import mistake
from gradcheck_cli.language.named_steps import named_steps, put_together, value_program
from gradcheck_cli.questions.arrays import RoundedNumber
from gradcheck_cli.questions.misfits import shape_mistake
from gradcheck_cli.worlds.balls import Machine, midpoint
from gradcheck_cli.worlds.scalars import ShapeError, TooLarge, expand

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from gradcheck_cli.dtypes import DType
    from gradcheck_cli.language.program import Program
    from gradcheck_cli.questions.arrays import Array
    from gradcheck_cli.worlds.balls import Ball

# A value is rounded to the dtype from this many bits; a dtype has at most 53 of them. The precision
# is raised as far as terms that cancel need it.
_BITS, _PRECISIONS = 70, (96, 400, 1_600, 6_400)


@dataclass(frozen=True)
class Intermediates:
    """What is held of a program.

    Attributes:
        whole: the program before it was cut.
        programs: how each name comes from the inputs.
        words: the same as it is written.
    """

    whole: Program
    programs: Mapping[str, Program]
    words: Mapping[str, str]

    def values(
        self, arrays: Mapping[str, Array], dtype: DType, rounded: list[RoundedNumber]
    ) -> dict[str, Array]:
        """The numbers of the dtype nearest to what is held, decimals of the program being rounded
        to the dtype as everywhere.

        Args:
            arrays: the inputs.
            rounded: gains those that are not exact.
        Raises:
            PointError: something has no finite value, or is too large.
        """
        return {
            name: _value(name, program, arrays, dtype, _Rounded(self.words[name], rounded))
            for name, program in self.programs.items()
        }


@dataclass(frozen=True)
class _Rounded:
    words: str
    numbers: list[RoundedNumber]


def cut(program: Program, wrt: Sequence[str]) -> tuple[Program, Intermediates | None]:
    """A program with the assignments cut whose names are differentiated by and are no inputs, and
    what is held then; the same program and None where there are none.

    A name that the program does not assign is left to others to refuse.
    """
    unknown = [name for name in wrt if name not in program.variables]
    if not unknown:
        return program, None
    chain = named_steps(program.text)
    steps = {step.name: step for step in chain.steps}
    names = list(dict.fromkeys(name for name in unknown if name in steps))
    if not names:
        return program, None
    rest = put_together(chain, names, program.text)
    programs = {name: value_program(chain, name, program.text) for name in names}
    words = {name: steps[name].words for name in names}
    return replace(rest, written=program.written), Intermediates(program, programs, words)


def _value(
    name: str, program: Program, arrays: Mapping[str, Array], dtype: DType, rounded: _Rounded
) -> Array:
    given = {n: arrays[n] for n in program.variables}
    shapes: dict[str, Any] = {
        n: array if array.dtype == np.int64 else array.shape for n, array in given.items()
    }
    try:
        expansion = expand(program, shapes)
    except ShapeError as error:
        raise shape_mistake(program, error, {n: a.shape for n, a in given.items()}) from error
    except TooLarge as error:
        raise mistake("too-large", f"`{name}` cannot be held: {error}") from error
    places = expansion.values[program.result]
    shape = np.shape(places)
    flat = np.reshape(places, -1).tolist()
    machine = Machine(expansion.builder.program(*flat))
    outputs = expansion.builder.program(*flat).outputs
    inputs: dict[str, float] = {}
    for n, array in given.items():
        numbers = array.reshape(-1).astype(np.float64).tolist()
        inputs.update(zip(elements_of(n, array.shape), numbers, strict=True))
    for bits in _PRECISIONS:
        values = machine.run(inputs, bits, dtype.round)
        balls = [values[i] for i in outputs]
        if all(b.is_finite() and (b.is_zero() or b.rel_accuracy_bits() >= _BITS) for b in balls):
            break
    numbers = []
    for index, ball in zip(indices_of(shape), balls, strict=True):
        number, is_exact = _nearest(ball, dtype)
        if not isfinite(number):
            called = element(name, index)
            message = f"`{called}` has no finite value in {dtype.name} here, and cannot be held"
            raise mistake("not-finite", message)
        if not is_exact:
            rounded.numbers.append(RoundedNumber(element(name, index), rounded.words, number))
        numbers.append(number)
    return np.array(numbers, dtype=np.float64).reshape(shape)


def _nearest(ball: Ball, dtype: DType) -> tuple[float, bool]:
    """The number of a dtype nearest to a ball, no finite one where there is none; and whether the
    ball is that very number.
    """
    if not ball.is_finite():
        return nan, False
    try:
        middle = midpoint(ball)
    except OverflowError:
        return (0.0 if abs(ball) < 1 else inf), False
    return dtype.round(middle), bool(ball.rad() == 0) and dtype.holds(middle)
