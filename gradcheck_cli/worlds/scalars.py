"""The world of scalar programs: arrays become NumPy arrays of node indices, one node for each
element.

Running a Program here unrolls it: broadcasting, reductions and matrix products are stated once, in
the rows, over object arrays; what comes out has neither shapes nor derived functions, and is what
balls, symbols and series run.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from gradcheck_cli.calculus.formulas import emit, is_elementwise, require_numbers
from gradcheck_cli.functions import lookup
from gradcheck_cli.functions.row import CallError
from gradcheck_cli.language.elements import element
from gradcheck_cli.language.parse import parse
from gradcheck_cli.language.program import (
    Builder,
    Call,
    Node,
    Number,
    Program,
    fold,
    steps,
)
from gradcheck_cli.worlds.toolkit import Scalar, Toolkit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gradcheck_cli.functions.row import Function

# One element of this world: a node index; an array of them for a tensor.
Indices: TypeAlias = "int | np.ndarray[Any, Any]"
Keep: TypeAlias = Literal["primitives", "pullbacks", "steps", "all"]

# A certified gradient of this many scalar operations takes about 2 s; beyond it the scalar worlds
# abstain.
MAX_NODES = 300_000


class TooLarge(Exception):
    """The program has more scalar operations than the scalar worlds take on."""


class ShapeError(Exception):
    """Shapes or dims do not fit at a node, or its call is refused otherwise.

    Attributes:
        node: its index in the program that was run.
        shapes: of its arguments.
        code: of the mistake, where it has nothing to do with shapes.
    """

    def __init__(
        self, message: str, node: int, shapes: Sequence[tuple[int, ...]], code: str = ""
    ) -> None:
        super().__init__(message)
        self.node, self.shapes, self.code = node, shapes, code


class Limited(Builder):
    """A builder of so many nodes as the scalar worlds take on.

    Raises:
        TooLarge: there are more.
    """

    def add(self, node: Node) -> int:
        if len(self.nodes) > MAX_NODES:
            raise TooLarge(f"it comes to more than {MAX_NODES:,} scalar operations")
        return super().add(node)


@dataclass(frozen=True)
class ArrayCall:
    """A call of whole arrays that torch pulls back at once.

    Attributes:
        end: the scalar nodes before this one are its own, or were there before.
    """

    call: Call
    arguments: tuple[Indices, ...]
    result: Indices
    end: int


@dataclass
class Expansion:
    """A scalar program under construction.

    Attributes:
        values: for each node of the original program, the scalar nodes of its elements.
        origin: for each scalar node, the original node it was made for.
        calls: those that torch pulls back at once, an outer one after the inner.
    """

    builder: Builder
    values: list[Indices] = field(default_factory=list)
    origin: list[int] = field(default_factory=list)
    calls: list[ArrayCall] = field(default_factory=list)

    def copy(self) -> Expansion:
        """The same scalars under a builder that grows by itself, within the same limit."""
        return Expansion(
            Limited(self.builder.nodes.copy(), self.builder.index.copy()),
            self.values,
            self.origin.copy(),
            self.calls,
        )


def expand(program: Program, inputs: Mapping[str, Any], keep: Keep = "primitives") -> Expansion:
    """`program` as scalars.

    Args:
        inputs: for each variable its shape (a tuple), or an array of integers to take as constants.
        keep: which elementwise functions stay calls: "primitives" alone, what torch's backward
            treats as one (rows with a "pullbacks"), or "all" of them; with "steps" all, and
            functions of arrays step by step as torch's forward computes them.
    Raises:
        ShapeError: shapes do not broadcast, a dim does not exist, or a call is refused.
        TooLarge: there are more than `MAX_NODES` scalars.
    """
    builder = Limited()
    expansion = Expansion(builder)
    bound = {name: _input(builder, name, value) for name, value in inputs.items()}
    values, origin = expansion.values, expansion.origin
    try:
        for place in steps(program, Unrolling(builder, keep, expansion.calls), bound):
            origin += [len(values)] * (len(builder.nodes) - len(origin))
            values.append(place)
    except (ValueError, IndexError, TypeError) as error:
        node = program.nodes[len(values)]
        shapes = [np.shape(values[i]) for i in node.args] if isinstance(node, Call) else []
        raise ShapeError(str(error), len(values), shapes, getattr(error, "code", "")) from error
    except MemoryError as error:
        raise TooLarge(f"it comes to more than {MAX_NODES:,} scalar operations") from error
    return expansion


def expand_into(
    builder: Builder, program: Program, inputs: Mapping[str, Indices], keep: Keep = "pullbacks"
) -> Indices:
    """The scalars of a program's value, added to those of `builder`.

    Args:
        inputs: for each variable its scalars.
    Raises:
        ValueError, IndexError, TypeError: shapes do not fit.
    """
    return fold(program, Unrolling(builder, keep, []), inputs)[program.result]


def _input(builder: Builder, name: str, value: Any) -> Indices:
    if isinstance(value, tuple):
        if not value:
            return builder.variable(name)
        out = np.empty(value, dtype=np.int64)
        for index in np.ndindex(*value):
            out[index] = builder.variable(element(name, index))
        return out
    numbers = np.asarray(value)
    out = np.empty(numbers.shape, dtype=np.int64)
    for index in np.ndindex(*numbers.shape):
        out[index] = builder.number(int(numbers[index].item()))
    return out if numbers.shape else int(out)


class Unrolling:
    """The world of scalar nodes: the value of a node is the index of a scalar, or an array of them.
    What does not fit is a ValueError, an IndexError or a TypeError.
    """

    def __init__(self, builder: Builder, keep: Keep, calls: list[ArrayCall]) -> None:
        self.builder, self._keep, self._calls = builder, keep, calls

    def number(self, node: Number) -> Indices:
        """The same literal."""
        return self.builder.add(node)

    def variable(self, name: str) -> Indices:
        """Every input is given.

        Raises:
            KeyError: this one is not.
        """
        raise KeyError(name)

    def call(self, node: Call, args: list[Indices]) -> Indices:
        """One call for each element, its functions taken apart as far as they are not kept."""
        builder, row = self.builder, lookup(node.function)
        whole = self._keep == "pullbacks" and bool(row.pullback)
        first = len(builder.nodes)
        if not is_elementwise(node.function, node.settings):
            result = self._of_arrays(node, row, args)
        else:
            kept = self._keep in ("all", "steps") or (whole and not row.computes)
            if row.kind == "derived" and kept:
                return _elementwise(
                    lambda *scalars: builder.add(Call(node.function, scalars, node.settings)), args
                )
            result = _elementwise(
                lambda *scalars: emit(builder, node.function, scalars, node.settings), args
            )
            whole = whole and bool(row.computes)
        if whole:
            result = self._own(result, first)
            self._calls.append(ArrayCall(node, tuple(args), result, len(builder.nodes)))
        return result

    def _own(self, result: Indices, first: int) -> Indices:
        """A result whose elements are nodes of this call alone: an element that is handed on, as
        the first of cumprod, is one times itself, so that its cotangents are not those of others.
        """
        places = np.array(result)
        one = self.builder.number(1)
        for index in np.ndindex(*places.shape):
            if places[index] < first:
                places[index] = self.builder.call("mul", int(places[index]), one)
        return places if places.shape else int(places)

    def _of_arrays(self, node: Call, row: Function, args: list[Indices]) -> Indices:
        builder, settings = self.builder, row.bound(dict(node.settings))
        if row.array is not None:
            kinds = [p.kind for p in row.parsed.args] + [""] * len(args)
            objects = [
                _integers(builder, a) if kind == "index" else _objects(builder, a)
                for kind, a in zip(kinds, args, strict=False)
            ]
            return _indices(builder, row.array(Toolkit(builder), *objects, **settings))
        inputs: dict[str, Indices] = dict(zip(row.parsed.names, args, strict=True))
        for name, value in row.numbers(settings).items():
            inputs[name] = builder.number(value, decimal=isinstance(value, Fraction))
        rounded = self._keep in ("pullbacks", "steps")
        text = row.rounded_meaning(settings) if rounded else row.meaning(settings)
        program = parse(text)
        require_numbers(row, node.settings, program)
        return fold(program, self, inputs)[program.result]


def _elementwise(function: Any, args: list[Indices]) -> Indices:
    if all(isinstance(a, int) for a in args):
        return int(function(*args))
    arrays = np.broadcast_arrays(*args)
    out = np.empty(arrays[0].shape, dtype=np.int64)
    flat = out.reshape(-1)
    for k, scalars in enumerate(zip(*(a.reshape(-1).tolist() for a in arrays), strict=True)):
        flat[k] = function(*scalars)
    return out


def _objects(builder: Builder, indices: Indices) -> Any:
    array = np.asarray(indices)
    out = np.empty(array.shape, dtype=object)
    for index in np.ndindex(*array.shape):
        out[index] = Scalar(builder, int(array[index]))
    return out


def _integers(builder: Builder, indices: Indices) -> Any:
    array = np.asarray(indices)
    out = np.empty(array.shape, dtype=np.int64)
    for index in np.ndindex(*array.shape):
        node = builder.nodes[int(array[index])]
        integer = node.integer if isinstance(node, Number) else None
        if integer is None:
            way_out = "give the class index as a constant or an input of integers"
            raise CallError(f"an integer is needed here: {way_out}", "not-an-integer")
        out[index] = integer
    return out


def _indices(builder: Builder, result: Any) -> Indices:
    array = np.asarray(result, dtype=object)
    if array.size > MAX_NODES:
        raise TooLarge(f"it comes to more than {MAX_NODES:,} scalar operations")
    out = np.empty(array.shape, dtype=np.int64)
    for index in np.ndindex(*array.shape):
        item: Any = array[index]
        out[index] = item.index if isinstance(item, Scalar) else builder.number(item)
    return out if array.shape else int(out)
