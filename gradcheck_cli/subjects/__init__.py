"""Subjects: what is on trial. torch runs one and differentiates it, and that is held against a
specification, which is a Program.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from fractions import Fraction

    from gradcheck_cli.recording.recording import Recording
    from gradcheck_cli.worlds.tensors import Tensor


@dataclass(frozen=True)
class Execution:
    """What torch computed of a subject, at one point or at all points of a batch.

    Attributes:
        result: the value.
        nodes: the value at each node of the specification, None where the subject has no such
            value; empty where it has none of them.
        primal: the value whose derivative the result is; None where the result is no derivative.
    """

    result: Tensor
    nodes: Sequence[Tensor] = ()
    primal: Tensor = None

    def node(self, index: int) -> Tensor:
        """The value at a node of the specification, None if the subject has none."""
        return self.nodes[index] if self.nodes else None

    def point(self, k: int) -> NodeValues:
        """The nodes at the k-th point of a batch of numbers."""
        return _PointValues(self.nodes, k)


class NodeValues(Protocol):
    """Values at the nodes of the specification, at one point."""

    def node(self, index: int) -> Tensor:
        """The value at a node, None if the subject has none."""


@dataclass(frozen=True)
class _PointValues:
    """One point of a batch of numbers; the number of a node is taken when it is asked for."""

    nodes: Sequence[Tensor]
    k: int

    def node(self, index: int) -> Tensor:
        """As `NodeValues.node`."""
        value: Tensor = self.nodes[index] if self.nodes else None
        return value[self.k] if getattr(value, "ndim", 0) else value


class Subject(Protocol):
    """What a question puts on trial."""

    @property
    def name(self) -> str:
        """What reports call it: of an expression its text."""

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of its inputs; those of the specification are the same."""

    @property
    def words(self) -> tuple[str, ...]:
        """What a command that checks it begins with, `gradcheck` included."""

    @property
    def is_elementwise(self) -> bool:
        """Whether it may be given many points as one batch of numbers: each number stands for
        itself.
        """

    @property
    def is_code(self) -> bool:
        """Whether it is code of which nothing is known but what it was seen to do: it takes one
        point at a time, and cuts its own paths.
        """

    @property
    def recording(self) -> Recording | None:
        """What it was seen to compute; None of an expression, which says so itself."""

    def run(
        self, inputs: Mapping[str, Tensor], literal: Callable[[Fraction], float], like: Tensor
    ) -> Execution:
        """What torch computes.

        Args:
            inputs: a tensor for each input, in the shape of the point; of an elementwise subject
                also a batch of numbers. Those to differentiate require a gradient.
            literal: rounds a decimal literal to the dtype under test.
            like: a tensor of the dtype and device that constants take.
        Raises:
            RuntimeError, TypeError, ValueError, IndexError, NotImplementedError: torch cannot.
        """

    def cuts(self, execution: Execution) -> tuple[str, ...]:
        """Names of the functions on the way to the result that torch does not differentiate, those
        that are not meant to be apart.
        """

    def held(self) -> Held | None:
        """The same with what is stopped as further inputs; None where that cannot be done. It is
        asked of a subject whose specification stops a gradient.
        """


@dataclass(frozen=True)
class Held:
    """A subject whose stopped parts can be held at their values.

    Attributes:
        whole: computes them; its executions have their values at `nodes`.
        rest: takes them as further inputs.
        nodes: the names of these inputs.
    """

    whole: Subject
    rest: Subject
    nodes: Mapping[str, int]
