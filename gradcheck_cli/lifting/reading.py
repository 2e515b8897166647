"""A script, read from its first line to its last: what cannot be read is told, and costs no other
line.
"""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from gradcheck_cli.language.cells.bindings import (
    Affine,
    Fresh,
    Gradient,
    LeafTensor,
    ModuleStack,
    PythonValue,
    Quantity,
    Refused,
    Series,
    Thing,
)
from gradcheck_cli.language.cells.derived import written_value
from gradcheck_cli.language.cells.routines import Routines
from gradcheck_cli.language.cells.scope import needed, words_of
from gradcheck_cli.language.errors import NodeError, ProgramError, UserError, elide
from gradcheck_cli.language.terms import Term, call, leaf, spelled
from gradcheck_cli.lifting.script import NotLifted
from gradcheck_cli.lifting.terms import MARK, is_number, rewritten
from gradcheck_cli.lifting.worth import Worthless, array_of, worths
from gradcheck_cli.questions.cells import given_value
from gradcheck_cli.questions.constructors import MAKERS

if TYPE_CHECKING:
    from gradcheck_cli.language.errors import Span
    from gradcheck_cli.lifting.script import Script
    from gradcheck_cli.lifting.worth import Numbers


class Reading(Routines):
    """What is read of a script, of which nothing is run.

    Attributes:
        numbers: what named numbers were set to, by their leaves.
        moves: the lines at which inputs are moved, as steps of a descent do.
        unread: what is not read.
        seed: the last one that the script sets.
    """

    folds = False

    def __init__(self, script: Script) -> None:
        words = {
            part.id for each in script.body for part in ast.walk(each) if isinstance(part, ast.Name)
        }
        super().__init__(script.source, MAKERS, words, are_inputs=False)
        self.script = script
        self.numbers: dict[str, PythonValue] = {}
        self.moves: list[int] = []
        self.unread: list[NotLifted] = list(script.unread)
        self.seed = 0

    def tell(self, line: int, reason: str) -> None:
        """Keep why something of a line is not read."""
        new = NotLifted(self.script.place(line), reason)
        if new not in self.unread:
            self.unread.append(new)

    def tell_error(self, error: NodeError, line: int) -> None:
        """Keep what is wrong with a statement, where it is."""
        way_out = f" ({error.help})" if error.help else ""
        self.tell(getattr(error.node, "lineno", line), f"{error}{way_out}")

    # What a name stands for

    def bind(self, name: str, thing: Thing, node: ast.expr) -> None:
        """As for a cell; a number of Python's keeps its name, so that it is seen what it is."""
        line = getattr(node, "lineno", 1)
        if isinstance(thing, PythonValue) and type(thing.value) in (int, float):
            word = thing.term.text if thing.term.kind == "leaf" else ""
            if not is_number(word):
                word = f"{name}{MARK}{len(self.numbers) + 1}"
                self.numbers[word] = thing
            thing = PythonValue(leaf(word, self.span(node)), thing.value)
        if isinstance(thing, Refused):
            self.tell_error(thing.error, line)
            if self.is_graded(self.names.get(name)):
                self.moves.append(line)
        super().bind(name, thing, node)

    def moved(self, name: ast.Name, node: ast.AST) -> None:
        """An input that is moved from here on: it is refused where it is needed again."""
        self.moves.append(getattr(node, "lineno", 1))
        message = f"`{name.id}` is moved here, and a check is made at one point"
        self.names[name.id] = Refused(NodeError("unsupported-syntax", message, node))

    def move_all(self, node: ast.AST) -> None:
        """An optimizer moves all that requires a gradient."""
        for name, thing in list(self.names.items()):
            if self.is_graded(thing) or isinstance(thing, Affine | ModuleStack):
                self.moved(ast.copy_location(ast.Name(name), node), node)

    def leave(self, thing: Thing, name: str, node: ast.Call) -> Thing:
        """Numbers that leave torch are cut off."""
        if isinstance(thing, Gradient):
            return thing
        value = self.as_quantity(thing, node)
        known = self.leaf_of(value)
        is_numpy = name.endswith("numpy")
        if known is not None and not known.requires_grad:
            return replace(value, is_numpy=is_numpy)
        return Quantity(call("stop_gradient", self.span(node), value.term), is_numpy)

    # What a value comes to

    def weights(self, thing: Thing, node: ast.expr) -> Fresh:
        """An upstream gradient that is computed: its numbers at the script's point."""
        value = self.as_quantity(thing, node)
        return Fresh(self.written_out(self.worth(value.term, node), self.span(node)), self.default)

    def worth(self, term: Term, node: ast.AST) -> Numbers:
        """What a term comes to at the script's point.

        Raises:
            NodeError: that is not known.
        """
        statements = [*needed(self.statements, term), term]
        lines = [self.settled(each) for each in statements]
        words = set().union(*map(words_of, lines))
        try:
            at = {n: self.held(each) for n, each in self.inputs.items() if n in words}
            found = worths(spelled(lines, ["\n"] * len(lines)).text, at).get("")
        except Worthless as error:
            message = f"`{elide(self.source.words(node))}` is not worked out: {error}"
            raise NodeError("unsupported-syntax", message, node) from error
        except UserError as error:
            raise NodeError("unsupported-syntax", error.mistakes[0].message, node) from error
        if found is None:
            raise NodeError("unsupported-syntax", "this has no value that can be told here", node)
        return found

    def held(self, known: LeafTensor) -> Numbers:
        """The numbers of an input.

        Raises:
            Worthless: they are drawn.
            UserError: they cannot be read.
        """
        return array_of(given_value(written_value(self.made_of(known.made), self.source.text)))

    def settled(self, term: Term) -> Term:
        """A term with what its named numbers were set to."""
        return rewritten(term, self._number)

    def _number(self, word: str) -> Term | None:
        known = self.numbers.get(word)
        return None if known is None else self.settled(known.term)

    def made_of(self, made: Fresh) -> Fresh:
        """A tensor as a point writes it: numbers that were computed before are worked out."""
        settled = replace(made, maker=self.settled(made.maker))
        try:
            given_value(written_value(settled, self.source.text))
        except UserError:
            arguments = made.maker.parts[1:]
            if len(arguments) != 1 or arguments[0] is None or made.is_drawn:
                return settled
            node = ast.Constant(None)
            try:
                numbers = self.worth(arguments[0], node)
            except NodeError:
                return settled
            return replace(made, maker=self.written_out(numbers, made.maker.span))
        return settled

    def written_out(self, numbers: Numbers, span: Span) -> Term:
        """A constructor's call with numbers as they are."""

        def term(part: Numbers) -> Term:
            if part.ndim:
                return Term("list", span, "", tuple(term(row) for row in part))
            text = repr(float(part))
            minus = text.startswith("-")
            number = leaf(text.lstrip("-"), span)
            return Term("signed", span, "-", (number,)) if minus else number

        return call("tensor", span, term(np.asarray(numbers)))

    def place_element(self, target: ast.Subscript, thing: Thing) -> bool:
        """Whether an assignment was that of an element of a tensor of numbers, used nowhere yet."""
        known = self.leaf_of(self.value(target.value))
        if known is None or known.requires_grad:
            return False
        if any(known.name in words_of(statement) for statement in self.statements):
            return False
        parts = target.slice.elts if isinstance(target.slice, ast.Tuple) else [target.slice]
        index = tuple(
            each.value for each in map(self.value, parts) if isinstance(each, PythonValue)
        )
        if len(index) != len(parts) or not all(type(k) is int for k in index):
            return False
        number = self.worth(self.term(thing, target), target)
        try:
            numbers = self.held(known).copy()
            numbers[index] = number
        except (IndexError, ValueError, Worthless, UserError):
            return False
        maker = self.written_out(numbers, self.span(target))
        known.made = replace(known.made, maker=maker, shape=())
        return True

    def things(self, node: ast.expr) -> Thing:
        """What an expression stands for; nothing is differentiated by asking.

        Raises:
            NodeError: it is nothing that is read.
        """
        before = len(self.derivatives)
        try:
            return self.value(node)
        except ProgramError as error:
            raise NodeError("unsupported-syntax", error.mistakes[0].message, node) from error
        finally:
            del self.derivatives[before:]

    def numbers_of(self, thing: Thing, node: ast.expr) -> Thing:
        """A list of numbers as one value."""
        return self.as_quantity(thing, node) if isinstance(thing, Series) else thing
