"""From the settings of `sweep` to a run that is ready to go: its parts are checks like others."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.language.errors import Mistake, PointError, UserError, mistake
from gradcheck_cli.language.reading import read_program
from gradcheck_cli.questions.devices import devices_of
from gradcheck_cli.questions.naming import RANGES
from gradcheck_cli.questions.numbers import Exact, NonFinite
from gradcheck_cli.questions.points import Block, Points
from gradcheck_cli.questions.question import question_of
from gradcheck_cli.runs.plan import Plan, Selection, plan
from gradcheck_cli.runs.session import Session, new_session
from gradcheck_cli.suites.spec import Place, SuiteCase
from gradcheck_cli.sweeps.asked import USUAL_POINTS, Sweep, SweepQuestion

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
    chosen = plan(sweep_cases(read_program(text), settings), Selection())
    part, parts = settings.shard or (1, 1)
    tasks = tuple(task for k, task in enumerate(chosen.tasks) if k % parts == part - 1)
    chosen = Plan(chosen.count, tasks, (), len(tasks))
    words = ("at", "over", "points", "wrt", "dtype", "device", "cotangent", "strict", "seed")
    asked = [text, *(settings.said(name) for name in (*words, "shard"))]
    stem = f"{_NAME}-{sha256(repr(asked).encode()).hexdigest()[:12]}"
    return new_session(chosen, settings, stem)


def sweep_cases(program: Program, settings: Settings) -> list[SuiteCase]:
    """What is swept, as a case for each partial."""
    over, fixed = settings.over, _fixed(settings)
    if not over:
        way_out = "for example `--over x=-4:4`, other inputs fixed by `--at`"
        raise mistake("no-range", "a sweep needs a range", help=way_out)
    both = [name for name in over if name in fixed]
    if both:
        raise mistake("duplicate-value", f"`{both[0]}` is swept and fixed")
    sweep = Sweep(over, fixed, settings.draws, settings.seed, shared=True)
    sweep.require_counts("give all of them, such as x=0:1:100,y=0:1:50, or `--points`")
    if settings.draws is not None and all(range_.count for range_ in over.values()):
        message = "`--over` says how many points there are, and so does `--points`"
        raise mistake("conflicting-options", message, help="leave one of the two out")
    swept = [name for name in over if name in program.variables]
    wrt = settings.wrt or swept or program.variables[:1] or [*over]
    return [_case(program, settings, sweep, name) for name in wrt]


def _case(program: Program, settings: Settings, sweep: Sweep, wrt: str) -> SuiteCase:
    """The partial by one input.

    Raises:
        UserError: it cannot be swept.
    """
    question = question_of(program, sweep.names, (wrt,), cotangent=settings.cotangent, asked=RANGES)
    devices = devices_of(settings.device) if not settings.cluster else list(settings.device)
    runs = tuple((dtype, device) for dtype in settings.dtype for device in devices)
    for dtype, device in runs:
        sweep.track(dtype, f"say how many: `--points {USUAL_POINTS}`")
        asked = SweepQuestion(question, sweep, DTYPES[dtype], device)
        asked.require_sweepable()
        asked.require_numbers()
    return SuiteCase(
        id=f"{_NAME}::{wrt}",
        place=Place("", 1, 1),
        program=program,
        points=Points((Block(()),)),
        wrt=(wrt,),
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
    if others and isinstance(given := settings.at[others[0]], NonFinite):
        message = f"`{others[0]}` is fixed in a sweep: {given.text} is no finite number"
        raise mistake("not-finite", message)
    if others:
        way_out = "ranges are given by `--over`"
        message = f"`{others[0]}` is fixed in a sweep: it takes one number"
        raise PointError([Mistake("bad-point", message, help=way_out)])
    return dict(settings.at)
