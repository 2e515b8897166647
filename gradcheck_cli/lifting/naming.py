"""What the names of a script are in the program of a check: its own, those of the numbers that its
inputs are made of, and those of a second computation that comes to the same.
"""

from __future__ import annotations

from functools import cached_property
from random import Random
from typing import TYPE_CHECKING

import numpy as np

from gradcheck_cli.language.cells.scope import words_of
from gradcheck_cli.language.errors import UserError
from gradcheck_cli.language.holding import names_of
from gradcheck_cli.language.parse import parse
from gradcheck_cli.language.terms import Term, leaf
from gradcheck_cli.lifting.labels import bare_name
from gradcheck_cli.lifting.terms import is_number, name_of, rewritten, text_of, uncut
from gradcheck_cli.lifting.worth import Worthless, array_of, worths

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from gradcheck_cli.language.errors import Span
    from gradcheck_cli.language.program import Program
    from gradcheck_cli.lifting.checks import Check
    from gradcheck_cli.lifting.reading import Reading
    from gradcheck_cli.lifting.worth import Numbers

# Two values are one if they agree to so many parts at a point beside the script's.
_CLOSE, _BESIDE = 1e-13, 0.01


class ProgramNames:
    """The names of a check."""

    def __init__(self, reading: Reading, check: Check, makers: Mapping[str, Term]) -> None:
        self.reading, self.check, self.makers = reading, check, makers
        derivative, named = check.derivative, check.program.named
        terms = [*derivative.statements, derivative.result]
        self.words = set().union(*map(words_of, terms))
        own = [term.text for term in derivative.statements]
        own += [name for name in reading.inputs if name in self.words]
        self.finals = {word: named.get(word, word) for word in own}
        self.cells = {
            reading.wanted.get(word, word): final
            for word, final in self.finals.items()
            if final in self.known
        }
        self._statements = {term.text: term.parts[0] for term in reading.statements}
        self._same: dict[str, str] = {}

    @cached_property
    def known(self) -> tuple[str, ...]:
        """Inputs and names of the program."""
        return names_of(self.check.program.program.text)[0]

    @cached_property
    def result(self) -> str:
        """The name of the value; empty where it has none."""
        return names_of(self.check.program.program.text)[1]

    def named(self, name: str, leaves: Mapping[str, str]) -> tuple[str, int]:
        """What a name of the script is in the program, and how sure that is: 3 of the thing itself,
        2 of what comes to the same, 1 of a name alone, 0 of none.

        Args:
            leaves: the leaf that each name stands for where it is used.
        """
        word = leaves.get(name)
        if word in self.finals and self.finals[word] in self.known:
            return self.finals[word], 3
        if word is not None:
            term = self.canonical(leaf(word, _span(self.check)), {})
            if term.kind == "leaf" and term.text in self.known:
                return term.text, 2
        if name in self.cells:
            return self.cells[name], 1
        alike = [final for cell, final in self.cells.items() if bare_name(cell) == bare_name(name)]
        return (alike[0], 1) if len(alike) == 1 else ("", 0)

    def canonical(self, term: Term, emitted: Mapping[str, str]) -> Term:
        """A term in the names of the program.

        Args:
            emitted: what leaves are called that have lines of their own.
        """

        def new(word: str) -> Term | None:
            if word in self.finals:
                return leaf(self.finals[word], term.span)
            if word in emitted:
                return leaf(emitted[word], term.span)
            if word in self.aliases:
                return self.aliases[word]
            if word in self.reading.numbers:
                return self.canonical(self.reading.numbers[word].term, emitted)
            if word in self._statements:
                return self._hand(word, emitted)
            return self._other_input(word, term.span)

        return rewritten(uncut(term), new)

    def definition(self, word: str) -> Term | None:
        """What a leaf was set to; None of one that is set nowhere."""
        if word in self.reading.numbers:
            return self.reading.numbers[word].term
        return self._statements.get(word)

    def _hand(self, word: str, emitted: Mapping[str, str]) -> Term:
        """What was computed beside the program: a name of it where it is the same."""
        inner = self._statements[word]
        assert inner is not None
        whole = self.canonical(inner, {})
        if word not in self._same:
            self._same[word] = self._equal(whole)
        if self._same[word]:
            return leaf(self._same[word], whole.span)
        return self.canonical(inner, emitted)

    def followed_by(self, text: str) -> str:
        """The program with another value in the place of its own."""
        lines = self.check.program.program.text.split("\n")
        kept = lines if self.result and lines[-1].startswith(f"{self.result} = ") else lines[:-1]
        return "\n".join([*kept, text])

    def _equal(self, term: Term) -> str:
        """The name of the program that comes to the same; empty where none does."""
        text = text_of(term)
        if not words_of(term) & {*self.known}:
            return ""
        try:
            written = parse(text)
            for name, program in self._steps.items():
                if (program.nodes, program.outputs) == (written.nodes, written.outputs):
                    return name
            value = worths(self.followed_by(text), self._beside).get("")
        except (UserError, Worthless):
            return ""
        if value is None:
            return ""
        for name, other in self._values.items():
            if other.shape == value.shape and np.allclose(other, value, rtol=_CLOSE, atol=0):
                return name
        return ""

    @cached_property
    def _steps(self) -> dict[str, Program]:
        """What each name is of those before it."""
        found = {}
        for term in self.check.derivative.statements:
            name, inner = self.finals[term.text], term.parts[0]
            assert inner is not None
            try:
                found[name] = parse(text_of(self.canonical(inner, {})))
            except UserError:
                continue
        return {name: program for name, program in found.items() if name in self.known}

    @cached_property
    def _beside(self) -> dict[str, Numbers]:
        """Numbers beside the point."""
        random = Random(0)  # noqa: S311 - a point beside another, no secret
        found = {}
        for name, value in self.check.at.items():
            numbers = array_of(value)
            if self.check.program.point[name].dtype:
                moved = [v + _BESIDE * (abs(v) + 1) * random.random() for v in numbers.flat]
                numbers = np.array(moved).reshape(numbers.shape)
            found[name] = numbers
        return found

    @cached_property
    def _values(self) -> dict[str, Numbers]:
        """The values of all names of the program, beside the point."""
        found = worths(self.check.program.program.text, self._beside)
        return {name: value for name, value in found.items() if name}

    @cached_property
    def aliases(self) -> dict[str, Term]:
        """Numbers and arrays that inputs of the program are made of, or are the same as."""
        found: dict[str, Term] = {}
        for word, final in self.finals.items():
            if word not in self.reading.inputs:
                continue
            maker = self.makers[word]
            for other, path in _leaves(maker):
                span = maker.span
                whole = leaf(final, span)
                keys = tuple(leaf(str(k), span) for k in path)
                found[other] = Term("index", span, "", (whole, *keys)) if keys else whole
            for other, made in self.makers.items():
                if other not in self.finals and made == maker:
                    found[other] = leaf(final, maker.span)
        for word in (*self.reading.numbers, *self.makers):
            if word not in found and word not in self.finals and word not in self.words:
                final = self._twin(word)
                if final:
                    found[word] = leaf(final, _span(self.check))
        return found

    def _twin(self, word: str) -> str:
        """An input of the program with the same numbers, and a name that is like it."""
        name = bare_name(name_of(self.reading.wanted.get(word, word)))
        for own, final in self.finals.items():
            cell = bare_name(self.reading.wanted.get(own, own))
            is_like = name.startswith(cell) or cell.startswith(name)
            if own in self.reading.inputs and is_like:
                try:
                    mine, other = self._numbers(own), self._numbers(word)
                except (UserError, Worthless):
                    continue
                if mine.shape == other.shape and np.array_equal(mine, other):
                    return final
        return ""

    def _numbers(self, word: str) -> Numbers:
        known = self.reading.numbers.get(word)
        if known is not None:
            return np.asarray(known.value, dtype=np.float64)
        return self.reading.held(self.reading.inputs[word])

    def _other_input(self, word: str, span: Span) -> Term | None:
        """The numbers of an input that the program has not; None of what is none."""
        if word not in self.reading.inputs:
            return None
        try:
            numbers = self.reading.held(self.reading.inputs[word])
        except (UserError, Worthless):
            return None
        return self.reading.written_out(numbers, span).parts[1]

    def is_about(self, term: Term) -> bool:
        """Whether a term names anything of the program, once it is written out."""
        return bool(words_of(self.canonical(term, {})) & {*self.known})

    def is_of_the_point(self, term: Term, constants: Collection[str]) -> bool:
        """Whether a term is a number at the point rather than a formula: it names nothing of the
        program, or rests on a number that stands for something the program computes.

        Args:
            constants: numbers that are derivatives themselves.
        """
        seen, stack = set[str](), [uncut(term)]
        names_any = False
        while stack:
            for word in words_of(stack.pop()):
                if word in self.finals or word in self.aliases or word in constants:
                    names_any = True
                elif is_number(word) and word not in self.words:
                    known = self.reading.numbers[word]
                    if known.term.kind == "leaf" and type(known.value) is float:
                        return True
                    stack.append(known.term)
                elif word in self._statements and word not in seen:
                    seen.add(word)
                    if self._same.get(word):
                        names_any = True
                    elif (inner := self._statements[word]) is not None:
                        stack.append(uncut(inner))
        return not names_any


def _leaves(maker: Term) -> list[tuple[str, tuple[int, ...]]]:
    """The named numbers and arrays that a constructor is given, and where they stand in it."""
    found: list[tuple[str, tuple[int, ...]]] = []
    stack: list[tuple[Term, tuple[int, ...]]] = [(p, ()) for p in maker.parts[1:2] if p is not None]
    while stack:
        part, path = stack.pop()
        if part.kind == "leaf" and (is_number(part.text) or part.text.isidentifier()):
            found.append((part.text, path))
        elif part.kind in ("list", "tuple"):
            stack += [(each, (*path, k)) for k, each in enumerate(part.parts) if each is not None]
    return found


def _span(check: Check) -> Span:
    return check.derivative.result.span
