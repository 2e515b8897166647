"""The scene: what a recorded backward computes and what the derivative is, as scalars of one
builder, with the points and cotangents at which both are held against each other.
"""

from __future__ import annotations

from contextlib import suppress
from functools import cached_property
from time import thread_time
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck_cli.calculus.folding import fold_call
from gradcheck_cli.calculus.reverse import adjoints
from gradcheck_cli.diagnosis.closeness import close
from gradcheck_cli.diagnosis.samples import drawn
from gradcheck_cli.language.elements import elements_of
from gradcheck_cli.language.program import Call, Program, Variable
from gradcheck_cli.questions.recorded import symbolic_scalars
from gradcheck_cli.recording.recording import cotangent_names
from gradcheck_cli.worlds.balls import OutOfTime, plain
from gradcheck_cli.worlds.growing import Growing
from gradcheck_cli.worlds.scalars import Unrolling

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence, Set

    from gradcheck_cli.diagnosis.closeness import SampleNumbers
    from gradcheck_cli.questions.batch import Point
    from gradcheck_cli.recording.recording import Recording
    from gradcheck_cli.recording.tape import ArrayStep, Nodes

# Bits that balls are computed with, and how narrow one has to be, relative to its number.
_BITS, _NARROW = 160, 2.0**-60
# A ball around 0 no wider than this is 0.
_ZERO = 2.0**-120
# Points besides the one given.
_POINTS = 6


class Scene:
    """A recorded backward beside the derivative.

    Attributes:
        claimed: for each input differentiated the scalars of what the backward gives; None where
            it gives nothing.
        true: those of the derivative.
        outputs, cotangent: the scalars of the value and of its cotangent.
        places: for each node of the tape its scalar here.
    """

    def __init__(self, point: Point, recording: Recording, seconds: float) -> None:
        self.point, self.recording = point, recording
        self.deadline = thread_time() + seconds
        self._orders: dict[tuple[int, ...], list[int]] = {}
        scalars = symbolic_scalars(recording)
        self.builder, self.places = scalars.expansion.builder, np.array(scalars.places)
        held_against = tuple(point.prepared.scalars.builder.nodes)
        standard = Program(held_against, tuple(point.prepared.outputs))
        shape = recording.outputs.shape
        self.outputs: Nodes = np.array(self.builder.include(standard, {})).reshape(shape)
        names = cotangent_names(shape)
        made = [self.builder.variable(name) for name in names]
        self.cotangent: Nodes = np.array(made, dtype=np.int64).reshape(shape)
        self.claimed: dict[str, Nodes | None] = {}
        for name in point.question.wrt:
            nodes = recording.gradients.get(name)
            self.claimed[name] = None if nodes is None else self.places[nodes]
        self.true = self.pulled(self.cotangent)
        self._worlds = [self._world(at) for at in drawn(point.scalars, names, _POINTS)]
        self.worlds = self._worlds

    def _world(self, at: Mapping[str, float]) -> Growing:
        return Growing(self.builder, at, _BITS, self.point.dtype.round)

    def keep_where_known(self) -> bool:
        """Leave out samples at which a side has no number; whether enough are left: the point
        given under two cotangents, or one point beside it.
        """
        kept = []
        for k, world in enumerate(self._worlds):
            self.worlds = [world]
            sides = [*self.true.values(), *(c for c in self.claimed.values() if c is not None)]
            if all(np.isfinite(self.numbers(side)).all() for side in sides):
                kept.append((k, world))
        self.worlds = [world for _, world in kept]
        return len(kept) > 1 and any(k > 1 for k, _ in kept)

    # What is built.

    def pulled(
        self, seeds: Nodes, held: Set[int] = frozenset(), outputs: Nodes | None = None
    ) -> dict[str, Nodes]:
        """The derivative of the outputs, weighed, by each input.

        Args:
            seeds: the weights' scalars.
            held: scalars that are taken for constants.
            outputs: others than the scene's own.
        Raises:
            OutOfTime: there is no time left.
        """
        self.look_at_the_clock()
        builder = self.builder
        pairs = zip(flat(seeds), flat(self.outputs if outputs is None else outputs), strict=True)
        total = builder.number(0)
        for seed, output in pairs:
            total = fold_call(builder, "add", (total, fold_call(builder, "mul", (seed, output))))
        elements = {n: elements_of(n, self.point.prepared.size(n)) for n in self.claimed}
        wanted = frozenset(e for names in elements.values() for e in names)
        found = adjoints(builder, total, wanted, held=held)
        zero, index = builder.number(0), builder.index
        return {
            name: np.array(
                [found.get(index.get(Variable(e), -1), zero) for e in names], dtype=np.int64
            ).reshape(self.point.prepared.size(name))
            for name, names in elements.items()
        }

    def mapped(self, function: str, *arrays: Nodes) -> Nodes:
        """A primitive, element by element."""
        spread = np.broadcast_arrays(*arrays)
        made = [
            fold_call(self.builder, function, tuple(int(i) for i in scalars))
            for scalars in zip(*(a.reshape(-1) for a in spread), strict=True)
        ]
        return np.array(made, dtype=np.int64).reshape(spread[0].shape)

    def number(self, value: Any) -> Nodes:
        """The scalar of a number."""
        return np.array(self.builder.number(value), dtype=np.int64)

    def called(self, step: ArrayStep, args: Sequence[Nodes]) -> Nodes:
        """What a step of the tape makes of other arrays.

        Raises:
            ValueError, IndexError, TypeError: shapes do not fit.
        """
        given: list[Any] = [a if a.ndim else int(a) for a in args]
        unrolling = Unrolling(self.builder, "primitives", [])
        return np.asarray(unrolling.call(step.call, given), dtype=np.int64)

    def rebuilt(self, wanted: Nodes, changed: Mapping[int, int]) -> Nodes:
        """Scalars with others in the places of some that they rest on."""
        builder, new = self.builder, dict(changed)
        for i in self._beneath(tuple(flat(wanted))):
            node = builder.nodes[i]
            if i not in new and isinstance(node, Call) and not new.keys().isdisjoint(node.args):
                args = tuple([new.get(j, j) for j in node.args])
                new[i] = fold_call(builder, node.function, args)
        made = [new.get(i, i) for i in flat(wanted)]
        return np.array(made, dtype=np.int64).reshape(wanted.shape)

    def _beneath(self, wanted: tuple[int, ...]) -> list[int]:
        """All calls that some scalars rest on, in order."""
        if wanted not in self._orders:
            found, stack = set[int](), list(wanted)
            while stack:
                node = self.builder.nodes[i := stack.pop()]
                if i not in found and isinstance(node, Call):
                    found.add(i)
                    stack += node.args
            self._orders[wanted] = sorted(found)
        return self._orders[wanted]

    def mark(self) -> int:
        """Where the builder stands, to go back to."""
        return len(self.builder.nodes)

    def back_to(self, mark: int) -> None:
        """Forget what was built since."""
        for node in self.builder.nodes[mark:]:
            del self.builder.index[node]
        del self.builder.nodes[mark:]
        for world in self._worlds:
            world.forget(mark)

    # What it comes to.

    def numbers(self, nodes: Nodes, worlds: Sequence[Growing] | None = None) -> SampleNumbers:
        """The numbers of scalars at every sample, NaN where one is not known; the first axis is
        that of the samples.

        Raises:
            OutOfTime: there is no time left.
        """
        rows = [self._row(nodes, w) for w in (self.worlds if worlds is None else worlds)]
        return np.array(rows).reshape(len(rows), *nodes.shape)

    def _row(self, nodes: Nodes, world: Growing) -> list[float]:
        return [_float(value) for value in world.values(flat(nodes), self.deadline)]

    def under(self, world: Growing, cotangent: SampleNumbers) -> Growing:
        """A sample under another cotangent."""
        names = cotangent_names(self.outputs.shape)
        return self._world({**world.inputs, **dict(zip(names, flat(cotangent), strict=True))})

    def weights(self, world: Growing) -> SampleNumbers:
        """The cotangent of a sample."""
        names = cotangent_names(self.outputs.shape)
        return np.array([world.inputs[name] for name in names]).reshape(self.outputs.shape)

    def gives_under(
        self,
        nodes: Nodes,
        numbers: SampleNumbers,
        changed: Callable[[SampleNumbers], SampleNumbers],
    ) -> bool:
        """Whether scalars come to these numbers at every sample once its cotangent is changed."""
        return all(
            close(self.numbers(nodes, [self.under(world, changed(self.weights(world)))])[0], row)
            for world, row in zip(self.worlds, numbers, strict=True)
        )

    def gives(self, nodes: Nodes, numbers: SampleNumbers) -> bool:
        """Whether scalars come to these numbers at every sample."""
        if nodes.shape != numbers.shape[1:]:
            return False
        return all(
            close(self.numbers(nodes, [world])[0], row)
            for world, row in zip(self.worlds, numbers, strict=True)
        )

    @cached_property
    def steps(self) -> list[ArrayStep]:
        """The calls on arrays, as this scene's scalars."""
        from gradcheck_cli.recording.tape import ArrayStep

        places = self.places
        return [
            ArrayStep(s.call, tuple(places[a] for a in s.args), places[s.result], s.line)
            for s in self.recording.tape.steps
        ]

    @cached_property
    def forward_steps(self) -> int:
        """How many of them are the forward's: those before the first that takes the cotangent."""
        mine = set(flat(self.cotangent))
        return next(
            (
                k
                for k, step in enumerate(self.steps)
                if any(not mine.isdisjoint(flat(a)) for a in step.args)
            ),
            len(self.steps),
        )

    def look_at_the_clock(self) -> None:
        """Nothing, while there is time.

        Raises:
            OutOfTime: there is none.
        """
        if thread_time() > self.deadline:
            raise OutOfTime


