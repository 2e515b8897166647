"""Arrays of balls: what `worlds.bulk_arrays` does in float64, proved, at any precision."""

from __future__ import annotations

from math import prod
from time import thread_time
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck_cli.calculus.formulas import formula, meaning
from gradcheck_cli.functions import lookup
from gradcheck_cli.functions.arithmetic import OFF
from gradcheck_cli.language.program import fold
from gradcheck_cli.worlds.balls import OutOfTime, literal_ball, plain
from gradcheck_cli.worlds.enclosures import Enclosure, Verity, Winners

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gradcheck_cli.functions.row import Function
    from gradcheck_cli.language.program import Call, Number, Program
    from gradcheck_cli.worlds.balls import Literal

_Shape = tuple[int, ...]

# A power of two beyond all numbers that come up: a ball of that radius says nothing of a number but
# that it is one.
_VAST = 2**50


class BallArrays:
    """The world: an enclosure's value is an array of balls, and `OFF` where it is structurally 0.

    Args:
        deadline: of `time.thread_time`.
    """

    def __init__(self, literal: Literal, deadline: float) -> None:
        self._literal, self._deadline = literal, deadline

    def number(self, node: Number) -> Enclosure:
        """A literal."""
        return _enclosed(_filled((), literal_ball(node, self._literal)))

    def variable(self, name: str) -> Enclosure:
        """Every input is given.

        Raises:
            KeyError: this one is not.
        """
        raise KeyError(name)

    def run(self, program: Program, inputs: Mapping[str, Any]) -> Any:
        """The value of an elementwise program."""
        return fold(program, self, inputs)[program.result]

    def call(self, node: Call, args: list[Any]) -> Any:
        """The value of a call.

        Raises:
            OutOfTime: the deadline has passed.
        """
        if thread_time() > self._deadline:
            raise OutOfTime
        row = lookup(node.function)
        if row.kind == "derived":
            inside = meaning(node.function, node.settings)
            return self.run(inside, dict(zip(row.parsed.names, args, strict=True)))
        assert row.arb is not None
        values = [_objects(a) for a in args]
        found = np.asarray(np.frompyfunc(row.arb, len(values), 1)(*values), dtype=object)
        if not row.condition:
            return _enclosed(found)
        return _verity(found)

    def given(self, array: Any, *, moves: bool) -> Enclosure:
        """Numbers of a point."""
        from flint import arb

        return _enclosed(_of_list(list(map(arb, np.ravel(array).tolist())), np.shape(array)))

    def nothing(self, shape: _Shape) -> Enclosure:
        """A structural zero everywhere."""
        return _enclosed(_filled(shape, OFF))

    def shape(self, x: Enclosure | Verity) -> _Shape:
        """The shape of an array."""
        return np.shape(x.value)

    def reshaped(self, x: Enclosure, shape: _Shape) -> Enclosure:
        """The same elements in another shape."""
        return _enclosed(x.value.reshape(shape))

    def turned(self, x: Enclosure) -> Enclosure:
        """Matrices, transposed."""
        return _enclosed(np.swapaxes(x.value, -1, -2))

    def permuted(self, x: Enclosure, axes: Sequence[int]) -> Enclosure:
        """With its dims in another order."""
        return _enclosed(x.value.transpose(axes))

    def spread(self, x: Enclosure, shape: _Shape) -> Enclosure:
        """Broadcast."""
        return _enclosed(np.broadcast_to(x.value, shape))

    def joined(self, parts: Sequence[Enclosure]) -> Enclosure:
        """The elements of arrays in a row, one behind the other."""
        return _enclosed(np.concatenate([x.value.reshape(-1) for x in parts]))

    def gathered(self, parts: Sequence[Enclosure], index: Any, shape: _Shape) -> Enclosure:
        """The elements at some places of arrays in a row."""
        return _enclosed(self.joined(parts).value[index].reshape(shape))

    def scattered(self, g: Enclosure, index: Any, size: int) -> Enclosure:
        """For each of so many places the sum of the elements that belong to it."""
        found = _filled((size,), OFF)
        np.add.at(found, np.ravel(index), g.value.reshape(-1))
        return _enclosed(found)

    def parted(self, x: Enclosure, shapes: Sequence[_Shape]) -> list[Enclosure]:
        """Elements in a row as arrays of some shapes, one behind the other."""
        ends = np.cumsum([prod(shape) for shape in shapes])[:-1]
        pieces = zip(np.split(x.value, ends), shapes, strict=True)
        return [_enclosed(piece.reshape(shape)) for piece, shape in pieces]

    def totals(self, rows: Enclosure) -> Enclosure:
        """The sum of each row of a matrix."""
        return _enclosed(np.add.reduce(rows.value, axis=1))

    def matmul(self, a: Enclosure, b: Enclosure) -> Enclosure:
        """Products of matrices, or of stacks of them.

        Raises:
            OutOfTime: the deadline has passed.
        """
        if a.value.ndim > 2:
            pairs = zip(a.value, b.value, strict=True)
            each = [self.matmul(_enclosed(x), _enclosed(y)).value for x, y in pairs]
            return _enclosed(np.stack(each))
        from flint import arb_mat

        if thread_time() > self._deadline:
            raise OutOfTime
        product = _matrix(arb_mat, a.value) * _matrix(arb_mat, b.value)
        return _enclosed(_of_list(product.entries(), (a.value.shape[0], b.value.shape[1])))

    def extremes(self, rows: Enclosure, sign: int) -> Enclosure:
        """The largest of each row of a matrix, or with the sign -1 the smallest."""
        function = (lambda x, y: x.max(y)) if sign > 0 else (lambda x, y: x.min(y))
        return _enclosed(np.frompyfunc(function, 2, 1).reduce(rows.value, axis=1))

    def winners(self, rows: Enclosure, sign: int) -> Winners:
        """Which of each row is the largest, or with the sign -1 the smallest."""
        value = rows.value if sign > 0 else -rows.value
        best = [max((x.lower() for x in row), key=lambda x: x.mid()) for row in value]
        may = np.array(
            [[not x.upper() < low for x in row] for row, low in zip(value, best, strict=True)]
        )
        several = may.sum(axis=1, keepdims=True) > 1
        return Winners(may & ~several, may & several)

    def won(self, wide: Enclosure, winners: Winners, *, as_torch: bool) -> Enclosure:
        """The cotangents of rows as far as they go to the largest elements."""
        off = _filled(winners.value.shape, OFF)
        found = np.where(winners.value | winners.open, wide.value, off)
        return self.spoiled(_enclosed(found), winners.open, wholly=False)

    def times(self, a: Enclosure, b: Enclosure) -> Enclosure:
        """Products of elements."""
        return _enclosed(a.value * b.value)

    def plus(self, a: Enclosure, b: Enclosure) -> Enclosure:
        """Sums of elements."""
        return _enclosed(a.value + b.value)

    def negative(self, x: Enclosure) -> Enclosure:
        """-x."""
        return _enclosed(-x.value)

    def spoiled(self, g: Enclosure, where: Any, *, wholly: bool) -> Enclosure:
        """A cotangent without a bound at some places.

        Args:
            wholly: also where it is 0, unless it is structurally so, and whatever it is multiplied
                by; else it is some number, which times 0 is 0.
        """
        from flint import arb

        value, marks = np.broadcast_arrays(g.value, where)
        if not marks.any():
            return g
        found, some, none = value.copy(), arb(0, 1) * arb(2) ** _VAST, arb.nan()
        for place in np.argwhere(marks):  # that of a single number has no index
            x = found[tuple(place)]
            if x is not OFF and (wholly or not x.is_zero()):
                found[tuple(place)] = some if x.is_finite() and not wholly else none
        return _enclosed(found)

    def doubted(self, where: Any, ybar: Enclosure) -> Enclosure:
        """What goes through a condition that is open somewhere."""
        from flint import arb

        value, marks = np.broadcast_arrays(ybar.value, where)
        zeros = [x if x is OFF else arb(0) for x in value.reshape(-1).tolist()]
        return self.spoiled(_enclosed(_of_list(zeros, value.shape)), marks, wholly=True)

    def touches(self, row: Function, args: Sequence[Any]) -> Any:
        """Where an argument may lie on a kink."""
        found: Any = False
        for text in row.kinks:
            border = self.run(formula(text), dict(zip(row.parsed.names, args, strict=True)))
            is_away = np.frompyfunc(lambda x: bool(x > 0 or x < 0), 1, 1)(border.value)
            found = found | ~np.asarray(is_away, dtype=bool)
        return found

    def is_settled(self, number: Enclosure) -> Any:
        """Where something is known of a number."""
        finite = np.frompyfunc(lambda x: bool(plain(x).is_finite()), 1, 1)(number.value)
        return np.asarray(finite, dtype=bool)

    def buffer(self, size: int, *, off: bool = False) -> BallBuffer:
        """Places for so many numbers."""
        return BallBuffer(size)


