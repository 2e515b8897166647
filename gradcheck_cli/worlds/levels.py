"""A call of arrays that computes with single elements: it is unrolled by itself, and all scalars
that rest on others in the same way are computed together, level by level.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck_cli.language.program import Call, Number, Program, Variable
from gradcheck_cli.worlds.scalars import expand

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gradcheck_cli.language.program import Node
    from gradcheck_cli.worlds.track import Track, Tracked


class Cohort:
    """Scalars of one function whose arguments are known at the same time.

    Attributes:
        places: where their values go; `args` where those of each argument are.
    """

    def __init__(self, call: Call, members: Sequence[tuple[int, tuple[int, ...]]]) -> None:
        self.call = Call(call.function, tuple(range(len(call.args))), call.settings)
        self.places = np.array([place for place, _ in members])
        self.args = np.array([args for _, args in members]).T


class Unrolled:
    """A call, run.

    Args:
        args: the arrays that it is given; None for class indices, which stand in `numbers`.
    Attributes:
        args: the arrays that it is given.
        size: how many scalars it has.
        inputs: which of them are the elements of `args`, in a row; `outputs` those of its value.
    Raises:
        TooLarge: it has more scalars than the scalar worlds take on.
    """

    def __init__(
        self, world: Track, call: Call, args: Sequence[Tracked | None], numbers: Sequence[Any]
    ) -> None:
        self._world, self._kit = world, world.kit
        self.args = [a for a in args if a is not None]
        names = [f"x{k}" for k in range(len(args))]
        inputs = {
            name: np.asarray(number) if a is None else a.shape
            for name, a, number in zip(names, args, numbers, strict=True)
        }
        whole = Call(call.function, tuple(range(len(args))), call.settings)
        program = Program((*map(Variable, names), whole), (len(names),))
        expansion = expand(program, inputs)
        self._nodes = expansion.builder.nodes
        self.size = len(self._nodes)
        self.outputs = np.asarray(expansion.values[-1])
        self.inputs = np.array([i for i, n in enumerate(self._nodes) if isinstance(n, Variable)])
        self._groups = _groups(self._nodes)
        self._moves = self._moving()
        self._values = self._run()

    @property
    def result(self) -> Tracked:
        """The call's value."""
        flat = self._values.read(self.outputs.reshape(-1))
        number = self._kit.reshaped(flat, self.outputs.shape)
        return self._world.kept(number, self.args, self._pull)

    def _moving(self) -> Any:
        """Which scalars depend on what moves."""
        moves = np.zeros(self.size, dtype=bool)
        moves[self.inputs] = np.concatenate(
            [np.full(int(np.prod(a.shape)), a.moves) for a in self.args]
        )
        for group in self._groups:
            moves[group.places] = moves[group.args].any(axis=0)
        return moves

    def _run(self) -> Any:
        values = self._kit.buffer(self.size)
        values.write(self.inputs, self._kit.joined([a.number for a in self.args]))
        for i, node in enumerate(self._nodes):
            if isinstance(node, Number):
                values.write(np.array([i]), self._kit.reshaped(self._kit.number(node), (1,)))
        for group in self._groups:
            values.write(group.places, self._kit.call(group.call, self._of(values, group)))
        return values

    def steps(self) -> Iterator[tuple[Cohort, list[Any], Any]]:
        """Calls of scalars, those first that others rest on, with their arguments and values."""
        for group in self._groups:
            yield self._step(group)

    def _step(self, group: Cohort) -> tuple[Cohort, list[Any], Any]:
        return group, self._of(self._values, group), self._values.read(group.places)

    def _of(self, values: Any, group: Cohort) -> list[Any]:
        """The arguments of a group."""
        return [values.read(places) for places in group.args]

    def _pull(self, ybar: Any) -> Iterator[tuple[Tracked, Any]]:
        kit, cotangents = self._kit, self._kit.buffer(self.size, off=True)
        cotangents.add(self.outputs.reshape(-1), kit.reshaped(ybar, (self.outputs.size,)))
        for group, numbers, y in map(self._step, reversed(self._groups)):
            own = cotangents.read(group.places)
            for position, places in enumerate(group.args):
                if self._moves[places].any():
                    share = self._world.share(group.call, numbers, y, own, position)
                    if share is not None:
                        cotangents.add(places, kit.spread(share, places.shape))
        shapes = [a.shape for a in self.args]
        yield from zip(self.args, kit.parted(cotangents.read(self.inputs), shapes), strict=True)


def _groups(nodes: Sequence[Node]) -> list[Cohort]:
    """The calls, those first that the others rest on."""
    levels = [0] * len(nodes)
    members: defaultdict[tuple[Any, ...], list[tuple[int, tuple[int, ...]]]] = defaultdict(list)
    for i, node in enumerate(nodes):
        if isinstance(node, Call):
            levels[i] = 1 + max((levels[j] for j in node.args), default=0)
            key = (levels[i], node.function, node.settings, len(node.args))
            members[key].append((i, node.args))
    ordered = sorted(members, key=lambda key: key[0])
    return [Cohort(Call(k[1], members[k][0][1], k[2]), members[k]) for k in ordered]
