"""A recording: the scalars of a run, forwards and backwards."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from traceback import extract_tb
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np

from gradcheck_cli.language.elements import element
from gradcheck_cli.language.program import Call, Program, with_args
from gradcheck_cli.recording.places import is_of_person
from gradcheck_cli.recording.tape import Unfollowed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from gradcheck_cli.recording.recorder import Recorder, Remark
    from gradcheck_cli.recording.tape import Nodes, Tape

Leaves: TypeAlias = "Mapping[str, Any]"
# What the cotangent's elements are called on a tape: no name that a user could write.
COTANGENT = "the cotangent"


class BackwardRaised(Exception):
    """A backward raised an exception where its forward had a value.

    Attributes:
        place: `FILE:LINE` where that was, as far as it is the person's.
    """

    def __init__(self, error: Exception) -> None:
        super().__init__(f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}")
        frames = extract_tb(error.__traceback__)
        mine = [frame for frame in frames if is_of_person(frame.filename)]
        self.place = f"{mine[-1].filename}:{mine[-1].lineno}" if mine else ""


@dataclass(frozen=True, eq=False)
class Recording:
    """A run on a tape.

    Attributes:
        shapes: of each input.
        outputs: the nodes of the value.
        forward: how many nodes of the tape are the forward; those of the cotangent come next.
        value: the value that the run itself had.
        gradients: for each input differentiated the nodes of its gradient, None where there is
            none; empty where the backward was not followed.
        unfollowed: why the backward was not followed, and where; None where it was.
        remarks: what the recorder saw.
    """

    tape: Tape
    shapes: Mapping[str, tuple[int, ...]]
    outputs: Nodes
    forward: int
    value: Any
    gradients: Mapping[str, Nodes | None] = field(default_factory=dict)
    unfollowed: Unfollowed | None = None
    remarks: tuple[Remark, ...] = ()

    def weighed(self, weights: Sequence[float]) -> Sequence[float]:
        """A cotangent without the elements that are infinite whatever the inputs are: these have
        nothing to weigh.
        """
        endless = self.tape.are_infinite(self.outputs).reshape(-1).tolist()
        if not any(endless) or len(endless) != len(weights):
            return weights
        return [0.0 if is_one else weight for weight, is_one in zip(weights, endless, strict=True)]

    def same_program(self, other: Recording) -> bool:
        """Whether two runs computed the same, constants included."""
        return self._needed.program == other._needed.program

    def difference(self, other: Recording) -> str:
        """The place where two runs part; empty where that is no person's line."""
        mine, theirs = self._needed, other._needed
        pairs = zip(mine.places, mine.program.nodes, theirs.program.nodes, strict=False)
        for place, one, another in pairs:
            if one != another:
                return self.tape.lines[self.tape.origin[place]].place
        return ""

    @cached_property
    def _needed(self) -> _Needed:
        """What the value and the gradients are made of, and nothing that was computed beside."""
        outputs: list[int] = self.outputs.reshape(-1).tolist()
        for nodes in self.gradients.values():
            outputs += [] if nodes is None else nodes.reshape(-1).tolist()
        nodes = self.tape.builder.nodes
        needed = [False] * len(nodes)
        for i in outputs:
            needed[i] = True
        for i in reversed(range(len(nodes))):
            made = nodes[i]
            if needed[i] and isinstance(made, Call):
                for k in made.args:
                    needed[k] = True
        places = [i for i, is_needed in enumerate(needed) if is_needed]
        new = {old: k for k, old in enumerate(places)}
        program = Program(
            tuple(with_args(nodes[i], new) for i in places), tuple(new[i] for i in outputs)
        )
        return _Needed(program, places)


class _Needed(NamedTuple):
    """A part of a tape, and where on it each node stands."""

    program: Program
    places: list[int]


def record(run: Callable[[Leaves], Any], leaves: Leaves, inputs: Sequence[str]) -> Recording:
    """A run and its backward on a tape.

    Args:
        run: the value, one tensor, of the leaves.
        leaves: those to be differentiated require a gradient.
        inputs: the leaves that are recorded; the others are constants.
    Raises:
        Unfollowed: the forward cannot be followed.
        TooLarge: it comes to too many scalars.
        BackwardRaised: the backward does.
        RuntimeError: the forward does, whatever it raises.
    """
    import torch

    from gradcheck_cli.recording.recorder import Recorder

    recorder = Recorder()
    for name in inputs:
        recorder.input(name, leaves[name])
    with _plain_kernels(), recorder:
        value = run(leaves)
    if recorder.failure is not None:
        raise recorder.failure
    outputs = recorder.shadows.read(value)
    forward = len(recorder.tape.builder.nodes)
    weights = torch.ones_like(value).detach()
    nodes = recorder.tape.input(COTANGENT, tuple(value.shape))
    # What is minus infinity wherever the inputs are has no derivative that a cotangent could weigh.
    endless = recorder.tape.are_infinite(outputs)
    if endless.any():
        nodes[endless] = 0
        weights[torch.from_numpy(endless)] = 0
    recorder.shadows.write(weights, nodes)
    shapes = {name: tuple(leaves[name].shape) for name in inputs}
    numbers = value.detach().cpu().double().numpy().copy()
    common = recorder.tape, shapes, outputs, forward, numbers
    gradients, error = _backward(recorder, value, weights, leaves)
    return Recording(*common, gradients, error, tuple(recorder.remarks))


def _backward(
    recorder: Recorder, value: Any, weights: Any, leaves: Leaves
) -> tuple[dict[str, Nodes | None], Unfollowed | None]:
    """The nodes of the gradients; none, and why, where they cannot be followed."""
    from gradcheck_cli.worlds.scalars import TooLarge

    differentiated = {n: t for n, t in leaves.items() if getattr(t, "requires_grad", False)}
    if not value.requires_grad:
        return dict.fromkeys(differentiated), None
    try:
        with _plain_kernels(), recorder:
            # Given to backward() itself, weights would have torch import SymPy.
            (value * weights).sum().backward()
    except Unfollowed as error:
        return {}, error
    except TooLarge as error:
        return {}, Unfollowed(str(error))
    except Exception as error:
        raise BackwardRaised(error) from error
    if recorder.failure is not None:
        return {}, Unfollowed(str(recorder.failure), getattr(recorder.failure, "place", ""))
    found: dict[str, Nodes | None] = {}
    for name, leaf in differentiated.items():
        found[name] = None if leaf.grad is None else recorder.shadows.read(leaf.grad)
    return found, None


@contextmanager
def _plain_kernels() -> Iterator[None]:
    """Without kernels that do several steps at once and that nothing is known of."""
    import torch
    from torch.backends import cuda

    flags = [
        (cuda.flash_sdp_enabled, cuda.enable_flash_sdp),
        (cuda.mem_efficient_sdp_enabled, cuda.enable_mem_efficient_sdp),
        (torch._C._get_mkldnn_enabled, torch._C._set_mkldnn_enabled),
    ]  # fmt: skip
    before = [(write, read()) for read, write in flags]
    try:
        for write, _ in before:
            write(False)
        yield
    finally:
        for write, value in before:
            write(value)


def cotangent_names(shape: tuple[int, ...]) -> list[str]:
    """The names of the cotangent's elements on a tape, row-major."""
    return [element(COTANGENT, index) for index in np.ndindex(*shape)]
