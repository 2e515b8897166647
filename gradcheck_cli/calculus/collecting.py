"""Sums and products put together as people put them: like terms and like factors collected, nothing
multiplied out, and all that was written left in its order.

A node is a number, a variable or a call as in a Program, or a product of powers, or a sum of
multiples. Nodes are shared; a node comes after its parts. Each has the shape of an array, and what
broadcasts to a shape may stand for an array of it.
"""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from gradcheck_cli.calculus.formulas import is_elementwise
from gradcheck_cli.functions import lookup, operators
from gradcheck_cli.language.program import Call, Number, Variable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from gradcheck_cli.language.program import CallSettings

Shape: TypeAlias = tuple[int, ...]
# An exact number.
Rational: TypeAlias = "int | Fraction"

# Terms and factors that are looked at before the expression is given up as too long for anybody.
_MOST_WORK = 1_000_000
# Powers of numbers are worked out up to so many bits.
_MOST_BITS = 256


class TooLong(Exception):
    """The formula is too long to be written."""


class Product(NamedTuple):
    """A number times powers of nodes."""

    coefficient: Rational
    factors: tuple[tuple[int, Rational], ...]


class Total(NamedTuple):
    """A sum of multiples of nodes."""

    terms: tuple[tuple[Rational, int], ...]


Form: TypeAlias = Number | Variable | Call | Product | Total
SINGLE: Rational = 1


def simple(value: Rational) -> Rational:
    """A number, as an integer if it is one: these are added and multiplied far quicker."""
    return value.numerator if value.denominator == 1 else value


def absolute(value: Rational) -> Rational:
    """A number without its sign."""
    return -value if value < 0 else value


def broadcast(shapes: Iterable[Shape]) -> Shape:
    """The shape that arrays of these have together."""
    result: list[int] = []
    for shape in filter(None, shapes):
        result = [1] * (len(shape) - len(result)) + result
        for k, n in enumerate(reversed(shape), 1):
            if n != 1:
                result[-k] = n
    return tuple(result)


