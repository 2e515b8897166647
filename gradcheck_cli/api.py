"""The Python API: the same checks from code and tests."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack, contextmanager
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar
from unicodedata import normalize

from gradcheck_cli.checks.check import check_batches, panel
from gradcheck_cli.checks.report import LiveReport, report_of
from gradcheck_cli.checks.result import Result
from gradcheck_cli.checks.stated import stated_question
from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.judge.evidence import tolerance_of
from gradcheck_cli.judge.verdict import Verdict
from gradcheck_cli.language.errors import (
    Mistake,
    PointError,
    ProgramError,
    UserError,
    mistake,
    object_text,
)
from gradcheck_cli.questions.batching import batches
from gradcheck_cli.questions.cells import read_questions
from gradcheck_cli.questions.devices import devices_of
from gradcheck_cli.questions.naming import PYTHON
from gradcheck_cli.questions.numbers import Grid
from gradcheck_cli.questions.points import Sample, points_of
from gradcheck_cli.questions.python_numbers import read_object
from gradcheck_cli.records.outcome import Cause, Outcome
from gradcheck_cli.records.report import Report
from gradcheck_cli.settings.python_texts import settings_of_values
from gradcheck_cli.symbolic.client import Analyst
from gradcheck_cli.witnesses.chain import chain_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from decimal import Decimal
    from fractions import Fraction
    from typing import TypeAlias

    import torch

    from gradcheck_cli.questions.batch import Batch
    from gradcheck_cli.questions.points import Given
    from gradcheck_cli.settings.values import Settings

    Real: TypeAlias = float | Fraction | Decimal | str

__all__ = [
    "Cause",
    "LiveReport",
    "Mistake",
    "Outcome",
    "PointError",
    "ProgramError",
    "Report",
    "Result",
    "UserError",
    "Verdict",
    "assert_gradient",
    "check",
]

P = ParamSpec("P")
T = TypeVar("T")


def _without_frames(function: Callable[P, T]) -> Callable[P, T]:
    """The same function, and the traceback of a user's mistake ends where it is called."""

    @wraps(function)
    def run(*args: P.args, **options: P.kwargs) -> T:
        __tracebackhide__ = True  # pytest and IPython leave such a frame out
        try:
            return function(*args, **options)
        except UserError as error:
            raise error.with_traceback(None) from None

    return run


