"""What has been read of a cell so far: its names, inputs, statements and derivatives."""

from __future__ import annotations

from collections import ChainMap
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gradcheck_cli.language.cells.bindings import (
    Alike,
    Extent,
    Fresh,
    LeafTensor,
    PythonValue,
    Quantity,
    Refused,
    Series,
    Thing,
)
from gradcheck_cli.language.errors import Mistake, NodeError
from gradcheck_cli.language.parse import is_constant
from gradcheck_cli.language.terms import Term, leaf

if TYPE_CHECKING:
    import ast
    from collections.abc import Collection, Iterator

    from gradcheck_cli.language.errors import Span
    from gradcheck_cli.language.source import Source

# Statements that are read, those of loops and functions as often as they run.
MOST_STATEMENTS = 5_000
# What places in a cell are told under, where it has no name of its own.
CELL = "cell"


@dataclass(frozen=True)
class Derivative:
    """What a cell differentiates.

    Attributes:
        result: its value, behind `statements`.
        wrt: the inputs asked for; None for those that require a gradient.
        cotangent: the constructor's call of the upstream gradient; None for ones.
        place: where it is asked for; None where it is the cell's last value.
        implied: what torch asks for it with, where that gives no upstream gradient.
    """

    statements: tuple[Term, ...]
    result: Term
    wrt: tuple[str, ...] | None
    cotangent: Fresh | None
    place: ast.AST | None
    implied: str = ""


