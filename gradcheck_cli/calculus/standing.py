"""Expressions that stand for whole arrays by broadcasting: a cotangent of ones is 1, and what is
the same along a dim is written without it.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple, TypeGuard

from gradcheck_cli.calculus.collecting import SINGLE, Product, broadcast
from gradcheck_cli.calculus.formulas import is_elementwise
from gradcheck_cli.functions import lookup
from gradcheck_cli.functions.tensors import axes_of
from gradcheck_cli.language.program import Call, Number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gradcheck_cli.calculus.algebra import Algebra
    from gradcheck_cli.calculus.collecting import Form, Rational, Shape
    from gradcheck_cli.functions.row import SettingValue

# Functions that are written, and known again, by their names.
_SUM = "sum"
_OUTER = "outer"
_TRANSPOSE = "transpose"


class NoRule(Exception):
    """A function of whole arrays has no derivative that can be told for the whole array."""


class Part(NamedTuple):
    """A node, and the shape of the array that it stands for by broadcasting."""

    place: int
    shape: Shape


def summed_to(algebra: Algebra, part: Part, target: Shape) -> int:
    """An array summed over all along which an array of a shape is broadcast to its shape."""
    if not part.shape and not target:
        return part.place
    whole = broadcast([part.shape, target])
    own, new = algebra.shapes[part.place], len(whole) - len(target)
    dropped, kept, count = list[int](), list[int](), 1
    for axis, n in enumerate(whole):
        is_new = axis < new
        if not is_new and (n == 1 or target[axis - new] == n):
            continue
        dim = axis - (len(whole) - len(own))
        is_summed = dim >= 0 and (own[dim] == n or is_new)
        if is_summed:
            (dropped if is_new else kept).append(dim)
        count *= n // max(own[dim], 1) if is_summed else n
    place = summed(algebra, part.place, kept, keepdim=True) if kept else part.place
    place = summed(algebra, place, dropped) if dropped else place
    return algebra.times([place], Fraction(count))


def summed(algebra: Algebra, place: int, dims: list[int], *, keepdim: bool = False) -> int:
    """A sum over dims, numbers taken out of it."""
    node, coefficient = algebra.nodes[place], SINGLE
    outside: list[tuple[int, Rational]] = []
    if isinstance(node, Product):
        coefficient = node.coefficient
        outside = [(i, e) for i, e in node.factors if not algebra.shapes[i]]
        place = algebra.powers([(i, e) for i, e in node.factors if algebra.shapes[i]])
    node, shape = algebra.nodes[place], algebra.shapes[place]
    if is_transposed(node) and len(shape) == 2 and len(dims) == 1 and not keepdim:
        (place,), dims = node.args, [1 - dims[0]]
    settings: dict[str, SettingValue] = dict(lookup(_SUM).bound({}))
    if len(dims) < len(shape):
        settings |= {"dim": dims[0] if len(dims) == 1 else tuple(dims), "keepdim": keepdim}
    total = algebra.call(_SUM, [place], tuple(sorted(settings.items())))
    return algebra.powers([*outside, (total, SINGLE)], coefficient)


def is_transposed(node: Form) -> TypeGuard[Call]:
    """Whether a node is a matrix, its rows and columns exchanged."""
    if not isinstance(node, Call) or node.function != _TRANSPOSE:
        return False
    return dict(node.settings) == lookup(node.function).bound({})


class Telling:
    """The world of expressions that stand for arrays."""

    def __init__(self, algebra: Algebra) -> None:
        self._algebra = algebra

    def number(self, node: Number) -> Part:
        """The same literal."""
        return Part(self._algebra.number(node.value, decimal=node.decimal), ())

    def variable(self, name: str) -> Part:
        """Every name is given.

        Raises:
            KeyError: this one is not.
        """
        raise KeyError(name)

    def call(self, node: Call, args: list[Part]) -> Part:
        """A call.

        Raises:
            NoRule: it needs the whole array where something stands for it.
        """
        algebra, places = self._algebra, [arg.place for arg in args]
        if is_elementwise(node.function, node.settings):
            place = algebra.call(node.function, places, node.settings)
            return Part(place, broadcast([arg.shape for arg in args]))
        shape = algebra.shape_of(node, tuple([arg.shape for arg in args]))
        if isinstance(shape, Number):
            return self.number(shape)
        return Part(self._of_arrays(node, args), shape)

    def _of_arrays(self, node: Call, args: list[Part]) -> int:
        algebra, own = self._algebra, [self._algebra.shapes[arg.place] for arg in args]
        if node.function == _SUM:
            return self._sum(args[0], dict(node.settings))
        if not own[0] and lookup(node.function).moves:
            return args[0].place
        is_whole = own == [arg.shape for arg in args]
        if len(args) == 2 and lookup(node.function).operator == "@":
            return self._joined(node, args) if is_whole else self._matmul(node, *args)
        if node.function == _OUTER:
            return self._joined(node, args) if is_whole else self._outer(*args)
        if is_whole:
            settings = dict(node.settings)
            if settings.get("keepdim") and settings.get("dim", 0) is None:
                settings["keepdim"] = False  # a number broadcasts as well
            ordered = tuple(sorted(settings.items()))
            return algebra.call(node.function, [arg.place for arg in args], ordered)
        raise NoRule(node.function)

    def _joined(self, node: Call, args: Sequence[Part]) -> int:
        """A product of arrays, the numbers of both before it."""
        algebra, coefficient, places = self._algebra, SINGLE, list[int]()
        for arg in args:
            form, place = algebra.nodes[arg.place], arg.place
            if isinstance(form, Product):
                coefficient *= form.coefficient
                place = algebra.powers(form.factors)
            places.append(place)
        return algebra.times([algebra.call(node.function, places, node.settings)], coefficient)

    def _sum(self, part: Part, settings: dict[str, SettingValue]) -> int:
        algebra, own = self._algebra, self._algebra.shapes[part.place]
        new, dims, count = len(part.shape) - len(own), list[int](), 1
        for axis in axes_of(len(part.shape), settings.get("dim")):
            size = part.shape[axis]
            if axis >= new:
                dims.append(axis - new)
                size = size // own[axis - new] if own[axis - new] else 1
            count *= size
        keepdim = bool(settings.get("keepdim"))
        place = summed(algebra, part.place, dims, keepdim=keepdim) if dims else part.place
        return algebra.times([place], Fraction(count))

    def _matmul(self, node: Call, a: Part, b: Part) -> int:
        """A product of matrices or vectors, one of them the same along a dim."""
        algebra, ranks = self._algebra, (len(a.shape), len(b.shape))
        if max(ranks) > 2:
            raise NoRule(node.function)
        own_a, own_b = algebra.shapes[a.place], algebra.shapes[b.place]
        is_column = ranks == (2, 2) and own_a[-1:] == (1,) and a.shape[-1] != 1
        if not own_a or is_column:  # times the sums of the columns of b
            total = self._sum(b, {"dim": 0})
            return algebra.times([a.place, total])
        if not own_b or len(own_b) < ranks[1]:  # the sums of the rows of a times b
            total = self._sum(a, {"dim": ranks[0] - 1, "keepdim": ranks == (2, 2)})
            return algebra.times([total, b.place])
        if own_a[-1] != a.shape[-1] or own_b[0] != b.shape[0]:
            raise NoRule(node.function)
        return self._joined(node, [a, b])

    def _outer(self, x: Part, y: Part) -> int:
        algebra = self._algebra
        if not algebra.shapes[x.place]:
            return algebra.times([x.place, y.place])
        column = algebra.call("unsqueeze", [x.place], (("dim", -1),))
        return algebra.times([column, y.place])