@_without_frames
def check(
    text: str | Callable[..., Any],
    at: Mapping[str, Any] = {},
    *,
    wrt: Sequence[str] = (),
    cotangent: Any = None,
    dtype: str | torch.dtype | Sequence[str | torch.dtype] | None = None,
    device: str | torch.device | Sequence[str | torch.device] = "cpu",
    rtol: Real | None = None,
    atol: Real | None = None,
    step: Real | None = None,
    modes: str | Sequence[str] = (),
    strict: bool = False,
    order: int = 1,
    jacobian: bool = False,
    trace: bool = False,
    claim: str | Sequence[str] | Mapping[str, str] = (),
    points: int | None = None,
    seed: int | None = None,
    spec: str | None = None,
    twin: Callable[..., Any] | None = None,
    backward: Callable[..., Any] | None = None,
    backward_spec: str | None = None,
    variants: str | Sequence[str] | None = None,
    repeat: int = 1,
) -> LiveReport:
    """Everything that is found out about the gradient of a program, or of a function of the
    caller's, which is run.

    Args:
        text: a program, or a cell of a notebook, which is read and never run, as on the command
            line; or a function of tensors, an `autograd.Function` or a module (see
            `gradcheck fn --help`), `at` having its arguments.
        at: for each input a number, a text such as `"pi/4"`, `"0:1:5"` or `"randn(3)"`, nested
            lists, an array or a tensor. A float means exactly that float64; a text, a `Decimal` and
            a `Fraction` are rounded once, to the dtype. It counts before the values of a cell.
        wrt: the inputs to differentiate; all if empty. A name that the program assigns is held at
            its value.
        cotangent: upstream gradient shaped like the result; ones if None.
        dtype, device: a name, torch's own object for it, or several of these; for None those of a
            cell's tensors, else float64.
        rtol, atol: the user's own tolerance instead of the computed one.
        step: a plain central difference with this step as the numeric opinion.
        modes: further ways of torch to the gradient: forward, create_graph, vmap.
        strict: let `imprecise` and `kink` fail as well (see `Report.exit_code`).
        order: 2 checks second derivatives.
        jacobian: check every element of the value by every input.
        trace: write the chain rule down, step by step: in the report's table, and as `trace` in its
            records.
        claim: a derivative by hand, such as `"x = 2*x"` or `"dz = a - y; dW = x.T @ dz"`, or
            several, or a mapping such as `{"x": "2*x"}`.
        spec, twin, backward_spec: what a function is held against instead of its own forward: a
            program, another function, or a program whose gradient is meant.
        backward: of a function of NumPy arrays its backward.
        variants: of a function the calls that are tried beside the one asked for; all if None.
        repeat: how often a function is run to see whether it gives the same.
        points, seed: how many points are drawn where `at` names a distribution, and their seed.
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
            "trace": None if trace is False else trace,
            "claim": claim or None,
            "points": points,
            "seed": seed,
        }
    )
    against = {"spec": spec, "twin": twin, "backward": backward, "backward_spec": backward_spec}
    of_code = {**against, "variants": variants, "repeat": None if repeat == 1 else repeat}
    said = {name: value for name, value in of_code.items() if value is not None}
    if isinstance(text, str):
        _refuse(said, "are for functions, and this is a program")
        return _report(_batches(text, at, cotangent, settings), settings)
    _require_callable(text)
    of_programs = {"step", "modes", "jacobian", "trace", "claim", "points"} & settings.above.keys()
    _refuse(sorted(of_programs), "are for programs, and this is a function")
    return _report_of_code(text, at, cotangent, said, settings)


def _refuse(names: Iterable[str], why: str) -> None:
    """Nothing, if there are no such options."""
    words = ", ".join(f"`{name}`" for name in names)
    if words:
        raise mistake("conflicting-options", f"{words} {why}")


def _report_of_code(
    found: Callable[..., Any],
    at: Mapping[str, Any],
    cotangent: Any,
    said: Mapping[str, Any],
    settings: Settings,
) -> LiveReport:
    """The Report on a function, for each dtype and device."""
    # What runs code is loaded for those who have some.
    from gradcheck_cli.code.python import results_of_code

    with _plain_torch(settings.device):
        results = results_of_code(found, _named(at), cotangent, said, settings)
        return report_of(list(results), strict=settings.strict)


def _report(groups: list[tuple[Batch, ...]], settings: Settings) -> LiveReport:
    tolerance = tolerance_of(settings.rtol, settings.atol)
    analyst = Analyst()
    try:
        analyst.start()  # SymPy's import, beside that of torch
        with _plain_torch(settings.device):
            witnesses = panel(analyst, settings.step, settings.modes)
            chain = chain_of(analyst, trace=settings.trace, every=False)
            results = check_batches(groups, witnesses, tolerance, chain)
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


def _require_callable(text: Any) -> None:
    """Nothing, if what is no text can be called."""
    if callable(text):
        return
    message = f"a program is a text or a function, not a value of type `{type(text).__name__}`"
    way_out = 'write what it computes, such as check("sigmoid(x**2)", {"x": 3})'
    raise ProgramError([Mistake("wrong-type", message, help=way_out)])


def _batches(
    text: str, at: Mapping[str, Any], cotangent: Any, settings: Settings
) -> list[tuple[Batch, ...]]:
    """All that is asked, for each dtype and device."""
    weights = None if cotangent is None else read_object("cotangent", cotangent)
    if isinstance(weights, Grid | Sample):
        kind = "grid" if isinstance(weights, Grid) else "distribution"
        raise mistake("bad-number", f"a cotangent is no {kind}")
    points = _points(at)
    devices = devices_of(settings.device)
    spell = [name for name, value in points.items() if isinstance(value, Grid)]
    groups: list[tuple[Batch, ...]] = []
    for stated in read_questions(text, points):
        question = stated_question(stated, settings, points, weights, PYTHON)
        drawn = points_of(stated.point(points), settings.seed, settings.draws)
        dtypes = stated.dtypes(settings.dtype, is_said="dtype" in settings.above)
        runs = [(DTYPES[name], place) for name in dtypes for place in devices]
        groups += batches(question, drawn, runs, spell)
    return groups


@_without_frames
def assert_gradient(
    text: str | Callable[..., Any],
    at: Mapping[str, Any] = {},
    **options: Any,
) -> LiveReport:
    """The Report of `check`, if nothing is wrong and everything could be verified.

    Args:
        options: those of `check`.
    Raises:
        AssertionError: the exit code is not 0; the message is the report's table.
        UserError: as `check`.
    """
    from gradcheck_cli.reports.table import render

    __tracebackhide__ = True
    report = check(text, at, **options)
    if report.exit_code:
        raise AssertionError("\n" + render(report))
    return report


def _points(at: Any) -> dict[str, Given]:
    """What each input is set to."""
    # As Python reads names in the program: NFKC.
    return {normalize("NFKC", name): read_object(name, value) for name, value in _named(at).items()}


def _named(at: Any) -> Mapping[str, Any]:
    """`at`, if it takes names."""
    if not isinstance(at, Mapping) or not all(isinstance(name, str) for name in at):
        wanted = '`at` takes names of inputs with their values, such as {"x": 3}'
        raise mistake("bad-point", f"{wanted}, not {object_text(at)}")
    found: Mapping[str, Any] = at
    return found
