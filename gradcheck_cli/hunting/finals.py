"""What a hunt found: shrunk, and checked by everybody."""

from __future__ import annotations

import shlex
from dataclasses import replace
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal, localcontext
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from gradcheck_cli.checks.check import check_batches, panel
from gradcheck_cli.checks.reproduce import reproduce
from gradcheck_cli.hunting.judging import judged
from gradcheck_cli.hunting.shrinking import shortest_text, shrunk
from gradcheck_cli.hunting.telling import IN_BATCHES, case_note, hunt_notes
from gradcheck_cli.questions.batching import batches
from gradcheck_cli.questions.numbers import Exact
from gradcheck_cli.questions.ranges import finite_count, number_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gradcheck_cli.checks.result import Result
    from gradcheck_cli.dtypes import DType
    from gradcheck_cli.hunting.hunt import Hunter
    from gradcheck_cli.hunting.judging import Judged
    from gradcheck_cli.hunting.space import Space
    from gradcheck_cli.symbolic.client import Analyst

# Digits that hold the middle of any two neighbours exactly.
_EXACT = 1_200


class Final(NamedTuple):
    """One point of the report.

    Attributes:
        command: what finds it again, where a check of it alone does not.
    """

    result: Result
    command: str = ""


def finals(hunter: Hunter, analyst: Analyst, over: str, *, shrink: bool) -> Iterator[Final]:
    """The worst points, the worst kind first.

    Args:
        over: the ranges as written.
    """
    asked, finds = hunter.judge.asked, hunter.finds
    notes = [*hunt_notes(hunter, over, asked, finds)] if finds else []
    for find in finds:
        simple = shrunk(hunter.judge, find) if shrink else find
        result, command = _checked(hunter.space, simple, analyst)
        notes += [case_note(hunter.space, find, simple), IN_BATCHES if command else ""]
        yield Final(replace(result, notes=(*filter(None, notes), *result.notes)), command)
        notes = []


def _checked(space: Space, find: Judged, analyst: Analyst) -> tuple[Result, str]:
    """A point, checked as `check` does, its numbers written as short as may be.

    torch may answer otherwise where it computes many numbers at once: the point that was found
    there is checked there, too, and a command of its own finds it again.
    """
    texts = {n: shortest_text(v, space.dtype) for n, v in space.values(find.place).items()}
    point = {name: Exact(Fraction(text), text) for name, text in texts.items()}
    given = {**space.fixed, **point}
    runs, witnesses = [(space.dtype, space.device)], panel(analyst)
    (alone,) = check_batches(batches(space.question, [given], runs), witnesses)
    if not _shows(alone, find):
        twice = batches(space.question, [given, given], runs)
        together = next(check_batches(twice, witnesses))
        if _shows(together, find):
            return together, _hunt_again(space, find, together)
    return alone, ""


def _shows(result: Result, find: Judged) -> bool:
    """Whether a full check shows what was found, and torch about as far off."""
    ulps = judged(find.place, result.verdicts).ulps
    return result.outcome is find.outcome and ulps >= min(find.ulps, _MUCH) / 2


# A distance beyond which nothing is to be seen of it.
_MUCH = 1e300


def _hunt_again(space: Space, find: Judged, result: Result) -> str:
    """The command of a hunt over the point alone, or over it and a neighbour."""
    words = shlex.split(reproduce(result.evidence.point))
    at = words.index("--at")
    fixed = ",".join(f"{name}={value.text}" for name, value in space.fixed.items())
    options = ["--at", fixed] if fixed else []
    if "--wrt" not in words and space.question.wrt != tuple(axis.name for axis in space.axes):
        options += ["--wrt", ",".join(space.question.wrt)]
    places = zip(space.axes, find.place, strict=True)
    over = ",".join(f"{axis.name}={range_text(place, space.dtype)}" for axis, place in places)
    return shlex.join([words[0], "hunt", *words[1:at], "--over", over, *options, *words[at + 2 :]])


def range_text(place: int, dtype: DType) -> str:
    """A range whose ends are two ways to write the number at a place: it holds no other."""
    steps = (-1 - (place == 0), 0, 1)  # -0 is no other number than 0
    before, number, after = (_number_near(place + step, dtype) for step in steps)
    with localcontext(prec=_EXACT):
        below, above = (before + number) / 2, (number + after) / 2
        beside = (number + above) / 2
    low = _between(below, number, ROUND_FLOOR)
    high = _between(above, number, ROUND_CEILING)
    return f"{low}:{high if high != low else _between(above, beside, ROUND_CEILING)}"


def _number_near(place: int, dtype: DType) -> Decimal:
    """The number at a place; beyond the largest one infinity."""
    most = finite_count(dtype)
    if not -most <= place < most:
        return Decimal("inf") if place > 0 else Decimal("-inf")
    return Decimal(number_at(place + most, dtype))


def _between(other: Decimal, number: Decimal, rounding: str) -> str:
    """The fewest digits that mean the number, or one on the way to another."""
    digits, text = 0, other
    while text == other or not min(other, number) <= text <= max(other, number):
        digits += 1
        text = Context(prec=digits, rounding=rounding).plus(number)
    return f"{text:f}" if -5 < text.adjusted() < 16 else f"{text:e}".replace("e+", "e")
