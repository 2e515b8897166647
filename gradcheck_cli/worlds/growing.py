"""The balls of a builder that grows: each node is computed once, when somebody asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gradcheck_cli.functions import lookup
from gradcheck_cli.language.program import Call, Number
from gradcheck_cli.worlds.balls import exact_ball, literal_ball, take_steps

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gradcheck_cli.language.program import Builder
    from gradcheck_cli.worlds.balls import Ball, Literal


class Growing:
    """The balls of primitives at one point.

    Attributes:
        inputs: exact floats, by the names of variables.
    """

    def __init__(
        self, builder: Builder, inputs: Mapping[str, float], bits: int, literal: Literal
    ) -> None:
        self._builder, self.inputs, self._literal = builder, inputs, literal
        self._bits = bits
        self._values: list[Any] = []
        self._known: list[bool] = []

    def forget(self, size: int) -> None:
        """Nothing is known of the nodes from the one at `size` on: they are others now."""
        del self._values[size:], self._known[size:]

    def values(self, wanted: Iterable[int], deadline: float) -> list[Ball]:
        """The balls of some nodes, structural zeros as they are.

        Raises:
            OutOfTime: the deadline of `time.thread_time` passed.
        """
        from flint import ctx

        wanted, nodes = list(wanted), self._builder.nodes
        more = len(nodes) - len(self._values)
        self._values += [None] * more
        self._known += [False] * more
        with ctx.workprec(self._bits):
            take_steps(self._steps(wanted), self._values, deadline)
        return [self._values[i] for i in wanted]

    def _steps(self, wanted: list[int]) -> list[Any]:
        """What has to be computed first, in order; numbers and inputs are put in their places."""
        nodes, known = self._builder.nodes, self._known
        needed: set[int] = set()
        stack = [i for i in wanted if not known[i]]
        while stack:
            i = stack.pop()
            if known[i]:
                continue
            known[i] = True
            node = nodes[i]
            if isinstance(node, Call):
                needed.add(i)
                stack += node.args
            elif isinstance(node, Number):
                self._values[i] = literal_ball(node, self._literal)
            else:
                self._values[i] = exact_ball(self.inputs[node.name])
        steps = []
        for i in sorted(needed):
            node = nodes[i]
            assert isinstance(node, Call)
            steps.append((i, lookup(node.function).arb, node.args))
        return steps