def flat(nodes: Nodes) -> list[Any]:
    """All elements, row-major."""
    found: list[Any] = np.asarray(nodes).reshape(-1).tolist()
    return found


def fittings(nodes: Nodes, shape: tuple[int, ...]) -> Iterator[Nodes]:
    """An array spread to a shape, its axes being the last ones, then the first ones."""
    missing = len(shape) - nodes.ndim
    for turned in (nodes, nodes.reshape(nodes.shape + (1,) * missing)) if missing > 0 else (nodes,):
        with suppress(ValueError):
            yield np.broadcast_to(turned, shape)
            if nodes.size == 1:
                return


def _float(value: Any) -> float:
    """A ball as a float: NaN where it is no number, or not known well; a condition as 1 or 0."""
    if value is None:
        return float("nan")
    if isinstance(value, bool):
        return float(value)
    ball = plain(value)
    if not ball.is_finite():
        return float("nan")
    middle, radius = float(abs(ball.mid())), float(ball.rad())
    if radius <= middle * _NARROW:
        return float(ball.mid())
    return 0.0 if middle + radius < _ZERO else float("nan")


def with_line_ends(
    steps: Sequence[ArrayStep], start: int, end: int
) -> Iterator[tuple[int, ArrayStep, bool]]:
    """Steps with their numbers, and whether each is the last one of its line."""
    for k in range(start, end):
        yield k, steps[k], k + 1 == end or steps[k + 1].line != steps[k].line
