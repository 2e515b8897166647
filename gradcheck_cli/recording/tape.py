"""A tape: scalars under construction, each with the line of the person's code that made it.

Arrays are NumPy arrays of scalar nodes. What moves elements moves nodes, and what computes calls a
row of the function table, which is unrolled on the spot.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from math import isnan
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck_cli.functions import lookup
from gradcheck_cli.language.elements import element
from gradcheck_cli.language.program import Call, Number
from gradcheck_cli.recording.folding import Folding
from gradcheck_cli.recording.literals import literal_of
from gradcheck_cli.worlds.scalars import Unrolling
from gradcheck_cli.worlds.toolkit import Scalar, Toolkit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gradcheck_cli.functions.row import SettingValue
    from gradcheck_cli.language.program import Builder

Nodes = Any  # an array of int64


class Unfollowed(Exception):
    """Something was computed that the tape has no words for.

    Attributes:
        place: `FILE:LINE` of it, empty where that is not known.
    """

    def __init__(self, what: str, place: str = "") -> None:
        super().__init__(what)
        self.place = place


@dataclass(frozen=True)
class CodeLine:
    """A line of code that computed something.

    Attributes:
        place: `FILE:LINE`; empty for a step of torch's own.
        text: the line as it is written.
    """

    place: str = ""
    text: str = ""


@dataclass(frozen=True, eq=False)
class ArrayStep:
    """A row of the function table as it was called on arrays.

    Attributes:
        args, result: the scalars of each array.
        line: the number of its line.
    """

    call: Call
    args: tuple[Nodes, ...]
    result: Nodes
    line: int


def _scalars(builder: Builder, nodes: Nodes) -> Any:
    out = np.empty(nodes.shape, dtype=object)
    for place in np.ndindex(*nodes.shape):
        out[place] = Scalar(builder, int(nodes[place]))
    return out


@dataclass
class Tape:
    """What was recorded so far.

    Attributes:
        lines: every line that computed something, the empty one first.
        steps: the calls on arrays, in order.
        origin: for each scalar node its line.
        sums: the steps of sums that are added up in an order of the library's own.
        casts: dtypes with fewer digits that numbers were cast to, by their names.
    """

    builder: Folding = field(default_factory=Folding)
    lines: list[CodeLine] = field(default_factory=lambda: [CodeLine()])
    steps: list[ArrayStep] = field(default_factory=list)
    origin: list[int] = field(default_factory=list)
    sums: set[int] = field(default_factory=set)
    casts: set[str] = field(default_factory=set)
    here: int = 0
    _index: dict[CodeLine, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # What moves elements and fills with zeros fills with this node.
        assert self.builder.number(0) == 0
        self._unrolling = Unrolling(self.builder, "steps", [])
        self._mark()

    def at(self, line: CodeLine) -> None:
        """What is computed from now on is of this line."""
        if line not in self._index:
            self._index[line] = len(self.lines)
            self.lines.append(line)
        self.here = self._index[line]

    def input(self, name: str, shape: tuple[int, ...]) -> Nodes:
        """The nodes of an input."""
        made = [self.builder.variable(element(name, index)) for index in np.ndindex(*shape)]
        self._mark()
        return np.array(made, dtype=np.int64).reshape(shape)

    def numbers(self, values: Any, *, single: bool = False) -> Nodes:
        """The nodes of constants.

        Args:
            values: an array of numbers or of truth values.
            single: they were rounded to float32.
        """
        array = np.asarray(values)
        if array.dtype == np.bool_:
            array = array.astype(np.int64)
        flat: Any = array.reshape(-1).tolist()
        made = [self._number(value, single=single) for value in flat]
        self._mark()
        return np.array(made, dtype=np.int64).reshape(array.shape)

    def _number(self, value: float, *, single: bool) -> int:
        if isnan(value):
            # No literal is NaN; what is not chosen may be.
            return self.builder.call("sqrt", self.builder.number(-1))
        return self.builder.add(literal_of(value, single=single))

    def call(self, name: str, *args: Nodes, **settings: SettingValue) -> Nodes:
        """The nodes of a row's result.

        Raises:
            Unfollowed: the row does not take these arguments.
        """
        row = lookup(name)
        kinds = [p.kind for p in row.parsed.args] + [""] * len(args)
        asked = zip(kinds, args, strict=False)
        given = [self.conditions(a) if kind == "condition" else self.floats(a) for kind, a in asked]
        inputs: list[Any] = [a if a.ndim else int(a) for a in given]
        first = len(self.builder.nodes)
        call = Call(name, (), tuple(sorted(settings.items())))
        try:
            result = self._unrolling.call(call, inputs)
        except (ValueError, IndexError, TypeError) as error:
            raise Unfollowed(f"{name}: {error}") from error
        if row.kind != "primitive" and (row.kind == "structural" or row.parsed.settings):
            self._add_sums(first)
        self._mark()
        made = np.asarray(result, dtype=np.int64)
        self.steps.append(ArrayStep(call, tuple(given), made, self.here))
        return made

    def are_infinite(self, nodes: Nodes) -> Any:
        """Which nodes are infinities, as truth values."""
        return np.isin(nodes, list(self.builder.infinite))

    def made(self, nodes: Nodes) -> Nodes:
        """The same nodes, made by the line that runs now."""
        self._mark()
        return nodes

    def computed(self, function: Callable[..., Any], *args: Nodes) -> Nodes:
        """The nodes of what a function of object arrays of scalars makes."""
        first = len(self.builder.nodes)
        objects = [_scalars(self.builder, np.asarray(a)) for a in args]
        made = np.asarray(function(*objects), dtype=object)
        found = np.array(
            [
                n.index if isinstance(n, Scalar) else self.builder.number(n)
                for n in made.reshape(-1)
            ],
            dtype=np.int64,
        )
        self._add_sums(first)
        self._mark()
        return found.reshape(made.shape)

    def scalar_function(self, name: str) -> Callable[..., Any]:
        """A function of the table, for one scalar of `computed`."""
        return partial(Toolkit(self.builder).call, name)

    def floats(self, nodes: Nodes) -> Nodes:
        """The same as numbers: 1 and 0 for what is true or false."""
        return self._turned(nodes, to_condition=False)

    def conditions(self, nodes: Nodes) -> Nodes:
        """The same as truth values: whether each is another number than 0."""
        return self._turned(nodes, to_condition=True)

    def is_condition(self, node: int) -> bool:
        """Whether a scalar is true or false."""
        made = self.builder.nodes[node]
        return isinstance(made, Call) and lookup(made.function).condition

    def _turned(self, nodes: Nodes, *, to_condition: bool) -> Nodes:
        array = np.asarray(nodes, dtype=np.int64)
        unique = {node: self.is_condition(node) for node in set(array.reshape(-1).tolist())}
        if all(is_one == to_condition for is_one in unique.values()):
            return array
        add, zero = self.builder.call, 0
        one = self.builder.number(1)
        new = {
            node: node
            if is_one == to_condition
            else add("ne", node, zero)
            if to_condition
            else add("where", node, one, zero)
            for node, is_one in unique.items()
        }
        self._mark()
        made = [new[node] for node in array.reshape(-1).tolist()]
        return np.array(made, dtype=np.int64).reshape(array.shape)

    def _add_sums(self, first: int) -> None:
        nodes = self.builder.nodes
        for i in range(first, len(nodes)):
            node = nodes[i]
            if isinstance(node, Call) and lookup(node.function).operator == "+":
                self.sums.add(i)

    def _mark(self) -> None:
        self.origin += [self.here] * (len(self.builder.nodes) - len(self.origin))

    def constants(self) -> Mapping[int, Number]:
        """The nodes of numbers."""
        made = enumerate(self.builder.nodes)
        return {i: node for i, node in made if isinstance(node, Number)}
