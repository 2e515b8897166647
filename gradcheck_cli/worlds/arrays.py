"""The world of whole arrays: a Program runs on enclosures of arrays and keeps what its gradient
takes, so that all partials come from one way back.

What a row says of single elements holds for arrays of them; structural rows move labels (see
`worlds.labels`), and what moves elements is pulled back by moving them back. A row that computes
with single elements is unrolled by itself (see `worlds.levels`).

Two ways lead back. The exact one takes the meaning of every function and its exact partials. The
other takes the steps of torch's forward and the formulas of its backward: what is asked of it is
how far rounding takes these.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck_cli.calculus.formulas import (
    conditions,
    is_elementwise,
    meaning,
    require_numbers,
    torch_pullback,
)
from gradcheck_cli.functions import lookup
from gradcheck_cli.functions.row import CallError
from gradcheck_cli.language.parse import parse
from gradcheck_cli.language.program import Call, Number, fold
from gradcheck_cli.worlds.enclosures import Verity
from gradcheck_cli.worlds.integers import computed_integers
from gradcheck_cli.worlds.labels import Computed, Labels
from gradcheck_cli.worlds.levels import Unrolled
from gradcheck_cli.worlds.track import Track, Tracked

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gradcheck_cli.functions.row import Function
    from gradcheck_cli.language.program import Program


class Arrays(Track):
    """The world."""

    def given(self, array: Any, *, moves: bool) -> Tracked:
        """An input: floats, or integers that are class indices."""
        integers = array if array.dtype == np.int64 else None
        return Tracked(self.kit.given(array, moves=moves), array.shape, moves, integers=integers)

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
        whole = self.as_torch and bool(row.pulled_back(dict(node.settings)))
        if is_elementwise(node.function, node.settings):
            made = self._elementwise(node, row, args, whole=whole)
            if args and all(a.integers is not None for a in args):
                made.integers = computed_integers(node, [a.integers for a in args])
            return made
        return self._pulled(node, row, args) if whole else self._derived(node, row, args)

    def _elementwise(
        self, node: Call, row: Function, args: list[Tracked], *, whole: bool
    ) -> Tracked:
        if row.kind == "primitive":
            return self._primitive(node, row, args)
        if not whole:
            return self._inside(meaning(node.function, node.settings), row, args)
        return self._kernel(node, row, args)

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
            still = [a.still for a in args]
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
        if self.as_torch:
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
        still = [a.still for a in args]
        forward = quiet._structural if row.array is not None else quiet._derived
        return self._with_texts(node, row, args, forward(node, row, still).number)

    def _with_texts(
        self, node: Call, row: Function, args: Sequence[Tracked], number: Any
    ) -> Tracked:
        """A value that is pulled back by the row's texts."""
        texts, settings = row.pulled_back(dict(node.settings)), row.bound(dict(node.settings))

        def pull(ybar: Any) -> Iterator[tuple[Tracked, Any]]:
            quiet = Arrays(self.kit, as_torch=True)
            still = [a.still for a in args]
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
        if self.as_torch and any(a.moves for a in args) and row.pulled_back(dict(node.settings)):
            return self._pulled(node, row, args)
        settings = row.bound(dict(node.settings))
        kinds = [p.kind for p in row.parsed.args] + [""] * len(args)
        labels, made = Labels(self), len(self.made)
        try:
            given = [
                _integers(a) if kind == "index" else labels.of(a)
                for kind, a in zip(kinds, args, strict=False)
            ]
            assert row.array is not None
            whole: Tracked = labels.whole(row.array(labels, *given, **settings))
        except (Computed, TypeError, AttributeError):
            del self.made[made:]
        else:
            return whole
        arrays = [None if k == "index" else a for k, a in zip(kinds, args, strict=False)]
        integers = [
            _integers(a) if k == "index" else None for k, a in zip(kinds, args, strict=False)
        ]
        return self.unrolled(Unrolled(self, node, arrays, integers))

    def unrolled(self, call: Unrolled) -> Tracked:
        """The value of a call that computes with single elements."""
        return call.result


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
    """Integers that are given, or written.

    Raises:
        CallError: these are other numbers, or computed.
    """
    if a.integers is None:
        way_out = "give the class index as a constant or an input of integers"
        raise CallError(f"an integer is needed here: {way_out}", "not-an-integer")
    return a.integers
