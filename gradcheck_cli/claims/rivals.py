"""What is claimed beside what is true, element by element, at points and for all inputs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck_cli.claims.points import drawn_beside, points_beside
from gradcheck_cli.claims.verdict import Counterexample
from gradcheck_cli.worlds.balls import Machine, plain

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from gradcheck_cli.claims.board import Board
    from gradcheck_cli.language.program import Program
    from gradcheck_cli.worlds.scalars import Indices

# Enclosures at so many bits tell two numbers apart that differ in their 70th digit.
_BITS = 256


@dataclass(frozen=True)
class Search:
    """What points say of a pair.

    Attributes:
        tried: how many points both sides have numbers at.
        against: the first point, in the order of how simple they are, at which they differ.
    """

    tried: int
    against: Counterexample | None


@dataclass(eq=False)
class Rivals:
    """Two formulas of one shape.

    Attributes:
        claimed, true: their scalars.
        given: the numbers of the point, by scalar name, and of a cotangent that is left open.
        fixed: scalars that keep these numbers where explanations are tested.
        seen: a point at which both differ, which an explanation has to explain as well.
    """

    board: Board
    claimed: Indices
    true: Indices
    given: Mapping[str, float]
    fixed: frozenset[str] = frozenset()
    seen: Mapping[str, float] | None = None

    @cached_property
    def is_same(self) -> bool:
        """Whether both are the same after writing out."""
        return bool(np.all(np.equal(self.claimed, self.true)))

    @property
    def elements(self) -> list[tuple[int, int]]:
        """The scalars of both sides, element by element."""
        return list(zip(_flat(self.claimed), _flat(self.true), strict=True))

    @cached_property
    def program(self) -> Program:
        """The elements of what is claimed, then those of what is true."""
        return self.board.scalar_program([*_flat(self.claimed), *_flat(self.true)])

    @cached_property
    def _machine(self) -> Machine:
        return Machine(self.program)

    def sides(self, at: Mapping[str, float]) -> tuple[list[Any], list[Any]]:
        """The balls of both sides at a point."""
        values = self.evaluated(self._machine, at)
        balls = [plain(values[i]) for i in self.program.outputs]
        half = len(balls) // 2
        return balls[:half], balls[half:]

    @staticmethod
    def evaluated(machine: Machine, at: Mapping[str, float]) -> list[Any]:
        """The balls of a program's nodes at a point, all of its numbers exact."""
        return machine.run(at, _BITS, lambda value: value)

    def against(self, at: Mapping[str, float]) -> tuple[bool, Counterexample | None]:
        """Whether both sides have numbers at a point, and the element at which these differ most,
        beside what they are.
        """
        claimed, true = self.sides(at)
        pairs = list(zip(claimed, true, strict=True))
        known = [k for k, (c, t) in enumerate(pairs) if c.is_finite() and t.is_finite()]
        apart = [k for k in known if not pairs[k][0].overlaps(pairs[k][1])]
        if not apart:
            return len(known) == len(pairs), None
        worst = max(apart, key=lambda k: float(abs(pairs[k][0] - pairs[k][1]).mid()))
        index = tuple(int(i) for i in np.unravel_index(worst, np.shape(self.true) or (1,)))
        shown = index if np.shape(self.true) else ()
        return True, Counterexample(dict(at), shown, *pairs[worst])

    @property
    def is_valueless(self) -> bool:
        """Whether what is claimed has no number at the point, where what is true has one."""
        claimed, true = self.sides(self.given)
        pairs = zip(claimed, true, strict=True)
        return any(t.is_finite() and not c.is_finite() for c, t in pairs)

    def tried(self, fixed: Collection[str] = (), seed: str = "claims") -> Search:
        """What points beside the one given say, some scalars held."""
        count = 0
        for at in points_beside(self.given, fixed, seed):
            valid, found = self.against(at)
            count += valid
            if found is not None:
                return Search(count, found)
        return Search(count, None)

    def beside(self, claimed: Indices, true: Indices) -> Rivals:
        """Two other formulas at the same points."""
        return Rivals(self.board, claimed, true, self.given, self.fixed, self.seen)

    def shown(self, against: Counterexample) -> Rivals:
        """The same, a counterexample among the samples."""
        return replace(self, seen=against.at)

    def agree(self) -> bool:
        """Whether both give the same numbers at every sample that has any."""
        answers = []
        for at in self.samples():
            valid, found = self.against(at)
            if found is not None:
                return False
            answers.append(valid)
        return any(answers)

    def samples(self) -> Iterator[dict[str, float]]:
        """Points at which an explanation is tested: the one given and some beside it."""
        yield dict(self.given)
        if self.seen is not None and not self.fixed and self.seen != self.given:
            yield dict(self.seen)
        yield from drawn_beside(self.given, self.fixed, "explanations")


def _flat(indices: Indices) -> list[int]:
    flat: list[int] = np.reshape(np.asarray(indices), -1).tolist()
    return flat
