"""Planted lies: a program's own torch functions, with a backward that is wrong at one place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from gradcheck_cli.language.program import Call, fold
from gradcheck_cli.subjects import Execution
from gradcheck_cli.subjects.program import ProgramSubject
from gradcheck_cli.worlds.tensors import Tensors

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from fractions import Fraction
    from random import Random

    from gradcheck_cli.language.program import Program

KINDS = ("factor", "sign", "dropped", "exponent")


class Lie(NamedTuple):
    """What becomes of a cotangent on its way from a call to one of its arguments.

    Attributes:
        node: the call; -1 for every input of the program.
        position: of the argument.
        factor: of the kind "factor".
    """

    kind: str
    node: int
    position: int
    factor: float = 1.0


class _Edge(torch.autograd.Function):
    """The identity, whose backward is a lie."""

    @staticmethod
    def forward(ctx: Any, value: Any, lie: Lie) -> Any:
        """The value itself."""
        ctx.lie = lie
        ctx.save_for_backward(value)
        return value.clone()

    @staticmethod
    def backward(ctx: Any, ybar: Any) -> Any:
        """The cotangent as the lie has it."""
        (value,) = ctx.saved_tensors
        lies = {
            "factor": lambda: ybar * ctx.lie.factor,
            "sign": lambda: -ybar,
            "dropped": lambda: torch.zeros_like(ybar),
            "exponent": lambda: ybar * value,
        }
        return lies[ctx.lie.kind](), None


class _World(Tensors):
    """torch's functions, one argument of one call behind a lie."""

    def __init__(self, literal: Any, like: Any, lie: Lie) -> None:
        super().__init__(literal, like)
        self.lie, self.target = lie, None

    def call(self, node: Call, args: list[Any]) -> Any:
        if node is self.target:
            value = args[self.lie.position]
            if isinstance(value, torch.Tensor) and value.is_floating_point():
                args[self.lie.position] = _Edge.apply(value, self.lie)
        return super().call(node, args)


@dataclass(frozen=True)
class LyingSubject:
    """A program whose backward lies at one place, or nowhere; it says of itself what the program
    says. It is none of the tool's own programs: nobody looks for a remedy, which takes seconds.
    """

    program: Program
    lie: Lie | None = None
    is_elementwise: bool = False

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
        """As the program's own."""
        return "gradcheck", self.program.text

    def run(
        self, inputs: Mapping[str, Any], literal: Callable[[Fraction], float], like: Any
    ) -> Execution:
        """As `Subject.run`."""
        if self.lie is None:
            return ProgramSubject(self.program).run(inputs, literal, like)
        world, given = _World(literal, like, self.lie), dict(inputs)
        if self.lie.node < 0:
            given = {
                name: _Edge.apply(value, self.lie) if value.is_floating_point() else value
                for name, value in given.items()
            }
        else:
            world.target = self.program.nodes[self.lie.node]
        values = fold(self.program, world, given)
        return Execution(values[self.program.result], values)

    def cuts(self, execution: Execution) -> tuple[str, ...]:
        """Where the program has some; a lie does not give itself away."""
        return ProgramSubject(self.program).cuts(execution) if self.lie is None else ()


def lie_of(kind: str, program: Program, random: Random, factor: float) -> Lie | None:
    """A lie of a kind somewhere in a program; None where no argument is a result of its inputs."""
    if kind == "factor":
        return Lie(kind, -1, 0, factor)
    moves: list[bool] = []
    edges = []
    for i, node in enumerate(program.nodes):
        if not isinstance(node, Call):
            moves.append(hasattr(node, "name"))
            continue
        moves.append(any(moves[j] for j in node.args))
        edges += [(i, p) for p, j in enumerate(node.args) if moves[j]]
    return Lie(kind, *random.choice(edges)) if edges else None
