"""From the settings of `sweep` to a run that is ready to go: its parts are checks like others."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.language.errors import Mistake, PointError, UserError, mistake
from gradcheck_cli.language.reading import read_program
from gradcheck_cli.questions.devices import devices_of
from gradcheck_cli.questions.numbers import Exact
from gradcheck_cli.questions.points import Block, Points
from gradcheck_cli.questions.question import question_of
from gradcheck_cli.runs.plan import Plan, Selection, plan
from gradcheck_cli.runs.session import Session, new_session
from gradcheck_cli.suites.spec import Place, SuiteCase
from gradcheck_cli.sweeps.asked import Sweep, SweepQuestion

if TYPE_CHECKING:
    from gradcheck_cli.language.program import Program
    from gradcheck_cli.settings.values import Settings

_NAME = "sweep"


def prepare_sweep(text: str, settings: Settings) -> Session:
    """A sweep ready to go.

    Raises:
        UserError: with every mistake that can be known before.
    """
    settings.require_readable()
    case = sweep_case(read_program(text), settings)
    chosen = plan([case], Selection())
    part, parts = settings.shard or (1, 1)
    tasks = tuple(task for k, task in enumerate(chosen.tasks) if k % parts == part - 1)
    chosen = Plan(chosen.count, tasks, (), len(tasks))
    words = ("at", "over", "points", "wrt", "dtype", "device", "cotangent", "strict", "seed")
    asked = [text, *(settings.said(name) for name in (*words, "shard"))]
    stem = f"{_NAME}-{sha256(repr(asked).encode()).hexdigest()[:12]}"
    return new_session(chosen, settings, stem)


def sweep_case(program: Program, settings: Settings) -> SuiteCase:
    """What is swept, as a case."""
    over, fixed = settings.over, _fixed(settings)
    if len(over) != 1:
        way_out = "for example `--over x=-4:4`, the other inputs fixed by `--at`"
        raise mistake("no-range", "a sweep is over one input", help=way_out)
    ((moving, range_),) = over.items()
    if moving in fixed:
        raise mistake("duplicate-value", f"`{moving}` is swept and fixed")
    wrt = settings.wrt or (moving,)
    if len(wrt) != 1:
        raise mistake("conflicting-options", "a sweep is of one partial: `--wrt` names one input")
    question = question_of(program, (moving, *fixed), wrt, cotangent=settings.cotangent)
    sweep = Sweep(moving, range_, fixed, settings.draws, settings.seed)
    devices = devices_of(settings.device) if not settings.cluster else list(settings.device)
    runs = tuple((dtype, device) for dtype in settings.dtype for device in devices)
    for dtype, device in runs:
        sweep.line(dtype)
        SweepQuestion(question, sweep, DTYPES[dtype], device).require_sweepable()
    return SuiteCase(
        id=_NAME,
        place=Place("", 1, 1),
        program=program,
        points=Points((Block(()),)),
        wrt=wrt,
        cotangent=settings.cotangent,
        runs=runs,
        settings={"strict": settings.strict, "timeout": settings.timeout},
        given=settings.repeated(),
        again=(_NAME, program.written or program.text, *settings.command(_NAME)[1:]),
        over=sweep,
    )


def _fixed(settings: Settings) -> dict[str, Exact]:
    """The numbers of `--at`.

    Raises:
        PointError: something else is given there.
    """
    if "at" in settings.unread:
        raise UserError(settings.mistakes)
    others = [name for name, value in settings.at.items() if not isinstance(value, Exact)]
    if others:
        way_out = "ranges are given by `--over`"
        message = f"`{others[0]}` is fixed in a sweep: it takes one number"
        raise PointError([Mistake("bad-point", message, help=way_out)])
    return dict(settings.at)