class Collector:
    """Collects nodes.

    Args:
        shape_of: the shape that a function of whole arrays has for arguments of some shapes; or
            the number that it is, whatever they hold.
    """

    def __init__(self, shape_of: Callable[[Call, tuple[Shape, ...]], Shape | Number]) -> None:
        self.nodes: list[Form] = []
        self.shapes: list[Shape] = []
        self._index: dict[Form, int] = {}
        self.shape_of = shape_of
        self._work = 0
        self.zero, self.one = self.number(0), self.number(1)
        self.true, self.false = (
            self._add(Call(operators()[sign, 2], (self.zero, self.zero)), ())
            for sign in ("==", "!=")
        )

    def number(self, value: int | Fraction | float, *, decimal: bool = False) -> int:
        """A literal; a decimal that every dtype holds is as good as exact."""
        if decimal and isinstance(value, Fraction):
            is_short = abs(value.numerator) < 256 and value.denominator in (1, 2, 4, 8, 16)
            decimal = not is_short
        value = value if isinstance(value, float) else Fraction(value)
        if decimal and value < 0:
            return self.times([self._add(Number(-value, decimal), ())], Fraction(-1))
        return self._add(Number(value, decimal), ())

    def variable(self, name: str, shape: Shape = ()) -> int:
        """An input."""
        return self._add(Variable(name), shape)

    def call(self, function: str, args: Sequence[int], settings: CallSettings = ()) -> int:
        """A function applied: `Algebra` knows what that comes to."""
        raise NotImplementedError

    def plain_call(self, call: Call) -> int:
        """A call just as it is."""
        shapes = tuple([self.shapes[i] for i in call.args])
        if is_elementwise(call.function, call.settings):
            return self._add(call, broadcast(shapes))
        shape = self.shape_of(call, shapes)
        return self._add(shape, ()) if isinstance(shape, Number) else self._add(call, shape)

    def parts(self, place: int) -> list[int]:
        """The nodes that a node is made of."""
        node = self.nodes[place]
        if isinstance(node, Product):
            return [i for i, _ in node.factors]
        if isinstance(node, Total):
            return [i for _, i in node.terms]
        return list(node.args) if isinstance(node, Call) else []

    def exact(self, place: int) -> Fraction | None:
        """The value of a node that is an exact number."""
        node = self.nodes[place]
        is_exact = isinstance(node, Number) and not node.decimal
        value = node.value if is_exact and isinstance(node, Number) else None
        return value if isinstance(value, Fraction) else None

    def multiple(self, place: int) -> tuple[Rational, int]:
        """A node as a number times another."""
        node, value = self.nodes[place], self.exact(place)
        if value is not None:
            return simple(value), self.one
        if isinstance(node, Product):
            return node.coefficient, self._product(SINGLE, node.factors)
        return SINGLE, place

    def plus(self, terms: Iterable[tuple[Rational, int]]) -> int:
        """A sum of multiples."""
        found: dict[int, Rational] = {}
        for coefficient, place in terms:
            node = self.nodes[place]
            inner: tuple[tuple[Rational, int], ...] = (self.multiple(place),)
            if isinstance(node, Total) and (coefficient is SINGLE or abs(coefficient) == 1):
                inner = node.terms
            self._count(len(inner))
            for c, part in inner:
                times = (
                    c if coefficient is SINGLE else coefficient if c is SINGLE else coefficient * c
                )
                found[part] = found[part] + times if part in found else times
        found = self._opened(found)
        kept = tuple([(simple(c), part) for part, c in found.items() if c])
        if len(kept) == 1:
            return self.times([kept[0][1]], kept[0][0])
        return self._add(Total(kept)) if kept else self.zero

    def _opened(self, found: dict[int, Rational]) -> dict[int, Rational]:
        """The same without multiples of sums that share a term with the rest: `2*(x + 1) - 2*x`."""
        for place, coefficient in list(found.items()):
            node = self.nodes[place]
            if isinstance(node, Total) and any(part in found for _, part in node.terms):
                del found[place]
                for c, part in node.terms:
                    found[part] = found.get(part, 0) + coefficient * c
        return found

    def times(self, factors: Iterable[int], coefficient: Rational = SINGLE) -> int:
        """A product."""
        return self.powers([(place, SINGLE) for place in factors], coefficient)

    def power(self, base: int, exponent: Rational) -> int:
        """A node to an exact power."""
        return self.powers([(base, exponent)])

    def powers(
        self, factors: Iterable[tuple[int, Rational]], coefficient: Rational = SINGLE
    ) -> int:
        """A product of powers."""
        found: dict[int, Rational] = {}
        for place, exponent in factors:
            node = self.nodes[place]
            is_whole = exponent.denominator == 1
            if isinstance(node, Product) and is_whole:
                inner = node.factors
                value: Rational | None = node.coefficient
            else:
                value = self.exact(place) if is_whole else None
                value = None if value is None else simple(value)
                inner = () if value is not None else ((place, SINGLE),)
            raised = SINGLE if value is None else _raised(value, exponent)
            if raised is None:
                inner, raised = ((place, SINGLE),), SINGLE
            coefficient *= raised
            self._count(len(inner))
            for base, e in inner:
                power = e if exponent is SINGLE else exponent if e is SINGLE else e * exponent
                found[base] = found[base] + power if base in found else power
        kept = [(base, simple(self._once(base, e))) for base, e in self._merged(found).items() if e]
        return self._product(simple(coefficient), tuple(kept))

    def _product(self, coefficient: Rational, kept: tuple[tuple[int, Rational], ...]) -> int:
        if coefficient == 0 or not kept:
            return self.number(coefficient)
        if coefficient == 1 and len(kept) == 1 and kept[0][1] == 1:
            return kept[0][0]
        return self._add(Product(coefficient, kept))

    def _merged(self, found: dict[int, Rational]) -> dict[int, Rational]:
        """Powers with exponents that vary, a power of the same base taken in: `x * x**(y - 1)`."""
        for place, times in list(found.items()):
            node = self.nodes[place]
            is_power = isinstance(node, Call) and lookup(node.function).operator == "**"
            if is_power and isinstance(node, Call) and times == 1 and found.get(node.args[0]):
                base, exponent = node.args
                whole = self.plus([(SINGLE, exponent), (found.pop(base), self.one)])
                del found[place]
                joint = self.call(node.function, (base, whole))
                found[joint] = found.get(joint, 0) + 1
        return found

    def _once(self, base: int, exponent: Rational) -> Rational:
        """A step to whatever power is the step."""
        return SINGLE if exponent > 0 and self.condition_of(base) is not None else exponent

    def condition_of(self, place: int) -> int | None:
        """The condition of a node that is 1 where it holds and 0 elsewhere."""
        node = self.nodes[place]
        if not isinstance(node, Call):
            return None
        if _is_step(node.function):
            return node.args[0]
        is_step = node.args[1:] == (self.one, self.zero) and lookup(node.function).operator == "if"
        return node.args[0] if is_step else None

    def is_gate(self, place: int) -> bool:
        """Whether a node is the slope of a branch, which has no part where it is not taken."""
        node = self.nodes[place]
        is_single = isinstance(node, Call) and len(node.args) == 1
        return is_single and self.condition_of(place) is not None

    def _count(self, work: int) -> None:
        self._work += work + 1
        if self._work > _MOST_WORK:
            raise TooLong

    def _add(self, node: Form, shape: Shape | None = None) -> int:
        key = _unordered(node)
        place = self._index.get(key)
        if place is None:
            place = self._index[key] = len(self.nodes)
            self.nodes.append(node)
            parts = self.parts(place) if shape is None else ()
            self.shapes.append(broadcast(self.shapes[i] for i in parts) if shape is None else shape)
        return place


@cache
def _is_step(function: str) -> bool:
    """Whether a function is 1 where a condition holds and 0 elsewhere."""
    row = lookup(function)
    return [p.kind for p in row.parsed.args] == ["condition"] and not row.condition


def _unordered(node: Form) -> Form:
    """The same for sums and products that differ in the order of their parts alone."""
    if isinstance(node, Product):
        one = len(node.factors) == 1
        return node if one else Product(node.coefficient, tuple(sorted(node.factors)))
    return Total(tuple(sorted(node.terms, key=_part))) if isinstance(node, Total) else node


def _part(term: tuple[Rational, int]) -> int:
    return term[1]


def _raised(value: Rational, exponent: Rational) -> Rational | None:
    """An exact number to a whole power; None where that is none, or too long."""
    bits = max(value.numerator.bit_length(), value.denominator.bit_length())
    is_long = bits > 1 and absolute(exponent) != 1 and bits * absolute(exponent) > _MOST_BITS
    if is_long or (value == 0 and exponent < 0):
        return None
    if exponent == 1 or value == 1:
        return value
    power: Fraction = Fraction(value) ** int(exponent)
    return simple(power)
