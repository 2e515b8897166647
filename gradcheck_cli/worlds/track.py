"""What whole arrays leave behind on the way to a result, and the way back: the share that each has
of the cotangents.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck_cli.calculus.formulas import ITSELF, partial_by_value, torch_pullback
from gradcheck_cli.functions import lookup
from gradcheck_cli.language.program import Call, Number
from gradcheck_cli.worlds.enclosures import Verity

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gradcheck_cli.functions.row import Function


@dataclass(eq=False)
class Tracked:
    """An array on the way to the result.

    Attributes:
        number: its enclosure.
        moves: whether it depends on what is differentiated.
        pull: gives the arguments their shares of its cotangent.
        ybar: its cotangent, as far as it is known.
        integers: what may be an index: integers that are written, or given as such.
        trouble: marks of what each element rests on and has no value; None where nothing is known.
    """

    number: Any
    shape: tuple[int, ...]
    moves: bool = False
    pull: Any = None
    ybar: Any = None
    integers: Any = None
    trouble: Any = None

    @property
    def still(self) -> Tracked:
        """The same, and nothing is pulled back through it."""
        return Tracked(self.number, self.shape, integers=self.integers)


class Track:
    """Arrays in the order in which they were made, and what is done with whole arrays.

    Args:
        kit: the world of the enclosures.
        as_torch: takes the steps of torch's forward and backward.
    """

    def __init__(self, kit: Any, *, as_torch: bool = False) -> None:
        self.kit, self.as_torch = kit, as_torch
        self.made: list[Tracked] = []

    def number(self, node: Number) -> Tracked:
        """A literal."""
        integers = None if node.integer is None else np.array(node.integer)
        return Tracked(self.kit.number(node), (), integers=integers)

    def constant(self, value: int | Fraction) -> Tracked:
        """An exact number."""
        return self.number(Number(Fraction(value), decimal=False))

    def backward(self, result: Tracked, weights: Any | None) -> None:
        """Cotangents of everything that `result` depends on.

        Args:
            weights: the upstream gradient, an array; None for ones.
        """
        kit = self.kit
        ones = np.ones(result.shape) if weights is None else weights
        result.ybar = kit.given(ones, moves=False)
        if self.is_unknown(result):
            lost = ~kit.is_settled(result.number)
            result.ybar = kit.spoiled(kit.spread(result.ybar, result.shape), lost, wholly=True)
        for made in reversed(self.made):
            if made.ybar is None:
                continue
            for argument, share in made.pull(made.ybar):
                if argument.moves:
                    known = argument.ybar
                    argument.ybar = share if known is None else kit.plus(known, share)
            made.ybar = None

    def is_unknown(self, result: Tracked) -> bool:
        """Whether nothing is known of an element of the value."""
        return not self.as_torch and bool((~self.kit.is_settled(result.number)).any())

    def kept(self, number: Any, args: Sequence[Tracked], pull: Any) -> Tracked:
        """A new array, pulled back like that where an argument moves."""
        moves = any(a.moves for a in args)
        made = Tracked(number, self.kit.shape(number), moves, pull)
        if moves:
            self.made.append(made)
        return made

    def share(self, node: Call, numbers: Sequence[Any], y: Any, ybar: Any, position: int) -> Any:
        """What one argument of a primitive receives of its cotangent; None for nothing."""
        row, kit = lookup(node.function), self.kit
        if isinstance(numbers[position], Verity) or row.condition:
            return None if self.as_torch else self._doubt(row, numbers, y, ybar, position)
        named = dict(zip(row.parsed.names, numbers, strict=True))
        program = torch_pullback(row.name, position, node.settings) if self.as_torch else None
        if program is not None:
            return kit.run(program, {**named, "ybar": ybar, "y": y} | named)
        slope = partial_by_value(row.name, position)
        last = slope.nodes[slope.result]
        share = None
        if isinstance(last, Number) and last.value in (-1, 0, 1):
            share = ybar if last.value == 1 else kit.negative(ybar) if last.value == -1 else None
            if share is None and (self.as_torch or not row.kinks):
                return None
        if share is None:
            share = kit.times(ybar, kit.run(slope, {**named, ITSELF: y}))
        if row.kinks and not self.as_torch:
            share = kit.spoiled(share, kit.touches(row, numbers), wholly=row.jumps)
        return share

    def _doubt(
        self, row: Function, numbers: Sequence[Any], y: Any, ybar: Any, position: int
    ) -> Any:
        """What passes through a condition: nothing, or what is not known where it is open."""
        if not row.condition:
            doubted = numbers[position].open
            return None if doubted is None else self.kit.doubted(doubted, ybar)
        return None if y.open is None else ybar

    def fitted(self, share: Any, shape: tuple[int, ...]) -> Any:
        """The sum over what an argument was broadcast along."""
        kit, wide = self.kit, self.kit.shape(share)
        if wide == shape:
            return share
        new = len(wide) - len(shape)
        if new < 0 or len(wide) != len(np.broadcast_shapes(wide, shape)):
            return kit.spread(share, shape)
        gone = [i for i in range(len(wide)) if i < new or shape[i - new] != wide[i]]
        if any(i >= new and shape[i - new] != 1 for i in gone):
            return self.fitted(kit.spread(share, np.broadcast_shapes(wide, shape)), shape)
        kept = [i for i in range(len(wide)) if i not in gone]
        rows = kit.permuted(share, (*kept, *gone))
        sizes = prod(wide[i] for i in kept), prod(wide[i] for i in gone)
        return kit.reshaped(kit.totals(kit.reshaped(rows, sizes)), shape)

    def shaped(self, x: Tracked, shape: tuple[int, ...]) -> Tracked:
        """The same elements in another shape."""
        if x.shape == shape:
            return x
        kit = self.kit

        def pull(ybar: Any) -> Iterator[tuple[Tracked, Any]]:
            yield x, kit.reshaped(ybar, x.shape)

        made = self.kept(kit.reshaped(x.number, shape), [x], pull)
        if x.integers is not None:
            made.integers = x.integers.reshape(shape)
        return made

    def taken(self, parts: Sequence[Tracked], index: Any, shape: tuple[int, ...]) -> Tracked:
        """The elements at some places of arrays in a row, one behind the other."""
        kit, shapes = self.kit, [x.shape for x in parts]
        size = sum(map(prod, shapes))

        def pull(ybar: Any) -> Iterator[tuple[Tracked, Any]]:
            yield from zip(parts, kit.parted(kit.scattered(ybar, index, size), shapes), strict=True)

        made = self.kept(kit.gathered([x.number for x in parts], index, shape), parts, pull)
        if all(x.integers is not None for x in parts):
            made.integers = np.concatenate([np.ravel(x.integers) for x in parts])[index]
            made.integers = made.integers.reshape(shape)
        return made

    def totals(self, rows: Tracked) -> Tracked:
        """The sum of each row of a matrix."""
        kit = self.kit

        def pull(ybar: Any) -> Iterator[tuple[Tracked, Any]]:
            yield rows, kit.spread(kit.reshaped(ybar, (rows.shape[0], 1)), rows.shape)

        return self.kept(kit.totals(rows.number), [rows], pull)

    def extremes(self, function: str, rows: Tracked) -> Tracked:
        """The largest or smallest of each row of a matrix."""
        kit = self.kit
        larger = kit.call(Call(function, (0, 1)), [self.constant(n).number for n in (0, 1)])
        sign = 1 if larger.value == 1 else -1
        winners = kit.winners(rows.number, sign)

        def pull(ybar: Any) -> Iterator[tuple[Tracked, Any]]:
            wide = kit.spread(kit.reshaped(ybar, (rows.shape[0], 1)), rows.shape)
            yield rows, kit.won(wide, winners, as_torch=self.as_torch)

        return self.kept(kit.extremes(rows.number, sign), [rows], pull)

    def product(self, a: Tracked, b: Tracked) -> Tracked:
        """Products of matrices, or of stacks of them."""
        kit = self.kit

        def pull(ybar: Any) -> Iterator[tuple[Tracked, Any]]:
            if a.moves:
                yield a, kit.matmul(ybar, kit.turned(b.number))
            if b.moves:
                yield b, kit.matmul(kit.turned(a.number), ybar)

        return self.kept(kit.matmul(a.number, b.number), [a, b], pull)
