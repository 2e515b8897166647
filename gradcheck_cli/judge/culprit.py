"""The culprit: the node of the user's program whose exact value alone would mend torch's answer."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np
from flint import arb, ctx

from gradcheck_cli.functions import lookup
from gradcheck_cli.judge.measure import format_ball, half_digits, told_apart, ulp
from gradcheck_cli.judge.replay import EVERYWHERE, Replay, Rounded, round_ball
from gradcheck_cli.language.program import Call, Program, prune
from gradcheck_cli.language.text import program_text
from gradcheck_cli.records.outcome import Cause
from gradcheck_cli.records.record import FREE_ULPS
from gradcheck_cli.worlds import balls

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from gradcheck_cli.judge.replay import Rerun, Spared
    from gradcheck_cli.judge.trace import Trace
    from gradcheck_cli.questions.batch import Point

# Operations that are replayed for one point, at most: a guess, about a third of a second.
_MOST_STEPS = 60_000
# A float64 reaches from 2**-1074 to 2**1024: two of them, and what rounding drops of each.
_MOST_BITS = 4_200
# A step inside a call is shown up to this many characters.
_WORDS = 40
# One node is to blame where sparing it takes away this much of the error, if not all.
_WORTH = 16


@dataclass(frozen=True)
class Culprit:
    """The node to blame, and what became of it.

    Attributes:
        node: of the user's program.
        cause: overflow, underflow, or how digits were lost.
        words: `` `x*x` is inf in float32, where it is 1e+40``.
    """

    node: int
    cause: Cause
    words: str

    @property
    def is_of_range(self) -> bool:
        """Whether a number left the dtype's range."""
        return self.cause in (Cause.OVERFLOW, Cause.UNDERFLOW)


