"""Programs: flat lists of nodes in single-assignment form, hash-consed.

A node is a number, a variable or a call; the arguments of a call are indices of earlier nodes, so
every walk is a loop over a list and depth costs nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeAlias, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gradcheck_cli.functions.row import SettingValue
    from gradcheck_cli.language.errors import Span

CallSettings: TypeAlias = "tuple[tuple[str, SettingValue], ...]"

# Integers below this may be indices.
_WHOLE = 2**53
# Longer quotations of the user's text are cut in messages.
_WORDS = 60


class Number(NamedTuple):
    """A literal; a `decimal` one (`0.1`) is rounded to the dtype by each world, an integer not."""

    value: Fraction | float  # a float only for the infinities
    decimal: bool

    @property
    def integer(self) -> int | None:
        """What it is as an index; None where it is no integer, or one beyond every array."""
        value = self.value
        if not isinstance(value, Fraction) or value.denominator != 1:
            return None
        return value.numerator if abs(value.numerator) < _WHOLE else None


class Variable(NamedTuple):
    """An input of the program."""

    name: str


class Call(NamedTuple):
    """A row of the function table applied to earlier nodes."""

    function: str
    args: tuple[int, ...]
    settings: CallSettings = ()


Node: TypeAlias = Number | Variable | Call


@dataclass(frozen=True)
class Program:
    """Nodes in evaluation order; `names[i]` is the user's name of node i, `spans[i]` its place.

    Attributes:
        text: what was read, in the language.
        written: what the user wrote, where that was read as `text` (see `language.lenient`).
    """

    nodes: tuple[Node, ...]
    outputs: tuple[int, ...]
    text: str = ""
    spans: Mapping[int, Span] = field(default_factory=dict)
    names: Mapping[int, str] = field(default_factory=dict)
    written: str = ""

    @property
    def result(self) -> int:
        """Index of the node that is the program's value."""
        return self.outputs[0]

    @cached_property
    def variables(self) -> tuple[str, ...]:
        """Names of the inputs, in order of first use."""
        return tuple(node.name for node in self.nodes if isinstance(node, Variable))

    def source(self, index: int) -> str:
        """The user's own words for a node; for a step inside a longer call those of that call."""
        for i in range(index, len(self.nodes)):
            node = self.nodes[i]
            if i in self.spans and (i == index or (isinstance(node, Call) and index in node.args)):
                words = " ".join(self.text[slice(*self.spans[i])].split())
                is_short = len(words) <= _WORDS
                return words if is_short else self.names.get(i, f"{words[: _WORDS - 1]}…")
        return self.text


@dataclass
class Builder:
    """Collects nodes; asking twice for the same node gives the same index."""

    nodes: list[Node] = field(default_factory=list)
    index: dict[Node, int] = field(default_factory=dict)

    def copy(self) -> Builder:
        """A builder with the same nodes that grows by itself."""
        return Builder(self.nodes.copy(), self.index.copy())

    def add(self, node: Node) -> int:
        """Index of `node`, new or shared."""
        index = self.index.get(node)
        if index is None:
            index = self.index[node] = len(self.nodes)
            self.nodes.append(node)
        return index

    def number(self, value: int | Fraction | float, *, decimal: bool = False) -> int:
        """Index of a literal."""
        return self.add(Number(value if isinstance(value, float) else Fraction(value), decimal))

    def variable(self, name: str) -> int:
        """Index of an input."""
        return self.add(Variable(name))

    def call(self, function: str, *args: int, settings: CallSettings = ()) -> int:
        """Index of a call."""
        return self.add(Call(function, args, settings))

    def include(self, program: Program, bindings: Mapping[str, int]) -> tuple[int, ...]:
        """Indices of the outputs of `program`, copied in, its variables replaced by `bindings`."""
        places = fold(program, Copying(self), bindings)
        return tuple(places[i] for i in program.outputs)

    def program(self, *outputs: int) -> Program:
        """The nodes that `outputs` need, and no others."""
        return prune(Program(tuple(self.nodes), outputs))


V = TypeVar("V")


class World(Protocol[V]):
    """What a Program runs in: it says what a number, an input and a call are."""

    def number(self, node: Number) -> V:
        """The value of a literal."""

    def variable(self, name: str) -> V:
        """The value of an input that is not given."""

    def call(self, node: Call, args: list[V]) -> V:
        """The value of a call, given those of its arguments."""


def fold(program: Program, world: World[V], inputs: Mapping[str, V]) -> list[V]:
    """The values of all nodes of `program` in `world`."""
    return list(steps(program, world, inputs))


def steps(program: Program, world: World[V], inputs: Mapping[str, V]) -> Iterator[V]:
    """As `fold`, one value after the other."""
    values: list[V] = []
    for node in program.nodes:
        if isinstance(node, Call):
            value = world.call(node, [values[i] for i in node.args])
        elif isinstance(node, Number):
            value = world.number(node)
        else:
            value = inputs[node.name] if node.name in inputs else world.variable(node.name)
        values.append(value)
        yield value


class Copying:
    """The world of a builder: the value of a node is the index of its copy."""

    def __init__(self, builder: Builder) -> None:
        self.builder = builder

    def number(self, node: Number) -> int:
        """The same literal."""
        return self.builder.add(node)

    def variable(self, name: str) -> int:
        """The same input."""
        return self.builder.variable(name)

    def call(self, node: Call, args: list[int]) -> int:
        """The same call."""
        return self.builder.add(Call(node.function, tuple(args), node.settings))


def prune(program: Program) -> Program:
    """`program` without the nodes its outputs do not need."""
    needed = set(program.outputs)
    for i in range(len(program.nodes) - 1, -1, -1):
        node = program.nodes[i]
        if i in needed and isinstance(node, Call):
            needed.update(node.args)
    return _renumber(program, {old: new for new, old in enumerate(sorted(needed))})


def in_reading_order(program: Program) -> Program:
    """`program` with what its outputs need, and no others, each node after its arguments in the
    order they are written.

    Two texts of the same program come to the same nodes, whatever was assigned first.
    """
    new: dict[int, int] = {}
    stack = list(reversed(program.outputs))
    while stack:
        node = program.nodes[stack[-1]]
        args = node.args if isinstance(node, Call) and stack[-1] not in new else ()
        first = [i for i in args if i not in new]
        if first:
            stack += reversed(first)
        else:
            new.setdefault(stack.pop(), len(new))
    return _renumber(program, new)


def _renumber(program: Program, new: Mapping[int, int]) -> Program:
    """The nodes in `new` alone, in its order, under their new indices."""
    return Program(
        tuple(with_args(program.nodes[old], new) for old in new),
        tuple(new[i] for i in program.outputs),
        program.text,
        {new[i]: span for i, span in program.spans.items() if i in new},
        {new[i]: name for i, name in program.names.items() if i in new},
    )


def with_args(node: Node, new: Mapping[int, int] | Sequence[int]) -> Node:
    """`node` with the new indices of its arguments."""
    if not isinstance(node, Call):
        return node
    return Call(node.function, tuple([new[i] for i in node.args]), node.settings)


def reach(program: Program, seeds: Mapping[str, int]) -> list[int]:
    """For each node the union (bitwise or) of the seed bits of the variables it depends on."""
    bits: list[int] = []
    for node in program.nodes:
        mask = 0
        if isinstance(node, Call):
            for j in node.args:
                mask |= bits[j]
        elif isinstance(node, Variable):
            mask = seeds.get(node.name, 0)
        bits.append(mask)
    return bits
