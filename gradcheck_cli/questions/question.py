"""A Case: a Program, a point of numbers the dtype holds exactly, what to differentiate, a
cotangent, a dtype and a device.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from itertools import product
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np

from gradcheck_cli.dtypes import DTYPES, DType
from gradcheck_cli.functions import lookup, names
from gradcheck_cli.language.errors import Mistake, PointError, did_you_mean
from gradcheck_cli.language.program import Call, Program, Variable
from gradcheck_cli.questions.numbers import MAX_POINTS, Exact, Grid
from gradcheck_cli.worlds.scalars import Expansion, ShapeError, TooLarge, expand

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gradcheck_cli.questions.numbers import Nested

Array: TypeAlias = "np.ndarray[Any, Any]"


@dataclass(frozen=True, slots=True)
class PartialKey:
    """Which partial: the variable, and the element's index in it."""

    variable: str
    index: tuple[int, ...]


class RoundedNumber(NamedTuple):
    """A number that the dtype could not hold, and the one used instead."""

    name: str
    text: str
    used: float


@dataclass(frozen=True, eq=False)
class Unrolled:
    """A program for inputs of given shapes, as scalars; cases that differ only in the point share
    one.
    """

    program: Program
    inputs: Mapping[
        str, tuple[int, ...] | Array
    ]  # shape of each variable; integers for class indices
    derivatives: dict[object, Any] = field(
        default_factory=dict
    )  # gradient programs, by what is differentiated

    @cached_property
    def expansion(self) -> Expansion | TooLarge:
        """The scalar program, or why there is none."""
        try:
            return expand(self.program, self.inputs)
        except TooLarge as error:
            return error


@dataclass(frozen=True, eq=False)
class Case:
    """One check to make.

    Attributes:
        at: float64 arrays whose numbers `dtype` holds exactly (integer arrays for class indices).
        wrt: the inputs to differentiate.
        cotangent: shaped like the result, None for ones.
        moved: the numbers that had to be rounded.
        unrolled: the program as scalars, shared between the points of a grid.
        given: the user's own words for options, for the line that reproduces the case.
    """

    program: Program
    at: Mapping[str, Array]
    wrt: tuple[str, ...]
    cotangent: Array | None
    dtype: DType
    device: str
    unrolled: Unrolled
    moved: tuple[RoundedNumber, ...] = ()
    given: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def keys(self) -> tuple[PartialKey, ...]:
        """Every partial asked for, in the order of `wrt` and row-major within an input."""
        return tuple(
            PartialKey(name, index)
            for name in self.wrt
            for index in np.ndindex(*self.at[name].shape)
        )

    def literal(self, value: Fraction) -> float:
        """A decimal literal as this case's dtype holds it."""
        return self.dtype.round(value)


@dataclass(frozen=True)
class Request:
    """What to check: a program, its points, and how; becomes one case a point, dtype and device."""

    program: Program
    at: Mapping[str, Nested | Grid]
    wrt: Sequence[str] = ()
    cotangent: Nested | None = None
    dtypes: Sequence[str] = ("float64",)
    devices: Sequence[str] = ("cpu",)
    given: Mapping[str, str] = field(default_factory=dict)


def index_variables(program: Program) -> frozenset[str]:
    """Inputs that hold integers (class indices): they are not differentiated."""
    found = set()
    for node in program.nodes:
        if isinstance(node, Call):
            for parameter, i in zip(lookup(node.function).parsed.args, node.args, strict=False):
                inner = program.nodes[i]
                if parameter.kind == "index" and isinstance(inner, Variable):
                    found.add(inner.name)
    return frozenset(found)


@dataclass(eq=False)
class Question:
    """A program with what is asked of it, at any point, in any dtype and on any device; what it is
    unrolled to is shared by all its cases.
    """

    program: Program
    wrt: tuple[str, ...]
    cotangent: Nested | None = None
    given: Mapping[str, str] = field(default_factory=dict)
    unrolled: dict[object, Unrolled] = field(default_factory=dict)

    @cached_property
    def indices(self) -> frozenset[str]:
        """Inputs that hold class indices."""
        return index_variables(self.program)

    def cases(
        self,
        nested: Mapping[str, Nested],
        dtype: DType,
        devices: Sequence[str],
        told: Mapping[str, Exact] | None = None,
    ) -> list[Case]:
        """The case of one point on each device.

        Args:
            told: the numbers of the point that are told by their own text, or as rounded to the
                dtype: those of a grid.
        Raises:
            PointError: shapes that do not fit, a number outside the dtype.
        """
        at, moved = _rounded(nested, dtype, self.indices)
        shared = _shared(self.unrolled, self.program, at, self.indices)
        cotangent, moved_too = _cotangent(self.cotangent, dtype, shared)
        given = {
            **self.given,
            **{name: exact.text or repr(float(at[name])) for name, exact in (told or {}).items()},
        }
        return [
            Case(
                self.program,
                at,
                self.wrt,
                cotangent,
                dtype,
                device,
                shared,
                moved + moved_too,
                given,
            )
            for device in devices
        ]


