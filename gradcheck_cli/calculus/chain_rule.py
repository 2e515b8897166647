"""The chain rule as people apply it: reverse mode over expressions, every function in terms of
functions.

A function's derivative is what its row says people write, else what torch's backward evaluates,
else its exact partial, else the derivative of its meaning.
"""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from typing import TYPE_CHECKING

from gradcheck_cli.calculus.collecting import SINGLE, Product, Total, broadcast
from gradcheck_cli.calculus.formulas import conditions, is_elementwise
from gradcheck_cli.calculus.standing import NoRule, Part, Telling, is_transposed, summed, summed_to
from gradcheck_cli.functions import lookup
from gradcheck_cli.language.parse import parse
from gradcheck_cli.language.program import Call, Number, Variable, fold

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from gradcheck_cli.calculus.algebra import Algebra
    from gradcheck_cli.calculus.collecting import Rational
    from gradcheck_cli.functions.row import Function, SettingValue
    from gradcheck_cli.language.program import Program

# Functions that are known, and written, by their names.
_TRACE = "trace"
_TRANSPOSE = "transpose"
_PLAIN = tuple(sorted(lookup(_TRANSPOSE).bound({}).items()))


def stated(
    algebra: Algebra, program: Program, inputs: Mapping[str, int], *, exactly: bool = False
) -> list[int]:
    """The nodes of a program.

    Args:
        exactly: whether each must keep the shape that it has in torch.
    """
    return fold(program, _Stating(algebra, exactly=exactly), inputs)


def stated_scalars(algebra: Algebra, scalars: Program) -> list[int]:
    """The nodes of the outputs of a program of numbers: what is added up one by one is one sum."""
    uses = Counter(i for node in scalars.nodes if isinstance(node, Call) for i in node.args)
    uses.update(scalars.outputs)
    world, places = _Stating(algebra, exactly=False), dict[int, int]()
    open_sums: dict[int, list[tuple[Rational, int]]] = {}

    def place_of(i: int) -> int:
        if i not in places:
            places[i] = algebra.plus(open_sums.pop(i))
        return places[i]

    for i, node in enumerate(scalars.nodes):
        if isinstance(node, Number):
            places[i] = world.number(node)
        elif isinstance(node, Variable):
            places[i] = world.variable(node.name)
        elif lookup(node.function).operator == "+" and uses[i] == 1:
            first, second = node.args
            is_open = first in open_sums and first != second
            open_sums[i] = open_sums.pop(first) if is_open else [(SINGLE, place_of(first))]
            open_sums[i].append((SINGLE, place_of(second)))
        else:
            places[i] = world.call(node, [place_of(j) for j in node.args])
    return [place_of(i) for i in scalars.outputs]


class _Stating:
    """The world of expressions."""

    def __init__(self, algebra: Algebra, *, exactly: bool) -> None:
        self._algebra, self._exactly = algebra, exactly

    def number(self, node: Number) -> int:
        """The same literal."""
        return self._algebra.number(node.value, decimal=node.decimal)

    def variable(self, name: str) -> int:
        """A number."""
        return self._algebra.variable(name)

    def call(self, node: Call, args: list[int]) -> int:
        """A call, put together unless something of its shape is lost by that."""
        algebra = self._algebra
        place = algebra.call(node.function, args, node.settings)
        told = lookup(node.function).derivative
        if isinstance(told, tuple) and told[:1] == ("ybar",):  # it hands its argument on
            return args[0] if algebra.shapes[place] == algebra.shapes[args[0]] else place
        if self._exactly and is_elementwise(node.function, node.settings):
            whole = broadcast([algebra.shapes[i] for i in args])
            if algebra.shapes[place] != whole:
                return algebra.plain_call(Call(node.function, tuple(args), node.settings))
        return place


