"""Rewritings: other texts for the function that a Program states.

Only the place that is rewritten changes, in the user's own words as far as they can be kept; what
is given has been read back and is the Program that was meant.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from gradcheck_cli.calculus.formulas import is_elementwise
from gradcheck_cli.calculus.guarding import guards
from gradcheck_cli.calculus.spelling import (
    Binding,
    carried_over,
    matches,
    normal,
    replaced,
)
from gradcheck_cli.functions import lookup, table
from gradcheck_cli.functions.identities import IDENTITIES
from gradcheck_cli.language.errors import ProgramError, Span
from gradcheck_cli.language.parse import parse
from gradcheck_cli.language.program import Call, Number, Program, Variable, in_reading_order, prune
from gradcheck_cli.language.source import Source, tidy
from gradcheck_cli.language.text import number_text, program_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gradcheck_cli.language.program import Node

# A place that is looked at for rewritings may be written in so many ways, at most.
_MOST_WAYS = 40


class Rewriting(NamedTuple):
    """Another text, its Program, and where in the text what is new stands, if that is known."""

    text: str
    program: Program
    place: Span | None


class _Rule(NamedTuple):
    form: Program
    text: str


class Rewritings:
    """The rewritings of a program, each made when it is first asked for; None for one that could
    not be written, or is no other program.
    """

    def __init__(self, text: str, focus: Span | None) -> None:
        self.program = parse(text)
        self._made: list[Rewriting | None] = []
        self._rest = _all(normal(self.program).program, focus)

    def __iter__(self) -> Iterator[Rewriting | None]:
        k = 0
        while k < len(self._made) or self._make():
            yield self._made[k]
            k += 1

    def _make(self) -> bool:
        for rewriting in self._rest:
            is_new = rewriting is not None and rewriting.program.nodes != self.program.nodes
            self._made.append(rewriting if is_new else None)
            return True
        return False


@lru_cache(maxsize=1024)  # the points of a grid ask for the same ones
def rewritings(text: str, focus: Span | None) -> Rewritings:
    """Other texts for a program, those nearest to a place in its text first.

    Args:
        focus: the place; None for none in particular.
    """
    return Rewritings(text, focus)


def _all(program: Program, focus: Span | None) -> Iterator[Rewriting | None]:
    calls = (i for i, node in enumerate(program.nodes) if isinstance(node, Call))
    for index in sorted(calls, key=lambda i: _distance(program.spans.get(i), focus)):
        yield from islice(_at(program, index), _MOST_WAYS)


def _distance(span: Span | None, focus: Span | None) -> int:
    """How far a place in a text is from another: what it has more or less, and the gap between."""
    if span is None or focus is None:
        return 0 if focus is None else 1_000_000
    gap = max(span.start - focus.end, focus.start - span.end, 0)
    return abs((span.end - span.start) - (focus.end - focus.start)) + 1_000 * gap


def _at(program: Program, index: int) -> Iterator[Rewriting | None]:
    """What one node may be written as."""
    node = program.nodes[index]
    assert isinstance(node, Call)
    for rule in _rules().get(node.function, ()):
        empty = Binding({}, {})
        for binding in matches(rule.form, rule.form.result, program.nodes, index, empty):
            yield _written(program, index, rule.text, binding)
    row = lookup(node.function)
    if row.kind == "derived" and node.args:
        text = row.meaning(row.bound(dict(node.settings)))
        if text not in row.parsed.names:
            yield _written(program, index, *_meant(text, node))
    elif row.operator == "if":
        for guard in guards(program, index):
            yield _read_back(program, guard.program, guard.texts, guard.words)


def _meant(text: str, node: Call) -> tuple[str, Binding]:
    """What a call means, the numbers that it is set to put in."""
    row = lookup(node.function)
    numbers = {
        name: number_text(Number(value, decimal=not isinstance(value, int)))
        for name, value in row.numbers(dict(node.settings)).items()
    }
    bound = dict(zip(row.parsed.names, node.args, strict=False))
    text = _filled(text, numbers)
    plain = program_text(parse(text))  # without settings that need not be said
    return text if "\n" in plain else plain, Binding(bound, {})


@cache
def _rules() -> dict[str, list[_Rule]]:
    """The identities, and the meanings of rows, by the function at the root of their form."""
    rules: dict[str, list[_Rule]] = {}
    for form, instead in [*IDENTITIES, *_recognised()]:
        pattern = in_reading_order(normal(parse(form)).program)
        root = pattern.nodes[pattern.result]
        if isinstance(root, Call):
            rules.setdefault(root.function, []).append(_Rule(pattern, instead))
    return rules


def _normal_nodes(program: Program) -> tuple[Node, ...]:
    """Equal for programs that differ in spelling alone."""
    return in_reading_order(normal(program).program).nodes


def _recognised() -> Iterator[tuple[str, str]]:
    """The meanings of rows that torch has a function for: (what it means, the call)."""
    for row in table().values():
        has_form = row.kind == "derived" and row.parsed.args and not row.parsed.settings
        if not has_form or not row.backward:
            continue
        if any(parameter.kind for parameter in row.parsed.args) or not is_elementwise(row.name):
            continue
        call = f"{row.name}({', '.join(row.parsed.names)})"
        means = row.meaning({})
        if _normal_nodes(parse(means)) != _normal_nodes(parse(call)):
            yield means, call


def _written(program: Program, index: int, text: str, binding: Binding) -> Rewriting | None:
    """A program with one node written as a text over the names of a binding."""
    text, binding = _unsigned(program, text, binding)
    instead = parse(text)
    wanted = replaced(program, index, instead, binding)
    if any(binding.settings.values()):
        text = program_text(_with_settings(instead, binding))
    texts: list[str] = []
    words = ""
    if index in program.spans and "\n" not in text:
        start, end = program.spans[index]
        words = _filled(text, {name: _words(program, i) for name, i in binding.nodes.items()})
        before, own, after = program.text[:start], program.text[start:end], program.text[end:]
        if before.endswith("(") and after.startswith(")"):
            texts.append(before[:-1] + words + after[1:])
        for new in (words, f"({words})"):
            texts += [before + new + after, program.text.replace(own, new)]
    return _read_back(program, wanted, texts, words)


def _unsigned(program: Program, text: str, binding: Binding) -> tuple[str, Binding]:
    """The same where a minus sign of the text meets one of what a name stands for."""
    nodes = dict(binding.nodes)
    for name, i in binding.nodes.items():
        node = program.nodes[i]
        if isinstance(node, Call) and lookup(node.function).operator == "-" and len(node.args) == 1:
            text, count = re.subn(rf"(^|[(,*/+] *)-{name}\b", rf"\1{name}_", text)
            if count:
                nodes[f"{name}_"] = node.args[0]
    return text, Binding(nodes, binding.settings)


def _read_back(program: Program, wanted: Program, texts: list[str], words: str) -> Rewriting | None:
    """The first of some texts that reads back to a program; else the text that it has by itself."""
    aim = in_reading_order(wanted).nodes
    for text in [*dict.fromkeys(texts), program_text(wanted)]:
        try:
            parse(text)
        except ProgramError:
            continue
        read = parse(_statements(text))
        if _normal_nodes(read) == aim:
            start = read.text.find(words) if words else -1
            place = Span(start, start + len(words)) if start >= 0 else None
            return Rewriting(read.text, read, place)
    return None


def _with_settings(instead: Program, binding: Binding) -> Program:
    nodes = (
        Call(node.function, node.args, carried_over(node, binding.settings))
        if isinstance(node, Call)
        else node
        for node in instead.nodes
    )
    return Program(tuple(nodes), instead.outputs)


def _words(program: Program, index: int) -> str:
    """A node in the user's words; under its name where it has one."""
    node = program.nodes[index]
    if isinstance(node, Variable):
        return node.name
    if index in program.names:
        return program.names[index]
    if index in program.spans:
        return program.text[slice(*program.spans[index])]
    return program_text(prune(Program(program.nodes, (index,))))


