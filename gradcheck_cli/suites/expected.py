"""What a suite expects of a case, held against the proved reference and nothing else: torch's own
answer proves nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import log10
from typing import TYPE_CHECKING, Any, TypeAlias

from gradcheck_cli.judge.measure import format_ball, ulp
from gradcheck_cli.language.elements import element, indices_of
from gradcheck_cli.records.record import FREE_ULPS
from gradcheck_cli.witnesses.reference import Proof
from gradcheck_cli.witnesses.truth import Certified, Touching
from gradcheck_cli.worlds import balls

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gradcheck_cli.checks.result import Result
    from gradcheck_cli.dtypes import DType
    from gradcheck_cli.judge.evidence import Tolerance
    from gradcheck_cli.questions.numbers import Exact

# Working precision of the comparisons: far below any dtype's spacing.
_BITS = 256


@dataclass(frozen=True)
class Interval:
    """Two ends, both included; None for an end at infinity."""

    low: Exact | None
    high: Exact | None

    def __str__(self) -> str:
        low = self.low.text if self.low else "-inf"
        high = self.high.text if self.high else "inf"
        return f"a number from {low} to {high}"


# A number or interval (of a tensor: of every element), or nested lists of these.
Wanted: TypeAlias = "Exact | Interval | list[Wanted]"


def shape_of_expectation(wanted: Wanted) -> tuple[int, ...]:
    """The shape of nested lists with rows of equal length."""
    shape = []
    while isinstance(wanted, list):
        shape.append(len(wanted))
        wanted = wanted[0]
    return tuple(shape)


@dataclass(frozen=True)
class ExpectedPartial:
    """What is expected of the derivative by an input, or by one element of it."""

    variable: str
    index: tuple[int, ...] | None
    wanted: Wanted

    @property
    def name(self) -> str:
        """As in the file: `W` or `W[0,1]`."""
        return self.variable if self.index is None else element(self.variable, self.index)


@dataclass(frozen=True)
class Expectation:
    """What is expected of a case at each of its points.

    Attributes:
        outcomes: any of these; none where nothing is said.
        tolerance: the case's own, for the numbers below; 4 ulp of the dtype without it.
    """

    outcomes: tuple[str, ...] = ()
    value: Wanted | None = None
    partials: tuple[ExpectedPartial, ...] = ()
    tolerance: Tolerance | None = None

    def unmet(self, result: Result) -> list[str]:
        """A sentence for each number stated that the reference does not confirm; `outcomes` are
        left to the caller.
        """
        from flint import ctx

        with ctx.workprec(_BITS):
            return [
                *self._of_value(result),
                *(
                    sentence
                    for partial in self.partials
                    for sentence in self._of_partial(result, partial)
                ),
            ]

    def _of_value(self, result: Result) -> Iterator[str]:
        if self.value is None:
            return
        evidence = result.evidence
        proof = evidence.testimonies["reference"]
        if not isinstance(proof, Proof):
            yield f"the value cannot be confirmed: {getattr(proof, 'reason', 'nothing is proved')}"
            return
        shape = evidence.point.prepared.shape or ()
        wanted = shape_of_expectation(self.value)
        if wanted not in ((), shape):
            yield f"the value has shape {shape}, expected is {wanted}"
            return
        for index, answer in zip(indices_of(shape), proof.forward, strict=True):
            name = f"the value at {element('', index)}" if index else "the value"
            truth, dtype = _truth(answer, None), evidence.point.dtype
            yield from self._compared(name, truth, _at(self.value, index), dtype)

    def _of_partial(self, result: Result, partial: ExpectedPartial) -> Iterator[str]:
        point = result.evidence.point
        found = [
            (k, key)
            for k, key in enumerate(point.keys)
            if key.variable == partial.variable and partial.index in (None, key.index)
        ]
        if not found:
            yield f"`{partial.name}` is expected, and is nothing that is differentiated"
            return
        shape = () if partial.index is not None else point.at[partial.variable].shape
        wanted = shape_of_expectation(partial.wanted)
        if wanted not in ((), shape):
            yield f"`{partial.name}` has shape {shape}, expected is {wanted}"
            return
        for k, key in found:
            name = f"∂f/∂{element(key.variable, key.index)}"
            truth = _truth(result.evidence.of("reference", k), result.verdicts[k].truth)
            yield from self._compared(name, truth, _at(partial.wanted, key.index), point.dtype)

    def _compared(
        self, name: str, truth: Any, wanted: Exact | Interval, dtype: DType
    ) -> Iterator[str]:
        """Nothing if the number is as wanted, else why not. `truth` is a ball, or the reason why
        there is none.
        """
        if isinstance(truth, str):
            words = str(wanted) if isinstance(wanted, Interval) else wanted.text
            yield f"{name} cannot be confirmed to be {words}: {truth}"
        elif isinstance(wanted, Interval):
            yield from _outside(name, truth, wanted)
        else:
            target = balls.exact_ball(wanted.value)
            gap, room = abs(truth - target), self._room(truth, dtype)
            if not gap <= room:
                number = format_ball(truth, _digits(gap, truth))
                distance = f"off by {format_ball(gap, 2)}, and {format_ball(room, 2)} is allowed"
                yield f"{name} is {number}, expected is {wanted.text}: {distance}"

    def _room(self, truth: Any, dtype: DType) -> Any:
        from flint import arb

        if self.tolerance is None:
            return FREE_ULPS * balls.exact_ball(Fraction(ulp(truth, dtype)))
        return arb(self.tolerance.atol) + arb(self.tolerance.rtol) * abs(truth)


def _outside(name: str, truth: Any, wanted: Interval) -> Iterator[str]:
    """Nothing if a ball lies in the interval, else at which end it does not."""
    for end, sign in ((wanted.low, 1), (wanted.high, -1)):
        gap = sign * (truth - balls.exact_ball(end.value)) if end is not None else None
        if end is not None and gap is not None and not gap >= 0:
            if gap < 0:
                number = format_ball(truth, _digits(abs(gap), truth))
                yield f"{name} is {number}, expected is {wanted}"
            else:
                unknown = f"it cannot be told from {end.text}"
                yield f"{name} cannot be confirmed to be {wanted}: {unknown}"


def _truth(answer: Any, from_sides: Any) -> Any:
    """The proved number as a ball, or why there is none; `from_sides` is the derivative where it
    was proved from two sides.
    """
    if from_sides is not None:
        return from_sides
    if isinstance(answer, Certified):
        return answer.truth
    if isinstance(answer, Touching):
        return f"there is no proved derivative at the boundary of `{answer.function}`"
    return answer.reason


def _at(wanted: Wanted, index: tuple[int, ...]) -> Exact | Interval:
    """What is wanted of one element."""
    for i in index:
        if isinstance(wanted, list):
            wanted = wanted[i]
    assert not isinstance(wanted, list), "the shapes were compared"
    return wanted


def _digits(gap: Any, truth: Any) -> int:
    """Digits enough to see that two numbers differ."""
    size, distance = float(abs(truth).mid()), float(gap.mid())
    return min(max(6, 3 - round(log10(distance / size))), 17) if 0 < distance < size else 6