def cases_of(request: Request) -> list[Case]:
    """All cases of a request, points in the outer loops.

    Raises:
        PointError: with every mistake found: missing and extra values, shapes, numbers outside the
            dtype.
    """
    question = Question(
        request.program, inputs_to_differentiate(request), request.cotangent, request.given
    )
    dtypes = [find_dtype(name) for name in request.dtypes]
    grids = [name for name, value in request.at.items() if isinstance(value, Grid)]
    choices = [value.values for value in request.at.values() if isinstance(value, Grid)]
    if np.prod([float(len(values)) for values in choices]) > MAX_POINTS:
        raise PointError(
            [Mistake("too-large", f"these grids make more than {MAX_POINTS:,} points")]
        )
    fixed = {name: value for name, value in request.at.items() if not isinstance(value, Grid)}
    found: list[Case] = []
    for point in product(*choices):
        told = dict(zip(grids, point, strict=True))
        for dtype in dtypes:
            found += question.cases({**fixed, **told}, dtype, request.devices, told)
    return found


def inputs_to_differentiate(request: Request) -> tuple[str, ...]:
    """The inputs to differentiate, once every name in `--at` and `--wrt` is known to be right.

    Raises:
        PointError: missing, extra or unknown names, or nothing to differentiate.
    """
    variables, indices = request.program.variables, index_variables(request.program)
    mistakes = []
    for name in variables:
        if name not in request.at:
            hint = (
                f"`{name}` is a function: write {name}(...)"
                if name in names()
                else f"for example `--at {name}=1`"
            )
            span = next(
                (
                    request.program.spans.get(i)
                    for i, node in enumerate(request.program.nodes)
                    if node == Variable(name)
                ),
                None,
            )
            mistakes.append(
                Mistake(
                    "missing-value",
                    f"`--at` gives no value for `{name}`",
                    request.program.text,
                    span,
                    hint,
                )
            )
    for name in request.at:
        if name not in variables:
            known = did_you_mean(name, variables) or (
                f"it has {', '.join(f'`{v}`' for v in variables)}"
                if variables
                else "it has no inputs"
            )
            mistakes.append(
                Mistake(
                    "extra-value",
                    f"`--at` gives `{name}`, which is not an input of the program",
                    help=known,
                )
            )
    for name in request.wrt:
        if name not in variables:
            mistakes.append(
                Mistake(
                    "unknown-input",
                    f"`--wrt` names `{name}`, which is not an input of the program",
                    help=did_you_mean(name, variables),
                )
            )
        elif name in indices:
            mistakes.append(
                Mistake(
                    "index-input",
                    f"`{name}` holds class indices: there is nothing to differentiate",
                )
            )
    wrt = tuple(dict.fromkeys(request.wrt)) or tuple(
        name for name in variables if name not in indices
    )
    if not mistakes and not wrt:
        mistakes.append(
            Mistake(
                "no-input",
                "the program has no input to differentiate",
                request.program.text,
                help="use a variable: `x**2` with `--at x=3`",
            )
        )
    if mistakes:
        raise PointError(mistakes)
    return wrt


def find_dtype(name: str) -> DType:
    """The dtype of that name."""
    if name not in DTYPES:
        raise PointError(
            [
                Mistake(
                    "unknown-dtype",
                    f"no dtype named `{name}`",
                    help=did_you_mean(name, DTYPES) or f"known: {', '.join(DTYPES)}",
                )
            ]
        )
    return DTYPES[name]


