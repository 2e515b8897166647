"""A Program on trial whose named steps keep their gradients, as `retain_grad` has them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gradcheck_cli.language.program import fold
from gradcheck_cli.subjects import Execution
from gradcheck_cli.subjects.program import ProgramSubject
from gradcheck_cli.worlds.tensors import Tensors

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from fractions import Fraction

    from gradcheck_cli.language.named_steps import NamedSteps
    from gradcheck_cli.worlds.tensors import Tensor


@dataclass(frozen=True)
class StepwiseSubject(ProgramSubject):
    """A program run step by step; the nodes of its executions are the values of the steps."""

    chain: NamedSteps

    def run(
        self, inputs: Mapping[str, Tensor], literal: Callable[[Fraction], float], like: Tensor
    ) -> Execution:
        """As `Subject.run`."""
        values = dict(inputs)
        for name, program, _ in self.chain.steps:
            value = fold(program, Tensors(literal, like), values)[program.result]
            if any(value is other for other in values.values()):
                value = value.clone()  # another name of the same has a gradient of its own
            if getattr(value, "requires_grad", False):
                value.retain_grad()
            values[name] = value
        steps = [values[step.name] for step in self.chain.steps]
        return Execution(values[self.chain.result], steps)
