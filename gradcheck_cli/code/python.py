"""Code on trial from Python: a callable in this process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gradcheck_cli.code.arguments import python_arguments
from gradcheck_cli.code.facts import finished
from gradcheck_cli.code.trial import TrialOptions, try_code
from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.judge.evidence import tolerance_of
from gradcheck_cli.language.errors import Mistake, PointError
from gradcheck_cli.questions.arrays import float_array
from gradcheck_cli.questions.devices import devices_of
from gradcheck_cli.questions.python_numbers import read_object

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from gradcheck_cli.checks.result import Result
    from gradcheck_cli.settings.values import Settings


def results_of_code(
    found: Callable[..., Any],
    values: Mapping[str, Any],
    cotangent: Any,
    said: Mapping[str, Any],
    settings: Settings,
) -> Iterator[Result]:
    """What becomes of a callable, for each dtype and device.

    Args:
        values: its arguments, as Python has them.
        said: what only functions have, by the names of `check`.
    Raises:
        PointError: names or numbers are not right, or the function raises.
    """
    title, arguments = title_of(found), python_arguments(values)
    for device in devices_of(settings.device):
        for dtype in settings.dtype:
            wanted = TrialOptions(
                wrt=settings.wrt,
                dtype=dtype,
                device=device,
                cotangent=_weights(cotangent),
                seed=settings.seed,
                variants=_variants(said.get("variants")),
                order=settings.order,
                tolerance=tolerance_of(settings.rtol, settings.atol),
                spec=said.get("spec"),
                meant=said.get("backward_spec"),
                twin=said.get("twin"),
                twin_title=title_of(said["twin"]) if "twin" in said else "",
                backward=said.get("backward"),
                repeat=said.get("repeat", 1),
            )
            try:
                *_, trial = try_code(found, title, arguments, wanted)
            except RuntimeError as error:
                message = f"the function raises {error}"
                raise PointError([Mistake("raised", message)]) from error
            yield finished(trial)


def title_of(found: Any) -> str:
    """What a callable is called: its module and name."""
    inner = found if hasattr(found, "__qualname__") else type(found)
    name = inner.__qualname__.replace("<locals>.", "")
    module = getattr(inner, "__module__", "") or ""
    return f"{module}:{name}" if module not in ("", "__main__", "builtins") else name


def _weights(given: Any) -> list[float] | None:
    if given is None:
        return None
    value: Any = read_object("cotangent", given)
    found: list[float] = float_array(value, "cotangent", DTYPES["float64"], []).reshape(-1).tolist()
    return found


def _variants(given: Any) -> tuple[str, ...] | None:
    if given is None or given == "all":
        return None
    if isinstance(given, str):
        return () if given == "none" else tuple(given.split(","))
    return tuple(given)
