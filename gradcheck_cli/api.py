"""The Python API: the same checks from code and tests."""

from __future__ import annotations

from fractions import Fraction
from math import isfinite
from typing import TYPE_CHECKING, Any

from gradcheck_cli.checks.check import check_batches, panel
from gradcheck_cli.checks.report import LiveReport, report_of
from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.judge.evidence import tolerance_of
from gradcheck_cli.language.errors import mistake
from gradcheck_cli.language.reading import read_program
from gradcheck_cli.questions.batching import batches
from gradcheck_cli.questions.devices import devices_of
from gradcheck_cli.questions.numbers import Exact, Grid, Nested, NonFinite, read_value
from gradcheck_cli.questions.points import points_of
from gradcheck_cli.questions.question import question_of
from gradcheck_cli.settings.values import settings_of_values
from gradcheck_cli.symbolic.client import Analyst

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gradcheck_cli.questions.batch import Batch
    from gradcheck_cli.settings.values import Settings


def check(
    text: str,
    at: Mapping[str, Any],
    *,
    wrt: Sequence[str] = (),
    cotangent: Any = None,
    dtype: str | Sequence[str] = "float64",
    device: str | Sequence[str] = "cpu",
    rtol: float | None = None,
    atol: float | None = None,
    step: float | None = None,
    modes: str | Sequence[str] = (),
    strict: bool = False,
    order: int = 1,
    jacobian: bool = False,
) -> LiveReport:
    """Everything that is found out about the gradient of a program.

    Args:
        text: a program, as on the command line.
        at: for each input a number, a text such as `"pi/4"` or `"0:1:5"`, nested lists, an array or
            a tensor. A float means exactly that float64; a text is rounded once, to the dtype.
        cotangent: upstream gradient shaped like the result; ones if None.
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
            "jacobian": jacobian or None,
        }
    )
    groups = _batches(text, at, cotangent, settings)
    tolerance = tolerance_of(settings.rtol, settings.atol)
    analyst = Analyst()
    try:
        results = check_batches(groups, panel(analyst, settings.step, settings.modes), tolerance)
        return report_of(list(results), strict=strict)
    finally:
        analyst.close()


def _batches(
    text: str, at: Mapping[str, Any], cotangent: Any, settings: Settings
) -> list[tuple[Batch, ...]]:
    """All that is asked, for each dtype and device."""
    weights = None if cotangent is None else _nested("cotangent", cotangent)
    if isinstance(weights, Grid):
        raise mistake("bad-number", "a cotangent is no grid")
    points = {name: _nested(name, value) for name, value in at.items()}
    words = settings.repeated()
    question = question_of(
        read_program(text),
        points,
        settings.wrt,
        cotangent=weights,
        words=words,
        order=settings.order,
        jacobian=settings.jacobian,
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


def _nested(name: str, value: Any) -> Nested | Grid:
    if isinstance(value, str):
        return read_value(value)
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, list | tuple):
        items = [_nested(name, item) for item in value]
        if any(isinstance(item, Grid) for item in items):
            raise mistake("bad-number", f"`{name}` has a grid inside a list")
        return items  # type: ignore[return-value]  # no Grid is left
    if isinstance(value, bool) or not isinstance(value, int | float | Fraction):
        raise mistake("bad-number", f"`{name}` = {value!r} is not a number")
    if isinstance(value, float) and not isfinite(value):
        return NonFinite(value, repr(value))
    return Exact(
        Fraction(value),
        repr(value),
        isinstance(value, float) and value == 0 and str(value).startswith("-"),
    )
