"""The worst points, made as simple as they can be while they still show the same."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from itertools import product
from math import isinf
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gradcheck_cli.dtypes import DType
    from gradcheck_cli.hunting.judging import Judge, Judged
    from gradcheck_cli.hunting.space import Space

# Simpler points that are judged together, the simplest first; and how often all inputs are gone
# through.
_TOGETHER, _PASSES = 16, 4
# More digits than any dtype has.
_DIGITS = 17


def shortest_text(number: float, dtype: DType) -> str:
    """The fewest decimal digits that mean a number of the dtype."""
    for digits in range(1, _DIGITS + 1):
        text = _decimal(number, digits)
        if dtype.round(Fraction(text)) == number:
            return text
    return repr(number)


def _decimal(number: float, digits: int) -> str:
    """So many significant digits, as people write them; beyond the largest number, too."""
    mantissa, _, power = f"{number:.{digits - 1}e}".partition("e")
    exponent = int(power)
    if "." in mantissa:
        mantissa = mantissa.rstrip("0").removesuffix(".")
    if -5 < exponent < 16 or float(mantissa) == 0:
        return f"{Decimal(mantissa).scaleb(exponent):f}"
    return f"{mantissa}e{exponent}"


def shrunk(judge: Judge, found: Judged) -> Judged:
    """A point with fewer digits, of the same outcome and cause, and at least half as far off."""
    best = found
    for _ in range(_PASSES):
        before = best
        best = _simplest(judge, found, best, _together(judge.space, best.place))
        for axis in range(len(best.place)):
            best = _simplest(judge, found, best, _alone(judge.space, best.place, axis))
        if best.place == before.place:
            break
    return best


def _simplest(
    judge: Judge, found: Judged, best: Judged, places: Iterable[tuple[int, ...]]
) -> Judged:
    """The simplest of some points that still shows what was found; `best` if none is simpler."""
    space = judge.space
    sizes = {place: _complexity(space, place) for place in places}
    limit = _complexity(space, best.place)
    simpler = sorted((size, place) for place, size in sizes.items() if size < limit)
    for i in range(0, len(simpler), _TOGETHER):
        rows = [place for _, place in simpler[i : i + _TOGETHER]]
        judge.judge(np.array(rows, dtype=np.int64))
        for row in rows:
            if _shows(judge.known[row], found):
                return judge.known[row]
    return best


def _shows(each: Judged, found: Judged) -> bool:
    same = (each.outcome, each.cause) == (found.outcome, found.cause)
    return same and (isinf(each.ulps) if isinf(found.ulps) else each.ulps >= found.ulps / 2)


def _complexity(space: Space, place: tuple[int, ...]) -> tuple[int, int, float]:
    """Smaller for what is easier to write: digits and signs, exponents, then sizes."""
    values = space.values(place).values()
    texts = [shortest_text(value, space.dtype) for value in values]
    digits = sum(
        len(text.partition("e")[0].lstrip("-").replace(".", "").strip("0")) for text in texts
    )
    return digits, sum(map(len, texts)), sum(map(abs, values))


def _alone(space: Space, place: tuple[int, ...], axis: int) -> Iterator[tuple[int, ...]]:
    """Points that differ in one input."""
    values = space.values(place)
    name = space.axes[axis].name
    for number in _simpler(values[name]):
        moved = space.place({n: Fraction(v) for n, v in values.items()} | {name: number})
        if moved is not None:
            yield moved


def _together(space: Space, place: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """Points of which all inputs are rounded alike, or are 0, 1 or -1."""
    if len(place) == 1:
        return
    values = space.values(place)
    rows = [
        {name: Fraction(_decimal(value, digits)) for name, value in values.items()}
        for digits in range(1, _DIGITS)
    ]
    if len(place) <= _DIGITS // 4:
        rows += [
            dict(zip(values, map(Fraction, r), strict=True))
            for r in product((0, 1, -1), repeat=len(place))
        ]
    for row in rows:
        moved = space.place(row)
        if moved is not None:
            yield moved


def _simpler(value: float) -> Iterator[Fraction]:
    """Numbers that are easier to write than one, and not far from it; and 0, ±1, ±2."""
    yield from map(Fraction, (0, 1, -1, 2, -2))
    yield Fraction(round(value))
    for digits in range(1, _DIGITS):
        text = _decimal(value, digits)
        number = Fraction(text)
        # One step of the last digit up and down: the nearest number may lie on the other side.
        step = Fraction(10) ** (_exponent(value) - digits + 1)
        yield from (number, number + step, number - step)


def _exponent(value: float) -> int:
    return int(f"{value:e}".partition("e")[2])