def _rounded(
    nested: Mapping[str, Nested], dtype: DType, indices: frozenset[str]
) -> tuple[dict[str, Array], tuple[RoundedNumber, ...]]:
    at: dict[str, Array] = {}
    moved: list[RoundedNumber] = []
    mistakes: list[Mistake] = []
    for name, value in nested.items():
        try:
            if name in indices:
                at[name] = _array(
                    value, name, lambda exact, name=name: _integer(exact, name)
                ).astype(np.int64)  # type: ignore[misc]
            else:
                at[name] = _array(value, name, _number(name, dtype, moved)).astype(np.float64)
        except PointError as error:
            mistakes += error.mistakes
    if mistakes:
        raise PointError(mistakes)
    return at, tuple(moved)


def _array(value: Nested, name: str, read: Callable[[Exact], Any]) -> Array:
    """A nested list as an array; rows of unequal length are an error."""
    shape: list[int] = []
    level: list[Any] = [value]
    while level and all(isinstance(item, list) for item in level):
        lengths = {len(item) for item in level}
        if len(lengths) > 1:
            break
        shape.append(lengths.pop())
        level = [inner for item in level for inner in item]
    if any(isinstance(item, list) for item in level):
        raise PointError([Mistake("ragged", f"the rows of `{name}` are not of equal length")])
    if 0 in shape:
        raise PointError(
            [
                Mistake(
                    "empty-tensor", f"`{name}` has no elements: there is nothing to differentiate"
                )
            ]
        )
    if len(shape) > 16:
        raise PointError(
            [Mistake("too-deep", f"`{name}` has {len(shape)} dimensions; 16 are accepted")]
        )
    return np.array([read(item) for item in level]).reshape(shape)


def _number(name: str, dtype: DType, moved: list[RoundedNumber]) -> Callable[[Exact], float]:
    def read(exact: Exact) -> float:
        value = dtype.round(exact.value)
        if not np.isfinite(value):
            raise PointError(
                [
                    Mistake(
                        "out-of-range",
                        f"`{name}` = {exact.text[:60] or 'this grid point'} is beyond the largest {dtype.name}, {float(dtype.largest):.6g}",
                    )
                ]
            )
        # 0.1 and its float64 are written alike: only a number that reads differently is worth a
        # word.
        if exact.text and exact.value not in (Fraction(value), Fraction(repr(value))):
            moved.append(RoundedNumber(name, exact.text, value))
        return -0.0 if exact.negative_zero else value

    return read


def _integer(exact: Exact, name: str) -> int:
    if exact.value.denominator != 1:
        raise PointError(
            [
                Mistake(
                    "not-an-integer",
                    f"`{name}` holds class indices, and {exact.text} is not an integer",
                )
            ]
        )
    if abs(exact.value) >= 2**63:
        raise PointError(
            [
                Mistake(
                    "out-of-range",
                    f"`{name}` holds class indices, and {exact.text[:60]} is none of any tensor",
                )
            ]
        )
    return int(exact.value)


def _shared(
    known: dict[object, Unrolled],
    program: Program,
    at: Mapping[str, Array],
    indices: frozenset[str],
) -> Unrolled:
    inputs = {name: at[name] if name in indices else at[name].shape for name in program.variables}
    key = tuple(
        (name, at[name].tobytes() if name in indices else value) for name, value in inputs.items()
    )
    if key not in known:
        known[key] = Unrolled(program, inputs)
        try:
            known[key].expansion  # noqa: B018 - shapes are checked by unrolling
        except ShapeError as error:
            span = program.spans.get(error.node)
            raise PointError(
                [Mistake("shape-mismatch", _shape_message(program, error, at), program.text, span)]
            ) from error
    return known[key]


def _shape_message(program: Program, error: ShapeError, at: Mapping[str, Array]) -> str:
    shapes = ", ".join(f"`{name}` {at[name].shape}" for name in program.variables)
    return f"shapes do not fit: {error} (inputs: {shapes})"


def _cotangent(
    value: Nested | None, dtype: DType, unrolled: Unrolled
) -> tuple[Array | None, tuple[RoundedNumber, ...]]:
    if value is None:
        return None, ()
    moved: list[RoundedNumber] = []
    array = _array(value, "cotangent", _number("cotangent", dtype, moved)).astype(np.float64)
    if isinstance(unrolled.expansion, Expansion):
        shape = np.shape(unrolled.expansion.values[unrolled.program.result])
        if array.shape != shape:
            raise PointError(
                [
                    Mistake(
                        "shape-mismatch",
                        f"the cotangent has shape {array.shape}, the result {shape}",
                    )
                ]
            )
    return array, tuple(moved)