class Inquiry:
    """Looks for the culprits of one point's partials.

    Args:
        bits: precision at which the partials are proved.
        pins: torch's own values, by their scalars.
    """

    def __init__(self, point: Point, trace: Trace, bits: int, pins: Mapping[int, float]) -> None:
        self.point, self.trace, self.dtype = point, trace, point.dtype
        self.replay = Replay(point, trace, min(2 * bits, _MOST_BITS), pins)
        self.program = point.specification

    def culprit(self, partial: int, truth: Any, answer: float) -> Culprit | None:
        """The node to blame for a partial that torch gets wrong; None where that is not one of its
        numbers, or the program is too large to be replayed.

        Args:
            answer: torch's.
        """
        if self.trace.graph.size * 4 > _MOST_STEPS:
            return None
        with ctx.workprec(self.replay.bits):
            return self._culprit(partial, truth, answer)

    def _culprit(self, partial: int, truth: Any, answer: float) -> Culprit | None:
        plain = self.replay.run()
        if self._is_mended(plain, partial, truth):
            return None
        unlimited = self.replay.run(EVERYWHERE, "range")
        limited = self.replay.run(EVERYWHERE, "nothing")
        if self._is_mended(unlimited, partial, truth) and not self._is_mended(
            limited, partial, truth
        ):
            # A kernel of torch may work in a wider format than this dtype, and leave no range.
            same = self._is_torchs(plain.slopes[partial], truth, answer)
            return self._out_of_range(partial, truth, unlimited) if same else None
        exact = self.replay.run(EVERYWHERE)
        if exact.slopes[partial].is_nan():
            return self._untaken(exact)
        found = self._best(self._ranked(partial), "rounding", partial, truth)
        if found is not None:
            return self._rounded(found, partial, truth)
        return None if plain.slopes[partial].is_finite() else self._vanished(partial, exact)

    def _is_mended(self, run: Rerun, partial: int, truth: Any) -> bool:
        room = max(half_digits(truth, self.dtype), FREE_ULPS * ulp(truth, self.dtype))
        return bool(self._error(run, partial, truth) <= room)

    @staticmethod
    def _is_torchs(slope: Any, truth: Any, answer: float) -> bool:
        """Whether a replay went as torch did: it is nearer to torch's answer than the truth is."""
        if not isfinite(answer):
            return not slope.is_finite()
        return bool(slope.is_finite() and 2 * abs(slope - arb(answer)) <= abs(truth - answer))

    @staticmethod
    def _error(run: Rerun, partial: int, truth: Any) -> Any:
        """The distance of a replay's partial from the truth; infinite for NaN."""
        slope = run.slopes[partial]
        return abs(slope - truth).mid() if slope.is_finite() else arb("inf")

    def _best(
        self, candidates: Iterable[int], spared: Spared, partial: int, truth: Any
    ) -> int | None:
        """The node that it helps most to spare, the first of equals; None where none helps."""
        most = _MOST_STEPS // self.trace.graph.size
        best, least = None, self._error(self.replay.run(), partial, truth)
        for node, _ in zip(candidates, range(most), strict=False):
            run = self.replay.run(node, spared)
            error = self._error(run, partial, truth)
            if error < least:
                best, least = node, error / 2
        return best

    def _ranked(self, partial: int) -> Iterator[int]:
        """Calls of the user's program that depend on its inputs, those first that rounding at which
        moves the partial most.
        """
        shares = self.trace.shares(self.point, self.trace.partials[partial])
        calls = (i for i, node in enumerate(self.program.nodes) if isinstance(node, Call))
        return (node for node in dict.fromkeys((*shares, *calls)) if self.trace.moves[node])

    def _untaken(self, exact: Rerun) -> Culprit | None:
        """The branch of a choice that is not taken, where torch's backward spoils 0 times its
        slope; even exact numbers do not mend that.
        """
        trace = self.trace
        needed = trace.upstream(trace.objective)
        for i in range(trace.forward - 1, -1, -1):
            call = trace.graph.nodes[i]
            if i not in needed or not isinstance(call, Call):
                continue
            if lookup(call.function).operator != "if":
                continue
            other = call.args[2 if exact.values[call.args[0]] else 1]
            slopes = (s for j in trace.upstream(other) for _, s in trace.graph.edges[j])
            if not all(balls.plain(exact.values[s]).is_finite() for s in slopes):
                words = self.program.source(trace.expansion.origin[other])
                reason = f"torch multiplies the slope of the branch not taken, `{words}`, by 0"
                return Culprit(trace.expansion.origin[other], Cause.BRANCH_NOT_TAKEN, reason)
        return None

    def _vanished(self, partial: int, exact: Rerun) -> Culprit | None:
        """The first number that torch holds for 0, or no finite number, because several nodes
        round; no one of them alone is to blame.
        """
        plain, graph = self.replay.run(), self.trace.graph
        for place in sorted(self.trace.upstream(self.trace.partials[partial])):
            ours, true = plain.values[place], exact.values[place]
            if not isinstance(graph.nodes[place], Call) or not hasattr(true, "is_finite"):
                continue
            if not true.is_finite() or true.contains(0):
                continue
            if ours.is_zero() or not ours.is_finite():
                node, words = self._number(Rounded(place, true, ours))
                return Culprit(node, Cause.ROUNDING, words)
        return None

    def _out_of_range(self, partial: int, truth: Any, unlimited: Rerun) -> Culprit | None:
        """The first node that the dtype's range alone spoils, else the first number beyond it; None
        where all of them are numbers of torch's own, which a replay keeps.
        """
        needed = self.trace.upstream(self.trace.partials[partial])
        lost = [item for item in unlimited.lost if item.place in needed]
        if not lost:
            return None
        # torch's kernels may work in a wider format: first what torch itself lost.
        torchs = {item.place for item in self.replay.run().lost}
        lost.sort(key=lambda item: item.place not in torchs)
        origin = self.trace.expansion.origin
        nodes = dict.fromkeys(origin[item.place] for item in lost)
        node = self._best(nodes, "range", partial, truth)
        first = next((x for x in lost if node in (None, origin[x.place])), lost[0])
        return self._range_words(first)

    def _range_words(self, item: Rounded) -> Culprit:
        node, words = self._number(item)
        return Culprit(node, Cause.UNDERFLOW if item.rounded.is_finite() else Cause.OVERFLOW, words)

    def _number(self, item: Rounded) -> tuple[int, str]:
        """The node that a number belongs to, and what became of the number."""
        node = self.trace.expansion.origin[item.place]
        words = f"`{self.program.source(node)}`"
        if item.place >= self.trace.forward:
            words = f"in the backward of {words} a number"
        elif item.place not in np.reshape(self.trace.expansion.values[node], -1):
            nodes = self.trace.graph.nodes[: item.place + 1]
            step = program_text(prune(Program(nodes, (item.place,))))
            words = f"inside {words} {f'`{step}`' if len(step) <= _WORDS else 'a number'}"
        number, true = told_apart(float(item.rounded.mid()), item.exact, 6)
        return node, f"{words} is {number} in {self.dtype.name}, where it is {true}"

    def _rounded(self, node: int, partial: int, truth: Any) -> Culprit:
        """A node whose rounding loses the digits: its value's, or that of its backward."""
        words, run = f"`{self.program.source(node)}`", self.replay.run(node)
        both, before = (self._error(r, partial, truth) for r in (run, self.replay.run()))
        if not (both * _WORTH < before or self._is_mended(run, partial, truth)):
            return Culprit(node, Cause.ROUNDING, f"mostly at {words}")
        alone = self.replay.run(node, forward_alone=True)
        forward = self._error(alone, partial, truth)
        if not (forward <= 4 * both or self._is_mended(alone, partial, truth)):
            return Culprit(node, Cause.ROUNDING, f"in the backward of {words}")
        item = self._most_rounded(node, partial, alone)
        if item is None:
            return Culprit(node, Cause.ROUNDING, words)
        place, exact, rounded = item
        if rounded.is_zero() or not rounded.is_finite():
            return self._range_words(item)
        number = f"{float(rounded.mid()):.6g}"
        gap = exact - rounded
        sign = "+" if gap > 0 else "-"
        shown = f"{number} {sign} {format_ball(abs(gap), 2)}"
        return Culprit(
            node, self._cause(place, alone), f"{words} rounds to {number} (it is {shown})"
        )

    def _most_rounded(self, node: int, partial: int, run: Rerun) -> Rounded | None:
        """The element of a node whose rounding moves a partial most; where it moves none by its
        size, as beyond a kink, the one that loses most.
        """
        output = self.trace.partials[partial]
        weights = self.trace.graph.weights(output, self.replay.run(EVERYWHERE).values)
        needed, worst, found = self.trace.upstream(output), (0.0, 0.0), None
        for place in np.reshape(self.trace.expansion.values[node], -1).tolist():
            exact = run.values[place]
            if place not in needed or not hasattr(exact, "is_finite"):
                continue
            if not exact.is_finite() or exact.is_zero():
                continue
            rounded = round_ball(exact, self.dtype)
            gap = abs(exact - rounded)
            moved = (weights.get(place, 0) * gap).mid(), (gap / abs(exact)).mid()
            if moved > worst:
                worst, found = moved, Rounded(place, exact, rounded)
        return found

    def _cause(self, place: int, run: Rerun) -> Cause:
        """Cancellation, a term that a sum absorbs, or rounding."""
        call = self.trace.graph.nodes[place]
        assert isinstance(call, Call)
        if lookup(call.function).operator not in ("+", "-") or len(call.args) != 2:
            return Cause.ROUNDING
        terms = sorted((abs(balls.plain(run.values[i])).mid() for i in call.args), key=float)
        if 0 < terms[0] < self.dtype.unit_roundoff * terms[1]:
            return Cause.ABSORBED_CONSTANT
        return Cause.ROUNDING
