"""The world of whole arrays: a Program runs on enclosures of arrays and keeps what its gradient takes,
so that all partials come from one way back.

What a row says of single elements holds for arrays of them; structural rows move labels (see
`worlds.labels`), and what moves elements is pulled back by moving them back. A row that computes with
single elements is unrolled by itself (see `worlds.levels`).

Two ways lead back. The exact one takes the meaning of every function and its exact partials. The
other takes the steps of torch's forward and the formulas of its backward: what is asked of it is how
far rounding takes these.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck_cli.calculus.formulas import (
    conditions,
    is_elementwise,
    meaning,
    partial,
    require_numbers,
    torch_pullback,
)
from gradcheck_cli.functions import lookup
from gradcheck_cli.functions.row import CallError
from gradcheck_cli.language.parse import parse
from gradcheck_cli.language.program import Call, Number, fold
from gradcheck_cli.worlds.bulk import Verity
from gradcheck_cli.worlds.labels import Computed, Labels
from gradcheck_cli.worlds.levels import Levels

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gradcheck_cli.functions.row import Function
    from gradcheck_cli.language.program import Program

# What the arguments of a call receive of its cotangent: each with its share.
Pull = "Callable[[Any], Iterator[tuple[Tracked, Any]]]"


@dataclass(eq=False)
class Tracked:
    """An array on the way to the result.

    Attributes:
        number: its enclosure; of class indices the integers.
        moves: whether it depends on what is differentiated.
        pull: gives the arguments their shares of its cotangent.
        ybar: its cotangent, as far as it is known.
    """

    number: Any
    shape: tuple[int, ...]
    moves: bool = False
    pull: Any = None
    ybar: Any = None


class Arrays:
    """The world; it keeps what it makes, in order.

    Args:
        kit: the world of the enclosures.
        as_torch: takes the steps of torch's forward and backward.
    """

    def __init__(self, kit: Any, *, as_torch: bool = False) -> None:
        self.kit, self._as_torch = kit, as_torch
        self._tape: list[Tracked] = []

    def given(self, array: Any, *, moves: bool) -> Tracked:
        """An input: floats, or integers that are class indices."""
        if array.dtype == np.int64:
            return Tracked(array, array.shape)
        return Tracked(self.kit.given(array, moves=moves), array.shape, moves)

    def number(self, node: Number) -> Tracked:
        """A literal."""
        return Tracked(self.kit.number(node), ())

    def constant(self, value: int | Fraction) -> Tracked:
        """An exact number."""
        return self.number(Number(Fraction(value), decimal=False))

    def variable(self, name: str) -> Tracked:
        """Every input is given.

        Raises:
            KeyError: this one is not.
        """
        raise KeyError(name)

    def call(self, node: Call, args: list[Tracked]) -> Tracked:
        """The value of a call."""
        row = lookup(node.function)
        if row.array is not None:
            return self._structural(node, row, args)
        whole = self._as_torch and bool(row.pulled_back(dict(node.settings)))
        if is_elementwise(node.function, node.settings):
            if row.kind == "primitive":
                return self._primitive(node, row, args)
            if not whole:
                return self._inside(meaning(node.function, node.settings), row, args)
            return self._kernel(node, row, args)
        return self._pulled(node, row, args) if whole else self._derived(node, row, args)

    def backward(self, result: Tracked, weights: Any | None) -> None:
        """Cotangents of everything that `result` depends on.

        Args:
            weights: the upstream gradient, an array; None for ones.
        """
        kit = self.kit
        ones = np.ones(result.shape) if weights is None else weights
        result.ybar = kit.given(ones, moves=False)
        if self._is_unknown(result):
            lost = ~kit.is_settled(result.number)
            result.ybar = kit.spoiled(kit.spread(result.ybar, result.shape), lost, wholly=True)
        for made in reversed(self._tape):
            if made.ybar is None:
                continue
            for argument, share in made.pull(made.ybar):
                if argument.moves:
                    known = argument.ybar
                    argument.ybar = share if known is None else kit.plus(known, share)
            made.ybar = None

    def _is_unknown(self, result: Tracked) -> bool:
        return not self._as_torch and bool((~self.kit.is_settled(result.number)).any())

    def kept(self, number: Any, args: Sequence[Tracked], pull: Any) -> Tracked:
        """A new array, pulled back like that where an argument moves."""
        moves = any(a.moves for a in args)
        made = Tracked(number, self.kit.shape(number), moves, pull)
        if moves:
            self._tape.append(made)
        return made

    def _primitive(self, node: Call, row: Function, args: Sequence[Tracked]) -> Tracked:
        kit, numbers = self.kit, [a.number for a in args]
        number = kit.call(node, list(numbers))
        if row.stops:
            return Tracked(number, kit.shape(number))

        def pull(ybar: Any) -> Iterator[tuple[Tracked, Any]]:
            for position, a in enumerate(args):
                if a.moves:
                    share = self.share(node, numbers, number, ybar, position)
                    if share is not None:
                        yield a, self.fitted(share, a.shape)

        return self.kept(number, args, pull)

    def share(self, node: Call, numbers: Sequence[Any], y: Any, ybar: Any, position: int) -> Any:
        """What one argument of a primitive receives of its cotangent; None for nothing."""
        row, kit = lookup(node.function), self.kit
        if isinstance(numbers[position], Verity) or row.condition:
            return None if self._as_torch else self._doubt(row, numbers, y, ybar, position)
        named = dict(zip(row.parsed.names, numbers, strict=True))
        program = torch_pullback(row.name, position, node.settings) if self._as_torch else None
        if program is not None:
            return kit.run(program, {**named, "ybar": ybar, "y": y} | named)
        slope = partial(row.name, position)
        last = slope.nodes[slope.result]
        share = None
        if isinstance(last, Number) and abs(last.value) <= 1:
            share = ybar if last.value == 1 else kit.negative(ybar) if last.value == -1 else None
            if share is None and (self._as_torch or not row.kinks):
                return None
        if share is None:
            share = kit.times(ybar, kit.run(slope, named))
        if row.kinks and not self._as_torch:
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

    def _bound(self, row: Function, args: Sequence[Tracked], settings: Any) -> dict[str, Tracked]:
        """The names of a row's texts."""
        bound = dict(zip(row.parsed.names, args, strict=True))
        for name, value in row.numbers(settings).items():
            number = value if isinstance(value, float) else Fraction(value)
            bound[name] = self.number(Number(number, isinstance(value, Fraction)))
        return bound

    def _inside(self, program: Program, row: Function, args: Sequence[Tracked]) -> Tracked:
        """An elementwise function by its meaning."""
        return fold(program, self, dict(zip(row.parsed.names, args, strict=True)))[program.result]

    def _kernel(self, node: Call, row: Function, args: Sequence[Tracked]) -> Tracked:
        """An elementwise function that torch's backward treats as one."""
        numbers = [a.number for a in args]
        names, settings = row.parsed.names, node.settings
        if row.computes:
            text = row.rounded_meaning(row.bound(dict(settings)))
            quiet = Arrays(self.kit, as_torch=True)
            still = [Tracked(a.number, a.shape) for a in args]
            bound = quiet._bound(row, still, dict(settings))
            program = parse(text, conditions(row.name))
            number = fold(program, quiet, bound)[program.result].number
        else:
            number = self.kit.kernel(node, numbers)

        def pull(ybar: Any) -> Iterator[tuple[Tracked, Any]]:
            given = {"ybar": ybar, "y": number, **dict(zip(names, numbers, strict=True))}
            for position, a in enumerate(args):
                program = torch_pullback(row.name, position, settings)
                if a.moves and program is not None and not isinstance(a.number, Verity):
                    yield a, self.fitted(self.kit.run(program, given), a.shape)

        return self.kept(number, args, pull)

    def _derived(self, node: Call, row: Function, args: Sequence[Tracked]) -> Tracked:
        """A function of arrays by its meaning, or by the steps that torch takes."""
        settings = row.bound(dict(node.settings))
        if self._as_torch:
            text = row.rounded_meaning(settings)
        elif row.steady is not None:
            text = row.steady(**settings)
        else:
            text = row.meaning(settings)
        program = parse(text, conditions(row.name))
        require_numbers(row, node.settings, program)
        return fold(program, self, self._bound(row, args, settings))[program.result]

    def _pulled(self, node: Call, row: Function, args: Sequence[Tracked]) -> Tracked:
        """A function of arrays that torch's backward treats as one."""
        quiet = Arrays(self.kit, as_torch=True)
        still = [Tracked(a.number, a.shape) for a in args]
        forward = quiet._structural if row.array is not None else quiet._derived
        return self._with_texts(node, row, args, forward(node, row, still).number)

    def _with_texts(
        self, node: Call, row: Function, args: Sequence[Tracked], number: Any
    ) -> Tracked:
        """A value that is pulled back by the row's texts."""
        texts, settings = row.pulled_back(dict(node.settings)), row.bound(dict(node.settings))

        def pull(ybar: Any) -> Iterator[tuple[Tracked, Any]]:
            quiet = Arrays(self.kit, as_torch=True)
            still = [Tracked(a.number, a.shape) for a in args]
            shape = self.kit.shape(number)
            bound = {"y": Tracked(number, shape), "ybar": Tracked(ybar, shape)}
            bound |= quiet._bound(row, still, settings)
            for text, a in zip(texts, args, strict=True):
                if a.moves:
                    program = parse(text, conditions(row.name))
                    share = fold(program, quiet, bound)[program.result].number
                    yield a, self.fitted(share, a.shape)

        return self.kept(number, args, pull)

    def _structural(self, node: Call, row: Function, args: Sequence[Tracked]) -> Tracked:
        """What moves elements, adds them up, or multiplies matrices."""
        if self._as_torch and any(a.moves for a in args) and row.pulled_back(dict(node.settings)):
            return self._pulled(node, row, args)
        settings = row.bound(dict(node.settings))
        kinds = [p.kind for p in row.parsed.args] + [""] * len(args)
        labels, made = Labels(self), len(self._tape)
        try:
            given = [
                _integers(a) if kind == "index" else labels.of(a)
                for kind, a in zip(kinds, args, strict=False)
            ]
            assert row.array is not None
            return labels.whole(row.array(labels, *given, **settings))
        except (Computed, TypeError, AttributeError):
            del self._tape[made:]
        arrays = [None if k == "index" else a for k, a in zip(kinds, args, strict=False)]
        integers = [
            _integers(a) if k == "index" else None for k, a in zip(kinds, args, strict=False)
        ]
        return Levels(self, node, arrays, integers).result

    def shaped(self, x: Tracked, shape: tuple[int, ...]) -> Tracked:
        """The same elements in another shape."""
        if x.shape == shape:
            return x
        kit = self.kit

        def pull(ybar: Any) -> Iterator[tuple[Tracked, Any]]:
            yield x, kit.reshaped(ybar, x.shape)

        return self.kept(kit.reshaped(x.number, shape), [x], pull)

    def taken(self, parts: Sequence[Tracked], index: Any, shape: tuple[int, ...]) -> Tracked:
        """The elements at some places of arrays in a row, one behind the other."""
        kit, shapes = self.kit, [x.shape for x in parts]
        size = sum(map(prod, shapes))

        def pull(ybar: Any) -> Iterator[tuple[Tracked, Any]]:
            yield from zip(parts, kit.parted(kit.scattered(ybar, index, size), shapes), strict=True)

        return self.kept(kit.gathered([x.number for x in parts], index, shape), parts, pull)

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
            yield rows, kit.won(wide, winners, as_torch=self._as_torch)

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


def run_back(
    world: Arrays, program: Program, inputs: Mapping[str, Tracked], weights: Any | None
) -> tuple[Tracked, dict[str, Any]]:
    """The value of a program, and the cotangent of each input that moves; an input that has no part
    in the result has none.
    """
    result = fold(program, world, inputs)[program.result]
    if result.moves:
        world.backward(result, weights)
    return result, {name: x.ybar for name, x in inputs.items() if x.ybar is not None}


def _integers(a: Tracked) -> Any:
    """Class indices, or integers that are written."""
    if isinstance(a.number, np.ndarray):
        return a.number
    if a.moves:
        raise CallError("an integer is needed here", "not-an-integer")
    return np.asarray(a.number.value, dtype=np.int64)
