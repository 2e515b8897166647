"""The formulas that are shown: derivatives by the chain rule, in the functions of the program, of
whole arrays where they are known for them.

They share no line with SymPy's derivatives; a law holds the two equal.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

from gradcheck_cli.calculus.algebra import Algebra
from gradcheck_cli.calculus.chain_rule import cotangents, stated, stated_scalars
from gradcheck_cli.calculus.collecting import SINGLE
from gradcheck_cli.calculus.latex_markup import LaTeX
from gradcheck_cli.calculus.markup import Markup
from gradcheck_cli.calculus.picking import Picker
from gradcheck_cli.calculus.standing import NoRule
from gradcheck_cli.calculus.totality import Bearing
from gradcheck_cli.calculus.writing import Writer
from gradcheck_cli.language.elements import element, indices_of
from gradcheck_cli.worlds.scalars import ShapeError, TooLarge
from gradcheck_cli.worlds.shapes import call_shape

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gradcheck_cli.functions.row import Function
    from gradcheck_cli.language.program import Program


# A cotangent of more numbers is not written as an array.
_MOST_WEIGHTS = 12


@dataclass(frozen=True)
class Differentiation:
    """What is differentiated, and by what.

    Attributes:
        shapes: of the inputs.
        wrt: the inputs asked for.
        shape: of the value.
        weights: one for each element of the value; None for ones.
        output: the element of the value that is differentiated alone.
        first: by which elements is differentiated first, each with a weight; None for first
            derivatives.
    """

    shapes: Mapping[str, tuple[int, ...]]
    wrt: Sequence[str]
    shape: tuple[int, ...]
    weights: Sequence[float] | None = None
    output: int | None = None
    first: Mapping[str, float] | None = None

    @property
    def is_whole(self) -> bool:
        """Whether it can be told for whole arrays."""
        is_short = self.weights is None or len(self.weights) <= _MOST_WEIGHTS
        is_plain = self.first is None or not any(self.shapes.values())
        return is_plain and is_short and (self.output is None or not self.shape)


class Shown(NamedTuple):
    """For each element asked for its `formula` and its `latex`; where it is one of an array whose
    `gradient` has a formula, that too.

    Attributes:
        is_total: whether they are known to have a value wherever the program has one.
    """

    formulas: list[dict[str, Any]]
    is_total: bool


def shown(wanted: Differentiation, program: Program, scalars: Program, limit: float) -> Shown:
    """The formulas of the elements asked for.

    Args:
        scalars: the program element by element.
        limit: of characters.
    Raises:
        TooLong: a formula is longer.
    """
    if wanted.is_whole and set(program.variables) <= set(wanted.shapes):
        try:
            return _of_arrays(wanted, program, limit)
        except (NoRule, ShapeError, TooLarge):
            pass
    return _of_elements(wanted, scalars, limit)


def shown_everywhere(
    wanted: Differentiation, scalars: Program, limit: float
) -> list[dict[str, Any]]:
    """The same element by element, of forms that have a value wherever one is known of them."""
    return _of_elements(wanted, scalars, limit, written=False).formulas


def derivatives_of(row: Function) -> list[str]:
    """The formula of the derivative of a function of numbers by each of its arguments."""
    algebra = Algebra(call_shape)
    args = [algebra.variable(name) for name in row.parsed.names]
    place = algebra.call(row.name, args)
    found = cotangents(algebra, place, args)
    writer = Writer(algebra, Markup())
    return [writer.text(found.get(arg, algebra.zero)) for arg in args]


def _of_arrays(wanted: Differentiation, program: Program, limit: float) -> Shown:
    algebra = Algebra(call_shape)
    inputs = {name: algebra.variable(name, wanted.shapes[name]) for name in program.variables}
    result = value = stated(algebra, program, inputs, exactly=True)[program.result]
    weights = wanted.weights
    if wanted.shape and weights is not None:
        numbers = _numbers(algebra, weights)
        is_same = len(set(numbers)) == 1
        factor = numbers[0] if is_same else _array(algebra, numbers, wanted.shape)
        value = algebra.times([value, factor])
        wanted = replace(wanted, weights=None)
    gradient = _gradient(algebra, wanted, [value], inputs)
    writers, picker = _Writers(algebra, limit), Picker(algebra)
    told: list[dict[str, Any]] = []
    for name in wanted.wrt:
        place = gradient.get(inputs.get(name, -1), algebra.zero)
        whole = writers.of(place)
        if not wanted.shapes[name]:
            told.append(whole)
            continue
        for index in indices_of(wanted.shapes[name]):
            own = writers.of(picker.element(place, index))
            told.append({**own, "gradient": whole})
    return Shown(told, writers.are_borne(result))


def _of_elements(
    wanted: Differentiation, scalars: Program, limit: float, *, written: bool = True
) -> Shown:
    algebra = Algebra(call_shape)
    inputs = {name: algebra.variable(name) for name in scalars.variables}
    outputs = stated_scalars(algebra, scalars)
    gradient = _gradient(algebra, wanted, outputs, inputs, written=written)
    writers = _Writers(algebra, limit)
    names = [
        element(name, index) for name in wanted.wrt for index in indices_of(wanted.shapes[name])
    ]
    places = [gradient.get(inputs.get(name, -1), algebra.zero) for name in names]
    told = [{**writers.of(place)} for place in places]
    return Shown(told, writers.are_borne(*_asked(wanted, outputs)))


class _Writers:
    """What is written of a node, as text and as LaTeX."""

    def __init__(self, algebra: Algebra, limit: float) -> None:
        self._algebra, self._places = algebra, list[int]()
        self._text, self._latex = Writer(algebra, Markup(), limit), Writer(algebra, LaTeX())

    def are_borne(self, *outputs: int) -> bool:
        """Whether all that was written is known to have a value wherever some nodes have one."""
        return Bearing(self._algebra, outputs).bears(self._places)

    def of(self, place: int) -> dict[str, str]:
        """Its `formula` and its `latex`."""
        self._places.append(place)
        return {"formula": self._text.text(place), "latex": self._latex.text(place)}


def _gradient(
    algebra: Algebra,
    wanted: Differentiation,
    outputs: list[int],
    inputs: Mapping[str, int],
    *,
    written: bool = True,
) -> dict[int, int]:
    """The derivative by each input that the value rests on."""
    objective = _weighted(algebra, _asked(wanted, outputs), wanted.weights)
    if wanted.first is not None:
        ends = {inputs[name] for name in wanted.first if name in inputs}
        slopes = cotangents(algebra, objective, ends, written=written)
        firsts = [slopes.get(inputs.get(name, -1), algebra.zero) for name in wanted.first]
        weights = list(wanted.first.values())
        objective = _weighted(algebra, firsts, None if weights == [1.0] else weights)
    return cotangents(algebra, objective, set(inputs.values()), written=written)


def _asked(wanted: Differentiation, outputs: list[int]) -> list[int]:
    """The elements of the value that are differentiated."""
    return outputs if wanted.output is None else outputs[wanted.output : wanted.output + 1]


def _weighted(algebra: Algebra, terms: Sequence[int], weights: Sequence[float] | None) -> int:
    """A sum of terms, each with its weight."""
    if weights is not None:
        pairs = zip(_numbers(algebra, weights), terms, strict=True)
        terms = [algebra.times(pair) for pair in pairs]
    return algebra.plus([(SINGLE, term) for term in terms])


def _numbers(algebra: Algebra, values: Sequence[float]) -> list[int]:
    return [algebra.number(Fraction(repr(value)), decimal=True) for value in values]


def _array(algebra: Algebra, parts: Sequence[int], shape: tuple[int, ...]) -> int:
    """Numbers in row-major order as an array."""
    if not shape:
        return parts[0]
    size = len(parts) // shape[0]
    rows = [parts[k * size : (k + 1) * size] for k in range(shape[0])]
    inner = [_array(algebra, row, shape[1:]) for row in rows]
    return algebra.call("stack", inner, (("dim", 0),))
