"""The world of running errors: scalars in torch's float64, many rows at once, each with a bound of
what rounding, and what is not known of the inputs, may have done to it.

Source: running error analysis as in Higham, Accuracy and Stability (2002), section 3.3.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

from gradcheck_cli.language.program import Call, Number, Program, Variable, fold
from gradcheck_cli.worlds.errors import UNIT, Bound, Follower, Value, largest_of
from gradcheck_cli.worlds.steps import step_of
from gradcheck_cli.worlds.tensors import Tensors, tensor

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Mapping, Sequence

    from gradcheck_cli.language.program import Node


class Running:
    """A scalar program made ready to be run with running error bounds.

    Args:
        groups: nodes that one elimination perturbs together, by their largest.
        chained: nodes that are steps of a sum in any order.
    """

    def __init__(
        self, program: Program, groups: Sequence[Sequence[int]], chained: Container[int]
    ) -> None:
        self._program, self._groups = program, groups
        self.size = len(program.nodes)
        nodes = program.nodes
        self._steps = [
            step_of(nodes, node, i in chained) if isinstance(node, Call) else None
            for i, node in enumerate(nodes)
        ]
        self.may_jump = any(step is not None and step.itself is not None for step in self._steps)

    def bounds(
        self,
        inputs: Mapping[str, Value],
        reach: Mapping[str, Bound],
        literal: Callable[[Fraction], float],
    ) -> Bound:
        """The bound of the program's result in each row.

        Args:
            inputs: for each input its float64 numbers, one a row.
            reach: how far around them the inputs may lie; 0.0 where they are exact.
            literal: rounds a decimal literal to the dtype under test.
        Raises:
            RuntimeError, TypeError, ValueError, IndexError, NotImplementedError: as torch's own
                functions do.
        """
        import torch

        like = torch.empty((), dtype=torch.float64)
        world = Tensors(literal, like)
        values = fold(self._program, world, inputs)
        extra = _eliminated(self._groups, values, like)
        bounds: list[Bound] = []
        sums: dict[int, Value] = {}
        for i, node in enumerate(self._program.nodes):
            step = self._steps[i]
            if isinstance(node, Variable):
                bound = reach[node.name]
            elif step is None:
                bound = _literal(node, values[i])
            else:
                if step.is_chained:
                    first, second = (sums.get(j, abs(values[j])) for j in step.node.args)
                    sums[i] = first + second
                args, known = ([them[j] for j in step.node.args] for them in (values, bounds))
                bound = Follower(step, world, values[i], args, known, sums.get(i)).bound()
            if not isinstance(values[i], torch.Tensor):
                bound = _of_constant(bound)
            bounds.append(bound + extra[i] if i in extra else bound)
        return bounds[self._program.result]


def _of_constant(bound: Bound) -> Bound:
    """One bound for all rows, a tensor or 0.0; that of an element of a matrix differs by row."""
    import torch

    found = torch.as_tensor(bound, dtype=torch.float64)
    if found.numel() > 1:
        return found
    return found.reshape(()) if found else 0.0


def _literal(node: Node, value: float) -> Bound:
    """What is lost of a constant; a decimal is what the dtype makes of it."""
    assert isinstance(node, Number)
    is_rounded = isinstance(node.value, Fraction) and not node.decimal and value != node.value
    return UNIT * abs(value) if is_rounded else 0.0


def _eliminated(
    groups: Sequence[Sequence[int]], values: Sequence[Value], like: Any
) -> dict[int, Bound]:
    """What an elimination does to each element, as an error of that element."""
    found: dict[int, Bound] = {}
    for group in groups:
        largest = largest_of([abs(tensor(values[i], like)) for i in group])
        for i in group:
            found[i] = found.get(i, 0.0) + UNIT * len(group) * largest
    return found