def is_known(ball: Any) -> bool:
    """Whether a ball says more of a number than that it is one, or none."""
    return bool(ball.is_finite() and abs(ball) < type(ball)(2) ** (_VAST // 2))


class BallBuffer:
    """Balls, or conditions, in a row."""

    def __init__(self, size: int) -> None:
        self._values = _filled((size,), OFF)

    def write(self, places: Any, number: Enclosure | Verity) -> None:
        """Put numbers, or conditions, at some places."""
        self._values[places] = _objects(number)

    def add(self, places: Any, share: Enclosure) -> None:
        """Add to what is there."""
        np.add.at(self._values, places, share.value)

    def read(self, places: Any) -> Enclosure | Verity:
        """What is at some places."""
        values = self._values[places]
        if len(values) and (values[0] is None or isinstance(values[0], bool)):
            return _verity(values)
        return _enclosed(values)


def _objects(number: Enclosure | Verity) -> Any:
    """Balls; of conditions True, False, and None where they are open."""
    if isinstance(number, Enclosure):
        return number.value
    found = number.value.astype(object)
    return found if number.open is None else np.where(number.open, None, found)


def _verity(answers: Any) -> Verity:
    """True, False, and None where a condition is open."""
    is_open = np.frompyfunc(lambda answer: answer is None, 1, 1)(answers)
    holds = np.frompyfunc(bool, 1, 1)(answers)
    return Verity(np.asarray(holds, dtype=np.bool_), np.asarray(is_open, dtype=np.bool_))


def _enclosed(values: Any) -> Enclosure:
    """Of a single number NumPy gives the number itself."""
    if isinstance(values, np.ndarray):
        return Enclosure(values)
    return Enclosure(_filled((), values))


def _filled(shape: _Shape, value: Any) -> Any:
    found = np.empty(shape, dtype=object)
    found[...] = value
    return found


def _of_list(values: list[Any], shape: _Shape) -> Any:
    found = np.empty(len(values), dtype=object)
    found[:] = values
    return found.reshape(shape)


def _matrix(kind: Any, values: Any) -> Any:
    """A matrix of flint's."""
    rows, columns = values.shape
    return kind(rows, columns, [plain(x) for x in values.reshape(-1).tolist()])
