"""`gradcheck fn`: a person's own function, `autograd.Function`, module or NumPy pair."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gradcheck_cli.cli.context import show_settings_page
from gradcheck_cli.cli.entry import command
from gradcheck_cli.cli.exports import Delivery, require_places
from gradcheck_cli.cli.help_pages import EXITS
from gradcheck_cli.cli.options import ShowSettings, with_settings
from gradcheck_cli.cli.streams import wants_progress
from gradcheck_cli.language.errors import mistake
from gradcheck_cli.settings.values import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gradcheck_cli.code.client import CodeJob
    from gradcheck_cli.records.record import Record

ObjectArgument = Annotated[
    str,
    typer.Argument(
        metavar="PKG.MOD:OBJ",
        help="A function, autograd.Function or module; FILE.py:OBJ works as well.",
    ),
]


@command(
    "fn",
    'gradcheck fn torch.nn:GELU --arg "input=randn(3)"',
    'gradcheck fn torch.nn.functional:cross_entropy --arg "input=randn(2, 3)" '
    '--arg "target=int:[0, 2]"',
    exits={code: text for code, text in EXITS.items() if code != "5"},
    topics=("functions", "outcomes", "glossary"),
)
@with_settings("fn")
def fn_command(
    context: typer.Context,
    *,
    object: ObjectArgument = "",  # noqa: A002 - the word that users read
    settings: Settings,
    show_settings: ShowSettings = False,
) -> None:
    """Check the gradient of your own function or module. It is imported, and so run."""
    from gradcheck_cli.records.record import line_of
    from gradcheck_cli.records.report import Report
    from gradcheck_cli.records.versions import versions

    show_settings_page(context, show_settings)
    settings.require_readable()
    if not object:
        raise mistake("no-object", "there is nothing to check", help="name it as PKG.MOD:OBJ")
    _require_one_standard(settings)
    require_places(settings.export)
    delivery = Delivery(settings)
    interrupted = False
    records: list[Record] = []
    try:
        for job in _jobs(object, settings):
            record = _checked(job, settings)
            records.append(record)
            if settings.format == "jsonl" and not delivery.stream(line_of(record)):
                break
    except KeyboardInterrupt:
        interrupted = True
    report = Report(
        records=records,
        command=["gradcheck", *sys.argv[1:]],
        environment=versions(),
        interrupted=interrupted,
    )
    raise typer.Exit(delivery.deliver(report, quiet=settings.quiet).exit_code)


def _require_one_standard(settings: Settings) -> None:
    """Nothing, if the function is to be held against one thing.

    Raises:
        UserError: against several.
    """
    from gradcheck_cli.code.standards import STANDARDS

    said = [f"--{name}" for name in STANDARDS if settings.said(name) is not None]
    if len(said) > 1:
        message = f"{' and '.join(said)} exclude each other"
        raise mistake("conflicting-options", message, help="a function is held against one of them")


def _jobs(title: str, settings: Settings) -> Iterator[CodeJob]:
    """A job for each dtype and device."""
    from gradcheck_cli.code.client import CodeJob
    from gradcheck_cli.judge.evidence import tolerance_of
    from gradcheck_cli.questions.devices import devices_of

    said = settings.variants
    variants = None if said == ("all",) else () if said == ("none",) else said
    tolerance = tolerance_of(settings.rtol, settings.atol)
    for device in devices_of(settings.device):
        for dtype in settings.dtype:
            yield CodeJob(
                object=title,
                arguments=settings.arg,
                wrt=settings.wrt,
                dtype=dtype,
                device=device,
                cotangent=_weights(settings.cotangent),
                seed=settings.seed,
                variants=variants,
                order=settings.order,
                tolerance=None if tolerance is None else (tolerance.rtol, tolerance.atol),
                strict=settings.strict,
                spec=settings.spec,
                twin=settings.twin,
                backward=settings.backward,
                meant=settings.backward_spec,
                repeat=settings.repeat,
            )


def _weights(given: Any) -> list[float] | None:
    """A cotangent row-major."""
    from gradcheck_cli.dtypes import DTYPES
    from gradcheck_cli.questions.arrays import float_array

    if given is None:
        return None
    array = float_array(given, "cotangent", DTYPES["float64"], [])
    found: list[float] = array.reshape(-1).tolist()
    return found


def _checked(job: CodeJob, settings: Settings) -> Record:
    from gradcheck_cli.code.client import record_of_code
    from gradcheck_cli.memory import usable_memory

    memory = settings.max_memory or usable_memory()
    record = record_of_code(job, settings.timeout, memory, _progress)
    _progress("")
    return record


def _progress(step: str) -> None:
    """What is being tried, on stderr."""
    if wants_progress(2):
        sys.stderr.write(f"\r\x1b[K{step}")
        sys.stderr.flush()
