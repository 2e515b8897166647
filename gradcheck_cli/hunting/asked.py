"""From the settings of `hunt` to a job, every mistake in them told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.hunting.job import HuntJob
from gradcheck_cli.hunting.space import Lane, Space, place_in_order
from gradcheck_cli.language.errors import Mistake, PointError, Span, UserError, mistake
from gradcheck_cli.language.reading import read_program
from gradcheck_cli.questions.devices import devices_of
from gradcheck_cli.questions.naming import RANGES
from gradcheck_cli.questions.numbers import Exact
from gradcheck_cli.questions.prepared import Oversize
from gradcheck_cli.questions.question import question_of
from gradcheck_cli.symbolic.client import Analyst

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gradcheck_cli.language.program import Program
    from gradcheck_cli.questions.question import Question
    from gradcheck_cli.questions.ranges import Range
    from gradcheck_cli.settings.values import Settings


def prepare_hunt(text: str, settings: Settings) -> HuntJob:
    """Everything that can be known before the first number is computed.

    Raises:
        UserError: with what is wrong in the program, the ranges and the options.
    """
    settings.require_readable()
    analyst = Analyst()
    analyst.start()
    try:
        spaces = list(_spaces(read_program(text), settings))
        over = ", ".join(f"{name}={range_.text}" for name, range_ in settings.over.items())
        return HuntJob(spaces, analyst, settings.budget, settings.seed, over)
    except BaseException:
        analyst.close()
        raise


def _spaces(program: Program, settings: Settings) -> Iterator[Space]:
    """One for each dtype and device."""
    over = settings.over
    mistakes = [*_not_ranges(over), *_not_numbers(settings)]
    if not over:
        way_out = "for example `--over x=-4:4`, or `--over x=all`"
        mistakes.append(
            Mistake("no-range", "a hunt is over a range of one input or more", help=way_out)
        )
    if mistakes:
        raise PointError(mistakes)
    fixed: dict[str, Exact] = dict(settings.at)
    question = _question(program, fixed, settings)
    for dtype in settings.dtype:
        for device in devices_of(settings.device):
            axes = tuple(_axis(name, range_, dtype) for name, range_ in over.items())
            space = Space(question, axes, fixed, DTYPES[dtype], device)
            expansion = space.prepared.expansion
            if isinstance(expansion, Oversize):
                raise mistake("too-large", f"nothing to hunt with: {expansion.reason}")
            yield space


def _question(program: Program, fixed: Mapping[str, Exact], settings: Settings) -> Question:
    over = settings.over
    integers = question_of(program, (*over, *fixed), settings.wrt, asked=RANGES).integers
    if not_numbers := integers & {*over}:
        name = sorted(not_numbers)[0]
        raise mistake("bad-range", f"`{name}` holds class indices: there is nothing to hunt for")
    question = question_of(
        program,
        (*over, *fixed),
        settings.wrt or tuple(over),
        cotangent=settings.cotangent,
        words=settings.repeated(),
    )
    if question.held is not None:
        raise mistake("conflicting-options", "a hunt is by inputs, not by assigned names")
    return question


def _axis(name: str, range_: Range, dtype: str) -> Lane:
    line = range_.line(DTYPES[dtype])
    return Lane(name, *(place_in_order(line.value(k), DTYPES[dtype]) for k in (0, line.count - 1)))


def _not_ranges(over: Mapping[str, Range]) -> Iterator[Mistake]:
    """Ranges that count their points."""
    for name, range_ in over.items():
        if range_.count is not None:
            text = f"{name}={range_.text}"
            colon = text.rindex(":")
            message = "a hunt tries any number of a range, and counts none"
            way_out = f"write `--over {text[:colon]}`; `--budget {range_.count}` counts the points"
            yield Mistake("bad-range", message, text, Span(colon, len(text)), help=way_out)


def _not_numbers(settings: Settings) -> Iterator[Mistake]:
    """What `--at` gives beside numbers."""
    if "at" in settings.unread:
        raise UserError(settings.mistakes)
    for name, value in settings.at.items():
        if name in settings.over:
            yield Mistake("duplicate-value", f"`{name}` is hunted over and fixed")
        elif not isinstance(value, Exact):
            message = f"`{name}` is fixed in a hunt: it takes one number"
            way_out = "write the program with names for single numbers, as `[x, y]` for an array"
            yield Mistake("bad-point", message, help=way_out)
