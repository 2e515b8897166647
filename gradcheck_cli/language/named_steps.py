"""The steps of a program apart, each a program of its own in the names of those before it: what the
chain rule is written down for.

In a Program equal expressions are one node, whatever they are called; here each name stays.
"""

from __future__ import annotations

import ast
import re
from itertools import count
from typing import TYPE_CHECKING, NamedTuple

from gradcheck_cli.language.parse import Reader
from gradcheck_cli.language.program import (
    Builder,
    Call,
    Copying,
    Program,
    Variable,
    fold,
    in_reading_order,
)
from gradcheck_cli.language.source import Source, tidy
from gradcheck_cli.language.syntax import tree
from gradcheck_cli.language.text import program_text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from gradcheck_cli.language.errors import Span

# What the value of a program is called that names it nowhere, and operations without a name.
_RESULT, _OPERATION = "f", "v"


class NamedStep(NamedTuple):
    """A step: what it is called, what it is of the inputs and of the steps before it, and the same
    as it is written.
    """

    name: str
    program: Program
    words: str


class NamedSteps(NamedTuple):
    """The steps of a program in the order in which they are written; `result` is the name of the
    program's value.
    """

    steps: tuple[NamedStep, ...]
    result: str


def named_steps(text: str, *, every: bool = False) -> NamedSteps:
    """The steps of a text that `parse` takes: its assignments, and the value.

    What rests on no input, and what is true or false, is no step: it stands in the others as it is.
    A name that is assigned again is followed by a number.

    Args:
        every: each operation is a step, those without a name under names `v1`, `v2`, ...
    """
    source = Source(tidy(text))
    statements = tree(source).body
    words = {
        node.id for each in statements for node in ast.walk(each) if isinstance(node, ast.Name)
    }
    reader = _Apart(source, words, every=every)
    result = reader.read(statements)
    node = reader.emit.builder.nodes[result]
    last = reader.last(result)
    if last or not (isinstance(node, Variable) and node.name in reader.steps):
        name = reader.fresh(_RESULT if _RESULT not in words else "result")
        reader.steps[name] = reader.steps.pop(last) if last else result
        node = Variable(name)
    return NamedSteps(tuple(reader.told()), node.name)


class _Apart(Reader):
    """Reads each name as an input of what comes after it."""

    def __init__(self, source: Source, words: Collection[str], *, every: bool) -> None:
        super().__init__(source, frozenset())
        self.words, self.every = words, every
        self.steps: dict[str, int] = {}
        # The unnamed operations by their nodes, of which equal ones are one.
        self._made: dict[int, str] = {}

    def kept(self, index: int) -> int:
        """An operation as a step, where each is one."""
        builder = self.emit.builder
        if not self.every or not isinstance(builder.nodes[index], Call) or not self._counts(index):
            return index
        if index not in self._made:
            names = (f"{_OPERATION}{k}" for k in count(1))
            name = next(n for n in names if n not in self.words and n not in self.steps)
            self._made[index] = name
            self.steps[name] = index
        return builder.variable(self._made[index])

    def assign(self, target: ast.Name, value: int) -> int:
        """A step under its name, and the name for what comes after it."""
        super().assign(target, value)
        if not self._counts(value):
            return value
        last = self.last(value)
        name = self.fresh(target.id)
        self.steps[name] = self.steps.pop(last) if last else value
        self.assigned[target.id] = self.emit.builder.variable(name)
        return self.assigned[target.id]

    def last(self, value: int) -> str:
        """The name of an operation that was made for this value alone, and gives it up; "" if none
        was.
        """
        node = self.emit.builder.nodes[value]
        name = next(reversed(self.steps), "")
        if not isinstance(node, Variable) or node.name != name:
            return ""
        index = self.steps[name]
        return name if self._made.pop(index, "") == name else ""

    def fresh(self, word: str) -> str:
        """A name that nothing else has: the word, or the word and a number."""
        builder = self.emit.builder
        taken = {n.name for n in builder.nodes if isinstance(n, Variable)} | self.steps.keys()
        if word not in taken:
            return word
        names = (f"{word}_{k}" for k in count(2))
        return next(n for n in names if n not in taken and n not in self.words)

    def told(self) -> Iterator[NamedStep]:
        """The steps that were read."""
        nodes = tuple(self.emit.builder.nodes)
        for name, index in self.steps.items():
            whole = Program(nodes, (index,), self.source.text, self.spans)
            program = in_reading_order(whole)
            span = self.spans.get(index)
            words = "" if span is None or self.every else self.source.text[slice(*span)]
            # A name that was assigned again means something else than it says.
            is_plain = words and set(program.variables) <= {*re.findall(r"\w+", words)}
            words = words if is_plain else program_text(program).replace("\n", "; ")
            yield NamedStep(name, program, " ".join(words.split()))

    def _counts(self, index: int) -> bool:
        """Whether a node rests on an input, and is no condition."""
        builder = self.emit.builder
        if self.emit.is_condition(index):
            return False
        stack, seen = [index], {index}
        while stack:
            node = builder.nodes[stack.pop()]
            if isinstance(node, Variable):
                return True
            args = [i for i in node.args if i not in seen] if isinstance(node, Call) else []
            seen.update(args)
            stack += args
        return False


def put_together(steps: NamedSteps, held: Collection[str], text: str) -> Program:
    """The program of the result, the steps called `held` being inputs of it."""
    builder = Builder()
    bound: dict[str, int] = {}
    spans: dict[int, Span] = {}
    names: dict[int, str] = {}
    for name, program, _ in steps.steps:
        if name in held:
            bound[name] = builder.variable(name)
            continue
        places = fold(program, Copying(builder), bound)
        for i, span in program.spans.items():
            spans.setdefault(places[i], span)
        bound[name] = places[program.result]
        names.setdefault(bound[name], name)
    nodes = tuple(builder.nodes)
    return in_reading_order(Program(nodes, (bound[steps.result],), text, spans, names))


def value_program(steps: NamedSteps, name: str, text: str) -> Program:
    """The program of one step, of inputs alone."""
    return put_together(NamedSteps(steps.steps, name), (), text)


def without(steps: NamedSteps, held: Collection[str]) -> NamedSteps:
    """The steps that the result rests on where those called `held` are inputs."""
    needed, kept = {steps.result}, list[NamedStep]()
    for step in reversed(steps.steps):
        if step.name in needed and step.name not in held:
            needed.update(step.program.variables)
            kept.append(step)
    return NamedSteps(tuple(reversed(kept)), steps.result)
