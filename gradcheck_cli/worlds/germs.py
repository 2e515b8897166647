"""Germs: the Puiseux series of a primitive just beside a point, as far as it follows from its row.

Where the row is smooth at the point this is Taylor's series, its coefficients from the partials. On
a kink, or where a partial is infinite, it is found along the arguments g(d):

    f(g(d)) = f(g(0+)) + integral from 0 to d of sum_i f_i(g(t)) g_i'(t) dt,

with the partials f_i run as Programs of series. A function that stands in its own partials is found
from itself, one power of d after the other.

Source: Picard's iteration, on the integral above.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache, cached_property
from math import ceil, factorial, lcm
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from flint import ctx

from gradcheck_cli.calculus.formulas import conditions, formula, partial
from gradcheck_cli.calculus.kinks import kinks
from gradcheck_cli.calculus.reverse import adjoints
from gradcheck_cli.functions import lookup
from gradcheck_cli.language.program import Builder, Number, Program, Variable, prune
from gradcheck_cli.worlds.expansions import derivative_of, integral_of, taylor
from gradcheck_cli.worlds.powers import ONE, Power, terms_in_force
from gradcheck_cli.worlds.real_values import outputs_of, plain_real, primitive_value
from gradcheck_cli.worlds.reals import Real
from gradcheck_cli.worlds.series import (
    OutsideDomain,
    Puiseux,
    UndecidedSign,
    constant_series,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from gradcheck_cli.functions.row import Function

# A series, or True or False for a condition; at the point a number in its place.
Argument: TypeAlias = "Puiseux | bool"
_Limits: TypeAlias = "dict[str, Any]"

# o(d**k), the remainder after the last derivative that exists, is written O(d**k LITTLE).
LITTLE = Power(Fraction(1, 2**20))
# Room between the precision in force and the distance at which one looks beside a point.
_GUARD = 64
# Numbers whose exponents lie further apart are not looked at together.
_MOST_BITS = 2**20
_NOUGHT = Number(Fraction(0), decimal=False)


@dataclass
class Iterate:
    """A call whose series is being found from itself.

    Attributes:
        known: what is known of it; at first, that it is bounded.
        asked: it stands in its own partials.
    """

    function: str
    args: Sequence[Argument]
    known: Puiseux = field(default_factory=lambda: Puiseux(order=ONE))
    asked: bool = False

    def is_of(self, function: str, args: Sequence[Argument]) -> bool:
        """Whether a call has this function and these very arguments."""
        return function == self.function and all(
            a is b for a, b in zip(args, self.args, strict=True)
        )


class Surroundings(Protocol):
    """What a germ asks of the world of sides."""

    def beside(self, program: Program, inputs: Mapping[str, Argument]) -> Puiseux:
        """The series of a program of primitives."""

    def finding(self, iterate: Iterate) -> AbstractContextManager[None]:
        """While a series is being found from itself."""


def germ_of(sides: Surroundings, row: Function, args: Sequence[Argument]) -> Puiseux:
    """The series of a primitive beside the point where its arguments go to.

    Args:
        args: a series for each argument; True or False for a condition.
    Raises:
        UndecidedSign: an argument grows without bound, the value or its derivative does not settle,
            or it is not known where beside a kink the arguments lie.
        OutsideDomain: the function has no values on this side.
    """
    inputs = dict(zip(row.parsed.names, args, strict=True))
    return _Germ(sides, row, inputs).series()


@dataclass(frozen=True)
class _Germ:
    """A primitive whose arguments go to a point."""

    sides: Surroundings
    row: Function
    inputs: Mapping[str, Argument]

    @cached_property
    def point(self) -> _Limits:
        """The limits of the arguments."""
        return {name: self._limit(arg) for name, arg in self.inputs.items()}

    @cached_property
    def changing(self) -> dict[str, Puiseux]:
        """The arguments that change."""
        series = {n: arg for n, arg in self.inputs.items() if isinstance(arg, Puiseux)}
        return {name: arg for name, arg in series.items() if arg.constant is None}

    def series(self) -> Puiseux:
        """As `germ_of`."""
        self._stay_inside()
        if not self.changing:
            return constant_series(self._value(self.point))
        if self._is_on_kink(self.point) or len(self.changing) > 1:
            return self._integrated()
        ((name, arg),) = self.changing.items()
        distance, lead = arg.moving, arg.moving.lead
        assert lead is not None, "it changes"
        coefficients = list(self._coefficients(name))
        known = len(coefficients)
        if known > terms_in_force():
            return taylor(coefficients, distance, lead.to(known))
        try:
            return self._integrated()
        except UndecidedSign:
            if known < 2:
                raise
            return taylor(coefficients, distance, lead.to(known - 1).times(LITTLE))

    def _limit(self, arg: Argument) -> Any:
        if isinstance(arg, bool):
            return arg
        if arg.lead is not None and arg.lead < ONE:
            raise UndecidedSign(f"`{self.row.name}` of an infinity")
        return arg.at(0)

    def _value(self, point: _Limits) -> Any:
        value = plain_real(primitive_value(self.row, list(point.values())))
        if not value.is_finite():
            raise UndecidedSign(f"`{self.row.name}` has no finite value where it is needed")
        return value

    def _formula(self, text: str) -> Program:
        return formula(text, (), conditions(self.row.name))

    def _partial(self, name: str) -> Program:
        return partial(self.row.name, self.row.parsed.names.index(name))

    def _is_on_kink(self, point: _Limits) -> bool:
        """Whether some kink is not proved to lie elsewhere."""
        programs = map(self._formula, self.row.kinks)
        return not all(_is_nonzero(_real(program, point)) for program in programs)

    def _stay_inside(self) -> None:
        for program in map(self._formula, self.row.domain):
            if not _real(program, self.point) > 0:
                with suppress(UndecidedSign):
                    if self.sides.beside(program, self.inputs).sign() < 0:
                        raise OutsideDomain(f"`{self.row.name}` has no values here")

    def _coefficients(self, name: str) -> Iterator[Any]:
        """Taylor's coefficients in one argument, as far as derivatives exist at the point and were
        not found through a kink: the slope of `where(x == 0, 1/2, f(x))` at 0 is not that of 1/2.
        """
        for order in range(terms_in_force() + 1):
            program = _nth(self.row.name, self.row.parsed.names.index(name), order)
            derivative, *boundaries = outputs_of(program, self.point)
            if not derivative.is_finite() or not all(map(_is_nonzero, boundaries)):
                return
            yield derivative / factorial(order)

    def _integrated(self) -> Puiseux:
        """The value on this side, and the integral of the partials from there."""
        start = constant_series(self._start())
        programs = {name: self._partial(name) for name in self.changing}
        slopes = {n: p for n, p in programs.items() if p.nodes[p.result] != _NOUGHT}
        if not slopes:
            return start
        iterate = Iterate(self.row.name, tuple(self.inputs.values()))
        with self.sides.finding(iterate):
            for _ in range(terms_in_force() + 1):
                total = Puiseux(())
                for name, program in slopes.items():
                    slope = self.sides.beside(program, self.inputs)
                    total = total + slope * derivative_of(self.changing[name])
                iterate.known = start + integral_of(total)
                if not iterate.asked:
                    break
        return iterate.known

    def _start(self) -> Any:
        """The limit of the value on this side; on a kink only where one knows to lie beside it."""
        if not self._is_on_kink(self.point):
            return self._value(self.point)
        if len(self.changing) > 1:
            kinks_beside = (
                self.sides.beside(self._formula(t), self.inputs) for t in self.row.kinks
            )
            if not all(kink.sign() for kink in kinks_beside):
                raise UndecidedSign(f"the arguments of `{self.row.name}` stay on its kink")
        bits, precision = _depths(self.row, list(self.changing.values()))
        with ctx.workprec(precision):
            near = self.point | {name: _near(arg, bits) for name, arg in self.changing.items()}
            if self._is_on_kink(near):
                raise UndecidedSign(
                    f"the arguments of `{self.row.name}` are not told from its kink"
                )
            return self._back_from(near) if self.row.jumps else self._value(self.point)

    def _back_from(self, near: _Limits) -> Any:
        """The limit of the value at the point, from a value beside it: by the mean value theorem,
        with the partials of the whole way.
        """
        limit = self._value(near)
        way = self.point | {name: self.point[name].union(near[name]) for name in self.changing}
        for name in self.changing:
            limit = limit + (self.point[name] - near[name]) * _real(self._partial(name), way)
        if not limit.is_finite():
            raise UndecidedSign(f"`{self.row.name}` has no limit where it is needed")
        return limit


def _real(program: Program, point: _Limits) -> Any:
    return outputs_of(program, point)[0]


def _is_nonzero(ball: Any) -> bool:
    return bool(ball > 0 or ball < 0)


@cache
def _nth(function: str, position: int, order: int) -> Program:
    """The derivative of some order of a primitive in one argument, as primitives over its argument
    names; further outputs are zero where that is not the derivative.
    """
    names = lookup(function).parsed.names
    if order == 0:
        return formula(f"{function}({', '.join(names)})", (), conditions(function))
    lower, wrt = _nth(function, position, order - 1), frozenset([names[position]])
    builder = Builder()
    (output,) = builder.include(prune(Program(lower.nodes, lower.outputs[:1])), {})
    count = len(builder.nodes)
    adjoint = adjoints(builder, output, wrt)
    # The row's own kinks are known to lie elsewhere, and its partials to be exact.
    met = [kink.expression for kink in kinks(builder, count, wrt)] if order > 1 else []
    nought = builder.add(_NOUGHT)
    derivative = adjoint.get(builder.index.get(Variable(names[position]), -1), nought)
    return builder.program(derivative, *builder.include(lower, {})[1:], *met)


def _depths(row: Function, args: Sequence[Puiseux]) -> tuple[int, int]:
    """(b, precision): at d = 2**-b the arguments have left the point by far less than they are
    known to, and are told from it with this precision.
    """
    moves = [term for arg in args for term in arg.moving.terms]
    if not all(arg.moving.terms for arg in args):
        raise UndecidedSign(f"which way the arguments of `{row.name}` move is not known")
    size = max(abs(_exponent(c)) for arg in args for _, c in arg.terms)
    exponents = [Fraction(power.exponent) for power, _ in moves]
    if not all(exponents) or any(arg.growth for arg in args):
        raise UndecidedSign(f"the arguments of `{row.name}` hardly move")
    step = lcm(*(e.denominator for e in exponents))
    bits = step * ceil((ctx.prec + _GUARD + 2 * size) / min(exponents) / step)
    precision = ceil(bits * max(exponents)) + 2 * size + ctx.prec
    if precision > _MOST_BITS:
        raise UndecidedSign(f"the arguments of `{row.name}` are too far apart in size")
    return bits, precision


def _exponent(number: Real) -> int:
    """Of the power of two just above a number."""
    mantissa, exponent = number.ball.abs_upper().man_exp()
    return int(exponent) + int(mantissa).bit_length()


def _near(arg: Puiseux, bits: int) -> Real:
    """The known part of a series at d = 2**-bits."""
    total, log = Real(0), Real(2).log() * bits
    for (e, j), c in arg.terms:
        size = Real(2) ** int(-bits * e)
        total = total + c * (size / log ** Real(j) if j else size)
    return total
