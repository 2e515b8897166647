"""Cells: stretches of one input over which the true derivative is proved to be a polynomial, but
for an error that is a small part of an ulp.

A cell that cannot be modelled is cut; one of few points is left to the reference.

Source: Taylor's theorem, its remainder enclosed by `worlds.jets`; Higham, Accuracy and Stability of
Numerical Algorithms (2002), section 5.1, for the rounding of Horner's rule.
"""

from __future__ import annotations

from functools import cached_property
from itertools import chain, pairwise
from math import frexp, isfinite, ldexp, trunc
from sys import float_info
from typing import TYPE_CHECKING, Any

from flint import arb, ctx

from gradcheck_cli.calculus.decoupling import decoupled
from gradcheck_cli.functions.arithmetic import OFF
from gradcheck_cli.language.program import Builder, Call, Program, prune
from gradcheck_cli.questions.ranges import bytes_of
from gradcheck_cli.witnesses.line_cells import Beyond, Modelled, Open, Outside, together
from gradcheck_cli.witnesses.polynomials import (
    between,
    narrower,
    parts_for,
    polynomial_of,
    single,
    ulp_at,
)
from gradcheck_cli.witnesses.reference import domain_left, taken_nodes
from gradcheck_cli.worlds import balls
from gradcheck_cli.worlds.ends import Ends, ends_of
from gradcheck_cli.worlds.jets import coefficients, jets_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gradcheck_cli.dtypes import DType
    from gradcheck_cli.questions.prepared import Prepared
    from gradcheck_cli.questions.ranges import Line
    from gradcheck_cli.witnesses.line_cells import LineCell

# Terms of the series, for dtypes that float64 holds with room, and for float64.
_TERMS = {False: 7, True: 12}
# Working precisions: a higher one is tried where the derivative has fewer bits than wanted at the
# centre itself, as `1 + erf(x)` far left.
_BITS, _WANTED_BITS = (128, 512, 2048), 80
# Cells of no more points are left to the reference: it takes less time than cutting on. A dtype of
# 16 bits has few numbers in all, and few in a binade.
_FEWEST, _FEWEST_OF_16_BITS = {False: 64, True: 8}, 8
# A cell is cut into so many at once at most: the prediction sees a remainder that is too large.
_MOST_CUTS = 3
# Cells of few points that fail one after the other before the rest of a stretch is given up: a cell
# of 64 floats near 1e6 holds periods of a sine. Points of float64 are so far apart that many cells
# beside a pole fail, and what is given up there is to be a small part: a 64th, or so many points.
_PATIENCE, _STRETCHES, _STRETCH = {False: 32, True: 128}, 64, (2**10, 2**21)
# Of stretches given up one after the other each is borne with half as long, down to this part.
_LEAST_PATIENCE = 16