def _filled(text: str, words: Mapping[str, str]) -> str:
    """A text with words for its names, in brackets only where they are needed."""
    if not words:
        return text
    # Not for a keyword or a function of that name.
    pattern = rf"\b({'|'.join(map(re.escape, words))})\b(?!\s*(?:\(|=[^=]))"
    parts = re.split(pattern, text)
    for k in range(1, len(parts), 2):
        word = words[parts[k]]
        parts[k] = word if word.isidentifier() else f"({word})"
    aim = _nodes("".join(parts))
    for k in range(1, len(parts), 2):
        if parts[k].startswith("("):
            bare = [*parts[:k], parts[k][1:-1], *parts[k + 1 :]]
            if aim is not None and _nodes("".join(bare)) == aim:
                parts = bare
    return "".join(parts)


def _nodes(text: str) -> tuple[Node, ...] | None:
    """The nodes of a text; None where it is none of the language."""
    try:
        return parse(text).nodes
    except ProgramError:
        return None


def _statements(text: str) -> str:
    """A text of several statements without those whose value nothing uses."""
    if ";" not in text and "\n" not in text:
        return text
    import ast

    source = Source(tidy(text))
    body = ast.parse(source.text).body
    kept: list[ast.stmt] = []
    used: set[str] = set()
    for statement in reversed(body):
        targets = {t.id for t in getattr(statement, "targets", ()) if isinstance(t, ast.Name)}
        if kept and targets and not targets & used:
            continue
        kept.append(statement)
        loads = (n for n in ast.walk(statement) if isinstance(n, ast.Name))
        used = (used - targets) | {n.id for n in loads if isinstance(n.ctx, ast.Load)}
    lines = [" ".join(source.words(statement).split()) for statement in reversed(kept)]
    return ("; " if ";" in text else "\n").join(lines)
