"""Variants: the calls that are tried beside the one asked for, without being asked. Each finds what
no other does: a stale saved tensor, a cotangent taken for ones, a layout taken for granted.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod
from typing import TYPE_CHECKING

import numpy as np

from gradcheck_cli.code.call import check_code
from gradcheck_cli.code.limits import Overrun, time_limit
from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.questions.seeded import seeded_numbers
from gradcheck_cli.recording.recording import BackwardRaised
from gradcheck_cli.records.outcome import Outcome
from gradcheck_cli.subjects.layouts import (
    Expanded,
    ExpandedCotangent,
    FirstGradient,
    Rows,
    SlicedCotangent,
    Strided,
    Twice,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gradcheck_cli.checks.result import Result
    from gradcheck_cli.code.call import CodeCall
    from gradcheck_cli.questions.arrays import Array
    from gradcheck_cli.subjects.function import Layout

# Those that a call may have beside `alone-NAME`; which of them it has depends on its arguments.
EVERY_VARIANT = ("cotangent", "strided-cotangent", "expanded-cotangent", "strided", "expanded",
                 "one-sample", "more-samples", "twice", "large", "float32", "float64",
                 "double-backward")  # fmt: skip
# Seconds of computing for each.
VARIANT_LIMIT = 10.0
# Where inputs are taken to for a large point: the largest of them becomes this.
_LARGE = 25.0


@dataclass(frozen=True)
class Variant:
    """A call that is tried.

    Attributes:
        name: what `--variants` calls it.
        words: what it is, in a sentence.
        counts: whether what is wrong with it is wrong with the function; else it is only told.
    """

    name: str
    words: str
    call: CodeCall
    counts: bool = True


@dataclass(frozen=True)
class Tried:
    """What became of a variant.

    Attributes:
        outcome: None where it does not apply, or did not end.
        reason: why not, or what is wrong.
    """

    variant: Variant
    outcome: Outcome | None
    reason: str = ""
    result: Result | None = None

    @property
    def is_wrong(self) -> bool:
        """Whether it shows that the function is wrong."""
        return self.outcome is Outcome.WRONG and self.variant.counts


def variants_of(
    call: CodeCall, *, rows: tuple[str, ...], batched: tuple[str, ...], order: int = 1
) -> Iterator[Variant]:
    """The variants of a call. Inputs that are not differentiated stay what they are.

    Args:
        rows: its inputs that have several rows.
        batched: those that have a row for each sample, where that is beyond doubt.
        order: 2 where the gradient's own gradient is asked for.
    """
    # A gradient that is stated for one upstream gradient is stated for no other.
    is_stated = bool(call.standard.upstream)
    if not is_stated:
        yield Variant("cotangent", "another cotangent", replace(call, cotangent=_other))
    for name in call.wrt if len(call.wrt) > 1 else ():
        words = f"`{name}` alone differentiated"
        yield Variant(f"alone-{name}", words, replace(call, wrt=(name,)))
    if not is_stated:
        yield _laid("strided-cotangent", "a cotangent that is a slice", call, SlicedCotangent())
    if not is_stated and any(array.ndim for array in call.arrays.values()):
        yield _laid("strided", "inputs that are slices", call, Strided())
    yield Variant("large", "large inputs", replace(call, arrays=_enlarged(call)))
    other = "float64" if call.dtype.name == "float32" else "float32"
    rounded = {n: a.astype(np.float32).astype(np.float64) for n, a in call.arrays.items()}
    yield Variant(other, other, replace(call, dtype=DTYPES[other], arrays=rounded))
    if call.standard.kind != "recording":
        # What follows has another value than the one that is stated.
        return
    # A cotangent that was given weighs the value as it is.
    free = replace(call, cotangent=None)
    yield _laid("expanded-cotangent", "a cotangent that is expanded", free, ExpandedCotangent())
    if rows:
        yield _laid("expanded", "inputs that are expanded rows", call, Expanded(rows))
    if batched:
        one, more = (Rows(batched, call.wrt, several=several) for several in (False, True))
        if any(call.arrays[name].shape[0] > 1 for name in batched):
            yield _laid("one-sample", "one sample", free, one)
        yield _laid("more-samples", "more samples", free, more)
    yield _laid("twice", "two calls before the backward", free, Twice(call.wrt))
    size = sum(call.arrays[name].size for name in call.wrt)
    layout = FirstGradient(call.wrt, _other)
    twice = replace(free, subject=replace(call.subject, layout=layout))
    if size <= _MOST_DIFFERENTIATED_TWICE:
        yield Variant("double-backward", "the backward's own backward", twice, counts=order > 1)


# Numbers whose gradient is differentiated once more, at most.
_MOST_DIFFERENTIATED_TWICE = 64


def _other(count: int) -> list[float]:
    """A second cotangent, of as many numbers as the value has."""
    return seeded_numbers("another cotangent", count) if count > 1 else [-1.375]


def _laid(name: str, words: str, call: CodeCall, layout: Layout) -> Variant:
    return Variant(name, words, replace(call, subject=replace(call.subject, layout=layout)))


def _enlarged(call: CodeCall) -> dict[str, Array]:
    """The same inputs, the largest of them far from 0."""
    moved = {name: call.arrays[name] for name in call.wrt}
    largest = max((float(np.abs(a).max()) for a in moved.values() if prod(a.shape)), default=0)
    factor = _LARGE / largest if 0 < largest < _LARGE else 4.0
    return {**call.arrays, **{name: array * factor for name, array in moved.items()}}


def tried(variant: Variant, limit: float = VARIANT_LIMIT) -> Tried:
    """What becomes of one; what does not apply is said and proves nothing."""
    try:
        with time_limit(limit):
            result, _ = check_code(variant.call, numeric=False)
    except Overrun as error:
        return Tried(variant, None, str(error))
    except BackwardRaised as error:
        if not error.place:
            return Tried(variant, None, f"not tried: torch's own backward raises {error}")
        place = f" ({error.place})" if error.place else ""
        return Tried(variant, Outcome.WRONG, f"the backward raises {error}{place}")
    except RuntimeError as error:
        return Tried(variant, None, f"not tried: {_first_line(error)}")
    if result.outcome is Outcome.WRONG and _is_of_numbers(variant):
        return Tried(variant, None, "not tried: equal rows are wrong however they lie in memory")
    if result.outcome is Outcome.WRONG:
        worst = next(v for v in result.verdicts if v.outcome is Outcome.WRONG)
        place = f"{worst.key.variable}{list(worst.key.index) or ''}"
        return Tried(variant, Outcome.WRONG, f"{place}: {worst.reason}", result)
    return Tried(variant, result.outcome, "", result)


def _is_of_numbers(variant: Variant) -> bool:
    """Whether expanded rows are wrong for being equal, at a tie for example, and not for how they
    lie in memory.
    """
    layout = variant.call.subject.layout
    if not isinstance(layout, Expanded):
        return False
    subject = replace(variant.call.subject, layout=replace(layout, copied=True))
    copied, _ = check_code(replace(variant.call, subject=subject), numeric=False)
    return copied.outcome is Outcome.WRONG


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
