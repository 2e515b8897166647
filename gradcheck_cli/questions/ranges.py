"""Ranges of inputs: every number of a dtype between two ends, or so many of them, made as they are
needed, so that four billion cost no more than their description.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import copysign, frexp, isfinite, ldexp
from typing import TYPE_CHECKING, Any, TypeAlias

from gradcheck_cli.language.errors import Mistake, PointError, mistake
from gradcheck_cli.questions.numbers import Exact, read_number, split_at, stripped

if TYPE_CHECKING:
    from gradcheck_cli.dtypes import DType
    from gradcheck_cli.language.errors import Span
    from gradcheck_cli.worlds.tensors import Tensor

# Points of one sweep, at most: all numbers of float32 are half as many.
MOST_SWEPT = 2**33
# Patterns of bits of a dtype by its bytes: torch's integers of as many bytes.
_INTEGERS = {2: "int16", 4: "int32", 8: "int64"}


def bytes_of(dtype: DType) -> int:
    """Of one number."""
    exponent = (dtype.most - dtype.least + 3).bit_length() - 1
    return (dtype.digits + exponent) // 8


def finite_count(dtype: DType) -> int:
    """How many numbers a dtype has from 0 upwards: the pattern of bits of its infinity."""
    return (dtype.most - dtype.least + 2) << (dtype.digits - 1)


def rank(value: float, dtype: DType) -> int:
    """The place of a number of a dtype among all of them, the least first; -0 before 0."""
    size, exponent = abs(value), frexp(value)[1] - 1
    exponent = max(exponent, dtype.least) if size else dtype.least
    steps = int(ldexp(size, dtype.digits - 1 - exponent))
    bits = steps + ((exponent - dtype.least) << (dtype.digits - 1))
    count = finite_count(dtype)
    return count + bits if copysign(1.0, value) > 0 else count - 1 - bits


def number_at(place: int, dtype: DType) -> float:
    """The number at a place, as `rank` counts."""
    count = finite_count(dtype)
    bits = place - count if place >= count else count - 1 - place
    exponent, steps = divmod(bits, 1 << (dtype.digits - 1))
    if exponent:
        steps += 1 << (dtype.digits - 1)
    size = ldexp(float(steps), max(exponent, 1) + dtype.least - dtype.digits)
    return size if place >= count else -size


@dataclass(frozen=True)
class Patterns:
    """`count` numbers of a dtype from one place to another, as evenly spread over the places as
    may be; every one of them where there are no more.
    """

    dtype: DType
    first: int
    last: int
    count: int

    def value(self, k: int) -> float:
        """The number of one point."""
        return number_at(self._place(k), self.dtype)

    @property
    def is_whole(self) -> bool:
        """Whether no number between its ends is left out."""
        return self.count == self.last - self.first + 1

    def _place(self, k: int) -> int:
        if self.is_whole or self.count == 1:
            return self.first + k
        return self.first + k * (self.last - self.first) // (self.count - 1)

    def tensor(self, start: int, stop: int) -> Tensor:
        """Consecutive points, in the dtype."""
        import torch

        zero, size = finite_count(self.dtype), bytes_of(self.dtype)
        if self.is_whole:
            low, high = self.first + start, self.first + stop
            split = min(max(zero, low), high)  # the numbers from here on are not negative
            below = torch.arange(zero - split, zero - low).flip(0)
            above = torch.arange(split - zero, high - zero)
        else:
            places = [self._place(k) for k in range(start, stop)]
            below = torch.tensor([zero - 1 - p for p in places if p < zero], dtype=torch.int64)
            above = torch.tensor([p - zero for p in places if p >= zero], dtype=torch.int64)
        sign = -(1 << (8 * size - 1))
        bits = torch.cat([below + sign, above]).to(getattr(torch, _INTEGERS[size]))
        return bits.view(getattr(torch, self.dtype.name))


@dataclass(frozen=True)
class Evenly:
    """`count` points at equal distances, both ends included, each the float64 nearest to where it
    is, rounded to a number of the dtype between the ends.
    """

    dtype: DType
    low: Fraction
    high: Fraction
    count: int

    def value(self, k: int) -> float:
        """The number of one point."""
        least, most = self._inside
        return min(max(self.dtype.round(Fraction(self._at(float(k)))), least), most)

    def tensor(self, start: int, stop: int) -> Tensor:
        """Consecutive points, in the dtype."""
        import torch

        points: Tensor = self._at(torch.arange(start, stop, dtype=torch.float64))
        return points.to(getattr(torch, self.dtype.name)).clamp_(*self._inside)

    @cached_property
    def _inside(self) -> tuple[float, float]:
        first, last = ranks_between(self.low, self.high, self.dtype)
        return number_at(first, self.dtype), number_at(last, self.dtype)

    def _at(self, k: Any) -> Any:
        """Where points are: their numbers are floats, or a tensor of them."""
        scale, (low, rest), (step, step_rest) = self._ends
        # A product, and then a sum, with what each of them lacks.
        product = k * step
        (upper, lower), (high, down) = _halves(k), _halves(step)
        lacks = ((upper * high - product) + upper * down + lower * high) + lower * down
        total = low + product
        back = total - low
        lacks = lacks + (low - (total - back)) + (product - back)
        return (total + (lacks + (k * step_rest + rest))) / scale

    @cached_property
    def _ends(self) -> tuple[float, tuple[float, float], tuple[float, float]]:
        """The first point and the distance as sums of two floats, each times a power of two that
        keeps halves of them in range.
        """
        step = (self.high - self.low) / max(self.count - 1, 1)
        size = frexp(max(abs(self.low), abs(self.high)))[1]
        scale = ldexp(1.0, min(max(-size, -1000), 1000))
        return scale, _pair(self.low * Fraction(scale)), _pair(step * Fraction(scale))


def _pair(number: Fraction) -> tuple[float, float]:
    first = float(number)
    return first, float(number - Fraction(first))


def _halves(x: Any) -> tuple[Any, Any]:
    """Numbers as sums of two of 26 bits.

    Source: Dekker 1971.
    """
    far = x * (2.0**27 + 1)
    upper = far - (far - x)
    return upper, x - upper


# The points of one variable.
Line: TypeAlias = "Patterns | Evenly"


@dataclass(frozen=True)
class Range:
    """What a user asks to be swept.

    Attributes:
        low, high: the ends; None for every finite number of the dtype.
        count: of the points; None for every number between them.
        text: as it was written.
    """

    low: Fraction | None
    high: Fraction | None
    count: int | None
    text: str

    def line(self, dtype: DType, count: int | None = None) -> Line:
        """The points in a dtype.

        Args:
            count: of points, where the range itself names none.
        Raises:
            PointError: the dtype has no number between the ends.
        """
        count = self.count if self.count is not None else count
        if self.low is None or self.high is None:
            first, last = 0, 2 * finite_count(dtype) - 1
        else:
            first, last = ranks_between(self.low, self.high, dtype)
            if last < first:
                raise mistake("bad-range", f"no {dtype.name} lies in {self.text}")
        if count is None:
            return Patterns(dtype, first, last, last - first + 1)
        if self.low is None or self.high is None:
            return Patterns(dtype, first, last, min(count, last + 1))
        largest = Fraction(dtype.largest)
        return Evenly(dtype, max(self.low, -largest), min(self.high, largest), count)


def ranks_between(low: Fraction, high: Fraction, dtype: DType) -> tuple[int, int]:
    """The ranks of the numbers nearest to `low` and to `high`, as a number of a point is read; the
    second is before the first where both are one number that lies outside.
    """
    first, last = _clipped(low, dtype), _clipped(high, dtype)
    start, stop = rank(first, dtype), rank(last, dtype)
    if start == stop and not low <= Fraction(first) <= high:
        return start, stop - 1
    start -= first == 0 and low == 0 and start == finite_count(dtype)
    return start, stop


def _clipped(value: Fraction, dtype: DType) -> float:
    """The nearest finite number of a dtype."""
    found = dtype.round(value)
    largest = float(dtype.largest)
    return found if isfinite(found) else copysign(largest, found)


def read_range(text: str, span: Span) -> Range:
    """`low:high`, `low:high:count` or `all`, at its place in a text.

    Raises:
        PointError: it is none of these.
    """
    span = stripped(text, span)
    words = text[slice(*span)]
    if words == "all":
        return Range(None, None, None, words)
    parts = [stripped(text, part) for part in split_at(text, span, ":")]
    if len(parts) not in (2, 3):
        message = f"`{words}` is no range"
        way_out = "a range is -4:4, 0:1:1000 or all"
        raise PointError([Mistake("bad-range", message, text, span, help=way_out)])
    low, high = (_finite(text, part) for part in parts[:2])
    if low == high:
        message = "the two ends of this range are the same number"
        way_out = "one number is a point: give it by `at`, and not by `over`"
        raise PointError([Mistake("bad-range", message, text, span, help=way_out)])
    if low > high:
        turned = ":".join(text[slice(*part)] for part in (parts[1], parts[0], *parts[2:]))
        instead = f"{text[: span.start]}{turned}{text[span.end :]}"
        message = "a range goes from low to high"
        raise PointError([Mistake("bad-range", message, text, span, instead=(instead,))])
    count = _count(text, parts[2]) if len(parts) == 3 else None
    return Range(low, high, count, words)


def _finite(text: str, span: Span) -> Fraction:
    number = read_number(text, span)
    if isinstance(number, Exact):
        return number.value
    way_out = "`all` means every finite number of the dtype"
    raise PointError([Mistake("bad-range", "a range ends at numbers", text, span, help=way_out)])


def _count(text: str, span: Span) -> int:
    words = text[slice(*span)]
    if words.isdecimal() and words.isascii() and len(words) < 12 and 1 < int(words) <= MOST_SWEPT:
        return int(words)
    what = f"`{words}` is no" if words.strip() else "there is no"
    message = f"{what} number of points from 2 to {MOST_SWEPT:,}"
    raise PointError([Mistake("bad-range", message, text, span)])
