"""The world of bulk enclosures: numbers at many places at once, each a float and how far the true
number may be off it.

A value is what the library of arrays computes. Its radius grows from call to call: by what may be
wrong with the arguments times the largest slopes nearby, and by the rounding of the call itself.
The one thing that is assumed, and not proved, is how well the library rounds its functions.

Source: running error analysis as in Higham, Accuracy and Stability (2002), section 3.3.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

from gradcheck_cli.calculus.formulas import formula, meaning, partial
from gradcheck_cli.functions import lookup
from gradcheck_cli.language.program import Call, Number, fold
from gradcheck_cli.worlds.enclosures import MARGIN, Enclosure, NoBound, Verity
from gradcheck_cli.worlds.errors import INF
from gradcheck_cli.worlds.gates import HALF, gate, with_zeros
from gradcheck_cli.worlds.roundings import Roundings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gradcheck_cli.functions.row import Function
    from gradcheck_cli.language.program import Program
    from gradcheck_cli.worlds.enclosures import ArrayLibrary

# What is granted to a function of the library: eight times the roundings that its row counts, so 8
# ulp to those that count for two. SLEEF, which torch calls, states 1 ulp.
GRANTED = 8
# More than what underflow takes from a float64, and large enough that its multiples are normal.
TINY = 1e-300
# A slope below this may be one that has underflown on the way: it is taken for this.
_FLAT = 1e-290
# What a row may count for its value; and one less for its argument.
_ROUNDS = 2
# Powers that are made of products, which round less than a function of the library is granted.
_PRODUCTS = range(1, 9)
# Slopes of slopes of slopes say no more.
_DEPTH = 3
_MUL = Call("mul", (0, 1))


class Bulk:
    """The world of enclosures of one library; its calls act on each element by itself.

    Args:
        literal: rounds a decimal literal to the dtype under test.
        unit, granted, least: how calls round: `unit` times the size of the result where a row
            counts one rounding, else that times `granted` for each; and what underflow may take.
    """

    def __init__(
        self,
        library: ArrayLibrary,
        literal: Callable[[Fraction], float | Fraction],
        *,
        unit: float | None = None,
        granted: float = GRANTED,
        least: float = TINY,
    ) -> None:
        self.library, self._literal = library, literal
        self.unit = library.unit if unit is None else unit
        self.roundings = Roundings(library, self.unit, granted, least)
        self._depth = 0

    def number(self, node: Number) -> Enclosure:
        """A literal."""
        value = node.value
        if node.decimal and isinstance(value, Fraction):
            value = self._literal(value)
        number = float(value)
        if not isinstance(value, Fraction) or value == Fraction(number):
            return Enclosure(self.library.array(number))
        rest = self.library.array(number) + self.library.array(float(value - Fraction(number)))
        size = 2 * self.unit * abs(number) + self.roundings.least
        return Enclosure(rest, self.library.sizes(self.library.array(size)))

    def variable(self, name: str) -> Any:
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
            NoBound: there is none.
        """
        row = lookup(node.function)
        if row.kind == "derived":
            inside = meaning(node.function, node.settings)
            return self.run(inside, dict(zip(row.parsed.names, args, strict=True)))
        if row.in_bulk:
            return self.run(formula(row.in_bulk), dict(zip(row.parsed.names, args, strict=True)))
        if row.stops:
            return args[0]
        conditions = [isinstance(a, Verity) for a in args]
        if row.condition:
            return Verity(self._value(row, args), self._open(row, args))
        if all(conditions):
            return gate(self.library, *args)
        if set(row.partials) == {"0"}:
            return self._step(row, args)
        if row.operator == "**":
            found = self.power(*args)
            if found is not None:
                return found
        if row.operator == "*" or not any(row.rounds):
            off = with_zeros(self.library, row, args, self._smooth)
            if off is not None:
                return off
        return self._smooth(row, args)

    def _value(self, row: Function, args: Sequence[Any], **others: Any) -> Any:
        if row.kind != "primitive" or not self.is_granted(row):
            raise NoBound(row.name)
        values = [others.get(name, a.value) for name, a in zip(row.parsed.names, args, strict=True)]
        try:
            return row.torch(self.library.module, *values)
        except (AttributeError, TypeError) as error:
            raise NoBound(row.name) from error

    def power(self, base: Enclosure, exponent: Enclosure) -> Enclosure | None:
        """A power with a small whole exponent, as products, of which it is known how they round;
        None of any other.
        """
        if exponent.value.ndim or exponent.radius is not None:
            return None
        n, found = float(exponent.value), base
        if n not in _PRODUCTS:
            return None
        for _ in range(int(n) - 1):
            found = self.call(_MUL, [found, base])
        return found

    def is_granted(self, row: Function) -> bool:
        """Whether a library is trusted with a function: it is its own, and rounds twice at most."""
        c, m = row.rounds
        return max(c, m + 1) <= _ROUNDS and not row.helper

    def _smooth(self, row: Function, args: Sequence[Any]) -> Enclosure:
        """By the mean value theorem; of constants in balls."""
        if all(isinstance(a, Enclosure) and not a.value.ndim and a.off is None for a in args):
            fixed = self.roundings.fixed(row, args)
            if fixed is not None:
                return fixed
        value = self._value(row, args)
        total: Any = None
        last = None
        for position, (a, parameter) in enumerate(zip(args, row.parsed.args, strict=True)):
            if parameter.kind == "condition":
                total = self._sum(total, self._otherwise(row, args, position, value))
                continue
            is_rounded = row.rounds[1] and position == len(args) - 1
            if a.radius is None and not is_rounded:
                continue
            last = self.steepest(row, args, value, position)
            if a.radius is not None:
                total = self._sum(total, self.roundings.passed(last, a.radius))
        total = self._sum(total, self.roundings.own(row, args, value, last))
        if total is None:
            return Enclosure(value)
        where = self.library.module.where
        if row.operator == "/":
            total = where(self.roundings.is_zero(args[0]) & (value == 0), 0.0, total)
        if row.jumps:
            total = where(self.touches(row, args), INF, total)
        return Enclosure(value, total)

    def _sum(self, total: Any, more: Any) -> Any:
        return total if more is None else more if total is None else total + more

    def steepest(self, row: Function, args: Sequence[Any], value: Any, position: int) -> Any:
        """The largest slope by one argument where the arguments may be; infinite or NaN where that
        is not known.
        """
        library = self.library
        if row.steep is not None:
            held = [library.sizes(a.value) for a in args]
            radii = [self._radius(a) for a in args]
            found = abs(row.steep(library.module, library.sizes(value), *held, *radii)[position])
            return library.module.clip(found, _FLAT, None)  # which keeps NaN
        program = partial(row.name, position)
        node = program.nodes[program.result]
        if isinstance(node, Number):
            return library.sizes(library.array(abs(float(node.value))))
        slope = self.slope_near(row, args, program)
        size = abs(library.sizes(slope.value))
        return size if slope.radius is None else size + slope.radius

    def slope_near(self, row: Function, args: Sequence[Any], program: Program) -> Enclosure:
        """The slopes of a function where its arguments may be."""
        if self._depth >= _DEPTH:
            raise NoBound(row.name)
        self._depth += 1
        try:
            found: Enclosure = self.run(program, dict(zip(row.parsed.names, args, strict=True)))
        finally:
            self._depth -= 1
        return found

    def _radius(self, a: Any) -> Any:
        radius = getattr(a, "radius", None)
        return self.library.sizes(self.library.array(0.0)) if radius is None else radius

    def _otherwise(
        self, row: Function, args: Sequence[Any], position: int, value: Any
    ) -> Any | None:
        """How far the result is from what it is if an open condition turns out otherwise."""
        condition = args[position]
        if condition.open is None:
            return None
        name = row.parsed.names[position]
        other = self._value(row, args, **{name: ~condition.value})
        gap = abs(self.library.sizes(other) - self.library.sizes(value))
        return self.library.module.where(condition.open, gap, 0.0)

    def _open(self, row: Function, args: Sequence[Any]) -> Any | None:
        """Where it is not known whether a condition holds: on its border, unless all that is
        compared is held.
        """
        if not row.kinks:
            opens = [a.open for a in args if isinstance(a, Verity) and a.open is not None]
            return None if not opens else opens[0] if len(opens) == 1 else opens[0] | opens[1]
        if all(isinstance(a, Verity) or a.radius is None for a in args):
            return None
        return self.touches(row, args)

    def touches(self, row: Function, args: Sequence[Any]) -> Any:
        """Where an argument may lie on a kink, or is not known."""
        found: Any = None
        for text in row.kinks:
            border = self.run(formula(text), dict(zip(row.parsed.names, args, strict=True)))
            size, radius = abs(self.library.sizes(border.value)), self._radius(border)
            touched = ~(size > radius * MARGIN)
            found = touched if found is None else found | touched
        return found

    def _step(self, row: Function, args: Sequence[Any]) -> Enclosure:
        """A function of steps, none of which goes down: it lies between what it is at the ends."""
        if len(args) != 1 or not row.jumps:
            raise NoBound(row.name)
        (a,), value = args, self._value(row, args)
        if a.radius is None:
            return Enclosure(value)
        library, radius = self.library, a.radius * MARGIN
        name = row.parsed.names[0]
        low, high = (
            self._value(row, args, **{name: library.module.nextafter(end, library.array(way))})
            for end, way in ((a.value - radius, -INF), (a.value + radius, INF))
        )
        middle = (low + high) / 2
        half = library.sizes(high - low) * HALF + 2 * self.unit * abs(library.sizes(middle))
        half = library.module.where(low == high, 0.0, half)
        # What a library makes of NaN may be a number.
        return Enclosure(middle, half + 0 * (abs(library.sizes(a.value)) + radius))

    def is_settled(self, number: Enclosure) -> Any:
        """Where something is known of a number."""
        module = self.library.module
        settled = module.isfinite(number.value)
        return settled if number.radius is None else settled & module.isfinite(number.radius)