class Modeller:
    """Cells of one partial along a line of points.

    Attributes:
        tried: how many cells were looked at.
    """

    def __init__(
        self, prepared: Prepared, partial: int, moving: str, fixed: Mapping[str, float], line: Line
    ) -> None:
        self.line, self.dtype, self.tried = line, line.dtype, 0
        self._moving, self._fixed, self._prepared = moving, fixed, prepared
        self._is_fine = line.dtype.digits > 24
        self._level, self._is_flat = 0, True
        gradient = prepared.gradient
        mask = 1 << partial
        near = [k.expression for k in gradient.kinks if gradient.dependence[k.node] & mask]
        node = gradient.partials[partial]
        nodes = gradient.program.nodes
        if node is None:
            builder = Builder(list(nodes), {n: i for i, n in enumerate(nodes)})
            node = builder.number(0)
            nodes = tuple(builder.nodes)
        self._kinks = len(near)
        self._plain = prune(Program(nodes, (node, *near, *gradient.outputs)))
        self._program, _ = decoupled(self._plain)

    def over(self, start: int, stop: int) -> Iterator[LineCell]:
        """Cells that hold all points from `start` up to `stop`, in order; of what is given up all
        that is open beside it is a part.
        """
        held: list[Open] = []
        singles = 0
        pieces: Iterator[LineCell | None] = chain(self._pieces(start, stop), [None])
        for cell in pieces:
            if held and not (isinstance(cell, Open) and cell.stop - held[0].start <= _STRETCH[1]):
                found = together(held, singles)
                singles += sum(one.stop - one.start for one in found if not one.given_up)
                yield from found
                held = []
            if isinstance(cell, Open):
                held.append(cell)
            elif cell is not None:
                yield cell

    def _pieces(self, start: int, stop: int) -> Iterator[LineCell]:
        failures = [0]  # one after the other, in the stretch that a cell is in
        stack, lost = [(start, stop, failures)], 0
        given_up: list[int] | None = None
        least, most = _STRETCH
        stretch = min(max((stop - start) // _STRETCHES, least), most)
        fewest = _FEWEST_OF_16_BITS if bytes_of(self.dtype) == 2 else _FEWEST[self._is_fine]
        while stack:
            i, j, failures = stack.pop()
            if failures[0] >= self._patience(i, j, lost):
                lost += failures is not given_up
                given_up = failures
                yield Open(i, j, given_up=True)
                continue
            cell = self._cell(i, j)
            if not isinstance(cell, int):
                failures[0] = lost = 0
                yield cell
            elif j - i <= fewest:
                failures[0] += 1
                yield Open(i, j)
            else:
                parts = max(2, min(2 ** min(cell, _MOST_CUTS), (j - i) // fewest))
                ends = [i + (j - i) * k // parts for k in range(parts + 1)]
                is_long = j - i > stretch
                pieces = ((a, b, [0] if is_long else failures) for a, b in pairwise(ends))
                stack += [*pieces][::-1]

    def _patience(self, start: int, stop: int, lost: int) -> int:
        """Cells that may fail before one; beside 0 each is narrower, as a part of its numbers.

        Args:
            lost: stretches before it that were given up, one after the other.
        """
        far = max(abs(self.line.value(start)), abs(self.line.value(stop - 1)))
        most = _PATIENCE[self._is_fine] * (4 if far < self.dtype.least_normal else 1)
        return max(most >> lost, most // _LEAST_PATIENCE)

    def _cell(self, start: int, stop: int) -> LineCell | int:
        """A cell, or into how many it is to be cut as a power of two."""
        self.tried += 1
        low, high = self.line.value(start), self.line.value(stop - 1)
        centre = _centre(low, high) if self._is_fine else self.line.value((start + stop) // 2)
        cell: LineCell | int = 1
        for level in range(max(0, self._level - 1), len(_BITS)):
            with ctx.workprec(_BITS[level]):
                cell = self._around(start, stop, low, high, centre)
                if not isinstance(cell, int):
                    self._level = level
                    break
                if not self._lacks_bits(centre):
                    break
        return cell

    def _around(
        self, start: int, stop: int, low: float, high: float, centre: float
    ) -> LineCell | int:
        """A cell at the precision in force. Whichever way the last cell went is tried first."""
        if self._is_flat:
            flat = self._flat(start, stop, low, high)
            if flat is not None:
                return flat
        cell = self._by_series(start, stop, low, high, centre)
        if isinstance(cell, int) and not self._is_flat:
            flat = self._flat(start, stop, low, high)
            self._is_flat = flat is not None
            return cell if flat is None else flat
        if isinstance(cell, Modelled):
            self._is_flat = False
        return cell

    def _by_series(
        self, start: int, stop: int, low: float, high: float, centre: float
    ) -> LineCell | int:
        radius = max(high - centre, centre - low) * (1 + 2.0**-50)
        # The distance from the centre is a number of float64.
        is_far = self._is_fine and centre and radius > abs(centre) / 3
        if is_far or not isfinite(radius):
            return 1
        radius, order = radius or ulp_at(centre, self.dtype), _TERMS[self._is_fine]
        x = arb(centre, radius)
        wide = self._jets(x, order + 1)
        if wide is None:
            return self._outside(start, stop, x) or 1
        rest = coefficients(wide, order + 1)
        if not all(c.is_finite() for c in rest):
            return 1
        if rest[0].abs_lower() > _beyond(self.dtype):
            return Beyond(start, stop, 1 if rest[0] > 0 else -1)
        whole, terms = rest[0], list[Any]()
        if not whole.abs_upper() < 2 * whole.abs_lower():
            # Terms of it may cancel: its series says more.
            terms = self._terms(centre, order)
            whole = narrower(whole, between(terms, rest[order], radius))
        parts = parts_for(rest[order], whole, radius, order, self.dtype)
        if parts:
            return parts
        terms = terms or self._terms(centre, order)
        if not terms:
            return 1
        made = polynomial_of(terms, rest[order], whole, centre, radius, self.dtype)
        return made if isinstance(made, int) else Modelled(start, stop, made)

    def _terms(self, centre: float, order: int) -> list[Any]:
        """The coefficients at one point; none where they are not known."""
        near = self._jets(arb(centre), order)
        terms = [] if near is None else coefficients(near, order)
        return terms if all(c.is_finite() for c in terms) else []

    def _lacks_bits(self, centre: float) -> bool:
        """Whether the derivative has fewer bits than wanted at one point itself."""
        near = self._jets(arb(centre), 1)
        if near is None:
            return False
        (head,) = coefficients(near, 1)
        is_exact = head.is_zero() or head.rel_accuracy_bits() >= _WANTED_BITS
        return bool(head.is_finite()) and not is_exact

    def _jets(self, x: Any, order: int) -> Any | None:
        """The partial's series around a ball; None where a kink, or the value, is not decided."""
        inputs = {name: arb(value) for name, value in self._fixed.items()} | {self._moving: x}
        values = jets_of(self._program, inputs, self._moving, self.dtype.round, order)
        partial, *others = (values[i] for i in self._program.outputs)
        sides = [coefficients(jet, 1)[0] for jet in others[: self._kinks]]
        if not all(side > 0 or side < 0 for side in sides):
            return None
        if not all(coefficients(jet, 1)[0].is_finite() for jet in others[self._kinks :]):
            return None
        return partial

    def _flat(self, start: int, stop: int, low: float, high: float) -> LineCell | None:
        """A cell on which the derivative hardly changes: a tail."""
        inputs = {name: Ends(arb(value)) for name, value in self._fixed.items()}
        inputs[self._moving] = Ends(arb(low), arb(high))
        values = ends_of(self._program, inputs, self.dtype.round)
        partial, *others = (_ends(values[i]) for i in self._program.outputs)
        if not all(side.low > 0 or side.high < 0 for side in others[: self._kinks]):
            return None
        if not all(value.is_finite() for value in (partial, *others[self._kinks :])):
            return None
        beyond = _beyond(self.dtype)
        if partial.low > beyond or partial.high < -beyond:
            return Beyond(start, stop, 1 if partial.low > beyond else -1)
        made = single(partial.low, partial.high, self.dtype)
        return None if made is None else Modelled(start, stop, made)

    def _outside(self, start: int, stop: int, x: Any) -> Outside | None:
        """Whether a domain is left on all of the cell."""
        inputs = {name: arb(value) for name, value in self._fixed.items()} | {self._moving: x}
        values = self._machine.values(inputs, self.dtype.round)
        gradient = self._prepared.gradient
        for output in gradient.outputs:
            for i in taken_nodes(gradient.program, output, values):
                node = gradient.program.nodes[i]
                if not isinstance(node, Call) or not hasattr(values[i], "is_finite"):
                    continue
                if not values[i].is_finite() and domain_left(node, values) is not None:
                    return Outside(start, stop)
        return None

    @cached_property
    def _machine(self) -> balls.Machine:
        return self._prepared.machine


def _ends(value: Any) -> Ends:
    """What is between ends; nothing is known of a condition."""
    if isinstance(value, Ends):
        return value
    return Ends(arb(0)) if value is OFF else Ends(arb.nan())


def _beyond(dtype: DType) -> Any:
    """From here on the nearest number of the dtype is an infinity, and more."""
    return balls.exact_ball(dtype.largest) * (1 + balls.exact_ball(2.0**-dtype.digits))


def _centre(low: float, high: float) -> float:
    """The middle with 20 bits, so that its distance from a float64 beside it is one too."""
    if low <= 0 <= high:
        return 0.0
    centre = low + (high - low) / 2
    exponent = frexp(centre)[1]
    steps = ldexp(centre, 20 - exponent)
    # The largest numbers would be rounded to infinity.
    return ldexp(trunc(steps) if exponent == float_info.max_exp else round(steps), exponent - 20)
