"""The Python API: the same checks from code and tests."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any
from unicodedata import normalize

from gradcheck_cli.checks.check import check_batches, panel
from gradcheck_cli.checks.report import LiveReport, report_of
from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.judge.evidence import tolerance_of
from gradcheck_cli.language.errors import UserError, mistake, object_text
from gradcheck_cli.language.parse import parse
from gradcheck_cli.questions.batching import batches
from gradcheck_cli.questions.devices import devices_of
from gradcheck_cli.questions.numbers import Grid
from gradcheck_cli.questions.points import points_of
from gradcheck_cli.questions.python_numbers import read_object
from gradcheck_cli.questions.question import PYTHON, question_of
from gradcheck_cli.settings.python_texts import settings_of_values
from gradcheck_cli.symbolic.client import Analyst

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from decimal import Decimal
    from fractions import Fraction
    from typing import TypeAlias

    import torch

    from gradcheck_cli.questions.batch import Batch
    from gradcheck_cli.questions.numbers import Nested
    from gradcheck_cli.settings.values import Settings

    Real: TypeAlias = float | Fraction | Decimal | str

__all__ = ["UserError", "assert_gradient", "check"]


def check(
    text: str,
    at: Mapping[str, Any],
    *,
    wrt: Sequence[str] = (),
    cotangent: Any = None,
    dtype: str | torch.dtype | Sequence[str | torch.dtype] = "float64",
    device: str | torch.device | Sequence[str | torch.device] = "cpu",
    rtol: Real | None = None,
    atol: Real | None = None,
    step: Real | None = None,
    modes: str | Sequence[str] = (),
    strict: bool = False,
    order: int = 1,
    jacobian: bool = False,
) -> LiveReport:
    """Everything that is found out about the gradient of a program.

    Args:
        text: a program, as on the command line.
        at: for each input a number, a text such as `"pi/4"` or `"0:1:5"`, nested lists, an array or
            a tensor. A float means exactly that float64; a text, a `Decimal` and a `Fraction` are
            rounded once, to the dtype.
        cotangent: upstream gradient shaped like the result; ones if None.
        dtype, device: a name, torch's own object for it, or several of these.
        rtol, atol: the user's own tolerance instead of the computed one.
        modes: further ways of torch to the gradient: forward, create_graph, vmap.
        strict: let `imprecise` and `kink` fail as well (see `Report.exit_code`).
        order: 2 checks second derivatives.
        jacobian: check every element of the value by every input.
    Raises:
        UserError: the text or the point is not what the language accepts.
    """
    settings = settings_of_values(
        {
            "wrt": wrt,
            "dtype": dtype,
            "device": device,
            "rtol": rtol,
            "atol": atol,
            "step": step,
            "modes": modes or None,
            "strict": strict,
            "order": None if order == 1 else order,
            "jacobian": None if jacobian is False else jacobian,
        }
    )
    groups = _batches(text, at, cotangent, settings)
    tolerance = tolerance_of(settings.rtol, settings.atol)
    analyst = Analyst()
    try:
        analyst.start()  # SymPy's import, beside that of torch
        with _plain_torch(settings.device):
            witnesses = panel(analyst, settings.step, settings.modes)
            results = check_batches(groups, witnesses, tolerance)
            return report_of(list(results), strict=settings.strict)
    finally:
        analyst.close()


@contextmanager
def _plain_torch(devices: Sequence[str]) -> Iterator[None]:
    """torch as it is by itself, whatever the caller has switched on or off around the call: without
    a gradient every path would be missing, and what casts or looks for NaN computes something else.
    """
    import torch

    kinds = sorted({torch.device(name).type for name in devices_of(devices)})
    with ExitStack() as stack:
        stack.enter_context(torch.inference_mode(mode=False))
        stack.enter_context(torch.enable_grad())
        stack.enter_context(torch.autograd.set_detect_anomaly(False))
        if torch.get_default_device().type != "cpu":
            stack.enter_context(torch.device("cpu"))
        for kind in kinds:
            stack.enter_context(torch.autocast(kind, enabled=False))
        yield


def _batches(
    text: str, at: Mapping[str, Any], cotangent: Any, settings: Settings
) -> list[tuple[Batch, ...]]:
    """All that is asked, for each dtype and device."""
    if not isinstance(text, str):
        raise mistake("wrong-type", f"a program is a text, not {object_text(text)}")
    weights = None if cotangent is None else read_object("cotangent", cotangent)
    if isinstance(weights, Grid):
        raise mistake("bad-number", "a cotangent is no grid")
    points = _points(at)
    words = settings.repeated()
    question = question_of(
        parse(text),
        points,
        settings.wrt,
        cotangent=weights,
        words=words,
        order=settings.order,
        jacobian=settings.jacobian,
        asked=PYTHON,
    )
    devices = devices_of(settings.device)
    runs = [(DTYPES[name], place) for name in settings.dtype for place in devices]
    spell = [name for name, value in points.items() if isinstance(value, Grid)]
    return list(batches(question, points_of(points), runs, spell))


def assert_gradient(text: str, at: Mapping[str, Any], **options: Any) -> LiveReport:
    """The Report of `check`, if nothing is wrong and everything could be verified.

    Raises:
        AssertionError: the exit code is not 0; the message is the report's table.
        UserError: as `check`.
    """
    from gradcheck_cli.reports.table import render

    report = check(text, at, **options)
    if report.exit_code:
        raise AssertionError("\n" + render(report))
    return report


def _points(at: Any) -> dict[str, Nested | Grid]:
    """What each input is set to."""
    if not isinstance(at, Mapping) or not all(isinstance(name, str) for name in at):
        wanted = '`at` takes names of inputs with their values, such as {"x": 3}'
        raise mistake("bad-point", f"{wanted}, not {object_text(at)}")
    # As Python reads names in the program: NFKC.
    return {normalize("NFKC", name): read_object(name, value) for name, value in at.items()}
