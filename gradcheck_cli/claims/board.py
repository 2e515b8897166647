"""The board: the scalars of a program, of its true derivatives and of what is claimed of them, all
in one builder, so that two that are the same after writing out are one node.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck_cli.calculus.gradient import weighted_sum
from gradcheck_cli.calculus.reverse import adjoints
from gradcheck_cli.language.elements import element, elements_of
from gradcheck_cli.language.holding import held
from gradcheck_cli.language.parse import parse_names
from gradcheck_cli.language.program import Call, Program, Variable, reach, with_args
from gradcheck_cli.worlds.scalars import Expansion, Indices, expand, expand_into

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gradcheck_cli.language.program import Builder, Node
    from gradcheck_cli.questions.batch import Point

# A Jacobian of more rows than this is compared with no claim.
MAX_JACOBIAN_ROWS = 64


@dataclass(eq=False)
class Board:
    """What is known of a program at given shapes.

    Attributes:
        program: its value and all its names are outputs; `names` are those that it assigns.
        inputs: the shape of each variable; of class indices the integers themselves.
        cotangent: weights of the value's elements: numbers, or the scalars of a cotangent that is
            left open; None for ones.
    """

    program: Program
    names: tuple[str, ...]
    inputs: Mapping[str, Any]
    cotangent: Sequence[float] | Indices | None = None
    _derivatives: dict[tuple[str, str], Indices] = field(default_factory=dict)

    @cached_property
    def expansion(self) -> Expansion:
        """All scalars; grows by what is claimed."""
        return expand(self.program, self.inputs).copy()

    @property
    def builder(self) -> Builder:
        """Where all scalars are."""
        return self.expansion.builder

    @cached_property
    def values(self) -> dict[str, Indices]:
        """The scalars of each input and of each name that the program assigns."""
        given = self.expansion.values
        nodes = self.program.nodes
        found = {node.name: given[i] for i, node in enumerate(nodes) if isinstance(node, Variable)}
        outputs = self.program.outputs[1:]
        return found | {n: given[i] for n, i in zip(self.names, outputs, strict=True)}

    @property
    def value(self) -> Indices:
        """The scalars of the program's value."""
        return self.expansion.values[self.program.result]

    @cached_property
    def result(self) -> str:
        """The name of the program's value; empty where it has none."""
        outputs = zip(self.names, self.program.outputs[1:], strict=True)
        return next((name for name, i in outputs if i == self.program.result), "")

    def open_cotangent(self, name: str) -> Indices:
        """Take the cotangent of the value for an input of a name, and give its scalars."""
        shape = np.shape(self.value)
        self.cotangent = _variables(self.builder, name, shape)
        return self.cotangent

    def derivative(self, of: str, by: str) -> Indices:
        """The scalars of a derivative, shaped like what it is by: of `<cotangent, value>` where
        `of` is empty or names the value, else of the sum over a name's elements.
        """
        if (of, by) not in self._derivatives:
            weights = self.cotangent if of in ("", self.result) else None
            self._derivatives[of, by] = self._pulled(of, by, weights)
        return self._derivatives[of, by]

    def jacobian(self, of: str, by: str) -> Indices | None:
        """The scalars of every element's derivative by every element; None of more than 64 rows."""
        shape = np.shape(self.values[of] if of else self.value)
        size = int(np.prod(shape))
        if size > MAX_JACOBIAN_ROWS:
            return None
        rows = [self._pulled(of, by, [float(k == row) for k in range(size)]) for row in range(size)]
        return np.reshape(np.array(rows), (*shape, *np.shape(self.values[by])))

    def holding(self, of: str, by: str, constant: str) -> Indices | None:
        """A derivative with a name taken for a constant; None where `by` does not reach it."""
        text, name = held(self.program.text, constant)
        if name == constant:
            return None
        text, other = held(text, by)
        program, names = parse_names(text)
        if name not in program.variables or other not in program.variables:
            return None
        bound = {name: self.values[constant]}
        weights = self.cotangent if of in ("", self.result) else None
        return self._through(program, names, (of, by, other), weights, None, bound)

    def weights(self, of: str) -> np.ndarray[Any, Any]:
        """The scalars that weigh the elements of a numerator."""
        shape = np.shape(self.values[of] if of else self.value)
        given = self.cotangent if of in ("", self.result) else None
        if isinstance(given, np.ndarray | int):
            return np.reshape(np.asarray(given), shape)
        numbers = np.ones(shape) if given is None else np.reshape(np.asarray(given), shape)
        found = np.empty(shape, dtype=np.int64)
        for index in np.ndindex(*shape):
            found[index] = self.builder.number(Fraction(float(numbers[index])))
        return found

    def reaches(self, by: str, name: str) -> bool:
        """Whether a name rests on another."""
        text, fresh = held(self.program.text, by)
        program, names = parse_names(text)
        if name not in names:
            return False
        place = program.outputs[1 + names.index(name)]
        return bool(reach(program, {fresh: 1})[place])

    def mapped(self, function: str, *arrays: Indices) -> Indices:
        """A function of the language, element by element."""
        if not any(np.ndim(array) for array in arrays):
            return self.builder.call(function, *(int(array) for array in arrays))
        spread = np.broadcast_arrays(*arrays)
        found = np.empty(spread[0].shape, dtype=np.int64)
        for index in np.ndindex(*found.shape):
            found[index] = self.builder.call(function, *(int(array[index]) for array in spread))
        return found

    def include(self, program: Program, known: Mapping[str, Indices]) -> Indices:
        """The scalars of a program of names.

        Raises:
            ValueError, IndexError, TypeError: shapes do not fit.
        """
        return expand_into(self.builder, program, known, "primitives")

    def scalar_program(self, nodes: Sequence[int]) -> Program:
        """What some scalars need, in the order of their own."""
        return self.builder.program(*nodes)

    def parted(self, of: str, by: str) -> dict[str, Indices]:
        """The derivative's parts: what comes through each use of `by`, by the words of the use."""
        text, name = held(self.program.text, by)
        program, names = parse_names(text)
        uses = [
            (i, k)
            for i, node in enumerate(program.nodes)
            for k, j in enumerate(getattr(node, "args", ()))
            if isinstance(program.nodes[j], Variable) and program.nodes[j].name == name
        ]
        weights = self.cotangent if of in ("", self.result) else None
        return {
            self._use(program, place, name, by): self._through(
                program, names, (of, by, name), weights, (place, k)
            )
            for place, k in uses
        }

    @staticmethod
    def _use(program: Program, place: int, name: str, by: str) -> str:
        """The words of the step that uses a name."""
        return program.source(place).replace(name, by)

    def _pulled(self, of: str, by: str, weights: Any) -> Indices:
        text, name = held(self.program.text, by)
        program, names = parse_names(text)
        return self._through(program, names, (of, by, name), weights, None)

    def _through(
        self,
        program: Program,
        names: tuple[str, ...],
        which: tuple[str, str, str],
        weights: Any,
        use: tuple[int, int] | None,
        bound: Mapping[str, Indices] | None = None,
    ) -> Indices:
        """The derivative by what is held, through one use of it or through all."""
        of, by, name = which
        shape = np.shape(self.values[by])
        lone = f"{name}\N{PRIME}"
        if use is not None:
            program = _with_own(program, name, lone, use)
        wanted = lone if use is not None else name
        bound = {name: self.values[by], lone: self.values[by], **(bound or {})}
        given = {**self.inputs, **{n: np.shape(nodes) for n, nodes in bound.items()}}
        expansion = expand(program, given).copy()
        places = dict(zip(names, program.outputs[1:], strict=True))
        output = program.result if of in ("", self.result) else places[of]
        numerator = np.reshape(expansion.values[output], -1).tolist()
        builder = expansion.builder
        if isinstance(weights, np.ndarray | int):
            nodes = np.reshape(weights, -1).tolist()
            open_names = [self.builder.nodes[i].name for i in nodes]
            numerator = [
                builder.call("mul", builder.variable(n), i)
                for n, i in zip(open_names, numerator, strict=True)
            ]
            weights = None
        objective = weighted_sum(builder, numerator, weights)
        elements = elements_of(wanted, shape)
        found = adjoints(builder, objective, frozenset(elements))
        zero = builder.number(0)
        ends = [found.get(builder.index.get(Variable(e), -1), zero) for e in elements]
        return self._brought(builder.program(*ends), bound, shape)

    def _brought(
        self, program: Program, bound: Mapping[str, Indices], shape: tuple[int, ...]
    ) -> Indices:
        """A program's outputs among this board's scalars, what it held being what it is here."""
        bindings = {}
        for name, here in bound.items():
            for index in np.ndindex(*np.shape(here)):
                bindings[element(name, index)] = int(np.asarray(here)[index])
        for name in set(program.variables) - bindings.keys():
            bindings[name] = self.builder.variable(name)
        nodes = self.builder.include(program, bindings)
        return np.reshape(np.array(nodes, dtype=np.int64), shape) if shape else nodes[0]


def board_of(point: Point) -> Board:
    """The board of a point's program, at its shapes and under its cotangent."""
    program, names = parse_names(point.specification.text)
    prepared = point.prepared
    inputs = {name: prepared.inputs[name] for name in program.variables if name in prepared.inputs}
    return Board(program, names, inputs, prepared.weights)


def _with_own(program: Program, name: str, lone: str, use: tuple[int, int]) -> Program:
    """A program in which one use of a variable is of a variable of its own."""
    place, position = use
    # The new variable stands first, so that every argument stands before its use.
    nodes: list[Node] = [Variable(lone)]
    moved = {i: i + 1 for i in range(len(program.nodes))}
    for i, old in enumerate(program.nodes):
        node = with_args(old, moved)
        if i == place and isinstance(node, Call):
            args = tuple(0 if k == position else j for k, j in enumerate(node.args))
            node = Call(node.function, args, node.settings)
        nodes.append(node)
    return Program(tuple(nodes), tuple(moved[i] for i in program.outputs), program.text)


def _variables(builder: Builder, name: str, shape: tuple[int, ...]) -> Indices:
    found = np.empty(shape, dtype=np.int64)
    for index in np.ndindex(*shape):
        found[index] = builder.variable(element(name, index))
    return found if shape else int(found)
