"""One input whose gradient is wrong: both sides in numbers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from gradcheck_cli.diagnosis.closeness import close, near

if TYPE_CHECKING:
    from gradcheck_cli.diagnosis.closeness import SampleNumbers
    from gradcheck_cli.diagnosis.scene import Scene
    from gradcheck_cli.diagnosis.words import Words
    from gradcheck_cli.recording.tape import Nodes


@dataclass(frozen=True, eq=False)
class Case:
    """What is asked of each guess.

    Attributes:
        nodes: the scalars of what the backward gives; None where it gives nothing.
        mine, true: what it gives and the derivative, at every sample, the first axis.
    """

    scene: Scene
    words: Words
    name: str
    nodes: Nodes | None
    mine: SampleNumbers
    true: SampleNumbers

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the input."""
        shape: tuple[int, ...] = self.true.shape[1:]
        return shape

    @property
    def is_wrong(self) -> bool:
        """Whether both sides differ anywhere."""
        return not close(self.mine, self.true)

    @cached_property
    def right(self) -> SampleNumbers:
        """Where both are the same."""
        return near(self.mine, self.true)

    def is_as(self, numbers: SampleNumbers) -> bool:
        """Whether the backward gives these numbers."""
        return numbers.shape == self.mine.shape and close(self.mine, numbers)


def case_of(scene: Scene, words: Words, name: str) -> Case:
    """The case of an input."""
    true = scene.numbers(scene.true[name])
    nodes = scene.claimed[name]
    mine = np.zeros_like(true) if nodes is None else scene.numbers(nodes)
    return Case(scene, words, name, nodes, mine, true)
