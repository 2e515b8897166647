"""A Program on trial: torch's own functions, one after the other."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from gradcheck_cli.calculus.cuts import carriers, stopped, with_stops_apart
from gradcheck_cli.calculus.formulas import is_elementwise
from gradcheck_cli.functions import lookup
from gradcheck_cli.language.program import Call, Program, Variable, fold, prune
from gradcheck_cli.subjects import Execution, Held
from gradcheck_cli.worlds.tensors import Tensors

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from fractions import Fraction

    from gradcheck_cli.worlds.tensors import Tensor


@dataclass(frozen=True)
class ProgramSubject:
    """An expression as the user wrote it; it is its own specification."""

    program: Program

    @property
    def name(self) -> str:
        """The text."""
        return self.program.text

    @property
    def inputs(self) -> tuple[str, ...]:
        """The variables."""
        return self.program.variables

    @property
    def words(self) -> tuple[str, ...]:
        """`gradcheck EXPR`."""
        return "gradcheck", self.program.text

    @property
    def is_code(self) -> bool:
        """No: it is its own specification."""
        return False

    @property
    def recording(self) -> None:
        """It says itself what it computes."""
        return

    @cached_property
    def is_elementwise(self) -> bool:
        """Whether each function acts on each number by itself."""
        calls = (node for node in self.program.nodes if isinstance(node, Call))
        return all(is_elementwise(node.function, node.settings) for node in calls)

    def run(
        self, inputs: Mapping[str, Tensor], literal: Callable[[Fraction], float], like: Tensor
    ) -> Execution:
        """As `Subject.run`; constants come out as Python numbers."""
        values = fold(self.program, Tensors(literal, like), inputs)
        return Execution(values[self.program.result], values)

    def cuts(self, execution: Execution) -> tuple[str, ...]:
        """Functions whose arguments carry a gradient and whose result does not, though it is a
        number and no cut is meant.
        """
        values = execution.nodes
        cut: dict[str, None] = {}
        for i, node in enumerate(self.program.nodes):
            if not isinstance(node, Call) or getattr(values[i], "requires_grad", False):
                continue
            if i not in self._carriers or lookup(node.function).condition:
                continue
            ends = stopped(node.function, node.settings)
            args = (j for k, j in enumerate(node.args) if k not in ends)
            if any(getattr(values[j], "requires_grad", False) for j in args):
                cut[node.function] = None
        return tuple(cut)

    @cached_property
    def _carriers(self) -> set[int]:
        return carriers(self.program.nodes, self.program.outputs)

    def held(self) -> Held:
        """As `Subject.held`."""
        whole = with_stops_apart(self.program)
        nodes = list(whole.nodes)
        places: dict[str, int] = {}
        for i, node in enumerate(nodes):
            if isinstance(node, Call) and lookup(node.function).stops:
                places[f"stopped {i}"] = i  # no name that a user could write
                nodes[i] = Variable(f"stopped {i}")
        rest = prune(Program(tuple(nodes), whole.outputs))
        return Held(ProgramSubject(whole), ProgramSubject(rest), places)
