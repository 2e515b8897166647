"""The world of sizes: how many scalars a Program comes to and the shape of its value, found out
without making any of them.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np

from gradcheck_cli.calculus.formulas import is_elementwise, meaning
from gradcheck_cli.functions import lookup
from gradcheck_cli.language.parse import parse
from gradcheck_cli.language.program import Call, fold, steps
from gradcheck_cli.worlds.integers import computed_integers
from gradcheck_cli.worlds.scalars import ShapeError, TooLarge

if TYPE_CHECKING:
    from collections.abc import Mapping
    from fractions import Fraction

    from gradcheck_cli.functions.row import Function
    from gradcheck_cli.language.program import Number, Program

_Shape: TypeAlias = "tuple[int, ...]"
# A shape; integers as they are.
Sized: TypeAlias = "_Shape | np.ndarray[Any, Any]"

# Steps that are counted one by one, at most: about half a second.
_COUNTED = 200_000


class Size(NamedTuple):
    """How many scalar operations a program comes to, and the shape of its value; None
    where it is not told.
    """

    operations: int
    shape: _Shape | None


class Opaque:
    """A number of which nothing is known, unless it is an integer; what is done with it is
    counted.
    """

    __slots__ = ("counting", "integer")

    def __init__(self, counting: Counting, integer: int | None = None) -> None:
        self.counting, self.integer = counting, integer

    def _counted(self, *others: Any) -> Opaque:
        self.counting.add(1)
        self.counting.single += 1
        if self.counting.single > _COUNTED:
            raise TooLarge(f"it comes to more than {_COUNTED:,} scalar operations")
        return self if self.integer is None else Opaque(self.counting)

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = _counted
    __truediv__ = __rtruediv__ = __pow__ = __neg__ = _counted


class Counting:
    """The `Toolkit` of structural rows that counts.

    Attributes:
        single: how many operations were made one by one.
    """

    np: Any = np
    hole: Any = None

    def __init__(self) -> None:
        self.operations = self.single = 0

    def add(self, count: int) -> None:
        """So many operations more."""
        self.operations += count

    def of(self, shape: _Shape) -> Any:
        """An array of numbers of which nothing is known."""
        one = np.empty((), dtype=object)
        one[()] = Opaque(self)
        return np.broadcast_to(one, shape)

    def integers(self, array: Any) -> Any:
        """An array of integers that are moved only."""
        found = np.frompyfunc(lambda n: Opaque(self, n), 1, 1)(np.asarray(array, dtype=object))
        return np.asarray(found, dtype=object)

    def call(self, function: str, *args: Opaque) -> Opaque:
        """A scalar function."""
        return args[0]._counted()

    def number(self, value: int | Fraction) -> Opaque:
        """An exact number."""
        return Opaque(self)

    def elementwise(self, function: str, *arrays: Any) -> Any:
        """A scalar function of each element of arrays, broadcast."""
        shape = np.broadcast_shapes(*map(np.shape, arrays))
        self.add(prod(shape))
        return self.of(shape)

    def totals(self, rows: Any) -> list[Opaque]:
        """The sum of each row of a matrix."""
        self.add(rows.size)
        return [Opaque(self)] * len(rows)

    def extremes(self, function: str, rows: Any) -> list[Opaque]:
        """The largest or smallest of each row of a matrix."""
        return self.totals(rows)

    def matmul(self, a: Any, b: Any) -> Any:
        """The product of matrices, or of vectors, as NumPy means it."""
        left = a.shape if a.ndim > 1 else (1, *a.shape)
        right = b.shape if b.ndim > 1 else (*b.shape, 1)
        if left[-1] != right[-2]:
            raise ValueError(f"{a.shape} and {b.shape} differ in the core dimension")
        shape = (
            *np.broadcast_shapes(left[:-2], right[:-2]),
            *left[-2 : -1 if a.ndim > 1 else -2],
            *right[-1 if b.ndim > 1 else len(right) :],
        )
        self.add(2 * prod(shape) * a.shape[-1])
        return self.of(shape) if shape else Opaque(self)

    def weighted(self, windows: Any, weights: Any, biases: Any) -> Any:
        """The sum of each window, weighted in several ways."""
        self.add(2 * windows.size * len(weights))
        places = windows.shape[: windows.ndim - weights.ndim + 1]
        return self.of((*places, len(weights)))


class Sizes:
    """The world: the value of a node is its shape."""

    def __init__(self, counting: Counting) -> None:
        self._counting = counting

    def number(self, node: Number) -> Sized:
        """A literal."""
        return () if node.integer is None else np.asarray(node.integer)

    def variable(self, name: str) -> Sized:
        """Every input is given.

        Raises:
            KeyError: this one is not.
        """
        raise KeyError(name)

    def call(self, node: Call, args: list[Sized]) -> Sized:
        """The shape of a call."""
        row, shapes = lookup(node.function), [_shape(a) for a in args]
        if is_elementwise(node.function, node.settings):
            shape = np.broadcast_shapes(*shapes) if any(shapes) else ()
            steps = (
                1 if row.kind == "primitive" else len(meaning(node.function, node.settings).nodes)
            )
            self._counting.add(steps * prod(shape))
            if args and all(isinstance(a, np.ndarray) for a in args):
                integers = computed_integers(node, args)
                return shape if integers is None else integers
            return shape
        if row.array is not None:
            return self._structural(node, row, args)
        settings = row.bound(dict(node.settings))
        bound: dict[str, Sized] = dict(zip(row.parsed.names, args, strict=True))
        bound |= dict.fromkeys(row.numbers(settings), ())
        program = parse(row.meaning(settings))
        found: Sized = fold(program, self, bound)[program.result]
        return found

    def _structural(self, node: Call, row: Function, args: list[Sized]) -> Sized:
        counting = self._counting
        kinds = [p.kind for p in row.parsed.args] + [""] * len(args)
        moves_integers = all(isinstance(a, np.ndarray) for a in args)
        entered = counting.integers if moves_integers else lambda a: counting.of(_shape(a))
        given = [
            _integers(a) if kind == "index" else entered(a)
            for kind, a in zip(kinds, args, strict=False)
        ]
        assert row.array is not None
        found = row.array(counting, *given, **row.bound(dict(node.settings)))
        return _moved(found) if moves_integers else _shape(found)


def program_size(program: Program, inputs: Mapping[str, Sized]) -> Size | ShapeError | None:
    """The size of a program, or what does not fit in it; None where it cannot be told.

    Args:
        inputs: for each variable its shape, or an array of integers.
    """
    counting = Counting()
    counting.add(sum(prod(_shape(value)) for value in inputs.values()))
    values: list[Sized] = []
    try:
        for value in steps(program, Sizes(counting), dict(inputs)):
            values.append(value)  # noqa: PERF402 - an error tells how many there are
    except TooLarge:
        return Size(counting.operations, None)
    except (ValueError, IndexError) as error:
        node = program.nodes[len(values)]
        shapes = [_shape(values[i]) for i in node.args] if isinstance(node, Call) else []
        return ShapeError(str(error), len(values), shapes, getattr(error, "code", ""))
    except Exception:  # noqa: BLE001 - whatever is wrong is told by who makes the scalars
        return None
    return Size(counting.operations, _shape(values[program.result]))


def _integers(value: Sized) -> Any:
    """Indices.

    Raises:
        TypeError: they are not known.
    """
    if isinstance(value, np.ndarray):
        return value
    raise TypeError("an integer is needed here")


def _moved(value: Any) -> Sized:
    """The integers of an array that holds nothing else; of another its shape."""
    array = np.asarray(value, dtype=object)
    found = [getattr(x, "integer", None) for x in array.reshape(-1).tolist()]
    if any(n is None for n in found):
        return array.shape
    return np.array(found, dtype=np.int64).reshape(array.shape)


def _shape(value: Any) -> _Shape:
    return value if isinstance(value, tuple) else np.shape(value)