def cotangents(
    algebra: Algebra, output: int, wrt: Collection[int], *, written: bool = True
) -> dict[int, int]:
    """For each node asked for that carries a derivative the node of it; it broadcasts to its shape.

    Args:
        output: what is differentiated: the sum of its elements.
        written: as people write it, though that may have no value at some points.
    Raises:
        NoRule: a function on the way has no derivative for whole arrays.
    """
    return _Reverse(algebra, written=written).run({output: algebra.one}, frozenset(wrt))


class _Reverse:
    def __init__(self, algebra: Algebra, *, written: bool) -> None:
        self.algebra, self._written = algebra, written

    def run(self, seeds: Mapping[int, int], ends: frozenset[int]) -> dict[int, int]:
        """Adjoints of `ends`, given those of other nodes."""
        algebra = self.algebra
        terms: dict[int, list[int]] = {place: [ybar] for place, ybar in seeds.items()}

        def whole(place: int) -> int:
            # They come from the end of the program to its beginning: so it is written from there.
            return algebra.plus([(SINGLE, term) for term in reversed(terms[place])])

        for i in self._between(max(seeds), ends):
            if i not in terms or i in ends:
                continue
            parts = [part for ybar in self._gated(whole(i)) for part in self._terms(i, ybar)]
            for j, term in reversed(parts):
                if term != algebra.zero:
                    terms.setdefault(j, []).append(term)
        return {i: whole(i) for i in ends if i in terms}

    def _gated(self, ybar: int) -> list[int]:
        """A sum term by term, where some have a part in certain branches alone: what they are
        multiplied with may have no value elsewhere.
        """
        algebra, node = self.algebra, self.algebra.nodes[ybar]
        if not isinstance(node, Total):
            return [ybar]
        terms = [algebra.times([part], coefficient) for coefficient, part in node.terms]
        factors = [i for term in terms for i in (term, *algebra.parts(term))]
        return terms if any(map(algebra.is_gate, factors)) else [ybar]

    def _between(self, output: int, ends: frozenset[int]) -> list[int]:
        """What an output rests on and what rests on one of the ends, the last first."""
        below: set[int] = set()
        stack = [output]
        while stack:
            i = stack.pop()
            if i not in below:
                below.add(i)
                stack += [] if i in ends else self._live_parts(i)
        live: set[int] = set()
        for i in sorted(below):
            if i in ends or not live.isdisjoint(self._live_parts(i)):
                live.add(i)
        self._live = live
        return sorted(live, reverse=True)

    def _live_parts(self, place: int) -> list[int]:
        """The parts of a node through which a derivative may pass."""
        node = self.algebra.nodes[place]
        if isinstance(node, Call):
            row = lookup(node.function)
            if row.condition or row.stops:
                return []
        return self.algebra.parts(place)

    def _terms(self, place: int, ybar: int) -> Iterator[tuple[int, int]]:
        """What the parts of a node receive from its adjoint."""
        algebra, node, live = self.algebra, self.algebra.nodes[place], self._live
        if isinstance(node, Total):
            for coefficient, j in node.terms:
                if j in live:
                    yield j, self._fitted(algebra.times([ybar], coefficient), place, j)
        elif isinstance(node, Product):
            for k, (j, exponent) in enumerate(node.factors):
                if j in live:
                    others = [*node.factors[:k], (j, exponent - 1), *node.factors[k + 1 :]]
                    slope = [(ybar, SINGLE), *others]
                    term = algebra.powers(slope, node.coefficient * exponent)
                    yield j, self._fitted(term, place, j)
        elif isinstance(node, Call):
            told = self._of_trace(node, ybar, live) if node.function == _TRACE else None
            yield from told or self._of_call(place, node, ybar, live)

    def _of_trace(
        self, node: Call, ybar: int, live: Collection[int]
    ) -> Iterable[tuple[int, int]] | None:
        """Of a product of matrices: what the sum of `A*B.T` has; None for other matrices."""
        algebra, inner = self.algebra, self.algebra.nodes[node.args[0]]
        if not isinstance(inner, Call) or lookup(inner.function).operator != "@":
            return None
        a, b = inner.args
        first, second = algebra.nodes[a], algebra.nodes[b]
        if is_transposed(first):
            (a,), factors = first.args, (first.args[0], b)
        elif is_transposed(second):
            (b,), factors = second.args, (a, second.args[0])
        else:
            factors = (a, algebra.call(_TRANSPOSE, [b], _PLAIN))
        total = summed(algebra, algebra.times(factors), [0, 1])
        ends = frozenset(i for i in (a, b) if i in live)
        return _Reverse(algebra, written=self._written).run({total: ybar}, ends).items()

    def _of_call(
        self, place: int, node: Call, ybar: int, live: Collection[int]
    ) -> Iterator[tuple[int, int]]:
        row, settings = lookup(node.function), dict(node.settings)
        shapes = tuple([self.algebra.shapes[i] for i in node.args])
        texts = row.derived(shapes, settings) if self._written else _exact(row)
        texts = texts or row.pulled_back(settings)
        if not texts and row.kind == "derived":
            yield from self._of_meaning(place, node, ybar, live)
            return
        is_scalar = is_elementwise(node.function, node.settings)
        texts = texts or row.partials
        if not texts and live:
            raise NoRule(node.function)
        for position, (text, j) in enumerate(zip(texts, node.args, strict=True)):
            if j not in live or row.parsed.args[position].kind:
                continue
            if is_scalar:
                slope = self._told(text, node, place, Part(self.algebra.one, ()))
                yield j, self._fitted(self.algebra.times([ybar, slope.place]), place, j)
            else:
                told = self._told(text, node, place, Part(ybar, self.algebra.shapes[place]))
                yield j, summed_to(self.algebra, told, self.algebra.shapes[j])

    def _told(self, text: str, node: Call, place: int, ybar: Part) -> Part:
        """A text over the arguments of a call, its result and its cotangent."""
        algebra, row = self.algebra, lookup(node.function)
        bound = self._settings(row, dict(node.settings))
        bound |= {"y": Part(place, algebra.shapes[place]), "ybar": ybar}
        for name, i in zip(row.parsed.names, node.args, strict=True):
            bound[name] = Part(i, algebra.shapes[i])
        program = parse(text, conditions(node.function))
        return fold(program, Telling(algebra), bound)[program.result]

    def _settings(self, row: Function, settings: Mapping[str, SettingValue]) -> dict[str, Part]:
        return {
            name: Part(self.algebra.number(value, decimal=isinstance(value, Fraction)), ())
            for name, value in row.numbers(settings).items()
        }

    def _of_meaning(
        self, place: int, node: Call, ybar: int, live: Collection[int]
    ) -> Iterator[tuple[int, int]]:
        """By the meaning of a derived function, one step of it at a time."""
        algebra, row, settings = self.algebra, lookup(node.function), dict(node.settings)
        inputs = {name: part.place for name, part in self._settings(row, settings).items()}
        inputs |= dict(zip(row.parsed.names, node.args, strict=True))
        program = parse(row.meaning(row.bound(settings)))
        inner = stated(algebra, program, inputs, exactly=True)[program.result]
        ends = frozenset(i for i in node.args if i in live)
        if inner in ends:
            yield inner, ybar
            return
        yield from _Reverse(algebra, written=self._written).run({inner: ybar}, ends).items()

    def _fitted(self, term: int, place: int, part: int) -> int:
        """What a part receives of a term with the shape of the whole: the sum over what it was
        broadcast along.
        """
        shapes = self.algebra.shapes
        return summed_to(self.algebra, Part(term, shapes[place]), shapes[part])


def _exact(row: Function) -> tuple[str, ...]:
    """The exact partials, where they are written in functions that people write."""
    programs = [parse(text, conditions(row.name)) for text in row.partials]
    calls = [node for program in programs for node in program.nodes if isinstance(node, Call)]
    return () if any(lookup(node.function).helper for node in calls) else row.partials