class Scope:
    """The state of a reading.

    Attributes:
        makers: names of the constructors that a point knows.
        are_inputs: whether a number that is assigned to a name is an input.
        wanted: what names of the program are called in the cell, where that is something else.
        skipped: numbers of the lines that say nothing of the program.
        said: what else is to be told of the reading, in sentences.
    """

    def __init__(
        self,
        source: Source,
        makers: Collection[str],
        words: Collection[str],
        *,
        are_inputs: bool,
    ) -> None:
        self.source, self.makers, self.are_inputs = source, makers, are_inputs
        self.names: ChainMap[str, Thing] = ChainMap()
        self.statements: list[Term] = []
        self.inputs: dict[str, LeafTensor] = {}
        self.derivatives: list[Derivative] = []
        self.mistakes: list[Mistake] = []
        self.skipped: list[int] = []
        self.said: dict[str, None] = {}
        self.default = "float32"
        self.last: Quantity | Refused | None = None
        self.is_cut = False
        self._words = frozenset(words)
        self.wanted: dict[str, str] = {}
        self._taken: set[str] = set()
        self._numbers: dict[str, int] = {}
        self._count = 0

    def span(self, node: ast.AST) -> Span:
        """Where a node stands in the cell."""
        return self.source.span(node)

    def keep(self, error: NodeError) -> None:
        """Keep what is wrong with a statement."""
        text, span = self.source.text, self.span(error.node)
        place = place_in(text, span)
        self.mistakes.append(Mistake(error.code, str(error), text, span, error.help, place))

    @property
    def is_exhausted(self) -> bool:
        """Whether there are too many statements, so that no other is read."""
        return self._count > MOST_STATEMENTS

    def count(self, node: ast.AST) -> None:
        """One more statement.

        Raises:
            NodeError: there are too many.
        """
        self._count += 1
        if self.is_exhausted:
            message = f"loops and functions unroll to more than {MOST_STATEMENTS:,} statements"
            raise NodeError("too-large", message, node)

    def free_name(self, wanted: str) -> str:
        """A name of the program that nothing has yet."""
        name = f"{wanted}_" if is_constant(wanted) else wanted
        number = self._numbers.get(wanted, 1)
        while name in self._taken or (number > 1 and name in self._words):
            number += 1
            name = f"{wanted}_{number}"
        self._taken.add(name)
        self._numbers[wanted] = number
        if number > 1:
            self.wanted[name] = f"{wanted}_" if is_constant(wanted) else wanted
        return name

    def own(self, name: str) -> None:
        """A name that the cell has from elsewhere: an input without a value."""
        self._taken.add(name)

    def emit(self, wanted: str, quantity: Quantity, span: Span) -> Quantity:
        """The same quantity under a name of the program."""
        name = self.free_name(wanted)
        term = quantity.term
        if self.is_cut:
            self.said["what stands under `no_grad` is cut off by `stop_gradient`"] = None
            term = Term("call", term.span, "", (leaf("stop_gradient", term.span), term))
        self.statements.append(Term("assign", span, name, (term,)))
        return Quantity(leaf(name, span), quantity.is_numpy, quantity.base)

    def input(self, wanted: str, made: Fresh, span: Span) -> Quantity:
        """An input of the program."""
        name = self.free_name(wanted)
        self.inputs[name] = LeafTensor(name, made, made.requires_grad)
        return Quantity(leaf(name, span), made.is_numpy)

    def leaf_of(self, thing: Thing) -> LeafTensor | None:
        """The input that a value is, if it is one."""
        if isinstance(thing, Quantity) and thing.term.kind == "leaf" and not thing.is_copy:
            return self.inputs.get(thing.term.text)
        return None

    def bind(self, name: str, thing: Thing, node: ast.expr) -> None:
        """Let a name stand for something; what is computed becomes a statement."""
        span = self.span(node)
        if isinstance(thing, PythonValue) and self._is_input(thing):
            number = Term("call", span, "", (leaf("tensor", span), thing.term))
            thing = Fresh(number, "float64", is_numpy=True)
        thing = self.names[name] = self._anchored(name, thing, span)
        if isinstance(thing, Refused):
            self.skipped.append(getattr(node, "lineno", 1))
        if isinstance(thing, Quantity | Refused):
            self.last = thing

    def _anchored(self, name: str, thing: Thing, span: Span) -> Thing:
        """A thing whose values have names, so that none is spelled twice."""
        match thing:
            case Fresh():
                return self.input(name, thing, span)
            case Quantity(term=term) if term.kind != "leaf" or thing.is_copy:
                return self.emit(name, thing, span)
            case Alike(number=number, like=like) if like.kind != "leaf":
                return Alike(number, self.emit(name, Quantity(like), span).term)
            case Extent(term=term) if term.kind != "leaf":
                return Extent(self.emit(name, Quantity(term), span).term)
            case Series(items=items, is_anchored=False):
                named = tuple(self._anchored(name, item, span) for item in items)
                return Series(named, thing.node, is_anchored=True)
        return thing

    def _is_input(self, literal: PythonValue) -> bool:
        return self.are_inputs and isinstance(literal.value, float) and len(self.names.maps) == 1

    def others_of(self, quantity: Quantity, name: str) -> Iterator[str]:
        """Further names that share their numbers with a value."""
        text = quantity.term.text
        for other, thing in self.names.items():
            if isinstance(thing, Quantity) and other != name:
                is_same = thing.term.kind == "leaf" and thing.term.text == text
                is_base = bool(quantity.base) and quantity.base in (thing.base, thing.term.text)
                if is_same or is_base or thing.base == text:
                    yield other

    def derive(
        self,
        value: Quantity,
        wrt: tuple[str, ...] | None,
        cotangent: Fresh | None,
        place: ast.AST | None,
        implied: str = "",
    ) -> None:
        """One more derivative, of what has been computed so far."""
        statements = tuple(needed(self.statements, value.term))
        new = Derivative(statements, value.term, wrt, cotangent, place, implied)
        self.derivatives.append(new)


def place_in(text: str, span: Span) -> str:
    """`cell:LINE:COLUMN`, both counted from 1."""
    line = text.count("\n", 0, span.start) + 1
    return f"{CELL}:{line}:{span.start - text.rfind(chr(10), 0, span.start)}"


def needed(statements: list[Term], result: Term) -> list[Term]:
    """The assignments that a value rests on."""
    needed, kept = words_of(result), list[Term]()
    for statement in reversed(statements):
        if statement.text in needed:
            kept.append(statement)
            needed |= words_of(statement)
    return kept[::-1]


def words_of(term: Term) -> set[str]:
    """The texts of all leaves of a term."""
    words, stack = set[str](), [term]
    while stack:
        each = stack.pop()
        if each.kind == "leaf":
            words.add(each.text)
        stack += [part for part in each.parts if part is not None]
    return words
