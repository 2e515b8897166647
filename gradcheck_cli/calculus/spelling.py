"""The normal spelling of a Program, so that one pattern finds all spellings; and the finding."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from gradcheck_cli.calculus.folding import exact
from gradcheck_cli.functions import lookup
from gradcheck_cli.functions.identities import SPELLINGS
from gradcheck_cli.language.constants import SizeError, arithmetic
from gradcheck_cli.language.parse import parse
from gradcheck_cli.language.program import (
    Builder,
    Call,
    Number,
    Program,
    Variable,
    prune,
    with_args,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gradcheck_cli.functions.row import SettingValue
    from gradcheck_cli.language.errors import Span
    from gradcheck_cli.language.program import CallSettings, Node

# Settings that a pattern leaves open, and that what is written instead takes over.
_CARRIED = ("dim", "keepdim", "key")


class Binding(NamedTuple):
    """What the names of a pattern stand for, and the settings found on the way."""

    nodes: Mapping[str, int]
    settings: Mapping[str, SettingValue]


def matches(
    pattern: Program, place: int, nodes: Sequence[Node], index: int, bound: Binding
) -> Iterator[Binding]:
    """Every way in which the node `index` of some nodes is the node `place` of a pattern.

    Sums and products are tried both ways round; numbers match by value.
    """
    wanted, node = pattern.nodes[place], nodes[index]
    if isinstance(wanted, Variable):
        if bound.nodes.get(wanted.name, index) == index:
            yield Binding({**bound.nodes, wanted.name: index}, bound.settings)
    elif isinstance(wanted, Number):
        if isinstance(node, Number) and node.value == wanted.value:
            yield bound
    elif isinstance(node, Call) and node.function == wanted.function:
        settings = _common(wanted, node, bound.settings)
        if settings is None or len(node.args) != len(wanted.args):
            return
        bound = Binding(bound.nodes, settings)
        yield from _all(pattern, wanted.args, nodes, node.args, bound)
        if lookup(node.function).operator in ("+", "*") and wanted.args[0] != wanted.args[1]:
            yield from _all(pattern, wanted.args, nodes, node.args[::-1], bound)


def _all(
    pattern: Program,
    places: Sequence[int],
    nodes: Sequence[Node],
    indices: Sequence[int],
    bound: Binding,
) -> Iterator[Binding]:
    if not places:
        yield bound
        return
    for first in matches(pattern, places[0], nodes, indices[0], bound):
        yield from _all(pattern, places[1:], nodes, indices[1:], first)


def _common(
    wanted: Call, node: Call, carried: Mapping[str, SettingValue]
) -> Mapping[str, SettingValue] | None:
    """The settings carried on, those of a node included; None where it is set otherwise."""
    if not wanted.settings and not node.settings:
        return carried
    row = lookup(node.function)
    asked, has = row.bound(dict(wanted.settings)), row.bound(dict(node.settings))
    carried = dict(carried)
    for name, value in has.items():
        if name not in _CARRIED:
            if value != asked[name]:
                return None
        elif carried.setdefault(name, value) != value:
            return None
    return carried


def carried_over(call: Call, settings: Mapping[str, SettingValue]) -> CallSettings:
    """The settings of a call in a replacement: its own, and those that the pattern met."""
    row = lookup(call.function)
    own = row.bound(dict(call.settings))
    taken = {name: settings[name] for name in own if settings.get(name) is not None}
    return tuple(sorted({**dict(call.settings), **taken}.items()))


class Normal(NamedTuple):
    """A Program in normal spelling, spans and names kept; `places` is where each node went."""

    program: Program
    places: Sequence[int]


class Speller:
    """Collects nodes in normal spelling."""

    def __init__(self) -> None:
        self.builder = Builder()

    def add(self, node: Node) -> int:
        """Index of a node, its arguments being normal already."""
        if not isinstance(node, Call):
            index = self.builder.add(node)
            value = exact(self.builder, index)
            return index if value is None else self.builder.number(value)
        plain = self._arithmetic(node)
        if plain is not None:
            return plain
        index = self.builder.add(node)
        for form, instead in _spellings().get(node.function, ()):
            for binding in matches(form, form.result, self.builder.nodes, index, _NOTHING):
                return self.put(instead, binding)
        return index

    def put(self, instead: Program, binding: Binding) -> int:
        """Index of what a form stands for, its names bound."""
        places: list[int] = []
        for node in instead.nodes:
            if isinstance(node, Variable):
                places.append(binding.nodes[node.name])
            elif isinstance(node, Call):
                settings = carried_over(node, binding.settings)
                places.append(self.add(with_args(node._replace(settings=settings), places)))
            else:
                places.append(self.add(node))
        return places[instead.result]

    def _arithmetic(self, node: Call) -> int | None:
        """Index of exact constants put together, and of a sign taken out of a term or factor."""
        operator = lookup(node.function).operator
        numbers = [n for i in node.args if isinstance(n := self.builder.nodes[i], Number)]
        if not operator or not numbers:
            return None
        if operator == "-" and len(node.args) == 1:
            return self.builder.number(-numbers[0].value, decimal=numbers[0].decimal)
        values = [value for i in node.args if (value := exact(self.builder, i)) is not None]
        if len(values) == len(node.args):
            try:
                value = None if operator == "**" else arithmetic(operator, *values)
            except (SizeError, ZeroDivisionError):
                value = None
            return None if value is None else self.builder.number(value)
        if operator not in ("+", "*") or not numbers[0].value < 0:
            return None
        number = self.builder.number(-numbers[0].value, decimal=numbers[0].decimal)
        is_first = isinstance(self.builder.nodes[node.args[0]], Number)
        other = node.args[1 if is_first else 0]
        if operator == "+":
            return self.add(Call("sub", (other, number)))
        return self.add(Call("neg", (self.add(Call("mul", (number, other))),)))


_NOTHING = Binding({}, {})


@cache
def _spellings() -> dict[str, list[tuple[Program, Program]]]:
    """Patterns by the function at their root, with what they stand for."""
    found: dict[str, list[tuple[Program, Program]]] = {}
    for form, instead in SPELLINGS:
        pattern = parse(form)
        root = pattern.nodes[pattern.result]
        assert isinstance(root, Call)
        found.setdefault(root.function, []).append((pattern, parse(instead)))
    return found


def normal(program: Program) -> Normal:
    """A Program in normal spelling; two that differ in spelling alone have the same nodes."""
    speller, places = Speller(), list[int]()
    for node in program.nodes:
        places.append(speller.add(with_args(node, places)))
    return Normal(carried_spans(program, speller, places), places)


def carried_spans(program: Program, speller: Speller, places: Sequence[int]) -> Program:
    """The nodes of a speller with the spans and names of what they were made from."""
    spans: dict[int, Span] = {}
    names: dict[int, str] = {}
    for old, new in enumerate(places):
        if old in program.spans:
            spans.setdefault(new, program.spans[old])
        if old in program.names:
            names.setdefault(new, program.names[old])
    result = places[program.result]
    return Program(tuple(speller.builder.nodes), (result,), program.text, spans, names)


def replaced(program: Program, index: int, instead: Program, binding: Binding) -> Program:
    """A normal Program in which the node `index` is written in another way."""
    speller, places = Speller(), list[int]()
    for i, node in enumerate(program.nodes):
        if i == index:
            moved = {name: places[j] for name, j in binding.nodes.items()}
            places.append(speller.put(instead, Binding(moved, binding.settings)))
        else:
            places.append(speller.add(with_args(node, places)))
    return prune(carried_spans(program, speller, places))
